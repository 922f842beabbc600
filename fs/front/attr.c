/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/front/ops.h"

#include <errno.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fs/base/clock.h"
#include "fs/base/log.h"

void reply_code(fuse_req_t req, int code)
{
	/* It is our table that is full, not the caller's. */
	if (code == -EMFILE)
		code = -ENFILE;
	(void)fuse_reply_err(req, code < 0 ? error_to_errno(code) : 0);
}

/* The errnos are answers; what only we can say is for the administrator. */
void reply_error(fuse_req_t req, const struct error *err)
{
	if (err->code <= -SOBRE_ERRCODE_START || err->code == -EIO)
		log_error("%s", err->text);
	reply_code(req, err->code);
}

/*
 * Also notes what the kernel is told. While a writer is open it can learn
 * old times in good faith: of stores through a mapping nobody tells it.
 */
double attr_timeout(struct front *front, struct inode *inode,
		    const struct stat *st)
{
	double timeout_s = LONG_TIMEOUT_S;

	(void)pthread_mutex_lock(&front->table_lock);
	struct opened *opened = inode->opened;

	if (opened) {
		opened->shown_size = st->st_size;
		opened->shown_mtime_ns = timespec_ns(st->st_mtim);
		opened->shown_ctime_ns = timespec_ns(st->st_ctim);
		if (opened->n_mappers > 0)
			timeout_s = 0;
		else if (opened->n_writers > 0)
			timeout_s = 1;
	}
	(void)pthread_mutex_unlock(&front->table_lock);
	return timeout_s;
}

void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct front *front = front_of(req);
	cleanup_pin struct pinned at = PINNED_NONE;
	struct looked looked;
	struct statx x;

	(void)fi;
	front_noted(front, req);
	int r = pin(front, ino, &at);

	if (r >= 0)
		r = lower_look_again(&at, AT_STATX_SYNC_AS_STAT, 0, &x,
				     &looked);
	if (r < 0)
		reply_code(req, r);
	else
		(void)fuse_reply_attr(
			req, &looked.st,
			attr_timeout(front, at.inode, &looked.st));
}

#if FRONT_HAS_STATX
void op_statx(fuse_req_t req, fuse_ino_t ino, int flags, int mask,
	      struct fuse_file_info *fi)
{
	struct front *front = front_of(req);
	cleanup_pin struct pinned at = PINNED_NONE;
	struct looked looked;
	struct statx x;

	(void)fi;
	front_noted(front, req);
	int r = pin(front, ino, &at);

	if (r >= 0)
		r = lower_look_again(&at, flags, (unsigned int)mask, &x,
				     &looked);
	if (r < 0) {
		reply_code(req, r);
		return;
	}
	x.stx_blocks = (uint64_t)looked.st.st_blocks;
	x.stx_ctime.tv_sec = looked.st.st_ctim.tv_sec;
	x.stx_ctime.tv_nsec = (uint32_t)looked.st.st_ctim.tv_nsec;
	x.stx_uid = looked.st.st_uid;
	x.stx_gid = looked.st.st_gid;
	x.stx_mode = (uint16_t)looked.st.st_mode;
	(void)fuse_reply_statx(req, 0, &x,
			       attr_timeout(front, at.inode, &looked.st));
}
#endif

static int change_mode(int fd, mode_t mode)
{
	char path[PROC_PATH_MAX];

	lower_proc_path(fd, path);
	return chmod(path, mode & 07777) < 0 ? -errno : 0;
}

int attr_kill_priv(fuse_req_t req, int fd, const struct stat *st)
{
	char path[PROC_PATH_MAX];
	mode_t mode = st->st_mode & ~(mode_t)S_ISUID;

	if (!S_ISREG(st->st_mode))
		return 0;
	/* Without group execution it stays for those of the group. */
	if (st->st_mode & S_IXGRP ||
	    (st->st_mode & S_ISGID && fuse_req_ctx(req)->uid != 0 &&
	     !caller_in_group(req, st->st_gid)))
		mode &= ~(mode_t)S_ISGID;
	lower_proc_path(fd, path);
	(void)removexattr(path, CAPABILITY_XATTR);
	return mode == st->st_mode ? 0 : change_mode(fd, mode);
}

/* One setattr, taken apart. */
struct change {
	fuse_req_t req;
	struct front *front;
	const struct pinned *at;
	const struct stat *attr;
	unsigned int set;
	struct open_file *of; /* may be NULL */
	bool unprivileged;
};

static int change_root_owner(const struct change *c, struct error *err)
{
	int64_t mode = c->set & FUSE_SET_ATTR_MODE
			       ? (int64_t)(c->attr->st_mode & 07777)
			       : -1;
	int64_t uid =
		c->set & FUSE_SET_ATTR_UID ? (int64_t)c->attr->st_uid : -1;
	int64_t gid =
		c->set & FUSE_SET_ATTR_GID ? (int64_t)c->attr->st_gid : -1;

	return drive_root_change(c->front->drive, mode, uid, gid, err);
}

static int change_owner(const struct change *c, struct error *err)
{
	int r = 0;

	if (c->at->inode->ino == c->front->root_ino)
		return change_root_owner(c, err);
	if (c->set & FUSE_SET_ATTR_MODE)
		r = change_mode(c->at->fd, c->attr->st_mode);
	if (r == 0 && c->set & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID)) {
		uid_t uid = c->set & FUSE_SET_ATTR_UID ? c->attr->st_uid
						       : (uid_t)-1;
		gid_t gid = c->set & FUSE_SET_ATTR_GID ? c->attr->st_gid
						       : (gid_t)-1;

		if (fchownat(c->at->fd, "", uid, gid, AT_EMPTY_PATH) < 0)
			r = -errno;
	}
	return r < 0 ? error_set(err, r, "cannot change owner or mode") : 0;
}

