/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/front/ops.h"

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

static void kill_after_truncation(fuse_req_t req, const struct open_file *of,
				  const struct fuse_file_info *fi)
{
	int fd = opened_fd(of->front, of->opened);
	struct stat st;

	if (kills_priv(req, fi) && fd >= 0 &&
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

static void open_file_close(struct open_file *of)
{
	opened_remove(of);
	open_link_remove(of->front, &of->link);
	open_file_free(of);
}

/* What is known to be plain, and to have its id, is opened without a
 * descriptor. */
static bool needs_fd(struct front *front, const struct inode *inode, int flags)
{
	return flags & O_TRUNC ||
	       inode_plain_epoch(inode) != drive_stub_epoch(front->drive) ||
	       !backing_is_kept(front, inode);
}

static int open_lower(struct open_file *of, const struct inode *inode,
		      bool *ret_packed, struct error *err)
{
	struct front *front = of->front;
	struct lower_handle handle;
	struct lower_ref at = { -1, inode->ino, inode->btime_ns,
				inode_plain_epoch(inode), NULL };
	int r = -EAGAIN;

	if (!drive_syncs_by_name(front->drive)) {
		inode_get_handle(front, inode, &handle);
		at.handle = &handle;
	}

	if (!needs_fd(front, inode, of->flags))
		r = file_open(front->drive, &at, of->flags, &of->file,
			      ret_packed, err);
	if (r != -EAGAIN)
		return r;
	at.fd = opened_fd(front, of->opened);
	if (at.fd < 0)
		return error_set(err, at.fd, "cannot open");
	return file_open(front->drive, &at, of->flags, &of->file, ret_packed,
			 err);
}

/* Without a name the descriptor is its only hold: pinned from here on. */
static int open_fresh(struct open_file *of, const struct inode *inode, int *wfd,
		      struct error *err)
{
	const struct lower_ref at = { opened_fd(of->front, of->opened),
				      inode->ino, inode->btime_ns, 0, NULL };

	if (at.fd < 0)
		return error_set(err, at.fd, "cannot open");
	return file_open_new(of->front->drive, &at, of->flags, wfd, &of->file,
			     err);
}

static struct open_file *open_file_new(struct front *front, struct inode *inode,
				       int flags)
{
	struct open_file *of = calloc(1, sizeof(*of));

	if (!of)
		return NULL;
	of->front = front;
	of->link.release = release_late;
	of->flags = flags & ~(O_CREAT | O_EXCL | O_NOCTTY);
	of->opened = opened_get(front, inode);
	if (!of->opened) {
		free(of);
		return NULL;
	}
	return of;
}

/* Opens below and counts. `wfd`: of what has just been made, see
 * file_open_new(); NULL: it was there. On failure nothing is left. */
static int open_inode(fuse_req_t req, struct inode *inode, int *wfd,
		      struct fuse_file_info *fi, struct open_file **ret_of,
		      struct error *err)
{
	struct front *front = front_of(req);
	struct open_file *of = open_file_new(front, inode, fi->flags);
	bool packed = false;
	int r;

	if (!of)
		return error_set(err, -ENOMEM, "cannot open");
	r = wfd ? open_fresh(of, inode, wfd, err)
		: open_lower(of, inode, &packed, err);
	if (r < 0) {
		open_file_free(of);
		return r;
	}
	of->sync_told = file_sync_failures(of->file);
	if (!wfd && fi->flags & O_TRUNC)
		kill_after_truncation(req, of, fi);
	of->packed = packed;
	opened_add(req, of, packed, wfd != NULL, fi);
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

static void open_now(fuse_req_t req, const struct slow_args *args)
{
	struct inode *inode = inode_find(front_of(req), args->ino);
	struct fuse_file_info fi = args->fi;
	struct open_file *of = NULL;
	struct error err = ERROR_INIT;

	if (!inode || !S_ISREG(inode->mode)) {
		reply_code(req, inode ? -EINVAL : -ESTALE);
		return;
	}
	if (open_inode(req, inode, NULL, &fi, &of, &err) < 0) {
		reply_error(req, &err);
		return;
	}
	note_use(req, inode);
	if (fuse_reply_open(req, &fi) == -ENOENT)
		open_file_close(of); /* interrupted: no release */
}

/* A first write, or a wait for one; or all is synced. */
static bool open_may_take_long(struct front *front, const struct inode *inode,
			       int flags)
{
	if (flags & O_DSYNC && drive_syncs_by_name(front->drive))
		return true;
	if (!inode ||
	    inode_plain_epoch(inode) == drive_stub_epoch(front->drive))
		return false;
	return (flags & O_ACCMODE) != O_RDONLY ||
	       drive_is_moving_data(front->drive);
}

void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct front *front = front_of(req);
	const struct slow_args args = { .ino = ino, .fi = *fi };

	front_noted(front, req);
	if (open_may_take_long(front, inode_find(front, ino), fi->flags))
		slow_run(req, open_now, &args);
	else
		open_now(req, &args);
}

/* What has just been made: O_PATH, and O_RDWR. */
struct made {
	int fd;
	int wfd;
};

static void made_close(const struct made *made)
{
	close_at(&made->fd);
	close_at(&made->wfd);
}
#define cleanup_made __attribute__((cleanup(made_close)))

/* On failure it is not known here. */
static int open_created(fuse_req_t req, struct made *made,
			struct fuse_entry_param *ret_e,
			struct looked *ret_looked, struct fuse_file_info *fi,
			struct open_file **ret_of, struct error *err)
{
	struct front *front = front_of(req);
	struct inode *inode;
	int r = entry_make_fresh(front, &made->fd, ret_e, ret_looked);

	if (r < 0)
		return error_set(err, r, "cannot look at a new file");
	inode = inode_find(front, ret_e->ino);
	r = open_inode(req, inode, &made->wfd, fi, ret_of, err);
	if (r < 0)
		inode_forget(front, ret_e->ino, 1);
	return r;
}

static void reply_created(fuse_req_t req, struct made *made,
			  const struct pinned *dir, const char *name,
			  struct fuse_file_info *fi)
{
	struct front *front = front_of(req);
	struct open_file *of = NULL;
	struct fuse_entry_param e;
	struct looked looked;
	struct error err = ERROR_INIT;

	if (open_created(req, made, &e, &looked, fi, &of, &err) < 0) {
		if (name)
			lower_unmake(dir->fd, name);
		reply_error(req, &err);
		return;
	}

	struct inode *inode = of->opened->inode;

	if (name) {
		event_inode(front, &looked, &looked.handle);
		event_name(front, dir->inode->ino, name, looked.lower.st_ino);
	}
	note_use(req, inode);
	e.attr_timeout = attr_timeout(front, inode, &e.attr);
	if (fuse_reply_create(req, &e, fi) == -ENOENT) {
		open_file_close(of);
		inode_forget(front, e.ino, 1);
	}
}

void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
	       struct fuse_file_info *fi)
{
	struct front *front = front_of(req);
	cleanup_pin struct pinned dir = PINNED_NONE;
	cleanup_made struct made made = { .fd = -1, .wfd = -1 };
	int r = -EPERM;

	if (!name_is_hidden(front, parent, name))
		r = pin(front, parent, &dir);
	if (r == 0) {
		cleanup_caller struct caller caller = { .changed = false };

		/* The kernel holds the directory: the name is free. */
		r = caller_enter(req, true, &caller);
		if (r == 0)
			r = made.wfd = lower_create(dir.fd, name, mode);
	}
	if (r >= 0) {
		r = made.fd = lower_open_child(dir.fd, name);
		if (r < 0)
			lower_unmake(dir.fd, name);
	}
	if (r < 0)
		reply_code(req, r);
	else
		reply_created(req, &made, &dir, name, fi);
}

#if FRONT_HAS_TMPFILE
void op_tmpfile(fuse_req_t req, fuse_ino_t parent, mode_t mode,
		struct fuse_file_info *fi)
{
	cleanup_pin struct pinned dir = PINNED_NONE;
	cleanup_made struct made made = { .fd = -1, .wfd = -1 };
	int r = pin(front_of(req), parent, &dir);

	if (r == 0) {
		cleanup_caller struct caller caller = { .changed = false };

		r = caller_enter(req, true, &caller);
		if (r == 0)
			made.wfd =
				openat(dir.fd, ".",
				       O_TMPFILE | O_RDWR | O_NOATIME |
					       O_CLOEXEC | (fi->flags & O_EXCL),
				       mode & 07777);
		if (r == 0 && made.wfd < 0)
			r = -errno;
	}
	if (r == 0) {
		made.fd = lower_reopen(made.wfd, O_PATH);
		r = made.fd < 0 ? made.fd : 0;
	}
	if (r < 0)
		reply_code(req, r);
	else
		reply_created(req, &made, &dir, NULL, fi);
}
#endif

static void release_now(fuse_req_t req, const struct slow_args *args)
{
	struct open_file *of = open_file_of(&args->fi);

	if ((of->flags & O_ACCMODE) != O_RDONLY)
		opened_refresh(of, true);
	open_file_close(of);
	reply_code(req, 0);
}

void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	const struct slow_args args = { .ino = ino, .fi = *fi };

	if (open_file_of(fi)->packed &&
	    drive_is_moving_data(front_of(req)->drive))
		slow_run(req, release_now, &args);
	else
		release_now(req, &args);
}

void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	(void)fi;
	reply_code(req, 0);
}
