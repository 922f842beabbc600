/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/ledger/support.h"

static const bool go_on = false;

static const char *const ville[] = { "/Ville" };
static const struct ledger_department only_com[] = {
	{ .id = "com", .name = "", .paths = ville, .n_paths = 1 },
};

static void make_some(struct world *w)
{
	make_file(w, URBANISME, "a", 100, 512);
	make_file(w, VILLE, "b", 101, 1024);
	make_file(w, COMDIR, "c", 102, 2048);
	make_file(w, DIVERS, "d", 103, 4096);
	flush(w);
}

static int recharge_again(struct world *w)
{
	int rc = catalog_begin(w->cat, &w->err);

	if (rc == 0)
		rc = recharge_note(w->ledger, &w->err);
	if (rc == 0)
		rc = catalog_commit(w->cat, &w->err);
	return rc < 0 ? rc : ledger_recharge(w->ledger, &go_on, &w->err);
}

static void a_new_drive_needs_none(void **state)
{
	struct world *w = *state;

	assert_false(ledger_needs_recharge(w->ledger));
	make_some(w);
	world_shut(w);
	world_open(w);
	assert_false(ledger_needs_recharge(w->ledger));
}

/* As after the migration, with contents that nobody was told of. */
static void a_drive_of_before_the_ledger_is_charged(void **state)
{
	struct world *w = *state;

	world_open_catalog(w);
	world_open_store(w);
	make_tree(w);
	make_some(w);
	(void)pack(w, 101, "x");
	pass(w, 1000);
	world_open_ledger(w);
	assert_true(ledger_needs_recharge(w->ledger));
	assert_true(ledger_check(w->cat, w->store, NULL, NULL, &w->err) > 0);
	must(ledger_recharge(w->ledger, &go_on, &w->err));
	assert_false(ledger_needs_recharge(w->ledger));
	assert_int_equal(held(w, TIER_HOT, SET(URB)), 512);
	assert_true(held(w, TIER_PACKED, SET(DEJ)) >= 300000);
	assert_balanced(w);
	world_shut(w);
	world_open(w);
	assert_false(ledger_needs_recharge(w->ledger));
}

static void other_departments_make_it_due(void **state)
{
	struct world *w = *state;

	make_some(w);
	(void)pack(w, 101, "x");
	pass(w, 100);
	world_shut(w);
	w->departments = only_com;
	w->n = 1;
	world_open(w);
	assert_true(ledger_needs_recharge(w->ledger));
	/* What moves before it is charged by the new rules. */
	post_move(w, ROOT_INO, "Com", VILLE, "Com");
	flush(w);
	must(ledger_recharge(w->ledger, &go_on, &w->err));
	assert_int_equal(held(w, TIER_HOT, SET(COM)), 512 + 2048);
	assert_int_equal(held(w, TIER_HOT, SET(0)), 4096);
	assert_int_equal(held(w, TIER_HOT, SET(URB)), 0);
	assert_int_equal(held(w, TIER_PACKED, SET(DEJ)), 0);
	assert_true(held(w, TIER_PACKED, SET(COM)) >= 300000);
	/* The past stays as it was. */
	assert_true(in_month(w, 2026 * 12 + 8, TIER_HOT, SET(URB)) ==
		    512 * 100);
	assert_balanced(w);
}

static void another_name_alone_does_not(void **state)
{
	struct world *w = *state;
	struct ledger_department renamed[3];

	make_some(w);
	world_shut(w);
	memcpy(renamed, w->departments, sizeof(renamed));
	renamed[0].name = "Urba";
	w->departments = renamed;
	world_open(w);
	assert_false(ledger_needs_recharge(w->ledger));
	world_shut(w);
}

static void what_was_written_without_the_ledger_makes_it_due(void **state)
{
	struct world *w = *state;

	make_some(w);
	world_shut(w);
	world_open_catalog(w);
	make_file(w, COMDIR, "z", 104, 8192);
	flush(w);
	catalog_close(w->cat);
	world_open(w);
	assert_true(ledger_needs_recharge(w->ledger));
	must(ledger_recharge(w->ledger, &go_on, &w->err));
	assert_int_equal(held(w, TIER_HOT, SET(COM)), 2048 + 8192);
	assert_balanced(w);
}

