/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The life of a few files (stored, unlinked, collected, stored again), killed
 * before each durable write, with each durable write failing, and with the
 * power cut before each, SQLite's included: what wasn't synced is lost, torn or
 * out of order. Whatever the catalog then says is stored must read back, and no
 * count be too low.
 * This program runs itself, with another implementation of fs/base/io.h.
 */
#include "tests/unit/store/crashing.h"

#define KIB(n) ((size_t)(n) << 10)
#define FILES  5
#define LEN    KIB(150)

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

/* --- the parent ------------------------------------------------------------
 */

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

static void check(struct world *w)
{
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

static const struct crash_life life = {
	.name = "life", .writes_min = 20, .live = live, .check = check
};

static void killed_before_any_write_nothing_is_lost(void **state)
{
	(void)state;
	(void)crash_at_each_write(&life, "SOBRE_CRASH_AT", true);
}

static void with_any_write_failing_nothing_is_lost(void **state)
{
	(void)state;
	(void)crash_at_each_write(&life, "SOBRE_FAIL_AT", false);
}

static void a_power_cut_before_any_write_loses_nothing(void **state)
{
	(void)state;
	crash_by_power_cuts(&life);
}

/* --- what one failure leaves behind ---------------------------------------
 */

static int pack_two(struct world *w)
{
	return !pack_one(w, 2) + !pack_one(w, 5);
}

static void check_two(struct world *w)
{
	what_is_committed_reads_back(w);
	no_count_is_too_low(w);
	assert_int_equal(pack_two(w), 0);
	what_is_committed_reads_back(w);
	world_free(w);
}

static const struct crash_life two = { .name = "two",
				       .live = pack_two,
				       .check = check_two };

/* The second durable write makes the directory of the first pack sure. */
static void a_directory_whose_sync_failed_is_synced_the_next_time(void **state)
{
	(void)state;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	(void)setenv("SOBRE_FAIL_AT", "2", 1);
	crash_by_power_cuts(&two);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	(void)unsetenv("SOBRE_FAIL_AT");
}

/* --- what the next process finds ------------------------------------------
 */

/* Killed before the sync: all is written, and nobody was told. */
static bool leave_unsynced(struct world *w, uint64_t ino)
{
	struct store_put_result result;
	uint8_t *data = data_of(ino);
	int fd = file_of(w, data, LEN);
	int rc = catalog_begin(w->cat, &w->err);

	if (rc == 0)
		rc = store_put(w->store, fd, LEN, &result, &w->err);
	if (rc == 0)
		rc = pending_flush(w->store, &w->err);
	catalog_rollback(w->cat);
	free(data);
	(void)close(fd);
	return rc == 0;
}

static int pack_what_was_left(struct world *w)
{
	int failed = !leave_unsynced(w, 2);

	world_reopen(w);
	return failed + !pack_one(w, 2) + !pack_one(w, 5);
}

static void check_sound(struct world *w)
{
	struct store_scrub_result found;

	must(w, store_scrub(w->store, NULL, NULL, NULL, &found, &w->err));
	assert_int_equal(found.bad_records, 0);
	check_two(w);
}

static const struct crash_life left = { .name = "left",
					.live = pack_what_was_left,
					.check = check_sound };

static void
what_a_killed_process_wrote_is_made_sure_before_it_is_used(void **state)
{
	(void)state;
	crash_by_power_cuts(&left);
}

static int child(const char *dir, const char *name)
{
	const struct crash_life *lives[] = { &life, &two, &left };

	for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++)
		if (strcmp(name, lives[i]->name) == 0)
			return crash_child(lives[i], dir);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_before_any_write_nothing_is_lost),
		cmocka_unit_test(with_any_write_failing_nothing_is_lost),
		cmocka_unit_test(a_power_cut_before_any_write_loses_nothing),
		cmocka_unit_test(
			a_directory_whose_sync_failed_is_synced_the_next_time),
		cmocka_unit_test(
			what_a_killed_process_wrote_is_made_sure_before_it_is_used),
	};

	if (argc == 3)
		return child(argv[1], argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
