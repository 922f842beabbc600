/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * fsync(2). The kernel tells of a write that it could not bring to the disk
 * once for each open file description that was there before; all opens of
 * ours share one description of the lower file. So a failed sync is counted
 * here, and each open is told until it knows the count.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/io.h"
#include "fs/file/internal.h"

/* The oldest description knows of the most errors. */
static int fd_to_sync(struct file *file, int opath, struct error *err)
{
	int fd;

	(void)pthread_rwlock_wrlock(&file->lock);
	fd = file->rfd >= 0 ? file->rfd : file_need_rfd(file, opath);
	(void)pthread_rwlock_unlock(&file->lock);
	if (fd < 0)
		return error_set(err, fd, "cannot open the lower file: %s",
				 error_words(fd));
	return fd;
}

/* A description that was opened by a handle may have no name, or one that has
 * gone since. (A real name that ends so only costs time.) */
static bool has_lost_its_name(int fd)
{
	static const char gone[] = " (deleted)";
	const ssize_t end = sizeof(gone) - 1;
	char link[PROC_FD_MAX];
	char path[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0 || st.st_nlink == 0)
		return false;
	proc_fd_path(fd, link);
	n = readlink(link, path, sizeof(path));
	return n < 2 || n == (ssize_t)sizeof(path) ||
	       (n > end && memcmp(path + n - end, gone, (size_t)end) == 0);
}

int sync_names(const struct drive *drive, int fd)
{
	return drive->syncs_by_name && has_lost_its_name(fd) ? io_syncfs(fd)
							     : 0;
}

/* The file's own sync comes after, in any case: it tells of errors once. */
static int sync_lower(const struct drive *drive, int fd, bool data_only)
{
	int names = sync_names(drive, fd);
	int rc = data_only ? io_fdatasync(fd) : io_fsync(fd);

	return rc < 0 ? rc : names;
}

/* One sync for all who have asked by now. With the lock held, which it
 * gives up meanwhile. */
static void sync_round(struct file *file, int fd)
{
	struct file_sync *s = &file->sync;
	uint64_t upto = s->asked;
	bool data_only = !s->whole;
	int rc;

	s->running = true;
	s->whole = false;
	(void)pthread_mutex_unlock(&s->lock);
	rc = sync_lower(file->drive, fd, data_only);
	(void)pthread_mutex_lock(&s->lock);
	s->running = false;
	s->answered = upto;
	if (rc < 0) {
		s->failures++;
		s->code = rc;
	}
	(void)pthread_cond_broadcast(&s->round_done);
}

uint64_t file_sync_failures(struct file *file)
{
	uint64_t failures;

	(void)pthread_mutex_lock(&file->sync.lock);
	failures = file->sync.failures;
	(void)pthread_mutex_unlock(&file->sync.lock);
	return failures;
}

/*
 * Never two at once: the kernel tells only one of them of an error, and the
 * other would answer that all is well before the count has moved. Who comes
 * meanwhile waits, and shares the next.
 */
int file_fsync(struct file *file, int opath, uint64_t *told, bool data_only,
	       struct error *err)
{
	struct file_sync *s = &file->sync;
	int fd = fd_to_sync(file, opath, err);
	uint64_t ticket;
	uint64_t known;
	int rc = 0;

	if (fd < 0)
		return fd;
	(void)pthread_mutex_lock(&s->lock);
	known = *told;
	ticket = ++s->asked;
	s->whole |= !data_only;
	while (s->answered < ticket) {
		if (s->running)
			(void)pthread_cond_wait(&s->round_done, &s->lock);
		else
			sync_round(file, fd);
	}
	if (s->failures != known) {
		*told = s->failures;
		rc = s->code;
	}
	(void)pthread_mutex_unlock(&s->lock);
	return rc < 0 ? error_set(err, rc, "cannot sync: %s", error_words(rc))
		      : 0;
}
