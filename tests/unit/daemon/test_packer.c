/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ALL PACK_ROUND_FILES

static void what_nobody_can_pack_does_not_keep_others_waiting(void **state)
{
	static const enum pack_outcome outcomes[] = {
		PACK_EXCLUDED, PACK_FLAGS,     PACK_NO_GAIN, PACK_IN_USE,
		PACK_CHANGED,  PACK_COLLISION, PACK_ERROR,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
		struct pack_report report = { 0 };
		int64_t vain_ns = 0;

		report.count[outcomes[i]] = ALL;
		for (int n = 0; n < 100; n++)
			assert_true(pack_goes_on(&report, ALL, NS_PER_S / 100,
						 &vain_ns));
	}
}

static void it_takes_no_more_than_a_part_of_the_minute(void **state)
{
	struct pack_report vain = { 0 };
	struct pack_report useful = { 0 };
	int64_t vain_ns = 0;

	(void)state;
	vain.count[PACK_FLAGS] = ALL;
	useful.count[PACK_FLAGS] = ALL - 1;
	useful.count[PACK_DONE] = 1;
	assert_true(pack_goes_on(&vain, ALL, NS_PER_S, &vain_ns));
	assert_true(pack_goes_on(&useful, ALL, 60 * NS_PER_S, &vain_ns));
	assert_true(pack_goes_on(&vain, ALL, NS_PER_S, &vain_ns));
	assert_false(pack_goes_on(&vain, ALL, NS_PER_S, &vain_ns));
}

static void a_round_that_found_less_was_the_last(void **state)
{
	struct pack_report report = { 0 };
	int64_t vain_ns = 0;

	(void)state;
	report.count[PACK_DONE] = ALL - 1;
	assert_false(pack_goes_on(&report, ALL - 1, 0, &vain_ns));
	assert_false(pack_goes_on(&report, -1, 0, &vain_ns));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_nobody_can_pack_does_not_keep_others_waiting),
		cmocka_unit_test(it_takes_no_more_than_a_part_of_the_minute),
		cmocka_unit_test(a_round_that_found_less_was_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
