/* SPDX-License-Identifier: EUPL-1.2 */
/* Rows that name a content against the inodes they speak of. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fs/fsck/internal.h"

#define BATCH 256

struct first_path {
	char text[4200]; /* "" while there is none */
};

static void keep_first(void *ctx, const char *path)
{
	struct first_path *first = ctx;

	(void)snprintf(first->text, sizeof(first->text), "%s", path);
}

static void path_of(struct fsck *f, uint64_t ino, struct first_path *ret)
{
	struct error ignored = ERROR_INIT;

	ret->text[0] = '\0';
	(void)catalog_paths(f->cat, ino, 1, keep_first, ret, &ignored);
}

static int open_path(struct fsck *f, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	long fd = 0;

	if (path[0] != '/' || path[1] == '\0')
		return -ENOENT;
	fd = syscall(SYS_openat2, drive_lower_fd(f->drive), path + 1, &how,
		     sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

/* By handle, or by path when none was kept. */
static int open_row(struct fsck *f, const struct catalog_inode *row)
{
	struct first_path first;

	if (row->handle.len > 0)
		return handle_open(drive_lower_fd(f->drive), &row->handle,
				   O_PATH);
	path_of(f, row->ino, &first);
	return open_path(f, first.text);
}

/*
 * What speaks against the row; "" if nothing. A stub of another content is
 * told of where the stub is looked at.
 */
static const char *doubt(struct fsck *f, const struct catalog_inode *row)
{
	struct error ignored = ERROR_INIT;
	cleanup_fd int fd = open_row(f, row);
	int64_t btime_ns = 0;
	struct stub stub;
	struct stat st;

	if (fd == -ESTALE || fd == -ENOENT)
		return "its inode is gone";
	if (fd < 0)
		return "its inode can't be opened";
	if (fsck_stat(fd, &st, &btime_ns) < 0)
		return "its inode can't be looked at";
	if (st.st_ino != row->ino || btime_ns != row->btime_ns)
		return "its inode is another one now";
	return fsck_probe(fd, &stub, &ignored) == 0 ? "the file is plain" : "";
}

/* The row as it is now: 1, or 0 when it names no content any more. */
static int get_row(struct fsck *f, uint64_t ino, struct catalog_inode *ret_row,
		   struct error *err)
{
	int rc = catalog_inode_get(f->cat, ino, 0, ret_row, err);

	if (rc == -ENOENT)
		return 0;
	if (rc == -SOBRE_ECORRUPT) {
		fsck_tell(f, FSCK_CATALOG, "", "%s", err->text);
		return 0;
	}
	return rc < 0 ? rc : ret_row->packed;
}

/* Between a content's commit and its stub, or while an event waits, a row is
 * ahead of the file: it is only told of if it still is at the end. */
static int check_row(struct fsck *f, uint64_t ino, struct error *err)
{
	struct catalog_inode row;
	int rc = get_row(f, ino, &row, err);

	if (rc <= 0)
		return rc;
	f->report->references++;
	if (*doubt(f, &row) != '\0' && f->doubts_count < DOUBTS_MAX)
		f->doubts[f->doubts_count++] = ino;
	return fsck_advance(f, err);
}

static int next_batch(struct fsck *f, int64_t after, uint64_t inos[BATCH],
		      struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_read_stmt(
		f->cat,
		"SELECT ino FROM inode WHERE content IS NOT NULL AND ino > ?1"
		" ORDER BY ino LIMIT ?2",
		err);
	int n = 0;
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, after);
	stmt_bind_i64(s, 2, BATCH);
	while (n < BATCH && (rc = stmt_step(s, err)) == 1)
		inos[n++] = (uint64_t)stmt_i64(s, 0);
	return rc < 0 ? rc : n;
}

int fsck_check_references(struct fsck *f, struct error *err)
{
	uint64_t inos[BATCH] = { 0 };
	int64_t after = INT64_MIN;
	int n = 0;

	while ((n = next_batch(f, after, inos, err)) > 0) {
		for (int i = 0; i < n; i++) {
			int rc = check_row(f, inos[i], err);

			if (rc < 0)
				return rc;
		}
		after = (int64_t)inos[n - 1];
	}
	return n;
}

int fsck_check_doubts(struct fsck *f, struct error *err)
{
	int rc = fsck_flush(f, err);

	for (size_t i = 0; rc == 0 && i < f->doubts_count; i++) {
		struct first_path first;
		struct catalog_inode row;
		const char *why = "";

		rc = get_row(f, f->doubts[i], &row, err);
		if (rc < 0)
			return rc;
		why = rc == 1 ? doubt(f, &row) : "";
		rc = 0;
		if (*why == '\0')
			continue;
		path_of(f, row.ino, &first);
		fsck_tell(f, FSCK_REFERENCE_STALE, first.text,
			  "the catalog has inode %llu as packed: %s",
			  (unsigned long long)row.ino, why);
	}
	return rc;
}
