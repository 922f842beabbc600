/* SPDX-License-Identifier: EUPL-1.2 */
/* Rows by the million, without lists of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/catalog/internal.h"

#define WALK_PATH_MAX 65536

static int each_name(struct catalog_stmt *s, catalog_name_fn *each, void *ctx,
		     struct error *err)
{
	char name[NAME_BYTES_MAX];
	int rc = 0;

	while ((rc = stmt_step(s, err)) == 1) {
		if (!row_name(s, 1, name))
			continue;
		rc = each(ctx, (uint64_t)stmt_i64(s, 0), name,
			  (uint64_t)stmt_i64(s, 2), err);
		if (rc != 0)
			break;
	}
	return rc;
}

int catalog_children(struct catalog *cat, uint64_t dir_ino,
		     catalog_name_fn *each, void *ctx, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s =
		catalog_stmt(cat,
			     "SELECT parent, name, ino FROM name"
			     " WHERE parent = ?1 ORDER BY name",
			     err);

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, (int64_t)dir_ino);
	return each_name(s, each, ctx, err);
}

int catalog_names(struct catalog *cat, uint64_t ino, catalog_name_fn *each,
		  void *ctx, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_stmt(
		cat,
		"SELECT parent, name, ino FROM name INDEXED BY name_ino"
		" WHERE ino = ?1",
		err);

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, (int64_t)ino);
	return each_name(s, each, ctx, err);
}

int catalog_inodes(struct catalog *cat, uint64_t after_ino,
		   catalog_inode_fn *each, void *ctx, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s =
		catalog_stmt(cat,
			     "SELECT " INODE_READ " FROM inode NOT INDEXED"
			     " WHERE ino > ?1 ORDER BY ino",
			     err);
	struct catalog_inode inode;
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, (int64_t)after_ino);
	while ((rc = stmt_step(s, err)) == 1) {
		rc = row_inode(s, &inode, err);
		if (rc == 0)
			rc = each(ctx, &inode, err);
		if (rc != 0)
			break;
	}
	return rc;
}

/* --- a walk -------------------------------------------------------------- */

struct waiting {
	struct waiting *next;
	uint64_t ino;
	char path[]; /* from the start, ends with '/' unless empty */
};

struct walk {
	catalog_walk_fn *each;
	void *ctx;
	struct catalog_stmt *children;
	struct ino_set seen; /* directories: a damaged tree may have loops */
	struct waiting *waiting;
	size_t dir_len;
	char name[NAME_BYTES_MAX];
	char path[WALK_PATH_MAX];
};

static int enter_later(struct walk *w, uint64_t ino, struct error *err)
{
	size_t len = strlen(w->path);
	struct waiting *dir = NULL;
	int rc = ino_set_add(&w->seen, ino, err);

	if (rc <= 0)
		return rc;
	dir = malloc(sizeof(*dir) + len + 2);
	if (dir == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	memcpy(dir->path, w->path, len);
	if (len > 0)
		dir->path[len++] = '/';
	dir->path[len] = '\0';
	dir->ino = ino;
	dir->next = w->waiting;
	w->waiting = dir;
	return 1;
}

static void forget_first(struct walk *w)
{
	struct waiting *dir = w->waiting;

	w->waiting = dir->next;
	free(dir);
}

static int walk_entry(struct walk *w, uint64_t parent, struct error *err)
{
	struct catalog_walk_entry entry = {
		.parent = parent,
		.name = w->name,
		.path = w->path,
	};
	size_t len = 0;
	int rc = row_inode(w->children, &entry.inode, err);

	if (rc < 0 || !row_name(w->children, INODE_COLUMNS_COUNT + 1, w->name))
		return rc;
	len = strlen(w->name);
	if (w->dir_len + len + 2 > sizeof(w->path))
		return error_set(err, -SOBRE_ECORRUPT,
				 "a path ending in '%s' is too long", w->name);
	memcpy(w->path + w->dir_len, w->name, len + 1);
	if (S_ISDIR(entry.inode.mode)) {
		rc = enter_later(w, entry.inode.ino, err);
		if (rc <= 0)
			return rc;
	}
	rc = w->each(w->ctx, &entry, err);
	if (rc != CATALOG_WALK_PRUNE)
		return rc;
	if (S_ISDIR(entry.inode.mode))
		forget_first(w);
	return 0;
}

static int walk_dir(struct walk *w, struct error *err)
{
	cleanup_free struct waiting *dir = w->waiting;
	int rc = 0;

	w->waiting = dir->next;
	w->dir_len = strlen(dir->path);
	memcpy(w->path, dir->path, w->dir_len + 1);
	stmt_reset(w->children);
	stmt_bind_i64(w->children, 1, (int64_t)dir->ino);
	while ((rc = stmt_step(w->children, err)) == 1) {
		rc = walk_entry(w, dir->ino, err);
		if (rc != 0)
			break;
	}
	return rc;
}

static void walk_free(struct walk *w)
{
	if (w == NULL)
		return;
	while (w->waiting != NULL)
		forget_first(w);
	ino_set_release(&w->seen);
	free(w);
}
DEFINE_CLEANUP(struct walk *, walk_free)

/* All of it in one view: a reader's statements by themselves would each have
 * their own. */
static int walk_all(struct walk *w, struct conn *conn, struct error *err)
{
	struct error ignored = ERROR_INIT;
	int rc = conn->writer ? 0 : conn_exec(conn, "BEGIN", err);

	while (rc == 0 && w->waiting != NULL)
		rc = walk_dir(w, err);
	stmt_reset(w->children);
	if (!conn->writer)
		(void)conn_exec(conn, "COMMIT", &ignored);
	return rc;
}

int catalog_walk(struct catalog *cat, uint64_t dir_ino, catalog_walk_fn *each,
		 void *ctx, struct error *err)
{
	CLEANUP(walk_free) struct walk *w = calloc(1, sizeof(*w));
	CLEANUP(stmt_done) struct catalog_stmt *s = NULL;
	int rc = 0;

	if (w == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	s = catalog_stmt(cat,
			 "SELECT " INODE_READ ", name FROM name"
			 " CROSS JOIN inode USING(ino) WHERE parent = ?1",
			 err);
	if (s == NULL)
		return err->code;
	w->each = each;
	w->ctx = ctx;
	w->children = s;
	rc = enter_later(w, dir_ino, err);
	return rc < 0 ? rc : walk_all(w, s->conn, err);
}
