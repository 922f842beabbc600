/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/sobre/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define UUID "01234567-89ab-cdef-0123-456789abcdef"

static const char mounts[] =
	"1 0 8:1 / / rw - ext4 /dev/root rw\n"
	"2 1 0:50 / /srv/p\\040q rw - fuse.sobre sobre\\043" UUID " rw\n"
	"3 1 0:51 / /srv/fake rw - fuse.x sobre\\043../../etc rw\n";

static int find(const char *path, struct place *place)
{
	cleanup_mounts struct mount_table table = MOUNT_TABLE_INIT;
	struct error err = ERROR_INIT;

	assert_int_equal(
		mount_table_parse(mounts, strlen(mounts), &table, &err), 0);
	return place_in_mounts(&table, path, place, &err);
}

static void a_path_in_a_mounted_drive_names_it(void **state)
{
	cleanup_place struct place place = { .root = NULL };
	cleanup_place struct place root = { .root = NULL };

	(void)state;
	assert_int_equal(find("/srv/p q/a/b", &place), 1);
	assert_string_equal(place.root, "/srv/p q");
	assert_string_equal(place.rel, "a/b");
	assert_string_equal(place.uuid, UUID);
	assert_true(place.served);
	assert_int_equal(find("/srv/p q", &root), 1);
	assert_string_equal(root.rel, "");
}

static void a_path_elsewhere_names_none(void **state)
{
	struct place place = { .root = NULL };

	(void)state;
	assert_int_equal(find("/srv", &place), 0);
	assert_int_equal(find("/srv/p qq", &place), 0);
	assert_int_equal(find("/srv/fake/a", &place), 0);
	assert_null(place.root);
}

struct tree {
	char dir[32];
	char path[128];
};

static const char *in(struct tree *t, const char *rel)
{
	(void)snprintf(t->path, sizeof(t->path), "%s/%s", t->dir, rel);
	return t->path;
}

static void touch(struct tree *t, const char *rel)
{
	int fd = open(in(t, rel), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
}

static int make_tree(void **state)
{
	static struct tree t;

	(void)snprintf(t.dir, sizeof(t.dir), "/tmp/test-place-XXXXXX");
	assert_non_null(mkdtemp(t.dir));
	assert_int_equal(mkdir(in(&t, "d"), 0700), 0);
	assert_int_equal(mkdir(in(&t, "d/.sobre"), 0700), 0);
	assert_int_equal(mkdir(in(&t, "d/sub"), 0700), 0);
	assert_int_equal(mkdir(in(&t, "e"), 0700), 0);
	touch(&t, "d/.sobre/drive");
	touch(&t, "d/sub/file");
	assert_int_equal(symlink("/etc/passwd", in(&t, "d/sub/link")), 0);
	assert_int_equal(symlink("d/sub", in(&t, "way")), 0);
	*state = &t;
	return 0;
}

static int remove_tree(void **state)
{
	static const char *const names[] = { "way",	   "d/sub/link",
					     "d/sub/file", "d/.sobre/drive",
					     "e",	   "d/sub",
					     "d/.sobre",   "d" };
	struct tree *t = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)remove(in(t, names[i]));
	return rmdir(t->dir);
}

static void check_found(struct tree *t, const char *path, const char *rel)
{
	cleanup_place struct place place = { .root = NULL };
	struct error err = ERROR_INIT;
	char root[64];

	(void)snprintf(root, sizeof(root), "%s/d", t->dir);
	assert_int_equal(place_find(in(t, path), false, NULL, &place, &err), 0);
	assert_string_equal(place.root, root);
	assert_string_equal(place.rel, rel);
	assert_false(place.served);
	assert_false(place.dead);
}

static void an_unmounted_drive_is_found_up_the_tree(void **state)
{
	check_found(*state, "d", "");
	check_found(*state, "d/", "");
	check_found(*state, "d/sub/file", "sub/file");
	check_found(*state, "d/sub/..", "");
	check_found(*state, "way/file", "sub/file");
}

static void a_link_is_itself_the_operand(void **state)
{
	check_found(*state, "d/sub/link", "sub/link");
}

static int fails(struct tree *t, const char *path, bool follow)
{
	struct place place = { .root = NULL };
	struct error err = ERROR_INIT;
	int rc = place_find(in(t, path), follow, NULL, &place, &err);

	assert_null(place.root);
	assert_non_null(strstr(err.text, path));
	return rc;
}

static void what_is_in_no_drive_is_refused(void **state)
{
	assert_int_equal(fails(*state, "e", true), -ENOENT);
	assert_int_equal(fails(*state, "d/missing", false), -ENOENT);
	assert_int_equal(fails(*state, "d/sub/file/x", true), -ENOTDIR);
	/* Followed, it leads out of the drive. */
	assert_int_equal(fails(*state, "d/sub/link", true), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_in_a_mounted_drive_names_it),
		cmocka_unit_test(a_path_elsewhere_names_none),
		cmocka_unit_test_setup_teardown(
			an_unmounted_drive_is_found_up_the_tree, make_tree,
			remove_tree),
		cmocka_unit_test_setup_teardown(a_link_is_itself_the_operand,
						make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(what_is_in_no_drive_is_refused,
						make_tree, remove_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
