/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/front/ops.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* Names that go or move: unlink, rmdir, rename. */

/* `*fd` was opened by the name that has just gone: did its inode too? */
static void name_has_gone(struct front *front, int *fd)
{
	struct looked looked;

	if (lower_observe(front, *fd, &looked) < 0)
		return;
	/* A removed directory may still show a link on some file systems. */
	if (looked.lower.st_nlink == 0 || S_ISDIR(looked.lower.st_mode))
		event_gone(front, fd, &looked);
	else
		event_inode(front, &looked, NULL);
}

static void remove_now(fuse_req_t req, const struct slow_args *args)
{
	const fuse_ino_t parent = args->ino;
	const char *name = args->name;
	struct front *front = front_of(req);
	cleanup_pin struct pinned dir = PINNED_NONE;
	cleanup_fd int fd = -1;
	int r = -EPERM;

	if (!name_is_hidden(front, parent, name))
		r = pin(front, parent, &dir);
	if (r == 0) {
		fd = lower_open_child(dir.fd, name);
		r = fd < 0 ? fd : 0;
	}
	if (r == 0 && unlinkat(dir.fd, name, args->flags) < 0)
		r = -errno;
	if (r == 0) {
		event_unname(front, dir.inode->ino, name);
		name_has_gone(front, &fd);
	}
	reply_code(req, r);
}

/* The last name of a file that is being copied up waits for that. */
static void run(fuse_req_t req, slow_fn *now, const struct slow_args *args)
{
	if (drive_is_moving_data(front_of(req)->drive))
		slow_run(req, now, args);
	else
		now(req, args);
}

void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	const struct slow_args args = { .ino = parent, .name = name };

	run(req, remove_now, &args);
}

void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	const struct slow_args args = { .ino = parent,
					.name = name,
					.flags = AT_REMOVEDIR };

	run(req, remove_now, &args);
}

static void name_is_now(struct front *front, const struct pinned *dir,
			const char *name)
{
	struct stat st;

	if (fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		event_name(front, dir->inode->ino, name, st.st_ino);
}

static int rename_pinned(struct front *front, const struct pinned *from,
			 const char *name, const struct pinned *to,
			 const char *new_name, unsigned int flags)
{
	cleanup_fd int victim = -1;

	/* Mostly the new name is free, and there is no victim to look for. */
	if (flags == 0 && renameat2(from->fd, name, to->fd, new_name,
				    RENAME_NOREPLACE) == 0) {
		event_move(front, from->inode->ino, name, to->inode->ino,
			   new_name);
		return 0;
	}
	if (!(flags & (RENAME_EXCHANGE | RENAME_NOREPLACE))) {
		victim = lower_open_child(to->fd, new_name);
		if (victim < 0 && victim != -ENOENT)
			return victim;
	}
	if (renameat2(from->fd, name, to->fd, new_name, flags) < 0)
		return -errno;
	if (flags & RENAME_EXCHANGE) {
		name_is_now(front, from, name);
		name_is_now(front, to, new_name);
		return 0;
	}
	event_move(front, from->inode->ino, name, to->inode->ino, new_name);
	if (victim >= 0)
		name_has_gone(front, &victim);
	return 0;
}

static void rename_now(fuse_req_t req, const struct slow_args *args)
{
	struct front *front = front_of(req);
	cleanup_pin struct pinned from = PINNED_NONE;
	cleanup_pin struct pinned to = PINNED_NONE;
	int r = pin(front, args->ino, &from);

	if (r == 0)
		r = pin(front, args->ino_out, &to);
	if (r == 0)
		r = rename_pinned(front, &from, args->name, &to, args->new_name,
				  (unsigned int)args->flags);
	reply_code(req, r);
}

void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
	       fuse_ino_t new_parent, const char *new_name, unsigned int flags)
{
	const struct front *front = front_of(req);
	const struct slow_args args = { .ino = parent,
					.name = name,
					.ino_out = new_parent,
					.new_name = new_name,
					.flags = (int)flags };

	if (flags & ~(unsigned int)(RENAME_EXCHANGE | RENAME_NOREPLACE))
		reply_code(req, -EINVAL); /* whiteouts are for overlays */
	else if (name_is_hidden(front, parent, name) ||
		 name_is_hidden(front, new_parent, new_name))
		reply_code(req, -EPERM);
	else
		run(req, rename_now, &args);
}
