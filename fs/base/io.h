/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_BASE_IO_H
#define SOBREFS_BASE_IO_H

/*
 * The one seam for durable writes: everything that changes what a disk will
 * remember goes through here (SQLite's own files excepted). The fault and
 * crash tests link another implementation of this file, which counts the
 * calls, fails one, or kills the process just before one.
 *
 * Every function returns 0 or -Exxx; none retries but for EINTR, none logs.
 * Thread-safety: as the system call's.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* Write all of `len` bytes at `off`; a short write is never success. */
int io_pwrite(int fd, const void *data, size_t len, uint64_t off);
int io_fsync(int fd);
int io_fdatasync(int fd);
int io_syncfs(int fd);
int io_ftruncate(int fd, uint64_t size_bytes);
int io_fallocate(int fd, int mode, uint64_t off, uint64_t len);
/* `name` under the inode of `fd`, which is not an O_PATH one. */
int io_fsetxattr(int fd, const char *name, const void *value, size_t len);
/* -ENODATA when there was none. */
int io_fremovexattr(int fd, const char *name);
/* [0] access, [1] modification; UTIME_OMIT is honoured. */
int io_futimens(int fd, const struct timespec times[2]);
int io_fchmod(int fd, mode_t mode);
int io_fchown(int fd, uid_t uid, gid_t gid);
int io_renameat(int from_dir, const char *from, int to_dir, const char *to);
int io_unlinkat(int dir, const char *name, int flags);
int io_mkdirat(int dir, const char *name, mode_t mode);
/* O_CLOEXEC|O_NOFOLLOW are added. Returns the fd. */
int io_openat_create(int dir, const char *name, int flags, mode_t mode);

#endif
