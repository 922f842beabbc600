/* SPDX-License-Identifier: EUPL-1.2 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/file/internal.h"

static bool writes(int flags)
{
	return (flags & O_ACCMODE) != O_RDONLY;
}

/* Holds the inode: after an unlink the O_PATH fd is the only way back. */
static int pin(struct file *file, int opath)
{
	int fd;

	if (file->opath >= 0)
		return 0;
	fd = fcntl(opath, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	file->opath = fd;
	return 0;
}

/* As the lower's own open would answer: `fd` is an O_PATH of it, or another's
 * description. */
static int check_flags(int fd, int flags, struct error *err)
{
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &stx) < 0)
		return error_set(err, -errno, "cannot stat");
	if (stx.stx_attributes & STATX_ATTR_IMMUTABLE)
		return error_set(err, -EPERM, "the file is immutable");
	if ((stx.stx_attributes & STATX_ATTR_APPEND) &&
	    (!(flags & O_APPEND) || (flags & O_TRUNC)))
		return error_set(err, -EPERM, "the file is append-only");
	return 0;
}

/* While a stub is being made, who looks may still see the plain file after
 * this: what they get is never said again. */
uint64_t drive_stub_epoch(struct drive *drive)
{
	if (atomic_load(&drive->stubs_coming) > 0)
		return atomic_fetch_add(&drive->stub_epoch, 1) + 2;
	return atomic_load(&drive->stub_epoch) + 1;
}

/* With the lock held, which a file becomes a stub under. */
static int know_state(struct file *file, const struct lower_ref *at,
		      struct error *err)
{
	if (file->n_open > 0 && !file->packed)
		return 0;
	if (at->plain_epoch != drive_stub_epoch(file->drive))
		return at->fd < 0 ? error_set(err, -EAGAIN, "not known")
				  : file_load_state(file, at->fd, err);
	file->packed = false;
	return 0;
}

/* With the lock held for writing. */
static int enter(struct file *file, const struct lower_ref *at, int flags,
		 struct error *err)
{
	int rc = know_state(file, at, err);

	/* else opening it for writing tells */
	if (rc == 0 && writes(flags) &&
	    (file->packed || file->wfd >= 0 || flags & O_TRUNC))
		rc = check_flags(file->wfd >= 0 ? file->wfd : at->fd, flags,
				 err);
	if (rc < 0)
		return rc;
	if ((flags & O_TRUNC) && writes(flags))
		return file_resize(file, at->fd, 0, err);
	if (file->packed && (flags & O_ACCMODE) == O_WRONLY)
		return file_copy_up(file, at->fd, err);
	return 0;
}

/* A writer's description of the lower is there before the first write, also
 * of one in passthrough: one opened at its fsync would not be told of errors
 * that somebody has seen before (sync.c). */
static int hold_for_writing(struct file *file, const struct lower_ref *at,
			    int flags, struct error *err)
{
	const int how = O_RDWR | O_NOATIME;
	int fd = -ESTALE; /* it has lost its last name */

	if (file->wfd >= 0)
		return 0;
	if (at->handle)
		fd = handle_open(file->drive->lower_fd, at->handle, how);
	if (fd == -ESTALE && at->fd >= 0)
		fd = reopen(at->fd, how);
	if (fd >= 0)
		file->wfd = fd;
	else if (at->fd < 0 && (fd == -ESTALE || fd == -EPERM))
		return -EAGAIN;
	else if (fd == -EPERM && check_flags(at->fd, flags, err) < 0)
		return err->code;
	return fd == -EPERM ? file_need_wfd(file, at->fd) : fd;
}

static int count_open(struct file *file, const struct lower_ref *at, int flags,
		      struct error *err)
{
	int rc = 0;

