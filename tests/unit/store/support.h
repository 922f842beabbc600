/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_TESTS_STORE_SUPPORT_H
#define SOBREFS_TESTS_STORE_SUPPORT_H

/* A store over a real catalog in a directory of its own, and files to put in
 * it. Its clock is set by hand. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/store/internal.h"

struct world {
	char dir[256];
	int packs_fd;
	int64_t now_ns;
	struct catalog *cat;
	struct store *store;
	struct store_options options;
	struct error err;
};

/* Names what failed. */
#define must(w, call)                                                       \
	do {                                                                \
		int64_t rc_ = (call);                                       \
		if (rc_ < 0)                                                \
			print_error("%s: %lld %s\n", #call, (long long)rc_, \
				    (w)->err.text);                         \
		assert_true(rc_ >= 0);                                      \
	} while (0)

static inline int64_t world_now(void *ctx)
{
	return ((struct world *)ctx)->now_ns;
}

static inline void world_open(struct world *w)
{
	must(w, catalog_open(w->dir, CATALOG_CREATE, &w->options.clock, &w->cat,
			     &w->err));
	must(w, catalog_mark_reconciled(w->cat, &w->err));
	must(w,
	     store_open(w->packs_fd, w->cat, &w->options, &w->store, &w->err));
}

static inline void world_shut(struct world *w)
{
	store_close(w->store);
	catalog_close(w->cat);
	w->store = NULL;
	w->cat = NULL;
}

static inline void world_reopen(struct world *w)
{
	world_shut(w);
	world_open(w);
}

static inline struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));
	const char *tmp = getenv("TMPDIR");
	char packs[300];

	assert_non_null(w);
	(void)snprintf(w->dir, sizeof(w->dir), "%s/sobre-store-XXXXXX",
		       tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(w->dir));
	(void)snprintf(packs, sizeof(packs), "%s/packs", w->dir);
	assert_int_equal(mkdir(packs, 0700), 0);
	w->packs_fd = open(packs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(w->packs_fd >= 0);
	w->now_ns = INT64_C(1700000000) * NS_PER_S;
	w->options = (struct store_options){
		.uuid = { 1, 2, 3 },
		.clock = { .now_ns = world_now, .ctx = w },
	};
	for (size_t i = 0; i < HASH_SECRET_BYTES; i++)
		w->options.key.secret[i] = (uint8_t)(7 * i + 3);
	world_open(w);
	return w;
}

static inline int world_remove(const char *path, const struct stat *st,
			       int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static inline void world_free(struct world *w)
{
	world_shut(w);
	(void)close(w->packs_fd);
	(void)nftw(w->dir, world_remove, 16, FTW_DEPTH | FTW_PHYS);
	free(w);
}

static inline int world_setup(void **state)
{
	*state = world_new();
	return 0;
}

static inline int world_teardown(void **state)
{
	world_free(*state);
	return 0;
}

#define world_test(f) \
	cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

/* gc's second look: no file uses anything. */
static inline bool never_used(void *ctx, const struct catalog_inode *tied,
			      const struct hash128 *content)
{
	(void)ctx;
	(void)tied;
	(void)content;
	return false;
}

/* --- data ----------------------------------------------------------------- */

/* Words that don't repeat but compress, from a seed. */
static inline uint8_t *some_text(uint32_t seed, size_t len)
{
	uint8_t *data = malloc(len + 32);
	uint64_t x = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	size_t at = 0;

	assert_non_null(data);
	while (at < len) {
		x = x * UINT64_C(6364136223846793005) + 1442695040888963407U;
		at += (size_t)snprintf((char *)data + at, 32, "word%llu ",
				       (unsigned long long)(x >> 40));
	}
	return data;
}

/* Nothing compresses it. */
static inline uint8_t *some_noise(uint32_t seed, size_t len)
{
	uint8_t *data = malloc(len + 8);
	uint64_t x = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;

	assert_non_null(data);
	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		data[i] = (uint8_t)(x >> 24);
	}
	return data;
}

/* --- files -----------------------------------------------------------------
 */

/* An unnamed file with `data`, open for reading and writing. */
static inline int file_of(const struct world *w, const void *data, size_t len)
{
	int fd = open(w->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, len, 0), (ssize_t)len);
	return fd;
}

