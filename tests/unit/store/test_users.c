/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/store/users.h"
#include "tests/unit/store/support.h"

static struct users a, b;
static uint8_t bytes[DEPARTMENTS_MAX * USERS_ENTRY_BYTES];

static int empty(void **state)
{
	(void)state;
	a.n = 0;
	b.n = 0;
	return 0;
}

static void users_come_back_as_they_were_written(void **state)
{
	static const uint8_t expected[] = { 0, 0, 1, 0, 0, 0, /* 1 of other */
					    3, 1, 4, 3, 2, 1 };
	size_t len;

	(void)state;
	assert_true(users_add(&a, 259, 0x01020304));
	assert_true(users_add(&a, 0, 1));
	len = users_encode(&a, bytes);
	assert_int_equal(len, sizeof(expected));
	assert_memory_equal(bytes, expected, len);
	assert_true(users_decode(bytes, len, &b));
	assert_int_equal(b.n, 2);
	assert_int_equal(b.user[1].department, 259);
	assert_int_equal(b.user[1].count, 0x01020304);
	assert_true(users_decode(NULL, 0, &b));
	assert_int_equal(b.n, 0);
}

static void what_is_not_sound_is_not_read(void **state)
{
	static const uint8_t none[] = { 1, 0, 0, 0, 0, 0 };
	static const uint8_t twice[] = { 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0 };
	static const uint8_t falling[] = { 2, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0 };

	(void)state;
	assert_false(users_decode(none, sizeof(none), &b));
	assert_false(users_decode(twice, sizeof(twice), &b));
	assert_false(users_decode(falling, sizeof(falling), &b));
	assert_false(users_decode(twice, 5, &b));
	assert_false(users_decode(bytes, sizeof(bytes) + 6, &b));
}

static void what_was_added_can_be_taken_away(void **state)
{
	(void)state;
	assert_true(users_add(&a, 7, 3));
	assert_true(users_add(&a, 5, 1));
	assert_true(users_take(&a, 7, 2));
	assert_true(users_take(&a, 5, 1));
	assert_int_equal(a.n, 1);
	assert_int_equal(a.user[0].count, 1);
	assert_false(users_take(&a, 5, 1));
	assert_false(users_take(&a, 7, 2));
	assert_int_equal(a.n, 0);
}

static void a_count_that_is_full_stays(void **state)
{
	(void)state;
	assert_true(users_add(&a, 7, UINT32_MAX - 1));
	assert_true(users_add(&a, 7, 5));
	assert_int_equal(a.user[0].count, UINT32_MAX);
	assert_true(users_take(&a, 7, 6));
	assert_int_equal(a.user[0].count, UINT32_MAX);
}

static void only_so_many_departments_fit(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < DEPARTMENTS_MAX; i++)
		assert_true(users_add(&a, i, 1));
	assert_false(users_add(&a, DEPARTMENTS_MAX, 1));
	assert_true(users_add(&a, DEPARTMENTS_MAX - 1, 1));
	assert_int_equal(users_encode(&a, bytes), sizeof(bytes));
}

/* Beyond 64 the lowest count by name, the rest as "other". */
static void a_large_set_is_the_lowest_and_other(void **state)
{
	struct dept_set set;

	(void)state;
	for (uint16_t i = 1; i <= 64; i++)
		assert_true(users_add(&a, i, 2));
	users_set(&a, &set);
	assert_int_equal(set.n, 64);
	assert_int_equal(set.member[0], 1);
	assert_int_equal(users_count_in(&a, &set, 64), 2);

	assert_true(users_add(&a, 100, 5));
	users_set(&a, &set);
	assert_int_equal(set.n, 64);
	assert_int_equal(set.member[0], DEPARTMENT_OTHER);
	assert_int_equal(set.member[63], 63);
	assert_int_equal(users_count_in(&a, &set, 63), 2);
	assert_int_equal(users_count_in(&a, &set, 64), 7);
	assert_int_equal(users_count_in(&a, &set, 100), 7);
	assert_int_equal(users_count_in(&a, &set, 101), 0);

	assert_true(users_add(&a, DEPARTMENT_OTHER, 1));
	users_set(&a, &set);
	assert_int_equal(set.n, 64);
	assert_int_equal(set.member[1], 1);
	assert_int_equal(users_count_in(&a, &set, DEPARTMENT_OTHER), 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(users_come_back_as_they_were_written,
				       empty),
		cmocka_unit_test_setup(what_is_not_sound_is_not_read, empty),
		cmocka_unit_test_setup(what_was_added_can_be_taken_away, empty),
		cmocka_unit_test_setup(a_count_that_is_full_stays, empty),
		cmocka_unit_test_setup(only_so_many_departments_fit, empty),
		cmocka_unit_test_setup(a_large_set_is_the_lowest_and_other,
				       empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