static int change_size(const struct change *c, struct error *err)
{
	const struct lower_ref at = { c->at->fd, c->at->inode->ino,
				      c->at->inode->btime_ns, 0, NULL };
	uint64_t size = (uint64_t)c->attr->st_size;

	if (c->attr->st_size < 0)
		return error_set(err, -EINVAL, "size below zero");
	if (c->of)
		return file_truncate(c->of->file, size, err);
	return file_truncate_path(c->front->drive, &at, size, err);
}

static struct timespec time_to_set(unsigned int set, unsigned int given,
				   unsigned int now, struct timespec t)
{
	if (set & now)
		return (struct timespec){ .tv_nsec = UTIME_NOW };
	return set & given ? t : (struct timespec){ .tv_nsec = UTIME_OMIT };
}

static int change_times(const struct change *c, struct error *err)
{
	const struct lower_ref at = { c->at->fd, c->at->inode->ino,
				      c->at->inode->btime_ns, 0, NULL };
	const struct timespec times[2] = {
		time_to_set(c->set, FUSE_SET_ATTR_ATIME,
			    FUSE_SET_ATTR_ATIME_NOW, c->attr->st_atim),
		time_to_set(c->set, FUSE_SET_ATTR_MTIME,
			    FUSE_SET_ATTR_MTIME_NOW, c->attr->st_mtim),
	};

	if (S_ISREG(c->at->inode->mode))
		return file_utimens(c->front->drive, &at, times, err);
	if (utimensat(c->at->fd, "", times, AT_EMPTY_PATH) < 0)
		return error_set(err, -errno, "cannot set times");
	return 0;
}

static int kill_priv(const struct change *c, struct error *err)
{
	struct stat st;
	int r = 0;

	if (fstatat(c->at->fd, "", &st, AT_EMPTY_PATH) < 0)
		r = -errno;
	if (r == 0)
		r = attr_kill_priv(c->req, c->at->fd, &st);
	return r < 0 ? error_set(err, r, "cannot take set-user-id away") : 0;
}

#define SETS_TIMES                                                             \
	(FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_ATIME_NOW | FUSE_SET_ATTR_MTIME | \
	 FUSE_SET_ATTR_MTIME_NOW)
#define SETS_OWNER (FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID)
#define SETS_KILL  (FUSE_SET_ATTR_KILL_SUID | FUSE_SET_ATTR_KILL_SGID)

static int change_all(const struct change *c, struct error *err)
{
	unsigned int set = c->set;
	int r = 0;

	if (set & SETS_OWNER)
		r = change_owner(c, err);
	if (r == 0 && set & FUSE_SET_ATTR_SIZE)
		r = change_size(c, err);
	if (r == 0 && set & SETS_TIMES)
		r = change_times(c, err);
	/* No attribute at all is how the kernel asks for it before a write
	 * (KILLPRIV_V2); a truncation asks by a bit, which old libfuses
	 * drop. */
	if (r == 0 &&
	    ((set & ~(unsigned int)FUSE_SET_ATTR_CTIME) == 0 ||
	     set & SETS_KILL || (set & FUSE_SET_ATTR_SIZE && c->unprivileged)))
		r = kill_priv(c, err);
	return r;
}

static void setattr_now(fuse_req_t req, const struct slow_args *args)
{
	struct front *front = front_of(req);
	cleanup_pin struct pinned at = PINNED_NONE;
	struct looked looked;
	struct error err = ERROR_INIT;
	const struct change change = {
		.req = req,
		.front = front,
		.at = &at,
		.attr = &args->attr,
		.set = (unsigned int)args->flags,
		.of = args->has_fi ? open_file_of(&args->fi) : NULL,
		.unprivileged = fuse_req_ctx(req)->uid != 0,
	};

	int r = pin(front, args->ino, &at);

	if (r == 0 && change_all(&change, &err) < 0) {
		reply_error(req, &err);
		return;
	}
	if (r >= 0)
		r = lower_look(front, at.fd, &looked);
	if (r < 0) {
		reply_code(req, r);
		return;
	}
	event_inode(front, &looked, NULL);
	(void)fuse_reply_attr(req, &looked.st,
			      attr_timeout(front, at.inode, &looked.st));
}

/* Sizes and times of a stub; the rest is the lower's alone. */
static bool setattr_may_copy_up(struct front *front, fuse_ino_t ino, int to_set)
{
	const struct inode *inode;

	if (!((unsigned int)to_set & (FUSE_SET_ATTR_SIZE | SETS_TIMES)))
		return false;
	inode = inode_find(front, ino);
	return inode && S_ISREG(inode->mode) &&
	       inode_plain_epoch(inode) != drive_stub_epoch(front->drive);
}

void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
		struct fuse_file_info *fi)
{
	struct slow_args args = {
		.ino = ino, .attr = *attr, .flags = to_set, .has_fi = fi != NULL
	};

	if (fi)
		args.fi = *fi;
	if (setattr_may_copy_up(front_of(req), ino, to_set))
		slow_run(req, setattr_now, &args);
	else
		setattr_now(req, &args);
}