/* One transaction: the file becomes the stub number `ino`. */
static inline struct store_put_result put_fd(struct world *w, int fd,
					     size_t len, uint64_t ino)
{
	struct store_put_result result;
	struct catalog_inode inode = { .ino = ino,
				       .btime_ns = 1,
				       .mode = S_IFREG | 0644,
				       .nlink = 1,
				       .size_bytes = len,
				       .packed = true,
				       .handle = { .len = 8 } };

	must(w, catalog_begin(w->cat, &w->err));
	must(w, store_put(w->store, fd, len, &result, &w->err));
	inode.content = result.content;
	must(w, catalog_inode_pack(w->cat, &inode, &result.content, &w->err));
	must(w, store_sync(w->store, &w->err));
	must(w, catalog_commit(w->cat, &w->err));
	must(w, store_verify(w->store, &result.content, fd, len, &w->err));
	return result;
}

static inline struct store_put_result
put_data(struct world *w, const void *data, size_t len, uint64_t ino)
{
	int fd = file_of(w, data, len);
	struct store_put_result result = put_fd(w, fd, len, ino);

	(void)close(fd);
	return result;
}

/* The stub is unlinked. */
static inline void gone(struct world *w, uint64_t ino)
{
	struct catalog_event ev = { .kind = CATALOG_EVENT_GONE };

	ev.inode.ino = ino;
	ev.inode.btime_ns = 1;
	must(w, catalog_post(w->cat, &ev));
	must(w, catalog_flush(w->cat, &w->err));
}

/* What reading the content gives: 0 and the right bytes, or its error. */
static inline int read_all(struct world *w, const struct hash128 *id,
			   const void *data, size_t len)
{
	struct store_body *body = NULL;
	uint8_t *got = malloc(len + 1);
	ssize_t n = store_body_open(w->store, id, len, &body, &w->err);

	assert_non_null(got);
	if (n == 0)
		n = store_body_read(body, got, len + 1, 0, &w->err);
	if (n >= 0) {
		assert_int_equal(n, (ssize_t)len);
		assert_memory_equal(got, data, len);
	}
	store_body_close(body);
	free(got);
	return n < 0 ? (int)n : 0;
}

static inline int64_t query(struct world *w, const char *sql)
{
	struct catalog_stmt *s = catalog_read_stmt(w->cat, sql, &w->err);
	int64_t value;

	assert_non_null(s);
	assert_int_equal(stmt_step(s, &w->err), 1);
	value = stmt_i64(s, 0);
	stmt_done(s);
	return value;
}

static inline void change(struct world *w, const char *sql)
{
	must(w, catalog_begin(w->cat, &w->err));
	must(w, store_run(w->store, sql, NULL, 0, &w->err));
	must(w, catalog_commit(w->cat, &w->err));
}

static inline int open_pack_file(const struct world *w, uint64_t id)
{
	char name[PACK_NAME_BYTES];
	int fd;

	pack_name(id, name);
	fd = openat(w->packs_fd, name, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static inline off_t pack_size(const struct world *w, uint64_t id)
{
	int fd = open_pack_file(w, id);
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	(void)close(fd);
	return st.st_size;
}

static inline void flip_byte(const struct world *w, uint64_t pack, off_t at)
{
	int fd = open_pack_file(w, pack);
	uint8_t byte;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x41;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	(void)close(fd);
	cache_purge(&w->store->cache);
	cache_purge(&w->store->fresh);
}

/* From now on no two records share a pack: a content's recipe comes first,
 * its chunks after. */
static inline void each_record_in_its_pack(struct world *w)
{
	w->options.pack_bytes = 1;
	world_reopen(w);
}

/* Damages the recipe of the only content; once more, and it is whole. */
static inline void flip_recipe(struct world *w)
{
	flip_byte(w, (uint64_t)query(w, "SELECT max(pack) FROM content"),
		  (off_t)query(w, "SELECT max(off) FROM content") +
			  RECORD_HEADER_BYTES + 3);
}

/* A scan finds the stub of a content whose row was lost. */
static inline void inode_comes_back(struct world *w,
				    const struct hash128 *content)
{
	const struct catalog_inode inode = { .ino = 9,
					     .btime_ns = 1,
					     .mode = S_IFREG | 0644,
					     .packed = true,
					     .handle = { .len = 8 },
					     .content = *content };

	must(w, catalog_begin(w->cat, &w->err));
	must(w, catalog_inode_put(w->cat, &inode, &w->err));
	must(w, catalog_commit(w->cat, &w->err));
}

#endif
