/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/catalog/support.h"

#define ROOT 2

static void begin_scan(struct fixture *f)
{
	must(catalog_begin(f->cat, &f->err));
	must(catalog_scan_begin(f->cat, &f->err));
	must(catalog_commit(f->cat, &f->err));
}

static void end_scan(struct fixture *f)
{
	must(catalog_begin(f->cat, &f->err));
	must(catalog_scan_end(f->cat, &f->err));
	must(catalog_commit(f->cat, &f->err));
}

static void visit(struct fixture *f, uint64_t parent, const char *name,
		  uint64_t ino, bool is_dir)
{
	struct catalog_inode inode = file_of(ino);

	if (is_dir)
		inode.mode = S_IFDIR | 0755;
	must(catalog_begin(f->cat, &f->err));
	must(catalog_name_put(f->cat, parent, name, ino, &f->err));
	must(catalog_inode_put(f->cat, &inode, &f->err));
	must(catalog_commit(f->cat, &f->err));
}

static void rename_to(struct fixture *f, uint64_t parent, const char *name,
		      uint64_t new_parent, uint64_t ino)
{
	const struct catalog_event ev = {
		.kind = CATALOG_EVENT_MOVE,
		.inode = { .ino = ino, .btime_ns = 77 },
		.parent = parent,
		.name = name,
		.new_parent = new_parent,
		.new_name = name,
	};

	must(catalog_post(f->cat, &ev));
}

static void what_a_scan_does_not_see_is_gone(void **state)
{
	struct fixture *f = *state;

	visit(f, ROOT, "a", 10, false);
	visit(f, ROOT, "b", 11, false);
	begin_scan(f);
	visit(f, ROOT, "a", 10, false);
	end_scan(f);
	assert_true(knows(f, 10));
	assert_false(knows(f, 11));
	assert_int_equal(ask(f, "SELECT count(*) FROM name"), 1);
}

static void what_an_event_names_while_it_runs_stays(void **state)
{
	struct fixture *f = *state;
	const struct catalog_inode inode = file_of(11);
	struct catalog_event ev = { .kind = CATALOG_EVENT_USED, .day = 1 };

	visit(f, ROOT, "b", 11, false);
	visit(f, ROOT, "c", 12, false);
	visit(f, ROOT, "d", 13, false);
	visit(f, ROOT, "e", 14, false);
	begin_scan(f);
	post(f, CATALOG_EVENT_INODE, &inode);
	post_name(f, ROOT, "b", 11);
	post_name(f, ROOT, "c2", 12);
	ev.inode = file_of(13);
	must(catalog_post(f->cat, &ev));
	flush(f);
	end_scan(f);
	assert_true(knows(f, 11));
	assert_true(knows(f, 12));
	assert_true(knows(f, 13));
	assert_false(knows(f, 14));
	assert_int_equal(ask(f, "SELECT count(*) FROM name"), 2);
}

static void a_scan_cut_short_removes_nothing(void **state)
{
	struct fixture *f = *state;

	visit(f, ROOT, "a", 10, false);
	begin_scan(f);
	fixture_close(f);
	fixture_open(f);
	assert_true(knows(f, 10));
	begin_scan(f);
	visit(f, ROOT, "b", 11, false);
	end_scan(f);
	assert_false(knows(f, 10));
	assert_true(knows(f, 11));
}

/* From where the scan has not been to where it has: it meets none of it. */
static void a_directory_moved_behind_the_scan_keeps_what_is_below(void **state)
{
	struct fixture *f = *state;

	visit(f, ROOT, "done", 20, true);
	visit(f, ROOT, "later", 21, true);
	visit(f, 21, "d", 30, true);
	visit(f, 30, "x", 31, false);
	visit(f, 30, "e", 32, true);
	visit(f, 32, "y", 33, false);
	visit(f, 21, "z", 34, false);
	begin_scan(f);
	visit(f, ROOT, "done", 20, true);
	visit(f, ROOT, "later", 21, true);
	rename_to(f, 21, "d", 20, 30);
	flush(f);
	end_scan(f);
	assert_true(knows(f, 30));
	assert_true(knows(f, 31));
	assert_true(knows(f, 33));
	assert_false(knows(f, 34));
	assert_int_equal(ask(f, "SELECT count(*) FROM name"), 6);
}

