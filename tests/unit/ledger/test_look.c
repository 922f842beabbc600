/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/ledger/support.h"

static void a_file_is_of_the_department_of_its_path(void **state)
{
	struct world *w = *state;

	make_file(w, URBANISME, "plan.pdf", 100, 5120);
	make_file(w, VILLE, "note", 101, 512);
	make_file(w, COMDIR, "affiche", 102, 1024);
	make_file(w, DIVERS, "x", 103, 2048);
	flush(w);
	assert_int_equal(held(w, TIER_HOT, SET(URB)), 5120);
	assert_int_equal(held(w, TIER_HOT, SET(DEJ)), 512);
	assert_int_equal(held(w, TIER_HOT, SET(COM)), 1024);
	assert_int_equal(held(w, TIER_HOT, SET(0)), 2048);
	assert_int_equal(held(w, TIER_LOGICAL, SET(URB)), 5120);
	assert_balanced(w);
}

static void outside_all_paths_the_group_tells(void **state)
{
	struct world *w = *state;
	struct catalog_inode inode = file_of(100, 512);

	inode.gid = 300;
	post(w, CATALOG_EVENT_INODE, &inode);
	post_name(w, DIVERS, "x", 100);
	inode.ino = 101;
	post(w, CATALOG_EVENT_INODE, &inode);
	post_name(w, COMDIR, "y", 101);
	flush(w);
	assert_int_equal(held(w, TIER_HOT, SET(DEJ)), 512);
	assert_int_equal(held(w, TIER_HOT, SET(COM)), 512);
	inode.ino = 100;
	inode.gid = 301;
	post(w, CATALOG_EVENT_INODE, &inode);
	flush(w);
	assert_int_equal(held(w, TIER_HOT, SET(DEJ)), 0);
	assert_int_equal(held(w, TIER_HOT, SET(0)), 512);
	assert_balanced(w);
}

static void a_file_may_be_configured_itself(void **state)
{
	struct world *w = *state;
	static const char *const paths[] = { "/Divers/journal.txt" };
	const struct ledger_department one = {
		.id = "urb", .name = "", .paths = paths, .n_paths = 1
	};

	w->departments = &one;
	w->n = 1;
	world_shut(w);
	world_open(w);
	make_file(w, DIVERS, "journal.txt", 100, 512);
	make_file(w, DIVERS, "journal.txt2", 101, 1024);
	flush(w);
	assert_int_equal(held(w, TIER_HOT, SET(URB)), 512);
	assert_int_equal(held(w, TIER_HOT, SET(0)), 1024);
}

static void links_in_two_departments_are_of_both(void **state)
{
	struct world *w = *state;

	make_file(w, URBANISME, "a", 100, 512);
	post_name(w, COMDIR, "b", 100);
	post_name(w, COMDIR, "c", 100);
	flush(w);
	assert_int_equal(held(w, TIER_HOT, SET(URB, COM)), 512);
	post_unname(w, URBANISME, "a");
	flush(w);
	assert_int_equal(held(w, TIER_HOT, SET(URB, COM)), 0);
	assert_int_equal(held(w, TIER_HOT, SET(COM)), 512);
	post_unname(w, COMDIR, "b");
	flush(w);
	assert_int_equal(held(w, TIER_HOT, SET(COM)), 512);
	assert_balanced(w);
}

static void a_file_removed_while_open_stays_whose_it_was(void **state)
{
	struct world *w = *state;
	struct catalog_inode inode = file_of(100, 512);

	make_file(w, URBANISME, "a", 100, 512);
	flush(w);
	post_unname(w, URBANISME, "a");
	flush(w);
	assert_int_equal(held(w, TIER_HOT, SET(URB)), 512);
	inode.blocks = 4;
	inode.size_bytes = 2048;
	post(w, CATALOG_EVENT_INODE, &inode);
	flush(w);
	assert_int_equal(held(w, TIER_HOT, SET(URB)), 2048);
	post(w, CATALOG_EVENT_GONE, &inode);
	flush(w);
	assert_int_equal(held(w, TIER_HOT, SET(URB)), 0);
	assert_int_equal(ask(w, "SELECT count(*) FROM charge WHERE ino = 100"),
			 0);
	assert_balanced(w);
}

static void an_inode_number_used_again_is_another_file(void **state)
{
	struct world *w = *state;
	struct catalog_inode inode = file_of(100, 1024);

	make_file(w, URBANISME, "a", 100, 512);
	flush(w);
	post_unname(w, URBANISME, "a");
	inode.btime_ns = 78;
	post(w, CATALOG_EVENT_INODE, &inode);
	flush(w);
	assert_int_equal(held(w, TIER_HOT, SET(URB)), 0);
	assert_int_equal(held(w, TIER_HOT, SET(0)), 1024);
	assert_balanced(w);
}

