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
	count(w);
	all = of(w, ROOT_INO);
	assert_true(all.shares_current);
	assert_int_equal(all.packed_bytes, stored);
	assert_int_equal(all.packed_files, 5);
	assert_int_equal(all.files, 5);
	/* "q" alone is its own. */
	assert_true(of(w, 104).exclusive_bytes >= 300000);
	assert_int_equal(of(w, 104).exclusive_bytes, of(w, 104).packed_bytes);
	assert_int_equal(of(w, 100).exclusive_bytes, 0);
	assert_balanced(w);
}

/* B of the worked example: of three departments, one of which has it twice,
 * each of its two files is a sixth; of two, a quarter. Nobody who shares it
 * frees a byte; the last one frees all. */
static void a_department_that_holds_it_twice_pays_once(void **state)
{
	static const uint64_t parent[] = { URBANISME, URBANISME, VILLE,
					   COMDIR };
	struct world *w = *state;
	uint64_t one = 0;

	for (unsigned int i = 0; i < 4; i++) {
		char name[] = { (char)('a' + i), '\0' };

		make_file(w, parent[i], name, 100 + i, 512);
		flush(w);
		(void)pack(w, 100 + i, "B");
	}
	one = held(w, TIER_PACKED, SET(URB, DEJ, COM));
	assert_in_range(of(w, 100).packed_bytes, one / 6, one / 6 + 1);
	assert_in_range(of(w, 101).packed_bytes, one / 6, one / 6 + 1);
	assert_in_range(of(w, 102).packed_bytes, one / 3, one / 3 + 1);
	assert_in_range(of(w, 103).packed_bytes, one / 3, one / 3 + 1);
	unpack(w, 103); /* COM drops its copy */
	assert_int_equal(held(w, TIER_PACKED, SET(URB, DEJ)), one);
	assert_in_range(of(w, 100).packed_bytes, one / 4, one / 4 + 1);
	assert_in_range(of(w, 102).packed_bytes, one / 2, one / 2 + 1);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(of(w, 100 + i).exclusive_bytes, 0);
	unpack(w, 100);
	unpack(w, 101);
	assert_int_equal(of(w, 102).packed_bytes, one);
	assert_int_equal(of(w, 102).exclusive_bytes, one);
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

/* What the old du did: everything below, each inode once. */
struct walked {
	struct world *w;
	struct ino_set seen;
	struct ledger_footprint sum;
	uint128 own_q64;
};

static void walk_inode(struct walked *walked, const struct catalog_inode *inode)
{
	struct world *w = walked->w;
	struct store_share share;
	struct dept_set set;

	if (ino_set_add(&walked->seen, inode->ino, &w->err) != 1)
		return;
	walked->sum.hot_bytes += inode->blocks * 512;
	walked->sum.exclusive_bytes += inode->blocks * 512;
	if (!S_ISREG(inode->mode))
		return;
	walked->sum.files++;
	walked->sum.logical_bytes += inode->size_bytes;
	if (!inode->packed)
		return;
	walked->sum.packed_files++;
	must(ledger_set(w->cat, inode->ino, &set, &w->err));
	must(store_share(w->store, &inode->content, &set, &share, &w->err));
	walked->own_q64 += share.own_q64;
	walked->sum.exclusive_bytes += share.exclusive_bytes;
}

static int walk_entry(void *ctx, const struct catalog_walk_entry *entry,
		      struct error *err)
{
	(void)err;
	walk_inode(ctx, &entry->inode);
	return 0;
}

static void assert_as_walked(struct world *w, uint64_t dir)
{
	struct walked walked = { .w = w };
	struct ledger_footprint fp = of(w, dir);
	struct catalog_inode inode;

	must(catalog_inode_get(w->cat, dir, 0, &inode, &w->err));
	walk_inode(&walked, &inode);
	must(catalog_walk(w->cat, dir, walk_entry, &walked, &w->err));
	ino_set_release(&walked.seen);
	assert_int_equal(fp.files, walked.sum.files);
	assert_int_equal(fp.packed_files, walked.sum.packed_files);
	assert_int_equal(fp.logical_bytes, walked.sum.logical_bytes);
	assert_int_equal(fp.hot_bytes, walked.sum.hot_bytes);
	assert_int_equal(fp.packed_bytes, store_share_bytes(walked.own_q64));
	assert_int_equal(fp.exclusive_bytes, walked.sum.exclusive_bytes);
}

static void assert_all_as_walked(struct world *w)
{
	assert_as_walked(w, ROOT_INO);
	assert_as_walked(w, VILLE);
	assert_as_walked(w, URBANISME);
	assert_as_walked(w, COMDIR);
	assert_as_walked(w, DIVERS);
	assert_balanced(w);
}

/* Each step is one that the sums of folders must follow. */
static void a_directory_holds_what_a_walk_finds(void **state)
{
	struct world *w = *state;
	struct catalog_inode link = inode_of(105, S_IFLNK | 0777);
	struct catalog_inode gone = file_of(101, 1536);

	make_file(w, URBANISME, "a", 100, 512);
	make_file(w, VILLE, "b", 101, 1536);
	make_file(w, COMDIR, "c", 102, 2048);
	make_file(w, DIVERS, "d", 103, 4096);
	make_file(w, DIVERS, "empty", 104, 0);
	link.size_bytes = 9;
	post(w, CATALOG_EVENT_INODE, &link);
	post_name(w, DIVERS, "link", 105);
	flush(w);
	assert_all_as_walked(w);
	(void)pack(w, 100, "xy");
	(void)pack(w, 102, "yz");
	(void)pack(w, 103, "x");
	count(w);
	assert_all_as_walked(w);
	post_name(w, COMDIR, "b too", 101);
	post_name(w, COMDIR, "a too", 100);
	flush(w);
	count(w);
	assert_all_as_walked(w);
	post_move(w, VILLE, "Urbanisme", DIVERS, "Urbanisme");
	flush(w);
	count(w);
	assert_all_as_walked(w);
	post_unname(w, URBANISME, "a");
	post_unname(w, VILLE, "b");
	flush(w);
	count(w);
	assert_all_as_walked(w);
	unpack(w, 102);
	post_unname(w, COMDIR, "b too");
	flush(w);
	count(w);
	assert_all_as_walked(w); /* b is nameless */
	post(w, CATALOG_EVENT_GONE, &gone);
	post_move(w, ROOT_INO, "Com", DIVERS, "Com");
	flush(w);
	count(w);
	assert_all_as_walked(w);
}

static void more_directories_than_asked_for_are_too_many(void **state)
{
	struct world *w = *state;
	struct ledger_footprint fp;

	must(ledger_footprint_within(w->cat, w->store, ROOT_INO, 4, &fp,
				     &w->err));
	assert_int_equal(ledger_footprint_within(w->cat, w->store, ROOT_INO, 3,
						 &fp, &w->err),
			 -E2BIG);
	must(ledger_footprint_within(w->cat, w->store, VILLE, 1, &fp, &w->err));
	must(ledger_footprint_within(w->cat, w->store, COMDIR, 0, &fp,
				     &w->err));
}

/* Damaged rows may say so; it must end, and count each once. */
static void a_directory_below_itself_is_met_once(void **state)
{
	struct world *w = *state;

	make_file(w, URBANISME, "a", 100, 512);
	flush(w);
	change(w, "UPDATE folder SET parent = 11 WHERE ino = 10");
	assert_int_equal(of(w, VILLE).files, 1);
	assert_int_equal(of(w, URBANISME).hot_bytes, 512);
}

static void sparse_giants_do_not_overflow(void **state)
{
	struct world *w = *state;
	const uint64_t bytes = (uint64_t)CHARGE_BYTES_MAX;

	for (uint64_t i = 0; i < 5; i++) {
		char name[] = { (char)('a' + i), '\0' };

		make_file(w, COMDIR, name, 100 + i, bytes * 1000 + i * 512);
	}
	flush(w);
	assert_int_equal(of(w, ROOT_INO).logical_bytes, 5 * bytes);
	assert_balanced(w);
}

/* Never wrong figures: rather none, for as long as it lasts. */
static void a_directory_has_no_figures_while_a_recharge_is_due(void **state)
{
	static const bool go_on = false;
	struct world *w = *state;
	struct ledger_footprint fp;

	make_file(w, COMDIR, "c", 100, 512);
	flush(w);
	must(catalog_begin(w->cat, &w->err));
	must(recharge_note(w->ledger, &w->err));
	must(catalog_commit(w->cat, &w->err));
	assert_int_equal(
		ledger_footprint(w->cat, w->store, COMDIR, &fp, &w->err),
		-EAGAIN);
	assert_int_equal(of(w, 100).hot_bytes, 512);
	must(ledger_recharge(w->ledger, &go_on, &w->err));
	assert_int_equal(of(w, COMDIR).hot_bytes, 512);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(a_directory_counts_a_hard_link_once),
		WORLD(shares_of_all_files_add_up_to_what_is_stored),
		WORLD(a_department_that_holds_it_twice_pays_once),
		WORLD(what_is_not_charged_yet_is_unknown),
		WORLD(a_directory_holds_what_a_walk_finds),
		WORLD(more_directories_than_asked_for_are_too_many),
		WORLD(a_directory_below_itself_is_met_once),
		WORLD(sparse_giants_do_not_overflow),
		WORLD(a_directory_has_no_figures_while_a_recharge_is_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
