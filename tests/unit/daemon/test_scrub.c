/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define DAY_S INT64_C(86400)

static void a_scrub_is_due_once_a_month(void **state)
{
	const int64_t now_s = INT64_C(1700000000);

	(void)state;
	assert_false(scrub_is_due(now_s, now_s));
	assert_false(scrub_is_due(now_s - 30 * DAY_S + 1, now_s));
	assert_true(scrub_is_due(now_s - 30 * DAY_S, now_s));
	/* The clock was wrong when it was noted. */
	assert_true(scrub_is_due(now_s + DAY_S, now_s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_scrub_is_due_once_a_month),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
