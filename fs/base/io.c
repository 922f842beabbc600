/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static int result(int rc)
{
	return rc < 0 ? -errno : 0;
}

int io_pwrite(int fd, const void *data, size_t len, uint64_t off)
{
	const char *at = data;

	while (len > 0) {
		ssize_t n = pwrite(fd, at, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		at += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int io_fsync(int fd)
{
	return result(fsync(fd));
}

int io_fdatasync(int fd)
{
	return result(fdatasync(fd));
}

int io_syncfs(int fd)
{
	return result(syncfs(fd));
}

int io_ftruncate(int fd, uint64_t size_bytes)
{
	int rc;

	do
		rc = result(ftruncate(fd, (off_t)size_bytes));
	while (rc == -EINTR);
	return rc;
}

int io_fallocate(int fd, int mode, uint64_t off, uint64_t len)
{
	int rc;

	do
		rc = result(fallocate(fd, mode, (off_t)off, (off_t)len));
	while (rc == -EINTR);
	return rc;
}

int io_fsetxattr(int fd, const char *name, const void *value, size_t len)
{
	return result(fsetxattr(fd, name, value, len, 0));
}

int io_fremovexattr(int fd, const char *name)
{
	return result(fremovexattr(fd, name));
}

int io_futimens(int fd, const struct timespec times[2])
{
	return result(futimens(fd, times));
}

int io_fchmod(int fd, mode_t mode)
{
	return result(fchmod(fd, mode));
}

int io_fchown(int fd, uid_t uid, gid_t gid)
{
	return result(fchown(fd, uid, gid));
}

int io_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return result(renameat(from_dir, from, to_dir, to));
}

int io_unlinkat(int dir, const char *name, int flags)
{
	return result(unlinkat(dir, name, flags));
}

int io_mkdirat(int dir, const char *name, mode_t mode)
{
	return result(mkdirat(dir, name, mode));
}

int io_openat_create(int dir, const char *name, int flags, mode_t mode)
{
	int fd = openat(dir, name, flags | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			mode);

	return fd < 0 ? -errno : fd;
}
