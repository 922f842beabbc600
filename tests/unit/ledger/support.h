/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_TESTS_UNIT_LEDGER_SUPPORT_H
#define SOBREFS_TESTS_UNIT_LEDGER_SUPPORT_H

/* A catalog, a store and a ledger in a directory of their own, with a clock
 * set by hand. Everything enters as the events of a catalog. */

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
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fs/ledger/internal.h"

#define ROOT_INO 2
/* 2026-09-01T00:00:00Z */
#define SEPTEMBER INT64_C(1788220800)
#define HOUR	  3600

struct world {
	char dir[64];
	int packs_fd;
	atomic_int_least64_t now_s;
	struct clock clock;
	struct catalog *cat;
	struct store *store;
	struct ledger *ledger;
	const struct ledger_department *departments;
	unsigned int n;
	struct error err;
};

#define must(call)                                                   \
	do {                                                         \
		int64_t rc_ = (call);                                \
		if (rc_ < 0)                                         \
			print_error("%s: %s\n", #call, w->err.text); \
		assert_true(rc_ >= 0);                               \
	} while (0)

static inline int64_t world_now(void *ctx)
{
	return atomic_load(&((struct world *)ctx)->now_s) * NS_PER_S;
}

static inline void world_open_catalog(struct world *w)
{
	must(catalog_open(w->dir, CATALOG_CREATE, &w->clock, &w->cat, &w->err));
	must(catalog_mark_reconciled(w->cat, &w->err));
}

static inline void world_open_store(struct world *w)
{
	struct store_options options = {
		.uuid = { 1, 2, 3 },
		.clock = w->clock,
	};

	for (size_t i = 0; i < HASH_SECRET_BYTES; i++)
		options.key.secret[i] = (uint8_t)(7 * i + 3);
	must(store_open(w->packs_fd, w->cat, &options, &w->store, &w->err));
}

static inline void world_open_ledger(struct world *w)
{
	must(ledger_open(w->cat, w->store, w->departments, w->n, &w->clock,
			 &w->ledger, &w->err));
}

static inline void world_open(struct world *w)
{
	world_open_catalog(w);
	world_open_store(w);
	world_open_ledger(w);
}

static inline void world_shut(struct world *w)
{
	ledger_close(w->ledger);
	store_close(w->store);
	catalog_close(w->cat);
	w->ledger = NULL;
	w->store = NULL;
	w->cat = NULL;
}

static inline struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));
	char packs[96];

	assert_non_null(w);
	(void)snprintf(w->dir, sizeof(w->dir), "/tmp/sobre-ledger-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	(void)snprintf(packs, sizeof(packs), "%s/packs", w->dir);
	assert_int_equal(mkdir(packs, 0700), 0);
	w->packs_fd = open(packs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(w->packs_fd >= 0);
	atomic_store(&w->now_s, SEPTEMBER);
	w->clock = (struct clock){ .now_ns = world_now, .ctx = w };
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

/* URB 1: /Ville/Urbanisme; DEJ 2: /Ville and group 300; COM 3: /Com. The first
 * match wins: what is in both is URB's. */
static inline void world_departments(struct world *w)
{
	static const char *const urb[] = { "/Ville/Urbanisme" };
	static const char *const dej[] = { "/Ville" };
	static const char *const com[] = { "/Com" };
	static const uint32_t gids[] = { 300 };
	static const struct ledger_department three[] = {
		{ .id = "urb",
		  .name = "Urbanisme",
		  .paths = urb,
		  .n_paths = 1 },
		{ .id = "dej",
		  .name = "Enfance",
		  .paths = dej,
		  .n_paths = 1,
		  .gids = gids,
		  .n_gids = 1 },
		{ .id = "com",
		  .name = "Communication",
		  .paths = com,
		  .n_paths = 1 },
	};

	w->departments = three;
	w->n = 3;
}
#define URB 1
#define DEJ 2
#define COM 3

static inline int world_setup_shut(void **state)
{
	*state = world_new();
	world_departments(*state);
	return 0;
}

static inline int world_teardown(void **state)
{
	world_free(*state);
	return 0;
}

/* Another each time, unless SOBRE_SEED says which. */
static inline uint64_t some_seed(void)
{
	const char *given = getenv("SOBRE_SEED");
	uint64_t seed =
		given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);

	print_message("SOBRE_SEED=%llu\n", (unsigned long long)seed);
	return seed ? seed : 1;
}

/* --- events -------------------------------------------------------------- */

static inline struct catalog_inode inode_of(uint64_t ino, uint32_t mode)
{
	return (struct catalog_inode){ .ino = ino,
				       .btime_ns = 77,
				       .mode = mode,
				       .uid = 1000,
				       .gid = 100,
				       .nlink = 1 };
}

static inline void post(struct world *w, enum catalog_event_kind kind,
			const struct catalog_inode *inode)
{
	const struct catalog_event ev = { .kind = kind, .inode = *inode };

	must(catalog_post(w->cat, &ev));
}

static inline void post_name(struct world *w, uint64_t parent, const char *name,
			     uint64_t ino)
{
	const struct catalog_event ev = { .kind = CATALOG_EVENT_NAME,
					  .inode = { .ino = ino,
						     .btime_ns = 77 },
					  .parent = parent,
					  .name = name };

	must(catalog_post(w->cat, &ev));
}

static inline void post_unname(struct world *w, uint64_t parent,
			       const char *name)
{
	const struct catalog_event ev = { .kind = CATALOG_EVENT_UNNAME,
					  .parent = parent,
					  .name = name };

	must(catalog_post(w->cat, &ev));
}

static inline void post_move(struct world *w, uint64_t parent, const char *name,
			     uint64_t new_parent, const char *new_name)
{
	const struct catalog_event ev = { .kind = CATALOG_EVENT_MOVE,
					  .parent = parent,
					  .name = name,
					  .new_parent = new_parent,
					  .new_name = new_name };

	must(catalog_post(w->cat, &ev));
}

static inline void flush(struct world *w)
{
	must(catalog_flush(w->cat, &w->err));
}

/* 0 bytes of its own, so that what files hold is all there is. */
static inline void make_dir(struct world *w, uint64_t parent, const char *name,
			    uint64_t ino)
{
	const struct catalog_inode inode = inode_of(ino, S_IFDIR | 0750);

	post(w, CATALOG_EVENT_INODE, &inode);
	if (name != NULL)
		post_name(w, parent, name, ino);
}

static inline struct catalog_inode file_of(uint64_t ino, uint64_t bytes)
{
	struct catalog_inode inode = inode_of(ino, S_IFREG | 0640);

	inode.size_bytes = bytes;
	inode.blocks = bytes / 512;
	return inode;
}

static inline void make_file(struct world *w, uint64_t parent, const char *name,
			     uint64_t ino, uint64_t bytes)
{
	const struct catalog_inode inode = file_of(ino, bytes);

	post(w, CATALOG_EVENT_INODE, &inode);
	post_name(w, parent, name, ino);
}

/* /, /Ville 10, /Ville/Urbanisme 11, /Com 12, /Divers 13 */
static inline void make_tree(struct world *w)
{
	make_dir(w, 0, NULL, ROOT_INO);
	make_dir(w, ROOT_INO, "Ville", 10);
	make_dir(w, 10, "Urbanisme", 11);
	make_dir(w, ROOT_INO, "Com", 12);
	make_dir(w, ROOT_INO, "Divers", 13);
	flush(w);
}
#define VILLE	  10
#define URBANISME 11
#define COMDIR	  12
#define DIVERS	  13

static inline int world_setup(void **state)
{
	(void)world_setup_shut(state);
	world_open(*state);
	make_tree(*state);
	return 0;
}

/* --- packing ------------------------------------------------------------- */

/* A file of pieces, each of 300,000 bytes that don't compress, by a letter. */
static inline int file_of_pieces(const char *pieces, uint64_t *ret_size)
{
	int fd = memfd_create("pieces", MFD_CLOEXEC);
	uint64_t size = 0;

	assert_true(fd >= 0);
	for (; *pieces != '\0'; pieces++) {
		uint64_t x = (uint64_t)*pieces * UINT64_C(0x9e3779b97f4a7c15);
		uint64_t data[37500];

		for (size_t i = 0; i < 37500; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			data[i] = x;
		}
		assert_int_equal(write(fd, data, sizeof(data)), sizeof(data));
		size += sizeof(data);
	}
	*ret_size = size;
	return fd;
}

/* As the packer does; the inode has no blocks then. */
static inline struct catalog_inode pack(struct world *w, uint64_t ino,
					const char *pieces)
{
	struct store_put_result put;
	struct catalog_inode inode;
	uint64_t size = 0;
	cleanup_fd int fd = file_of_pieces(pieces, &size);

	must(catalog_inode_get(w->cat, ino, 0, &inode, &w->err));
	inode.size_bytes = size;
	inode.blocks = 0;
	must(catalog_begin(w->cat, &w->err));
	must(store_put(w->store, fd, size, &put, &w->err));
	must(catalog_inode_pack(w->cat, &inode, &put.content, &w->err));
	must(store_sync(w->store, &w->err));
	must(catalog_commit(w->cat, &w->err));
	must(catalog_inode_get(w->cat, ino, 0, &inode, &w->err));
	return inode;
}

static inline void unpack(struct world *w, uint64_t ino)
{
	struct catalog_inode inode;

	must(catalog_inode_get(w->cat, ino, 0, &inode, &w->err));
	post(w, CATALOG_EVENT_PLAIN, &inode);
	inode.packed = false;
	inode.blocks = inode.size_bytes / 512;
	post(w, CATALOG_EVENT_INODE, &inode);
	flush(w);
}

/* --- what the ledger says ------------------------------------------------ */

/* `members` ends with -1. */
static inline struct dept_set set_of(const int *members)
{
	struct dept_set set = { .n = 0 };

	for (; *members >= 0; members++)
		set.member[set.n++] = (uint16_t)*members;
	return set;
}
#define SET(...) set_of((const int[]){ __VA_ARGS__, -1 })

static inline uint128 row_of(const struct tier_time *row, unsigned int n,
			     enum tier tier, struct dept_set set)
{
	for (unsigned int i = 0; i < n; i++) {
		if (row[i].tier == tier && dept_set_same(&row[i].set, &set))
			return row[i].byte_seconds;
	}
	return 0;
}

static inline uint64_t held(struct world *w, enum tier tier,
			    struct dept_set set)
{
	struct tier_time *row = NULL;
	unsigned int n = 0;
	uint128 v = 0;

	must(ledger_now(w->cat, &row, &n, &w->err));
	v = row_of(row, n, tier, set);
	free(row);
	return (uint64_t)v;
}

static inline uint128 in_month(struct world *w, int32_t month, enum tier tier,
			       struct dept_set set)
{
	struct ledger_month m = { .n = 0 };
	uint128 v = 0;

	must(ledger_month_get(w->cat, month, atomic_load(&w->now_s), &m,
			      &w->err));
	v = row_of(m.row, m.n, tier, set);
	ledger_month_release(&m);
	return v;
}

static inline void say(void *ctx, const char *text)
{
	(void)ctx;
	print_error("%s\n", text);
}

static inline void assert_balanced(struct world *w)
{
	int n = ledger_check(w->cat, w->store, say, NULL, &w->err);

	must(n);
	assert_int_equal(n, 0);
}

static inline void flow_sums(struct world *w, struct deltas *sums)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_read_stmt(
		w->cat, "SELECT members, tier, bytes FROM holding", &w->err);

	assert_non_null(s);
	while (stmt_step(s, &w->err) == 1) {
		const int64_t tier = stmt_i64(s, 1);
		struct dept_set set;
		int64_t bytes = stmt_i64(s, 2);

		assert_true(dept_set_read(s, 0, &set));
		if (tier >= TIER_FLOWS)
			bytes = tier % 2 ? bytes : -bytes;
		if (tier >= TIER_FLOWS || tier == TIER_HOT ||
		    tier == TIER_PACKED)
			must(deltas_add(sums, TIER_HOT, &set, bytes, &w->err));
	}
}

