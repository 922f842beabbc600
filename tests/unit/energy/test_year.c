/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/energy/support.h"

#define TB (1000 * GB)

static struct energy_year year_of(const struct energy_input *array,
				  uint128 hot_bytes, uint128 archive_bytes)
{
	struct coef_set coefs;
	struct energy_year year;

	coef_set_default(&coefs);
	energy_year(&coefs, array,
		    (const uint128[TIERS]){ [TIER_HOT] = hot_bytes,
					    [TIER_ARCHIVE] = archive_bytes },
		    &year);
	return year;
}

/* 0.65 x 2.5 x 2.4 x 1.75 = 6.825 W; in 8,760 h 59.787 kWh, 9.56592 EUR,
 * 2.7561807 kg; disks 5.185 kg in 5 years. */
static void a_tb_for_a_year_by_coefficients(void **state)
{
	struct energy_year y = year_of(NULL, TB, 0);

	(void)state;
	assert_int_equal(y.mwh, 59787000);
	assert_int_equal(y.ueur, 9565920);
	assert_int_equal(y.use_ug, 2756180700);
	assert_int_equal(y.build_ug, 1037000000);
}

static void an_archive_apart_sleeps(void **state)
{
	struct energy_input array = { .archive_apart = true };
	struct energy_year y = year_of(&array, 0, TB);

	(void)state;
	assert_int_equal(y.mwh, 3066000); /* 0.35 W */
	assert_int_equal(y.build_ug, 829600000);
	array.archive_apart = false;
	y = year_of(&array, 0, TB);
	assert_int_equal(y.mwh, 59787000);
	y = year_of(NULL, 0, TB);
	assert_int_equal(y.mwh, 59787000);
}

/* 480 W on 320 TB for a month of 720 h: 1.75 x 1.5 W a TB. */
static void a_tb_for_a_year_as_measured(void **state)
{
	struct energy_input array = { .usable_bytes = (uint64_t)(320 * TB),
				      .seconds = MONTH_S,
				      .measured_mwh = 345600000,
				      .fabrication_kg = 1746640000,
				      .life_s = INT64_C(43800) * 3600 };
	struct energy_year y = year_of(&array, TB, 0);

	(void)state;
	assert_int_equal(y.mwh, 22995000);
	assert_int_equal(y.build_ug, 1091650000);
	array.outlived = true;
	assert_int_equal(year_of(&array, TB, 0).build_ug, 0);
	array.usable_bytes = 0; /* spread over what? */
	assert_int_equal(year_of(&array, TB, 0).mwh, 59787000);
}

static void a_month_says_what_a_year_says(void **state)
{
	struct tier_time row = row_of(TIER_HOT, 1, 1, 0, 0, 0);
	struct energy_input in = { .row = &row,
				   .rows = 1,
				   .departments = 1,
				   .seconds = INT64_C(365) * 24 * 3600 };
	struct dice dice = { .state = 9 };

	(void)state;
	for (int i = 0; i < 100; i++) {
		uint64_t bytes = roll(&dice, UINT64_C(1) << 50);
		struct energy_year y = year_of(NULL, bytes, 0);
		struct energy_month m;

		row.byte_seconds = (uint128)bytes * (uint128)in.seconds;
		m = default_month(&in);
		assert_int_equal(y.mwh, m.total.mwh.all);
		assert_int_equal(y.ueur, m.total.ueur.all);
		assert_int_equal(y.use_ug, m.total.use_ug.all);
		assert_int_equal(y.build_ug, m.total.build_ug.all);
		energy_month_release(&m);
	}
}

static void what_does_not_fit_is_the_most_there_is(void **state)
{
	struct energy_year y = year_of(NULL, ~(uint128)0, 0);

	(void)state;
	assert_true(y.mwh == UINT64_MAX);
	assert_true(y.use_ug == UINT64_MAX);
	assert_true(energy_sci_ug(UINT64_MAX, UINT64_MAX, 1) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tb_for_a_year_by_coefficients),
		cmocka_unit_test(an_archive_apart_sleeps),
		cmocka_unit_test(a_tb_for_a_year_as_measured),
		cmocka_unit_test(a_month_says_what_a_year_says),
		cmocka_unit_test(what_does_not_fit_is_the_most_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
