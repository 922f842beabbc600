/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/support.h"

#include <dirent.h>

#define KIB(n) ((size_t)(n) << 10)

static bool unlistable; /* directories can't be read */

struct dirent *__real_readdir64(DIR *dir);
struct dirent *__wrap_readdir64(DIR *dir);

struct dirent *__wrap_readdir64(DIR *dir)
{
	if (!unlistable)
		return __real_readdir64(dir);
	errno = EIO;
	return NULL;
}

/* All rows of the three tables, as one number a table. */
static void sums(struct world *w, uint64_t ret_sums[3])
{
	static const char *const sql[3] = {
		"SELECT id, pack, extent_off, skip, len, refs, bad,"
		" stored_bytes FROM chunk"
		" ORDER BY id",
		"SELECT id, size_bytes, pack, off, orphan, bad FROM content"
		" ORDER BY id",
		"SELECT cast(id AS BLOB), state, size_bytes FROM pack"
		" ORDER BY id",
	};
	static const int columns[3] = { 8, 6, 3 };

	for (int t = 0; t < 3; t++) {
		struct catalog_stmt *s =
			catalog_read_stmt(w->cat, sql[t], &w->err);
		uint64_t sum = 1;

		assert_non_null(s);
		while (stmt_step(s, &w->err) > 0) {
			size_t len;
			const void *id = stmt_blob(s, 0, &len);

			sum = sum * 31 + hash64(id, len);
			for (int c = 1; c < columns[t]; c++)
				sum = sum * 31 + (uint64_t)stmt_i64(s, c);
		}
		stmt_done(s);
		ret_sums[t] = sum;
	}
}

static void fill(struct world *w, uint8_t *data)
{
	w->options.pack_bytes = KIB(700);
	world_reopen(w);
	for (uint64_t i = 0; i < 8; i++) {
		data[KIB(1000) - 1] = (uint8_t)i;
		(void)put_data(w, data + i * KIB(50), KIB(1000) - i * KIB(50),
			       i + 1);
	}
	(void)put_data(w, "", 0, 100);
}

static void rebuild_gives_the_same_tables(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(1, KIB(1000));
	uint64_t before[3];
	uint64_t after[3];

	fill(w, data);
	sums(w, before);
	must(w, store_rebuild(w->store, NULL, NULL, &w->err));
	sums(w, after);
	assert_memory_equal(before, after, sizeof(before));
	assert_true(query(w, "SELECT count(*) FROM pack") > 1);
	free(data);
}

static void rebuild_reads_packs_without_any_catalog(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(2, KIB(1000));
	struct store_put_result r;

	fill(w, data);
	r = put_data(w, data, KIB(900), 50);
	change(w, "DELETE FROM chunk");
	change(w, "DELETE FROM content");
	change(w, "DELETE FROM pack");
	must(w, store_rebuild(w->store, NULL, NULL, &w->err));
	assert_int_equal(read_all(w, &r.content, data, KIB(900)), 0);
	/* And it goes on. */
	data[5] ^= 1;
	r = put_data(w, data, KIB(900), 51);
	assert_int_equal(read_all(w, &r.content, data, KIB(900)), 0);
	free(data);
}

static void a_damaged_record_costs_only_what_it_holds(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(3, KIB(300));
	struct store_put_result a = put_data(w, data, KIB(100), 1);
	struct store_put_result b = put_data(w, data + KIB(100), KIB(100), 2);

	flip_byte(w, 1, /* its first extent's length */
		  (off_t)query(w, "SELECT min(extent_off) FROM chunk") + 8);
	must(w, store_rebuild(w->store, NULL, NULL, &w->err));
	assert_int_equal(read_all(w, &b.content, data + KIB(100), KIB(100)), 0);
	assert_true(read_all(w, &a.content, data, KIB(100)) < 0);
	assert_int_equal(query(w, "SELECT sum(bad) FROM content"), 1);
	free(data);
}

static int collect(struct world *w)
{
	const struct store_gc_options options = { .grace_s = 1000,
						  .sync_fd = -1 };
	struct store_gc_result result;

	w->now_ns += 2000 * NS_PER_S;
	return store_gc(w->store, &options, &result, &w->err);
}

/* The file reads well again as soon as somebody stores equal data; it must
 * then hold that data when the other file is gone. */
static void a_chunk_that_is_missing_counts_who_needs_it(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(4, KIB(20));
	struct store_put_result a;
	int fd = file_of(w, data, KIB(20));

	each_record_in_its_pack(w);
	a = put_data(w, data, KIB(20), 1);
	flip_byte(w, (uint64_t)query(w, "SELECT pack FROM chunk"),
		  PACK_HEADER_BYTES + 100);
	must(w, store_rebuild(w->store, NULL, NULL, &w->err));
	assert_int_equal(read_all(w, &a.content, data, KIB(20)),
			 -SOBRE_ENOCHUNK);
	assert_int_equal(ftruncate(fd, (off_t)KIB(200)), 0);
	(void)put_fd(w, fd, KIB(200), 2); /* the same chunk, and a hole */
	assert_int_equal(query(w, "SELECT refs FROM chunk"), 2);
	gone(w, 2);
	for (int i = 0; i < 3; i++)
		must(w, collect(w));
	assert_int_equal(read_all(w, &a.content, data, KIB(20)), 0);
	gone(w, 1);
	for (int i = 0; i < 3; i++)
		must(w, collect(w));
	assert_int_equal(query(w, "SELECT count(*) FROM chunk"), 0);
	(void)close(fd);
	free(data);
}

