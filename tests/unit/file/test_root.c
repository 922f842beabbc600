/* SPDX-License-Identifier: EUPL-1.2 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fs/file/internal.h"
#include "tests/support/tmpdrive.h"

static int setup(void **state)
{
	static struct tmpdrive t;

	tmpdrive_open(&t);
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	tmpdrive_remove(*state);
	return 0;
}

static mode_t lower_mode(struct tmpdrive *t)
{
	struct stat st;

	assert_int_equal(fstat(t->lower_fd, &st), 0);
	return st.st_mode & 07777;
}

static void shown(struct tmpdrive *t, struct stat *st)
{
	struct error err = ERROR_INIT;

	assert_int_equal(fstat(t->lower_fd, st), 0);
	assert_int_equal(drive_root_show(t->drive, st, &err), 0);
}

static void the_first_stub_closes_the_root(void **state)
{
	struct tmpdrive *t = *state;
	struct unpack_report report = { 0 };
	struct error err = ERROR_INIT;
	struct stat st;

	assert_int_equal(fchmod(t->lower_fd, 02775), 0);
	assert_int_equal(fchown(t->lower_fd, 12, 34), 0);
	assert_int_equal(fchmod(t->lower_fd, 02775), 0);
	tmpdrive_write(t, "a", 50 << 10, 1);
	assert_int_equal(lower_mode(t), 02775);
	assert_int_equal(tmpdrive_pack(t, "a"), PACK_DONE);
	assert_int_equal(lower_mode(t), 0700);
	shown(t, &st);
	assert_int_equal(st.st_mode & 07777, 02775);
	assert_int_equal(st.st_uid, 12);
	assert_int_equal(st.st_gid, 34);
	tmpdrive_reopen(t);
	shown(t, &st);
	assert_int_equal(st.st_mode & 07777, 02775);
	assert_int_equal(drive_unpack(t->drive, "", NULL, NULL, &report, &err),
			 0);
	assert_int_equal(fstat(t->lower_fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 02775);
	assert_int_equal(st.st_uid, 12);
	assert_int_equal(st.st_gid, 34);
	assert_true(fgetxattr(t->lower_fd, DRIVE_ROOT_XATTR, NULL, 0) < 0);
}

struct renamer {
	int fd;
	bool done;
};

static bool rename_all(void *ctx, uint64_t bytes_done, uint64_t bytes_total)
{
	static const char *const names[][2] = { { "a", "a2" }, { "b", "b2" } };
	struct renamer *r = ctx;

	(void)bytes_done;
	(void)bytes_total;
	for (int i = 0; i < 2 && !r->done; i++)
		assert_int_equal(
			renameat(r->fd, names[i][0], r->fd, names[i][1]), 0);
	r->done = true;
	return true;
}

static void no_stub_is_left_behind_an_open_root(void **state)
{
	struct tmpdrive *t = *state;
	struct renamer renamer = { .fd = t->lower_fd };
	struct unpack_report report = { 0 };
	struct error err = ERROR_INIT;

	assert_int_equal(fchmod(t->lower_fd, 0755), 0);
	tmpdrive_write(t, "a", 50 << 10, 1);
	tmpdrive_write(t, "b", 50 << 10, 2);
	assert_int_equal(tmpdrive_pack(t, "a"), PACK_DONE);
	assert_int_equal(tmpdrive_pack(t, "b"), PACK_DONE);
	/* The walk has read both names when it comes to the first. */
	assert_int_equal(
		drive_unpack(t->drive, "", rename_all, &renamer, &report, &err),
		0);
	assert_true(renamer.done);
	assert_false(tmpdrive_is_stub(t, "a2"));
	assert_false(tmpdrive_is_stub(t, "b2"));
	assert_int_equal(report.unpacked, 2);
	assert_int_equal(lower_mode(t), 0755);
}

