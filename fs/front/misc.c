/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/front/ops.h"

#include <errno.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>

void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct front *front = front_of(req);
	struct statvfs st;

	(void)ino;
	front_noted(front, req);
	if (fstatvfs(front->lower_fd, &st) < 0)
		reply_code(req, -errno);
	else
		(void)fuse_reply_statfs(req, &st);
}

/* lsattr and chattr; the kernel has checked who may. */
union attr_flags {
	unsigned int flags;
	struct fsxattr x;
};

static bool changes_attrs(unsigned int cmd)
{
	return cmd == (unsigned int)FS_IOC_SETFLAGS ||
	       cmd == (unsigned int)FS_IOC_FSSETXATTR;
}

static bool forbids_writing(unsigned int cmd, const union attr_flags *value)
{
	if (cmd == (unsigned int)FS_IOC_SETFLAGS)
		return value->flags & (FS_IMMUTABLE_FL | FS_APPEND_FL);
	return cmd == (unsigned int)FS_IOC_FSSETXATTR &&
	       value->x.fsx_xflags & (FS_XFLAG_IMMUTABLE | FS_XFLAG_APPEND);
}

/*
 * A file that nobody may write any more can't be copied up any more: before,
 * and held open, so that it isn't packed again meanwhile. One that has such a
 * flag already (-EPERM) is left as it is.
 */
static int hold_plain(const struct pinned *at, struct file **ret_file)
{
	const struct lower_ref ref = { at->fd, at->inode->ino,
				       at->inode->btime_ns,
				       inode_plain_epoch(at->inode), NULL };
	struct error err = ERROR_INIT;
	bool packed;
	int r;

	if (!S_ISREG(at->inode->mode))
		return 0;
	r = file_open(at->front->drive, &ref, O_WRONLY, ret_file, &packed,
		      &err);
	if (r < 0)
		*ret_file = NULL;
	return r == -EPERM ? 0 : r;
}

/* Its ctime is a new one, of which the kernel isn't told by the reply. */
static void attrs_changed(const struct pinned *at)
{
	struct front *front = at->front;
	struct looked looked;

	if (lower_observe(front, at->fd, &looked) == 0)
		event_inode(front, &looked, NULL);
	(void)fuse_lowlevel_notify_inval_inode(
		front->session, inode_nodeid(front, at->inode->ino), -1, 0);
}

static bool is_attr_ioctl(unsigned int cmd)
{
	return cmd == (unsigned int)FS_IOC_GETFLAGS ||
	       cmd == (unsigned int)FS_IOC_SETFLAGS ||
	       cmd == (unsigned int)FS_IOC_FSGETXATTR ||
	       cmd == (unsigned int)FS_IOC_FSSETXATTR;
}

static int set_or_get(const struct pinned *at, unsigned int cmd,
		      union attr_flags *value)
{
	struct file *held = NULL;
	cleanup_fd int fd = -1;
	int r = 0;

	if (forbids_writing(cmd, value))
		r = hold_plain(at, &held);
	if (r == 0) {
		fd = lower_reopen(at->fd, O_RDONLY | O_NONBLOCK);
		r = fd < 0 ? fd : 0;
	}
	if (r == 0 && ioctl(fd, cmd, value) < 0)
		r = -errno;
	if (held)
		file_close(held, O_WRONLY);
	if (r == 0 && changes_attrs(cmd))
		attrs_changed(at);
	return r;
}

/* NOLINTNEXTLINE(readability-function-size): as libfuse has it */
void op_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg,
	      struct fuse_file_info *fi, unsigned int flags, const void *in_buf,
	      size_t in_bufsz, size_t out_bufsz)
{
	cleanup_pin struct pinned at = PINNED_NONE;
	union attr_flags value = { .flags = 0 };
	int r;

	(void)arg;
	(void)fi;
	(void)flags;
	if (!is_attr_ioctl(cmd)) {
		reply_code(req, -ENOTTY);
		return;
	}
	if (in_bufsz > sizeof(value) || out_bufsz > sizeof(value)) {
		reply_code(req, -EINVAL);
		return;
	}
	if (in_bufsz > 0)
		memcpy(&value, in_buf, in_bufsz);
	r = pin(front_of(req), ino, &at);
	if (r == 0)
		r = set_or_get(&at, cmd, &value);
	if (r < 0)
		reply_code(req, r);
	else
		(void)fuse_reply_ioctl(req, 0, &value, out_bufsz);
}
