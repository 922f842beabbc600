/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/front/fixture.h"

static void the_state_is_hidden_in_the_root_alone(void **state)
{
	struct fixture *f = *state;

	f->front.hide_state = true;
	assert_true(name_is_hidden(&f->front, FUSE_ROOT_ID, ".sobre"));
	assert_false(name_is_hidden(&f->front, 12, ".sobre"));
	assert_false(name_is_hidden(&f->front, FUSE_ROOT_ID, ".sobre2"));
	assert_false(name_is_hidden(&f->front, FUSE_ROOT_ID, "sobre"));
}

static void a_state_elsewhere_hides_nothing(void **state)
{
	struct fixture *f = *state;

	f->front.hide_state = false;
	assert_false(name_is_hidden(&f->front, FUSE_ROOT_ID, ".sobre"));
}

static void a_link_is_opened_itself_not_followed(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(symlinkat("/etc", f->fd, "link"), 0);
	int fd = lower_open_child(f->fd, "link");

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(close(fd), 0);
}

static void no_name_leads_out_of_the_directory(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(symlinkat("..", f->fd, "up"), 0);
	assert_int_equal(lower_open_child(f->fd, ".."), -EXDEV);
	assert_int_equal(lower_open_child(f->fd, "up/etc"), -ELOOP);
	assert_int_equal(lower_open_child(f->fd, "/etc"), -EXDEV);
}

static void an_absent_name_is_said_so(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(lower_open_child(f->fd, "nothing"), -ENOENT);
}

static void another_device_is_refused(void **state)
{
	struct fixture *f = *state;
	struct looked looked;

	assert_int_equal(lower_observe(&f->front, f->fd, &looked), 0);
	assert_int_equal(looked.lower.st_ino, f->front.root_ino);
	f->front.dev++;
	assert_int_equal(lower_observe(&f->front, f->fd, &looked), -EXDEV);
}

static void by_its_name_a_link_is_seen_itself(void **state)
{
	struct fixture *f = *state;
	struct looked looked;

	f->front.lower_mnt_id = fixture_mount_id(f->fd);
	assert_int_equal(symlinkat("/etc", f->fd, "link"), 0);
	assert_int_equal(lower_observe_name(&f->front, f->fd, "link", &looked),
			 0);
	assert_true(S_ISLNK(looked.lower.st_mode));
	assert_int_equal(lower_observe_name(&f->front, f->fd, "no", &looked),
			 -ENOENT);
}

static void by_its_name_nothing_is_seen_of_another_mount(void **state)
{
	struct fixture *f = *state;
	struct looked looked;

	assert_int_equal(mkdirat(f->fd, "sub", 0700), 0);
	assert_int_equal(lower_observe_name(&f->front, f->fd, "sub", &looked),
			 -EOPNOTSUPP); /* the mount isn't known */
	f->front.lower_mnt_id = fixture_mount_id(f->fd);
	assert_int_equal(lower_observe_name(&f->front, f->fd, "sub", &looked),
			 0);
	f->front.lower_mnt_id++;
	assert_int_equal(lower_observe_name(&f->front, f->fd, "sub", &looked),
			 -EXDEV);
}

static void a_handle_is_that_of_the_name_and_opens_it(void **state)
{
	struct fixture *f = *state;
	struct lower_handle by_name;
	struct lower_handle by_fd;
	struct stat st;
	struct stat again;

	assert_int_equal(symlinkat("/etc", f->fd, "link"), 0);
	assert_int_equal(fstatat(f->fd, "link", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(handle_get(f->fd, "link", &by_name), 0);

	int fd = handle_open(f->fd, &by_name, O_PATH);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &again), 0);
	assert_true(again.st_ino == st.st_ino);
	assert_int_equal(handle_get(fd, "", &by_fd), 0);
	assert_int_equal(by_fd.len, by_name.len);
	assert_memory_equal(by_fd.bytes, by_name.bytes, by_fd.len);
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlinkat(f->fd, "link", 0), 0);
	assert_int_equal(handle_open(f->fd, &by_name, O_PATH), -ESTALE);
	by_name.len = 0;
	assert_int_equal(handle_open(f->fd, &by_name, O_PATH), -ESTALE);
	assert_int_equal(handle_get(f->fd, "link", &by_name), -ENOENT);
}

int main(void)
{
#define T(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(the_state_is_hidden_in_the_root_alone),
		T(a_state_elsewhere_hides_nothing),
		T(a_link_is_opened_itself_not_followed),
		T(no_name_leads_out_of_the_directory),
		T(an_absent_name_is_said_so),
		T(another_device_is_refused),
		T(by_its_name_a_link_is_seen_itself),
		T(by_its_name_nothing_is_seen_of_another_mount),
		T(a_handle_is_that_of_the_name_and_opens_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
