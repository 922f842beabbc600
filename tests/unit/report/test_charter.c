/* SPDX-License-Identifier: EUPL-1.2 */
/* The charter's indicators, against numbers worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/report/sample.h"
#include "tools/report/charter.h"

#define DAY_S  INT64_C(86400)
#define TB     UINT64_C(1000000000000)
#define MONTHS 16

/* Closed months of 30 days from September 2025 on: of 2025 four, of 2026
 * twelve. Each has 10 TB for 15 that people have, and 5 of reserve. */
struct town {
	struct coef_set coefs;
	struct report_month month[MONTHS];
	struct energy_array_month array[MONTHS][2];
	struct report_survey survey;
	struct report_charter in;
	struct charter_files files[2];
	struct charter_figure figure[REPORT_CHARTER_INDICATORS];
};

static void put_month(struct town *t, unsigned int i)
{
	const uint128 month_s = 30 * (uint128)DAY_S;
	struct report_month *m = &t->month[i];
	struct energy_line *total = &m->energy.total;
	struct energy_array_month *a = t->array[i];

	*m = (struct report_month){ .month = 12 * 2025 + 8 + (int32_t)i,
				    .known = true,
				    .over = true,
				    .version = 1,
				    .start_s = (int64_t)i * 30 * DAY_S,
				    .end_s = ((int64_t)i + 1) * 30 * DAY_S };
	total->own_byte_s = 15 * TB * month_s;
	m->energy.reserve.own_byte_s = 5 * TB * month_s;
	total->logical_byte_s = 15 * TB * month_s;
	total->mwh.all = 1000000 + i; /* 1 kWh and a bit */
	total->use_ug.all = 20000000; /* 20 g */
	total->build_ug.all = 10000000;
	m->energy.uncertainty_energy = 2 * MICRO;
	m->energy.uncertainty = 2 * MICRO;
	m->energy.uncertainty_build = 2 * MICRO;
	a[0] = (struct energy_array_month){ .id = "san",
					    .usable_bytes = 100 * TB,
					    .bought = 12 * 2023,
					    .life_s = 5 * 365 * DAY_S,
					    .measured = true,
					    .all.mwh = 250000 };
	a[1] = (struct energy_array_month){ .id = "nas",
					    .usable_bytes = 50 * TB,
					    .bought = 12 * 2025,
					    .life_s = 5 * 365 * DAY_S,
					    .all.mwh = 750000 + i };
	m->energy.array = a;
	m->energy.arrays = 2;
}

static void found(struct town *t)
{
	*t = (struct town){ .in = { .drive = "Ville",
				    .year = 2026,
				    .month = t->month,
				    .months = MONTHS,
				    .coefs = &t->coefs } };
	coef_set_default(&t->coefs);
	for (unsigned int i = 0; i < MONTHS; i++)
		put_month(t, i);
}

static const struct charter_figure *ask(struct town *t,
					enum report_charter_indicator i)
{
	charter_figures(&t->in, t->files, t->figure);
	return &t->figure[i];
}

static void a_year_is_its_closed_months(void **state)
{
	const struct charter_figure *f;
	struct town t;

	(void)state;
	found(&t);
	t.month[15].version = 0; /* December is not closed */
	f = ask(&t, REPORT_CHARTER_ENERGY);
	assert_true(f->known);
	/* January to November: 4 to 14 */
	assert_int_equal(f->value, 11 * 1000000 + 99);
	assert_int_equal(f->low, 11 * 500000 + 4 / 2 + 5 / 2 + 6 / 2 + 7 / 2 +
					 8 / 2 + 9 / 2 + 10 / 2 + 11 / 2 +
					 12 / 2 + 13 / 2 + 14 / 2);
	assert_int_equal(f->high, 2 * (11 * 1000000 + 99));
	assert_false(f->has_before); /* eleven months against four */
	f = ask(&t, REPORT_CHARTER_CLOSED);
	assert_int_equal(f->value, 11 * MICRO);
	assert_int_equal(f->before, 4 * MICRO);
	/* 30 g for 15 TB.month */
	f = ask(&t, REPORT_CHARTER_SCI);
	assert_int_equal(f->value, 2000000);
	assert_int_equal(f->low, 1000000);
	assert_int_equal(f->high, 4000000);
	assert_true(f->has_before);
	assert_int_equal(f->before, 2000000);
}

