/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_TESTS_UNIT_CATALOG_SUPPORT_H
#define SOBREFS_TESTS_UNIT_CATALOG_SUPPORT_H

/* A catalog in a directory of its own, for every test of this module. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/catalog/catalog.h"

struct fixture {
	char dir[64];
	struct clock clock;
	struct catalog *cat;
	struct error err;
};

#define must(rc)                                          \
	do {                                              \
		int rc_ = (int)(rc);                      \
		if (rc_ < 0)                              \
			print_error("%s\n", f->err.text); \
		assert_true(rc_ >= 0);                    \
	} while (0)

static inline void fixture_open(struct fixture *f)
{
	must(catalog_open(f->dir, CATALOG_CREATE, &f->clock, &f->cat, &f->err));
}

static inline void fixture_close(struct fixture *f)
{
	catalog_close(f->cat);
	f->cat = NULL;
}

static inline int fixture_setup_closed(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/sobre-catalog-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->clock = clock_real();
	*state = f;
	return 0;
}

static inline int fixture_setup(void **state)
{
	(void)fixture_setup_closed(state);
	fixture_open(*state);
	return 0;
}

static inline void fixture_path(const struct fixture *f, const char *name,
				char *ret_path, size_t len)
{
	(void)snprintf(ret_path, len, "%s/%s", f->dir, name);
}

static inline int fixture_teardown(void **state)
{
	static const char *const names[] = { "catalog.db", "catalog.db-wal",
					     "catalog.db-shm", "catalog.room" };
	struct fixture *f = *state;

	fixture_close(f);
	(void)chmod(f->dir, 0700);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[128];

		fixture_path(f, names[i], path, sizeof(path));
		(void)unlink(path);
	}
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

static inline struct hash128 content_of(uint8_t seed)
{
	struct hash128 h;

	memset(h.bytes, seed, sizeof(h.bytes));
	return h;
}

/* A plain regular file of 4 KiB, changed at second 1,000. */
static inline struct catalog_inode file_of(uint64_t ino)
{
	return (struct catalog_inode){
		.ino = ino,
		.btime_ns = 77,
		.mode = S_IFREG | 0640,
		.uid = 1000,
		.gid = 100,
		.nlink = 1,
		.size_bytes = 4000,
		.blocks = 8,
		.mtime_ns = 1000 * NS_PER_S,
		.ctime_ns = 1000 * NS_PER_S,
		.handle = { 1, 8, { 1, 2, 3, 4, 5, 6, 7, (uint8_t)ino } },
	};
}

static inline void put(struct fixture *f, const struct catalog_inode *inode)
{
	must(catalog_begin(f->cat, &f->err));
	must(catalog_inode_put(f->cat, inode, &f->err));
	must(catalog_commit(f->cat, &f->err));
}

static inline void pack(struct fixture *f, const struct catalog_inode *inode,
			struct hash128 content)
{
	must(catalog_begin(f->cat, &f->err));
	must(catalog_inode_pack(f->cat, inode, &content, &f->err));
	must(catalog_commit(f->cat, &f->err));
}

static inline void post(struct fixture *f, enum catalog_event_kind kind,
			const struct catalog_inode *inode)
{
	const struct catalog_event ev = { .kind = kind, .inode = *inode };

	must(catalog_post(f->cat, &ev));
}

static inline void post_name(struct fixture *f, uint64_t parent,
			     const char *name, uint64_t ino)
{
	const struct catalog_event ev = {
		.kind = CATALOG_EVENT_NAME,
		.inode = { .ino = ino, .btime_ns = 77 },
		.parent = parent,
		.name = name,
	};

	must(catalog_post(f->cat, &ev));
}

static inline void flush(struct fixture *f)
{
	must(catalog_flush(f->cat, &f->err));
}

static inline struct catalog_inode get(struct fixture *f, uint64_t ino)
{
	struct catalog_inode inode;

	must(catalog_inode_get(f->cat, ino, 0, &inode, &f->err));
	return inode;
}

static inline bool knows(struct fixture *f, uint64_t ino)
{
	struct catalog_inode inode;

	return catalog_inode_get(f->cat, ino, 0, &inode, &f->err) == 0;
}

/* One number by SQL, on a reader. */
static inline int64_t ask(struct fixture *f, const char *sql)
{
	struct catalog_stmt *s = catalog_read_stmt(f->cat, sql, &f->err);
	int64_t v = 0;

	must(s == NULL ? -1 : 0);
	assert_int_equal(stmt_step(s, &f->err), 1);
	v = stmt_i64(s, 0);
	stmt_done(s);
	return v;
}

#define SCENARIO(test) \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
#define SCENARIO_CLOSED(test)                                       \
	cmocka_unit_test_setup_teardown(test, fixture_setup_closed, \
					fixture_teardown)

#endif