/* /Ville/d/e with files, moved to /Com */
static void a_directory_that_moves_takes_all_below_with_it(void **state)
{
	struct world *w = *state;

	make_dir(w, VILLE, "d", 20);
	make_dir(w, 20, "e", 21);
	for (uint64_t ino = 100; ino < 150; ino++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "f%d", (int)ino);
		make_file(w, ino % 2 ? 20 : 21, name, ino, 512);
	}
	flush(w);
	assert_int_equal(held(w, TIER_HOT, SET(DEJ)), 50 * 512);
	post_move(w, VILLE, "d", COMDIR, "dd");
	flush(w);
	assert_int_equal(held(w, TIER_HOT, SET(DEJ)), 0);
	assert_int_equal(held(w, TIER_HOT, SET(COM)), 50 * 512);
	assert_balanced(w);
}

/* Nobody's directory, but a department's path goes through it. */
static void a_directory_above_a_configured_path_moves(void **state)
{
	struct world *w = *state;

	make_file(w, URBANISME, "a", 100, 512);
	make_dir(w, DIVERS, "Urbanisme", 20);
	make_file(w, 20, "b", 101, 1024);
	flush(w);
	post_move(w, ROOT_INO, "Ville", ROOT_INO, "Ancien");
	flush(w);
	assert_int_equal(held(w, TIER_HOT, SET(0)), 1536);
	post_move(w, ROOT_INO, "Divers", ROOT_INO, "Ville");
	flush(w);
	assert_int_equal(held(w, TIER_HOT, SET(URB)), 1024);
	assert_int_equal(held(w, TIER_HOT, SET(0)), 512);
	assert_balanced(w);
}

static void names_may_come_before_what_they_name(void **state)
{
	struct world *w = *state;

	post_name(w, 20, "a", 100);
	flush(w);
	post(w, CATALOG_EVENT_INODE,
	     &(const struct catalog_inode){ .ino = 100,
					    .btime_ns = 77,
					    .mode = S_IFREG | 0600,
					    .nlink = 1,
					    .blocks = 1,
					    .size_bytes = 512 });
	flush(w);
	assert_int_equal(held(w, TIER_HOT, SET(0)), 512);
	post_name(w, COMDIR, "d", 20);
	flush(w);
	make_dir(w, COMDIR, "d", 20);
	flush(w);
	assert_int_equal(held(w, TIER_HOT, SET(0)), 0);
	assert_int_equal(held(w, TIER_HOT, SET(COM)), 512);
	assert_balanced(w);
}

/* A directory's row is lost and found again elsewhere. */
static void a_directory_unknown_for_a_while_is_not_forgotten(void **state)
{
	struct world *w = *state;
	const struct catalog_inode dir = inode_of(20, S_IFDIR | 0750);

	make_dir(w, COMDIR, "d", 20);
	make_file(w, 20, "a", 100, 512);
	flush(w);
	post(w, CATALOG_EVENT_GONE, &dir);
	flush(w);
	assert_int_equal(held(w, TIER_HOT, SET(COM)), 512);
	assert_balanced(w);
	post_unname(w, COMDIR, "d");
	make_dir(w, VILLE, "d", 20);
	flush(w);
	assert_int_equal(held(w, TIER_HOT, SET(DEJ)), 512);
	assert_balanced(w);
}

static void a_loop_of_names_ends(void **state)
{
	struct world *w = *state;

	make_dir(w, 21, "up", 20);
	make_dir(w, 20, "down", 21);
	make_file(w, 21, "a", 100, 512);
	flush(w);
	assert_int_equal(held(w, TIER_HOT, SET(0)), 512);
	assert_balanced(w);
}

/* What a directory tree is at the end of a transaction counts, not the way
 * there. */
static void the_order_of_events_does_not_matter(void **state)
{
	struct world *w = *state;
	uint64_t x = 88172645463325252u;
	uint64_t want = 0;

	for (unsigned int round = 0; round < 12; round++) {
		uint64_t order[40];

		for (uint64_t i = 0; i < 40; i++)
			order[i] = i;
		for (size_t i = 39; i > 0; i--) {
			size_t j = 0;
			uint64_t t = order[i];

			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			j = (size_t)(x % (i + 1));
			order[i] = order[j];
			order[j] = t;
		}
		/* 20 directories in one another from /Com, a file in each. */
		for (size_t i = 0; i < 40; i++) {
			uint64_t ino = 1000 * (round + 1) + order[i];
			uint64_t d = 1000 * (round + 1) + order[i] % 20;

			if (order[i] < 20)
				make_dir(w, order[i] == 0 ? COMDIR : d - 1,
					 round % 2 ? "d" : "e", d);
			else
				make_file(w, d, "f", ino, 512 * order[i]);
		}
		flush(w);
		for (uint64_t i = 20; i < 40; i++)
			want += 512 * i;
		post_unname(w, COMDIR, round % 2 ? "d" : "e");
		assert_int_equal(held(w, TIER_HOT, SET(COM)), want);
		assert_balanced(w);
	}
}

