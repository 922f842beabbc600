/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/ledger/support.h"

static struct charge charge_in(uint64_t parent, int64_t blocks)
{
	return (struct charge){ .parent = parent,
				.blocks = blocks,
				.size_bytes = (INT64_C(3) << 20) + 7,
				.regular = true };
}

static void changes_of_a_directory_are_added_up(void **state)
{
	struct world *w = *state;
	struct folders folders = { .n = 0 };

	for (uint64_t dir = 1000; dir < 1300; dir++) {
		struct charge one = charge_in(dir, (int64_t)dir);

		must(folders_add(&folders, &one, 1, &w->err));
		must(folders_add(&folders, &one, 1, &w->err));
		one.blocks = 1;
		must(folders_add(&folders, &one, -1, &w->err));
		must(folders_place(&folders, dir, ROOT_INO, &w->err));
	}
	assert_int_equal(folders.n, 300);
	must(catalog_begin(w->cat, &w->err));
	must(folders_write(w->cat, &folders, &w->err));
	must(folders_write(w->cat, &folders, &w->err)); /* adds */
	must(catalog_commit(w->cat, &w->err));
	folders_release(&folders);
	assert_int_equal(ask(w, "SELECT count(*) FROM folder"
				" WHERE ino >= 1000 AND blocks = 4 * ino - 2"
				" AND files = 2 AND parent = 2"
				" AND logical_high = 6 AND logical_low = 14"),
			 300);
}

static void what_is_counted_nowhere_changes_nothing(void **state)
{
	struct world *w = *state;
	struct folders folders = { .n = 0 };
	const struct charge nowhere = charge_in(0, 5);

	must(folders_add(&folders, &nowhere, 1, &w->err));
	assert_int_equal(folders.n, 0);
	folders_release(&folders);
}

static void a_directory_that_goes_takes_its_row_with_it(void **state)
{
	struct world *w = *state;
	const struct catalog_inode dir = inode_of(50, S_IFDIR | 0750);
	const struct catalog_inode file = file_of(100, 512);

	make_dir(w, COMDIR, "d", 50);
	make_file(w, 50, "a", 100, 512);
	flush(w);
	assert_int_equal(ask(w, "SELECT parent FROM folder WHERE ino = 50"),
			 COMDIR);
	post_unname(w, 50, "a");
	post(w, CATALOG_EVENT_GONE, &file);
	flush(w);
	assert_int_equal(ask(w, "SELECT count(*) FROM folder WHERE ino = 50"),
			 1);
	post_unname(w, COMDIR, "d");
	post(w, CATALOG_EVENT_GONE, &dir);
	flush(w);
	assert_int_equal(ask(w, "SELECT count(*) FROM folder WHERE ino = 50"),
			 0);
	assert_balanced(w);
}

/* Its number is used again. */
static void a_file_in_a_directorys_place_has_no_row(void **state)
{
	struct world *w = *state;
	struct catalog_inode file = file_of(50, 512);

	make_dir(w, COMDIR, "d", 50);
	flush(w);
	file.btime_ns = 99;
	post_unname(w, COMDIR, "d");
	post(w, CATALOG_EVENT_INODE, &file);
	post_name(w, COMDIR, "f", 50);
	flush(w);
	assert_int_equal(ask(w, "SELECT count(*) FROM folder WHERE ino = 50"),
			 0);
	assert_int_equal(ask(w, "SELECT parent FROM charge WHERE ino = 50"),
			 COMDIR);
	assert_balanced(w);
}

/* The one with the lower number is looked at first. */
static void a_file_may_come_before_a_directory_of_a_greater_number(void **state)
{
	struct world *w = *state;

	make_file(w, 500, "a", 100, 512);
	post_name(w, COMDIR, "d", 500);
	flush(w);
	assert_int_equal(ask(w, "SELECT parent FROM folder WHERE ino = 500"),
			 COMDIR);
	make_dir(w, COMDIR, "d", 500);
	flush(w);
	assert_int_equal(ask(w, "SELECT files FROM folder WHERE ino = 500"), 1);
	assert_int_equal(ask(w, "SELECT parent FROM folder WHERE ino = 500"),
			 COMDIR);
	assert_balanced(w);
}

/* Events may come in any order. */
static void a_file_may_come_before_its_directory(void **state)
{
	struct world *w = *state;

	make_file(w, 51, "a", 100, 512);
	flush(w);
	make_file(w, 51, "b", 101, 512);
	post_name(w, 50, "e", 51);
	flush(w);
	make_dir(w, COMDIR, "d", 50);
	flush(w);
	make_dir(w, 50, "e", 51);
	flush(w);
	assert_int_equal(ask(w, "SELECT files FROM folder WHERE ino = 51"), 2);
	assert_int_equal(ask(w, "SELECT parent FROM folder WHERE ino = 51"),
			 50);
	assert_int_equal(ask(w, "SELECT parent FROM folder WHERE ino = 50"),
			 COMDIR);
	assert_balanced(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(changes_of_a_directory_are_added_up),
		WORLD(what_is_counted_nowhere_changes_nothing),
		WORLD(a_directory_that_goes_takes_its_row_with_it),
		WORLD(a_file_in_a_directorys_place_has_no_row),
		WORLD(a_file_may_come_before_its_directory),
		WORLD(a_file_may_come_before_a_directory_of_a_greater_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