	if (file->packed)
		rc = pin(file, at->fd);
	else if (writes(flags))
		rc = hold_for_writing(file, at, flags, err);
	/* In passthrough the kernel syncs each write, and we hear of none. */
	if (rc >= 0 && writes(flags) && flags & O_DSYNC && file->wfd >= 0)
		rc = sync_names(file->drive, file->wfd);
	if (rc < 0)
		return error_set(err, rc, "cannot open the lower file: %s",
				 error_words(rc));
	file->n_open++;
	file->opens++;
	if (writes(flags))
		file->n_writers++;
	return 0;
}

int file_open(struct drive *drive, const struct lower_ref *at, int flags,
	      struct file **ret_file, bool *ret_packed, struct error *err)
{
	struct file *file;
	bool packed;
	int rc = file_get(drive, at->ino, at->btime_ns, &file);

	if (rc < 0)
		return error_set(err, rc, "out of memory");
	(void)pthread_rwlock_wrlock(&file->lock);
	rc = enter(file, at, flags, err);
	if (rc == 0)
		rc = count_open(file, at, flags, err);
	packed = file->packed;
	if (rc < 0 && file->n_open == 0)
		file_drop_fds(file);
	(void)pthread_rwlock_unlock(&file->lock);
	if (rc < 0) {
		file_put(file);
		return rc;
	}
	*ret_packed = packed;
	*ret_file = file;
	return 0;
}

int file_open_new(struct drive *drive, const struct lower_ref *at, int flags,
		  int *wfd, struct file **ret_file, struct error *err)
{
	struct file *file;
	int rc = file_get(drive, at->ino, at->btime_ns, &file);

	if (rc < 0)
		return error_set(err, rc, "out of memory");
	(void)pthread_rwlock_wrlock(&file->lock);
	if (writes(flags) && file->wfd < 0) {
		file->wfd = *wfd;
		*wfd = -1;
	}
	rc = count_open(file, at, flags, err);
	if (rc < 0 && file->n_open == 0)
		file_drop_fds(file);
	(void)pthread_rwlock_unlock(&file->lock);
	if (rc < 0) {
		file_put(file);
		return rc;
	}
	*ret_file = file;
	return 0;
}

void post_gone(struct drive *drive, uint64_t ino, int64_t btime_ns)
{
	struct catalog_event ev = { .kind = CATALOG_EVENT_GONE };

	ev.inode.ino = ino;
	ev.inode.btime_ns = btime_ns;
	(void)catalog_post(drive->catalog, &ev);
}

/* The scan passes over what is open: what a crash left of it is put right
 * now. A failure is the next scan's to tell. */
static void settle_late(struct file *file)
{
	struct error ignored = ERROR_INIT;
	bool repaired;

	if (!file->packed || !file->drive->was_unclean ||
	    file->drive->options.readonly)
		return;
	if (file->rfd >= 0) {
		(void)close(file->rfd); /* it would deny the lease */
		file->rfd = -1;
	}
	(void)file_settle(file, file->opath, &repaired, &ignored);
}

void file_close(struct file *file, int flags)
{
	bool gone;

	(void)pthread_rwlock_wrlock(&file->lock);
	assert(file->n_open > 0);
	file->n_open--;
	if (writes(flags))
		file->n_writers--;
	gone = file->n_open == 0 && file->unlinked;
	if (file->n_open == 0) {
		if (!gone)
			settle_late(file);
		file_drop_fds(file);
	}
	(void)pthread_rwlock_unlock(&file->lock);
	if (gone)
		post_gone(file->drive, file->ino, file->btime_ns);
	file_put(file);
}

void file_unlinked(struct drive *drive, uint64_t ino, int64_t btime_ns)
{
	struct file *file = file_find(drive, ino, btime_ns);
	bool open;

	if (!file) {
		post_gone(drive, ino, btime_ns);
		return;
	}
	(void)pthread_rwlock_wrlock(&file->lock);
	open = file->n_open > 0;
	file->unlinked = open;
	(void)pthread_rwlock_unlock(&file->lock);
	if (!open)
		post_gone(drive, ino, btime_ns);
	file_put(file);
}