static void the_scan_learns_what_moved_behind_it(void **state)
{
	struct fixture *f = *state;
	uint64_t inos[8];
	struct catalog_event fresh = {
		.kind = CATALOG_EVENT_NAME,
		.inode = { .ino = 40 },
		.parent = ROOT,
		.name = "fresh",
	};

	visit(f, ROOT, "old", 10, false);
	begin_scan(f);
	visit(f, ROOT, "d", 30, true);
	visit(f, ROOT, "seen", 31, false);
	rename_to(f, ROOT, "d", 20, 30);
	rename_to(f, ROOT, "seen", 20, 31); /* known already */
	rename_to(f, ROOT, "old", 20, 10);  /* not yet */
	fresh.inode.btime_ns = clock_now_ns(&f->clock) + NS_PER_S;
	must(catalog_post(f->cat, &fresh)); /* its own events tell */
	flush(f);
	assert_int_equal(catalog_scan_moved(f->cat, inos, 1), 1);
	assert_int_equal(inos[0], 10);
	assert_int_equal(catalog_scan_moved(f->cat, inos, 8), 1);
	assert_int_equal(inos[0], 30);
	assert_int_equal(catalog_scan_moved(f->cat, inos, 8), 0);
	end_scan(f);
}

static void without_a_scan_no_move_is_remembered(void **state)
{
	struct fixture *f = *state;
	uint64_t inos[8];

	visit(f, ROOT, "d", 30, true);
	rename_to(f, ROOT, "d", 20, 30);
	flush(f);
	assert_int_equal(catalog_scan_moved(f->cat, inos, 8), 0);
}

/* More rows than are removed in one go, with directories across the joints. */
static void a_great_many_rows_go_and_the_seen_ones_stay(void **state)
{
	struct fixture *f = *state;

	must(catalog_begin(f->cat, &f->err));
	for (uint64_t ino = 100; ino < 50100; ino++) {
		const struct catalog_inode inode = file_of(ino);
		char name[32];

		(void)snprintf(name, sizeof(name), "n%u", (unsigned int)ino);
		must(catalog_inode_put(f->cat, &inode, &f->err));
		must(catalog_name_put(f->cat, ino / 7, name, ino, &f->err));
	}
	must(catalog_commit(f->cat, &f->err));
	begin_scan(f);
	for (uint64_t ino = 100; ino < 50100; ino += 5000) {
		char name[32];

		(void)snprintf(name, sizeof(name), "n%u", (unsigned int)ino);
		visit(f, ino / 7, name, ino, false);
	}
	end_scan(f);
	assert_int_equal(ask(f, "SELECT count(*) FROM inode"), 10);
	assert_int_equal(ask(f, "SELECT count(*) FROM name"), 10);
}

static void too_many_moves_remove_nothing(void **state)
{
	struct fixture *f = *state;
	uint64_t inos[512];
	int n = 0;

	visit(f, ROOT, "a", 10, false);
	begin_scan(f);
	for (uint64_t i = 0; i < 65600; i++)
		rename_to(f, 50, "x", 51, 1000 + i);
	flush(f);
	while ((n = catalog_scan_moved(f->cat, inos, 512)) > 0)
		;
	assert_int_equal(n, -EOVERFLOW);
	end_scan(f);
	assert_true(knows(f, 10));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENARIO(what_a_scan_does_not_see_is_gone),
		SCENARIO(what_an_event_names_while_it_runs_stays),
		SCENARIO(a_scan_cut_short_removes_nothing),
		SCENARIO(a_directory_moved_behind_the_scan_keeps_what_is_below),
		SCENARIO(the_scan_learns_what_moved_behind_it),
		SCENARIO(without_a_scan_no_move_is_remembered),
		SCENARIO(a_great_many_rows_go_and_the_seen_ones_stay),
		SCENARIO(too_many_moves_remove_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
