/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_TESTS_UNIT_FSCK_SUPPORT_H
#define SOBREFS_TESTS_UNIT_FSCK_SUPPORT_H

/* A drive with two stubs of one content, a plain file and a directory, and
 * what fsck says of it. */

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
#include <sys/xattr.h>
#include <unistd.h>

#include "fs/fsck/fsck.h"
#include "tests/support/tmpdrive.h"

#define FILE_BYTES 200000u

struct checked {
	struct tmpdrive t;
	struct fsck_report report;
	char path[64][300]; /* of what was told */
	enum fsck_kind kind[64];
	unsigned int told;
	struct error err;
};

static inline void note_problem(void *ctx, enum fsck_kind kind,
				const char *path, const char *text)
{
	struct checked *c = ctx;

	assert_true(*text != '\0');
	assert_true(c->told < 64);
	c->kind[c->told] = kind;
	(void)snprintf(c->path[c->told++], sizeof(c->path[0]), "%s", path);
}

static inline int checked_setup(void **state)
{
	struct checked *c = calloc(1, sizeof(*c));
	struct tmpdrive *t = NULL;

	assert_non_null(c);
	t = &c->t;
	tmpdrive_open(t);
	assert_int_equal(mkdirat(t->lower_fd, "dir", 0755), 0);
	tmpdrive_write(t, "dir/a", FILE_BYTES, 1);
	tmpdrive_write(t, "copy", FILE_BYTES, 1);
	tmpdrive_write(t, "plain", 5000, 2);
	assert_int_equal(tmpdrive_pack(t, "dir/a"), PACK_DONE);
	assert_int_equal(tmpdrive_pack(t, "copy"), PACK_DONE);
	*state = c;
	return 0;
}

static inline int checked_teardown(void **state)
{
	struct checked *c = *state;

	tmpdrive_remove(&c->t);
	free(c);
	return 0;
}

static inline void check(struct checked *c)
{
	const struct fsck_options options = { .ctx = c };

	c->told = 0;
	if (fsck_run(c->t.drive, &options, note_problem, &c->report, &c->err) <
	    0)
		fail_msg("fsck_run: %s", c->err.text);
}

/* Exactly one problem is told: this one. */
static inline void assert_only(struct checked *c, enum fsck_kind kind,
			       const char *path)
{
	check(c);
	for (unsigned int i = 0; i < c->told; i++)
		if (c->kind[i] != kind || c->told != 1)
			print_error("told: %s of '%s'\n",
				    fsck_kind_name(c->kind[i]), c->path[i]);
	assert_int_equal(c->told, 1);
	assert_int_equal(c->kind[0], kind);
	assert_string_equal(c->path[0], path);
	assert_int_equal(c->report.count[kind], 1);
	assert_int_equal(c->report.severity[fsck_kind_severity(kind)], 1);
}

static inline void assert_sound(struct checked *c)
{
	check(c);
	for (unsigned int i = 0; i < c->told; i++)
		print_error("told: %s of '%s'\n", fsck_kind_name(c->kind[i]),
			    c->path[i]);
	assert_int_equal(c->told, 0);
}

/* Changes the catalog behind everybody's back. */
static inline void by_sql(struct checked *c, const char *sql)
{
	struct catalog *cat = drive_catalog(c->t.drive);
	struct catalog_stmt *s = NULL;

	assert_int_equal(catalog_begin(cat, &c->err), 0);
	s = catalog_write_stmt(cat, sql, &c->err);
	assert_non_null(s);
	assert_true(stmt_run(s, &c->err) > 0);
	stmt_done(s);
	assert_int_equal(catalog_commit(cat, &c->err), 0);
}

static inline int open_lower(struct checked *c, const char *name, int flags)
{
	int fd = openat(c->t.lower_fd, name, flags | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

static inline struct timespec mtime_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_mtim;
}

static inline void set_mtime(int fd, struct timespec mtime)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, mtime };

	assert_int_equal(futimens(fd, times), 0);
}

#define CASE(test) \
	cmocka_unit_test_setup_teardown(test, checked_setup, checked_teardown)

/* 77: skipped, where files can't be packed. */
#define RUN(tests) \
	(tmpdrive_possible() ? cmocka_run_group_tests(tests, NULL, NULL) : 77)

#endif
