/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/catalog/support.h"

static int64_t room_of(const struct fixture *f)
{
	char path[128];
	struct stat st;

	fixture_path(f, "catalog.room", path, sizeof(path));
	return lstat(path, &st) < 0 ? -1 : (int64_t)st.st_blocks * 512;
}

static void room_is_held_given_once_and_held_again(void **state)
{
	struct fixture *f = *state;

	assert_true(room_of(f) > 0);
	assert_true(room_of(f) <= (4 << 20) + 4096);
	assert_true(catalog_give_room(f->cat));
	assert_int_equal(room_of(f), -1);
	assert_false(catalog_give_room(f->cat));
	catalog_keep_room(f->cat);
	assert_true(room_of(f) > 0);
}

static void it_outlives_the_stop(void **state)
{
	struct fixture *f = *state;

	fixture_close(f);
	assert_true(room_of(f) > 0);
}

static void who_only_reads_leaves_it(void **state)
{
	struct fixture *f = *state;
	int64_t before = room_of(f);

	fixture_close(f);
	must(catalog_open(f->dir, CATALOG_READONLY, &f->clock, &f->cat,
			  &f->err));
	assert_false(catalog_give_room(f->cat));
	assert_int_equal(room_of(f), before);
}

/* Of the state nobody else writes; but then nothing of theirs is cut. */
static void what_is_in_its_place_is_left(void **state)
{
	struct fixture *f = *state;
	char path[128];
	char other[128];
	struct stat st;

	fixture_close(f);
	fixture_path(f, "catalog.room", path, sizeof(path));
	fixture_path(f, "other", other, sizeof(other));
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(symlink("other", path), 0);
	fixture_open(f);
	assert_false(catalog_give_room(f->cat));
	assert_int_equal(lstat(other, &st), 0);
	assert_true(st.st_blocks > 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(unlink(other), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			room_is_held_given_once_and_held_again, fixture_setup,
			fixture_teardown),
		cmocka_unit_test_setup_teardown(
			it_outlives_the_stop, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(who_only_reads_leaves_it,
						fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(what_is_in_its_place_is_left,
						fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
