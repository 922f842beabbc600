/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool low(uint64_t busy, uint64_t idle)
{
	const struct load since = { .busy = 1000, .idle = 5000 };
	const struct load now = { .busy = 1000 + busy, .idle = 5000 + idle };

	return load_is_low(&since, &now);
}

static void under_a_quarter_of_the_time_is_idle(void **state)
{
	(void)state;
	assert_true(low(0, 100));
	assert_true(low(24, 76));
	assert_false(low(25, 75));
	assert_false(low(100, 0));
}

static void what_cannot_be_told_is_not_idle(void **state)
{
	const struct load zero = { 0 };

	(void)state;
	assert_false(low(0, 0));
	assert_false(low((uint64_t)-1, 100)); /* it went back */
	assert_false(low(0, (uint64_t)-1));
	assert_false(load_is_low(&zero, &zero));
}

static void the_machine_tells(void **state)
{
	struct load load;

	(void)state;
	load_start(&load);
	assert_true(load.busy > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(under_a_quarter_of_the_time_is_idle),
		cmocka_unit_test(what_cannot_be_told_is_not_idle),
		cmocka_unit_test(the_machine_tells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
