/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The life of a few files (stored, unlinked, collected, stored again), killed
 * before each durable write, with each durable write failing, and with the
 * power cut before each, SQLite's included: what wasn't synced is lost, torn or
 * out of order. Whatever the catalog then says is stored must read back, and no
 * count be too low.
 * This program runs itself, with another implementation of fs/base/io.h.
 */
#include <sys/wait.h>

#include "tests/unit/store/support.h"

#define KIB(n)	 ((size_t)(n) << 10)
#define FILES	 5
#define LEN	 KIB(150)
#define MOST_IOS 1000
#define FAILED	 3

/* File `ino` shares its first half with its neighbours. */
static uint8_t *data_of(uint64_t ino)
{
	uint8_t *data = some_noise((uint32_t)(ino / 2), LEN);
	uint8_t *own = some_noise((uint32_t)(100 + ino), LEN / 2);

	memcpy(data + LEN / 2, own, LEN / 2);
	free(own);
	return data;
}

/* --- the child: what fails is undone, and life goes on ------------------- */

static bool never_used(void *ctx, const struct catalog_inode *tied,
		       const struct hash128 *content)
{
	(void)ctx;
	(void)tied;
	(void)content;
	return false;
}

static int pack_in_transaction(struct world *w, int fd, uint64_t ino)
{
	struct catalog_inode inode = { .ino = ino,
				       .btime_ns = 1,
				       .mode = S_IFREG | 0644,
				       .nlink = 1,
				       .size_bytes = LEN,
				       .packed = true };
	struct store_put_result result;
	int rc = store_put(w->store, fd, LEN, &result, &w->err);

	inode.content = result.content;
	if (rc == 0)
		rc = catalog_inode_pack(w->cat, &inode, &inode.content,
					&w->err);
	return rc < 0 ? rc : store_sync(w->store, &w->err);
}

/* A file that no cut takes back says that the caller was told "packed". */
static void witness_name(const struct world *w, uint64_t ino, char name[96])
{
	(void)snprintf(name, 96, "%.70s/told-%u", w->dir, (unsigned int)ino);
}

static void tell(const struct world *w, uint64_t ino)
{
	char name[96];
	int fd;

	witness_name(w, ino, name);
	fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
}

static bool was_told(const struct world *w, uint64_t ino)
{
	char name[96];

	witness_name(w, ino, name);
	return access(name, F_OK) == 0;
}

static bool pack_one(struct world *w, uint64_t ino)
{
	uint8_t *data = data_of(ino);
	int fd = file_of(w, data, LEN);
	int rc = catalog_begin(w->cat, &w->err);

	if (rc == 0) {
		rc = pack_in_transaction(w, fd, ino);
		if (rc == 0)
			rc = catalog_commit(w->cat, &w->err);
		else
			catalog_rollback(w->cat);
		if (rc < 0)
			store_abort(w->store);
	}
	if (rc == 0)
		tell(w, ino);
	free(data);
	(void)close(fd);
	return rc == 0;
}

/* live() deletes these. */
static bool is_deleted(uint64_t ino)
{
	return ino == 1 || ino == 3 || ino == 4;
}

static bool collect(struct world *w)
{
	const struct store_gc_options options = { .grace_s = 1000,
						  .sync_fd = w->packs_fd,
						  .still_used = never_used };
	struct store_gc_result result;

	return store_gc(w->store, &options, &result, &w->err) == 0;
}

/* Returns how many steps failed. */
static int live(struct world *w)
{
	int failed = 0;

	for (uint64_t ino = 1; ino <= FILES; ino++)
		failed += !pack_one(w, ino);
	gone(w, 1);
	gone(w, 3);
	gone(w, 4);
	failed += !collect(w);
	failed += !pack_one(w, 3);
	w->now_ns += 2000 * NS_PER_S;
	failed += !collect(w);
	failed += !pack_one(w, 1);
	failed += !collect(w);
	return failed;
}

static struct world *world_at(const char *dir)
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
		.pack_bytes = KIB(300),
		.clock = { .now_ns = world_now, .ctx = w },
	};
	world_open(w);
	return w;
}

