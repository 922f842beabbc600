/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/catalog/internal.h"

/*
 * A row of the same inode keeps what the event doesn't give. A row of a dead
 * inode is replaced; but a late event of an older inode doesn't take the
 * place of a younger one that is packed: its reference would be lost.
 */
static const char touch_attrs[] = INODE_UPSERT
	" content = iif(btime_ns = excluded.btime_ns,"
	" coalesce(content, excluded.content), excluded.content),"
	" shown_ctime_ns = iif(btime_ns = excluded.btime_ns"
	" AND excluded.packed_ctime_ns = 0,"
	" shown_ctime_ns, excluded.shown_ctime_ns),"
	" packed_ctime_ns = iif(btime_ns = excluded.btime_ns"
	" AND excluded.packed_ctime_ns = 0,"
	" packed_ctime_ns, excluded.packed_ctime_ns),"
	" handle_type = iif(btime_ns = excluded.btime_ns"
	" AND excluded.handle IS NULL, handle_type, excluded.handle_type),"
	" handle = iif(btime_ns = excluded.btime_ns"
	" AND excluded.handle IS NULL, handle, excluded.handle),"
	" seen = excluded.seen"
	" WHERE excluded.btime_ns >= btime_ns OR content IS NULL";

static int apply_ctimes(struct catalog *cat, const struct catalog_inode *inode,
			struct error *err)
{
	return writer_run(
		cat,
		"UPDATE inode SET shown_ctime_ns = ?1,"
		" packed_ctime_ns = ?2, seen = ?3"
		" WHERE ino = ?4 AND btime_ns = ?5",
		(const int64_t[]){ inode->shown_ctime_ns,
				   inode->packed_ctime_ns, cat->generation,
				   (int64_t)inode->ino, inode->btime_ns },
		5, err);
}

/* A clock that goes back makes nothing unused. */
static int apply_day(struct catalog *cat, const struct catalog_event *ev,
		     struct error *err)
{
	return writer_run(cat,
			  "UPDATE inode SET last_used_day ="
			  " max(ifnull(last_used_day, ?1), ?1), seen = ?2"
			  " WHERE ino = ?3 AND btime_ns = ?4",
			  (const int64_t[]){ ev->day, cat->generation,
					     (int64_t)ev->inode.ino,
					     ev->inode.btime_ns },
			  4, err);
}

static int apply_touch(struct catalog *cat, const struct queued *q,
		       struct error *err)
{
	int rc = 0;

	if (q->touch & TOUCH_ATTRS)
		rc = row_put_inode(cat, touch_attrs, &q->ev.inode, err);
	if (rc == 0 && (q->touch & TOUCH_CTIMES))
		rc = apply_ctimes(cat, &q->ev.inode, err);
	if (rc == 0 && (q->touch & TOUCH_DAY))
		rc = apply_day(cat, &q->ev, err);
	return rc;
}

static int apply_gone(struct catalog *cat, const struct catalog_inode *inode,
		      struct error *err)
{
	return writer_run(
		cat, "DELETE FROM inode WHERE ino = ?1 AND btime_ns = ?2",
		(const int64_t[]){ (int64_t)inode->ino, inode->btime_ns }, 2,
		err);
}

static int apply_plain(struct catalog *cat, const struct catalog_inode *inode,
		       struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		cat,
		"UPDATE inode SET content = NULL, shown_ctime_ns = ?1,"
		" packed_ctime_ns = ?2, seen = ?3"
		" WHERE ino = ?4 AND btime_ns = ?5"
		" AND (content IS NULL OR content = ?6)",
		err);
	int64_t n = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, inode->shown_ctime_ns);
	stmt_bind_i64(s, 2, inode->packed_ctime_ns);
	stmt_bind_i64(s, 3, cat->generation);
	stmt_bind_i64(s, 4, (int64_t)inode->ino);
	stmt_bind_i64(s, 5, inode->btime_ns);
	stmt_bind_blob(s, 6, inode->content.bytes,
		       sizeof(inode->content.bytes));
	n = stmt_run(s, err);
	return n < 0 ? (int)n : 0;
}

static int name_delete(struct catalog *cat, uint64_t parent, const char *name,
		       struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		cat, "DELETE FROM name WHERE parent = ?1 AND name = ?2", err);
	int64_t n = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, (int64_t)parent);
	stmt_bind_blob(s, 2, name, strlen(name));
	n = stmt_run(s, err);
	return n < 0 ? (int)n : 0;
}

/* 1 and the inode, 0 when there is no such name. */
static int name_find(struct catalog *cat, uint64_t parent, const char *name,
		     uint64_t *ret_ino, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		cat, "SELECT ino FROM name WHERE parent = ?1 AND name = ?2",
		err);
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, (int64_t)parent);
	stmt_bind_blob(s, 2, name, strlen(name));
	rc = stmt_step(s, err);
	if (rc == 1)
		*ret_ino = (uint64_t)stmt_i64(s, 0);
	return rc;
}

static int name_is(struct catalog *cat, uint64_t parent, const char *name,
		   const struct catalog_inode *inode, struct error *err)
{
	int rc = scan_note_move(cat, inode, err);

	if (rc == 0)
		rc = catalog_name_put(cat, parent, name, inode->ino, err);
	if (rc == 0 && cat->scanning)
		rc = row_mark(cat, inode->ino, err);
	return rc;
}

static int apply_move(struct catalog *cat, const struct catalog_event *ev,
		      struct error *err)
{
	struct catalog_inode inode = ev->inode;
	uint64_t was = 0;
	int rc = name_find(cat, ev->parent, ev->name, &was, err);

	if (rc < 0)
		return rc;
	if (inode.ino == 0)
		inode.ino = was;
	rc = name_delete(cat, ev->parent, ev->name, err);
	if (rc < 0)
		return rc;
	if (inode.ino == 0) /* unknown: only what it replaced is gone */
		return name_delete(cat, ev->new_parent, ev->new_name, err);
	return name_is(cat, ev->new_parent, ev->new_name, &inode, err);
}

int event_apply(struct catalog *cat, const struct queued *q, struct error *err)
{
	const struct catalog_event *ev = &q->ev;

	switch (ev->kind) {
	case CATALOG_EVENT_NAME:
		return name_is(cat, ev->parent, ev->name, &ev->inode, err);
	case CATALOG_EVENT_UNNAME:
		return name_delete(cat, ev->parent, ev->name, err);
	case CATALOG_EVENT_MOVE:
		return apply_move(cat, ev, err);
	case CATALOG_EVENT_GONE:
		return apply_gone(cat, &ev->inode, err);
	case CATALOG_EVENT_PLAIN:
		return apply_plain(cat, &ev->inode, err);
	case CATALOG_EVENT_INODE:
	case CATALOG_EVENT_CTIME:
	case CATALOG_EVENT_USED:
		return apply_touch(cat, q, err);
	}
	return 0;
}
