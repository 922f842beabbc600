/* SPDX-License-Identifier: EUPL-1.2 */
#include <time.h>

#include "tests/unit/ledger/support.h"

static void a_month_starts_where_the_c_library_says(void **state)
{
	(void)state;
	for (int32_t month = 1680 * 12; month < 2262 * 12; month++) {
		struct tm tm = { .tm_year = month / 12 - 1900,
				 .tm_mon = month % 12,
				 .tm_mday = 1 };
		int64_t start = timegm(&tm);

		assert_int_equal(month_start(month), start);
		assert_int_equal(month_of(start), month);
		assert_int_equal(month_of(start - 1), month - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_month_starts_where_the_c_library_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
