/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/catalog/support.h"

#include <sqlite3.h>

static void assert_same(const struct catalog_inode *a,
			const struct catalog_inode *b)
{
	assert_true(a->ino == b->ino);
	assert_true(a->btime_ns == b->btime_ns);
	assert_int_equal(a->mode, b->mode);
	assert_int_equal(a->uid, b->uid);
	assert_int_equal(a->gid, b->gid);
	assert_int_equal(a->nlink, b->nlink);
	assert_true(a->size_bytes == b->size_bytes);
	assert_true(a->blocks == b->blocks);
	assert_true(a->mtime_ns == b->mtime_ns);
	assert_true(a->ctime_ns == b->ctime_ns);
	assert_int_equal(a->packed, b->packed);
	assert_memory_equal(&a->content, &b->content, sizeof(a->content));
	assert_true(a->shown_ctime_ns == b->shown_ctime_ns);
	assert_true(a->packed_ctime_ns == b->packed_ctime_ns);
	assert_int_equal(a->handle.len, b->handle.len);
	assert_int_equal(a->handle.type, b->handle.type);
	assert_memory_equal(a->handle.bytes, b->handle.bytes,
			    sizeof(a->handle.bytes));
}

static void a_row_comes_back_as_it_was_put(void **state)
{
	struct fixture *f = *state;
	struct catalog_inode in = {
		.ino = UINT64_MAX - 3,
		.btime_ns = -5,
		.mode = UINT32_MAX,
		.uid = UINT32_MAX,
		.gid = UINT32_MAX - 1,
		.nlink = 65000,
		.size_bytes = INT64_MAX,
		.blocks = 1,
		.mtime_ns = INT64_MIN,
		.ctime_ns = INT64_MAX,
		.packed = true,
		.content = content_of(9),
		.shown_ctime_ns = -1,
		.packed_ctime_ns = 2,
		.handle = { .len = HANDLE_BYTES_MAX, .type = -7 },
	};
	struct catalog_inode out;

	memset(in.handle.bytes, 0xee, sizeof(in.handle.bytes));
	put(f, &in);
	out = get(f, in.ino);
	assert_same(&in, &out);
	must(catalog_inode_get(f->cat, in.ino, -5, &out, &f->err));
	assert_int_equal(catalog_inode_get(f->cat, in.ino, -6, &out, &f->err),
			 -ENOENT);
	assert_int_equal(catalog_inode_get(f->cat, 1, 0, &out, &f->err),
			 -ENOENT);
}

static void a_put_row_is_all_as_given(void **state)
{
	struct fixture *f = *state;
	struct catalog_inode in = file_of(4);
	struct catalog_inode out;

	pack(f, &in, content_of(1));
	in.handle.len = 0;
	in.handle.type = 0;
	memset(in.handle.bytes, 0, sizeof(in.handle.bytes));
	put(f, &in);
	out = get(f, 4);
	assert_same(&in, &out);
}

static void an_observation_keeps_content_ctimes_and_handle(void **state)
{
	struct fixture *f = *state;
	struct catalog_inode in = file_of(4);
	struct catalog_inode out;

	pack(f, &in, content_of(1));
	in.shown_ctime_ns = 11;
	in.packed_ctime_ns = 22;
	post(f, CATALOG_EVENT_CTIME, &in);
	in.shown_ctime_ns = 0;
	in.packed_ctime_ns = 0;
	in.handle.len = 0;
	in.mode = S_IFREG | 0600;
	post(f, CATALOG_EVENT_INODE, &in);
	flush(f);
	out = get(f, 4);
	assert_int_equal(out.mode, S_IFREG | 0600);
	assert_true(out.packed);
	assert_int_equal(out.content.bytes[3], 1);
	assert_int_equal(out.shown_ctime_ns, 11);
	assert_int_equal(out.packed_ctime_ns, 22);
	assert_int_equal(out.handle.len, 8);
}

static void an_observation_never_takes_a_reference_away(void **state)
{
	struct fixture *f = *state;
	struct catalog_inode in = file_of(4);

	pack(f, &in, content_of(1));
	in.packed = true;
	in.content = content_of(2);
	post(f, CATALOG_EVENT_INODE, &in);
	flush(f);
	assert_int_equal(get(f, 4).content.bytes[0], 1);
}

static void a_younger_inode_takes_the_place_of_the_dead_one(void **state)
{
	struct fixture *f = *state;
	struct catalog_inode in = file_of(4);
	struct catalog_event used = { .kind = CATALOG_EVENT_USED, .day = 3 };
	struct catalog_inode out;

	pack(f, &in, content_of(1));
	used.inode = in;
	must(catalog_post(f->cat, &used));
	in.btime_ns = 78;
	in.handle.len = 0;
	post(f, CATALOG_EVENT_INODE, &in);
	flush(f);
	out = get(f, 4);
	assert_int_equal(out.btime_ns, 78);
	assert_false(out.packed);
	assert_int_equal(out.handle.len, 0);
	assert_int_equal(
		ask(f, "SELECT count(*) FROM inode WHERE content IS NOT NULL"
		       " OR last_used_day IS NOT NULL"),
		0);
}

