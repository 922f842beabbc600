/* SPDX-License-Identifier: EUPL-1.2 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/figures/figures.h"

#define SEPTEMBER INT64_C(1788220800) /* 2026-09-01T00:00:00Z */
#define DAY	  INT64_C(86400)

static struct meter parsed(const char *text)
{
	struct error err = ERROR_INIT;
	struct meter meter;

	if (meter_parse("a1.csv", text, strlen(text), &meter, &err) < 0)
		fail_msg("%s", err.text);
	return meter;
}

static void check(const struct meter *meter, int64_t from_s, int64_t to_s,
		  uint64_t want_mwh, int64_t want_covered_s)
{
	struct error err = ERROR_INIT;
	struct meter_measured m = { .covered_s = -1 };

	assert_int_equal(meter_measure(meter, from_s, to_s, &m, &err), 0);
	assert_int_equal(m.mwh, want_mwh);
	assert_int_equal(m.covered_s, want_covered_s);
}

static void a_register_gives_what_it_rose_by(void **state)
{
	struct meter m = parsed("time,kWh\n"
				"2026-09-01T00:00:00Z,1000.000001\n"
				"2026-09-03T00:00:00Z,1002.000001\n"
				"2026-09-04T00:00:00Z,1012.5\n");

	(void)state;
	assert_int_equal(m.kind, METER_KWH);
	assert_int_equal(m.n, 3);
	assert_int_equal(m.reading[0].at_s, SEPTEMBER);
	check(&m, SEPTEMBER, SEPTEMBER + 3 * DAY, 12499999, 3 * DAY);
	check(&m, SEPTEMBER, SEPTEMBER + 2 * DAY, 2000000, 2 * DAY);
	check(&m, SEPTEMBER + DAY, SEPTEMBER + 2 * DAY, 1000000, DAY);
	check(&m, SEPTEMBER, SEPTEMBER + 1, 12, 1); /* of 11.57 */
	/* only what lies between two readings */
	check(&m, SEPTEMBER - DAY, SEPTEMBER + DAY, 1000000, DAY);
	check(&m, SEPTEMBER + 2 * DAY, SEPTEMBER + 9 * DAY, 10499999, DAY);
	check(&m, SEPTEMBER + 4 * DAY, SEPTEMBER + 9 * DAY, 0, 0);
	check(&m, SEPTEMBER - 9 * DAY, SEPTEMBER, 0, 0);
	check(&m, SEPTEMBER + DAY, SEPTEMBER + DAY, 0, 0);
	meter_release(&m);
}

static void a_register_that_falls_was_replaced(void **state)
{
	struct meter m = parsed("time,kWh\n"
				"2026-09-01T00:00:00Z,1000\n"
				"2026-09-02T00:00:00Z,1010\n"
				"2026-09-03T00:00:00Z,3\n"
				"2026-09-04T00:00:00Z,5\n");

	(void)state;
	check(&m, SEPTEMBER, SEPTEMBER + 3 * DAY, 12000000, 2 * DAY);
	meter_release(&m);
}

static void power_is_straight_between_readings(void **state)
{
	struct meter m = parsed("time,W\n"
				"2026-09-01T00:00Z,480\n"
				"2026-09-01T12:00Z,500\n"
				"2026-09-02T12:00Z,500\n"
				"2026-09-04T00:00Z,500\n");

	(void)state;
	check(&m, SEPTEMBER, SEPTEMBER + DAY / 2, 5880000, DAY / 2);
	check(&m, SEPTEMBER + DAY / 2, SEPTEMBER + DAY, 6000000, DAY / 2);
	/* readings more than a day apart say nothing of what lies between */
	check(&m, SEPTEMBER, SEPTEMBER + 4 * DAY, 17880000, DAY * 3 / 2);
	meter_release(&m);
}

static void a_file_others_write_is_read(void **state)
{
	struct meter m = parsed("\xef\xbb\xbf# PDU 3\r\n\r\ntime,W\r\n"
				"2024-02-29T23:59:59Z,1\r\n"
				"\n# moved\n"
				"2024-03-01T00:00:00Z,2\n"
				"2024-03-01T00:00:01Z,3");

	(void)state;
	assert_int_equal(m.n, 2); /* the last line may be cut */
	assert_int_equal(m.reading[0].at_s, 1709251199);
	assert_int_equal(m.reading[1].at_s, 1709251200);
	meter_release(&m);
	m = parsed("time,W\n");
	assert_int_equal(m.n, 0);
	check(&m, SEPTEMBER, SEPTEMBER + DAY, 0, 0);
	meter_release(&m);
}

