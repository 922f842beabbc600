/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/front/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static bool kills_priv(fuse_req_t req, const struct fuse_file_info *fi)
{
#if FRONT_HAS_STATX /* 3.18: the kernel's bit is handed on */
	if (fi->kill_suidgid)
		return true;
#endif
	(void)fi;
	return fuse_req_ctx(req)->uid != 0;
}

static void kill_after_truncation(fuse_req_t req, int fd,
				  const struct fuse_file_info *fi)
{
	struct stat st;

	if (fi->flags & O_TRUNC && kills_priv(req, fi) &&
	    fstatat(fd, "", &st, AT_EMPTY_PATH) == 0)
		(void)attr_kill_priv(req, fd, &st);
}

static void open_file_free(struct open_file *of)
{
	if (of->file)
		file_close(of->file, of->flags);
	opened_put(of->front, of->opened);
	free(of);
}

/* What is still open when the session ends. */
static void release_late(struct open_link *link)
{
	open_file_free((struct open_file *)(void *)link);
}

static void open_file_close(fuse_req_t req, struct open_file *of)
{
	opened_remove(req, of);
	open_link_remove(of->front, &of->link);
	open_file_free(of);
}

/* Opens below and counts. On failure nothing is left. */
static int open_inode(fuse_req_t req, struct inode *inode, bool fresh,
		      struct fuse_file_info *fi, struct open_file **ret_of,
		      struct error *err)
{
	struct front *front = front_of(req);
	struct open_file *of = calloc(1, sizeof(*of));
	bool packed = false;
	int r = -ENOMEM;

	if (of) {
		of->front = front;
		of->link.release = release_late;
		of->flags = fi->flags & ~(O_CREAT | O_EXCL | O_NOCTTY);
		of->opened = opened_get(front, inode, &r);
	}
	if (!of || !of->opened) {
		free(of);
		return error_set(err, r, "cannot open");
	}

	int fd = of->opened->path_fd->fd;
	const struct lower_ref at = { fd, inode->ino, inode->btime_ns,
				      inode_plain_epoch(inode) };

	if (fresh)
		r = file_open_new(front->drive, &at, of->flags, &of->file, err);
	else
		r = file_open(front->drive, &at, of->flags, &of->file, &packed,
			      err);
	if (r < 0) {
		open_file_free(of);
		return r;
	}
	of->sync_told = file_sync_failures(of->file);
	if (!fresh)
		kill_after_truncation(req, fd, fi);
	opened_add(req, of, packed, fresh, fi);
	open_link_add(front, &of->link);
	*ret_of = of;
	return 0;
}

/* A person used the file today: once a day and file is enough to know. Two
 * threads may both note it. */
static void note_use(fuse_req_t req, struct inode *inode)
{
	struct front *front = front_of(req);
	const int64_t now_s = clock_now_s(drive_clock(front->drive));
	const int32_t day = (int32_t)(now_s / 86400);

	if (!front->options.usage ||
	    __atomic_load_n(&inode->used_day, __ATOMIC_RELAXED) ==
		    (uint16_t)day ||
	    !usage_counts(front->options.usage, fuse_req_ctx(req)->uid, now_s))
		return;
	__atomic_store_n(&inode->used_day, (uint16_t)day, __ATOMIC_RELAXED);
	event_used(front, inode, day);
}

void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct front *front = front_of(req);
	struct inode *inode = inode_find(front, ino);
	struct open_file *of = NULL;
	struct error err = ERROR_INIT;

	front_noted(front, req);
	if (!inode || !S_ISREG(inode->mode)) {
		reply_code(req, inode ? -EINVAL : -ESTALE);
		return;
	}
	if (open_inode(req, inode, false, fi, &of, &err) < 0) {
		reply_error(req, &err);
		return;
	}
	note_use(req, inode);
	if (fuse_reply_open(req, fi) == -ENOENT)
		open_file_close(req, of); /* interrupted: no release */
}

