/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/daemon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define UUID "01234567-89ab-cdef-0123-456789abcdef"

/* The drive covers /srv/part; a container sits in /srv; /mnt/x is a bind of
 * a part; /old is hidden under /old's second mount. */
static const char table_text[] =
	"1 0 8:1 / / rw shared:1 - ext4 /dev/root rw\n"
	"2 1 8:2 / /srv/my\\040data rw,noatime shared:2 master:1 - ext4 "
	"/dev/sdb rw\n"
	"3 2 0:50 / /srv/my\\040data rw - fuse.sobre sobre\\043" UUID " rw\n"
	"4 1 8:2 /a/b /mnt/x ro - ext4 /dev/sdb rw\n"
	"5 1 8:3 / /old rw - xfs /dev/sdc rw\n"
	"6 5 8:4 / /old rw - xfs /dev/sdd rw\n"
	"7 6 8:5 / /old/deep rw - xfs /dev/sde rw\n"
	"8 5 8:6 / /old/hidden rw - xfs /dev/sdf rw\n"
	"nonsense\n"
	"9 1 8 / /bad rw - xfs /dev/x rw\n"
	"10 1 8:1 / /bad rw no end\n";

static struct mount_table table(void)
{
	struct mount_table t = MOUNT_TABLE_INIT;
	struct error err = ERROR_INIT;

	assert_int_equal(
		mount_table_parse(table_text, strlen(table_text), &t, &err), 0);
	return t;
}

static void lines_are_read_and_bad_ones_left_out(void **state)
{
	cleanup_mounts struct mount_table t = table();

	(void)state;
	assert_int_equal(t.n, 8);
	assert_int_equal(t.mounts[1].id, 2);
	assert_int_equal(t.mounts[1].parent, 1);
	assert_int_equal(t.mounts[1].major, 8);
	assert_int_equal(t.mounts[1].minor, 2);
	assert_string_equal(t.mounts[1].point, "/srv/my data");
	assert_string_equal(t.mounts[1].fstype, "ext4");
	assert_string_equal(t.mounts[3].root, "/a/b");
}

static void escapes_are_undone(void **state)
{
	char text[] = "a\\040b\\134c\\12\\999\\043\\";

	(void)state;
	mount_unescape(text);
	assert_string_equal(text, "a b\\c\\12\\999#\\");
}

static int serving(const char *path)
{
	cleanup_mounts struct mount_table t = table();
	const struct mount *m = mount_table_serving(&t, path);

	return m ? m->id : -1;
}

static void the_topmost_mount_serves_a_path(void **state)
{
	(void)state;
	assert_int_equal(serving("/"), 1);
	assert_int_equal(serving("/srv"), 1);
	assert_int_equal(serving("/srv/my data"), 3);
	assert_int_equal(serving("/srv/my data/x"), 3);
	assert_int_equal(serving("/srv/my datas"), 1);
	assert_int_equal(serving("/mnt/x/y"), 4);
}

static void a_mount_below_another_serves_nothing(void **state)
{
	(void)state;
	assert_int_equal(serving("/old"), 6);
	assert_int_equal(serving("/old/hidden/x"), 6);
	assert_int_equal(serving("/old/deep/x"), 7);
}

static void what_a_removed_mount_covered_serves_again(void **state)
{
	cleanup_mounts struct mount_table t = table();
	const struct mount *at = mount_table_at(&t, "/srv/my data");
	size_t n = t.n;

	(void)state;
	assert_non_null(mount_sobre_uuid(at));
	mount_table_remove(&t, at);
	assert_int_equal(t.n, n - 1);
	assert_ptr_equal(mount_table_at(&t, "/srv/my data"), &t.mounts[1]);
	assert_int_equal(t.mounts[1].id, 2);
	while (t.n)
		mount_table_remove(&t, &t.mounts[t.n - 1]);
	assert_null(mount_table_serving(&t, "/"));
}

static void a_table_that_goes_in_circles_ends(void **state)
{
	static const char text[] = "1 2 8:1 / / rw - ext4 a rw\n"
				   "2 1 8:1 / / rw - ext4 a rw\n"
				   "3 3 8:1 / / rw - ext4 a rw\n";
	cleanup_mounts struct mount_table t = MOUNT_TABLE_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(mount_table_parse(text, strlen(text), &t, &err), 0);
	assert_int_equal(t.n, 3);
	assert_non_null(mount_table_serving(&t, "/x"));
}

static void our_mounts_are_known_by_source(void **state)
{
	cleanup_mounts struct mount_table t = table();

	(void)state;
	assert_string_equal(mount_sobre_uuid(&t.mounts[2]), UUID);
	assert_null(mount_sobre_uuid(&t.mounts[1]));
	assert_ptr_equal(mount_table_by_source(&t, "sobre#" UUID),
			 &t.mounts[2]);
	assert_ptr_equal(mount_table_at(&t, "/srv/my data"), &t.mounts[2]);
	assert_null(mount_table_at(&t, "/srv"));
	assert_false(uuid_text_valid("../../../../../../../../etc/passwd/x"));
	assert_false(uuid_text_valid(UUID "0"));
	assert_false(uuid_text_valid(""));
}

static void a_path_is_inside_by_whole_components(void **state)
{
	const char *rest = NULL;

	(void)state;
	assert_true(path_inside("/a/b/c", "/a/b", &rest));
	assert_string_equal(rest, "c");
	assert_true(path_inside("/a/b", "/a/b", &rest));
	assert_string_equal(rest, "");
	assert_true(path_inside("/a", "/", &rest));
	assert_string_equal(rest, "a");
	assert_false(path_inside("/a/bc", "/a/b", NULL));
	assert_false(path_inside("/a", "/a/b", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read_and_bad_ones_left_out),
		cmocka_unit_test(escapes_are_undone),
		cmocka_unit_test(the_topmost_mount_serves_a_path),
		cmocka_unit_test(a_mount_below_another_serves_nothing),
		cmocka_unit_test(what_a_removed_mount_covered_serves_again),
		cmocka_unit_test(a_table_that_goes_in_circles_ends),
		cmocka_unit_test(our_mounts_are_known_by_source),
		cmocka_unit_test(a_path_is_inside_by_whole_components),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