static void refused_n(const char *text, size_t len, const char *message)
{
	struct error err = ERROR_INIT;
	struct meter meter;

	assert_int_equal(meter_parse("a1.csv", text, len, &meter, &err),
			 -SOBRE_ECONFIG);
	assert_string_equal(err.text, message);
}

static void refused(const char *text, const char *message)
{
	refused_n(text, strlen(text), message);
}

/* A second line, after "time,W": what is said of it, and of which column. */
static void refused_line(const char *line, unsigned int column,
			 const char *what)
{
	char text[256];
	char message[256];

	(void)snprintf(text, sizeof(text), "time,W\n%s\n", line);
	(void)snprintf(message, sizeof(message), "a1.csv:2:%u: %s", column,
		       what);
	refused(text, message);
}

static void what_is_wrong_is_said_with_its_line_and_column(void **state)
{
	static const char no_time[] = "no time like 2026-09-01T00:00:00Z";
	static const char no_number[] = "no number like 1234.5 after the time";
	static const char nul[] = "time,W\n2026-09-01T00:00:00Z,1\0x\n";
	static const char no_header[] =
		"a1.csv:1:1: no line 'time,kWh' or 'time,W'";
	char line[200];

	(void)state;
	refused("", no_header);
	refused("time,W", no_header); /* cut */
	refused("#\ntime;W\n", "a1.csv:2:1: not 'time,kWh' or 'time,W'");
	refused_line("2026-09-01 00:00:00Z,1", 11, no_time);
	refused_line("2026-09-01T00:00:00,1", 20, no_time);
	refused_line("2026-09-01T00:00:00+02:00,1", 20, no_time);
	refused_line("2026-02-29T00:00:00Z,1", 9, no_time);
	refused_line("2026-00-01T00:00:00Z,1", 6, no_time);
	refused_line("2026-13-01T00:00:00Z,1", 6, no_time);
	refused_line("1969-12-31T00:00:00Z,1", 1, no_time);
	refused_line("2026-09-01T24:00:00Z,1", 12, no_time);
	refused_line("2026-09-01T00:00:60Z,1", 18, no_time);
	refused_line("2026-09", 8, no_time);
	refused_line("2026-09-01T00:00:00Z;1", 21, "no comma after the time");
	refused_line("2026-09-01T00:00:00Z,", 22, no_number);
	refused_line("2026-09-01T00:00:00Z,1e3", 22, no_number);
	refused_line("2026-09-01T00:00:00Z,1,5", 22, no_number);
	refused_line("2026-09-01T00:00:00Z, 1", 22, no_number);
	refused_line("2026-09-01T00:00:00Z,nan", 22, no_number);
	refused_line("2026-09-01T00:00:00Z,-1", 22,
		     "a meter says nothing below 0");
	refused_line("2026-09-01T00:00:00Z,1.0000001", 22,
		     "too big, or more than 6 decimals");
	refused_n(nul, sizeof(nul) - 1, "a1.csv:2:23: a NUL byte");
	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	refused_n(line, sizeof(line), "a1.csv:1:1: too long a line");
}

/* A clock that was set back, an hour twice in October, a reading twice. */
static void times_that_do_not_rise_are_refused(void **state)
{
	(void)state;
	refused("time,W\n2026-09-01T00:00:01Z,1\n\n2026-09-01T00:00:01Z,1\n",
		"a1.csv:4:1: not later than the reading before");
	refused("time,kWh\n2026-10-25T01:30:00Z,1\n2026-10-25T01:00:00Z,2\n",
		"a1.csv:3:1: not later than the reading before");
}

/* In the wrong unit, or with a digit too many. */
static void what_no_array_draws_is_refused(void **state)
{
	static const char too_much[] =
		"no array draws as much as that: over 1 MW";
	struct meter m = parsed("time,W\n2026-09-01T00:00:00Z,1000000\n");

	(void)state;
	meter_release(&m);
	refused_line("2026-09-01T00:00:00Z,1000000.000001", 22, too_much);
	/* a coarse register may jump by 100 kWh in a second */
	m = parsed("time,kWh\n2026-09-01T00:00:00Z,999999999\n"
		   "2026-09-01T00:00:01Z,1000000099\n"
		   "2026-09-01T01:00:01Z,1000001199\n");
	meter_release(&m);
	refused("time,kWh\n2026-09-01T00:00:00Z,5\n"
		"2026-09-01T01:00:00Z,1106\n",
		"a1.csv:3:22: no array draws as much as that: over 1 MW");
}

static struct meter_measured measured(const struct meter *meter, int64_t from_s,
				      int64_t to_s)
{
	struct error err = ERROR_INIT;
	struct meter_measured m;

	assert_int_equal(meter_measure(meter, from_s, to_s, &m, &err), 0);
	return m;
}

