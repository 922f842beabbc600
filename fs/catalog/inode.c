/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <string.h>

#include "fs/catalog/internal.h"

int catalog_inode_get(struct catalog *cat, uint64_t ino, int64_t btime_ns,
		      struct catalog_inode *ret_inode, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s =
		catalog_stmt(cat,
			     "SELECT " INODE_READ " FROM inode WHERE ino = ?1"
			     " AND (?2 = 0 OR btime_ns = ?2)",
			     err);
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, (int64_t)ino);
	stmt_bind_i64(s, 2, btime_ns);
	rc = stmt_step(s, err);
	if (rc == 1)
		return row_inode(s, ret_inode, err);
	return rc < 0 ? rc
		      : error_set(err, -ENOENT,
				  "catalog '%s' doesn't know inode %llu",
				  cat->path, (unsigned long long)ino);
}

int row_put_inode(struct catalog *cat, const char *sql,
		  const struct catalog_inode *inode, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(cat, sql, err);
	int64_t n = 0;

	if (s == NULL)
		return err->code;
	row_bind_inode(s, inode);
	stmt_bind_i64(s, 16, cat->generation);
	n = stmt_run(s, err);
	if (n > 0 && inode->packed)
		n = row_tie(cat, inode, &inode->content, err);
	return n < 0 ? (int)n : 0;
}

int catalog_inode_put(struct catalog *cat, const struct catalog_inode *inode,
		      struct error *err)
{
	static const char all[] =
		INODE_UPSERT " content = excluded.content,"
			     " shown_ctime_ns = excluded.shown_ctime_ns,"
			     " packed_ctime_ns = excluded.packed_ctime_ns,"
			     " handle_type = excluded.handle_type,"
			     " handle = excluded.handle, seen = excluded.seen";

	return row_put_inode(cat, all, inode, err);
}

/* How many rows there were: this costs half of a row put. */
static int64_t pack_known(struct catalog *cat,
			  const struct catalog_inode *packed, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		cat,
		"UPDATE inode SET mode = ?3, uid = ?4, gid = ?5, nlink = ?6,"
		" size_bytes = ?7, blocks = ?8, mtime_ns = ?9, ctime_ns = ?10,"
		" content = ?11, shown_ctime_ns = ?12, packed_ctime_ns = ?13,"
		" handle_type = ?14, handle = ?15, seen = ?16"
		" WHERE ino = ?1 AND btime_ns = ?2",
		err);

	if (s == NULL)
		return err->code;
	row_bind_inode(s, packed);
	stmt_bind_i64(s, 16, cat->generation);
	return stmt_run(s, err);
}

/* Keeps the handle that is known when it comes without. */
static int pack_unsure(struct catalog *cat, const struct catalog_inode *inode,
		       struct error *err)
{
	struct catalog_inode packed = *inode;
	struct catalog_inode old = { 0 };
	struct error none = ERROR_INIT;
	int rc = catalog_inode_get(cat, inode->ino, inode->btime_ns, &old,
				   &none);

	if (rc < 0 && rc != -ENOENT && rc != -SOBRE_ECORRUPT)
		return error_set(err, rc, "%s", none.text);
	if (rc == 0 && packed.handle.len == 0)
		packed.handle = old.handle;
	return catalog_inode_put(cat, &packed, err);
}

int catalog_inode_pack(struct catalog *cat, const struct catalog_inode *inode,
		       const struct hash128 *content, struct error *err)
{
	struct catalog_inode packed = *inode;
	int64_t n = 0;

	packed.packed = true;
	packed.content = *content;
	if (packed.handle.len > 0)
		n = pack_known(cat, &packed, err);
	if (n == 0)
		return pack_unsure(cat, &packed, err);
	return n < 0 ? (int)n : row_tie(cat, &packed, content, err);
}

int catalog_content_inodes(struct catalog *cat, const struct hash128 *content,
			   void (*each)(void *ctx, uint64_t ino), void *ctx,
			   struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s =
		catalog_stmt(cat,
			     "SELECT ino FROM inode INDEXED BY inode_content"
			     " WHERE content = ?1",
			     err);
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_blob(s, 1, content->bytes, sizeof(content->bytes));
	while ((rc = stmt_step(s, err)) == 1)
		each(ctx, (uint64_t)stmt_i64(s, 0));
	return rc;
}

static int read_tie(struct catalog_stmt *s, struct catalog_inode *ret_tied,
		    struct error *err)
{
	struct catalog_inode tied = {
		.ino = (uint64_t)stmt_i64(s, 0),
		.btime_ns = stmt_i64(s, 1),
		.handle = { .type = (int32_t)stmt_i64(s, 2) },
	};
	size_t len = 0;
	const void *handle = stmt_blob(s, 3, &len);

	if (len > sizeof(tied.handle.bytes))
		return error_set(err, -SOBRE_ECORRUPT,
				 "catalog '%s': the tie of inode %llu is bad",
				 s->conn->cat->path,
				 (unsigned long long)tied.ino);
	if (len > 0)
		memcpy(tied.handle.bytes, handle, len);
	tied.handle.len = (uint8_t)len;
	*ret_tied = tied;
	return 0;
}

int catalog_ties(struct catalog *cat, const struct hash128 *content,
		 void (*each)(void *ctx, const struct catalog_inode *tied),
		 void *ctx, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_stmt(
		cat,
		"SELECT ino, btime_ns, handle_type, handle FROM tie"
		" WHERE content = ?1",
		err);
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_blob(s, 1, content->bytes, sizeof(content->bytes));
	while ((rc = stmt_step(s, err)) == 1) {
		struct catalog_inode tied;

		rc = read_tie(s, &tied, err);
		if (rc < 0)
			break;
		each(ctx, &tied);
	}
	return rc;
}

int catalog_ties_drop(struct catalog *cat, const struct hash128 *content,
		      struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		cat, "DELETE FROM tie WHERE content = ?1", err);
	int64_t n = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_blob(s, 1, content->bytes, sizeof(content->bytes));
	n = stmt_run(s, err);
	return n < 0 ? (int)n : 0;
}
