/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/ledger/support.h"

static struct ledger_shares shares(struct world *w)
{
	struct ledger_shares s;

	ledger_shares(w->cat, &s);
	return s;
}

static uint64_t packed(struct world *w, uint64_t ino)
{
	struct ledger_footprint fp;

	must(ledger_footprint(w->cat, w->store, ino, &fp, &w->err));
	return fp.packed_bytes;
}

static void make_two(struct world *w)
{
	make_file(w, URBANISME, "a", 100, 512);
	make_file(w, COMDIR, "b", 101, 512);
	flush(w);
}

static void what_nobody_shares_needs_no_pass(void **state)
{
	struct world *w = *state;

	make_two(w);
	(void)pack(w, 100, "xy");
	(void)pack(w, 101, "z");
	assert_true(shares(w).current);
	assert_false(shares(w).counted);
	assert_false(ledger_shares_due(w->ledger));
	assert_int_equal(packed(w, COMDIR), packed(w, 101));
	unpack(w, 101);
	assert_true(shares(w).current);
	assert_int_equal(packed(w, COMDIR), 0);
	assert_balanced(w);
}

static void another_user_makes_a_pass_due_and_the_pass_exact(void **state)
{
	struct world *w = *state;
	uint64_t alone = 0;

	make_two(w);
	(void)pack(w, 100, "xyz");
	alone = packed(w, 100);
	(void)pack(w, 101, "xyz");
	assert_false(shares(w).current);
	assert_true(ledger_shares_due(w->ledger));
	/* As it was counted; the file itself is looked at afresh. */
	assert_int_equal(packed(w, URBANISME), alone);
	assert_true(packed(w, 100) < alone);
	pass(w, 100);
	count(w);
	assert_true(shares(w).current);
	assert_true(shares(w).counted);
	assert_int_equal(shares(w).counted_s, SEPTEMBER + 100);
	assert_false(ledger_shares_due(w->ledger));
	assert_int_equal(packed(w, URBANISME), packed(w, 100));
	assert_int_equal(packed(w, ROOT_INO), alone);
	assert_balanced(w);
	/* And one less. */
	unpack(w, 101);
	assert_false(shares(w).current);
	count(w);
	assert_int_equal(packed(w, URBANISME), alone);
	assert_balanced(w);
}

static void a_move_to_another_department_changes_shares(void **state)
{
	struct world *w = *state;

	make_two(w);
	(void)pack(w, 100, "x");
	(void)pack(w, 101, "x");
	count(w);
	post_move(w, COMDIR, "b", URBANISME, "b");
	flush(w);
	assert_false(shares(w).current);
	count(w);
	assert_int_equal(packed(w, COMDIR), 0);
	assert_int_equal(packed(w, URBANISME), held(w, TIER_PACKED, SET(URB)));
	assert_balanced(w);
}

static void what_changes_during_a_pass_leaves_it_not_current(void **state)
{
	struct world *w = *state;

	make_two(w);
	make_file(w, DIVERS, "c", 102, 512);
	flush(w);
	(void)pack(w, 100, "x");
	(void)pack(w, 101, "x");
	/* It has begun, and looks at nothing yet. */
	must(catalog_meta_set(w->cat, META_SHARES_DIRTY, 0, &w->err));
	must(catalog_meta_set(w->cat, META_SHARES_RUNS, 1, &w->err));
	must(catalog_meta_set(w->cat, META_SHARES_AT, 100, &w->err));
	assert_true(ledger_shares_due(w->ledger));
	assert_false(shares(w).current);
	(void)pack(w, 102, "x");
	count(w);
	assert_true(shares(w).counted);
	assert_false(shares(w).current);
	count(w);
	assert_true(shares(w).current);
	assert_balanced(w);
}

static void a_pass_that_was_stopped_goes_on_where_it_was(void **state)
{
	static const bool stop = true;
	struct world *w = *state;

	for (uint64_t ino = 1000; ino < 1600; ino++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "f%d", (int)ino);
		make_file(w, ino % 2 ? COMDIR : URBANISME, name, ino, 512);
	}
	flush(w);
	for (uint64_t ino = 1000; ino < 1600; ino++)
		(void)pack(w, ino, "x");
	assert_int_equal(ledger_count_shares(w->ledger, 0, &stop, &w->err),
			 -ECANCELED);
	assert_int_equal(ledger_count_shares(w->ledger, 256, NULL, &w->err), 1);
	assert_int_equal(ask(w, "SELECT value FROM meta"
				" WHERE key = 'ledger_shares_at'"),
			 1255);
	assert_false(shares(w).current);
	world_shut(w);
	world_open(w);
	assert_true(ledger_shares_due(w->ledger));
	count(w);
	assert_true(shares(w).current);
	assert_int_equal(packed(w, ROOT_INO),
			 held(w, TIER_PACKED, SET(URB, COM)));
	assert_balanced(w);
	/* And when it has nothing to write. */
	assert_int_equal(ledger_count_shares(w->ledger, 256, NULL, &w->err), 1);
	assert_int_equal(ask(w, "SELECT value FROM meta"
				" WHERE key = 'ledger_shares_at'"),
			 1255);
}

static void many_packed_files_are_counted_once_a_day(void **state)
{
	struct world *w = *state;

	make_two(w);
	(void)pack(w, 100, "x");
	count(w);
	(void)pack(w, 101, "x");
	assert_true(ledger_shares_due(w->ledger));
	change(w, "UPDATE total SET packed = packed + 50000");
	assert_false(ledger_shares_due(w->ledger));
	pass(w, 24 * HOUR);
	assert_true(ledger_shares_due(w->ledger));
	change(w, "UPDATE total SET packed = packed - 50000");
}

/* Other numbers of extents, the same files. */
static void stored_bytes_that_change_by_themselves_are_noticed(void **state)
{
	const struct dept_set set = SET(COM);
	struct world *w = *state;

	make_two(w);
	(void)pack(w, 101, "x");
	assert_true(shares(w).current);
	must(catalog_begin(w->cat, &w->err));
	must(ledger_charged(w->ledger, &set, 5, false, &w->err));
	must(ledger_charged(w->ledger, &set, -5, false, &w->err));
	must(catalog_commit(w->cat, &w->err));
	assert_false(shares(w).current);
}

static void a_rollback_leaves_nothing_counted(void **state)
{
	struct world *w = *state;
	struct catalog_inode inode;
	struct store_put_result put;
	uint64_t size = 0;
	cleanup_fd int fd = file_of_pieces("x", &size);

	make_two(w);
	(void)pack(w, 100, "x");
	must(catalog_inode_get(w->cat, 101, 0, &inode, &w->err));
	inode.size_bytes = size;
	inode.blocks = 0;
	must(catalog_begin(w->cat, &w->err));
	must(store_put(w->store, fd, size, &put, &w->err));
	must(catalog_inode_pack(w->cat, &inode, &put.content, &w->err));
	must(store_sync(w->store, &w->err));
	catalog_rollback(w->cat);
	store_abort(w->store);
	assert_true(shares(w).current);
	assert_int_equal(packed(w, COMDIR), 0);
	assert_balanced(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(what_nobody_shares_needs_no_pass),
		WORLD(another_user_makes_a_pass_due_and_the_pass_exact),
		WORLD(a_move_to_another_department_changes_shares),
		WORLD(what_changes_during_a_pass_leaves_it_not_current),
		WORLD(a_pass_that_was_stopped_goes_on_where_it_was),
		WORLD(many_packed_files_are_counted_once_a_day),
		WORLD(stored_bytes_that_change_by_themselves_are_noticed),
		WORLD(a_rollback_leaves_nothing_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
