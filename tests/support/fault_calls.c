/* SPDX-License-Identifier: EUPL-1.2 */
/* Reads and opens that fail: tests/support/fault.h. These take the places of
 * libc's (ld --wrap), by their names with 64-bit offsets. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/support/fault.h"

/* NOLINTBEGIN(bugprone-reserved-identifier,bugprone-macro-parentheses): the
 * linker gives the names; types and lists of them take no parentheses. */
#define REPLACE(kind, failed, type, name, params, args)                  \
	type __real_##name params;                                       \
	type __wrap_##name params;                                       \
	type __wrap_##name params                                        \
	{                                                                \
		return FAULT(kind, #name) ? failed : __real_##name args; \
	}
#define READ(type, name, params, args) \
	REPLACE(FAULT_READ, (type)-1, type, name, params, args)
#define OPEN(type, failed, name, params, args) \
	REPLACE(FAULT_OPEN, failed, type, name, params, args)

READ(ssize_t, pread64, (int fd, void *to, size_t len, off_t at),
     (fd, to, len, at))
READ(int, fstat64, (int fd, struct stat *st), (fd, st))
READ(int, stat64, (const char *path, struct stat *st), (path, st))
READ(int, lstat64, (const char *path, struct stat *st), (path, st))
READ(int, fstatat64, (int dir, const char *name, struct stat *st, int flags),
     (dir, name, st, flags))
READ(int, statx,
     (int dir, const char *name, int flags, unsigned int mask,
      struct statx *stx),
     (dir, name, flags, mask, stx))
READ(ssize_t, fgetxattr, (int fd, const char *name, void *to, size_t len),
     (fd, name, to, len))
READ(ssize_t, getxattr,
     (const char *path, const char *name, void *to, size_t len),
     (path, name, to, len))
READ(ssize_t, listxattr, (const char *path, char *to, size_t len),
     (path, to, len))
READ(off_t, lseek64, (int fd, off_t at, int whence), (fd, at, whence))
READ(ssize_t, readlink, (const char *path, char *to, size_t len),
     (path, to, len))
READ(ssize_t, readlinkat, (int dir, const char *name, char *to, size_t len),
     (dir, name, to, len))
READ(int, fstatvfs64, (int fd, struct statvfs *st), (fd, st))
READ(int, fstatfs64, (int fd, struct statfs *st), (fd, st))
READ(int, statfs64, (const char *path, struct statfs *st), (path, st))
READ(ssize_t, getdents64, (int fd, void *to, size_t len), (fd, to, len))
READ(int, name_to_handle_at,
     (int dir, const char *name, struct file_handle *handle, int *id,
      int flags),
     (dir, name, handle, id, flags))
REPLACE(FAULT_READ, NULL, struct dirent *, readdir64, (DIR * dir), (dir))

OPEN(DIR *, NULL, fdopendir, (int fd), (fd))
OPEN(DIR *, NULL, opendir, (const char *path), (path))
OPEN(FILE *, NULL, fopen64, (const char *path, const char *mode), (path, mode))
OPEN(int, -1, open_by_handle_at,
     (int mount, struct file_handle *handle, int flags), (mount, handle, flags))
OPEN(int, -1, pipe2, (int fds[2], int flags), (fds, flags))
OPEN(int, -1, eventfd, (unsigned int value, int flags), (value, flags))
OPEN(int, -1, socket, (int domain, int type, int protocol),
     (domain, type, protocol))
OPEN(int, -1, memfd_create, (const char *name, unsigned int flags),
     (name, flags))
OPEN(int, -1, accept4,
     (int sock, struct sockaddr *addr, socklen_t *len, int flags),
     (sock, addr, len, flags))

ssize_t __real_read(int fd, void *to, size_t len);
ssize_t __wrap_read(int fd, void *to, size_t len);
int __real_open64(const char *path, int flags, mode_t mode);
int __real_openat64(int dir, const char *path, int flags, mode_t mode);
int __real_ioctl(int fd, unsigned long request, void *arg);
int __real_fcntl64(int fd, int command, void *arg);
long __real_syscall(long number, long a, long b, long c, long d, long e,
		    long f);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_openat64(int dir, const char *path, int flags, ...);
int __wrap_ioctl(int fd, unsigned long request, void *arg);
int __wrap_fcntl64(int fd, int command, void *arg);
long __wrap_syscall(long number, long a, long b, long c, long d, long e,
		    long f);
/* NOLINTEND(bugprone-reserved-identifier,bugprone-macro-parentheses) */

/* The kernel doesn't fail to ask us; and libfuse would end the session. */
static bool is_fuse(int fd)
{
	struct stat st;

	return __real_fstat64(fd, &st) == 0 && S_ISCHR(st.st_mode) &&
	       st.st_rdev == makedev(10, 229);
}

/* NOLINTNEXTLINE(bugprone-reserved-identifier) */
ssize_t __wrap_read(int fd, void *to, size_t len)
{
	return !is_fuse(fd) && FAULT(FAULT_READ, "read")
		       ? -1
		       : __real_read(fd, to, len);
}

static mode_t mode_of(int flags, va_list args)
{
	return flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
}

/* NOLINTNEXTLINE(bugprone-reserved-identifier) */
int __wrap_open64(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = mode_of(flags, args);
	va_end(args);
	return FAULT(FAULT_OPEN, "open") ? -1
					 : __real_open64(path, flags, mode);
}

/* NOLINTNEXTLINE(bugprone-reserved-identifier) */
int __wrap_openat64(int dir, const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = mode_of(flags, args);
	va_end(args);
	return FAULT(FAULT_OPEN, "openat")
		       ? -1
		       : __real_openat64(dir, path, flags, mode);
}

/* NOLINTNEXTLINE(bugprone-reserved-identifier) */
int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	return FAULT(FAULT_READ, "ioctl") ? -1 : __real_ioctl(fd, request, arg);
}

/* Descriptors and leases; flags of descriptors don't fail. */
/* NOLINTNEXTLINE(bugprone-reserved-identifier) */
int __wrap_fcntl64(int fd, int command, void *arg)
{
	if (command == F_DUPFD_CLOEXEC && FAULT(FAULT_OPEN, "fcntl(DUPFD)"))
		return -1;
	if ((command == F_SETLEASE || command == F_GETLEASE) &&
	    FAULT(FAULT_READ, "fcntl(LEASE)"))
		return -1;
	return __real_fcntl64(fd, command, arg);
}

/* NOLINTNEXTLINE(bugprone-reserved-identifier) */
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	if (number == SYS_openat2 && FAULT(FAULT_OPEN, "openat2"))
		return -1;
	return __real_syscall(number, a, b, c, d, e, f);
}