static void a_recount_starts_from_nothing(void **state)
{
	struct world *w = *state;
	uint64_t one = 0;

	make_some(w);
	(void)pack(w, 100, "x");
	(void)pack(w, 101, "x");
	one = held(w, TIER_PACKED, SET(URB, DEJ));
	assert_true(one > 0);
	/* As after uses that didn't add up. */
	change(w, "UPDATE chunk SET users = NULL");
	must(catalog_meta_set(w->cat, STORE_META_RECOUNT, 1, &w->err));
	assert_true(ledger_check(w->cat, w->store, NULL, NULL, &w->err) > 0);
	assert_true(ledger_needs_recharge(w->ledger));
	must(ledger_recharge(w->ledger, &go_on, &w->err));
	assert_false(ledger_needs_recharge(w->ledger));
	assert_int_equal(held(w, TIER_PACKED, SET(URB, DEJ)), one);
	assert_balanced(w);
}

static void one_that_was_stopped_goes_on_where_it_was(void **state)
{
	struct world *w = *state;
	const bool stop = true;

	world_open_catalog(w);
	world_open_store(w);
	make_tree(w);
	for (uint64_t ino = 1000; ino < 6000; ino++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "f%d", (int)ino);
		make_file(w, COMDIR, name, ino, 512);
	}
	flush(w);
	world_open_ledger(w);
	assert_int_equal(ledger_recharge(w->ledger, &stop, &w->err),
			 -ECANCELED);
	/* As if it had come this far. */
	must(catalog_meta_set(w->cat, META_RECHARGE_AT, 2499, &w->err));
	world_shut(w);
	world_open(w);
	assert_true(ledger_needs_recharge(w->ledger));
	must(ledger_recharge(w->ledger, &go_on, &w->err));
	assert_false(ledger_needs_recharge(w->ledger));
	assert_int_equal(held(w, TIER_HOT, SET(COM)), 512 * 3500);
	must(recharge_again(w));
	assert_int_equal(held(w, TIER_HOT, SET(COM)), 512 * 5000);
	assert_balanced(w);
}

/* As a recharge does that has come this far. */
static void look_again(struct world *w, uint64_t ino)
{
	must(catalog_begin(w->cat, &w->err));
	must(catalog_touch(w->cat, ino, &w->err));
	must(catalog_commit(w->cat, &w->err));
}

static void
what_moves_between_two_of_its_transactions_is_not_missed(void **state)
{
	struct world *w = *state;

	world_open_catalog(w);
	make_tree(w);
	make_dir(w, COMDIR, "d", 2000);
	make_file(w, 2000, "a", 100, 512);
	flush(w);
	world_open_ledger(w);
	look_again(w, 100);
	assert_int_equal(held(w, TIER_HOT, SET(COM)), 512);
	post_move(w, COMDIR, "d", VILLE, "d");
	flush(w);
	assert_int_equal(held(w, TIER_HOT, SET(COM)), 0);
	assert_int_equal(held(w, TIER_HOT, SET(DEJ)), 512);
}

/* Where a directory is was told by another configuration's numbers. */
static void other_departments_make_places_unknown(void **state)
{
	static const char *const com[] = { "/Com" };
	static const char *const divers[] = { "/Divers" };
	static const struct ledger_department one[] = {
		{ .id = "com", .name = "", .paths = com, .n_paths = 1 }
	};
	static const struct ledger_department two[] = {
		{ .id = "com", .name = "", .paths = divers, .n_paths = 1 }
	};
	struct world *w = *state;

	world_shut(w);
	w->departments = one;
	w->n = 1;
	world_open(w);
	must(recharge_again(w));
	make_dir(w, COMDIR, "d", 20);
	make_file(w, 20, "a", 100, 512);
	flush(w);
	world_shut(w);
	w->departments = two;
	world_open(w);
	look_again(w, 100);
	assert_int_equal(held(w, TIER_HOT, SET(0)), 512);
	post_move(w, COMDIR, "d", DIVERS, "d");
	flush(w);
	assert_int_equal(held(w, TIER_HOT, SET(COM)), 512);
}

