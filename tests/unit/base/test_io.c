/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <cmocka.h>

#include "fs/base/cleanup.h"

/* The build's directory may be on a file system without xattrs or holes: as
 * root the tests run on a tmpfs that only this process sees. */
static int group_setup(void **state)
{
	(void)state;
	if (geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("none", "/tmp", "tmpfs", 0, "size=1m") == 0)
		return chdir("/tmp");
	return 0;
}

static void skip_for(const char *reason)
{
	print_message("skipped: %s\n", reason);
	skip();
}

struct fixture {
	char path[64];
	int dir;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	*state = f;
	memcpy(f->path, "io-test.XXXXXX", sizeof("io-test.XXXXXX"));
	if (!mkdtemp(f->path))
		return -1;
	f->dir = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return f->dir < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "a", "b", "link" };
	struct fixture *f = *state;
	int rc;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		(void)unlinkat(f->dir, names[i], 0);
	(void)unlinkat(f->dir, "d", AT_REMOVEDIR);
	(void)close(f->dir);
	rc = rmdir(f->path);
	free(f);
	return rc;
}

static int create(void **state, const char *name)
{
	const struct fixture *f = *state;
	int fd = io_openat_create(f->dir, name, O_RDWR | O_EXCL, 0600);

	assert_true(fd >= 0);
	return fd;
}

static void pwrite_writes_all_of_it_at_its_place(void **state)
{
	cleanup_fd int fd = create(state, "a");
	char got[8] = "";

	assert_int_equal(io_pwrite(fd, "hello", 5, 3), 0);
	assert_int_equal(pread(fd, got, sizeof(got), 0), 8);
	assert_memory_equal(got, "\0\0\0hello", 8);
	assert_int_equal(io_pwrite(fd, "", 0, 100), 0);
	assert_int_equal(lseek(fd, 0, SEEK_END), 8);
}

static void pwrite_says_why_it_cannot(void **state)
{
	const struct fixture *f = *state;
	cleanup_fd int fd = create(state, "a");
	cleanup_fd int readable = openat(f->dir, "a", O_RDONLY | O_CLOEXEC);

	assert_int_equal(io_pwrite(readable, "x", 1, 0), -EBADF);
	assert_int_equal(io_pwrite(fd, "x", 1, UINT64_MAX), -EINVAL);
	assert_int_equal(io_pwrite(-1, "x", 1, 0), -EBADF);
}

static void a_full_device_is_enospc(void **state)
{
	cleanup_fd int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	if (fd < 0)
		skip_for("no /dev/full to write to");
	assert_int_equal(io_pwrite(fd, "x", 1, 0), -ENOSPC);
}

static void create_follows_no_link(void **state)
{
	const struct fixture *f = *state;

	assert_int_equal(symlinkat("b", f->dir, "link"), 0);
	assert_int_equal(io_openat_create(f->dir, "link", O_RDWR, 0600),
			 -ELOOP);
	assert_int_equal(faccessat(f->dir, "b", F_OK, 0), -1);
}

static void create_closes_on_exec_and_honours_excl(void **state)
{
	const struct fixture *f = *state;
	cleanup_fd int fd = create(state, "a");

	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(io_openat_create(f->dir, "a", O_RDWR | O_EXCL, 0600),
			 -EEXIST);
}

static void truncate_and_sync(void **state)
{
	cleanup_fd int fd = create(state, "a");
	struct stat st;

	assert_int_equal(io_ftruncate(fd, 12345), 0);
	assert_int_equal(io_fsync(fd), 0);
	assert_int_equal(io_fdatasync(fd), 0);
	assert_int_equal(io_syncfs(fd), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 12345);
	assert_int_equal(io_fsync(-1), -EBADF);
	assert_int_equal(io_fdatasync(-1), -EBADF);
	assert_int_equal(io_syncfs(-1), -EBADF);
	assert_int_equal(io_ftruncate(fd, UINT64_MAX), -EINVAL);
}

