/* SPDX-License-Identifier: EUPL-1.2 */
/* The city's own figures, against numbers worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/report/sample.h"

#define DAY   INT64_C(86400)
#define TB    UINT64_C(1000000000000)
#define FIRST (12 * 2026)

/* Months of 30 days, each with so many TB on an array of 100 and a vault of
 * 50 that keeps 5. */
struct town {
	struct coef_set coefs;
	struct report_month month[REPORT_MONTHS];
	struct energy_array_month array[REPORT_MONTHS][2];
	struct report_savings savings;
	struct report_input in;
};

static void put_month(struct town *t, unsigned int i, uint64_t tb)
{
	const uint128 month_s = 30 * (uint128)DAY;
	struct energy_array_month *a = t->array[i];
	struct report_month *m = &t->month[i];

	*m = (struct report_month){ .month = FIRST + (int32_t)i,
				    .known = true,
				    .over = true,
				    .start_s = (int64_t)i * 30 * DAY,
				    .end_s = ((int64_t)i + 1) * 30 * DAY };
	a[0] = (struct energy_array_month){ .id = "san",
					    .usable_bytes = 100 * TB,
					    .bought = FIRST - 24,
					    .life_s = 5 * 365 * DAY,
					    .te_ug = 600000000,
					    .measured = true,
					    .modelled_mwh = 400,
					    .stored_byte_s = tb * TB * month_s,
					    .all = { .mwh = 1000 } };
	a[1] = (struct energy_array_month){ .id = "vault",
					    .usable_bytes = 50 * TB,
					    .bought = -1,
					    .life_s = 6 * 365 * DAY,
					    .outlived = true,
					    .te_ug = 120000000,
					    .modelled_mwh = 77,
					    .stored_byte_s = 5 * TB * month_s,
					    .all = { .mwh = 77 } };
	m->energy.array = a;
	m->energy.arrays = 2;
	m->energy.total.own_byte_s = (tb + 5) * TB * month_s + 12345;
	m->energy.reserve.own_byte_s = 12345;
	m->energy.total.logical_byte_s = 2 * TB * month_s;
	m->energy.total.use_ug.all = 3000;
	m->energy.total.build_ug.all = 1000;
	m->energy.total.mwh.all = 1077;
	m->energy.uncertainty = 1500000;
	m->energy.uncertainty_build = 2000000;
}

/* From 40 TB on, by `step` a month. */
static void grow(struct town *t, unsigned int months, unsigned int step)
{
	*t = (struct town){ .in = { .months = months } };
	coef_set_default(&t->coefs);
	for (unsigned int i = 0; i < months; i++)
		put_month(t, i, 40 + i * step);
	t->in.month = t->month;
	t->in.coefs = &t->coefs;
}

static struct report_city city_of(const struct town *t)
{
	struct report_city city;

	assert_true(report_city_of(&t->in, &city));
	return city;
}

static void a_drive_that_grows_is_full_one_day(void **state)
{
	struct report_city c;
	struct town t;

	(void)state;
	grow(&t, 6, 4); /* 60 in the last: 62 at its end */
	c = city_of(&t);
	assert_true(c.growth.known);
	assert_int_equal(c.growth.bytes_month, 4 * TB);
	assert_int_equal(c.growth.held_bytes, 67 * TB);
	assert_int_equal(c.growth.ahead_bytes[0], 115 * TB);
	assert_int_equal(c.growth.ahead_bytes[2], 211 * TB);
	assert_int_equal(c.array[0].growth.held_bytes, 62 * TB);
	/* 38 TB left: in the tenth month after June */
	assert_int_equal(c.array[0].full_month, FIRST + 5 + 10);
	assert_int_equal(c.array[1].growth.bytes_month, 0);
	assert_int_equal(c.array[1].full_month, -1);
	assert_int_equal(c.full_month, c.array[0].full_month);
	put_month(&t, 5, 98);
	c = city_of(&t);
	assert_true(c.array[0].full_month > FIRST + 5);
	grow(&t, 12, 6); /* 106 at the end: full already */
	assert_int_equal(city_of(&t).array[0].full_month, FIRST + 11);
}

static void what_shrinks_or_stays_is_never_full(void **state)
{
	struct report_city c;
	struct town t;

	(void)state;
	grow(&t, 4, 0);
	assert_int_equal(city_of(&t).full_month, -1);
	for (unsigned int i = 0; i < 4; i++)
		put_month(&t, i, 40 - 10 * i);
	t.savings.copies = TB;
	t.in.savings = &t.savings;
	c = city_of(&t);
	assert_int_equal(c.growth.bytes_month, -10 * (int64_t)TB);
	assert_int_equal(c.full_month, -1);
	assert_int_equal(c.growth.ahead_bytes[0], 0);
	assert_int_equal(c.deferred_months, -1);
}

/* Two whole months are a line through two points: nothing to go by. */
static void growth_takes_three_whole_months(void **state)
{
	struct report_city c;
	struct town t;

	(void)state;
	grow(&t, 2, 4);
	assert_false(city_of(&t).growth.known);
	grow(&t, 4, 4);
	t.month[0].first_s = t.month[0].start_s + 1;
	t.month[3].over = false;
	c = city_of(&t);
	assert_false(c.growth.known);
	assert_int_equal(c.full_month, -1);
	assert_int_equal(c.deferred_months, -1);
	t.month[3].over = true;
	c = city_of(&t);
	assert_int_equal(c.growth.bytes_month, 4 * TB);
	t.month[1].known = false;
	assert_false(city_of(&t).growth.known);
}

