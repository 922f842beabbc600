/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/front/fixture.h"

static void an_entry_stays_small(void **state)
{
	(void)state;
	/* a million known inodes in 256 MiB, descriptors and all */
	assert_true(sizeof(struct inode) <= 104);
}

static void lookups_add_up_and_forgets_take_them_away(void **state)
{
	struct fixture *f = *state;
	const struct lower_handle handle = handle_of(77, 8);
	struct inode *inode = fixture_learn(f, 77, &handle);

	assert_ptr_equal(fixture_learn(f, 77, &handle), inode);
	assert_int_equal(inode->nlookup, 2);
	inode_forget(&f->front, 77, 1);
	assert_ptr_equal(inode_find(&f->front, 77), inode);
	inode_forget(&f->front, 77, 1);
	assert_null(inode_find(&f->front, 77));
	assert_int_equal(f->front.n_inodes, 0);
}

static void forgetting_too_much_is_harmless(void **state)
{
	struct fixture *f = *state;
	const struct lower_handle handle = handle_of(5, 8);

	(void)fixture_learn(f, 5, &handle);
	inode_forget(&f->front, 5, 1000);
	inode_forget(&f->front, 5, 1);
	inode_forget(&f->front, 6, 1);
	assert_int_equal(f->front.n_inodes, 0);
}

static void a_number_used_again_takes_the_new_handle(void **state)
{
	struct fixture *f = *state;
	const struct lower_handle old = handle_of(1, 8);
	const struct lower_handle new = handle_of(2, 40);
	struct lower_handle got;
	struct inode *inode = fixture_learn(f, 9, &old);

	inode_set_flag(&f->front, inode, INODE_PAGES_TRUE, true);
	assert_ptr_equal(fixture_learn(f, 9, &new), inode);
	assert_int_equal(inode->nlookup, 2);
	inode_get_handle(inode, &got);
	assert_int_equal(got.len, new.len);
	assert_memory_equal(got.bytes, new.bytes, new.len);
	assert_false(inode_has_flag(&f->front, inode, INODE_PAGES_TRUE));
	assert_ptr_equal(fixture_learn(f, 9, &old), inode);
	inode_get_handle(inode, &got);
	assert_int_equal(got.len, old.len);
	assert_memory_equal(got.bytes, old.bytes, old.len);
}

static void the_same_file_keeps_its_flags(void **state)
{
	struct fixture *f = *state;
	const struct lower_handle handle = handle_of(3, 24);
	struct inode *inode = fixture_learn(f, 10, &handle);

	inode_set_flag(&f->front, inode, INODE_PAGES_TRUE, true);
	(void)fixture_learn(f, 10, &handle);
	assert_true(inode_has_flag(&f->front, inode, INODE_PAGES_TRUE));
}

static void a_held_entry_outlives_its_lookups(void **state)
{
	struct fixture *f = *state;
	const struct lower_handle handle = handle_of(4, 8);
	struct inode *inode = fixture_learn(f, 11, &handle);

	inode_hold(&f->front, inode);
	inode_forget(&f->front, 11, 1);
	assert_ptr_equal(inode_find(&f->front, 11), inode);
	inode_drop(&f->front, inode);
	assert_null(inode_find(&f->front, 11));
}

static void many_are_all_found(void **state)
{
	struct fixture *f = *state;

	for (uint64_t ino = 100; ino < 50100; ino++) {
		const struct lower_handle handle = handle_of(ino, 8);

		(void)fixture_learn(f, ino, &handle);
	}
	for (uint64_t ino = 100; ino < 50100; ino++) {
		const struct inode *inode = inode_find(&f->front, ino);

		assert_non_null(inode);
		assert_int_equal(inode->ino, ino);
	}
	assert_null(inode_find(&f->front, 99));
	for (uint64_t ino = 100; ino < 50100; ino++)
		inode_forget(&f->front, ino, 1);
	assert_int_equal(f->front.n_inodes, 0);
}

static void the_root_and_inode_1_change_places(void **state)
{
	struct fixture *f = *state;
	const struct lower_handle one = handle_of(1, 8);
	const struct lower_handle root = handle_of(2, 8);

	f->front.root_ino = 256;
	struct inode *r = fixture_learn(f, 256, &root);
	struct inode *i = fixture_learn(f, 1, &one);

	assert_int_equal(inode_nodeid(&f->front, 256), FUSE_ROOT_ID);
	assert_int_equal(inode_nodeid(&f->front, 1), 256);
	assert_int_equal(inode_nodeid(&f->front, 300), 300);
	assert_ptr_equal(inode_find(&f->front, FUSE_ROOT_ID), r);
	assert_ptr_equal(inode_find(&f->front, 256), i);
}

int main(void)
{
#define T(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_stays_small),
		T(lookups_add_up_and_forgets_take_them_away),
		T(forgetting_too_much_is_harmless),
		T(a_number_used_again_takes_the_new_handle),
		T(the_same_file_keeps_its_flags),
		T(a_held_entry_outlives_its_lookups),
		T(many_are_all_found),
		T(the_root_and_inode_1_change_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