static void the_reserve_is_not_stored(void **state)
{
	const struct charter_figure *f;
	struct town t;

	(void)state;
	found(&t);
	f = ask(&t, REPORT_CHARTER_RATIO);
	assert_true(f->known);
	assert_in_range(f->value, 1499999, 1500000);
}

static void as_many_months_can_be_compared(void **state)
{
	const struct charter_figure *f;
	struct town t;

	(void)state;
	found(&t);
	for (unsigned int i = 8; i < MONTHS; i++)
		t.month[i].version = 0;
	t.month[5].version = 2;
	f = ask(&t, REPORT_CHARTER_ENERGY);
	assert_true(f->has_before);
	assert_int_equal(f->value, 4 * 1000000 + 4 + 5 + 6 + 7);
	assert_int_equal(f->before, 4 * 1000000 + 0 + 1 + 2 + 3);
	f = ask(&t, REPORT_CHARTER_CORRECTED);
	assert_int_equal(f->value, MICRO);
	assert_int_equal(f->before, 0);
}

static void what_has_a_meter_is_measured(void **state)
{
	const struct charter_figure *f;
	struct town t;

	(void)state;
	found(&t);
	f = ask(&t, REPORT_CHARTER_MEASURED);
	assert_true(f->known);
	/* 12 x 250,000 of 12 x 1,000,000 + 114 mWh */
	assert_int_equal(f->value, 24999763);
}

static void arrays_have_an_age(void **state)
{
	const struct charter_figure *f;
	struct town t;

	(void)state;
	found(&t);
	f = ask(&t, REPORT_CHARTER_AGE);
	assert_int_equal(f->value, 4 * MICRO); /* 2023 to 2026 */
	assert_int_equal(f->before, 3 * MICRO);
	for (unsigned int i = 0; i < MONTHS; i++)
		t.array[i][0].bought = t.array[i][1].bought = -1;
	f = ask(&t, REPORT_CHARTER_AGE);
	assert_false(f->known);
	assert_non_null(f->why);
}

static void growth_comes_with_its_sign(void **state)
{
	const struct charter_figure *f;
	struct town t;

	(void)state;
	found(&t);
	f = ask(&t, REPORT_CHARTER_GROWTH);
	assert_true(f->known);
	assert_int_equal(f->value, 0);
	assert_false(t.figure[REPORT_CHARTER_FULL].known);
	for (unsigned int i = 0; i < MONTHS; i++)
		t.month[i].energy.total.own_byte_s -=
			i * TB / 2 * 30 * (uint128)DAY_S;
	f = ask(&t, REPORT_CHARTER_GROWTH);
	assert_int_equal(f->value, -500000);
	t.in.months = 6; /* of 2026 two */
	f = ask(&t, REPORT_CHARTER_GROWTH);
	assert_true(f->known); /* with those before */
	t.in.month += 4;
	t.in.months = 2;
	f = ask(&t, REPORT_CHARTER_GROWTH);
	assert_false(f->known);
}

