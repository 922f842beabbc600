/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/daemon.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/base/buf.h"

#define UUID "01234567-89ab-cdef-0123-456789abcdef"
#define RUN  "/run/sobre/" UUID
#define FUSE                                                       \
	"9 1 0:50 / /srv/part rw - fuse.sobre sobre\\043" UUID " " \
	"rw\n"
#define ROOT "1 0 8:1 / / rw shared:1 - ext4 /dev/root rw\n"

/* /srv/part is a directory of the root file system. */
static struct ways_place place(void)
{
	return (struct ways_place){ .lower = "/srv/part",
				    .lower_root = "/srv/part",
				    .mountpoint = "/srv/part",
				    .run_dir = RUN,
				    .source = "sobre#" UUID,
				    .dev = makedev(8, 1),
				    .mount_dev = makedev(8, 1) };
}

/* The ways that the mounts give, each with a "|" behind. */
static void check_mounts(struct ways_place where, const char *mounts,
			 const char *who, const char *expected)
{
	cleanup_mounts struct mount_table table = MOUNT_TABLE_INIT;
	cleanup_ways struct way_list list = { .ways = NULL };
	struct error err = ERROR_INIT;
	cleanup_buf struct buf all;

	buf_init(&all, 4096);
	assert_int_equal(
		mount_table_parse(mounts, strlen(mounts), &table, &err), 0);
	assert_int_equal(ways_in_mounts(&where, &table, who, "", &list, &err),
			 0);
	for (size_t i = 0; i < list.n; i++) {
		assert_int_equal(buf_printf(&all, "%s|", list.ways[i].name), 0);
	}
	assert_int_equal(buf_put_u8(&all, 0), 0);
	assert_string_equal((const char *)all.data, expected);
}

static void the_covered_lower_is_no_way(void **state)
{
	(void)state;
	check_mounts(place(), ROOT FUSE, "", "");
}

static void an_uncovered_lower_in_another_namespace_is_one(void **state)
{
	(void)state;
	check_mounts(place(), ROOT, "namespace 4026532208 ",
		     "namespace 4026532208 sees /srv/part|");
}

static void the_daemons_own_bind_is_no_way(void **state)
{
	(void)state;
	check_mounts(place(),
		     ROOT FUSE "10 1 8:1 /srv/part " RUN
			       "/lower rw - ext4 /dev/root rw\n",
		     "", "");
}

static void binds_of_the_lower_and_of_its_parts_are_ways(void **state)
{
	(void)state;
	check_mounts(place(),
		     ROOT FUSE
		     "10 1 8:1 /srv/part /mnt/x rw - ext4 /dev/root rw\n"
		     "11 1 8:1 /srv/part/a/b /mnt/y rw - ext4 /dev/root rw\n"
		     "12 1 8:1 /srv/partly /mnt/z rw - ext4 /dev/root rw\n"
		     "13 1 8:2 /srv/part /mnt/w rw - ext4 /dev/sdb rw\n",
		     "", "mount /mnt/x|mount /mnt/y|");
}

static void a_bind_of_what_is_above_the_lower_is_a_way(void **state)
{
	(void)state;
	check_mounts(place(),
		     ROOT FUSE "10 1 8:1 / /mnt/all rw - ext4 /dev/root rw\n",
		     "", "mount /mnt/all/srv/part|");
}

static void a_bind_under_another_mount_is_no_way(void **state)
{
	(void)state;
	check_mounts(place(),
		     ROOT FUSE
		     "10 1 8:1 /srv/part /mnt/x rw - ext4 /dev/root rw\n"
		     "11 10 0:7 / /mnt/x rw - tmpfs tmpfs rw\n",
		     "", "");
}

static void a_lower_with_a_mountpoint_elsewhere_is_its_own_place(void **state)
{
	struct ways_place where = place();

	(void)state;
	where.mountpoint = "/mnt/drive";
	check_mounts(where, ROOT, "", "");
	check_mounts(where,
		     ROOT "10 1 8:1 /srv /media rw - ext4 /dev/root rw\n", "",
		     "mount /media/part|");
}

static void exports_of_the_lower_are_ways(void **state)
{
	cleanup_ways struct way_list list = { .ways = NULL };
	struct ways_place where = place();
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(ways_in_exports(&where,
					 "# /srv/part *(rw)\n"
					 "/srv/part\t*(rw)\n"
					 "/srv/part/sub *(rw)\n"
					 "  \"/srv/\" *(ro)\n"
					 "/srv/partly *(rw)\n"
					 "/home *(rw)\n"
					 "\n"
					 "/",
					 &list, &err),
			 0);
	assert_int_equal(list.n, 4);
	assert_string_equal(list.ways[0].name, "export /srv/part");
	assert_string_equal(list.ways[1].name, "export /srv/part/sub");
	assert_string_equal(list.ways[2].name, "export /srv");
	assert_string_equal(list.ways[3].name, "export /");
}