static void a_late_event_of_a_dead_inode_harms_no_packed_one(void **state)
{
	struct fixture *f = *state;
	struct catalog_inode young = file_of(4);
	struct catalog_inode old = file_of(4);

	young.btime_ns = 100;
	old.content = content_of(1);
	pack(f, &young, content_of(1));
	post(f, CATALOG_EVENT_INODE, &old);
	post(f, CATALOG_EVENT_PLAIN, &old);
	post(f, CATALOG_EVENT_GONE, &old);
	old.shown_ctime_ns = 1;
	post(f, CATALOG_EVENT_CTIME, &old);
	flush(f);
	assert_int_equal(get(f, 4).btime_ns, 100);
	assert_true(get(f, 4).packed);
	assert_int_equal(get(f, 4).shown_ctime_ns, 0);
}

static void plain_drops_only_the_content_it_names(void **state)
{
	struct fixture *f = *state;
	struct catalog_inode in = file_of(4);

	pack(f, &in, content_of(2));
	in.content = content_of(1);
	in.shown_ctime_ns = 5;
	post(f, CATALOG_EVENT_PLAIN, &in);
	flush(f);
	assert_true(get(f, 4).packed);
	assert_int_equal(get(f, 4).shown_ctime_ns, 0);
	in.content = content_of(2);
	post(f, CATALOG_EVENT_PLAIN, &in);
	flush(f);
	assert_false(get(f, 4).packed);
	assert_int_equal(get(f, 4).shown_ctime_ns, 5);
}

static void a_file_packed_again_keeps_its_new_reference(void **state)
{
	struct fixture *f = *state;
	struct catalog_inode in = file_of(4);

	pack(f, &in, content_of(1));
	in.content = content_of(1);
	post(f, CATALOG_EVENT_PLAIN, &in); /* still queued when packed again */
	pack(f, &in, content_of(1));
	flush(f);
	assert_true(get(f, 4).packed);
}

struct found {
	uint64_t inos[8];
	uint8_t handle_len[8];
	int64_t btimes[8];
	size_t count;
};

static void note_ino(void *ctx, uint64_t ino)
{
	struct found *found = ctx;

	assert_true(found->count < 8);
	found->inos[found->count++] = ino;
}

static void note_tie(void *ctx, const struct catalog_inode *tied)
{
	struct found *found = ctx;

	assert_true(found->count < 8);
	found->handle_len[found->count] = tied->handle.len;
	found->btimes[found->count] = tied->btime_ns;
	found->inos[found->count++] = tied->ino;
}

static void references_are_found_by_content(void **state)
{
	struct fixture *f = *state;
	const struct hash128 one = content_of(1);
	struct found found = { 0 };

	for (uint64_t ino = 1; ino <= 4; ino++) {
		const struct catalog_inode in = file_of(ino);

		pack(f, &in, content_of(ino == 3 ? 2 : 1));
	}
	must(catalog_content_inodes(f->cat, &one, note_ino, &found, &f->err));
	assert_int_equal(found.count, 3);
	assert_int_equal(found.inos[0] + found.inos[1] + found.inos[2], 7);
}

static void in_a_transaction_references_are_those_of_now(void **state)
{
	struct fixture *f = *state;
	struct catalog_inode in = file_of(4);
	const struct hash128 one = content_of(1);
	struct found found = { 0 };

	pack(f, &in, one);
	in.content = one;
	post(f, CATALOG_EVENT_PLAIN, &in);
	must(catalog_begin(f->cat, &f->err));
	must(catalog_content_inodes(f->cat, &one, note_ino, &found, &f->err));
	assert_int_equal(found.count, 0);
	in.ino = 5;
	must(catalog_inode_pack(f->cat, &in, &one, &f->err));
	must(catalog_content_inodes(f->cat, &one, note_ino, &found, &f->err));
	assert_int_equal(found.count, 1);
	catalog_rollback(f->cat);
}

static struct found ties_of(struct fixture *f, struct hash128 content)
{
	struct found found = { 0 };

	must(catalog_ties(f->cat, &content, note_tie, &found, &f->err));
	return found;
}

static void ties_outlive_the_inode(void **state)
{
	struct fixture *f = *state;
	struct catalog_inode in = file_of(4);
	struct found found;

	pack(f, &in, content_of(1));
	in.handle.len = 0;
	pack(f, &in, content_of(1)); /* keeps the handle it had */
	post(f, CATALOG_EVENT_GONE, &in);
	flush(f);
	in.btime_ns = 78;
	pack(f, &in, content_of(1));
	found = ties_of(f, content_of(1));
	assert_int_equal(found.count, 2);
	assert_int_equal(found.inos[0], 4);
	assert_int_equal(found.btimes[0] + found.btimes[1], 77 + 78);
	assert_int_equal(found.handle_len[0] + found.handle_len[1], 8);
}

