/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/fsck/support.h"

/* Deeper than a path or a table of descriptors goes. */
static void trees_of_any_depth_are_walked(void **state)
{
	struct checked *c = *state;
	char name[200];
	int dir = dup(c->t.lower_fd);
	int fd = -1;

	memset(name, 'd', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int depth = 0; depth < 40; depth++) {
		int next = -1;

		assert_int_equal(mkdirat(dir, name, 0700), 0);
		next = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		(void)close(dir);
		dir = next;
	}
	fd = openat(dir, "deep", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(
		fsetxattr(fd, FILE_STUB_XATTR, "junk", 4, XATTR_CREATE), 0);
	(void)close(fd);
	(void)close(dir);
	check(c);
	assert_int_equal(c->report.files, 4);
	assert_int_equal(c->report.count[FSCK_STUB_DAMAGED], 1);
}

static void the_state_and_what_is_no_file_are_left_out(void **state)
{
	struct checked *c = *state;
	int lower = c->t.lower_fd;

	assert_int_equal(mkfifoat(lower, "fifo", 0600), 0);
	assert_int_equal(symlinkat("copy", lower, "link"), 0);
	assert_int_equal(symlinkat("/etc", lower, "away"), 0);
	assert_sound(c);
	assert_int_equal(c->report.files, 3);
	assert_int_equal(c->report.stubs, 2);
}

static void a_hidden_name_further_down_is_a_directory_like_others(void **state)
{
	struct checked *c = *state;

	assert_int_equal(mkdirat(c->t.lower_fd, "dir/.sobre", 0700), 0);
	tmpdrive_write(&c->t, "dir/.sobre/x", 10, 3);
	assert_sound(c);
	assert_int_equal(c->report.files, 4);
}

static void each_name_of_a_file_counts(void **state)
{
	struct checked *c = *state;

	assert_int_equal(
		linkat(c->t.lower_fd, "copy", c->t.lower_fd, "dir/other", 0),
		0);
	assert_sound(c);
	assert_int_equal(c->report.stubs, 3);
}

static void names_that_are_not_utf8_are_walked(void **state)
{
	struct checked *c = *state;

	tmpdrive_write(&c->t, "dir/\xff\xfe\n", 10, 3);
	assert_sound(c);
	assert_int_equal(c->report.files, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(trees_of_any_depth_are_walked),
		CASE(the_state_and_what_is_no_file_are_left_out),
		CASE(a_hidden_name_further_down_is_a_directory_like_others),
		CASE(each_name_of_a_file_counts),
		CASE(names_that_are_not_utf8_are_walked),
	};

	return RUN(tests);
}
