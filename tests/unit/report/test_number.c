/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define THIN "\xe2\x80\xaf"

static void assert_num(struct num n, const char *want)
{
	assert_string_equal(n.s, want);
}

static void figures_have_the_signs_of_their_language(void **state)
{
	(void)state;
	assert_num(num_fixed(12345678, 1, PO_FR), "1" THIN "234" THIN "567,8");
	assert_num(num_fixed(12345678, 1, PO_EN), "1,234,567.8");
	assert_num(num_fixed(5, 3, PO_EN), "0.005");
	assert_num(num_fixed(0, 2, PO_FR), "0,00");
	assert_num(num_fixed(999, 0, PO_EN), "999");
}

static void two_digits_count_and_no_more(void **state)
{
	const struct scale k = { 6, "" };

	(void)state;
	assert_num(num_digits(604800000, &k, 2, PO_EN), "600");
	assert_num(num_digits(2916065, &k, 2, PO_EN), "2.9");
	assert_num(num_digits(10121, &k, 2, PO_EN), "0.010");
	assert_num(num_digits(996000, &k, 2, PO_EN), "1.0");
	assert_num(num_digits(99600000, &k, 2, PO_EN), "100");
	assert_num(num_digits(0, &k, 2, PO_EN), "0");
	assert_num(num_digits(7, &k, 2, PO_EN), "0.000007");
}

static void units_are_those_read_best(void **state)
{
	(void)state;
	assert_num(num_quantity(Q_ENERGY, 63255, PO_EN), "63" NBSP "Wh");
	assert_num(num_quantity(Q_ENERGY, 100000, PO_EN), "0.10" NBSP "kWh");
	assert_num(num_quantity(Q_ENERGY, 604800000, PO_EN), "600" NBSP "kWh");
	assert_num(num_quantity(Q_CARBON, 2916065, PO_EN), "2.9" NBSP "gCO₂e");
	assert_num(num_quantity(Q_KEPT, UINT64_C(150900000000000), PO_EN),
		   "151" NBSP "TB.month");
	assert_num(num_quantity(Q_ENERGY, 0, PO_EN), "0" NBSP "Wh");
}

static void money_has_cents_below_ten_euros(void **state)
{
	(void)state;
	assert_num(num_quantity(Q_MONEY, 96768000, PO_EN), "€97");
	assert_num(num_quantity(Q_MONEY, 4586000, PO_EN), "€4.59");
	assert_num(num_quantity(Q_MONEY, 4999, PO_EN), "less than €0.01");
	assert_num(num_quantity(Q_MONEY, 0, PO_EN), "€0.00");
}

static void an_interval_has_the_unit_of_its_middle(void **state)
{
	(void)state;
	assert_num(num_interval(Q_CARBON, 2916065, num_low(2916065, 1203315),
				num_high(2916065, 1203315), PO_EN),
		   "between 2.4 and 3.5" NBSP "gCO₂e");
	assert_num(num_interval(Q_ENERGY, 600, 90, 1500, PO_EN),
		   "between 0.090 and 1.5" NBSP "Wh");
	assert_num(num_interval(Q_MONEY, 9000, 3000, 20000, PO_EN),
		   "at most €0.02");
}

static void changes_have_a_sign(void **state)
{
	(void)state;
	assert_num(num_change(100, 112, PO_EN), "+12%");
	assert_num(num_change(100, 88, PO_FR), MINUS "12" NBSP "%");
	assert_num(num_change(1000, 999, PO_EN), "+0%");
	assert_num(num_change(UINT64_MAX, 0, PO_EN), MINUS "100%");
}

static void parts_shown_add_up_to_the_total_shown(void **state)
{
	const uint128 third[3] = { 333, 333, 334 };
	const uint128 half[4] = { 50, 50, 50, 50 };
	const uint128 none[2] = { 0, 0 };
	uint64_t shown[4];

	(void)state;
	assert_int_equal(num_apportion(third, 3, 100, shown), 10);
	assert_int_equal(shown[0] + shown[1] + shown[2], 10);
	assert_int_equal(shown[2], 4); /* the largest remainder */
	assert_int_equal(num_apportion(half, 4, 100, shown), 2);
	assert_int_equal(shown[0] + shown[1], 2); /* ties: the first */
	assert_int_equal(num_apportion(none, 2, 100, shown), 0);
	assert_int_equal(shown[0] + shown[1], 0);
}

static void dates_are_utc_and_ordinary(void **state)
{
	(void)state;
	assert_num(date_month(12 * 2026 + 8, PO_EN), "September" NBSP "2026");
	assert_num(date_month_iso(12 * 2026), "2026-01");
	assert_num(date_month_iso(12 * 2026 + 11), "2026-12");
	assert_int_equal(date_month_start(12 * 2026 + 8), 1788220800);
	assert_int_equal(date_month_start(12 * 2027), 1798761600);
	assert_num(date_iso(1788220800), "2026-09-01T00:00:00Z");
	assert_num(date_minute(1788220800 + 3660, PO_EN),
		   "1" NBSP "September" NBSP "2026, 01:01 UTC");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_have_the_signs_of_their_language),
		cmocka_unit_test(two_digits_count_and_no_more),
		cmocka_unit_test(units_are_those_read_best),
		cmocka_unit_test(money_has_cents_below_ten_euros),
		cmocka_unit_test(an_interval_has_the_unit_of_its_middle),
		cmocka_unit_test(changes_have_a_sign),
		cmocka_unit_test(parts_shown_add_up_to_the_total_shown),
		cmocka_unit_test(dates_are_utc_and_ordinary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