static void ties_are_dropped_by_content(void **state)
{
	struct fixture *f = *state;
	const struct catalog_inode in = file_of(4);
	const struct hash128 one = content_of(1);

	pack(f, &in, one);
	pack(f, &in, content_of(2));
	must(catalog_begin(f->cat, &f->err));
	must(catalog_ties_drop(f->cat, &one, &f->err));
	must(catalog_commit(f->cat, &f->err));
	assert_int_equal(ties_of(f, one).count, 0);
	assert_int_equal(ties_of(f, content_of(2)).count, 1);
}

static void by_sqlite(struct fixture *f, const char *sql)
{
	char path[128];
	sqlite3 *db = NULL;

	fixture_path(f, "catalog.db", path, sizeof(path));
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void columns_out_of_bounds_are_corrupt_not_believed(void **state)
{
	static const char *const hostile[] = {
		"UPDATE inode SET handle = zeroblob(65)",
		"UPDATE inode SET handle = zeroblob(320)",
		"UPDATE inode SET content = x'00112233'",
		"UPDATE inode SET content = zeroblob(17)",
		"UPDATE inode SET content = x''",
		"UPDATE inode SET mode = -1",
		"UPDATE inode SET uid = 4294967296",
		"UPDATE inode SET size_bytes = -1",
		"UPDATE inode SET blocks = -8",
	};
	struct fixture *f = *state;
	const struct catalog_inode in = file_of(4);
	struct catalog_inode out;

	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		put(f, &in);
		by_sqlite(f, hostile[i]);
		assert_int_equal(catalog_inode_get(f->cat, 4, 0, &out, &f->err),
				 -SOBRE_ECORRUPT);
		assert_non_null(strstr(f->err.text, "inode 4"));
	}
	put(f, &in);
	(void)get(f, 4);
}

static void a_tie_with_too_long_a_handle_is_corrupt(void **state)
{
	struct fixture *f = *state;
	const struct catalog_inode in = file_of(4);
	const struct hash128 one = content_of(1);
	struct found found = { 0 };

	pack(f, &in, one);
	by_sqlite(f, "UPDATE tie SET handle = zeroblob(300)");
	assert_int_equal(catalog_ties(f->cat, &one, note_tie, &found, &f->err),
			 -SOBRE_ECORRUPT);
	assert_int_equal(found.count, 0);
}

static void a_use_never_goes_back_with_the_clock(void **state)
{
	struct fixture *f = *state;
	const struct catalog_inode in = {
		.ino = 7, .btime_ns = 1, .mode = S_IFREG | 0644, .nlink = 1
	};
	static const int32_t days[] = { 20000, 3, 20001 };
	static const int32_t known[] = { 20000, 20000, 20001 };

	put(f, &in);
	for (size_t i = 0; i < 3; i++) {
		const struct catalog_event used = { .kind = CATALOG_EVENT_USED,
						    .inode = in,
						    .day = days[i] };

		must(catalog_post(f->cat, &used));
		must(catalog_flush(f->cat, &f->err));
		assert_int_equal(get(f, 7).last_used_day, known[i]);
	}
}

static void meta_values_last(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(catalog_meta_get(f->cat, "k", -3), -3);
	must(catalog_meta_set(f->cat, "k", INT64_MIN, &f->err));
	fixture_close(f);
	fixture_open(f);
	assert_true(catalog_meta_get(f->cat, "k", -3) == INT64_MIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENARIO(a_row_comes_back_as_it_was_put),
		SCENARIO(a_put_row_is_all_as_given),
		SCENARIO(an_observation_keeps_content_ctimes_and_handle),
		SCENARIO(an_observation_never_takes_a_reference_away),
		SCENARIO(a_younger_inode_takes_the_place_of_the_dead_one),
		SCENARIO(a_late_event_of_a_dead_inode_harms_no_packed_one),
		SCENARIO(plain_drops_only_the_content_it_names),
		SCENARIO(a_file_packed_again_keeps_its_new_reference),
		SCENARIO(references_are_found_by_content),
		SCENARIO(in_a_transaction_references_are_those_of_now),
		SCENARIO(ties_outlive_the_inode),
		SCENARIO(ties_are_dropped_by_content),
		SCENARIO(columns_out_of_bounds_are_corrupt_not_believed),
		SCENARIO(a_tie_with_too_long_a_handle_is_corrupt),
		SCENARIO(a_use_never_goes_back_with_the_clock),
		SCENARIO(meta_values_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