static void what_is_missing_is_counted(void **state)
{
	struct meter m = parsed("time,kWh\n"
				"2026-09-02T00:00:00Z,10\n"
				"2026-09-05T00:00:00Z,40\n"
				"2026-09-06T00:00:00Z,3\n"
				"2026-09-08T00:00:00Z,23\n");
	struct meter_measured it =
		measured(&m, SEPTEMBER, SEPTEMBER + 10 * DAY);

	(void)state;
	assert_int_equal(it.readings, 4);
	assert_int_equal(it.falls, 1);
	assert_int_equal(it.gaps, 3); /* before, the fall, after */
	assert_int_equal(it.longest_gap_s, 3 * DAY);
	assert_int_equal(it.covered_s, 5 * DAY);
	it = measured(&m, SEPTEMBER + DAY, SEPTEMBER + 4 * DAY);
	assert_int_equal(it.gaps, 0);
	assert_int_equal(it.falls, 0);
	it = measured(&m, SEPTEMBER + 20 * DAY, SEPTEMBER + 30 * DAY);
	assert_int_equal(it.readings, 0);
	assert_int_equal(it.gaps, 1);
	assert_int_equal(it.longest_gap_s, 10 * DAY);
	meter_release(&m);
	it = measured(&m, SEPTEMBER, SEPTEMBER + DAY); /* without a reading */
	assert_int_equal(it.gaps, 1);
	assert_int_equal(it.covered_s, 0);
}

static void a_file_that_cannot_be_read_is_an_error(void **state)
{
	char dir[] = "/tmp/sobre-meter-XXXXXX";
	char path[64];
	struct error err = ERROR_INIT;
	struct meter meter;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/a.csv", dir);
	assert_int_equal(meter_load(path, &meter, &err), -ENOENT);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(meter_load(dir, &meter, &err), -EISDIR);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(meter_load(path, &meter, &err), -SOBRE_ECONFIG);
	assert_int_equal(unlink(path), 0);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs("time,W\n2026-09-01T00:00Z,7\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(meter_load(path, &meter, &err), 0);
	assert_int_equal(meter.n, 1);
	assert_int_equal(meter.reading[0].value, 7 * MICRO);
	meter_release(&meter);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void too_much_for_64_bits_is_said(void **state)
{
	struct meter m = { .kind = METER_W, .n = 0 };
	struct error err = ERROR_INIT;
	struct meter_measured it;

	(void)state;
	m.reading = calloc(5000, sizeof(m.reading[0]));
	assert_non_null(m.reading);
	for (; m.n < 5000; m.n++)
		m.reading[m.n] =
			(struct meter_reading){ .at_s = (int64_t)m.n * DAY,
						.value = INT64_MAX };
	assert_int_equal(meter_measure(&m, 0, INT64_MAX, &it, &err),
			 -EOVERFLOW);
	meter_release(&m);
}

/* A month read in one piece, or day by day: the same within the rounding. */
static void the_days_add_up_to_the_month(void **state)
{
	struct meter m = parsed("time,kWh\n"
				"2026-08-30T07:13:00Z,17.000003\n"
				"2026-09-11T19:59:59Z,170.7\n"
				"2026-09-29T01:02:03Z,341.000009\n"
				"2026-10-02T01:02:03Z,999\n");
	struct meter_measured month =
		measured(&m, SEPTEMBER, SEPTEMBER + 30 * DAY);
	uint64_t sum = 0;

	(void)state;
	assert_int_equal(month.covered_s, 30 * DAY);
	for (int64_t day = 0; day < 30; day++) {
		struct meter_measured it = measured(
			&m, SEPTEMBER + day * DAY, SEPTEMBER + (day + 1) * DAY);

		assert_int_equal(it.covered_s, DAY);
		sum += it.mwh;
	}
	assert_in_range(sum, month.mwh - 15, month.mwh + 15);
	meter_release(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_register_gives_what_it_rose_by),
		cmocka_unit_test(a_register_that_falls_was_replaced),
		cmocka_unit_test(power_is_straight_between_readings),
		cmocka_unit_test(a_file_others_write_is_read),
		cmocka_unit_test(
			what_is_wrong_is_said_with_its_line_and_column),
		cmocka_unit_test(times_that_do_not_rise_are_refused),
		cmocka_unit_test(what_no_array_draws_is_refused),
		cmocka_unit_test(what_is_missing_is_counted),
		cmocka_unit_test(a_file_that_cannot_be_read_is_an_error),
		cmocka_unit_test(too_much_for_64_bits_is_said),
		cmocka_unit_test(the_days_add_up_to_the_month),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
