/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/front/internal.h"

#include <errno.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fs/base/clock.h"

void lower_proc_path(int fd, char ret_path[PROC_PATH_MAX])
{
	(void)snprintf(ret_path, PROC_PATH_MAX, "/proc/self/fd/%d", fd);
}

int lower_open_child(int parent_fd, const char *name)
{
	const struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS |
			   RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	long fd;

	/* EAGAIN: a rename elsewhere made the kernel unsure. */
	do {
		fd = syscall(SYS_openat2, parent_fd, name, &how, sizeof(how));
	} while (fd < 0 && (errno == EAGAIN || errno == EINTR));
	return fd < 0 ? error_negative(-errno) : (int)fd;
}

int lower_create(int parent_fd, const char *name, mode_t mode)
{
	int fd = openat(parent_fd, name,
			O_CREAT | O_EXCL | O_RDWR | O_NOATIME | O_CLOEXEC,
			mode & 07777);

	return fd < 0 ? -errno : fd;
}

int lower_reopen(int fd, int flags)
{
	char path[PROC_PATH_MAX];

	lower_proc_path(fd, path);

	int got = open(path, (flags & ~O_NOFOLLOW) | O_CLOEXEC);

	return got < 0 ? -errno : got;
}

static struct timespec time_of(const struct statx_timestamp *t)
{
	return (struct timespec){ .tv_sec = t->tv_sec,
				  .tv_nsec = (long)t->tv_nsec };
}

static void stat_of(const struct statx *x, struct stat *ret_st)
{
	memset(ret_st, 0, sizeof(*ret_st));
	ret_st->st_dev = makedev(x->stx_dev_major, x->stx_dev_minor);
	ret_st->st_ino = x->stx_ino;
	ret_st->st_mode = x->stx_mode;
	ret_st->st_nlink = x->stx_nlink;
	ret_st->st_uid = x->stx_uid;
	ret_st->st_gid = x->stx_gid;
	ret_st->st_rdev = makedev(x->stx_rdev_major, x->stx_rdev_minor);
	ret_st->st_size = (off_t)x->stx_size;
	ret_st->st_blksize = (blksize_t)x->stx_blksize;
	ret_st->st_blocks = (blkcnt_t)x->stx_blocks;
	ret_st->st_atim = time_of(&x->stx_atime);
	ret_st->st_mtim = time_of(&x->stx_mtime);
	ret_st->st_ctim = time_of(&x->stx_ctime);
}

/* A stub that can't be read shows the lower's attributes: opening it says
 * what is wrong. */
static int show(struct front *front, int fd, uint64_t plain_epoch,
		struct looked *looked)
{
	const uint64_t epoch = drive_stub_epoch(front->drive);
	struct error err = ERROR_INIT;

	if (looked->st.st_ino == front->root_ino)
		return drive_root_show(front->drive, &looked->st, &err);
	if (S_ISREG(looked->st.st_mode) &&
	    (plain_epoch == epoch ||
	     file_show(front->drive, fd, looked->btime_ns, &looked->st) == 0))
		looked->plain_epoch = epoch;
	return 0;
}

static int take(const struct front *front, const struct statx *x,
		struct looked *ret_looked)
{
	struct looked *l = ret_looked;

	stat_of(x, &l->lower);
	if (l->lower.st_dev != front->dev)
		return -EXDEV; /* a subvolume: its numbers are its own */
	l->st = l->lower;
	l->plain_epoch = 0;
	l->no_capability = 0;
	l->btime_ns = 0;
	if (x->stx_mask & STATX_BTIME)
		l->btime_ns = timespec_ns(time_of(&x->stx_btime));
	return 0;
}

static int observe(const struct front *front, int fd, int flags,
		   unsigned int mask, struct statx *ret_x,
		   struct looked *ret_looked)
{
	if (statx(fd, "", flags | AT_EMPTY_PATH,
		  mask | STATX_BASIC_STATS | STATX_BTIME, ret_x) < 0)
		return error_negative(-errno);
	return take(front, ret_x, ret_looked);
}

int lower_observe_name(const struct front *front, int dir_fd, const char *name,
		       struct looked *ret_looked)
{
	struct statx x;

	if (front->lower_mnt_id == 0)
		return -EOPNOTSUPP;
	if (statx(dir_fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
		  STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID, &x) < 0)
		return error_negative(-errno);
	if (x.stx_mnt_id != front->lower_mnt_id)
		return -EXDEV;
	return take(front, &x, ret_looked);
}

