/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "fs/file/internal.h"

void proc_fd_path(int fd, char ret_path[PROC_FD_MAX])
{
	(void)snprintf(ret_path, PROC_FD_MAX, "/proc/self/fd/%d", fd);
}

int reopen(int opath, int flags)
{
	char path[PROC_FD_MAX];
	int fd;

	proc_fd_path(opath, path);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int stub_probe(int fd, struct stub *ret_stub, struct error *err)
{
	uint8_t value[STUB_BYTES + 1];
	char path[PROC_FD_MAX];
	ssize_t n;
	int rc;

	proc_fd_path(fd, path);
	n = getxattr(path, FILE_STUB_XATTR, value, sizeof(value));
	if (n < 0 && (errno == ENODATA || errno == EOPNOTSUPP))
		return 0;
	if (n < 0 && errno == ERANGE)
		n = (ssize_t)sizeof(value); /* too long: decode says so */
	if (n < 0)
		return error_set(err, -errno, "cannot read the stub");
	rc = stub_decode(value, (size_t)n, ret_stub, err);
	return rc < 0 ? rc : 1;
}

static int64_t btime_of(const struct statx *stx)
{
	if (!(stx->stx_mask & STATX_BTIME))
		return 0;
	return (int64_t)stx->stx_btime.tv_sec * NS_PER_S +
	       (int64_t)stx->stx_btime.tv_nsec;
}

static struct timespec ts_of(const struct statx_timestamp *t)
{
	return (struct timespec){ .tv_sec = t->tv_sec,
				  .tv_nsec = (long)t->tv_nsec };
}

int lower_stat(int fd, struct stat *ret_st, int64_t *ret_btime_ns)
{
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW,
		  STATX_BASIC_STATS | STATX_BTIME, &stx) < 0)
		return -errno;
	*ret_st = (struct stat){
		.st_dev = makedev(stx.stx_dev_major, stx.stx_dev_minor),
		.st_ino = stx.stx_ino,
		.st_mode = stx.stx_mode,
		.st_nlink = stx.stx_nlink,
		.st_uid = stx.stx_uid,
		.st_gid = stx.stx_gid,
		.st_size = (off_t)stx.stx_size,
		.st_blksize = (blksize_t)stx.stx_blksize,
		.st_blocks = (blkcnt_t)stx.stx_blocks,
		.st_atim = ts_of(&stx.stx_atime),
		.st_mtim = ts_of(&stx.stx_mtime),
		.st_ctim = ts_of(&stx.stx_ctime),
	};
	*ret_btime_ns = btime_of(&stx);
	return 0;
}

int lower_inode(int fd, struct catalog_inode *ret_inode)
{
	struct stat st = { 0 };
	int64_t btime_ns;
	int rc = lower_stat(fd, &st, &btime_ns);

	if (rc < 0)
		return rc;
	*ret_inode = (struct catalog_inode){
		.ino = st.st_ino,
		.btime_ns = btime_ns,
		.mode = st.st_mode,
		.uid = st.st_uid,
		.gid = st.st_gid,
		.nlink = (uint32_t)st.st_nlink,
		.size_bytes = (uint64_t)st.st_size,
		.blocks = (uint64_t)st.st_blocks,
		.mtime_ns = timespec_ns(st.st_mtim),
		.ctime_ns = timespec_ns(st.st_ctim),
	};
	if (handle_get(fd, "", &ret_inode->handle) < 0)
		ret_inode->handle.len = 0;
	return 0;
}

int lower_open_path(const struct drive *drive, const char *path,
		    struct error *err)
{
	struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
			   RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, drive->lower_fd, *path ? path : ".",
			  &how, sizeof(how));

	if (fd >= 0)
		return (int)fd;
	/* a final link is opened itself; ELOOP is one on the way */
	return error_set(err, -errno, "cannot open '/%s': %s", path,
			 error_words(-errno));
}

bool is_stub_of(int fd, const struct hash128 *content)
{
	struct error err = ERROR_INIT;
	struct stub stub;

	return stub_probe(fd, &stub, &err) == 1 &&
	       hash128_compare(&stub.content, content) == 0;
}

bool drive_still_used(void *ctx, const struct catalog_inode *tied,
		      const struct hash128 *content)
{
	const struct drive *drive = ctx;
	struct error err = ERROR_INIT;
	struct stub stub;
	cleanup_fd int fd = -1;
	int rc;

	if (tied->handle.len == 0)
		return true; /* can't look: keep */
	fd = handle_open(drive->lower_fd, &tied->handle, O_PATH);
	if (fd < 0)
		return fd != -ESTALE && fd != -ENOENT;
	rc = stub_probe(fd, &stub, &err);
	return rc < 0 ||
	       (rc == 1 && hash128_compare(&stub.content, content) == 0);
}
