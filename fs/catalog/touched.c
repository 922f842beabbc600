/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a transaction touched, for the hook before its commit: temporary
 * triggers of the writer fill a temporary table, which is undone with the
 * transaction. Without a hook there is neither.
 */
#include <assert.h>
#include <errno.h>

#include "fs/catalog/internal.h"

#define TELL_MAX 4096

/* "OR IGNORE" in a trigger gives way to what the outer statement says of
 * conflicts; this does not. */
#define TOUCH(ino) \
	"INSERT INTO touched(ino) VALUES(" ino ") ON CONFLICT DO NOTHING;"

/* clang-format off */
static const char hook_sql[] =
	"CREATE TEMP TABLE touched(ino INTEGER PRIMARY KEY,"
	" told INTEGER NOT NULL DEFAULT 0);"

	"CREATE TEMP TRIGGER touched_inode_new AFTER INSERT ON main.inode"
	" BEGIN " TOUCH("new.ino") " END;"

	"CREATE TEMP TRIGGER touched_inode_old AFTER DELETE ON main.inode"
	" BEGIN " TOUCH("old.ino") " END;"

	"CREATE TEMP TRIGGER touched_inode AFTER UPDATE OF"
	" btime_ns, mode, gid, nlink, size_bytes, blocks, content ON main.inode"
	" WHEN (old.btime_ns, old.mode, old.gid, old.nlink, old.size_bytes,"
	" old.blocks, old.content) IS NOT"
	" (new.btime_ns, new.mode, new.gid, new.nlink, new.size_bytes,"
	" new.blocks, new.content)"
	" BEGIN " TOUCH("new.ino") " END;"

	"CREATE TEMP TRIGGER touched_name_new AFTER INSERT ON main.name"
	" BEGIN " TOUCH("new.ino") " END;"

	"CREATE TEMP TRIGGER touched_name_old AFTER DELETE ON main.name"
	" BEGIN " TOUCH("old.ino") " END;"

	"CREATE TEMP TRIGGER touched_name AFTER UPDATE OF ino ON main.name"
	" WHEN old.ino <> new.ino"
	" BEGIN " TOUCH("old.ino") TOUCH("new.ino") " END";
/* clang-format on */

static const char unhook_sql[] =
	"DROP TRIGGER IF EXISTS temp.touched_inode_new;"
	"DROP TRIGGER IF EXISTS temp.touched_inode_old;"
	"DROP TRIGGER IF EXISTS temp.touched_inode;"
	"DROP TRIGGER IF EXISTS temp.touched_name_new;"
	"DROP TRIGGER IF EXISTS temp.touched_name_old;"
	"DROP TRIGGER IF EXISTS temp.touched_name;"
	"DROP TABLE IF EXISTS temp.touched";

/* Under the writer's mutex. */
static int hook(struct catalog *cat, catalog_commit_fn *fn, void *ctx,
		struct error *err)
{
	int rc = 0;

	if (fn != NULL && cat->on_commit != NULL)
		return error_set(err, -EBUSY,
				 "catalog '%s': somebody is told already",
				 cat->path);
	rc = conn_exec(cat->writer, fn != NULL ? hook_sql : unhook_sql, err);
	if (rc < 0 && fn != NULL) {
		struct error ignored = ERROR_INIT;

		(void)conn_exec(cat->writer, unhook_sql, &ignored);
		return rc;
	}
	cat->on_commit = fn;
	cat->on_commit_ctx = ctx;
	return rc;
}

int catalog_on_commit(struct catalog *cat, catalog_commit_fn *fn, void *ctx,
		      struct error *err)
{
	int rc = 0;

	if (cat->readonly)
		return error_set(err, -EROFS, "catalog '%s' is read-only",
				 cat->path);
	if (catalog_owned(cat))
		return error_set(err, -EDEADLK,
				 "catalog '%s': a transaction is open",
				 cat->path);
	(void)pthread_mutex_lock(&cat->writer_mutex);
	rc = hook(cat, fn, ctx, err);
	(void)pthread_mutex_unlock(&cat->writer_mutex);
	return rc;
}

int catalog_touch(struct catalog *cat, uint64_t ino, struct error *err)
{
	assert(cat->on_commit != NULL);
	cat->touched_more = true;
	return writer_run(cat, TOUCH("?1"), (const int64_t[]){ (int64_t)ino },
			  1, err);
}

int catalog_touch_children(struct catalog *cat, uint64_t dir_ino,
			   struct error *err)
{
	assert(cat->on_commit != NULL);
	cat->touched_more = true;
	return writer_run(cat,
			  "INSERT OR IGNORE INTO touched(ino)"
			  " SELECT ino FROM name WHERE parent = ?1",
			  (const int64_t[]){ (int64_t)dir_ino }, 1, err);
}

/* The next of those not told yet, by number from `low` on. */
static int take(struct catalog *cat, int64_t low, uint64_t *ret_inos,
		struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		cat,
		"SELECT ino FROM touched WHERE ino >= ?1 AND told = 0"
		" ORDER BY ino LIMIT ?2",
		err);
	int n = 0;
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, low);
	stmt_bind_i64(s, 2, TELL_MAX);
	while (n < TELL_MAX && (rc = stmt_step(s, err)) == 1)
		ret_inos[n++] = (uint64_t)stmt_i64(s, 0);
	return rc < 0 ? rc : n;
}

static int tell(struct catalog *cat, const uint64_t *inos, int n,
		struct error *err)
{
	int rc = writer_run(
		cat,
		"UPDATE touched SET told = 1"
		" WHERE ino BETWEEN ?1 AND ?2 AND told = 0",
		(const int64_t[]){ (int64_t)inos[0], (int64_t)inos[n - 1] }, 2,
		err);

	return rc < 0 ? rc
		      : cat->on_commit(cat->on_commit_ctx, inos, (size_t)n,
				       err);
}

static int tell_all(struct catalog *cat, uint64_t *inos, struct error *err)
{
	int64_t low = INT64_MIN;
	bool any = false;

	for (;;) {
		int n = take(cat, low, inos, err);
		int rc = n > 0 ? tell(cat, inos, n, err) : n;

		if (rc < 0)
			return rc;
		any = any || n > 0;
		if (n == TELL_MAX && (int64_t)inos[n - 1] < INT64_MAX) {
			low = (int64_t)inos[n - 1] + 1;
		} else if (cat->touched_more) {
			cat->touched_more = false;
			low = INT64_MIN;
		} else {
			break;
		}
	}
	return any ? writer_run(cat, "DELETE FROM touched", NULL, 0, err) : 0;
}

int touched_tell(struct catalog *cat, struct error *err)
{
	cleanup_free uint64_t *inos = NULL;
	int rc = 0;

	if (cat->on_commit == NULL)
		return 0;
	inos = calloc(TELL_MAX, sizeof(*inos));
	if (inos == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	/* No event is written meanwhile: names stand still for the hook. */
	cat->draining = true;
	cat->touched_more = false;
	rc = tell_all(cat, inos, err);
	cat->draining = false;
	return rc;
}
