/* SPDX-License-Identifier: EUPL-1.2 */
/* With a ledger of the test's own: linked in the place of the real one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/ledger/ledger.h"
#include "tools/figures/figures.h"

#define SEPTEMBER_2026 (12 * 2026 + 8)
#define SEPTEMBER      INT64_C(1788220800)
#define OCTOBER	       INT64_C(1790812800)
#define AUGUST	       INT64_C(1785542400)
#define DAY	       INT64_C(86400)
#define TB	       UINT64_C(1000000000000)

/* The drive started on 21 August 2026, and holds a TB since: two parts of
 * three are department 1's, the rest is 1's and 2's. */
static int64_t first_s = AUGUST + 20 * DAY;
static bool broken;

int ledger_departments(struct catalog *cat,
		       struct ledger_departments *ret_departments,
		       struct error *err)
{
	(void)cat;
	(void)err;
	*ret_departments = (struct ledger_departments){
		.row = calloc(2, sizeof(struct ledger_department_row)), .n = 2
	};
	assert_non_null(ret_departments->row);
	ret_departments->row[1].number = 1;
	return 0;
}

void ledger_departments_release(struct ledger_departments *departments)
{
	free(departments->row);
}

static void fill(struct ledger_month *m)
{
	int64_t from_s = first_s > m->start_s ? first_s : m->start_s;
	uint128 all = (uint128)TB * (uint128)(m->end_s - from_s);

	m->row = calloc(2, sizeof(m->row[0]));
	assert_non_null(m->row);
	m->n = 2;
	m->row[0].set = (struct dept_set){ .n = 1, .member = { 1 } };
	m->row[0].byte_seconds = all / 3 * 2;
	m->row[1].set = (struct dept_set){ .n = 2, .member = { 1, 2 } };
	m->row[1].byte_seconds = all - all / 3 * 2;
}

int ledger_month_get(struct catalog *cat, int32_t month, int64_t now_s,
		     struct ledger_month *ret_month, struct error *err)
{
	struct ledger_month m = { .month = month,
				  .first_s = first_s,
				  .start_s = SEPTEMBER,
				  .end_s = OCTOBER,
				  .observed_s = 1000 };

	(void)cat;
	if (month == SEPTEMBER_2026 - 1) {
		m.start_s = AUGUST;
		m.end_s = SEPTEMBER;
	} else if (month != SEPTEMBER_2026) {
		return error_set(err,
				 month < SEPTEMBER_2026 ? -ENOENT : -EINVAL,
				 "not that month");
	}
	if (broken)
		return error_set(err, -EIO, "broken");
	if (m.end_s > now_s)
		m.end_s = now_s;
	fill(&m);
	*ret_month = m;
	return 0;
}

/* None are counted. */
int ledger_flows_get(struct catalog *cat, int32_t month, int64_t now_s,
		     struct ledger_flows *ret_flows, struct error *err)
{
	(void)cat;
	(void)month;
	(void)now_s;
	(void)err;
	*ret_flows = (struct ledger_flows){ .since_s = INT64_MAX };
	return 0;
}

void ledger_flows_release(struct ledger_flows *flows)
{
	(void)flows;
}

void ledger_month_release(struct ledger_month *month)
{
	free(month->row);
}

static int get(const struct figures_array *array, int32_t month, int64_t now_s,
	       struct report_month months[REPORT_MONTHS], struct error *err)
{
	struct closing none;
	struct coef_set coefs;
	const struct figures_source from = {
		.state_fd = -1,
		.coefs = &coefs,
		.array = array,
		.arrays = array ? 1 : 0,
		.now_s = now_s,
	};

	coef_set_default(&coefs);
	return figures_months(&from, month, months, &none, err);
}

static void gather(const struct figures_array *array, int64_t now_s,
		   struct report_month months[REPORT_MONTHS])
{
	struct error err = ERROR_INIT;

	if (get(array, SEPTEMBER_2026, now_s, months, &err) < 0)
		fail_msg("%s", err.text);
}

static void a_year_ends_with_the_month_asked_for(void **state)
{
	struct report_month m[REPORT_MONTHS];

	(void)state;
	gather(NULL, OCTOBER + DAY, m);
	for (int i = 0; i < REPORT_MONTHS; i++) {
		assert_int_equal(m[i].month, SEPTEMBER_2026 - 12 + i);
		assert_int_equal(m[i].known, i >= 11);
		assert_true(m[i].over);
		if (i > 0)
			assert_int_equal(m[i].start_s, m[i - 1].end_s);
	}
	assert_int_equal(m[0].start_s, SEPTEMBER - 365 * DAY);
	assert_int_equal(m[12].start_s, SEPTEMBER);
	assert_int_equal(m[12].end_s, OCTOBER);
	assert_int_equal(m[12].observed_s, 1000);
	assert_int_equal(m[11].first_s, first_s);
	figures_release(m);
	figures_release(m);
}

/* 6.825 W for a TB: 4,914 Wh in 30 days; 11 of 31 days of August. A number
 * that the list of departments hasn't yet is there too. */
