/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/catalog/support.h"

#define T (2000 * NS_PER_S)

static void put_changed(struct fixture *f, uint64_t ino, int64_t mtime_ns,
			int64_t ctime_ns)
{
	struct catalog_inode inode = file_of(ino);

	inode.mtime_ns = mtime_ns;
	inode.ctime_ns = ctime_ns;
	put(f, &inode);
}

static void cold_files_are_plain_old_and_have_blocks(void **state)
{
	struct fixture *f = *state;
	struct catalog_inode inode = file_of(10);
	struct catalog_inode out[16];

	put_changed(f, 5, T - 1, T - 1);
	put_changed(f, 4, T - 2, T - 9);
	put_changed(f, 6, T, T - 1); /* written at T */
	put_changed(f, 7, T - 1, T); /* changed at T */
	inode.blocks = 0;
	put(f, &inode);
	inode = file_of(11);
	pack(f, &inode, content_of(1));
	inode = file_of(12);
	inode.mode = S_IFDIR | 0755;
	put(f, &inode);
	assert_int_equal(catalog_cold(f->cat, T, 0, out, 16, &f->err), 2);
	assert_int_equal(out[0].ino, 4);
	assert_int_equal(out[1].ino, 5);
	assert_int_equal(out[1].handle.len, 8);
	assert_int_equal(catalog_cold(f->cat, T, 4, out, 16, &f->err), 1);
	assert_int_equal(out[0].ino, 5);
	assert_int_equal(catalog_cold(f->cat, T, 5, out, 16, &f->err), 0);
	assert_int_equal(catalog_cold(f->cat, T + 1, 5, out, 1, &f->err), 1);
	assert_int_equal(out[0].ino, 6);
	assert_int_equal(catalog_cold(f->cat, T, 0, out, 0, &f->err), 0);
}

static void huge_inode_numbers_come_last(void **state)
{
	static const uint64_t in_order[] = {
		3,
		INT64_MAX - 1,
		INT64_MAX,
		(uint64_t)INT64_MAX + 1,
		UINT64_MAX - 1,
		UINT64_MAX,
	};
	struct fixture *f = *state;
	struct catalog_inode out[2];
	uint64_t after = 0;

	for (size_t i = 0; i < 6; i++)
		put_changed(f, in_order[5 - i], 1, 1);
	for (size_t i = 0; i < 6; i++) {
		assert_true(catalog_cold(f->cat, T, after, out, 2, &f->err) >
			    0);
		assert_true(out[0].ino == in_order[i]);
		after = out[0].ino;
	}
	assert_int_equal(catalog_cold(f->cat, T, after, out, 2, &f->err), 0);
	assert_int_equal(
		catalog_cold(f->cat, T, INT64_MAX - 1, out, 2, &f->err), 2);
	assert_true(out[1].ino == (uint64_t)INT64_MAX + 1);
}

static void many(struct fixture *f, uint64_t count)
{
	must(catalog_begin(f->cat, &f->err));
	for (uint64_t ino = 1; ino <= count; ino++) {
		const struct catalog_inode inode = file_of(ino);

		must(catalog_inode_put(f->cat, &inode, &f->err));
	}
	must(catalog_commit(f->cat, &f->err));
}

static void all_are_met_once_when_many_are_cold(void **state)
{
	struct fixture *f = *state;
	struct catalog_inode out[1000];
	uint64_t after = 0;
	uint64_t met = 0;
	int n = 0;

	many(f, 66000);
	while ((n = catalog_cold(f->cat, T, after, out, 1000, &f->err)) > 0) {
		for (int i = 0; i < n; i++) {
			assert_true(out[i].ino > after);
			after = out[i].ino;
			met++;
		}
	}
	must(n);
	assert_int_equal(met, 66000);
}

/* The detail column of EXPLAIN QUERY PLAN is the fourth. */
static bool plan_says(struct fixture *f, const char *sql, const char *what)
{
	struct catalog_stmt *s = catalog_read_stmt(f->cat, sql, &f->err);
	bool says = false;

	assert_non_null(s);
	while (stmt_step(s, &f->err) == 1) {
		size_t len = 0;
		const char *detail = stmt_blob(s, 3, &len);

		says = says || (detail != NULL &&
				memmem(detail, len, what, strlen(what)));
	}
	stmt_done(s);
	return says;
}

static void few_cold_files_among_many_young_are_one_index_range(void **state)
{
	struct fixture *f = *state;

	assert_true(
		plan_says(f,
			  "EXPLAIN QUERY PLAN SELECT ino FROM inode INDEXED BY"
			  " inode_changed WHERE changed_ns < ?1"
			  " AND ino BETWEEN ?2 AND ?3 ORDER BY ino LIMIT ?4",
			  "SEARCH inode USING INDEX inode_changed"
			  " (changed_ns<?)"));
}

static void references_and_paths_are_index_searches(void **state)
{
	struct fixture *f = *state;

	assert_true(plan_says(f,
			      "EXPLAIN QUERY PLAN SELECT ino FROM inode"
			      " WHERE content = ?1",
			      "USING COVERING INDEX inode_content"));
	assert_true(plan_says(f,
			      "EXPLAIN QUERY PLAN SELECT parent, name"
			      " FROM name WHERE ino = ?1",
			      "USING COVERING INDEX name_ino"));
}

static struct catalog_totals totals(struct fixture *f)
{
	struct catalog_totals t;

	must(catalog_totals(f->cat, &t, &f->err));
	return t;
}