static void chmod_of_a_closed_root_is_shown_not_done(void **state)
{
	struct tmpdrive *t = *state;
	struct error err = ERROR_INIT;
	struct stat st;

	tmpdrive_write(t, "a", 50 << 10, 1);
	assert_int_equal(tmpdrive_pack(t, "a"), PACK_DONE);
	assert_int_equal(drive_root_change(t->drive, 0770, 5, 6, &err), 0);
	assert_int_equal(lower_mode(t), 0700);
	shown(t, &st);
	assert_int_equal(st.st_mode & 07777, 0770);
	assert_int_equal(st.st_uid, 5);
	assert_int_equal(st.st_gid, 6);
}

static void a_root_left_open_by_a_crash_is_closed(void **state)
{
	struct tmpdrive *t = *state;

	tmpdrive_write(t, "a", 50 << 10, 1);
	assert_int_equal(tmpdrive_pack(t, "a"), PACK_DONE);
	assert_int_equal(fchmod(t->lower_fd, 0755), 0);
	tmpdrive_reopen(t);
	assert_int_equal(lower_mode(t), 0700);
}

/* user::rwx group::r-x group:7:rwx mask::rwx other::--- as the kernel has it */
static const uint8_t acl[] = {
	2,    0,    0,	  0,	0x01, 0,    7,	  0,	0xff, 0xff, 0xff,
	0xff, 0x04, 0,	  5,	0,    0xff, 0xff, 0xff, 0xff, 0x08, 0,
	7,    0,    7,	  0,	0,    0,    0x10, 0,	7,    0,    0xff,
	0xff, 0xff, 0xff, 0x20, 0,    0,    0,	  0xff, 0xff, 0xff, 0xff,
};
#define ACL_NAME "system.posix_acl_access"

static void the_acl_is_kept_and_follows_chmod(void **state)
{
	struct tmpdrive *t = *state;
	struct unpack_report report = { 0 };
	struct error err = ERROR_INIT;
	uint8_t got[128];
	struct stat st;

	assert_int_equal(fsetxattr(t->lower_fd, ACL_NAME, acl, sizeof(acl), 0),
			 0);
	tmpdrive_write(t, "a", 50 << 10, 1);
	assert_int_equal(tmpdrive_pack(t, "a"), PACK_DONE);
	assert_true(fgetxattr(t->lower_fd, ACL_NAME, got, sizeof(got)) < 0);
	assert_int_equal(
		drive_root_acl_get(t->drive, ACL_NAME, got, sizeof(got)),
		sizeof(acl));
	assert_memory_equal(got, acl, sizeof(acl));
	assert_int_equal(drive_root_change(t->drive, 0750, -1, -1, &err), 0);
	assert_int_equal(
		drive_root_acl_get(t->drive, ACL_NAME, got, sizeof(got)),
		sizeof(acl));
	assert_int_equal(got[30], 5); /* the mask */
	assert_int_equal(drive_unpack(t->drive, "", NULL, NULL, &report, &err),
			 0);
	assert_int_equal(fgetxattr(t->lower_fd, ACL_NAME, got, sizeof(got)),
			 sizeof(acl));
	assert_int_equal(got[30], 5);
	assert_int_equal(fstat(t->lower_fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0750);
}

static void a_damaged_record_is_refused(void **state)
{
	struct root_record record = { .mode = 0755, .uid = 1, .gid = 2 };
	struct root_record back;
	struct error err = ERROR_INIT;
	uint8_t bytes[4096];
	size_t len;

	(void)state;
	assert_int_equal(
		root_record_encode(&record, bytes, sizeof(bytes), &len), 0);
	assert_int_equal(root_record_decode(bytes, len, &back, &err), 0);
	for (size_t i = 8; i < len; i++) {
		bytes[i] ^= 4;
		assert_true(root_record_decode(bytes, len, &back, &err) < 0);
		bytes[i] ^= 4;
	}
	for (size_t cut = 0; cut < len; cut++)
		assert_true(root_record_decode(bytes, cut, &back, &err) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(the_first_stub_closes_the_root),
		T(no_stub_is_left_behind_an_open_root),
		T(chmod_of_a_closed_root_is_shown_not_done),
		T(a_root_left_open_by_a_crash_is_closed),
		T(the_acl_is_kept_and_follows_chmod),
#undef T
		cmocka_unit_test(a_damaged_record_is_refused),
	};

	if (!tmpdrive_possible())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
