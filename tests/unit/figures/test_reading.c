/* SPDX-License-Identifier: EUPL-1.2 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/figures/figures.h"

#define SEPTEMBER INT64_C(1788220800) /* 2026-09-01T00:00:00Z */
#define W_FILE	  "meters/a1.W.csv"
#define KWH_FILE  "meters/a1.kWh.csv"

struct place {
	char path[64];
	int fd;
};

static int arrive(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	(void)snprintf(p->path, sizeof(p->path), "/tmp/sobre-reading-XXXXXX");
	assert_non_null(mkdtemp(p->path));
	p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = p;
	return 0;
}

static int leave(void **state)
{
	struct place *p = *state;

	(void)unlinkat(p->fd, W_FILE, 0);
	(void)unlinkat(p->fd, KWH_FILE, 0);
	(void)unlinkat(p->fd, "meters", AT_REMOVEDIR);
	(void)close(p->fd);
	(void)rmdir(p->path);
	free(p);
	return 0;
}

/* --- what programs say ---------------------------------------------------- */

static void says(const char *text, const char *after, micro times, micro want)
{
	struct error err = ERROR_INIT;
	micro value = -1;

	if (meter_output(text, after, times, &value, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(value, want);
}

static void the_number_is_found_in_what_programs_say(void **state)
{
	static const char ipmi[] =
		"\n    Instantaneous power reading:                   220 Watts"
		"\n    Minimum during sampling period:                 31 "
		"Watts\n"
		"    IPMI timestamp:                           Tue Sep  1 "
		"2026\n";

	(void)state;
	says(ipmi, "Instantaneous power reading:", MICRO, 220 * MICRO);
	says(ipmi, "Minimum during sampling period:", MICRO, 31 * MICRO);
	says("42\n", NULL, MICRO, 42 * MICRO);		      /* upsc */
	says("INTEGER: 1234\n", NULL, MICRO / 10, 123400000); /* snmpget */
	says("P = 1,5 kW", "P =", 1000 * MICRO, 1500 * MICRO);
	says("total 17.25.", NULL, MICRO, 17250000);
	says("0", NULL, MICRO, 0);
	says("0.0000004 W", NULL, MICRO, 0);
}

static void cannot_be_read(const char *text, const char *after, micro times,
			   const char *what)
{
	struct error err = ERROR_INIT;
	micro value = -1;

	assert_int_equal(meter_output(text, after, times, &value, &err),
			 -SOBRE_ECONFIG);
	if (!strstr(err.text, what))
		fail_msg("%s", err.text);
	assert_int_equal(value, -1);
}

static void what_is_no_reading_is_named(void **state)
{
	(void)state;
	cannot_be_read("", NULL, MICRO, "no number");
	cannot_be_read("NaN inf\n", NULL, MICRO, "no number");
	cannot_be_read("12 W", "Power:", MICRO, "does not say 'Power:'");
	cannot_be_read("Power:", "Power:", MICRO, "no number");
	cannot_be_read("-12 W", NULL, MICRO, "below 0: '-12 W'");
	cannot_be_read("99999999999999999999", NULL, MICRO, "too big");
	cannot_be_read("80000000000", NULL, 1000000 * MICRO, "too big");
}

/* --- the file ------------------------------------------------------------- */

static int append(const struct place *p, enum meter_kind kind, int64_t at_s,
		  micro value, struct error *err)
{
	const struct meter_reading reading = { .at_s = at_s, .value = value };

	return meter_append(p->fd, "a1", kind, &reading, err);
}

static void put(const struct place *p, int64_t at_s, micro value)
{
	struct error err = ERROR_INIT;

	if (append(p, METER_W, at_s, value, &err) < 0)
		fail_msg("%s", err.text);
}

static void write_file(const struct place *p, const char *text)
{
	int fd = openat(p->fd, W_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

static void holds(const struct place *p, const char *want)
{
	char text[4096];
	int fd = openat(p->fd, W_FILE, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	assert_true(n >= 0);
	text[n] = '\0';
	assert_int_equal(close(fd), 0);
	assert_string_equal(text, want);
}

static void readings_are_kept_and_read_back(void **state)
{
	struct place *p = *state;
	struct error err = ERROR_INIT;
	struct meter m;

	assert_int_equal(meter_load_own(p->fd, "a1", METER_W, &m, &err),
			 -ENOENT);
	put(p, SEPTEMBER, 480 * MICRO);
	put(p, SEPTEMBER + 300, 481500001);
	holds(p, "time,W\n2026-09-01T00:00:00Z,480.000000\n"
		 "2026-09-01T00:05:00Z,481.500001\n");
	assert_int_equal(append(p, METER_KWH, SEPTEMBER, 7 * MICRO, &err), 0);
	assert_int_equal(meter_load_own(p->fd, "a1", METER_W, &m, &err), 0);
	assert_int_equal(m.n, 2);
	assert_int_equal(m.reading[1].value, 481500001);
	meter_release(&m);
	assert_int_equal(meter_load_own(p->fd, "a1", METER_KWH, &m, &err), 0);
	assert_int_equal(m.kind, METER_KWH);
	meter_release(&m);
}

/* More than the tail that is looked at. */
static void a_long_file_grows_at_its_end(void **state)
{
	struct place *p = *state;
	struct error err = ERROR_INIT;
	struct meter m;

	for (int i = 0; i < 100; i++)
		put(p, SEPTEMBER + 300 * i, 480 * MICRO + i);
	assert_int_equal(meter_load_own(p->fd, "a1", METER_W, &m, &err), 0);
	assert_int_equal(m.n, 100);
	assert_int_equal(m.reading[99].value, 480 * MICRO + 99);
	meter_release(&m);
}

/* Each length a kill can leave. */
static void a_line_half_written_goes(void **state)
{
	static const char whole[] = "time,W\n2026-09-01T00:00:00Z,480.000000\n"
				    "2026-09-01T00:05:00Z,481.000000\n";
	struct place *p = *state;
	const size_t first = (size_t)(strchr(whole + 7, '\n') - whole) + 1;

	for (size_t n = 0; n < sizeof(whole); n++) {
		char cut[sizeof(whole)];
		struct error err = ERROR_INIT;
		struct meter m;

		(void)snprintf(cut, sizeof(cut), "%.*s", (int)n, whole);
		(void)mkdirat(p->fd, "meters", 0700);
		write_file(p, cut);
		put(p, SEPTEMBER + 900, 482 * MICRO);
		assert_int_equal(meter_load_own(p->fd, "a1", METER_W, &m, &err),
				 0);
		assert_int_equal(m.n, n == sizeof(whole) - 1 ? 3
				      : n >= first	     ? 2
							     : 1);
		meter_release(&m);
	}
}

static void what_has_no_newline_goes_however_long(void **state)
{
	struct place *p = *state;

	put(p, SEPTEMBER, 480 * MICRO);
	write_file(p, "time,W\n2026-09-01T00:00:00Z,480.000000\n"
		      "2026-09-01T00:05:00Z,4810000000000000000000000000000");
	put(p, SEPTEMBER + 300, 481 * MICRO);
	holds(p, "time,W\n2026-09-01T00:00:00Z,480.000000\n"
		 "2026-09-01T00:05:00Z,481.000000\n");
}

static void a_clock_set_back_adds_nothing(void **state)
{
	struct place *p = *state;
	struct error err = ERROR_INIT;

	put(p, SEPTEMBER, 480 * MICRO);
	assert_int_equal(append(p, METER_W, SEPTEMBER, 1, &err), -ESTALE);
	assert_int_equal(append(p, METER_W, SEPTEMBER - 60, 1, &err), -ESTALE);
	assert_non_null(strstr(err.text, "60 s later"));
	holds(p, "time,W\n2026-09-01T00:00:00Z,480.000000\n");
	put(p, SEPTEMBER + 1, 480 * MICRO);
}

static void what_cannot_be_is_not_kept(void **state)
{
	struct place *p = *state;
	struct error err = ERROR_INIT;

	put(p, SEPTEMBER, 480 * MICRO);
	assert_int_equal(
		append(p, METER_W, SEPTEMBER + 300, 1000001 * MICRO, &err),
		-ERANGE);
	holds(p, "time,W\n2026-09-01T00:00:00Z,480.000000\n");
	assert_int_equal(append(p, METER_KWH, SEPTEMBER, 5 * MICRO, &err), 0);
	assert_int_equal(
		append(p, METER_KWH, SEPTEMBER + 300, 5005 * MICRO, &err),
		-ERANGE);
	assert_int_equal(append(p, METER_KWH, SEPTEMBER + 600, 2 * MICRO, &err),
			 0); /* replaced */
	write_file(p, "time,W\nrubbish\n");
	assert_int_equal(append(p, METER_W, SEPTEMBER + 900, 1, &err),
			 -SOBRE_ECONFIG);
	assert_non_null(strstr(err.text, "the end of '" W_FILE "'"));
}

#define reading_test(f) cmocka_unit_test_setup_teardown(f, arrive, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_number_is_found_in_what_programs_say),
		cmocka_unit_test(what_is_no_reading_is_named),
		reading_test(readings_are_kept_and_read_back),
		reading_test(a_long_file_grows_at_its_end),
		reading_test(a_line_half_written_goes),
		reading_test(what_has_no_newline_goes_however_long),
		reading_test(a_clock_set_back_adds_nothing),
		reading_test(what_cannot_be_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