static bool same_times(const struct stat *a, const struct stat *b)
{
	return timespec_ns(a->st_ctim) == timespec_ns(b->st_ctim) &&
	       timespec_ns(a->st_mtim) == timespec_ns(b->st_mtim);
}

/* What is told by the name at different moments is of one inode, in one
 * state. */
static bool is_unchanged(const struct front *front, int dir_fd,
			 const char *name, const struct looked *looked)
{
	struct looked now;

	return lower_observe_name(front, dir_fd, name, &now) == 0 &&
	       now.lower.st_ino == looked->lower.st_ino &&
	       now.btime_ns == looked->btime_ns &&
	       now.lower.st_blocks == looked->lower.st_blocks &&
	       same_times(&now.lower, &looked->lower);
}

/* Linux 6.13's, which glibc lacks. */
#ifndef SYS_listxattrat
#define SYS_listxattrat 465
#endif

/* Negative too when the names don't all fit. */
static ssize_t list_names(int dir_fd, const char *name, char *buf, size_t cap)
{
	char path[PROC_PATH_MAX + NAME_MAX + 2];
	long n = syscall(SYS_listxattrat, dir_fd, name, AT_SYMLINK_NOFOLLOW,
			 buf, cap);

	if (n >= 0 || (errno != ENOSYS && errno != EPERM))
		return n;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir_fd, name);
	return llistxattr(path, buf, cap);
}

static bool is_listed(const char *list, ssize_t len, const char *name)
{
	for (const char *at = list; at < list + len; at += strlen(at) + 1)
		if (strcmp(at, name) == 0)
			return true;
	return false;
}

/* False: it may be a stub. */
static bool look_at_names(struct front *front, int dir_fd, const char *name,
			  struct looked *looked)
{
	const uint64_t epoch = drive_stub_epoch(front->drive);
	const uint64_t capabilities = inode_capabilities(front);
	char list[512];
	ssize_t n = list_names(dir_fd, name, list, sizeof(list));

	if (n < 0 || is_listed(list, n, FILE_STUB_XATTR))
		return false;
	looked->plain_epoch = epoch;
	if (!is_listed(list, n, CAPABILITY_XATTR))
		looked->no_capability = capabilities;
	return true;
}

bool lower_look_name(struct front *front, int dir_fd, const char *name,
		     struct looked *looked)
{
	const struct stat *st = &looked->lower;

	/* What has fewer blocks than bytes is likely a stub. */
	return S_ISREG(st->st_mode) && looked->btime_ns != 0 &&
	       st->st_blocks * 512 >= st->st_size &&
	       look_at_names(front, dir_fd, name, looked) &&
	       handle_get(dir_fd, name, &looked->handle) == 0 &&
	       is_unchanged(front, dir_fd, name, looked);
}

int lower_observe(struct front *front, int fd, struct looked *ret_looked)
{
	struct statx x;

	return observe(front, fd, AT_STATX_SYNC_AS_STAT, 0, &x, ret_looked);
}

int lower_look(struct front *front, int fd, struct looked *ret_looked)
{
	int r = lower_observe(front, fd, ret_looked);

	return r < 0 ? r : show(front, fd, 0, ret_looked);
}

/* What was known is read first: a stub that statx() still saw could be copied
 * up, and known as plain, meanwhile. */
int lower_look_again(const struct pinned *at, int flags, unsigned int mask,
		     struct statx *ret_x, struct looked *ret_looked)
{
	const uint64_t plain_epoch = inode_plain_epoch(at->inode);
	int r = observe(at->front, at->fd, flags, mask, ret_x, ret_looked);

	if (r == 0)
		r = show(at->front, at->fd, plain_epoch, ret_looked);
	if (r == 0)
		inode_saw_plain(at->inode, ret_looked->plain_epoch);
	return r;
}

void lower_unmake(int parent_fd, const char *name)
{
	if (unlinkat(parent_fd, name, 0) < 0 && errno == EISDIR)
		(void)unlinkat(parent_fd, name, AT_REMOVEDIR);
}

bool name_is_hidden(const struct front *front, fuse_ino_t parent,
		    const char *name)
{
	return parent == FUSE_ROOT_ID && front->hide_state &&
	       strcmp(name, DRIVE_STATE_NAME) == 0;
}
