/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/base/units.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define DAY INT64_C(86400)

static int64_t duration(const char *text)
{
	struct error err = ERROR_INIT;
	int64_t s = -1;

	assert_int_equal(units_parse_duration(text, &s, &err), 0);
	return s;
}

static int duration_fails(const char *text)
{
	struct error err = ERROR_INIT;
	int64_t s = 42;
	int rc = units_parse_duration(text, &s, &err);

	assert_int_equal(s, 42);
	assert_true(err.text[0] != '\0');
	return rc;
}

static void durations_read_in_english_and_french(void **state)
{
	(void)state;
	assert_int_equal(duration("0s"), 0);
	assert_int_equal(duration("30 days"), 30 * DAY);
	assert_int_equal(duration("1 day"), DAY);
	assert_int_equal(duration("1 jour"), DAY);
	assert_int_equal(duration("5 ans"), 5 * 365 * DAY);
	assert_int_equal(duration(" 5\xc2\xa0"
				  "ann\xc3\xa9"
				  "es "),
			 5 * 365 * DAY);
	assert_int_equal(duration("2 Semaines"), 14 * DAY);
	assert_int_equal(duration("3 mois"), 90 * DAY);
	assert_int_equal(duration("90min"), 5400);
}

static void a_duration_without_a_unit_is_refused(void **state)
{
	(void)state;
	assert_int_equal(duration_fails("30"), -EINVAL);
	assert_int_equal(duration_fails("0"), -EINVAL);
	assert_int_equal(duration_fails(""), -EINVAL);
	assert_int_equal(duration_fails("days"), -EINVAL);
	assert_int_equal(duration_fails("-1 day"), -EINVAL);
	assert_int_equal(duration_fails("1 fortnight"), -EINVAL);
	assert_int_equal(duration_fails("1.5 days"), -EINVAL);
}

static void a_duration_too_long_is_refused(void **state)
{
	(void)state;
	assert_int_equal(duration_fails("99999999999999999999 s"), -ERANGE);
	assert_int_equal(duration_fails("9223372036854775807 years"), -ERANGE);
	assert_int_equal(duration_fails("9223372036854775808 s"), -ERANGE);
}

static uint64_t size_of(const char *text)
{
	struct error err = ERROR_INIT;
	uint64_t n = UINT64_MAX;

	assert_int_equal(units_parse_size(text, &n, &err), 0);
	return n;
}

static int size_fails(const char *text)
{
	struct error err = ERROR_INIT;
	uint64_t n = 42;
	int rc = units_parse_size(text, &n, &err);

	assert_int_equal(n, 42);
	return rc;
}

static void sizes_read_in_english_and_french(void **state)
{
	(void)state;
	assert_int_equal(size_of("0 B"), 0);
	assert_int_equal(size_of("10 GB"), UINT64_C(10000000000));
	assert_int_equal(size_of("1,5 Go"), 1500000000);
	assert_int_equal(size_of("1.5GiB"), 1610612736);
	assert_int_equal(size_of("1 Kio"), 1024);
	assert_int_equal(size_of("512 octets"), 512);
	assert_int_equal(size_of("320 TB"), UINT64_C(320000000000000));
	assert_int_equal(size_of("0.123456789 GB"), 123456789);
}

static void a_bad_size_is_refused(void **state)
{
	(void)state;
	assert_int_equal(size_fails("10"), -EINVAL);
	assert_int_equal(size_fails("10 XB"), -EINVAL);
	assert_int_equal(size_fails("GB"), -EINVAL);
	assert_int_equal(size_fails("1. GB"), -EINVAL);
	assert_int_equal(size_fails("1.0123456789 GB"), -EINVAL);
	assert_int_equal(size_fails("1 GiiB"), -EINVAL);
	assert_int_equal(size_fails("17 EiB"), -ERANGE);
	assert_int_equal(size_fails("18446744073709551616 B"), -ERANGE);
}

static void check_size(uint64_t n, const char *en, const char *fr)
{
	char text[UNITS_TEXT_MAX];

	units_format_size(n, UNITS_EN, text);
	assert_string_equal(text, en);
	units_format_size(n, UNITS_FR, text);
	assert_string_equal(text, fr);
}

static void sizes_print_in_both_languages(void **state)
{
	(void)state;
	check_size(0, "0 B", "0 o");
	check_size(999, "999 B", "999 o");
	check_size(1000, "1.0 kB", "1,0 ko");
	check_size(1540000000, "1.5 GB", "1,5 Go");
	check_size(999960000, "1.0 GB", "1,0 Go");
	check_size(UINT64_MAX, "18.4 EB", "18,4 Eo");
}

static void check_duration(int64_t s, const char *en, const char *fr)
{
	char text[UNITS_TEXT_MAX];

	units_format_duration(s, UNITS_EN, text);
	assert_string_equal(text, en);
	units_format_duration(s, UNITS_FR, text);
	assert_string_equal(text, fr);
}

static void durations_print_their_two_biggest_units(void **state)
{
	(void)state;
	check_duration(-5, "0 s", "0 s");
	check_duration(59, "59 s", "59 s");
	check_duration(60, "1 min", "1 min");
	check_duration(3 * DAY + 4 * 3600 + 5, "3 days 4 h", "3 jours 4 h");
	check_duration(DAY, "1 day", "1 jour");
	check_duration(2 * 365 * DAY + DAY, "2 years 1 day", "2 ans 1 jour");
	check_duration(DAY + 59, "1 day", "1 jour");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_read_in_english_and_french),
		cmocka_unit_test(a_duration_without_a_unit_is_refused),
		cmocka_unit_test(a_duration_too_long_is_refused),
		cmocka_unit_test(sizes_read_in_english_and_french),
		cmocka_unit_test(a_bad_size_is_refused),
		cmocka_unit_test(sizes_print_in_both_languages),
		cmocka_unit_test(durations_print_their_two_biggest_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
