/* SPDX-License-Identifier: EUPL-1.2 */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "fs/catalog/internal.h"

static size_t bucket_of(const char *sql)
{
	return ((uintptr_t)sql >> 4) & (STMT_BUCKETS - 1);
}

/* The text is compared too: an address may come back with another. */
static struct catalog_stmt *find_idle(struct conn *conn, const char *sql)
{
	struct catalog_stmt *s = conn->stmts[bucket_of(sql)];

	while (s != NULL && (s->busy || s->sql != sql ||
			     strcmp(sqlite3_sql(s->handle), sql) != 0))
		s = s->next;
	return s;
}

static struct catalog_stmt *prepare(struct conn *conn, const char *sql,
				    struct error *err)
{
	cleanup_free struct catalog_stmt *s = calloc(1, sizeof(*s));
	int rc = 0;

	if (s == NULL) {
		(void)error_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	rc = sqlite3_prepare_v3(conn->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
				&s->handle, NULL);
	if (rc != SQLITE_OK) {
		(void)conn_error(conn, rc, err);
		return NULL;
	}
	s->conn = conn;
	s->sql = sql;
	s->next = conn->stmts[bucket_of(sql)];
	conn->stmts[bucket_of(sql)] = s;
	return take_ptr(&s);
}

struct catalog_stmt *conn_stmt(struct conn *conn, const char *sql,
			       struct error *err)
{
	struct catalog_stmt *s = find_idle(conn, sql);

	if (s == NULL)
		s = prepare(conn, sql, err);
	if (s != NULL) {
		s->busy = true;
		s->done = false;
		s->bind_rc = SQLITE_OK;
	}
	return s;
}

struct catalog_stmt *catalog_write_stmt(struct catalog *cat, const char *sql,
					struct error *err)
{
	assert(catalog_owned(cat));
	/* A long transaction must not hold up those who post. A failure shows
	 * at the commit. */
	if (!cat->draining && queue_is_long(cat)) {
		struct error ignored = ERROR_INIT;

		(void)catalog_drain(cat, &ignored);
	}
	return conn_stmt(cat->writer, sql, err);
}

static struct conn *reader_take(struct catalog *cat, struct error *err)
{
	struct conn *conn = NULL;

	(void)pthread_mutex_lock(&cat->readers_mutex);
	if (cat->held != NULL && cat->holder == this_thread()) {
		(void)pthread_mutex_unlock(&cat->readers_mutex);
		return cat->held;
	}
	conn = cat->idle;
	if (conn != NULL) {
		cat->idle = conn->next;
		cat->idle_count--;
	}
	(void)pthread_mutex_unlock(&cat->readers_mutex);
	if (conn == NULL && conn_open(cat->file, cat->path,
				      cat->readonly ? CONN_FROZEN : CONN_READER,
				      &conn, err) < 0)
		return NULL;
	conn->next = NULL;
	conn->cat = cat;
	return conn;
}

void reader_give_back(struct conn *conn)
{
	struct catalog *cat = conn->cat;
	bool keep = false;

	(void)pthread_mutex_lock(&cat->readers_mutex);
	if (conn == cat->held) {
		(void)pthread_mutex_unlock(&cat->readers_mutex);
		return;
	}
	keep = cat->idle_count < READERS_IDLE_MAX;
	if (keep) {
		conn->next = cat->idle;
		cat->idle = conn;
		cat->idle_count++;
	}
	(void)pthread_mutex_unlock(&cat->readers_mutex);
	if (!keep)
		conn_close(conn);
}

/* Puts it in the place of none, or takes it from there. */
static int set_held(struct catalog *cat, struct conn *conn)
{
	int rc = 0;

	(void)pthread_mutex_lock(&cat->readers_mutex);
	if (conn != NULL && cat->held != NULL) {
		rc = -EBUSY;
	} else {
		cat->held = conn;
		cat->holder = conn != NULL ? this_thread() : NULL;
	}
	(void)pthread_mutex_unlock(&cat->readers_mutex);
	return rc;
}

int catalog_hold(struct catalog *cat, struct error *err)
{
	struct conn *conn = reader_take(cat, err);
	int rc = 0;

	if (conn == NULL)
		return err->code;
	rc = conn_exec(conn, "BEGIN", err);
	if (rc == 0 && set_held(cat, conn) < 0)
		rc = error_set(err, -EBUSY, "another thread reads a batch");
	if (rc < 0) {
		struct error ignored = ERROR_INIT;

		(void)conn_exec(conn, "ROLLBACK", &ignored);
		reader_give_back(conn);
	}
	return rc;
}

void catalog_release(struct catalog *cat)
{
	struct conn *conn = cat->held;
	struct error ignored = ERROR_INIT;

	assert(conn != NULL && cat->holder == this_thread());
	(void)conn_exec(conn, "COMMIT", &ignored);
	(void)set_held(cat, NULL);
	reader_give_back(conn);
}

void readers_close(struct catalog *cat)
{
	while (cat->idle != NULL) {
		struct conn *conn = cat->idle;

		cat->idle = conn->next;
		conn_close(conn);
	}
	cat->idle_count = 0;
}

struct catalog_stmt *catalog_read_stmt(struct catalog *cat, const char *sql,
				       struct error *err)
{
	struct conn *conn = reader_take(cat, err);
	struct catalog_stmt *s = NULL;