static void ages_are_those_of_the_last_survey(void **state)
{
	struct town t;

	(void)state;
	found(&t);
	assert_false(ask(&t, REPORT_CHARTER_UNUSED_1)->known);
	assert_non_null(t.figure[REPORT_CHARTER_UNUSED_1].why);
	t.survey.city.age[AGE_3_MONTHS].plain_bytes = 500;
	t.survey.city.age[AGE_3_YEARS].packed_bytes = 300;
	t.survey.city.age[AGE_5_YEARS].plain_bytes = 150;
	t.survey.city.age[AGE_OLDER].plain_bytes = 50;
	t.month[12].survey = &t.survey;
	assert_int_equal(ask(&t, REPORT_CHARTER_UNUSED_1)->value, 50 * MICRO);
	assert_int_equal(t.figure[REPORT_CHARTER_UNUSED_3].value, 20 * MICRO);
	assert_int_equal(t.figure[REPORT_CHARTER_UNUSED_5].value, 5 * MICRO);
	assert_false(t.figure[REPORT_CHARTER_UNUSED_5].has_before);
}

static void what_nobody_can_tell_says_why(void **state)
{
	struct town t;

	(void)state;
	found(&t);
	t.in.months = 0;
	charter_figures(&t.in, t.files, t.figure);
	for (unsigned int i = 0; i < REPORT_CHARTER_INDICATORS; i++) {
		const struct charter_figure *f = &t.figure[i];
		bool counted = i == REPORT_CHARTER_CLOSED ||
			       i == REPORT_CHARTER_CORRECTED;

		assert_true(f->known == counted);
		assert_true(counted || f->why != NULL);
	}
}

static void each_commitment_has_an_indicator(void **state)
{
	unsigned int row = 0;

	(void)state;
	for (unsigned int i = 0; i < REPORT_CHARTER_INDICATORS; i++) {
		assert_true(charter_indicators[i].row == row ||
			    charter_indicators[i].row == row + 1);
		row = charter_indicators[i].row;
	}
	assert_int_equal(row, REPORT_CHARTER_ROWS);
}

/* --- in a folder ------------------------------------------------------------
 */

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void write_in(const struct report_charter *in, const char *dir,
		     unsigned int formats)
{
	const struct report_options options = { .lang = PO_EN,
						.formats = formats };
	struct error err = ERROR_INIT;

	assert_int_equal(
		report_charter_write(in, &options, dir, NULL, NULL, &err), 0);
}

static json_t *indicator(json_t *root, size_t row, size_t at)
{
	json_t *rows = json_object_get(root, "commitments");

	return json_array_get(
		json_object_get(json_array_get(rows, row - 1), "indicators"),
		at);
}

static json_int_t value_of(json_t *root, size_t row, const char *key)
{
	return json_integer_value(
		json_object_get(indicator(root, row, 0), key));
}