/* A stub names a content whose recipe was unreadable while packs were read:
 * nothing counts its chunks. */
static void what_a_lost_recipe_may_need_is_not_dropped(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(5, KIB(20));
	struct store_put_result r;
	uint64_t pack;
	off_t off;

	each_record_in_its_pack(w);
	r = put_data(w, data, KIB(20), 1);
	pack = (uint64_t)query(w, "SELECT pack FROM content");
	off = (off_t)query(w, "SELECT off FROM content") + 40;
	flip_byte(w, pack, off);
	must(w, store_rebuild(w->store, NULL, NULL, &w->err));
	must(w, collect(w)); /* condemns */
	assert_int_equal(collect(w), -SOBRE_ECORRUPT);
	flip_byte(w, pack, off);
	must(w, store_rebuild(w->store, NULL, NULL, &w->err));
	must(w, collect(w));
	must(w, collect(w));
	assert_int_equal(read_all(w, &r.content, data, KIB(20)), 0);
	free(data);
}

static void a_lost_recipe_that_no_file_names_keeps_nothing(void **state)
{
	struct world *w = *state;

	each_record_in_its_pack(w);
	(void)put_data(w, "hello", 5, 1);
	flip_recipe(w);
	must(w, store_rebuild(w->store, NULL, NULL, &w->err));
	gone(w, 1);
	must(w, collect(w));
	must(w, collect(w));
	assert_int_equal(query(w, "SELECT count(*) FROM chunk"), 0);
}

static bool stop_at_once(void *ctx, uint64_t done, uint64_t total)
{
	(void)ctx;
	(void)done;
	(void)total;
	return false;
}

static void gc_refuses_after_a_rebuild_that_did_not_end(void **state)
{
	struct world *w = *state;
	const struct store_gc_options options = { .sync_fd = -1 };
	struct store_gc_result result;

	(void)put_data(w, "hello", 5, 1);
	assert_int_equal(store_rebuild(w->store, stop_at_once, NULL, &w->err),
			 -ECANCELED);
	assert_int_equal(store_gc(w->store, &options, &result, &w->err),
			 -EAGAIN);
	must(w, store_rebuild(w->store, NULL, NULL, &w->err));
	must(w, store_gc(w->store, &options, &result, &w->err));
}

/* Reading all packs twice would be twice the time. */
static void a_rebuild_to_come_is_left_what_no_row_knows(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(9, KIB(300));
	struct store_put_result r = put_data(w, data, KIB(300), 1);

	change(w, "DELETE FROM pack");
	change(w, "DELETE FROM chunk");
	change(w, "DELETE FROM content");
	w->options.rebuild = true;
	world_reopen(w);
	assert_int_equal(query(w, "SELECT count(*) FROM pack"), 0);
	must(w, store_rebuild(w->store, NULL, NULL, &w->err));
	assert_int_equal(read_all(w, &r.content, data, KIB(300)), 0);
	/* Cut before it began: then it is as ever. */
	change(w, "DELETE FROM pack");
	change(w, "DELETE FROM content");
	w->options.rebuild = false;
	world_reopen(w);
	assert_int_equal(read_all(w, &r.content, data, KIB(300)), 0);
	free(data);
}

/* Whether one ended can't be read: then it may not have. */
static void gc_refuses_when_it_cannot_tell_whether_one_ended(void **state)
{
	struct world *w = *state;
	const struct store_gc_options options = { .sync_fd = -1 };
	struct store_gc_result result;

	(void)put_data(w, "hello", 5, 1);
	change(w, "ALTER TABLE meta RENAME TO away");
	assert_true(store_gc(w->store, &options, &result, &w->err) < 0);
	change(w, "ALTER TABLE away RENAME TO meta");
	must(w, store_gc(w->store, &options, &result, &w->err));
}

/* Packs that can't be listed are not packs that are gone. */
static void a_rebuild_without_its_packs_fails(void **state)
{
	struct world *w = *state;
	struct store_put_result r = put_data(w, "hello", 5, 1);

	unlistable = true;
	assert_int_equal(store_rebuild(w->store, NULL, NULL, &w->err), -EIO);
	unlistable = false;
	must(w, store_rebuild(w->store, NULL, NULL, &w->err));
	assert_int_equal(read_all(w, &r.content, "hello", 5), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(rebuild_gives_the_same_tables),
		world_test(rebuild_reads_packs_without_any_catalog),
		world_test(a_damaged_record_costs_only_what_it_holds),
		world_test(a_chunk_that_is_missing_counts_who_needs_it),
		world_test(what_a_lost_recipe_may_need_is_not_dropped),
		world_test(a_lost_recipe_that_no_file_names_keeps_nothing),
		world_test(gc_refuses_after_a_rebuild_that_did_not_end),
		world_test(a_rebuild_to_come_is_left_what_no_row_knows),
		world_test(gc_refuses_when_it_cannot_tell_whether_one_ended),
		world_test(a_rebuild_without_its_packs_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