static void charges_of_inodes_that_are_gone_go(void **state)
{
	struct world *w = *state;

	make_some(w);
	change(w, "INSERT INTO charge(ino, btime_ns, place, members, blocks,"
		  " size_bytes) VALUES(999, 1, 0, x'0100', 8, 0)");
	change(w, "UPDATE holding SET bytes = bytes + 4096"
		  " WHERE members = x'0100' AND tier = 0");
	assert_true(ledger_check(w->cat, w->store, NULL, NULL, &w->err) > 0);
	must(recharge_again(w));
	assert_int_equal(held(w, TIER_HOT, SET(URB)), 512);
	assert_balanced(w);
}

/* Sums of folders that can't be trusted are made again from the charges. */
static void folders_are_counted_again(void **state)
{
	struct world *w = *state;
	struct ledger_footprint before = { .files = 0 };
	struct ledger_footprint after = { .files = 0 };

	make_some(w);
	(void)pack(w, 100, "xy");
	(void)pack(w, 102, "yz");
	post_name(w, DIVERS, "b too", 101);
	flush(w);
	count(w);
	must(ledger_footprint(w->cat, w->store, ROOT_INO, &before, &w->err));
	change(w, "UPDATE folder SET files = 9, own_high = 7, parent = 12");
	change(w, "DELETE FROM folder WHERE ino = 12");
	change(w, "DELETE FROM apart");
	change(w, "UPDATE charge SET own_high = own_high + 1"
		  " WHERE content IS NOT NULL");
	assert_true(ledger_check(w->cat, w->store, NULL, NULL, &w->err) > 0);
	must(recharge_again(w));
	assert_true(ledger_shares_due(w->ledger));
	count(w);
	must(ledger_footprint(w->cat, w->store, ROOT_INO, &after, &w->err));
	assert_memory_equal(&before, &after,
			    offsetof(struct ledger_footprint, shares_current));
	assert_true(after.shares_current);
	assert_balanced(w);
}

/* As the migration leaves a drive that an earlier sobrefs charged. */
static void a_drive_of_schema_2_is_charged_again(void **state)
{
	struct world *w = *state;
	struct ledger_footprint fp;

	make_some(w);
	(void)pack(w, 101, "x");
	world_shut(w);
	world_open_catalog(w);
	change(w, "DELETE FROM folder");
	change(w, "DELETE FROM apart");
	change(w, "UPDATE charge SET parent = 0, regular = 0, own_high = 0,"
		  " own_low = 0, exclusive_bytes = 0");
	must(catalog_meta_set(w->cat, META_RECHARGE, RECHARGE_DUE, &w->err));
	catalog_close(w->cat);
	world_open(w);
	assert_true(ledger_needs_recharge(w->ledger));
	/* What happens before it is counted too, once. */
	post_move(w, VILLE, "b", COMDIR, "b");
	make_file(w, COMDIR, "new", 104, 512);
	flush(w);
	must(ledger_recharge(w->ledger, &go_on, &w->err));
	count(w);
	must(ledger_footprint(w->cat, w->store, COMDIR, &fp, &w->err));
	assert_int_equal(fp.files, 3);
	assert_int_equal(fp.hot_bytes, 2048 + 512);
	assert_true(fp.packed_bytes >= 300000);
	assert_balanced(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(a_new_drive_needs_none),
		WORLD_SHUT(a_drive_of_before_the_ledger_is_charged),
		WORLD(other_departments_make_it_due),
		WORLD(another_name_alone_does_not),
		WORLD(what_was_written_without_the_ledger_makes_it_due),
		WORLD(a_recount_starts_from_nothing),
		WORLD_SHUT(one_that_was_stopped_goes_on_where_it_was),
		WORLD_SHUT(
			what_moves_between_two_of_its_transactions_is_not_missed),
		WORLD(other_departments_make_places_unknown),
		WORLD(charges_of_inodes_that_are_gone_go),
		WORLD(folders_are_counted_again),
		WORLD(a_drive_of_schema_2_is_charged_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