static void totals_follow_every_change(void **state)
{
	struct fixture *f = *state;
	struct catalog_inode dir = file_of(1);
	struct catalog_inode a = file_of(2);
	struct catalog_inode b = file_of(3);
	struct catalog_totals t = totals(f);

	assert_int_equal(t.files + t.logical_bytes + t.plain_blocks, 0);
	dir.mode = S_IFDIR | 0755;
	put(f, &dir);
	put(f, &a);
	pack(f, &b, content_of(1));
	t = totals(f);
	assert_int_equal(t.files, 2);
	assert_int_equal(t.packed, 1);
	assert_int_equal(t.logical_bytes, 8000);
	assert_int_equal(t.packed_bytes, 4000);
	assert_int_equal(t.plain_blocks, 24);
	b.blocks = 0;
	b.size_bytes = 5000;
	post(f, CATALOG_EVENT_INODE, &b);
	flush(f);
	t = totals(f);
	assert_int_equal(t.logical_bytes, 9000);
	assert_int_equal(t.packed_bytes, 5000);
	assert_int_equal(t.plain_blocks, 16);
	b.content = content_of(1);
	post(f, CATALOG_EVENT_PLAIN, &b);
	post(f, CATALOG_EVENT_GONE, &a);
	flush(f);
	t = totals(f);
	assert_int_equal(t.files, 1);
	assert_int_equal(t.packed, 0);
	assert_int_equal(t.logical_bytes, 5000);
	assert_int_equal(t.packed_bytes, 0);
	assert_int_equal(t.plain_blocks, 8);
	dir.mode = S_IFREG | 0600; /* the number, used again */
	dir.btime_ns++;
	post(f, CATALOG_EVENT_INODE, &dir);
	flush(f);
	assert_int_equal(totals(f).files, 2);
}

static void sizes_past_2_to_the_63_add_up(void **state)
{
	struct fixture *f = *state;
	struct catalog_inode inode = file_of(1);

	inode.size_bytes = INT64_MAX;
	put(f, &inode);
	inode.ino = 2;
	pack(f, &inode, content_of(1));
	assert_true(totals(f).logical_bytes == UINT64_MAX - 1);
	assert_true(totals(f).packed_bytes == INT64_MAX);
	inode.ino = 3;
	put(f, &inode);
	assert_true(totals(f).logical_bytes == UINT64_MAX); /* and stops */
	post(f, CATALOG_EVENT_GONE, &inode);
	inode.ino = 2;
	post(f, CATALOG_EVENT_GONE, &inode);
	flush(f);
	assert_true(totals(f).logical_bytes == INT64_MAX);
	assert_true(totals(f).packed_bytes == 0);
}

/* One of the ways in which a row of few inodes changes. */
static void change_at_random(struct fixture *f, uint32_t seed)
{
	static const enum catalog_event_kind kinds[] = {
		CATALOG_EVENT_GONE,
		CATALOG_EVENT_PLAIN,
		CATALOG_EVENT_INODE,
		CATALOG_EVENT_INODE,
	};
	struct catalog_inode inode = file_of(1 + (seed >> 8) % 200);

	inode.btime_ns = (seed >> 5) % 3;
	inode.size_bytes = seed;
	inode.blocks = (seed >> 3) % 50;
	inode.content = content_of((uint8_t)((seed >> 24) % 3));
	if (seed % 7 == 0)
		inode.mode = S_IFLNK | 0777;
	if (seed % 5 == 4)
		must(catalog_inode_pack(f->cat, &inode, &inode.content,
					&f->err));
	else
		post(f, kinds[seed % 5], &inode);
}

/* The sums by the triggers and by a walk. */
static void totals_equal_a_recount_whatever_happened(void **state)
{
	struct fixture *f = *state;
	uint32_t seed = 12345;
	struct catalog_totals t;

	must(catalog_begin(f->cat, &f->err));
	for (int i = 0; i < 5000; i++) {
		seed = seed * 1664525u + 1013904223u;
		change_at_random(f, seed);
	}
	must(catalog_commit(f->cat, &f->err));
	flush(f);
	t = totals(f);
	assert_true(t.files > 10);
	assert_int_equal(t.files, ask(f, "SELECT count(*) FROM inode WHERE"
					 " (mode & 61440) = 32768"));
	assert_int_equal(t.packed,
			 ask(f,
			     "SELECT count(*) FROM inode WHERE"
			     " (mode & 61440) = 32768 AND content NOT NULL"));
	assert_int_equal(t.logical_bytes,
			 ask(f, "SELECT sum(size_bytes) FROM inode WHERE"
				" (mode & 61440) = 32768"));
	assert_int_equal(t.packed_bytes,
			 ask(f,
			     "SELECT sum(size_bytes) FROM inode WHERE"
			     " (mode & 61440) = 32768 AND content NOT NULL"));
	assert_int_equal(t.plain_blocks,
			 ask(f, "SELECT sum(blocks) FROM inode"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENARIO(cold_files_are_plain_old_and_have_blocks),
		SCENARIO(huge_inode_numbers_come_last),
		SCENARIO(all_are_met_once_when_many_are_cold),
		SCENARIO(few_cold_files_among_many_young_are_one_index_range),
		SCENARIO(references_and_paths_are_index_searches),
		SCENARIO(totals_follow_every_change),
		SCENARIO(sizes_past_2_to_the_63_add_up),
		SCENARIO(totals_equal_a_recount_whatever_happened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
