/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Reading takes the lock shared: the store and the lower file serve many at
 * once. What changes the state takes it alone. A file that somebody has open
 * is never packed, so plain stays plain between two locks.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/io.h"
#include "fs/file/internal.h"

static int need_lower(struct file *file, int opath, bool writing,
		      struct error *err)
{
	int fd = writing ? file_need_wfd(file, opath)
			 : file_need_rfd(file, opath);

	if (fd < 0)
		return error_set(err, fd, "cannot open the lower file: %s",
				 error_words(fd));
	return fd;
}

/* What reading needs is open already: no need to be alone. */
static bool ready_to_read(const struct file *file)
{
	return file->packed ? file->body != NULL
			    : file->rfd >= 0 || file->wfd >= 0;
}

/* Leaves the lock held shared, ready to read. */
static int lock_to_read(struct file *file, int opath, struct error *err)
{
	int rc = 0;

	(void)pthread_rwlock_rdlock(&file->lock);
	while (rc >= 0 && !ready_to_read(file)) {
		(void)pthread_rwlock_unlock(&file->lock);
		(void)pthread_rwlock_wrlock(&file->lock);
		rc = file->packed ? need_body(file, err)
				  : need_lower(file, opath, false, err);
		(void)pthread_rwlock_unlock(&file->lock);
		(void)pthread_rwlock_rdlock(&file->lock);
	}
	if (rc < 0)
		(void)pthread_rwlock_unlock(&file->lock);
	return rc < 0 ? rc : 0;
}

static ssize_t read_lower(int fd, void *buf, size_t len, uint64_t off,
			  struct error *err)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (char *)buf + done, len - done,
				  (off_t)(off + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(err, -errno, "cannot read: %s",
					 error_words(-errno));
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

ssize_t file_read(struct file *file, int opath, void *buf, size_t len,
		  uint64_t off, struct error *err)
{
	ssize_t n;
	int rc = lock_to_read(file, opath, err);

	if (rc < 0)
		return rc;
	if (file->packed)
		n = store_body_read(file->body, buf, len, off, err);
	else
		n = read_lower(file->wfd >= 0 ? file->wfd : file->rfd, buf, len,
			       off, err);
	(void)pthread_rwlock_unlock(&file->lock);
	return n;
}

/* Leaves the lock held alone, the file plain and open for writing. */
static int lock_to_write(struct file *file, struct error *err)
{
	int rc = 0;

	(void)pthread_rwlock_wrlock(&file->lock);
	if (file->packed)
		rc = file_copy_up(file, -1, err);
	if (rc >= 0)
		rc = need_lower(file, -1, true, err);
	if (rc < 0)
		(void)pthread_rwlock_unlock(&file->lock);
	return rc < 0 ? rc : 0;
}

int file_make_plain(struct file *file, struct error *err)
{
	int rc = lock_to_write(file, err);

	if (rc == 0)
		(void)pthread_rwlock_unlock(&file->lock);
	return rc;
}

static int write_at(struct file *file, const void *buf, size_t len,
		    uint64_t off, struct error *err)
{
	int rc = io_pwrite(file->wfd, buf, len, off);

	if (rc < 0)
		return error_set(err, rc, "cannot write: %s", error_words(rc));
	return 0;
}

static int append(struct file *file, const void *buf, size_t len,
		  struct error *err)
{
	struct stat st;

	if (fstat(file->wfd, &st) < 0)
		return error_set(err, -errno, "cannot stat");
	return write_at(file, buf, len, (uint64_t)st.st_size, err);
}

ssize_t file_write(struct file *file, const void *buf, size_t len, uint64_t off,
		   bool to_end, struct error *err)
{
	int rc;

	(void)pthread_rwlock_rdlock(&file->lock);
	if (!file->packed && file->wfd >= 0 && !to_end) {
		rc = write_at(file, buf, len, off, err);
		(void)pthread_rwlock_unlock(&file->lock);
		return rc < 0 ? rc : (ssize_t)len;
	}
	(void)pthread_rwlock_unlock(&file->lock);
	rc = lock_to_write(file, err);
	if (rc < 0)
		return rc;
	rc = to_end ? append(file, buf, len, err)
		    : write_at(file, buf, len, off, err);
	(void)pthread_rwlock_unlock(&file->lock);
	return rc < 0 ? rc : (ssize_t)len;
}

int file_truncate(struct file *file, uint64_t size_bytes, struct error *err)
{
	int rc;

	(void)pthread_rwlock_wrlock(&file->lock);
	rc = file_resize(file, -1, size_bytes, err);
	(void)pthread_rwlock_unlock(&file->lock);
	return rc;
}

int file_fallocate(struct file *file, int mode, uint64_t off, uint64_t len,
		   struct error *err)
{
	int rc = lock_to_write(file, err);

	if (rc < 0)
		return rc;
	rc = io_fallocate(file->wfd, mode, off, len);
	(void)pthread_rwlock_unlock(&file->lock);
	return rc < 0 ? error_set(err, rc, "cannot allocate: %s",
				  error_words(rc))
		      : 0;
}

int64_t file_seek(struct file *file, int opath, int64_t off, int whence)
{
	struct error err = ERROR_INIT;
	int64_t at;
	int rc = lock_to_read(file, opath, &err);

	if (rc < 0)
		return -error_to_errno(rc);
	if (file->packed) {
		at = store_body_seek(file->body, off, whence);
		at = at < 0 ? -error_to_errno((int)at) : at;
	} else {
		at = lseek(file->wfd >= 0 ? file->wfd : file->rfd, off, whence);
		at = at < 0 ? -errno : at;
	}
	(void)pthread_rwlock_unlock(&file->lock);
	return at;
}

int file_lower_fd(struct file *file, int opath)
{
	int fd;

	(void)pthread_rwlock_wrlock(&file->lock);
	if (file->packed)
		fd = -1;
	else if (file->n_writers > 0)
		fd = file_need_wfd(file, opath);
	else
		fd = file_need_rfd(file, opath);
	(void)pthread_rwlock_unlock(&file->lock);
	return fd < 0 ? -1 : fd;
}
