/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/front/ops.h"

#include <errno.h>
#include <unistd.h>

/* Data of files that are not in passthrough, and what always comes to us. */

/* Below, copying once more is cheaper than the pipe that splice needs. */
#define SPLICE_MIN_BYTES (64u << 10)
/* One request of copy_file_range: the caller asks again for the rest. */
#define COPY_MAX_BYTES (8u << 20)

static void reply_from_lower(fuse_req_t req, int fd, size_t size, off_t off)
{
	struct fuse_bufvec bufv = FUSE_BUFVEC_INIT(size);

	bufv.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
	bufv.buf[0].fd = fd;
	bufv.buf[0].pos = off;
	(void)fuse_reply_data(req, &bufv, (enum fuse_buf_copy_flags)0);
}

static void read_now(fuse_req_t req, const struct slow_args *args)
{
	struct front *front = front_of(req);
	struct open_file *of = open_file_of(&args->fi);
	size_t size = args->size;
	const off_t off = args->off;
	struct error err = ERROR_INIT;
	const int opath = opened_fd(front, of->opened);
	int fd = size >= SPLICE_MIN_BYTES ? file_lower_fd(of->file, opath) : -1;

	if (fd >= 0) {
		reply_from_lower(req, fd, size, off);
		return;
	}

	uint8_t *buf = worker_buffer(front);

	if (!buf) {
		reply_code(req, -ENOMEM);
		return;
	}
	if (size > MAX_WRITE_BYTES)
		size = MAX_WRITE_BYTES;

	ssize_t n = file_read(of->file, opath, buf, size, (uint64_t)off, &err);

	if (n < 0)
		reply_error(req, &err);
	else
		(void)fuse_reply_buf(req, (const char *)buf, (size_t)n);
}

void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
	     struct fuse_file_info *fi)
{
	const struct slow_args args = {
		.ino = ino, .fi = *fi, .size = size, .off = off
	};

	if (open_file_of(fi)->packed)
		slow_run(req, read_now, &args);
	else
		read_now(req, &args);
}

static void kill_on_write(fuse_req_t req, const struct open_file *of,
			  const struct fuse_file_info *fi)
{
#if FRONT_HAS_STATX
	struct stat st;
	int fd = fi->kill_suidgid ? opened_fd(of->front, of->opened) : -1;

	if (fd >= 0 && fstatat(fd, "", &st, AT_EMPTY_PATH) == 0)
		(void)attr_kill_priv(req, fd, &st);
#else
	/* Without KILLPRIV_V2 the kernel does it itself, by a chmod. */
	(void)req;
	(void)of;
	(void)fi;
#endif
}

static void write_now(fuse_req_t req, const struct slow_args *args)
{
	const struct fuse_file_info *fi = &args->fi;
	struct open_file *of = open_file_of(fi);
	struct error err = ERROR_INIT;
	struct fuse_bufvec from = args->bufv;
	struct fuse_bufvec *bufv = &from;
	struct fuse_bufvec flat = FUSE_BUFVEC_INIT(fuse_buf_size(bufv));
	const void *data = bufv->buf[0].mem;
	const off_t off = args->off;

	if (bufv->count != 1 || bufv->buf[0].flags & FUSE_BUF_IS_FD) {
		uint8_t *room = worker_buffer(front_of(req));

		if (!room || flat.buf[0].size > MAX_WRITE_BYTES) {
			reply_code(req, room ? -EINVAL : -ENOMEM);
			return;
		}
		flat.buf[0].mem = room;
		data = room;

		ssize_t got =
			fuse_buf_copy(&flat, bufv, (enum fuse_buf_copy_flags)0);

		if (got < 0 || (size_t)got != flat.buf[0].size) {
			reply_code(req, got < 0 ? (int)got : -EIO);
			return;
		}
	}

	/* A page written back has its place, whatever the open's flags. */
	bool append = (fi->flags & O_APPEND) != 0 && !fi->writepage;
	ssize_t n = file_write(of->file, data, flat.buf[0].size, (uint64_t)off,
			       append, &err);

	if (n < 0) {
		reply_error(req, &err);
		return;
	}
	kill_on_write(req, of, fi);
	(void)fuse_reply_write(req, (size_t)n);
}

void op_write_buf(fuse_req_t req, fuse_ino_t ino, struct fuse_bufvec *bufv,
		  off_t off, struct fuse_file_info *fi)
{
	/* one buffer, whatever it comes by */
	const struct slow_args args = {
		.ino = ino, .fi = *fi, .bufv = *bufv, .off = off
	};

	if (bufv->count != 1)
		reply_code(req, -EINVAL);
	else if (open_file_of(fi)->packed)
		slow_run(req, write_now, &args);
	else
		write_now(req, &args);
}

static void fsync_now(fuse_req_t req, const struct slow_args *args)
{
	struct front *front = front_of(req);
	struct open_file *of = open_file_of(&args->fi);
	const int opath = opened_fd(front, of->opened);
	struct error err = ERROR_INIT;

	if (file_fsync(of->file, opath, &of->sync_told, args->flags != 0,
		       &err) < 0) {
		reply_error(req, &err);
		return;
	}
	if (of->maps)
		opened_refresh(of, false);
	reply_code(req, 0);
}

