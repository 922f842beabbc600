/* SPDX-License-Identifier: EUPL-1.2 */
#include <string.h>

#include "fs/catalog/internal.h"

/* Inode numbers are stored as the same 64 bits; sizes fit off_t. */
static int64_t clamp(uint64_t v)
{
	return v > INT64_MAX ? INT64_MAX : (int64_t)v;
}

void row_bind_inode(struct catalog_stmt *s, const struct catalog_inode *inode)
{
	stmt_bind_i64(s, 1, (int64_t)inode->ino);
	stmt_bind_i64(s, 2, inode->btime_ns);
	stmt_bind_i64(s, 3, inode->mode);
	stmt_bind_i64(s, 4, inode->uid);
	stmt_bind_i64(s, 5, inode->gid);
	stmt_bind_i64(s, 6, inode->nlink);
	stmt_bind_i64(s, 7, clamp(inode->size_bytes));
	stmt_bind_i64(s, 8, clamp(inode->blocks));
	stmt_bind_i64(s, 9, inode->mtime_ns);
	stmt_bind_i64(s, 10, inode->ctime_ns);
	if (inode->packed)
		stmt_bind_blob(s, 11, inode->content.bytes,
			       sizeof(inode->content.bytes));
	else
		stmt_bind_null(s, 11);
	stmt_bind_i64(s, 12, inode->shown_ctime_ns);
	stmt_bind_i64(s, 13, inode->packed_ctime_ns);
	if (inode->handle.len > 0 && inode->handle.len <= HANDLE_BYTES_MAX) {
		stmt_bind_i64(s, 14, inode->handle.type);
		stmt_bind_blob(s, 15, inode->handle.bytes, inode->handle.len);
	} else {
		stmt_bind_null(s, 14);
		stmt_bind_null(s, 15);
	}
}

/* Says so once for a row, whatever the number of bad columns. */
static uint64_t bounded(struct catalog_stmt *s, int col, uint64_t max, bool *ok)
{
	int64_t v = stmt_i64(s, col);

	if (v < 0 || (uint64_t)v > max)
		*ok = false;
	return (uint64_t)v;
}

static bool read_blobs(struct catalog_stmt *s, struct catalog_inode *inode)
{
	size_t len = 0;
	const void *blob = stmt_blob(s, 10, &len);

	inode->packed = !stmt_is_null(s, 10);
	if (inode->packed) {
		if (len != sizeof(inode->content.bytes))
			return false;
		memcpy(inode->content.bytes, blob, len);
	}
	blob = stmt_blob(s, 14, &len);
	if (len > HANDLE_BYTES_MAX)
		return false;
	if (len > 0)
		memcpy(inode->handle.bytes, blob, len);
	inode->handle.len = (uint8_t)len;
	inode->handle.type = (int32_t)stmt_i64(s, 13);
	return true;
}

/* One that can't be is as good as none. */
static int32_t read_day(struct catalog_stmt *s, int col)
{
	int64_t day = stmt_is_null(s, col) ? INT64_MIN : stmt_i64(s, col);

	return day > INT32_MIN && day <= INT32_MAX ? (int32_t)day
						   : CATALOG_DAY_UNKNOWN;
}

bool row_name(struct catalog_stmt *s, int col, char ret_name[NAME_BYTES_MAX])
{
	size_t len = 0;
	const void *name = stmt_blob(s, col, &len);

	if (len == 0 || len >= NAME_BYTES_MAX ||
	    memchr(name, '\0', len) != NULL || memchr(name, '/', len) != NULL)
		return false;
	memcpy(ret_name, name, len);
	ret_name[len] = '\0';
	return true;
}

int row_inode(struct catalog_stmt *s, struct catalog_inode *ret_inode,
	      struct error *err)
{
	bool ok = true;
	struct catalog_inode inode = {
		.ino = (uint64_t)stmt_i64(s, 0),
		.btime_ns = stmt_i64(s, 1),
		.mode = (uint32_t)bounded(s, 2, UINT32_MAX, &ok),
		.uid = (uint32_t)bounded(s, 3, UINT32_MAX, &ok),
		.gid = (uint32_t)bounded(s, 4, UINT32_MAX, &ok),
		.nlink = (uint32_t)bounded(s, 5, UINT32_MAX, &ok),
		.size_bytes = bounded(s, 6, INT64_MAX, &ok),
		.blocks = bounded(s, 7, INT64_MAX, &ok),
		.mtime_ns = stmt_i64(s, 8),
		.ctime_ns = stmt_i64(s, 9),
		.shown_ctime_ns = stmt_i64(s, 11),
		.packed_ctime_ns = stmt_i64(s, 12),
		.last_used_day = read_day(s, 15),
	};

	if (!ok || !read_blobs(s, &inode))
		return error_set(err, -SOBRE_ECORRUPT,
				 "catalog '%s': the row of inode %llu is bad",
				 s->conn->cat->path,
				 (unsigned long long)inode.ino);
	*ret_inode = inode;
	return 0;
}

int row_tie(struct catalog *cat, const struct catalog_inode *inode,
	    const struct hash128 *content, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		cat,
		"INSERT INTO tie(content, ino, btime_ns, handle_type, handle)"
		" VALUES(?1, ?2, ?3, ?4, ?5)"
		" ON CONFLICT(content, ino, btime_ns) DO UPDATE SET"
		" handle_type = excluded.handle_type, handle = excluded.handle"
		" WHERE excluded.handle IS NOT NULL"
		" AND handle IS NOT excluded.handle",
		err);
	int64_t n = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_blob(s, 1, content->bytes, sizeof(content->bytes));
	stmt_bind_i64(s, 2, (int64_t)inode->ino);
	stmt_bind_i64(s, 3, inode->btime_ns);
	if (inode->handle.len > 0 && inode->handle.len <= HANDLE_BYTES_MAX) {
		stmt_bind_i64(s, 4, inode->handle.type);
		stmt_bind_blob(s, 5, inode->handle.bytes, inode->handle.len);
	}
	n = stmt_run(s, err);
	return n < 0 ? (int)n : 0;
}

int row_mark(struct catalog *cat, uint64_t ino, struct error *err)
{
	return writer_run(cat,
			  "UPDATE inode SET seen = ?1"
			  " WHERE ino = ?2 AND seen <> ?1",
			  (const int64_t[]){ cat->generation, (int64_t)ino }, 2,
			  err);
}
