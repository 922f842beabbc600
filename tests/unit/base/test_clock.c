/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int64_t fixed(void *ctx)
{
	return *(int64_t *)ctx;
}

static void a_fake_clock_is_asked(void **state)
{
	int64_t now = 5 * NS_PER_S + 7;
	struct clock c = { .now_ns = fixed, .ctx = &now };

	(void)state;
	assert_int_equal(clock_now_ns(&c), 5 * NS_PER_S + 7);
	assert_int_equal(clock_now_s(&c), 5);
}

static void the_real_clock_is_the_system_s(void **state)
{
	struct clock c = clock_real();
	time_t before = time(NULL);
	int64_t now = clock_now_s(&c);

	(void)state;
	assert_in_range(now - before + 1, 0, 3);
}

static void nanoseconds_come_back_the_same(void **state)
{
	static const int64_t times[] = { 0,
					 1,
					 -1,
					 NS_PER_S,
					 -NS_PER_S,
					 -NS_PER_S - 1,
					 INT64_C(1700000000123456789),
					 INT64_MIN + NS_PER_S,
					 INT64_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		struct timespec ts = timespec_from_ns(times[i]);

		assert_in_range(ts.tv_nsec, 0, NS_PER_S - 1);
		assert_int_equal(timespec_ns(ts), times[i]);
	}
}

static void before_1970_the_seconds_round_down(void **state)
{
	struct timespec ts = timespec_from_ns(-1);

	(void)state;
	assert_int_equal(ts.tv_sec, -1);
	assert_int_equal(ts.tv_nsec, NS_PER_S - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fake_clock_is_asked),
		cmocka_unit_test(the_real_clock_is_the_system_s),
		cmocka_unit_test(nanoseconds_come_back_the_same),
		cmocka_unit_test(before_1970_the_seconds_round_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