static void leave(struct world *w)
{
	world_shut(w);
	(void)close(w->packs_fd);
	free(w);
}

static int child(const char *dir)
{
	struct world *w = world_at(dir);
	int failed = live(w);

	leave(w);
	return failed ? FAILED : EXIT_SUCCESS;
}

/* --- the parent ------------------------------------------------------------
 */

/* Uses of a chunk by contents that live. */
static uint64_t uses_of(struct world *w, const struct hash128 *chunk)
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

static void no_count_is_too_low(struct world *w)
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

static void what_is_committed_reads_back(struct world *w)
{
	for (uint64_t ino = 1; ino <= FILES; ino++) {
		struct catalog_inode inode;
		uint8_t *data = data_of(ino);

		bool packed = catalog_inode_get(w->cat, ino, 1, &inode,
						&w->err) == 0 &&
			      inode.packed;

		assert_true(packed || !was_told(w, ino) || is_deleted(ino));
		if (packed) {
			cache_purge(&w->store->cache);
			assert_int_equal(read_all(w, &inode.content, data, LEN),
					 0);
			must(w, store_content_check(w->store, &inode.content,
						    LEN, &w->err));
		}
		free(data);
	}
}

static void check(const char *dir)
{
	struct world *w = world_at(dir);

	what_is_committed_reads_back(w);
	no_count_is_too_low(w);
	/* And it goes on. */
	assert_int_equal(live(w), 0);
	what_is_committed_reads_back(w);
	no_count_is_too_low(w);
	assert_int_equal(query(w, "SELECT count(*) FROM inode"), 4);
	must(w, store_rebuild(w->store, NULL, NULL, &w->err));
	what_is_committed_reads_back(w);
	world_free(w);
}

/* Runs the child with `name`=`value` in its environment; its wait status. */
static int run(const char *dir, const char *name, const char *value)
{
	pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0) {
		/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
		(void)setenv(name, value, 1);
		(void)execl("/proc/self/exe", "test_crash", dir, NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* In memory: how long an fsync takes is not the question. */
static char *new_dir(char dir[64])
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
static int for_each_write(const char *name, bool kills)
{
	for (int i = 1; i < MOST_IOS; i++) {
		char value[16];
		char dir[64];
		int status;

		(void)snprintf(value, sizeof(value), "%d", i);
		leave(world_at(new_dir(dir))); /* the catalog is there */
		status = run(dir, name, value);
		check(dir);
		if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS) {
			assert_true(i > 20);
			return i - 1;
		}
		if (kills)
			assert_true(WIFSIGNALED(status));
		else
			assert_int_equal(WEXITSTATUS(status), FAILED);
	}
	fail_msg("more than %d durable writes", MOST_IOS);
	return 0;
}

static void killed_before_any_write_nothing_is_lost(void **state)
{
	(void)state;
	(void)for_each_write("SOBRE_CRASH_AT", true);
}

static void with_any_write_failing_nothing_is_lost(void **state)
{
	(void)state;
	(void)for_each_write("SOBRE_FAIL_AT", false);
}

/* Each cut has dice of its own; SOBRE_SEED repeats them all. */
static void a_power_cut_before_any_write_loses_nothing(void **state)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	const char *given = getenv("SOBRE_SEED");
	char seed[24];
	int cuts;

	(void)state;
	(void)snprintf(seed, sizeof(seed), "%ld",
		       given ? strtol(given, NULL, 10) : (long)time(NULL));
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	(void)setenv("SOBRE_CUT_SEED", seed, 1);
	print_message("seed %s\n", seed);
	cuts = for_each_write("SOBRE_CUT_AT", true);
	print_message("%d power cuts\n", cuts);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_before_any_write_nothing_is_lost),
		cmocka_unit_test(with_any_write_failing_nothing_is_lost),
		cmocka_unit_test(a_power_cut_before_any_write_loses_nothing),
	};

	if (argc == 2)
		return child(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