void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync,
	      struct fuse_file_info *fi)
{
	const struct slow_args args = { .ino = ino,
					.fi = *fi,
					.flags = datasync };

	slow_run(req, fsync_now, &args);
}

static void fallocate_now(fuse_req_t req, const struct slow_args *args)
{
	struct error err = ERROR_INIT;

	if (file_fallocate(open_file_of(&args->fi)->file, args->flags,
			   (uint64_t)args->off, args->size, &err) < 0)
		reply_error(req, &err);
	else
		reply_code(req, 0);
}

void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off,
		  off_t length, struct fuse_file_info *fi)
{
	const struct slow_args args = { .ino = ino,
					.fi = *fi,
					.flags = mode,
					.off = off,
					.size = (size_t)length };

	if (off < 0 || length <= 0)
		reply_code(req, -EINVAL);
	else
		slow_run(req, fallocate_now, &args);
}

/* Pages that were stored to, and not written back, may lie in a hole of what
 * is below: then all is data, as where a file system knows no holes. */
static int64_t seek_in_data(int fd, int64_t off, int whence)
{
	struct stat st;

	if (fstatat(fd, "", &st, AT_EMPTY_PATH) < 0)
		return -errno;
	if (off < 0 || off >= st.st_size)
		return -ENXIO;
	return whence == SEEK_DATA ? off : st.st_size;
}

static void lseek_now(fuse_req_t req, const struct slow_args *args)
{
	struct open_file *of = open_file_of(&args->fi);
	const int fd = opened_fd(front_of(req), of->opened);
	const off_t off = args->off;
	const int whence = args->flags;
	int64_t at;

	if (opened_may_be_dirty(of->opened) &&
	    (whence == SEEK_DATA || whence == SEEK_HOLE))
		at = seek_in_data(fd, off, whence);
	else
		at = file_seek(of->file, fd, off, whence);
	if (at < 0)
		reply_code(req, (int)at);
	else
		(void)fuse_reply_lseek(req, at);
}

void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence,
	      struct fuse_file_info *fi)
{
	const struct slow_args args = {
		.ino = ino, .fi = *fi, .off = off, .flags = whence
	};

	if (open_file_of(fi)->packed)
		slow_run(req, lseek_now, &args);
	else
		lseek_now(req, &args);
}

static ssize_t copy_by_hand(struct open_file *from, uint64_t off_in,
			    struct file *out, uint64_t off_out, size_t len,
			    struct error *err)
{
	const int opath = opened_fd(from->front, from->opened);
	uint8_t *buf = worker_buffer(from->front);
	size_t done = 0;

	if (!buf)
		return error_set(err, -ENOMEM, "out of memory");
	if (len > COPY_MAX_BYTES)
		len = COPY_MAX_BYTES;
	while (done < len) {
		size_t want = len - done;
		ssize_t n = file_read(from->file, opath, buf,
				      want < MAX_WRITE_BYTES ? want
							     : MAX_WRITE_BYTES,
				      off_in + done, err);

		if (n > 0)
			n = file_write(out, buf, (size_t)n, off_out + done,
				       false, err);
		if (n < 0)
			return done ? (ssize_t)done : n;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static ssize_t copy_between(struct open_file *from, off_t off_in,
			    struct open_file *to, off_t off_out, size_t len,
			    struct error *err)
{
	struct front *front = from->front;
	int r = file_make_plain(to->file, err);

	if (r < 0)
		return r;

	int in = file_lower_fd(from->file, opened_fd(front, from->opened));
	int out = file_lower_fd(to->file, opened_fd(front, to->opened));

	if (in >= 0 && out >= 0) {
		ssize_t n = copy_file_range(in, &off_in, out, &off_out, len, 0);

		if (n >= 0)
			return n;
		if (errno != EXDEV && errno != EOPNOTSUPP)
			return error_set(err, -errno, "cannot copy");
	}
	return copy_by_hand(from, (uint64_t)off_in, to->file, (uint64_t)off_out,
			    len, err);
}

static void copy_now(fuse_req_t req, const struct slow_args *args)
{
	struct error err = ERROR_INIT;
	ssize_t n = copy_between(open_file_of(&args->fi), args->off,
				 open_file_of(&args->fi_out), args->off_out,
				 args->size, &err);

	if (n < 0)
		reply_error(req, &err);
	else
		(void)fuse_reply_write(req, (size_t)n);
}

/* NOLINTNEXTLINE(readability-function-size): as libfuse has it */
void op_copy_file_range(fuse_req_t req, fuse_ino_t ino_in, off_t off_in,
			struct fuse_file_info *fi_in, fuse_ino_t ino_out,
			off_t off_out, struct fuse_file_info *fi_out,
			size_t len, int flags)
{
	const struct slow_args args = { .fi = *fi_in,
					.fi_out = *fi_out,
					.off = off_in,
					.off_out = off_out,
					.size = len };

	(void)ino_in;
	(void)ino_out;
	if (off_in < 0 || off_out < 0 || flags != 0)
		reply_code(req, -EINVAL);
	else
		slow_run(req, copy_now, &args);
}
