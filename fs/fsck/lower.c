/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fs/fsck/internal.h"

int fsck_reopen(int opath, int flags)
{
	char path[32];
	int fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", opath);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int fsck_probe(int fd, struct stub *ret_stub, struct error *err)
{
	uint8_t value[STUB_BYTES + 1];
	char path[32];
	ssize_t n = 0;
	int rc = 0;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = getxattr(path, FILE_STUB_XATTR, value, sizeof(value));
	if (n < 0 && (errno == ENODATA || errno == EOPNOTSUPP))
		return 0;
	if (n < 0 && errno == ERANGE)
		n = (ssize_t)sizeof(value); /* too long: stub_decode() says */
	if (n < 0)
		return error_set(err, -errno, "the stub can't be read: %s",
				 error_words(-errno));
	rc = stub_decode(value, (size_t)n, ret_stub, err);
	return rc < 0 ? rc : 1;
}

int fsck_stat(int fd, struct stat *ret_st, int64_t *ret_btime_ns)
{
	struct statx stx;

	if (fstat(fd, ret_st) < 0 ||
	    statx(fd, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_BTIME,
		  &stx) < 0)
		return -errno;
	*ret_btime_ns = 0;
	if (stx.stx_mask & STATX_BTIME)
		*ret_btime_ns = (int64_t)stx.stx_btime.tv_sec * NS_PER_S +
				(int64_t)stx.stx_btime.tv_nsec;
	return 0;
}