/* `*fd`: O_PATH of the file just made. On failure it is not known here. */
static int open_created(fuse_req_t req, int *fd, struct fuse_entry_param *ret_e,
			struct looked *ret_looked, struct fuse_file_info *fi,
			struct open_file **ret_of, struct error *err)
{
	struct front *front = front_of(req);
	int r = entry_make_fresh(front, fd, ret_e, ret_looked);

	if (r < 0)
		return error_set(err, r, "cannot look at a new file");
	r = open_inode(req, inode_find(front, ret_e->ino), true, fi, ret_of,
		       err);
	if (r < 0)
		inode_forget(front, ret_e->ino, 1);
	return r;
}

static void reply_created(fuse_req_t req, int *fd, const struct pinned *dir,
			  const char *name, struct fuse_file_info *fi)
{
	struct front *front = front_of(req);
	struct open_file *of = NULL;
	struct fuse_entry_param e;
	struct looked looked;
	struct error err = ERROR_INIT;

	if (open_created(req, fd, &e, &looked, fi, &of, &err) < 0) {
		if (name)
			lower_unmake(dir->fd, name);
		reply_error(req, &err);
		return;
	}

	struct inode *inode = inode_find(front, e.ino);

	if (name) {
		event_inode(front, &looked, &looked.handle);
		event_name(front, dir->inode->ino, name, looked.lower.st_ino);
	}
	note_use(req, inode);
	e.attr_timeout = attr_timeout(front, inode, &e.attr);
	if (fuse_reply_create(req, &e, fi) == -ENOENT) {
		open_file_close(req, of);
		inode_forget(front, e.ino, 1);
	}
}

void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
	       struct fuse_file_info *fi)
{
	struct front *front = front_of(req);
	cleanup_pin struct pinned dir = PINNED_NONE;
	cleanup_fd int fd = -1;
	int r = -EPERM;

	if (!name_is_hidden(front, parent, name))
		r = pin(front, parent, &dir);
	if (r == 0) {
		cleanup_caller struct caller caller = { .changed = false };

		/* The kernel holds the directory: the name is free. */
		r = caller_enter(req, true, &caller);
		if (r == 0 &&
		    mknodat(dir.fd, name, S_IFREG | (mode & 07777), 0) < 0)
			r = -errno;
	}
	if (r == 0) {
		fd = lower_open_child(dir.fd, name);
		r = fd < 0 ? fd : 0;
		if (r < 0)
			lower_unmake(dir.fd, name);
	}
	if (r < 0)
		reply_code(req, r);
	else
		reply_created(req, &fd, &dir, name, fi);
}

#if FRONT_HAS_TMPFILE
void op_tmpfile(fuse_req_t req, fuse_ino_t parent, mode_t mode,
		struct fuse_file_info *fi)
{
	cleanup_pin struct pinned dir = PINNED_NONE;
	cleanup_fd int made = -1;
	cleanup_fd int fd = -1;
	int r = pin(front_of(req), parent, &dir);

	if (r == 0) {
		cleanup_caller struct caller caller = { .changed = false };

		r = caller_enter(req, true, &caller);
		if (r == 0)
			made = openat(dir.fd, ".",
				      O_TMPFILE | O_RDWR | O_CLOEXEC |
					      (fi->flags & O_EXCL),
				      mode & 07777);
		if (r == 0 && made < 0)
			r = -errno;
	}
	if (r == 0) {
		fd = lower_reopen(made, O_PATH);
		r = fd < 0 ? fd : 0;
	}
	if (r < 0)
		reply_code(req, r);
	else
		reply_created(req, &fd, &dir, NULL, fi);
}
#endif

void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct front *front = front_of(req);
	struct open_file *of = open_file_of(fi);

	(void)ino;
	if ((of->flags & O_ACCMODE) != O_RDONLY)
		opened_refresh(front, of->opened, of->opened->path_fd->fd,
			       true);
	open_file_close(req, of);
	reply_code(req, 0);
}

void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	(void)fi;
	reply_code(req, 0);
}
