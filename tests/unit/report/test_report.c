/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/report.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/base/cleanup.h"
#include "tests/report/sample.h"

#define NBSP "\xc2\xa0"

struct place {
	char dir[64];
	char out[80];
	struct sample *sample;
	struct report_options options;
	unsigned int files;
	char last[200];
};

static void arrive(struct place *p, const char *sample)
{
	*p = (struct place){ .options = { .lang = PO_EN,
					  .formats = REPORT_HTML | REPORT_CSV |
						     REPORT_JSON } };
	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/sobre-report.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(p->out, sizeof(p->out), "%s/out", p->dir);
	p->sample = sample_new(sample);
	assert_non_null(p->sample);
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void leave(struct place *p)
{
	sample_free(p->sample);
	assert_int_equal(nftw(p->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void each(void *ctx, const char *path)
{
	struct place *p = ctx;

	p->files++;
	(void)snprintf(p->last, sizeof(p->last), "%s", path);
}

static int write_it(struct place *p)
{
	struct error err = ERROR_INIT;

	p->files = 0;
	return report_write(&p->sample->in, &p->options, p->out, each, p, &err);
}

static bool exists(const struct place *p, const char *name)
{
	char path[200];

	(void)snprintf(path, sizeof(path), "%s/2026-09/%s", p->out, name);
	return access(path, F_OK) == 0;
}

static void every_department_and_the_city_get_files(void **state)
{
	struct place p;

	(void)state;
	arrive(&p, "oracle");
	assert_int_equal(write_it(&p), 0);
	/* Of each a page, an annex, two CSVs and a JSON; the city's lines. */
	assert_int_equal(p.files, 5 * 5 + 1);
	assert_true(exists(&p, "index.html"));
	assert_true(exists(&p, "urb.html"));
	assert_true(exists(&p, "com-tableur.csv"));
	assert_true(exists(&p, "dej.json"));
	leave(&p);
}

/* The page says it, or not; and no number that is none. */
static void file_says(struct place *p, const char *file, const char *text,
		      bool wanted)
{
	char path[200];
	char *page = calloc(1, 100000);
	int fd;

	assert_non_null(page);
	assert_int_equal(write_it(p), 0);
	(void)snprintf(path, sizeof(path), "%s/2026-09/%s", p->out, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(read(fd, page, 99999) > 0);
	assert_int_equal(close(fd), 0);
	if ((strstr(page, text) != NULL) != wanted)
		fail_msg("%s", strstr(page, "<main"));
	assert_null(strstr(page, ">nan"));
	assert_null(strstr(page, " nan"));
	assert_null(strstr(page, "inf)"));
	free(page);
}

static void page_says(struct place *p, const char *text, bool wanted)
{
	file_says(p, "index.html", text, wanted);
}

/* On a drive where others have some. */
static void a_department_without_files_has_zeros(void **state)
{
	struct place p;

	(void)state;
	arrive(&p, "oracle");
	p.sample->month[0].energy.department[3] =
		(struct energy_line){ .own_byte_s = 0 };
	file_says(&p, "com.html", ", 0" NBSP "B of files", true);
	file_says(&p, "com.html", "0" NBSP "Wh", true);
	file_says(&p, "com.json", "\"logical_byte_s\": \"0\"", true);
	leave(&p);
}

static void months_that_nobody_closed_are_named(void **state)
{
	struct place p;

	(void)state;
	arrive(&p, "town");
	page_says(&p, "Other months are over and not closed", false);
	p.sample->month[3].version = 0;
	p.sample->month[11].version = 0;
	page_says(&p,
		  "not closed: December" NBSP "2025, August" NBSP "2026. sobre",
		  true);
	leave(&p);
}

/* An array with all there is to it, a drive with nothing on it. */
static void a_month_of_nothing_is_told_as_zero(void **state)
{
	const struct energy_array array = { .id = "new",
					    .tiers = 7,
					    .usable_bytes = 1000000000000,
					    .measured_mwh = 1000000,
					    .bought = -1,
					    .fabrication_kg = 365000000 };
	const struct energy_input in = { .seconds = 2592000,
					 .departments = 4,
					 .array = &array,
					 .arrays = 1 };
	struct error err = ERROR_INIT;
	struct energy_month *e;
	struct place p;

	(void)state;
	arrive(&p, "oracle");
	e = &p.sample->month[0].energy;
	energy_month_release(e);
	assert_int_equal(energy_month(&p.sample->coefs, &in, e, &err), 0);
	page_says(&p, ", 0" NBSP "B of files", true);
	page_says(&p, "1.8" NBSP "kWh", true); /* the reserve's */
	assert_true(exists(&p, "urb.html"));
	leave(&p);
}

static void metrics_lie_in_the_directory_itself(void **state)
{
	struct place p;
	char path[200];

	(void)state;
	arrive(&p, "oracle");
	p.options.formats = REPORT_PROM;
	assert_int_equal(write_it(&p), 0);
	assert_int_equal(p.files, 1);
	(void)snprintf(path, sizeof(path), "%s/2026-09", p.out);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access(p.last, F_OK), 0);
	assert_true(strstr(p.last, "/out/sobrefs-"));
	leave(&p);
}

static void one_department_is_written_alone(void **state)
{
	struct place p;

	(void)state;
	arrive(&p, "oracle");
	p.options.department = "urb";
	p.options.formats = REPORT_HTML;
	assert_int_equal(write_it(&p), 0);
	assert_int_equal(p.files, 2);
	assert_true(exists(&p, "urb.html"));
	assert_true(strstr(p.last, "/out/2026-09/urb-annex.html"));
	assert_false(exists(&p, "index.html"));
	p.options.department = "nobody";
	assert_int_equal(write_it(&p), -ENOENT);
	assert_int_equal(p.files, 0);
	leave(&p);
}

static void what_cannot_be_reported_is_refused(void **state)
{
	struct place p;

	(void)state;
	arrive(&p, "oracle");
	p.sample->in.months = 0;
	assert_int_equal(write_it(&p), -EINVAL);
	p.sample->in.months = REPORT_MONTHS + 1;
	assert_int_equal(write_it(&p), -EINVAL);
	p.sample->in.months = 1;
	(void)snprintf(p.out, sizeof(p.out), "%s/no/such", p.dir);
	assert_int_equal(write_it(&p), -ENOENT);
	leave(&p);
}

static void make_file(const struct place *p, const char *name, const char *text)
{
	char path[200];
	cleanup_fd int fd = -1;

	(void)snprintf(path, sizeof(path), "%s/2026-09/%s", p->out, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static off_t size_of(const struct place *p, const char *name)
{
	char path[200];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/2026-09/%s", p->out, name);
	assert_int_equal(lstat(path, &st), 0);
	return st.st_size;
}

static void what_a_dead_run_left_is_replaced(void **state)
{
	struct place p;

	(void)state;
	arrive(&p, "oracle");
	assert_int_equal(write_it(&p), 0);
	make_file(&p, "index.html", "old");
	make_file(&p, ".index.html.tmp", "half");
	assert_int_equal(write_it(&p), 0);
	assert_true(size_of(&p, "index.html") > 1000);
	assert_false(exists(&p, ".index.html.tmp"));
	leave(&p);
}

/* As a full disk would: the page can't take its name. */
static void a_failure_leaves_no_half_a_page(void **state)
{
	struct place p;
	char path[200];

	(void)state;
	arrive(&p, "oracle");
	assert_int_equal(write_it(&p), 0);
	(void)snprintf(path, sizeof(path), "%s/2026-09/urb.html", p.out);
	assert_int_equal(remove(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(write_it(&p) < 0);
	assert_false(exists(&p, ".urb.html.tmp"));
	leave(&p);
}

static void a_link_in_the_place_of_the_folder_is_not_followed(void **state)
{
	struct place p;
	char path[200];

	(void)state;
	arrive(&p, "oracle");
	assert_int_equal(mkdir(p.out, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/2026-09", p.out);
	assert_int_equal(symlink(p.dir, path), 0);
	assert_true(write_it(&p) < 0);
	leave(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_department_and_the_city_get_files),
		cmocka_unit_test(a_department_without_files_has_zeros),
		cmocka_unit_test(months_that_nobody_closed_are_named),
		cmocka_unit_test(a_month_of_nothing_is_told_as_zero),
		cmocka_unit_test(metrics_lie_in_the_directory_itself),
		cmocka_unit_test(one_department_is_written_alone),
		cmocka_unit_test(what_cannot_be_reported_is_refused),
		cmocka_unit_test(what_a_dead_run_left_is_replaced),
		cmocka_unit_test(a_failure_leaves_no_half_a_page),
		cmocka_unit_test(
			a_link_in_the_place_of_the_folder_is_not_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