/* What came less what went is what there is, of every set: on a drive of which
 * nothing was put right. */
static inline void assert_flows(struct world *w)
{
	struct deltas sums = { .n = 0 };

	flow_sums(w, &sums);
	for (size_t i = 0; i < sums.cap; i++)
		if (sums.slot[i].used)
			assert_int_equal(sums.slot[i].bytes, 0);
	deltas_release(&sums);
}

/* Counts the shares of packs, all of them. */
static inline void count(struct world *w)
{
	must(ledger_count_shares(w->ledger, 0, NULL, &w->err));
}

static inline void pass(struct world *w, int64_t seconds)
{
	atomic_fetch_add(&w->now_s, seconds);
}

/* One number by SQL. */
static inline int64_t ask(struct world *w, const char *sql)
{
	struct catalog_stmt *s = catalog_read_stmt(w->cat, sql, &w->err);
	int64_t v = 0;

	must(s == NULL ? -1 : 0);
	assert_int_equal(stmt_step(s, &w->err), 1);
	v = stmt_i64(s, 0);
	stmt_done(s);
	return v;
}

static inline void change(struct world *w, const char *sql)
{
	struct catalog_stmt *s = NULL;

	must(catalog_begin(w->cat, &w->err));
	s = catalog_write_stmt(w->cat, sql, &w->err);
	must(s == NULL ? -1 : 0);
	must(stmt_run(s, &w->err));
	stmt_done(s);
	must(catalog_commit(w->cat, &w->err));
}

#define WORLD(test) \
	cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
#define WORLD_SHUT(test) \
	cmocka_unit_test_setup_teardown(test, world_setup_shut, world_teardown)

#endif