static void reports_that_lie_there_are_weighed(void **state)
{
	char dir[] = "/tmp/sobre-charter.XXXXXX";
	micro target[REPORT_CHARTER_INDICATORS];
	char path[128];
	json_t *root;
	struct town t;

	(void)state;
	found(&t);
	for (unsigned int i = 0; i < REPORT_CHARTER_INDICATORS; i++)
		target[i] = -1;
	target[REPORT_CHARTER_PAGE] = 60000 * MICRO;
	t.in.target = target;
	assert_non_null(mkdtemp(dir));
	sample_charter_reports(dir);
	write_in(&t.in, dir, REPORT_HTML | REPORT_JSON);
	(void)snprintf(path, sizeof(path), "%s/charter-2026.html", dir);
	assert_int_equal(access(path, R_OK), 0);
	(void)snprintf(path, sizeof(path), "%s/charter-2026.json", dir);
	root = json_load_file(path, 0, NULL);
	assert_non_null(root);
	assert_int_equal(value_of(root, 3, "value_micro"), 42000 * MICRO);
	assert_int_equal(value_of(root, 3, "before_micro"), 40000 * MICRO);
	assert_int_equal(value_of(root, 3, "target_micro"), 60000 * MICRO);
	/* 42,000 bytes of 8 bits at 512,000 a second */
	assert_int_equal(value_of(root, 8, "value_micro"), 656250);
	assert_int_equal(value_of(root, 14, "value_micro"), 4 * MICRO);
	assert_true(json_is_null(
		json_object_get(indicator(root, 5, 0), "value_micro")));
	assert_true(
		json_is_string(json_object_get(indicator(root, 5, 0), "why")));
	json_decref(root);
	assert_int_equal(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void too_many_months_are_refused(void **state)
{
	const struct report_options options = { .formats = REPORT_JSON };
	const struct report_charter in = { .drive = "x",
					   .months =
						   REPORT_CHARTER_MONTHS + 1 };
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(report_charter_write(&in, &options, "/nowhere", NULL,
					      NULL, &err),
			 -EINVAL);
}

/* One department's temporary files: 5 TB in January, 2 in March, none in
 * April, and 1 of another's that stays; February looked at nothing. */
static void proposals_are_followed_from_month_to_month(void **state)
{
	static const uint64_t left[][2] = { { 5, 1 }, { 2, 1 }, { 0, 1 } };
	struct report_stock stock[3][2];
	struct report_survey survey[3];
	const struct charter_figure *f;
	struct town t;

	(void)state;
	found(&t);
	memset(stock, 0, sizeof(stock));
	for (unsigned int i = 0; i < 3; i++) {
		survey[i] = (struct report_survey){ .department = stock[i],
						    .departments = 2 };
		for (unsigned int d = 0; d < 2; d++)
			stock[i][d].action[ACTION_TEMPORARY].gain_bytes =
				left[i][d] * TB;
	}
	assert_false(ask(&t, REPORT_CHARTER_PROPOSED)->known);
	t.month[4].survey = &survey[0]; /* January */
	t.month[6].survey = &survey[1];
	t.month[7].survey = &survey[2];
	f = ask(&t, REPORT_CHARTER_PROPOSED);
	assert_true(f->known);
	assert_int_equal(f->value, 2 * MICRO);
	assert_int_equal(ask(&t, REPORT_CHARTER_DONE)->value, MICRO);
	assert_int_equal(ask(&t, REPORT_CHARTER_GAINED)->value, 5 * MICRO);
	/* What was there the December before, and is gone in January, was
	 * proposed, and is this year's gain. */
	t.month[3].survey = &survey[0];
	t.month[4].survey = &survey[1];
	t.month[6].survey = t.month[7].survey = NULL;
	assert_int_equal(ask(&t, REPORT_CHARTER_GAINED)->value, 3 * MICRO);
	assert_int_equal(ask(&t, REPORT_CHARTER_DONE)->value, 0);
}

/* As much each month: as much in three years. */
static void what_is_needed_ahead_is_told(void **state)
{
	struct town t;

	(void)state;
	found(&t);
	for (unsigned int i = 0; i < REPORT_AHEAD; i++) {
		const struct charter_figure *f =
			ask(&t, REPORT_CHARTER_AHEAD_1 + i);

		assert_true(f->known);
		assert_int_equal(f->value, 10 * MICRO);
	}
	t.in.months = 6; /* of 2026 two, but four before them */
	assert_true(ask(&t, REPORT_CHARTER_AHEAD_3)->known);
	t.in.months = 0;
	assert_false(ask(&t, REPORT_CHARTER_AHEAD_3)->known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proposals_are_followed_from_month_to_month),
		cmocka_unit_test(what_is_needed_ahead_is_told),
		cmocka_unit_test(a_year_is_its_closed_months),
		cmocka_unit_test(the_reserve_is_not_stored),
		cmocka_unit_test(as_many_months_can_be_compared),
		cmocka_unit_test(what_has_a_meter_is_measured),
		cmocka_unit_test(arrays_have_an_age),
		cmocka_unit_test(growth_comes_with_its_sign),
		cmocka_unit_test(ages_are_those_of_the_last_survey),
		cmocka_unit_test(what_nobody_can_tell_says_why),
		cmocka_unit_test(each_commitment_has_an_indicator),
		cmocka_unit_test(reports_that_lie_there_are_weighed),
		cmocka_unit_test(too_many_months_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
