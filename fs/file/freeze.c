/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One file on its way to a stub. DESIGN's invariants 1 and 2: its content is
 * already in a synced pack, committed and compared; here comes the lease and
 * what is done under it, each arrow a crash point:
 * lease and checks → setxattr → fsync → punch → utimensat → lease released.
 */
#include <errno.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fs/base/io.h"
#include "fs/file/internal.h"

#define RACY_NS INT64_C(50000000) /* no clock stamps files coarser */

#define FLAGS_LEFT_OUT \
	(FS_IMMUTABLE_FL | FS_APPEND_FL | FS_ENCRYPT_FL | FS_VERITY_FL)

static bool has_flags(int fd, const struct stat *st)
{
	char path[PROC_FD_MAX];
	int flags = 0;

	if (st->st_mode & (S_ISUID | S_ISGID))
		return true;
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && (flags & FLAGS_LEFT_OUT))
		return true;
	proc_fd_path(fd, path);
	return getxattr(path, "security.capability", NULL, 0) > 0;
}

/* Blocks past the end were asked for by somebody: they would be lost. One
 * block is the last, partly used one; an xattr may have one too. */
static bool is_preallocated(const struct stat *st)
{
	uint64_t block = st->st_blksize > 0 ? (uint64_t)st->st_blksize : 4096;
	uint64_t size = (uint64_t)st->st_size;
	uint64_t needed = (size + block - 1) / block * block;

	return (uint64_t)st->st_blocks * 512 > needed + needed / 64 + 4 * block;
}

static int64_t last_write_ns(const struct stat *st)
{
	int64_t m = timespec_ns(st->st_mtim);
	int64_t c = timespec_ns(st->st_ctim);

	return m > c ? m : c;
}

static void leave_out(struct pack_item *item, enum pack_outcome why)
{
	item->outcome = why;
}

static void fail(struct pack_item *item, int code, const char *what)
{
	if (code == -ENOENT || code == -ESTALE || code == -SOBRE_ECHANGED)
		return leave_out(item, PACK_CHANGED);
	(void)error_set(&item->err, code, "%s: %s", what, error_words(code));
	item->outcome = PACK_ERROR;
}

/* With file->lock held. */
static void look(struct pack_item *item, bool now)
{
	struct drive *drive = item->file->drive;
	int64_t at = clock_now_ns(&drive->options.clock);
	int rc = file_load_state(item->file, item->opath, &item->err);

	item->opens = item->file->opens;
	if (rc < 0)
		item->outcome = PACK_ERROR;
	else if (item->file->packed)
		leave_out(item, PACK_ALREADY);
	else if (item->file->n_open > 0)
		leave_out(item, PACK_IN_USE);
	else if (item->st.st_size == 0 || item->st.st_blocks == 0)
		leave_out(item, PACK_EMPTY);
	else if (item->st.st_blocks > UINT32_MAX || /* the stub can't say it */
		 !timespec_fits(item->st.st_mtim))
		leave_out(item, PACK_FLAGS);
	else if (!now && at - last_write_ns(&item->st) <
				 drive->options.min_age_s * NS_PER_S)
		leave_out(item, PACK_YOUNG);
	else if (!now)
		(void)vain_get(drive, &item->st, &item->outcome);
}

static void wait_past(int64_t stamp_ns)
{
	for (;;) {
		struct timespec ts;

		(void)clock_gettime(CLOCK_REALTIME, &ts);
		if (timespec_ns(ts) - stamp_ns > RACY_NS ||
		    timespec_ns(ts) < stamp_ns) /* stamped in the future */
			return;
		ts = timespec_from_ns(RACY_NS / 2);
		(void)nanosleep(&ts, NULL);
	}
}

/*
 * Cleans the page cache of the file: a page that somebody dirtied through a
 * mapping would else go on taking stores without moving the ctime, which is
 * what the lease's check looks at. The stat that counts is one between which
 * and the next, after the cleaning, nothing moved; and taken when the clock
 * has moved on from the last change.
 */
static int settle_times(struct pack_item *item)
{
	for (int tries = 0; tries < 4; tries++) {
		struct stat after;
		int rc;

		if (fstat(item->rfd, &item->st) < 0)
			return -errno;
		wait_past(timespec_ns(item->st.st_ctim));
		rc = io_fdatasync(item->rfd);
		if (rc < 0)
			return rc;
		if (fstat(item->rfd, &after) < 0)
			return -errno;
		if (timespec_ns(after.st_ctim) ==
		    timespec_ns(item->st.st_ctim)) {
			item->st = after;
			return 0;
		}
	}
	return -SOBRE_ECHANGED;
}