static void a_bad_charge_is_taken_for_none(void **state)
{
	struct world *w = *state;
	const bool go_on = false;

	make_file(w, COMDIR, "a", 100, 512);
	flush(w);
	change(w, "UPDATE charge SET members = x'010001' WHERE ino = 100");
	assert_false(ledger_needs_recharge(w->ledger));
	post_name(w, DIVERS, "b", 100);
	flush(w);
	assert_true(ledger_needs_recharge(w->ledger));
	must(ledger_recharge(w->ledger, &go_on, &w->err));
	assert_int_equal(held(w, TIER_HOT, SET(0, COM)), 512);
	assert_int_equal(held(w, TIER_HOT, SET(COM)), 0);
	assert_balanced(w);
}

static void what_a_rollback_undid_is_not_charged(void **state)
{
	struct world *w = *state;
	const struct catalog_inode inode = file_of(100, 512);

	must(catalog_begin(w->cat, &w->err));
	must(catalog_inode_put(w->cat, &inode, &w->err));
	must(catalog_name_put(w->cat, COMDIR, "a", 100, &w->err));
	catalog_rollback(w->cat);
	make_file(w, DIVERS, "b", 101, 1024);
	flush(w);
	assert_int_equal(held(w, TIER_HOT, SET(COM)), 0);
	assert_int_equal(held(w, TIER_HOT, SET(0)), 1024);
	assert_balanced(w);
}

static void packed_bytes_are_of_those_who_hold_them(void **state)
{
	struct world *w = *state;
	uint64_t one = 0;

	make_file(w, COMDIR, "a", 100, 512);
	make_file(w, URBANISME, "b", 101, 512);
	make_file(w, COMDIR, "c", 102, 512);
	flush(w);
	(void)pack(w, 100, "x");
	one = held(w, TIER_PACKED, SET(COM));
	assert_true(one >= 300000);
	assert_int_equal(held(w, TIER_HOT, SET(COM)), 512);
	assert_int_equal(held(w, TIER_LOGICAL, SET(COM)), 300512);
	/* The same in two departments; again in one of them. */
	(void)pack(w, 101, "x");
	assert_int_equal(held(w, TIER_PACKED, SET(URB, COM)), one);
	assert_int_equal(held(w, TIER_PACKED, SET(COM)), 0);
	(void)pack(w, 102, "x");
	assert_int_equal(held(w, TIER_PACKED, SET(URB, COM)), one);
	assert_balanced(w);
	unpack(w, 101);
	assert_int_equal(held(w, TIER_PACKED, SET(COM)), one);
	assert_int_equal(held(w, TIER_HOT, SET(URB)), 300000 / 512 * 512);
	post_move(w, COMDIR, "a", VILLE, "a");
	flush(w);
	assert_int_equal(held(w, TIER_PACKED, SET(DEJ, COM)), one);
	unpack(w, 100);
	unpack(w, 102);
	assert_int_equal(held(w, TIER_PACKED, SET(DEJ, COM)), 0);
	assert_int_equal(held(w, TIER_PACKED, SET(COM)), 0);
	assert_balanced(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(a_file_is_of_the_department_of_its_path),
		WORLD(outside_all_paths_the_group_tells),
		WORLD(a_file_may_be_configured_itself),
		WORLD(links_in_two_departments_are_of_both),
		WORLD(a_file_removed_while_open_stays_whose_it_was),
		WORLD(an_inode_number_used_again_is_another_file),
		WORLD(a_directory_that_moves_takes_all_below_with_it),
		WORLD(a_directory_above_a_configured_path_moves),
		WORLD(names_may_come_before_what_they_name),
		WORLD(a_directory_unknown_for_a_while_is_not_forgotten),
		WORLD(a_loop_of_names_ends),
		WORLD(the_order_of_events_does_not_matter),
		WORLD(a_bad_charge_is_taken_for_none),
		WORLD(what_a_rollback_undid_is_not_charged),
		WORLD(packed_bytes_are_of_those_who_hold_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