static struct way_list two_ways(void)
{
	struct way_list list = { .ways = NULL };
	struct error err = ERROR_INIT;

	assert_int_equal(way_list_add(&list, "pid 7 (smb d) cwd /srv/\xe9 a",
				      "1234", &err),
			 0);
	assert_int_equal(way_list_add(&list, "mount /mnt/x", "", &err), 0);
	/* A second of one name is the same way. */
	assert_int_equal(way_list_add(&list, "mount /mnt/x", "", &err), 0);
	assert_int_equal(list.n, 2);
	return list;
}

static void an_accepted_way_is_known_again(void **state)
{
	cleanup_ways struct way_list list = two_ways();
	char line[512];

	(void)state;
	(void)ways_accepted_line(line, sizeof(line), 1700000000, 42,
				 &list.ways[0]);
	assert_string_equal(line, "2023-11-14T22:13:20Z 42 1234 "
				  "pid\\0407\\040(smb\\040d)\\040cwd\\040/srv/"
				  "\\351\\040a\n");
	ways_mark_accepted(&list, line);
	assert_true(list.ways[0].accepted);
	assert_false(list.ways[1].accepted);
}

static void a_later_process_of_the_same_name_is_not_accepted(void **state)
{
	cleanup_ways struct way_list list = two_ways();
	char line[512];

	(void)state;
	(void)ways_accepted_line(line, sizeof(line), 1700000000, 0,
				 &list.ways[0]);
	free(list.ways[0].key);
	list.ways[0].key = strdup("1235");
	ways_mark_accepted(&list, line);
	assert_false(list.ways[0].accepted);
}

static void nonsense_in_the_journal_accepts_nothing(void **state)
{
	cleanup_ways struct way_list list = two_ways();

	(void)state;
	ways_mark_accepted(&list, "\n\n  \nx\n2023 0 -\nmount /mnt/x\n"
				  "2023 0 1 mount\\040/mnt/x\n");
	assert_false(list.ways[0].accepted);
	assert_false(list.ways[1].accepted);
	ways_mark_accepted(&list, "2023 0 - mount\\040/mnt/x");
	assert_true(list.ways[1].accepted);
}

static void the_journal_keeps_what_was_accepted(void **state)
{
	char dir[] = "/tmp/test-ways-XXXXXX";
	cleanup_ways struct way_list list = two_ways();
	struct error err = ERROR_INIT;
	cleanup_fd int fd = -1;
	int journal;

	(void)state;
	assert_non_null(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(ways_read_accepted(fd, &list, &err), 0);
	assert_false(list.ways[1].accepted);
	assert_int_equal(ways_accept(fd, 1, 0, &list.ways[1], &err), 0);
	/* A line torn by a crash must not swallow the next one. */
	journal = openat(fd, "journal/accepted.log", O_WRONLY | O_APPEND);
	assert_true(journal >= 0);
	assert_int_equal(write(journal, "2023 0", 6), 6);
	assert_int_equal(close(journal), 0);
	assert_int_equal(ways_accept(fd, 1, 0, &list.ways[0], &err), 0);
	assert_int_equal(ways_read_accepted(fd, &list, &err), 0);
	assert_true(list.ways[0].accepted);
	assert_true(list.ways[1].accepted);
	assert_int_equal(unlinkat(fd, "journal/accepted.log", 0), 0);
	assert_int_equal(unlinkat(fd, "journal", AT_REMOVEDIR), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_covered_lower_is_no_way),
		cmocka_unit_test(
			an_uncovered_lower_in_another_namespace_is_one),
		cmocka_unit_test(the_daemons_own_bind_is_no_way),
		cmocka_unit_test(binds_of_the_lower_and_of_its_parts_are_ways),
		cmocka_unit_test(a_bind_of_what_is_above_the_lower_is_a_way),
		cmocka_unit_test(a_bind_under_another_mount_is_no_way),
		cmocka_unit_test(
			a_lower_with_a_mountpoint_elsewhere_is_its_own_place),
		cmocka_unit_test(exports_of_the_lower_are_ways),
		cmocka_unit_test(an_accepted_way_is_known_again),
		cmocka_unit_test(
			a_later_process_of_the_same_name_is_not_accepted),
		cmocka_unit_test(nonsense_in_the_journal_accepts_nothing),
		cmocka_unit_test(the_journal_keeps_what_was_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
