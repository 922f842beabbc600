/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/front/ops.h"

#include <errno.h>
#include <unistd.h>

/* New names: mknod, mkdir, symlink, link. */

/* What has just been made is learnt, told to the catalog, and answered. */
static void reply_made(fuse_req_t req, const struct pinned *dir,
		       const char *name)
{
	struct front *front = front_of(req);
	struct fuse_entry_param e;
	struct looked looked;
	int r = entry_find(front, dir->fd, name, 0, &e, &looked);

	if (r < 0) {
		lower_unmake(dir->fd, name);
		reply_code(req, r);
		return;
	}
	event_inode(front, &looked, &looked.handle);
	event_name(front, dir->inode->ino, name, looked.lower.st_ino);
	if (fuse_reply_entry(req, &e) == -ENOENT)
		inode_forget(front, e.ino, 1);
}

/* 0 when `name` may be made in `parent`. */
static int pin_dir(fuse_req_t req, fuse_ino_t parent, const char *name,
		   struct pinned *ret_dir)
{
	struct front *front = front_of(req);

	if (name_is_hidden(front, parent, name))
		return -EPERM;
	return pin(front, parent, ret_dir);
}

void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
	      dev_t rdev)
{
	cleanup_pin struct pinned dir = PINNED_NONE;
	int r = pin_dir(req, parent, name, &dir);

	if (r == 0) {
		cleanup_caller struct caller caller = { .changed = false };

		r = caller_enter(req, true, &caller);
		if (r == 0 && mknodat(dir.fd, name, mode, rdev) < 0)
			r = -errno;
	}
	if (r < 0)
		reply_code(req, r);
	else
		reply_made(req, &dir, name);
}

void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	cleanup_pin struct pinned dir = PINNED_NONE;
	int r = pin_dir(req, parent, name, &dir);

	if (r == 0) {
		cleanup_caller struct caller caller = { .changed = false };

		r = caller_enter(req, true, &caller);
		if (r == 0 && mkdirat(dir.fd, name, mode) < 0)
			r = -errno;
	}
	if (r < 0)
		reply_code(req, r);
	else
		reply_made(req, &dir, name);
}

void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent,
		const char *name)
{
	cleanup_pin struct pinned dir = PINNED_NONE;
	int r = pin_dir(req, parent, name, &dir);

	if (r == 0) {
		cleanup_caller struct caller caller = { .changed = false };

		r = caller_enter(req, false, &caller);
		if (r == 0 && symlinkat(target, dir.fd, name) < 0)
			r = -errno;
	}
	if (r < 0)
		reply_code(req, r);
	else
		reply_made(req, &dir, name);
}

void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent,
	     const char *name)
{
	cleanup_pin struct pinned dir = PINNED_NONE;
	cleanup_pin struct pinned at = PINNED_NONE;
	int r = pin_dir(req, parent, name, &dir);

	if (r == 0)
		r = pin(front_of(req), ino, &at);
	if (r == 0 && linkat(at.fd, "", dir.fd, name, AT_EMPTY_PATH) < 0)
		r = -errno;
	if (r < 0)
		reply_code(req, r);
	else
		reply_made(req, &dir, name);
}