/* 2 TB kept 30 days are 2 TB.months: 4,000 ug. */
static void the_indicators_are_those_of_the_model(void **state)
{
	struct report_city c;
	struct town t;

	(void)state;
	grow(&t, 3, 0);
	c = city_of(&t);
	assert_true(c.sci_known);
	assert_int_equal(c.sci_ug, 2000);
	assert_int_equal(c.sci_low_ug, (2000 + 500) / 2);
	assert_int_equal(c.sci_high_ug, (4500 + 2000) / 2);
	assert_int_equal(c.pue, 1750000);
	assert_int_equal(c.fill, 300000); /* 45 of 150 */
	assert_int_equal(c.array[0].fill, 400000);
	assert_int_equal(c.array[0].lambda, 2500000);
	assert_int_equal(c.array[1].lambda, -1);
	assert_int_equal(c.lambda, 2500000);
	assert_int_equal(c.usable_bytes, 150 * TB);
	t.month[2].energy.total.logical_byte_s = 0;
	assert_false(city_of(&t).sci_known);
}

/* 600 kg in 5 years, or in 8; 120 kg of an array that outlived its 6. */
static void a_longer_life_saves_fabrication(void **state)
{
	struct report_city c;
	struct town t;

	(void)state;
	grow(&t, 3, 0);
	c = city_of(&t);
	assert_int_equal(c.array[0].age_months, 27);
	assert_int_equal(c.array[0].life_months, 60);
	assert_int_equal(c.array[0].build_year_ug, 120000000);
	assert_int_equal(c.array[0].longer_years, 8);
	assert_int_equal(c.array[0].longer_gain_ug, 45000000);
	assert_int_equal(c.array[1].age_months, -1);
	assert_int_equal(c.array[1].build_year_ug, 0);
	assert_int_equal(c.array[1].longer_gain_ug, 20000000);
	assert_int_equal(c.longer_gain_ug, 65000000);
}

/* 10 TB at 4 TB a month; 140 kg a year. */
static void what_packing_frees_puts_a_purchase_off(void **state)
{
	struct report_city c;
	struct town t;

	(void)state;
	grow(&t, 3, 4);
	assert_int_equal(city_of(&t).deferred_months, -1);
	t.savings = (struct report_savings){ .copies = 6 * TB,
					     .parts = 2 * TB,
					     .compression = 3 * TB,
					     .overhead = TB };
	t.in.savings = &t.savings;
	c = city_of(&t);
	assert_int_equal(c.freed_bytes, 10 * TB);
	assert_int_equal(c.deferred_months, 2500000);
	assert_int_equal(c.deferred_ug, 29166666);
	t.savings.overhead = 100 * TB;
	assert_int_equal(city_of(&t).deferred_months, 0);
}

/* 1,077 mWh: 60 % at 50 g, 40 % at 10 g. */
static void green_supply_is_a_line_of_its_own(void **state)
{
	struct report_city c;
	struct town t;

	(void)state;
	grow(&t, 3, 0);
	c = city_of(&t);
	assert_int_equal(c.ref, -1);
	assert_false(c.market_known);
	t.month[2].supply = (struct report_supply){ .renewable_known = true,
						    .renewable = 400000,
						    .residual = 50000000,
						    .supplier = 10000000 };
	c = city_of(&t);
	assert_int_equal(c.ref, 400000);
	assert_false(c.market_known); /* no residual mix, no default for it */
	t.month[2].supply.residual_known = true;
	c = city_of(&t);
	assert_true(c.market_known);
	assert_int_equal(c.market_ug, 36618);
	t.month[2].supply.renewable = MICRO + 1;
	assert_false(city_of(&t).market_known);
}

static void of_a_month_of_nothing_nothing_is_said(void **state)
{
	struct report_city city;
	struct town t;

	(void)state;
	grow(&t, 3, 0);
	t.month[2].known = false;
	assert_false(report_city_of(&t.in, &city));
	grow(&t, 3, 0);
	t.month[2].end_s = t.month[2].start_s; /* its first second */
	assert_false(report_city_of(&t.in, &city));
	t.in.months = 0;
	assert_false(report_city_of(&t.in, &city));
}

/* Whatever is in them: no array is divided by what it hasn't. */
static void the_worst_numbers_are_numbers(void **state)
{
	struct report_city c;
	struct town t;

	(void)state;
	grow(&t, 13, 7);
	for (unsigned int i = 0; i < 13; i++) {
		struct energy_array_month *a = t.array[i];

		a[0].stored_byte_s = ~(uint128)0;
		a[0].usable_bytes = UINT64_MAX;
		a[0].te_ug = UINT64_MAX;
		a[0].all.mwh = UINT64_MAX;
		a[0].modelled_mwh = 0;
		a[0].life_s = INT64_MAX - 100000000;
		t.month[i].energy.total.own_byte_s = ~(uint128)0;
		t.month[i].energy.total.mwh.all = UINT64_MAX;
	}
	t.savings.copies = UINT64_MAX;
	t.in.savings = &t.savings;
	t.month[12].supply = (struct report_supply){ true, MICRO, true,
						     INT64_C(3000) * MICRO,
						     INT64_C(3000) * MICRO };
	c = city_of(&t);
	assert_true(c.array[0].fill > 0);
	assert_int_equal(c.array[0].lambda, -1);
	assert_int_equal(c.market_ug, UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_drive_that_grows_is_full_one_day),
		cmocka_unit_test(what_shrinks_or_stays_is_never_full),
		cmocka_unit_test(growth_takes_three_whole_months),
		cmocka_unit_test(the_indicators_are_those_of_the_model),
		cmocka_unit_test(a_longer_life_saves_fabrication),
		cmocka_unit_test(what_packing_frees_puts_a_purchase_off),
		cmocka_unit_test(green_supply_is_a_line_of_its_own),
		cmocka_unit_test(of_a_month_of_nothing_nothing_is_said),
		cmocka_unit_test(the_worst_numbers_are_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
