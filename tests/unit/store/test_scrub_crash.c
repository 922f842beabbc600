/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A rotten pack is scrubbed, and equal new data heals it; then gc. Killed
 * before each durable write, with each failing, and with the power cut before
 * each: whoever reads gets the bytes or an error, and scrub and equal data put
 * all right in the end.
 */
#include "tests/unit/store/crashing.h"

#define LEN	    ((size_t)100 << 10)
#define ROTTEN	    1
#define SOUND	    2
#define EQUAL	    3 /* to the rotten one */
#define ROTTEN_BYTE (PACK_HEADER_BYTES + 9000)
#define HEADER_BYTE 20

static uint8_t *data_of(uint64_t ino)
{
	return some_noise(ino == SOUND ? 2 : 1, LEN);
}

static void rot(struct world *w)
{
	for (uint64_t ino = ROTTEN; ino <= SOUND; ino++) {
		uint8_t *data = data_of(ino);

		(void)put_data(w, data, LEN, ino);
		free(data);
	}
	flip_byte(w, 1, ROTTEN_BYTE);
	flip_byte(w, 1, HEADER_BYTE);
}

static bool collect(struct world *w)
{
	const struct store_gc_options options = { .sync_fd = w->packs_fd,
						  .still_used = never_used };
	struct store_gc_result result;

	return store_gc(w->store, &options, &result, &w->err) == 0;
}

static bool scrub(struct world *w, struct store_scrub_result *result)
{
	return store_scrub(w->store, NULL, NULL, NULL, result, &w->err) == 0;
}

/* Of the file that is equal; what fails is undone. */
static bool put_equal(struct world *w)
{
	struct catalog_inode inode = { .ino = EQUAL,
				       .btime_ns = 1,
				       .mode = S_IFREG | 0644,
				       .nlink = 1,
				       .size_bytes = LEN,
				       .packed = true };
	struct store_put_result result;
	uint8_t *data = data_of(EQUAL);
	int fd = file_of(w, data, LEN);
	int rc = catalog_begin(w->cat, &w->err);

	free(data);
	if (rc == 0) {
		rc = store_put(w->store, fd, LEN, &result, &w->err);
		inode.content = result.content;
		if (rc == 0)
			rc = catalog_inode_pack(w->cat, &inode, &inode.content,
						&w->err);
		if (rc == 0)
			rc = store_sync(w->store, &w->err);
		if (rc == 0)
			rc = catalog_commit(w->cat, &w->err);
		else
			catalog_rollback(w->cat);
		if (rc < 0)
			store_abort(w->store);
	}
	(void)close(fd);
	return rc == 0;
}

static int mend(struct world *w)
{
	struct store_scrub_result result;
	int failed = !scrub(w, &result);

	failed += !put_equal(w);
	failed += !scrub(w, &result);
	gone(w, EQUAL);
	failed += !collect(w);
	return failed;
}

/* 1: its bytes; 0: an error. Other bytes fail the test. */
static int reads(struct world *w, uint64_t ino)
{
	struct catalog_inode inode;
	uint8_t *data = data_of(ino);
	int rc;

	must(w, catalog_inode_get(w->cat, ino, 1, &inode, &w->err));
	assert_true(inode.packed);
	cache_purge(&w->store->cache);
	rc = read_all(w, &inode.content, data, LEN);
	free(data);
	return rc == 0;
}

static void check(struct world *w)
{
	struct store_scrub_result result;

	assert_true(reads(w, SOUND));
	(void)reads(w, ROTTEN);
	no_count_is_too_low(w);
	assert_int_equal(mend(w), 0);
	assert_true(reads(w, SOUND) && reads(w, ROTTEN));
	no_count_is_too_low(w);
	assert_true(scrub(w, &result));
	assert_int_equal(result.bad_records + result.bad_chunks, 0);
	world_free(w);
}

static const struct crash_life life = { .name = "mend",
					.writes_min = 6,
					.prepare = rot,
					.live = mend,
					.check = check };

static void killed_while_mending_nothing_is_lost(void **state)
{
	(void)state;
	(void)crash_at_each_write(&life, "SOBRE_CRASH_AT", true);
}

static void with_any_write_failing_it_can_be_mended_again(void **state)
{
	(void)state;
	(void)crash_at_each_write(&life, "SOBRE_FAIL_AT", false);
}

static void a_power_cut_while_mending_loses_nothing(void **state)
{
	(void)state;
	crash_by_power_cuts(&life);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_while_mending_nothing_is_lost),
		cmocka_unit_test(with_any_write_failing_it_can_be_mended_again),
		cmocka_unit_test(a_power_cut_while_mending_loses_nothing),
	};

	if (argc == 3)
		return crash_child(&life, argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
