/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Another implementation of fs/base/io.h, for the crash and fault tests. It
 * counts the durable writes of the process from 1, over all threads, and:
 *
 *	SOBRE_CRASH_AT=N	kills the process just before the Nth
 *	SOBRE_CRASH_AFTER=N	kills it just after the Nth
 *
 * They may fail (fault.h), or be cut off (volatile.h). The count is the
 * process's: the seam has no context to keep it in.
 */
#include "fs/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/support/fault.h"
#include "tests/support/volatile.h"

static atomic_long calls;

static void die(void)
{
	(void)kill(getpid(), SIGKILL);
	for (;;)
		(void)pause();
}

/* The call's number, or the error it shall return. */
static long enter(const char *what, const void *caller)
{
	long n = atomic_fetch_add(&calls, 1) + 1;
	int error;

	if (n == fault_number("SOBRE_CRASH_AT", 0))
		die();
	volatile_step(what);
	error = fault_enter(FAULT_WRITE, what, caller);
	return error ? -error : n;
}

static int leave(long n, int rc)
{
	if (n == fault_number("SOBRE_CRASH_AFTER", 0))
		die();
	return rc;
}

static int result(int rc)
{
	return rc < 0 ? -errno : 0;
}

/* Declares `n_`, and returns early from the function that is to fail. */
#define ENTER()                                                 \
	long n_ = enter(__func__, __builtin_return_address(0)); \
	if (n_ < 0)                                             \
	return (int)n_
#define LEAVE(rc) return leave(n_, rc)

static int write_all(int fd, const char *at, size_t len, uint64_t off)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, at, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int synced(int fd, int rc)
{
	if (rc == 0)
		volatile_settle(fd);
	return rc;
}

int io_pwrite(int fd, const void *data, size_t len, uint64_t off)
{
	ENTER();
	volatile_note(fd, data, len, off);
	LEAVE(write_all(fd, data, len, off));
}

int io_fsync(int fd)
{
	ENTER();
	LEAVE(synced(fd, result(fsync(fd))));
}

int io_fdatasync(int fd)
{
	ENTER();
	LEAVE(synced(fd, result(fdatasync(fd))));
}

int io_syncfs(int fd)
{
	int rc;

	ENTER();
	rc = result(syncfs(fd));
	if (rc == 0)
		volatile_settle_all();
	LEAVE(rc);
}

int io_ftruncate(int fd, uint64_t size_bytes)
{
	ENTER();
	LEAVE(synced(fd, result(ftruncate(fd, (off_t)size_bytes))));
}

int io_fallocate(int fd, int mode, uint64_t off, uint64_t len)
{
	ENTER();
	LEAVE(synced(fd, result(fallocate(fd, mode, (off_t)off, (off_t)len))));
}

int io_fsetxattr(int fd, const char *name, const void *value, size_t len)
{
	ENTER();
	LEAVE(result(fsetxattr(fd, name, value, len, 0)));
}

int io_fremovexattr(int fd, const char *name)
{
	ENTER();
	LEAVE(result(fremovexattr(fd, name)));
}

int io_futimens(int fd, const struct timespec times[2])
{
	ENTER();
	LEAVE(result(futimens(fd, times)));
}

int io_fchmod(int fd, mode_t mode)
{
	ENTER();
	LEAVE(result(fchmod(fd, mode)));
}

int io_fchown(int fd, uid_t uid, gid_t gid)
{
	ENTER();
	LEAVE(result(fchown(fd, uid, gid)));
}

int io_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	ENTER();
	LEAVE(result(renameat(from_dir, from, to_dir, to)));
}

int io_unlinkat(int dir, const char *name, int flags)
{
	ENTER();
	LEAVE(result(unlinkat(dir, name, flags)));
}

int io_mkdirat(int dir, const char *name, mode_t mode)
{
	int rc;

	ENTER();
	rc = result(mkdirat(dir, name, mode));
	if (rc == 0)
		volatile_note_new(dir, name, true);
	LEAVE(rc);
}

int io_openat_create(int dir, const char *name, int flags, mode_t mode)
{
	bool is_new = faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
	int fd;

	ENTER();
	fd = openat(dir, name, flags | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd >= 0 && is_new)
		volatile_note_new(dir, name, false);
	LEAVE(fd < 0 ? -errno : fd);
}
