/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/catalog/internal.h"

#define BUSY_TIMEOUT_MS 10000

int code_of_sqlite(int sqlite_rc, int system_errno)
{
	switch (sqlite_rc & 0xff) {
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_ERROR: /* ours compile: the schema isn't ours any more */
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -SOBRE_ECORRUPT;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_TOOBIG:
	case SQLITE_RANGE:
		return -EINVAL;
	default:
		return system_errno > 0 ? -system_errno : -EIO;
	}
}

int conn_error(struct conn *conn, int sqlite_rc, struct error *err)
{
	int code = code_of_sqlite(sqlite_rc, sqlite3_system_errno(conn->db));
	const char *file = sqlite3_db_filename(conn->db, "main");

	if (conn->cat != NULL)
		file = conn->cat->path;
	return error_set(err, code, "catalog '%s': %s",
			 file == NULL ? "" : file, sqlite3_errmsg(conn->db));
}

int conn_exec(struct conn *conn, const char *sql, struct error *err)
{
	int rc = sqlite3_exec(conn->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : conn_error(conn, rc, err);
}

int conn_pragma(struct conn *conn, const char *sql, int64_t *ret_value,
		struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(conn->db, sql, -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*ret_value = sqlite3_column_int64(stmt, 0);
	else if (rc == SQLITE_DONE)
		*ret_value = 0;
	else
		rc = conn_error(conn, rc, err);
	(void)sqlite3_finalize(stmt);
	return rc < 0 ? rc : 0;
}

int conn_check(struct conn *conn, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	const char *says = NULL;
	int rc = sqlite3_prepare_v2(conn->db, "PRAGMA quick_check(1)", -1,
				    &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		says = (const char *)sqlite3_column_text(stmt, 0);
	if (rc != SQLITE_ROW)
		rc = conn_error(conn, rc, err);
	else if (says == NULL || strcmp(says, "ok") != 0)
		rc = error_set(err, -SOBRE_ECORRUPT, "it is damaged: %s",
			       says == NULL ? "" : says);
	(void)sqlite3_finalize(stmt);
	return rc < 0 ? rc : 0;
}

static bool has_wal(const char *file)
{
	char name[4096 + 8];
	struct stat st;
	int n = snprintf(name, sizeof(name), "%s-wal", file);

	return n > 0 && (size_t)n < sizeof(name) && stat(name, &st) == 0 &&
	       st.st_size > 0;
}

/* Without a WAL the file is taken as immutable; with one, an exclusive
 * connection keeps the WAL's index in memory instead of making a -shm. */
static int open_db(const char *file, enum conn_kind kind, sqlite3 **ret_db)
{
	const char *vfs = vfs_name(kind);
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	char uri[4096 + 32];

	if (vfs == NULL)
		return SQLITE_NOMEM;
	if (kind != CONN_FROZEN)
		return sqlite3_open_v2(file, ret_db,
				       flags | (kind == CONN_WRITER
							? SQLITE_OPEN_READWRITE
							: SQLITE_OPEN_READONLY),
				       vfs);
	(void)snprintf(uri, sizeof(uri), "file:%s%s", file,
		       has_wal(file) ? "" : "?immutable=1");
	return sqlite3_open_v2(uri, ret_db,
			       flags | SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
			       vfs);
}

static int set_flag(sqlite3 *db, int which, int on)
{
	int now = 0;

	return sqlite3_db_config(db, which, on, &now);
}

/* What a hostile or damaged file could use against us is off. */
static int harden(sqlite3 *db)
{
	int rc = set_flag(db, SQLITE_DBCONFIG_DEFENSIVE, 1);

	rc = rc ? rc : set_flag(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0);
	rc = rc ? rc : set_flag(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0);
	rc = rc ? rc : set_flag(db, SQLITE_DBCONFIG_ENABLE_FKEY, 0);
	rc = rc ? rc : set_flag(db, SQLITE_DBCONFIG_DQS_DML, 0);
	rc = rc ? rc : set_flag(db, SQLITE_DBCONFIG_DQS_DDL, 0);
	(void)sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
	return rc ? rc : sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
}

static const char *settings(enum conn_kind kind)
{
	switch (kind) {
	case CONN_WRITER:
		return "PRAGMA cell_size_check = ON; PRAGMA temp_store = "
		       "MEMORY;"
		       "PRAGMA synchronous = FULL; PRAGMA cache_size = -16384;"
		       "PRAGMA wal_autocheckpoint = 4000;"
		       "PRAGMA journal_size_limit = 67108864";
	case CONN_READER:
		return "PRAGMA cell_size_check = ON; PRAGMA temp_store = "
		       "MEMORY;"
		       "PRAGMA cache_size = -2048";
	case CONN_FROZEN:
		break;
	}
	return "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;"
	       "PRAGMA locking_mode = EXCLUSIVE";
}

/* Nobody asks SQLite how much memory it has, and counting takes a lock of all
 * connections at each allocation. Too late when SQLite is in use: then it
 * counts. */
static void configure(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static void configure_once(void)
{
	static pthread_once_t configured = PTHREAD_ONCE_INIT;

	(void)pthread_once(&configured, configure);
}

int conn_open(const char *file, const char *shown, enum conn_kind kind,
	      struct conn **ret_conn, struct error *err)
{
	CLEANUP(conn_close) struct conn *conn = calloc(1, sizeof(*conn));
	int rc = 0;

	if (conn == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	configure_once();
	conn->writer = kind == CONN_WRITER;
	rc = open_db(file, kind, &conn->db);
	if (rc == SQLITE_OK)
		rc = harden(conn->db);
	if (rc == SQLITE_OK && kind == CONN_FROZEN)
		rc = set_flag(conn->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(conn->db, settings(kind), NULL, NULL, NULL);
	if (rc != SQLITE_OK) {
		int sys = conn->db == NULL ? 0 : sqlite3_system_errno(conn->db);

		return error_set(err, code_of_sqlite(rc, sys),
				 "cannot open catalog '%s': %s", shown,
				 sys > 0 ? error_words(-sys)
					 : sqlite3_errstr(rc));
	}
	*ret_conn = take_ptr(&conn);
	return 0;
}

void conn_close(struct conn *conn)
{
	if (conn == NULL)
		return;
	for (size_t i = 0; i < STMT_BUCKETS; i++) {
		struct catalog_stmt *s = conn->stmts[i];

		while (s != NULL) {
			struct catalog_stmt *next = s->next;

			(void)sqlite3_finalize(s->handle);
			free(s);
			s = next;
		}
	}
	(void)sqlite3_close(conn->db);
	free(conn);
}