static void months_are_weighed_by_coefficients(void **state)
{
	struct report_month m[REPORT_MONTHS];

	(void)state;
	gather(NULL, OCTOBER, m);
	assert_false(m[12].energy.measured);
	assert_int_equal(m[12].energy.departments, 3);
	assert_int_equal(m[12].energy.total.mwh.all, 4914000);
	assert_int_equal(m[12].energy.department[1].mwh.all, 4095000);
	assert_int_equal(m[12].energy.department[2].mwh.all, 819000);
	assert_int_equal(m[11].energy.total.mwh.all, 1801800);
	figures_release(m);
}

static void a_month_that_goes_on_is_not_over(void **state)
{
	struct report_month m[REPORT_MONTHS];

	(void)state;
	gather(NULL, SEPTEMBER + 10 * DAY, m);
	assert_false(m[12].over);
	assert_true(m[11].over);
	assert_int_equal(m[12].end_s, SEPTEMBER + 10 * DAY);
	assert_int_equal(m[12].energy.total.mwh.all, 1638000);
	figures_release(m);
	gather(NULL, SEPTEMBER, m); /* its first second */
	assert_int_equal(m[12].energy.total.mwh.all, 0);
	figures_release(m);
}

static struct meter_reading reading[] = {
	{ .at_s = AUGUST, .value = 1000 * MICRO },
	{ .at_s = SEPTEMBER, .value = 1310 * MICRO },
	{ .at_s = OCTOBER, .value = 1610 * MICRO },
};

static void a_meter_goes_before_coefficients(void **state)
{
	struct meter meter = { .kind = METER_KWH, .reading = reading, .n = 3 };
	struct figures_array array = { .usable_bytes = 4 * TB,
				       .meter = &meter,
				       .bought = -1 };
	struct report_month m[REPORT_MONTHS];
	const struct figures_source from = { .array = &array, .arrays = 1 };
	const struct figures_source none = { .arrays = 0 };
	struct energy_array rate[ENERGY_ARRAYS_MAX];
	struct energy_input in;

	(void)state;
	gather(&array, OCTOBER, m);
	assert_true(m[12].energy.measured);
	assert_int_equal(m[12].energy.measured_mwh, 300000000);
	assert_int_equal(m[12].energy.total.mwh.all, 525000000);
	assert_int_equal(m[12].energy.reserve.mwh.all, 393750000);
	/* 11 days of 31, only */
	assert_int_equal(m[11].energy.measured_mwh, 110000000);
	/* 300 kWh in 30 days */
	in = figures_rate(&from, m, REPORT_MONTHS, rate);
	assert_int_equal(in.arrays, 1);
	assert_int_equal(in.array[0].measured_mwh, 3650000000);
	assert_int_equal(in.seconds, 365 * DAY);
	assert_int_equal(in.array[0].usable_bytes, 4 * TB);
	figures_release(m);
	assert_int_equal(figures_rate(&none, m, 0, rate).arrays, 0);
	in = figures_rate(&from, NULL, 0, rate);
	assert_int_equal(in.array[0].measured_mwh, 0);
}

/* It began 3 days late: 27 of 30 days are stretched; of 26 nothing is said. */
static void a_meter_counts_when_it_covers_nine_tenths(void **state)
{
	struct meter_reading late[] = {
		{ .at_s = SEPTEMBER + 3 * DAY, .value = 0 },
		{ .at_s = OCTOBER, .value = 270 * MICRO },
	};
	struct meter meter = { .kind = METER_KWH, .reading = late, .n = 2 };
	struct figures_array array = { .meter = &meter, .bought = -1 };
	struct report_month m[REPORT_MONTHS];

	(void)state;
	gather(&array, OCTOBER, m);
	assert_int_equal(m[12].energy.measured_mwh, 300000000);
	assert_false(m[11].energy.measured);
	figures_release(m);
	late[0].at_s++;
	gather(&array, OCTOBER, m);
	assert_false(m[12].energy.measured);
	assert_int_equal(report_meter_of(&m[12].energy.array[0]), METER_PART);
	assert_int_equal(report_meter_of(&m[11].energy.array[0]), METER_SILENT);
	figures_release(m);
}

/* Never a silent zero: a meter that says nothing was drawn says nothing. */
static void a_month_of_no_watts_is_by_coefficients(void **state)
{
	struct meter_reading flat[] = {
		{ .at_s = SEPTEMBER, .value = 5 * MICRO },
		{ .at_s = OCTOBER, .value = 5 * MICRO },
	};
	struct meter meter = { .kind = METER_KWH, .reading = flat, .n = 2 };
	struct figures_array array = { .meter = &meter, .bought = -1 };
	struct report_month m[REPORT_MONTHS];

	(void)state;
	gather(&array, OCTOBER, m);
	assert_int_equal(m[12].energy.total.mwh.all, 4914000);
	assert_int_equal(report_meter_of(&m[12].energy.array[0]), METER_ZERO);
	figures_release(m);
}

