/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * From packed to plain. The order is DESIGN's invariant 2, each arrow a crash
 * point of tests/crash: room reserved → data restored → fsync → removexattr →
 * fsync → and only then the write that asked for it.
 */
#include <errno.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fs/base/io.h"
#include "fs/file/internal.h"

int file_load_state(struct file *file, int opath, struct error *err)
{
	int fd = file->opath >= 0 ? file->opath : opath;
	int rc = stub_probe(fd, &file->stub, err);

	if (rc < 0)
		return rc;
	file->packed = rc == 1;
	return 0;
}

int need_body(struct file *file, struct error *err)
{
	if (file->body)
		return 0;
	return store_body_open(file->drive->store, &file->stub.content,
			       file->stub.size_bytes, &file->body, err);
}

static uint64_t punch_len(const struct stat *st)
{
	uint64_t block = st->st_blksize > 0 ? (uint64_t)st->st_blksize : 4096;
	uint64_t size = (uint64_t)st->st_size;

	return (size + block - 1) / block * block;
}

int lower_punch(int fd, const struct stat *st)
{
	uint64_t len = punch_len(st);

	if (len == 0)
		return 0;
	return io_fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			    len);
}

/* Calls `each` for every run of data of the packed content. */
static int each_data(struct file *file,
		     int (*each)(struct file *file, uint64_t off, uint64_t len,
				 void *ctx, struct error *err),
		     void *ctx, struct error *err)
{
	int64_t size = (int64_t)file->stub.size_bytes;
	int64_t at = 0;

	while (at < size) {
		int64_t from = store_body_seek(file->body, at, SEEK_DATA);
		int64_t to;
		int rc;

		if (from == -ENXIO)
			return 0;
		if (from < 0)
			return error_set(err, (int)from, "cannot seek");
		to = store_body_seek(file->body, from, SEEK_HOLE);
		if (to <= from)
			return error_set(err, -SOBRE_ECORRUPT,
					 "the recipe doesn't add up");
		rc = each(file, (uint64_t)from, (uint64_t)(to - from), ctx,
			  err);
		if (rc < 0)
			return rc;
		at = to;
	}
	return 0;
}

static int reserve(struct file *file, uint64_t off, uint64_t len, void *ctx,
		   struct error *err)
{
	int rc = io_fallocate(file->wfd, FALLOC_FL_KEEP_SIZE, off, len);

	(void)ctx;
	if (rc == -EOPNOTSUPP) /* then ENOSPC shows at the write */
		return 0;
	if (rc < 0)
		return error_set(err, rc, "cannot reserve room: %s",
				 error_words(rc));
	return 0;
}

static int restore(struct file *file, uint64_t off, uint64_t len, void *ctx,
		   struct error *err)
{
	while (len > 0) {
		size_t want = len < COPY_BYTES ? (size_t)len : COPY_BYTES;
		ssize_t n = store_body_read(file->body, ctx, want, off, err);
		int rc;

		if (n < 0)
			return (int)n;
		if (n == 0)
			return error_set(err, -SOBRE_ECORRUPT,
					 "the content is too short");
		rc = io_pwrite(file->wfd, ctx, (size_t)n, off);
		if (rc < 0)
			return error_set(err, rc, "cannot restore data: %s",
					 error_words(rc));
		off += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}

static int put_times(const struct file *file, const struct stat *st)
{
	struct timespec times[2] = { st->st_atim,
				     timespec_from_ns(file->stub.mtime_ns) };

	return io_futimens(file->wfd, times);
}

/* Data, times and the first fsync, in the room reserved; the xattr still says
 * packed. */
static int restore_all(struct file *file, const struct stat *st,
		       struct error *err)
{
	cleanup_free void *buf = malloc(COPY_BYTES);
	int rc;

	if (!buf)
		return error_set(err, -ENOMEM, "out of memory");
	rc = each_data(file, restore, buf, err);
	if (rc < 0)
		return rc;
	rc = put_times(file, st);
	if (rc == 0)
		rc = io_fsync(file->wfd);
	if (rc < 0)
		return error_set(err, rc, "cannot sync restored data: %s",
				 error_words(rc));
	return 0;
}

/* Ends the packed state: the xattr goes, durably, then the reference. */
static int end_packed(struct file *file, struct error *err)
{
	struct stub was = file->stub;
	struct catalog_event ev = { .kind = CATALOG_EVENT_INODE };
	int rc = io_fremovexattr(file->wfd, FILE_STUB_XATTR);

	if (rc == 0)
		rc = io_fsync(file->wfd);
	if (rc < 0) {
		/* which of the two it is now, only the xattr knows */
		struct error ignored = ERROR_INIT;

		(void)file_load_state(file, file->wfd, &ignored);
		return error_set(err, rc, "cannot end the packed state: %s",
				 error_words(rc));
	}
	file->packed = false;
	store_body_close(take_ptr(&file->body));
	post_plain(file, &was);
	if (lower_inode(file->wfd, &ev.inode) == 0)
		(void)catalog_post(file->drive->catalog, &ev);
	return 0;
}

bool drive_is_moving_data(const struct drive *drive)
{
	return atomic_load(&drive->copying_up) > 0 ||
	       atomic_load(&drive->stubs_coming) > 0;
}

static int copy_up(struct file *file, int opath, struct error *err)
{
	struct stat st;
	bool repaired;
	bool had_room;
	int rc = file_need_wfd(file, opath);

	if (rc < 0)
		return error_set(err, rc, "cannot open for writing: %s",
				 error_words(rc));
	if (fcntl(rc, F_GETFL) & O_APPEND) /* its pwrite(2) would append */
		return error_set(err, -EPERM, "the packed file is append-only");
	rc = file_settle(file, opath, &repaired, err);
	if (rc < 0)
		return rc;
	if (fstat(file->wfd, &st) < 0)
		return error_set(err, -errno, "cannot stat");
	rc = need_body(file, err);
	if (rc < 0)
		return rc;
	rc = each_data(file, reserve, NULL, err);
	had_room = rc == 0;
	if (rc == 0)
		rc = restore_all(file, &st, err);
	if (rc == 0)
		return end_packed(file, err);
	/* still packed; give the room back */
	(void)lower_punch(file->wfd, &st);
	(void)put_times(file, &st);
	if (!had_room) /* soon known: hardly time for a change by agents */
		attr_keep_ctime(file, &st);
	return error_prefix(err, "cannot copy up");
}

int file_copy_up(struct file *file, int opath, struct error *err)
{
	int rc;

	atomic_fetch_add(&file->drive->copying_up, 1);
	rc = copy_up(file, opath, err);
	atomic_fetch_sub(&file->drive->copying_up, 1);
	/* Also one that failed: times were in motion meanwhile. */
	attr_moved(file->drive, file->ino);
	return rc;
}

int file_cut_stub(struct file *file, int opath, struct error *err)
{
	int rc = file_need_wfd(file, opath);

	if (rc >= 0)
		rc = io_ftruncate(file->wfd, 0);
	if (rc < 0)
		return error_set(err, rc, "cannot truncate: %s",
				 error_words(rc));
	return end_packed(file, err);
}

int file_resize(struct file *file, int opath, uint64_t size_bytes,
		struct error *err)
{
	int rc;