static void a_punched_hole_reads_as_zeros(void **state)
{
	cleanup_fd int fd = create(state, "a");
	char data[8192], zeros[4096] = "";
	int rc;

	memset(data, 'x', sizeof(data));
	assert_int_equal(io_pwrite(fd, data, sizeof(data), 0), 0);
	rc = io_fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			  4096);
	if (rc == -EOPNOTSUPP)
		skip_for("no holes in files of the build's directory");
	assert_int_equal(rc, 0);
	assert_int_equal(pread(fd, data, sizeof(data), 0), sizeof(data));
	assert_memory_equal(data, zeros, sizeof(zeros));
	assert_int_equal(data[4096], 'x');
	assert_int_equal(io_fallocate(fd, 0, 0, 0), -EINVAL);
}

static void xattrs_come_and_go(void **state)
{
	cleanup_fd int fd = create(state, "a");
	const char *name = "trusted.sobre.test"; /* tmpfs always has it */
	char got[8];
	int rc = io_fsetxattr(fd, name, "v\0w", 3);

	if (rc == -EPERM || rc == -EOPNOTSUPP) {
		name = "user.sobre.test"; /* for who isn't root */
		rc = io_fsetxattr(fd, name, "v\0w", 3);
	}
	if (rc == -EOPNOTSUPP)
		skip_for("no xattrs on files of the build's directory");
	assert_int_equal(rc, 0);
	assert_int_equal(fgetxattr(fd, name, got, sizeof(got)), 3);
	assert_memory_equal(got, "v\0w", 3);
	assert_int_equal(io_fremovexattr(fd, name), 0);
	assert_int_equal(io_fremovexattr(fd, name), -ENODATA);
}

static void times_are_set_and_omitted(void **state)
{
	cleanup_fd int fd = create(state, "a");
	const struct timespec both[2] = { { .tv_sec = 1, .tv_nsec = 2 },
					  { .tv_sec = 3, .tv_nsec = 4 } };
	const struct timespec one[2] = { { .tv_nsec = UTIME_OMIT },
					 { .tv_sec = 5, .tv_nsec = 6 } };
	struct stat st;

	assert_int_equal(io_futimens(fd, both), 0);
	assert_int_equal(io_futimens(fd, one), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_atim.tv_sec, 1);
	assert_int_equal(st.st_atim.tv_nsec, 2);
	assert_int_equal(st.st_mtim.tv_sec, 5);
	assert_int_equal(st.st_mtim.tv_nsec, 6);
}

static void mode_and_owner_are_set(void **state)
{
	cleanup_fd int fd = create(state, "a");
	struct stat st;

	assert_int_equal(io_fchmod(fd, 0640), 0);
	assert_int_equal(io_fchown(fd, geteuid(), (gid_t)-1), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_uid, geteuid());
	assert_int_equal(io_fchmod(-1, 0640), -EBADF);
	assert_int_equal(io_fchown(-1, 0, 0), -EBADF);
}

static void names_are_moved_and_removed(void **state)
{
	const struct fixture *f = *state;

	assert_int_equal(close(create(state, "a")), 0);
	assert_int_equal(io_renameat(f->dir, "a", f->dir, "b"), 0);
	assert_int_equal(io_renameat(f->dir, "a", f->dir, "b"), -ENOENT);
	assert_int_equal(io_unlinkat(f->dir, "b", 0), 0);
	assert_int_equal(io_unlinkat(f->dir, "b", 0), -ENOENT);
	assert_int_equal(io_mkdirat(f->dir, "d", 0700), 0);
	assert_int_equal(io_mkdirat(f->dir, "d", 0700), -EEXIST);
	assert_int_equal(io_unlinkat(f->dir, "d", 0), -EISDIR);
	assert_int_equal(io_unlinkat(f->dir, "d", AT_REMOVEDIR), 0);
}

#define IO_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IO_TEST(pwrite_writes_all_of_it_at_its_place),
		IO_TEST(pwrite_says_why_it_cannot),
		IO_TEST(a_full_device_is_enospc),
		IO_TEST(create_follows_no_link),
		IO_TEST(create_closes_on_exec_and_honours_excl),
		IO_TEST(truncate_and_sync),
		IO_TEST(a_punched_hole_reads_as_zeros),
		IO_TEST(xattrs_come_and_go),
		IO_TEST(times_are_set_and_omitted),
		IO_TEST(mode_and_owner_are_set),
		IO_TEST(names_are_moved_and_removed),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