static void open_for_reading(struct pack_item *item)
{
	int rc = reopen(item->opath, O_RDONLY | O_NOATIME | O_NONBLOCK);

	if (rc < 0)
		return fail(item, rc, "cannot open");
	item->rfd = rc;
	rc = settle_times(item);
	if (rc < 0)
		return fail(item, rc, "cannot sync");
	if (has_flags(item->rfd, &item->st) || is_preallocated(&item->st))
		return leave_out(item, PACK_FLAGS);
	if (gain_is_none(item))
		return leave_out(item, PACK_NO_GAIN);
	rc = lower_inode(item->rfd, &item->inode);
	if (rc < 0)
		fail(item, rc, "cannot stat");
}

/* What it would be left out for now, and later not, gives way. */
static void exclude(struct pack_item *item, const char *path)
{
	int rc;

	if (item->outcome != PACK_DONE && item->outcome != PACK_YOUNG &&
	    item->outcome != PACK_IN_USE)
		return;
	rc = pack_is_excluded(item->file->drive, &item->st, path, &item->err);
	if (rc == 1)
		return leave_out(item, PACK_EXCLUDED);
	if (rc < 0)
		fail(item, rc, "cannot look up its names");
}

static char *inode_words(uint64_t ino)
{
	char *words = NULL;

	return asprintf(&words, "inode %llu", (unsigned long long)ino) < 0
		       ? NULL
		       : words;
}

void pack_item_prepare(struct pack_item *item, struct drive *drive, int opath,
		       const char *path, bool now)
{
	int64_t btime_ns;
	int rc;

	*item = (struct pack_item){ .opath = opath,
				    .rfd = -1,
				    .err = ERROR_INIT };
	rc = lower_stat(opath, &item->st, &btime_ns);
	item->path = path ? strdup(path) : inode_words(item->st.st_ino);
	if (!item->path)
		return fail(item, -ENOMEM, "out of memory");
	if (rc < 0)
		return fail(item, rc, "cannot stat");
	if (!S_ISREG(item->st.st_mode))
		return leave_out(item, PACK_NOT_FILE);
	rc = file_get(drive, item->st.st_ino, btime_ns, &item->file);
	if (rc < 0)
		return fail(item, rc, "out of memory");
	(void)pthread_rwlock_wrlock(&item->file->lock);
	look(item, now);
	(void)pthread_rwlock_unlock(&item->file->lock);
	exclude(item, path);
	if (item->outcome == PACK_DONE)
		open_for_reading(item);
}

static void drop(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

void pack_item_release(struct pack_item *item)
{
	drop(&item->rfd);
	drop(&item->opath);
	file_put(item->file);
	item->file = NULL;
	free(item->path);
	item->path = NULL;
}

static bool unchanged(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size &&
	       timespec_ns(a->st_mtim) == timespec_ns(b->st_mtim) &&
	       timespec_ns(a->st_ctim) == timespec_ns(b->st_ctim);
}

/* Nobody has it open, and it is what was compared. The lease stays. */
static int take_lease(struct pack_item *item)
{
	struct file *file = item->file;
	struct stat st;
	int fd;

	if (file->n_open > 0)
		return -SOBRE_EINUSE;
	if (file->opens != item->opens) /* opened and closed meanwhile */
		return -SOBRE_ECHANGED;
	drop(&item->rfd); /* a second descriptor would deny us the lease */
	file_drop_fds(file);
	fd = file_need_wfd(file, item->opath);
	if (fd < 0)
		return fd == -ETXTBSY ? -SOBRE_EINUSE : fd;
	if (fcntl(fd, F_SETLEASE, F_WRLCK) < 0)
		return errno == EAGAIN ? -SOBRE_EINUSE : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	return unchanged(&st, &item->st) ? 0 : -SOBRE_ECHANGED;
}

static struct stub stub_of(const struct pack_item *item)
{
	return (struct stub){
		.size_bytes = (uint64_t)item->st.st_size,
		.content = item->content,
		.mtime_ns = timespec_ns(item->st.st_mtim),
		.blocks = (uint32_t)item->st.st_blocks,
	};
}

static int set_stub(struct pack_item *item)
{
	struct drive *drive = item->file->drive;
	struct stub stub = stub_of(item);
	uint8_t value[STUB_BYTES];
	int rc;

	stub_encode(&stub, value);
	atomic_fetch_add(&drive->stubs_coming, 1);
	rc = io_fsetxattr(item->file->wfd, FILE_STUB_XATTR, value,
			  sizeof(value));
	atomic_fetch_add(&drive->stub_epoch, 1);
	atomic_fetch_sub(&drive->stubs_coming, 1);
	return rc;
}

/* All data is still there. */
static int undo_stub(struct pack_item *item, int why)
{
	struct error ignored = ERROR_INIT;

	(void)io_fremovexattr(item->file->wfd, FILE_STUB_XATTR);
	(void)io_fsync(item->file->wfd);
	/* which of the two it is now, only the xattr knows */
	(void)file_load_state(item->file, item->opath, &ignored);
	attr_moved(item->file->drive, item->file->ino);
	return why;
}

static bool has_lease(const struct pack_item *item)
{
	return fcntl(item->file->wfd, F_GETLEASE) == F_WRLCK;
}

static int sync_stub(struct pack_item *item)
{
	int rc = io_fsync(item->file->wfd);

	item->file->stub = stub_of(item);
	item->file->packed = true;
	return rc < 0 ? undo_stub(item, rc) : 0;
}

static int free_blocks(struct pack_item *item)
{
	struct timespec times[2] = { item->st.st_atim, item->st.st_mtim };
	int fd = item->file->wfd;
	struct stat st;
	int rc;

	if (!has_lease(item)) /* somebody waits at the door */
		return undo_stub(item, -SOBRE_EINUSE);
	rc = lower_punch(fd, &item->st);
	if (rc == 0)
		rc = io_futimens(fd, times);
	if (rc < 0)
		return rc; /* a stub already: the next scan finishes it */
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!gain_is_real(&item->st, &st))
		return -SOBRE_ENOGAIN;
	item->freed_bytes = (uint64_t)(item->st.st_blocks - st.st_blocks) * 512;
	return 0;
}

