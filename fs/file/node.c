/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/file/internal.h"

static struct file **bucket(struct drive *drive, uint64_t ino)
{
	return &drive->buckets[ino * UINT64_C(0x9e3779b97f4a7c15) >> 52];
}

static struct file *find(struct drive *drive, uint64_t ino, int64_t btime_ns)
{
	struct file *f = *bucket(drive, ino);

	while (f && (f->ino != ino || f->btime_ns != btime_ns))
		f = f->next;
	return f;
}

static struct file *file_new(struct drive *drive, uint64_t ino,
			     int64_t btime_ns)
{
	struct file *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	*f = (struct file){ .drive = drive,
			    .ino = ino,
			    .btime_ns = btime_ns,
			    .opath = -1,
			    .rfd = -1,
			    .wfd = -1 };
	if (pthread_rwlock_init(&f->lock, NULL) != 0) {
		free(f);
		return NULL;
	}
	/* by default attributes these can't fail */
	(void)pthread_mutex_init(&f->sync.lock, NULL);
	(void)pthread_cond_init(&f->sync.round_done, NULL);
	return f;
}

int file_get(struct drive *drive, uint64_t ino, int64_t btime_ns,
	     struct file **ret_file)
{
	struct file **head = bucket(drive, ino);
	struct file *f;

	(void)pthread_mutex_lock(&drive->table_lock);
	f = find(drive, ino, btime_ns);
	if (!f) {
		f = file_new(drive, ino, btime_ns);
		if (f) {
			f->next = *head;
			*head = f;
		}
	}
	if (f)
		f->refs++;
	(void)pthread_mutex_unlock(&drive->table_lock);
	if (!f)
		return -ENOMEM;
	*ret_file = f;
	return 0;
}

struct file *file_find(struct drive *drive, uint64_t ino, int64_t btime_ns)
{
	struct file *f;

	(void)pthread_mutex_lock(&drive->table_lock);
	f = find(drive, ino, btime_ns);
	if (f)
		f->refs++;
	(void)pthread_mutex_unlock(&drive->table_lock);
	return f;
}

static void drop_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

void file_drop_fds(struct file *file)
{
	store_body_close(file->body);
	file->body = NULL;
	drop_fd(&file->rfd);
	drop_fd(&file->wfd);
	drop_fd(&file->opath);
}

void file_put(struct file *file)
{
	struct drive *drive;
	struct file **at;

	if (!file)
		return;
	drive = file->drive;
	(void)pthread_mutex_lock(&drive->table_lock);
	if (--file->refs > 0) {
		(void)pthread_mutex_unlock(&drive->table_lock);
		return;
	}
	at = bucket(drive, file->ino);
	while (*at != file)
		at = &(*at)->next;
	*at = file->next;
	(void)pthread_mutex_unlock(&drive->table_lock);
	file_drop_fds(file);
	(void)pthread_rwlock_destroy(&file->lock);
	(void)pthread_mutex_destroy(&file->sync.lock);
	(void)pthread_cond_destroy(&file->sync.round_done);
	free(file);
}

void file_set_packing(struct file *file, bool packing)
{
	(void)pthread_mutex_lock(&file->drive->table_lock);
	file->packing = packing;
	(void)pthread_mutex_unlock(&file->drive->table_lock);
}

bool file_is_packing(struct drive *drive, uint64_t ino, int64_t btime_ns)
{
	const struct file *f;
	bool packing;

	(void)pthread_mutex_lock(&drive->table_lock);
	f = find(drive, ino, btime_ns);
	packing = f && f->packing;
	(void)pthread_mutex_unlock(&drive->table_lock);
	return packing;
}

int file_need_rfd(struct file *file, int opath)
{
	if (file->wfd >= 0)
		return file->wfd;
	if (file->rfd < 0) {
		int fd = reopen(file->opath >= 0 ? file->opath : opath,
				O_RDONLY | O_NOATIME);

		if (fd < 0)
			return fd;
		file->rfd = fd;
	}
	return file->rfd;
}

int file_need_wfd(struct file *file, int opath)
{
	if (file->wfd < 0) {
		int fd = reopen(file->opath >= 0 ? file->opath : opath,
				O_RDWR | O_NOATIME);

		if (fd == -EPERM) /* append-only: chattr(1) +a */
			fd = reopen(file->opath >= 0 ? file->opath : opath,
				    O_RDWR | O_NOATIME | O_APPEND);
		if (fd < 0)
			return fd;
		file->wfd = fd;
	}
	return file->wfd;
}
