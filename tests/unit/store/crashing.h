/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_TESTS_UNIT_STORE_CRASHING_H
#define SOBREFS_TESTS_UNIT_STORE_CRASHING_H

/* The life of a store in a child, this program once more with another
 * implementation of fs/base/io.h: killed, cut off, or with a write failing. */

#include <sys/wait.h>

#include "tests/unit/store/support.h"

#define CRASH_WRITES_MAX 1000
#define CRASH_FAILED	 3

struct crash_life {
	const char *name;		  /* the child's second argument */
	int writes_min;			  /* there are at least so many */
	void (*prepare)(struct world *w); /* by the parent; NULL */
	int (*live)(struct world *w);	  /* how many steps failed */
	void (*check)(struct world *w);	  /* after it; frees the world */
};

static inline struct world *crash_world(const char *dir)
{
	struct world *w = calloc(1, sizeof(*w));
	char packs[300];

	assert_non_null(w);
	(void)snprintf(w->dir, sizeof(w->dir), "%s", dir);
	(void)snprintf(packs, sizeof(packs), "%s/packs", dir);
	(void)mkdir(packs, 0700);
	w->packs_fd = open(packs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	w->now_ns = INT64_C(1700000000) * NS_PER_S;
	w->options = (struct store_options){
		.pack_bytes = 300 << 10,
		.clock = { .now_ns = world_now, .ctx = w },
	};
	world_open(w);
	return w;
}

static inline void crash_leave(struct world *w)
{
	world_shut(w);
	(void)close(w->packs_fd);
	free(w);
}

static inline int crash_child(const struct crash_life *life, const char *dir)
{
	struct world *w = crash_world(dir);
	int failed = life->live(w);

	crash_leave(w);
	return failed ? CRASH_FAILED : EXIT_SUCCESS;
}

/* Uses of a chunk by contents that live. */
static inline uint64_t uses_of(struct world *w, const struct hash128 *chunk)
{
	const struct hash128 none = { .bytes = { 0 } };
	struct ids ids = { .n = 0 };
	uint64_t uses = 0;

	must(w, ids_select(w->store, VIEW_COMMITTED,
			   "SELECT id FROM content WHERE id > ?1"
			   " AND orphan = 0 LIMIT ?2",
			   &none, 100, &ids, &w->err));
	for (size_t i = 0; i < ids.n; i++) {
		struct content_row row;
		struct recipe recipe;

		must(w, content_row_get(w->store, VIEW_COMMITTED, &ids.id[i],
					&row, &w->err));
		must(w, recipe_load(w->store, &row, &recipe, &w->err));
		for (uint32_t k = 0; k < recipe.n; k++) {
			struct recipe_entry e;

			recipe_at(&recipe, k, &e);
			uses += hash128_compare(&e.id, chunk) == 0;
		}
		recipe_release(&recipe);
	}
	ids_release(&ids);
	return uses;
}

static inline void no_count_is_too_low(struct world *w)
{
	const struct hash128 none = { .bytes = { 0 } };
	struct ids ids = { .n = 0 };

	must(w, ids_select(w->store, VIEW_COMMITTED,
			   "SELECT id FROM chunk WHERE id > ?1 LIMIT ?2", &none,
			   1000, &ids, &w->err));
	for (size_t i = 0; i < ids.n; i++) {
		struct chunk_row row;

		must(w, chunk_row_get(w->store, VIEW_COMMITTED, &ids.id[i],
				      &row, &w->err));
		assert_true(row.refs >= uses_of(w, &row.id));
	}
	ids_release(&ids);
}

/* Runs the child with `name`=`value` in its environment; its wait status. */
static inline int crash_run(const struct crash_life *life, const char *dir,
			    const char *name, const char *value)
{
	pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0) {
		/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
		(void)setenv(name, value, 1);
		(void)execl("/proc/self/exe", "crash", dir, life->name, NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* In memory: how long an fsync takes is not the question. */
static inline char *crash_dir(char dir[64])
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	const char *tmp = getenv("TMPDIR");

	if (access("/dev/shm", W_OK) == 0)
		tmp = "/dev/shm";
	(void)snprintf(dir, 64, "%.30s/sobre-crash-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(dir));
	return dir;
}

/* Every durable write in turn, until there are no more; how many. */
static inline int crash_at_each_write(const struct crash_life *life,
				      const char *name, bool kills)
{
	for (int i = 1; i < CRASH_WRITES_MAX; i++) {
		char value[16];
		struct world *w;
		char dir[64];
		int status;

		(void)snprintf(value, sizeof(value), "%d", i);
		w = crash_world(crash_dir(dir)); /* the catalog is there */
		if (life->prepare)
			life->prepare(w);
		crash_leave(w);
		status = crash_run(life, dir, name, value);
		life->check(crash_world(dir));
		/* A child may be made to fail before it is killed. */
		if (WIFEXITED(status) &&
		    (kills || WEXITSTATUS(status) == EXIT_SUCCESS)) {
			assert_true(WEXITSTATUS(status) == EXIT_SUCCESS ||
				    WEXITSTATUS(status) == CRASH_FAILED);
			assert_true(i > life->writes_min);
			return i - 1;
		}
		if (kills)
			assert_true(WIFSIGNALED(status));
		else
			assert_int_equal(WEXITSTATUS(status), CRASH_FAILED);
	}
	fail_msg("more than %d durable writes", CRASH_WRITES_MAX);
	return 0;
}

/* Each cut has dice of its own; SOBRE_SEED repeats them all. */
static inline void crash_by_power_cuts(const struct crash_life *life)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	const char *given = getenv("SOBRE_SEED");
	char seed[24];
	int cuts;

	(void)snprintf(seed, sizeof(seed), "%ld",
		       given ? strtol(given, NULL, 10) : (long)time(NULL));
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	(void)setenv("SOBRE_CUT_SEED", seed, 1);
	print_message("seed %s\n", seed);
	cuts = crash_at_each_write(life, "SOBRE_CUT_AT", true);
	print_message("%d power cuts\n", cuts);
}

#endif
