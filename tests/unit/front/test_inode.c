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

static struct looked seen(uint64_t ino, int64_t btime_ns, mode_t mode)
{
	return (struct looked){ .lower = { .st_ino = ino, .st_mode = mode },
				.btime_ns = btime_ns };
}

static void what_is_known_and_the_same_is_learnt_without_a_look(void **state)
{
	struct fixture *f = *state;
	const struct lower_handle handle = handle_of(7, 8);
	struct inode *inode = fixture_learn(f, 7, &handle);
	struct looked looked = seen(7, inode->btime_ns, S_IFDIR | 0700);

	assert_null(inode_relearn(&f->front, &looked, 0)); /* it was a file */
	inode->mode = S_IFDIR;
	assert_ptr_equal(inode_relearn(&f->front, &looked, 0), inode);
	assert_int_equal(inode->nlookup, 2);
}

static void another_birth_time_is_another_inode(void **state)
{
	struct fixture *f = *state;
	const struct lower_handle handle = handle_of(7, 8);
	struct inode *inode = fixture_learn(f, 7, &handle);
	struct looked looked = seen(7, inode->btime_ns + 1, S_IFLNK | 0777);

	inode->mode = S_IFLNK;
	assert_null(inode_relearn(&f->front, &looked, 0));
	inode->btime_ns = 0; /* the file system keeps none */
	looked.btime_ns = 0;
	assert_null(inode_relearn(&f->front, &looked, 0));
	looked = seen(8, 1, S_IFLNK | 0777);
	assert_null(inode_relearn(&f->front, &looked, 0));
	assert_int_equal(inode->nlookup, 1);
}

static void one_without_a_name_is_looked_at(void **state)
{
	struct fixture *f = *state;
	const struct lower_handle handle = handle_of(7, 8);
	struct inode *inode = fixture_learn(f, 7, &handle);
	const struct looked looked = seen(7, inode->btime_ns, S_IFLNK | 0777);

	inode->mode = S_IFLNK;
	inode->flags |= INODE_DEAD;
	assert_null(inode_relearn(&f->front, &looked, 0));
	inode->flags = 0;
	assert_ptr_equal(inode_relearn(&f->front, &looked, 0), inode);
}

static bool has_none(struct fixture *f, struct inode *inode)
{
	return inode_has_flag(&f->front, inode, INODE_NO_CAPABILITY);
}

static void a_capability_given_meanwhile_is_not_overlooked(void **state)
{
	struct fixture *f = *state;
	const struct lower_handle handle = handle_of(7, 8);
	struct inode *inode = fixture_learn(f, 7, &handle);
	uint64_t before = inode_capabilities(&f->front);

	assert_true(before > 0);
	inode_note_no_capability(&f->front, inode, before);
	assert_true(has_none(f, inode));
	inode_note_capability(&f->front, inode);
	assert_false(has_none(f, inode));
	inode_note_no_capability(&f->front, inode, before); /* an older look */
	assert_false(has_none(f, inode));
	inode_note_no_capability(&f->front, inode,
				 inode_capabilities(&f->front));
	assert_true(has_none(f, inode));
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
	inode_get_handle(&f->front, inode, &got);
	assert_int_equal(got.len, new.len);
	assert_memory_equal(got.bytes, new.bytes, new.len);
	assert_false(inode_has_flag(&f->front, inode, INODE_PAGES_TRUE));
	assert_ptr_equal(fixture_learn(f, 9, &old), inode);
	inode_get_handle(&f->front, inode, &got);
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
		T(what_is_known_and_the_same_is_learnt_without_a_look),
		T(another_birth_time_is_another_inode),
		T(one_without_a_name_is_looked_at),
		T(a_capability_given_meanwhile_is_not_overlooked),
		T(a_number_used_again_takes_the_new_handle),
		T(the_same_file_keeps_its_flags),
		T(a_held_entry_outlives_its_lookups),
		T(many_are_all_found),
		T(the_root_and_inode_1_change_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
