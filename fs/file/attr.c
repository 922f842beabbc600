/* SPDX-License-Identifier: EUPL-1.2 */
/* What agents see of a stub, and what they change of it without opening. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/io.h"
#include "fs/file/internal.h"

/*
 * The ctimes of files packed just now: the catalog hears of them within a
 * second, the kernel may ask at once and remember for a day.
 */
static struct recent_ctime *recent_slot(struct drive *drive, uint64_t ino)
{
	return &drive->recent[ino % RECENT_CTIMES];
}

void recent_put(struct drive *drive, const struct catalog_inode *inode)
{
	struct recent_ctime *slot = recent_slot(drive, inode->ino);
	struct catalog_event ev = { .kind = CATALOG_EVENT_INODE,
				    .inode = *inode };

	(void)pthread_mutex_lock(&drive->table_lock);
	*slot = (struct recent_ctime){ .ino = inode->ino,
				       .btime_ns = inode->btime_ns,
				       .shown_ns = inode->shown_ctime_ns,
				       .packed_ns = inode->packed_ctime_ns };
	(void)pthread_mutex_unlock(&drive->table_lock);
	(void)catalog_post(drive->catalog, &ev);
}

static bool recent_get(struct drive *drive, uint64_t ino, int64_t btime_ns,
		       struct recent_ctime *ret)
{
	(void)pthread_mutex_lock(&drive->table_lock);
	*ret = *recent_slot(drive, ino);
	(void)pthread_mutex_unlock(&drive->table_lock);
	return ret->ino == ino && ret->btime_ns == btime_ns;
}

/* The ctime to show for a stub's, if they differ. */
static bool shown_ctime(struct drive *drive, int64_t btime_ns,
			const struct stat *st, int64_t *ret_ns)
{
	struct error err = ERROR_INIT;
	struct catalog_inode row;
	struct recent_ctime recent;
	int64_t lower = timespec_ns(st->st_ctim);

	if (recent_get(drive, st->st_ino, btime_ns, &recent) &&
	    recent.packed_ns == lower) {
		*ret_ns = recent.shown_ns;
		return true;
	}
	if (catalog_inode_get(drive->catalog, st->st_ino, btime_ns, &row,
			      &err) < 0 ||
	    row.packed_ctime_ns == 0 || row.packed_ctime_ns != lower)
		return false;
	*ret_ns = row.shown_ctime_ns;
	return true;
}

void attr_keep_ctime(struct file *file, const struct stat *before)
{
	struct catalog_inode inode;
	int64_t shown_ns;

	if (!shown_ctime(file->drive, file->btime_ns, before, &shown_ns) ||
	    lower_inode(file->wfd, &inode) < 0)
		return;
	if (inode.mode != before->st_mode || inode.uid != before->st_uid ||
	    inode.gid != before->st_gid || inode.nlink != before->st_nlink)
		return; /* agents did that */
	inode.shown_ctime_ns = shown_ns;
	inode.packed_ctime_ns = inode.ctime_ns;
	recent_put(file->drive, &inode);
}

void drive_watch(struct drive *drive, drive_watch_fn *fn, void *ctx)
{
	(void)pthread_rwlock_wrlock(&drive->watch_lock);
	drive->watch = fn;
	drive->watch_ctx = ctx;
	(void)pthread_rwlock_unlock(&drive->watch_lock);
}

void attr_moved(struct drive *drive, uint64_t ino)
{
	(void)pthread_rwlock_rdlock(&drive->watch_lock);
	if (drive->watch)
		drive->watch(drive->watch_ctx, ino);
	(void)pthread_rwlock_unlock(&drive->watch_lock);
}

/* Between xattr and utimensat the lower's times are in motion. */
static int wait_for_packer(struct drive *drive, int fd, int64_t btime_ns,
			   struct stat *st)
{
	struct file *file;
	int rc;

	if (!file_is_packing(drive, st->st_ino, btime_ns))
		return 0;
	rc = file_get(drive, st->st_ino, btime_ns, &file);
	if (rc < 0)
		return rc;
	(void)pthread_rwlock_rdlock(&file->lock);
	rc = lower_stat(fd, st, &btime_ns);
	(void)pthread_rwlock_unlock(&file->lock);
	file_put(file);
	return rc;
}

