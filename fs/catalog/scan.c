/* SPDX-License-Identifier: EUPL-1.2 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/catalog/internal.h"

#define MOVED_MAX  65536
#define SWEEP_ROWS 20000

int catalog_scan_begin(struct catalog *cat, struct error *err)
{
	int rc = 0;

	assert(catalog_owned(cat));
	rc = catalog_meta_set(cat, "scan", cat->generation + 1, err);
	if (rc < 0)
		return rc;
	cat->generation++;
	cat->scanning = true;
	cat->scan_start_ns = clock_now_ns(&cat->clock);
	cat->moved.count = 0;
	cat->moved.overflow = false;
	queue_forget_lost(cat);
	return 0;
}

static int moved_add(struct moved *moved, uint64_t ino, struct error *err)
{
	if (moved->count == MOVED_MAX) {
		moved->overflow = true;
		return 0;
	}
	if (moved->count == moved->cap) {
		size_t cap = moved->cap == 0 ? 64 : moved->cap * 2;
		uint64_t *grown =
			realloc(moved->inos, cap * sizeof(*moved->inos));

		if (grown == NULL)
			return error_set(err, -ENOMEM, "out of memory");
		moved->inos = grown;
		moved->cap = cap;
	}
	moved->inos[moved->count++] = ino;
	return 0;
}

/* 1 if the row has been marked and is no directory's, else 0. */
static int surely_seen(struct catalog *cat, uint64_t ino, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		cat,
		"SELECT 1 FROM inode WHERE ino = ?1 AND seen = ?2"
		" AND (mode & 61440) <> 16384",
		err);

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, (int64_t)ino);
	stmt_bind_i64(s, 2, cat->generation);
	return stmt_step(s, err);
}

/* What is younger than the scan is known by its own events. */
int scan_note_move(struct catalog *cat, const struct catalog_inode *inode,
		   struct error *err)
{
	int rc = 0;

	if (!cat->scanning || inode->ino == 0 ||
	    inode->btime_ns > cat->scan_start_ns)
		return 0;
	rc = surely_seen(cat, inode->ino, err);
	return rc == 0 ? moved_add(&cat->moved, inode->ino, err)
		       : (rc < 0 ? rc : 0);
}

int catalog_scan_moved(struct catalog *cat, uint64_t *ret_inos, int max)
{
	struct moved *moved = &cat->moved;
	bool owned = catalog_owned(cat);
	int n = 0;

	if (!owned)
		(void)pthread_mutex_lock(&cat->writer_mutex);
	while (n < max && moved->count > 0)
		ret_inos[n++] = moved->inos[--moved->count];
	if (n == 0 && moved->overflow)
		n = -EOVERFLOW;
	if (!owned)
		(void)pthread_mutex_unlock(&cat->writer_mutex);
	return n;
}

/* Marks all that is below a directory that the scan may have missed. */
static int keep_below(struct catalog *cat, uint64_t ino, struct error *err)
{
	static const char names[] =
		"WITH RECURSIVE below(ino) AS (VALUES(?2) UNION"
		" SELECT name.ino FROM below JOIN name"
		" ON name.parent = below.ino)"
		" UPDATE name SET seen = ?1"
		" WHERE seen <> ?1 AND parent IN (SELECT ino FROM below)";
	static const char inodes[] =
		"WITH RECURSIVE below(ino) AS (VALUES(?2) UNION"
		" SELECT name.ino FROM below JOIN name"
		" ON name.parent = below.ino)"
		" UPDATE inode SET seen = ?1"
		" WHERE seen <> ?1 AND ino IN (SELECT ino FROM below)";
	const int64_t binds[] = { cat->generation, (int64_t)ino };
	int rc = writer_run(cat, names, binds, 2, err);

	return rc < 0 ? rc : writer_run(cat, inodes, binds, 2, err);
}

/* Bounded pieces: SQLite keeps what one statement changes in memory. */
struct sweep {
	const char *next; /* the key SWEEP_ROWS rows on from ?1 */
	const char *drop; /* between ?2 and ?3, without the mark ?1 */
};

/* 1 and the end of the piece, 0 when it is the last. */
static int sweep_next(struct catalog *cat, const char *sql, int64_t low,
		      int64_t *ret_high, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(cat, sql, err);
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, low);
	stmt_bind_i64(s, 2, SWEEP_ROWS);
	rc = stmt_step(s, err);
	*ret_high = rc == 1 ? stmt_i64(s, 0) : INT64_MAX;
	return rc;
}

static int sweep(struct catalog *cat, const struct sweep *sweep,
		 struct error *err)
{
	int64_t low = INT64_MIN;
	int more = 0;

	do {
		int64_t high = INT64_MAX;
		int rc = 0;

		more = sweep_next(cat, sweep->next, low, &high, err);
		if (more < 0)
			return more;
		rc = writer_run(cat, sweep->drop,
				(const int64_t[]){ cat->generation, low, high },
				3, err);
		if (rc < 0)
			return rc;
		low = high == INT64_MAX ? high : high + 1;
	} while (more == 1 && low < INT64_MAX);
	return 0;
}

int catalog_scan_end(struct catalog *cat, struct error *err)
{
	static const struct sweep names = {
		"SELECT parent FROM name WHERE parent >= ?1"
		" ORDER BY parent LIMIT 1 OFFSET ?2",
		"DELETE FROM name WHERE parent BETWEEN ?2 AND ?3"
		" AND seen <> ?1",
	};
	static const struct sweep inodes = {
		"SELECT ino FROM inode WHERE ino >= ?1"
		" ORDER BY ino LIMIT 1 OFFSET ?2",
		"DELETE FROM inode WHERE ino BETWEEN ?2 AND ?3"
		" AND seen <> ?1",
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < cat->moved.count; i++)
		rc = keep_below(cat, cat->moved.inos[i], err);
	if (rc == 0 && !cat->moved.overflow)
		rc = sweep(cat, &names, err);
	if (rc == 0 && !cat->moved.overflow)
		rc = sweep(cat, &inodes, err);
	if (rc == 0)
		cat->scanning = false;
	return rc;
}
