/* SPDX-License-Identifier: EUPL-1.2 */
/* How a whole is shared among lines, and the months of nothing. */
#include "tests/unit/energy/support.h"

static void a_month_of_nothing_is_zero(void **state)
{
	static const struct energy_line zero;
	struct energy_input in = { .departments = 3 };
	struct energy_month m = default_month(&in);

	(void)state;
	assert_memory_equal(&m.total, &zero, sizeof(zero));
	energy_month_release(&m);
	in.departments = 0;
	in.seconds = MONTH_S;
	m = default_month(&in);
	assert_memory_equal(&m.total, &zero, sizeof(zero));
	energy_month_release(&m);
}

static void an_empty_array_is_all_reserve(void **state)
{
	struct energy_input in = { .departments = 3,
				   .seconds = MONTH_S,
				   .measured_mwh = 1000,
				   .fabrication_kg = MICRO,
				   .usable_bytes = 5 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct energy_month m = default_month(&in);

		assert_int_equal(m.total.mwh.all, 1750);
		assert_int_equal(m.reserve.mwh.all, 1750);
		assert_int_equal(m.reserve.build_ug.all, m.total.build_ug.all);
		assert_true(m.total.build_ug.all > 0);
		assert_wide(m.reserve.own_byte_s,
			    (uint128)in.usable_bytes * (uint128)MONTH_S);
		energy_month_release(&m);
		in.usable_bytes = 0; /* and when its size isn't known */
	}
}

/* Alpha with nothing read: as if it were 0. */
static void without_activity_all_energy_follows_bytes(void **state)
{
	static const uint64_t none[2];
	struct tier_time row = row_of(TIER_HOT, 100, 1, 1, 0, 0);
	struct energy_input in = { .row = &row,
				   .rows = 1,
				   .departments = 2,
				   .seconds = 10,
				   .usable_bytes = 20,
				   .measured_mwh = 1000,
				   .activity_bytes = none };
	struct energy_month m = default_month(&in);

	(void)state;
	assert_int_equal(m.department[1].mwh.all, 875);
	assert_int_equal(m.reserve.mwh.all, 875);
	energy_month_release(&m);
}

static void ties_go_to_the_lower_department(void **state)
{
	struct tier_time row = row_of(TIER_HOT, 5, 3, 0, 1, 2);
	struct energy_input in = { .row = &row,
				   .rows = 1,
				   .departments = 3,
				   .seconds = 1,
				   .measured_mwh = 4 };
	struct energy_month m = default_month(&in);

	(void)state;
	assert_int_equal(m.department[0].mwh.all, 3);
	assert_int_equal(m.department[1].mwh.all, 2);
	assert_int_equal(m.department[2].mwh.all, 2);
	assert_wide(m.department[0].shared_byte_s, 2);
	assert_wide(m.department[1].shared_byte_s, 2);
	assert_wide(m.department[2].shared_byte_s, 1);
	energy_month_release(&m);
}

static void the_largest_remainder_is_rounded_up(void **state)
{
	const struct big num[] = { big_from(14), big_from(17), big_from(29),
				   big_from(0) };
	const struct big ten = big_from(10);
	const uint128 seven = 7;
	struct error err = ERROR_INIT;
	uint128 part[4];

	(void)state;
	assert_int_equal(apportion(num, 4, &ten, NULL, part, &err), 0);
	assert_wide(part[0], 1);
	assert_wide(part[1], 2);
	assert_wide(part[2], 3);
	assert_wide(part[3], 0);
	assert_int_equal(apportion(num, 4, &ten, &seven, part, &err), 0);
	assert_wide(part[0], 2);
	assert_wide(part[3], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_month_of_nothing_is_zero),
		cmocka_unit_test(an_empty_array_is_all_reserve),
		cmocka_unit_test(without_activity_all_energy_follows_bytes),
		cmocka_unit_test(ties_go_to_the_lower_department),
		cmocka_unit_test(the_largest_remainder_is_rounded_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