static void record_ctime(const struct pack_item *item)
{
	struct catalog_inode inode = item->inode;
	struct stat st;

	if (fstat(item->file->wfd, &st) < 0)
		return;
	inode.blocks = (uint64_t)st.st_blocks;
	inode.ctime_ns = timespec_ns(st.st_ctim);
	inode.shown_ctime_ns = timespec_ns(item->st.st_ctim);
	inode.packed_ctime_ns = timespec_ns(st.st_ctim);
	recent_put(item->file->drive, &inode);
}

static int empty_inode(struct pack_item *item)
{
	int rc = free_blocks(item);

	if (rc == 0)
		record_ctime(item);
	if (rc == -SOBRE_ENOGAIN) {
		int undone = file_copy_up(item->file, item->opath, &item->err);

		gain_was_none(item);
		rc = undone < 0 ? undone : rc;
	}
	return rc;
}

/* The content was committed for a file that stays plain, or has gone: then
 * the commit may have come after the word of it. */
static void drop_reference(const struct pack_item *item)
{
	struct stub stub = { .content = item->content };
	struct stat st;

	if (item->file->packed)
		return;
	post_plain(item->file, &stub);
	if (item->file->n_open == 0 &&
	    fstatat(item->opath, "", &st, AT_EMPTY_PATH) == 0 &&
	    st.st_nlink == 0)
		post_gone(item->file->drive, item->file->ino,
			  item->file->btime_ns);
}

static enum pack_outcome outcome_of(int rc)
{
	switch (rc) {
	case 0:
		return PACK_DONE;
	case -SOBRE_EINUSE:
		return PACK_IN_USE;
	case -SOBRE_ECHANGED:
		return PACK_CHANGED;
	case -SOBRE_ENOGAIN:
		return PACK_NO_GAIN;
	default:
		return PACK_ERROR;
	}
}

/* Gives the lease and the lock back. */
static void finish(struct pack_item *item, int rc)
{
	struct file *file = item->file;

	if (file->wfd >= 0)
		(void)fcntl(file->wfd, F_SETLEASE, F_UNLCK);
	if (file->n_open == 0)
		file_drop_fds(file);
	drop_reference(item);
	(void)pthread_rwlock_unlock(&file->lock);
	item->outcome = outcome_of(rc);
	if (item->outcome == PACK_ERROR && item->err.code == 0)
		fail(item, rc < -SOBRE_ERRCODE_START ? -EIO : rc,
		     "cannot be packed");
}

/* Of the items in [0, n[, `step` for those still in; who fails is out. */
static void each_step(struct pack_item **items, unsigned int n,
		      int (*step)(struct pack_item *item))
{
	for (unsigned int i = 0; i < n; i++) {
		int rc = items[i] ? step(items[i]) : 0;

		if (rc == 0)
			continue;
		finish(items[i], rc);
		items[i] = NULL;
	}
}

static int begin(struct pack_item *item)
{
	int rc;

	(void)pthread_rwlock_wrlock(&item->file->lock);
	rc = take_lease(item);
	return rc == 0 ? set_stub(item) : rc;
}

/*
 * A journal commits many inodes at once: the first fsync of the group writes,
 * the others find it done.
 */
void pack_items_freeze(struct pack_item **items, unsigned int n)
{
	each_step(items, n, begin);
	each_step(items, n, sync_stub);
	each_step(items, n, empty_inode);
	for (unsigned int i = 0; i < n; i++)
		if (items[i])
			finish(items[i], 0);
}