	if (conn == NULL)
		return NULL;
	s = conn_stmt(conn, sql, err);
	if (s == NULL)
		reader_give_back(conn);
	return s;
}

struct catalog_stmt *catalog_stmt(struct catalog *cat, const char *sql,
				  struct error *err)
{
	if (catalog_owned(cat))
		return catalog_write_stmt(cat, sql, err);
	return catalog_read_stmt(cat, sql, err);
}

void stmt_reset(struct catalog_stmt *s)
{
	(void)sqlite3_reset(s->handle);
	s->done = false;
	s->bind_rc = SQLITE_OK;
}

void stmt_done(struct catalog_stmt *s)
{
	if (s == NULL)
		return;
	assert(s->busy);
	stmt_reset(s);
	(void)sqlite3_clear_bindings(s->handle);
	s->busy = false;
	if (!s->conn->writer)
		reader_give_back(s->conn);
}

static void note_bind(struct catalog_stmt *s, int rc)
{
	if (s->bind_rc == SQLITE_OK)
		s->bind_rc = rc;
}

void stmt_bind_i64(struct catalog_stmt *s, int at, int64_t v)
{
	note_bind(s, sqlite3_bind_int64(s->handle, at, v));
}

void stmt_bind_blob(struct catalog_stmt *s, int at, const void *v, size_t len)
{
	if (len == 0)
		note_bind(s, sqlite3_bind_zeroblob(s->handle, at, 0));
	else
		note_bind(s, sqlite3_bind_blob64(s->handle, at, v, len,
						 SQLITE_TRANSIENT));
}

void stmt_bind_text(struct catalog_stmt *s, int at, const char *text)
{
	note_bind(s,
		  sqlite3_bind_text(s->handle, at, text, -1, SQLITE_TRANSIENT));
}

void stmt_bind_null(struct catalog_stmt *s, int at)
{
	note_bind(s, sqlite3_bind_null(s->handle, at));
}

static int may_step(struct catalog_stmt *s, struct error *err)
{
	if (s->bind_rc != SQLITE_OK)
		return error_set(err, code_of_sqlite(s->bind_rc, 0),
				 "catalog '%s': cannot bind: %s",
				 s->conn->cat->path,
				 sqlite3_errstr(s->bind_rc));
	/* SQLite undoes a transaction on its own after some errors; what came
	 * later would then be committed by itself. */
	if (s->conn->writer && sqlite3_get_autocommit(s->conn->db))
		return error_set(err, -EIO,
				 "catalog '%s': the transaction was undone",
				 s->conn->cat->path);
	return 0;
}

int stmt_step(struct catalog_stmt *s, struct error *err)
{
	int rc = may_step(s, err);

	if (rc < 0)
		return rc;
	if (s->done)
		return 0;
	rc = sqlite3_step(s->handle);
	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		return conn_error(s->conn, rc, err);
	s->done = true;
	return 0;
}

int64_t stmt_run(struct catalog_stmt *s, struct error *err)
{
	int64_t changes = 0;
	int rc = 0;

	do
		rc = stmt_step(s, err);
	while (rc > 0);
	if (rc == 0 && !sqlite3_stmt_readonly(s->handle))
		changes = sqlite3_changes64(s->conn->db);
	stmt_reset(s);
	return rc < 0 ? rc : changes;
}

int64_t stmt_i64(struct catalog_stmt *s, int col)
{
	return sqlite3_column_int64(s->handle, col);
}

bool stmt_is_null(struct catalog_stmt *s, int col)
{
	return sqlite3_column_type(s->handle, col) == SQLITE_NULL;
}

const void *stmt_blob(struct catalog_stmt *s, int col, size_t *ret_len)
{
	const void *v = sqlite3_column_blob(s->handle, col);
	int len = sqlite3_column_bytes(s->handle, col);

	*ret_len = v == NULL || len < 0 ? 0 : (size_t)len;
	return *ret_len == 0 ? NULL : v;
}

int writer_run(struct catalog *cat, const char *sql, const int64_t *binds,
	       int count, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(cat, sql, err);
	int64_t n = 0;

	if (s == NULL)
		return err->code;
	for (int i = 0; i < count; i++)
		stmt_bind_i64(s, i + 1, binds[i]);
	n = stmt_run(s, err);
	return n < 0 ? (int)n : 0;
}