/* Replaced on the 20th, back a day later: the rest says what was drawn. */
static void a_register_that_fell_is_told(void **state)
{
	struct meter_reading fell[] = {
		{ .at_s = SEPTEMBER, .value = 1000 * MICRO },
		{ .at_s = SEPTEMBER + 20 * DAY, .value = 1200 * MICRO },
		{ .at_s = SEPTEMBER + 21 * DAY, .value = 0 },
		{ .at_s = OCTOBER, .value = 90 * MICRO },
	};
	struct meter meter = { .kind = METER_KWH, .reading = fell, .n = 4 };
	struct figures_array array = { .usable_bytes = 4 * TB,
				       .meter = &meter,
				       .bought = -1 };
	struct report_month m[REPORT_MONTHS];

	(void)state;
	gather(&array, OCTOBER, m);
	assert_int_equal(m[12].energy.measured_mwh, 300000000);
	assert_int_equal(report_meter_of(&m[12].energy.array[0]), METER_FELL);
	figures_release(m);
}

static void an_array_is_told_till_the_end_of_its_life(void **state)
{
	struct figures_array array = { .usable_bytes = 4 * TB,
				       .bought = SEPTEMBER_2026 - 120,
				       .life_years = 10,
				       .fabrication_kg = 365 * MICRO };
	struct report_month m[REPORT_MONTHS];

	(void)state;
	gather(&array, OCTOBER, m);
	assert_int_equal(m[12].energy.total.build_ug.all, 0);
	/* 365 kg in 10 x 365 days: 100 g a day, 11 days */
	assert_int_equal(m[11].energy.total.build_ug.all, 1100000000);
	figures_release(m);
	array.bought++;
	gather(&array, OCTOBER, m);
	assert_int_equal(m[12].energy.total.build_ug.all, 3000000000);
	figures_release(m);
}

/* 5 years, as the coefficient says, when drive.yaml doesn't. */
static void a_life_not_said_ends_as_the_coefficient_does(void **state)
{
	struct figures_array array = { .usable_bytes = 4 * TB,
				       .bought = SEPTEMBER_2026 - 60,
				       .fabrication_kg = 365 * MICRO };
	struct report_month m[REPORT_MONTHS];

	(void)state;
	gather(&array, OCTOBER, m);
	assert_int_equal(m[12].energy.total.build_ug.all, 0);
	assert_true(m[11].energy.total.build_ug.all > 0);
	figures_release(m);
}

/* A second one came in September: August was the first's alone. */
static void an_array_is_not_there_before_it_was_bought(void **state)
{
	const struct figures_array two[] = {
		{ .id = "a", .usable_bytes = TB, .bought = -1 },
		{ .id = "b", .usable_bytes = TB, .bought = SEPTEMBER_2026 },
	};
	struct report_month m[REPORT_MONTHS];
	struct coef_set coefs;
	struct closing none;
	struct error err = ERROR_INIT;
	struct figures_source from = { .state_fd = -1,
				       .coefs = &coefs,
				       .array = two,
				       .arrays = 2,
				       .now_s = OCTOBER };

	(void)state;
	coef_set_default(&coefs);
	assert_int_equal(figures_months(&from, SEPTEMBER_2026, m, &none, &err),
			 0);
	assert_int_equal(m[12].energy.arrays, 2);
	assert_int_equal(m[11].energy.arrays, 1);
	assert_string_equal(m[11].energy.array[0].id, "a");
	figures_release(m);
	/* unless nothing else holds what is kept */
	from.array = &two[1];
	from.arrays = 1;
	assert_int_equal(figures_months(&from, SEPTEMBER_2026, m, &none, &err),
			 0);
	assert_string_equal(m[11].energy.array[0].id, "b");
	figures_release(m);
}

static void an_error_of_the_ledger_comes_back(void **state)
{
	struct report_month m[REPORT_MONTHS];
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(get(NULL, SEPTEMBER_2026 + 1, OCTOBER - 1, m, &err),
			 -EINVAL);
	broken = true;
	assert_int_equal(get(NULL, SEPTEMBER_2026, OCTOBER, m, &err), -EIO);
	broken = false;
	assert_non_null(strstr(err.text, "broken"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_year_ends_with_the_month_asked_for),
		cmocka_unit_test(months_are_weighed_by_coefficients),
		cmocka_unit_test(a_month_that_goes_on_is_not_over),
		cmocka_unit_test(a_meter_goes_before_coefficients),
		cmocka_unit_test(a_meter_counts_when_it_covers_nine_tenths),
		cmocka_unit_test(a_month_of_no_watts_is_by_coefficients),
		cmocka_unit_test(a_register_that_fell_is_told),
		cmocka_unit_test(an_array_is_told_till_the_end_of_its_life),
		cmocka_unit_test(a_life_not_said_ends_as_the_coefficient_does),
		cmocka_unit_test(an_array_is_not_there_before_it_was_bought),
		cmocka_unit_test(an_error_of_the_ledger_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
