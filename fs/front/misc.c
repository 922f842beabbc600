/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/front/internal.h"

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

static bool is_attr_ioctl(unsigned int cmd)
{
	return cmd == (unsigned int)FS_IOC_GETFLAGS ||
	       cmd == (unsigned int)FS_IOC_SETFLAGS ||
	       cmd == (unsigned int)FS_IOC_FSGETXATTR ||
	       cmd == (unsigned int)FS_IOC_FSSETXATTR;
}

/* NOLINTNEXTLINE(readability-function-size): as libfuse has it */
void op_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg,
	      struct fuse_file_info *fi, unsigned int flags, const void *in_buf,
	      size_t in_bufsz, size_t out_bufsz)
{
	cleanup_pin struct pinned at = PINNED_NONE;
	cleanup_fd int fd = -1;
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
	if (r == 0) {
		fd = lower_reopen(at.fd, O_RDONLY | O_NONBLOCK);
		r = fd < 0 ? fd : 0;
	}
	if (r == 0 && ioctl(fd, cmd, &value) < 0)
		r = -errno;
	if (r < 0)
		reply_code(req, r);
	else
		(void)fuse_reply_ioctl(req, 0, &value, out_bufsz);
}