	if (file->packed && size_bytes == 0)
		return file_cut_stub(file, opath, err);
	if (file->packed) {
		rc = file_copy_up(file, opath, err);
		if (rc < 0)
			return rc;
	}
	rc = file_need_wfd(file, opath);
	if (rc >= 0)
		rc = io_ftruncate(file->wfd, size_bytes);
	return rc < 0 ? error_set(err, rc, "cannot truncate: %s",
				  error_words(rc))
		      : 0;
}

/* Blocks that a punch would free. SEEK_DATA doesn't see room that was only
 * reserved; st_blocks alone counts blocks of xattrs too. */
static bool has_blocks(int fd, const struct stat *st)
{
	struct fiemap map = { .fm_length = punch_len(st) };

	if (st->st_blocks == 0 || map.fm_length == 0)
		return false;
	if (ioctl(fd, FS_IOC_FIEMAP, &map) < 0)
		return lseek(fd, 0, SEEK_DATA) >= 0;
	return map.fm_mapped_extents > 0;
}

/* What is in the inode may be the only good copy: every stored byte is read,
 * and so checked, before it goes. */
static int read_stored(struct file *file, struct error *err)
{
	cleanup_free void *buf = malloc(COPY_BYTES);
	uint64_t off = 0;
	int rc = buf ? need_body(file, err)
		     : error_set(err, -ENOMEM, "out of memory");

	while (rc == 0 && off < file->stub.size_bytes) {
		ssize_t n =
			store_body_read(file->body, buf, COPY_BYTES, off, err);

		if (n <= 0)
			return n < 0 ? (int)n
				     : error_set(err, -SOBRE_ECORRUPT,
						 "the content is too short");
		off += (uint64_t)n;
	}
	return rc;
}

/* Under a lease, as when it was frozen; without one it waits for the next
 * scan: reads go to the store anyway. */
static int finish_punch(struct file *file, const struct stat *st,
			bool *ret_repaired, struct error *err)
{
	int rc = read_stored(file, err);

	if (rc < 0)
		return rc;
	if (fcntl(file->wfd, F_SETLEASE, F_WRLCK) < 0)
		return 0;
	rc = lower_punch(file->wfd, st);
	if (rc == 0)
		rc = put_times(file, st);
	(void)fcntl(file->wfd, F_SETLEASE, F_UNLCK);
	if (rc < 0)
		return error_set(err, rc, "cannot finish packing: %s",
				 error_words(rc));
	*ret_repaired = true;
	return 0;
}

static int settle(struct file *file, int opath, bool *ret_repaired,
		  struct error *err)
{
	struct stat st;
	int rc = file_need_wfd(file, opath);

	*ret_repaired = false;
	if (rc < 0)
		return error_set(err, rc, "cannot open for repair: %s",
				 error_words(rc));
	if (fstat(file->wfd, &st) < 0)
		return error_set(err, -errno, "cannot stat");
	if ((uint64_t)st.st_size != file->stub.size_bytes) {
		rc = io_ftruncate(file->wfd, file->stub.size_bytes);
		st.st_size = (off_t)file->stub.size_bytes;
		*ret_repaired = true;
	}
	if (rc >= 0 &&
	    (*ret_repaired || timespec_ns(st.st_mtim) != file->stub.mtime_ns)) {
		rc = put_times(file, &st);
		*ret_repaired = true;
	}
	if (rc < 0)
		return error_set(err, rc, "cannot repair the stub: %s",
				 error_words(rc));
	if (file->n_open > 0 || !has_blocks(file->wfd, &st))
		return 0;
	return finish_punch(file, &st, ret_repaired, err);
}

int file_settle(struct file *file, int opath, bool *ret_repaired,
		struct error *err)
{
	int rc = settle(file, opath, ret_repaired, err);

	if (*ret_repaired || rc < 0)
		attr_moved(file->drive, file->ino);
	return rc;
}