int file_show(struct drive *drive, int fd, int64_t btime_ns, struct stat *st)
{
	struct error err = ERROR_INIT;
	struct stub stub;
	int64_t shown_ns;
	int rc = stub_probe(fd, &stub, &err);

	/* No longer one, since it was looked at: then blocks have come. */
	if (rc == 0 && (uint64_t)st->st_blocks * 512 < (uint64_t)st->st_size)
		rc = lower_stat(fd, st, &btime_ns);
	if (rc <= 0)
		return rc;
	rc = wait_for_packer(drive, fd, btime_ns, st);
	if (rc < 0)
		return rc;
	/* size and mtime too: a crash may have left others, until repaired */
	st->st_size = (off_t)stub.size_bytes;
	st->st_blocks = stub.blocks;
	st->st_mtim = timespec_from_ns(stub.mtime_ns);
	if (shown_ctime(drive, btime_ns, st, &shown_ns))
		st->st_ctim = timespec_from_ns(shown_ns);
	return 1;
}

/* A file taken and locked for one change by path. */
static int take(struct drive *drive, const struct lower_ref *at,
		struct file **ret_file, struct error *err)
{
	struct file *file = NULL;
	int rc = file_get(drive, at->ino, at->btime_ns, &file);

	if (rc < 0) {
		(void)error_set(err, rc, "out of memory");
		return rc;
	}
	(void)pthread_rwlock_wrlock(&file->lock);
	rc = file_load_state(file, at->fd, err);
	if (rc < 0) {
		(void)pthread_rwlock_unlock(&file->lock);
		file_put(file);
		return rc;
	}
	*ret_file = file;
	return 0;
}

static void give_back(struct file *file)
{
	if (file->n_open == 0)
		file_drop_fds(file);
	(void)pthread_rwlock_unlock(&file->lock);
	file_put(file);
}

int file_truncate_path(struct drive *drive, const struct lower_ref *at,
		       uint64_t size_bytes, struct error *err)
{
	struct file *file;
	int rc = take(drive, at, &file, err);

	if (rc < 0)
		return rc;
	rc = file_resize(file, at->fd, size_bytes, err);
	give_back(file);
	return rc;
}

/* The xattr first: recovery believes it (docs/design/states.md). */
static int follow_mtime(struct file *file, int opath, struct timespec mtime,
			struct error *err)
{
	uint8_t value[STUB_BYTES];
	struct stub stub = file->stub;
	int fd = file_need_rfd(file, opath);
	int rc;

	if (fd < 0)
		return error_set(err, fd, "cannot open the stub: %s",
				 error_words(fd));
	stub.mtime_ns = timespec_ns(mtime);
	stub_encode(&stub, value);
	rc = io_fsetxattr(fd, FILE_STUB_XATTR, value, sizeof(value));
	if (rc < 0)
		return error_set(err, rc, "cannot change the stub: %s",
				 error_words(rc));
	file->stub = stub;
	return 0;
}

static struct timespec now(void)
{
	struct timespec ts;

	/* the clock by which the kernel stamps files */
	(void)clock_gettime(CLOCK_REALTIME_COARSE, &ts);
	return ts;
}

int file_utimens(struct drive *drive, const struct lower_ref *at,
		 const struct timespec times[2], struct error *err)
{
	struct timespec set[2] = { times[0], times[1] };
	struct file *file;
	int rc = take(drive, at, &file, err);

	if (rc < 0)
		return rc;
	if (file->packed && set[1].tv_nsec == UTIME_NOW)
		set[1] = now();
	if (file->packed && set[1].tv_nsec != UTIME_OMIT &&
	    !timespec_fits(set[1])) /* the stub couldn't say it */
		rc = file_copy_up(file, at->fd, err);
	if (rc == 0 && file->packed && set[1].tv_nsec != UTIME_OMIT)
		rc = follow_mtime(file, at->fd, set[1], err);
	if (rc == 0 && utimensat(at->fd, "", set, AT_EMPTY_PATH) < 0)
		rc = error_set(err, -errno, "cannot set times: %s",
			       error_words(-errno));
	give_back(file);
	return rc;
}
