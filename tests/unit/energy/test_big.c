/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/energy/support.h"

static uint128 wide_roll(struct dice *dice, unsigned int bits)
{
	uint128 v =
		(uint128)roll(dice, UINT64_MAX) << 64 | roll(dice, UINT64_MAX);

	return bits == 0 ? 0 : v >> (128 - bits);
}

static uint128 low_part(const struct big *b)
{
	return (uint128)b->limb[1] << 64 | b->limb[0];
}

/* quotient x den + rest, of up to 128 + 256 bits, comes apart again. */
static void division_undoes_multiplication(void **state)
{
	struct dice dice = { .state = 1 };

	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint128 quotient =
			wide_roll(&dice, (unsigned int)roll(&dice, 129));
		struct big den = big_from(
			wide_roll(&dice, (unsigned int)roll(&dice, 129)));
		struct big rest = den;
		struct big one = big_from(1);
		struct big num;
		uint128 n = 0;

		big_scale(&den,
			  wide_roll(&dice, (unsigned int)roll(&dice, 129)));
		big_add(&den, &one);
		rest = den;
		big_sub(&rest, &one);
		if (roll(&dice, 2))
			rest = big_from(0);
		num = den;
		big_scale(&num, quotient);
		big_add(&num, &rest);
		assert_true(big_divide(&num, &den, &n, &one));
		assert_wide(n, quotient);
		assert_int_equal(big_compare(&one, &rest), 0);
	}
}

static void small_numbers_are_as_the_machine_has_them(void **state)
{
	struct dice dice = { .state = 2 };

	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint128 a = wide_roll(&dice, 63);
		uint128 b = wide_roll(&dice, (unsigned int)roll(&dice, 64)) + 1;
		struct big x = big_from(a);
		struct big y = big_from(b);
		struct big rest;
		uint128 n = 0;

		assert_int_equal(big_compare(&x, &y), a < b ? -1 : a > b);
		assert_true(big_divide(&x, &y, &n, &rest));
		assert_wide(n, a / b);
		assert_wide(low_part(&rest), a % b);
		assert_true(big_round(&x, &y, &n));
		assert_wide(n, (2 * a + b) / (2 * b));
		big_mul(&x, &y);
		assert_wide(low_part(&x), a * b);
		big_add(&x, &y);
		assert_wide(low_part(&x), a * b + b);
		big_sub(&x, &y);
		assert_wide(low_part(&x), a * b);
	}
}

static void a_quotient_of_more_than_128_bits_is_refused(void **state)
{
	struct big num = big_from(~(uint128)0);
	struct big den = big_from(2);
	struct big one = big_from(1);
	struct big rest;
	uint128 n = 42;

	(void)state;
	big_scale(&num, 2);
	big_add(&num, &one);
	assert_true(big_divide(&num, &den, &n, &rest));
	assert_wide(n, ~(uint128)0);
	assert_false(big_round(&num, &den, &n));
	big_add(&num, &one);
	assert_false(big_divide(&num, &den, &n, &rest));
}

/* 2^192 - 1 + 1 - 1: through limbs that are all zeros or ones. */
static void carries_and_borrows_go_all_the_way(void **state)
{
	const struct big ones = { .limb = { UINT64_MAX, UINT64_MAX,
					    UINT64_MAX } };
	const struct big power = { .limb = { 0, 0, 0, 1 } };
	struct big one = big_from(1);
	struct big a = ones;

	(void)state;
	big_add(&a, &one);
	assert_int_equal(big_compare(&a, &power), 0);
	big_sub(&a, &one);
	assert_int_equal(big_compare(&a, &ones), 0);
	/* A borrow into a limb equal to what is taken from it. */
	a = (struct big){ .limb = { 0, 5, 1 } };
	one = (struct big){ .limb = { 1, 5 } };
	big_sub(&a, &one);
	one = (struct big){ .limb = { UINT64_MAX, UINT64_MAX } };
	assert_int_equal(big_compare(&a, &one), 0);
}

static void halves_are_rounded_up(void **state)
{
	struct big den = big_from(10);
	struct big num = big_from(25);
	uint128 n = 0;

	(void)state;
	assert_true(big_round(&num, &den, &n));
	assert_wide(n, 3);
	num = big_from(24);
	assert_true(big_round(&num, &den, &n));
	assert_wide(n, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(division_undoes_multiplication),
		cmocka_unit_test(small_numbers_are_as_the_machine_has_them),
		cmocka_unit_test(a_quotient_of_more_than_128_bits_is_refused),
		cmocka_unit_test(carries_and_borrows_go_all_the_way),
		cmocka_unit_test(halves_are_rounded_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
