/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/ledger/support.h"

static struct ledger_footprint of(struct world *w, uint64_t ino)
{
	struct ledger_footprint fp;

	must(ledger_footprint(w->cat, w->store, ino, &fp, &w->err));
	return fp;
}

static void a_directory_counts_a_hard_link_once(void **state)
{
	struct world *w = *state;
	struct catalog_inode linked = file_of(100, 1024);
	struct ledger_footprint fp;

	linked.nlink = 3;
	post(w, CATALOG_EVENT_INODE, &linked);
	post_name(w, URBANISME, "a", 100);
	post_name(w, URBANISME, "b", 100);
	post_name(w, COMDIR, "c", 100);
	make_file(w, VILLE, "d", 101, 512);
	flush(w);
	fp = of(w, VILLE);
	assert_int_equal(fp.files, 2);
	assert_int_equal(fp.hot_bytes, 1536);
	assert_int_equal(fp.logical_bytes, 1536);
	assert_int_equal(fp.packed_bytes, 0);
	assert_int_equal(fp.exclusive_bytes, 1536);
	assert_int_equal(fp.set.n, 1);
	assert_int_equal(fp.set.member[0], DEJ);
	fp = of(w, 100);
	assert_int_equal(fp.files, 1);
	assert_int_equal(fp.hot_bytes, 1024);
	assert_int_equal(fp.set.n, 2);
}

static void shares_of_all_files_add_up_to_what_is_stored(void **state)
{
	static const char *const pieces[] = { "x", "xy", "yz", "x", "q" };
	struct world *w = *state;
	uint64_t stored = 0;
	struct tier_time *row = NULL;
	unsigned int n = 0;
	struct ledger_footprint all;
	struct catalog_inode linked;

	for (uint64_t i = 0; i < 5; i++) {
		char name[] = { (char)('a' + i), '\0' };

		make_file(w, i % 2 ? COMDIR : URBANISME, name, 100 + i, 512);
		flush(w);
		(void)pack(w, 100 + i, pieces[i]);
	}
	must(catalog_inode_get(w->cat, 101, 0, &linked, &w->err));
	linked.nlink = 2;
	post(w, CATALOG_EVENT_INODE, &linked);
	post_name(w, DIVERS, "link", 101);
	flush(w);
	must(ledger_now(w->cat, &row, &n, &w->err));
	for (unsigned int i = 0; i < n; i++) {
		if (row[i].tier == TIER_PACKED)
			stored += (uint64_t)row[i].byte_seconds;
	}
	free(row);
	all = of(w, ROOT_INO);
	assert_int_equal(all.packed_bytes, stored);
	assert_int_equal(all.files, 5);
	/* "q" alone is its own. */
	assert_true(of(w, 104).exclusive_bytes >= 300000);
	assert_int_equal(of(w, 104).exclusive_bytes, of(w, 104).packed_bytes);
	assert_int_equal(of(w, 100).exclusive_bytes, 0);
	assert_balanced(w);
}

static void what_is_not_charged_yet_is_unknown(void **state)
{
	struct world *w = *state;
	struct ledger_footprint fp;
	struct dept_set set;

	assert_int_equal(ledger_footprint(w->cat, NULL, 999, &fp, &w->err),
			 -ENOENT);
	assert_int_equal(ledger_set(w->cat, 999, &set, &w->err), -ENOENT);
	must(ledger_set(w->cat, COMDIR, &set, &w->err));
	assert_int_equal(set.member[0], COM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(a_directory_counts_a_hard_link_once),
		WORLD(shares_of_all_files_add_up_to_what_is_stored),
		WORLD(what_is_not_charged_yet_is_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
