/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <string.h>

#include "fs/catalog/internal.h"

/* Longer than PATH_MAX: trees made by relative names can be. */
#define PATH_BYTES_MAX 65536
#define DEPTH_MAX      8192

int catalog_name_put(struct catalog *cat, uint64_t parent, const char *name,
		     uint64_t ino, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		cat,
		"INSERT INTO name(parent, name, ino, seen)"
		" VALUES(?1, ?2, ?3, ?4) ON CONFLICT(parent, name) DO UPDATE"
		" SET ino = excluded.ino, seen = excluded.seen",
		err);
	int64_t n = 0;

	if (s == NULL)
		return err->code;
	if (!name_ok(name))
		return error_set(err, -EINVAL, "'%s' cannot be a name", name);
	stmt_bind_i64(s, 1, (int64_t)parent);
	stmt_bind_blob(s, 2, name, strlen(name));
	stmt_bind_i64(s, 3, (int64_t)ino);
	stmt_bind_i64(s, 4, cat->generation);
	n = stmt_run(s, err);
	return n < 0 ? (int)n : 0;
}

/* A path that grows from its end to its beginning. */
struct climb {
	struct catalog_stmt *up; /* the name of a directory */
	size_t start;		 /* of the path in `path` */
	char path[PATH_BYTES_MAX];
};

static bool climb_put(struct climb *c, const void *name, size_t len)
{
	if (len == 0 || len + 1 > c->start || memchr(name, '\0', len) != NULL ||
	    memchr(name, '/', len) != NULL)
		return false;
	c->start -= len;
	memcpy(c->path + c->start, name, len);
	c->path[--c->start] = '/';
	return true;
}

/* 1: `c->path` is whole; 0: it can't be (a loop, a bad name, too long). */
static int climb_from(struct climb *c, int64_t dir, struct error *err)
{
	for (int depth = 0; depth < DEPTH_MAX; depth++) {
		size_t len = 0;
		const void *name = NULL;
		int rc = 0;

		stmt_reset(c->up);
		stmt_bind_i64(c->up, 1, dir);
		rc = stmt_step(c->up, err);
		if (rc < 0)
			return rc;
		if (rc == 0)
			return 1; /* no name: the root */
		name = stmt_blob(c->up, 1, &len);
		if (!climb_put(c, name, len))
			return 0;
		dir = stmt_i64(c->up, 0);
	}
	return 0;
}

static int climb_names(struct climb *c, struct catalog_stmt *names,
		       void (*each)(void *ctx, const char *path), void *ctx,
		       struct error *err)
{
	int rc = 0;

	while ((rc = stmt_step(names, err)) == 1) {
		size_t len = 0;
		const void *name = stmt_blob(names, 1, &len);

		c->start = sizeof(c->path) - 1;
		if (!climb_put(c, name, len))
			continue;
		rc = climb_from(c, stmt_i64(names, 0), err);
		if (rc < 0)
			return rc;
		if (rc == 1)
			each(ctx, c->path + c->start);
	}
	return rc;
}

int catalog_paths(struct catalog *cat, uint64_t ino, unsigned int max,
		  void (*each)(void *ctx, const char *path), void *ctx,
		  struct error *err)
{
	cleanup_free struct climb *c = calloc(1, sizeof(*c));
	CLEANUP(stmt_done) struct catalog_stmt *up = NULL;
	CLEANUP(stmt_done) struct catalog_stmt *names = NULL;

	if (c == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	/* A directory has one name; after a crash the newest counts. */
	up = catalog_stmt(cat,
			  "SELECT parent, name FROM name INDEXED BY name_ino"
			  " WHERE ino = ?1 ORDER BY seen DESC LIMIT 1",
			  err);
	if (up == NULL)
		return err->code;
	names = catalog_stmt(cat,
			     "SELECT parent, name FROM name INDEXED BY name_ino"
			     " WHERE ino = ?1 LIMIT ?2",
			     err);
	if (names == NULL)
		return err->code;
	c->up = up;
	stmt_bind_i64(names, 1, (int64_t)ino);
	stmt_bind_i64(names, 2, max);
	return climb_names(c, names, each, ctx, err);
}
