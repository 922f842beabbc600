/* SPDX-License-Identifier: EUPL-1.2 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "policy/lang/lang.h"

static void is(const char *text, uint32_t count, enum period_unit unit)
{
	struct error err = ERROR_INIT;
	struct period period = { 0, PERIOD_DAYS };

	assert_int_equal(period_parse(text, &period, &err), 0);
	assert_int_equal(period.count, count);
	assert_int_equal(period.unit, unit);
}

static int fails(const char *text)
{
	struct error err = ERROR_INIT;
	struct period period = { 42, PERIOD_YEARS };
	int rc = period_parse(text, &period, &err);

	assert_int_equal(period.count, 42);
	assert_true(err.text[0] != '\0');
	return rc;
}

static void periods_are_read_in_english_and_french(void **state)
{
	(void)state;
	is("6 months", 6, PERIOD_MONTHS);
	is("1 month", 1, PERIOD_MONTHS);
	is("3 mois", 3, PERIOD_MONTHS);
	is("2 years", 2, PERIOD_YEARS);
	is("2 ans", 2, PERIOD_YEARS);
	is("1 an", 1, PERIOD_YEARS);
	is("10 années", 10, PERIOD_YEARS);
	is("30 days", 30, PERIOD_DAYS);
	is("1 jour", 1, PERIOD_DAYS);
	is("1 semaine", 7, PERIOD_DAYS);
	is("2 weeks", 14, PERIOD_DAYS);
	is(" 5\xc2\xa0"
	   "ans ",
	   5, PERIOD_YEARS);
	is("5ans", 5, PERIOD_YEARS);
	is("500 years", 500, PERIOD_YEARS);
	is("6000 months", 6000, PERIOD_MONTHS);
}

static void what_is_no_period_is_refused(void **state)
{
	(void)state;
	assert_int_equal(fails(""), -EINVAL);
	assert_int_equal(fails("5"), -EINVAL);
	assert_int_equal(fails("years"), -EINVAL);
	assert_int_equal(fails("5 hours"), -EINVAL);
	assert_int_equal(fails("-5 years"), -EINVAL);
	assert_int_equal(fails("1.5 years"), -EINVAL);
	assert_int_equal(fails("5 years more"), -EINVAL);
	assert_int_equal(fails("0 days"), -ERANGE);
	assert_int_equal(fails("501 years"), -ERANGE);
	assert_int_equal(fails("99999999999999999999999 years"), -ERANGE);
}

static int32_t day(int year, int month, int mday)
{
	struct tm tm = { .tm_year = year - 1900,
			 .tm_mon = month - 1,
			 .tm_mday = mday };

	return (int32_t)(timegm(&tm) / 86400);
}

static void before(int32_t from, uint32_t count, enum period_unit unit,
		   int32_t expected)
{
	struct period period = { count, unit };

	assert_int_equal(period_before(from, period), expected);
}

static void months_and_years_are_the_calendars(void **state)
{
	(void)state;
	before(day(2024, 6, 30), 10, PERIOD_DAYS, day(2024, 6, 20));
	before(day(2024, 6, 30), 1, PERIOD_MONTHS, day(2024, 5, 30));
	before(day(2024, 6, 30), 6, PERIOD_MONTHS, day(2023, 12, 30));
	before(day(2024, 6, 30), 5, PERIOD_YEARS, day(2019, 6, 30));
	before(day(2024, 1, 15), 1, PERIOD_MONTHS, day(2023, 12, 15));
	before(day(2024, 1, 15), 12, PERIOD_MONTHS, day(2023, 1, 15));
	before(day(2024, 12, 31), 12, PERIOD_MONTHS, day(2023, 12, 31));
}

static void a_shorter_month_ends_earlier(void **state)
{
	(void)state;
	before(day(2024, 3, 31), 1, PERIOD_MONTHS, day(2024, 2, 29));
	before(day(2023, 3, 31), 1, PERIOD_MONTHS, day(2023, 2, 28));
	before(day(2024, 2, 29), 1, PERIOD_YEARS, day(2023, 2, 28));
	before(day(2024, 2, 29), 4, PERIOD_YEARS, day(2020, 2, 29));
	before(day(2000, 2, 29), 100, PERIOD_YEARS, day(1900, 2, 28));
	before(day(2024, 7, 31), 1, PERIOD_MONTHS, day(2024, 6, 30));
}

static void days_before_1970_are_days_too(void **state)
{
	(void)state;
	before(0, 1, PERIOD_DAYS, -1);
	before(0, 1, PERIOD_MONTHS, day(1969, 12, 1));
	before(0, 500, PERIOD_YEARS, day(1470, 1, 1));
	before(INT32_MIN + 5, 500, PERIOD_YEARS, INT32_MIN + 1);
	before(INT32_MIN + 5, 100, PERIOD_DAYS, INT32_MIN + 1);
}

/* Every day of four centuries, against the C library. */
static void every_day_has_one_a_month_before(void **state)
{
	struct period month = { 1, PERIOD_MONTHS };
	int32_t last = day(1799, 12, 1);

	(void)state;
	for (int32_t d = day(1800, 1, 1); d < day(2200, 1, 1); d++) {
		time_t at = (time_t)d * 86400;
		int32_t was = period_before(d, month);
		struct tm tm;
		struct tm then;

		assert_non_null(gmtime_r(&at, &tm));
		at = (time_t)was * 86400;
		assert_non_null(gmtime_r(&at, &then));
		assert_int_equal(then.tm_mon, (tm.tm_mon + 11) % 12);
		assert_true(then.tm_mday <= tm.tm_mday);
		assert_true(was >= last);
		last = was;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(periods_are_read_in_english_and_french),
		cmocka_unit_test(what_is_no_period_is_refused),
		cmocka_unit_test(months_and_years_are_the_calendars),
		cmocka_unit_test(a_shorter_month_ends_earlier),
		cmocka_unit_test(days_before_1970_are_days_too),
		cmocka_unit_test(every_day_has_one_a_month_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
