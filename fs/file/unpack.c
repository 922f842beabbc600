/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "fs/file/internal.h"

/* Left free: the file system's own metadata, and agents at work. */
#define ROOM_MARGIN_BYTES (UINT64_C(64) << 20)

struct unpack {
	struct drive *drive;
	bool (*progress)(void *ctx, uint64_t bytes_done, uint64_t bytes_total);
	void *ctx;
	struct unpack_report *report;
	uint64_t total_bytes;
	uint64_t done_bytes;
	uint64_t needed_bytes;
	uint64_t left_packed;
};

static int measure(void *ctx, const struct walk_entry *entry, struct error *err)
{
	struct unpack *u = ctx;
	struct error ignored = ERROR_INIT;
	struct stub stub;

	(void)err;
	if (!S_ISREG(entry->st->st_mode) ||
	    stub_probe(entry->opath, &stub, &ignored) != 1)
		return 0;
	u->total_bytes += stub.size_bytes;
	u->needed_bytes += (uint64_t)stub.blocks * 512;
	return 0;
}

static int check_room(const struct unpack *u, struct error *err)
{
	struct statvfs vfs;
	uint64_t free_bytes;

	if (fstatvfs(u->drive->lower_fd, &vfs) < 0)
		return error_set(err, -errno, "cannot see the free space");
	free_bytes = (uint64_t)vfs.f_bfree * vfs.f_frsize;
	if (free_bytes >= u->needed_bytes &&
	    (u->needed_bytes == 0 ||
	     free_bytes - u->needed_bytes >= ROOM_MARGIN_BYTES ||
	     u->needed_bytes < ROOM_MARGIN_BYTES / 16))
		return 0;
	return error_set(err, -ENOSPC,
			 "unpacking needs %llu bytes, the drive has %llu free",
			 (unsigned long long)u->needed_bytes,
			 (unsigned long long)free_bytes);
}

static void failed(struct unpack *u, const char *path, const struct error *err)
{
	struct unpack_report *r = u->report;

	r->failed++;
	u->left_packed++;
	r->last_error = *err;
	(void)snprintf(r->last_error_path, sizeof(r->last_error_path), "/%s",
		       path);
}

static int unpack_file(struct unpack *u, int opath, struct error *err)
{
	struct stat st;
	int64_t btime_ns;
	struct file *file;
	int rc = lower_stat(opath, &st, &btime_ns);

	if (rc < 0)
		return error_set(err, rc, "cannot stat");
	rc = file_get(u->drive, st.st_ino, btime_ns, &file);
	if (rc < 0)
		return error_set(err, rc, "out of memory");
	(void)pthread_rwlock_wrlock(&file->lock);
	rc = file_load_state(file, opath, err);
	if (rc == 0 && file->packed) {
		rc = file_copy_up(file, opath, err);
		u->report->unpacked += rc == 0;
		u->report->bytes += rc == 0 ? (uint64_t)st.st_size : 0;
	} else if (rc == 0) {
		u->report->plain++;
	}
	if (file->n_open == 0)
		file_drop_fds(file);
	(void)pthread_rwlock_unlock(&file->lock);
	file_put(file);
	return rc;
}

static int unpack_entry(void *ctx, const struct walk_entry *entry,
			struct error *err)
{
	struct unpack *u = ctx;
	struct error mine = ERROR_INIT;

	if (!S_ISREG(entry->st->st_mode))
		return 0;
	if (unpack_file(u, entry->opath, &mine) < 0)
		failed(u, entry->path, &mine);
	u->done_bytes += (uint64_t)entry->st->st_size;
	if (u->progress && !u->progress(u->ctx, u->done_bytes, u->total_bytes))
		return error_set(err, -ECANCELED, "stopped");
	return 0;
}

struct rows {
	struct catalog_inode *row;
	size_t n;
	size_t cap;
};

static int note_packed(void *ctx, const struct catalog_inode *inode,
		       struct error *err)
{
	struct rows *rows = ctx;

	if (!inode->packed)
		return 0;
	if (rows->n == rows->cap) {
		size_t cap = rows->cap ? 2 * rows->cap : 8;
		void *grown = realloc(rows->row, cap * sizeof(*rows->row));

		if (!grown)
			return error_set(err, -ENOMEM, "out of memory");
		rows->row = grown;
		rows->cap = cap;
	}
	rows->row[rows->n++] = *inode;
	return 0;
}

static void unpack_row(struct unpack *u, const struct catalog_inode *row)
{
	struct error mine = ERROR_INIT;
	cleanup_fd int fd = -1;
	char words[32];
	int rc = -EINVAL; /* without a handle */

	if (row->handle.len > 0)
		rc = handle_open(u->drive->lower_fd, &row->handle, O_PATH);
	if (rc == -ESTALE || rc == -ENOENT)
		return;
	fd = rc;
	if (fd < 0)
		rc = error_set(&mine, fd, "cannot open: %s", error_words(fd));
	else
		rc = unpack_file(u, fd, &mine);
	(void)snprintf(words, sizeof(words), "inode %llu",
		       (unsigned long long)row->ino);
	if (rc < 0)
		failed(u, words, &mine);
}

/* A walk passes by what is renamed meanwhile to a place where it has been: the
 * catalog still knows it as packed. */
static int unpack_missed(struct unpack *u, struct error *err)
{
	struct catalog *cat = u->drive->catalog;
	struct rows rows = { .n = 0 };
	int rc = catalog_flush(cat, err);

	if (rc == 0)
		rc = catalog_inodes(cat, UINT64_C(1) << 63, note_packed, &rows,
				    err);
	for (size_t i = 0; rc == 0 && i < rows.n; i++)
		unpack_row(u, &rows.row[i]);
	free(rows.row);
	return rc;
}

static int open_root(struct unpack *u, struct error *err)
{
	int rc = 0;

	if (u->left_packed == 0)
		rc = unpack_missed(u, err);
	if (rc == 0 && u->left_packed == 0)
		rc = root_unseal(u->drive, err);
	return rc;
}

int drive_unpack(struct drive *drive, const char *path,
		 bool (*progress)(void *ctx, uint64_t bytes_done,
				  uint64_t bytes_total),
		 void *ctx, struct unpack_report *report, struct error *err)
{
	struct unpack u = { .drive = drive,
			    .progress = progress,
			    .ctx = ctx,
			    .report = report };
	cleanup_fd int fd = -1;
	int rc;

	if (drive->options.readonly)
		return error_set(err, -EROFS, "the drive is read-only");
	fd = lower_open_path(drive, path, err);
	if (fd < 0)
		return fd;
	rc = walk_tree(drive, fd, path, measure, &u, err);
	if (rc == 0)
		rc = check_room(&u, err);
	if (rc == 0)
		rc = walk_tree(drive, fd, path, unpack_entry, &u, err);
	if (rc == 0 && *path == '\0')
		rc = open_root(&u, err);
	return rc;
}
