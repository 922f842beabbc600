/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/base/io.h"
#include "fs/base/log.h"
#include "fs/catalog/internal.h"

static int64_t newest_schema(void)
{
	return catalog_migrations[catalog_migrations_count - 1].number;
}

/* An empty database, or one whose creation was cut short, is as none. */
static int inspect_blank(struct conn *conn, int64_t app, int64_t version,
			 struct error *err)
{
	int64_t tables = 0;
	int rc = conn_pragma(conn, "SELECT count(*) FROM sqlite_schema",
			     &tables, err);

	if (rc < 0)
		return rc;
	if (app != 0 || version != 0 || tables != 0)
		return error_set(err, -SOBRE_ECORRUPT,
				 "it is the database of another program");
	return 0;
}

static int inspect_version(int64_t version, bool readonly, struct error *err)
{
	if (version > newest_schema())
		return error_set(err, -SOBRE_ESCHEMA,
				 "it has schema %lld, this sobrefs knows up to "
				 "%lld",
				 (long long)version,
				 (long long)newest_schema());
	if (readonly && version < newest_schema())
		return error_set(err, -EROFS,
				 "it has schema %lld, %lld is needed, and it "
				 "may not be written",
				 (long long)version,
				 (long long)newest_schema());
	return 0;
}

/* Before anything is written, on a connection that can't. */
static int inspect(struct catalog *cat, struct error *err)
{
	CLEANUP(conn_close) struct conn *conn = NULL;
	int64_t app = 0;
	int64_t version = 0;
	int rc = conn_open(cat->file, cat->path, CONN_FROZEN, &conn, err);

	if (rc < 0)
		return rc;
	conn->cat = cat;
	rc = conn_pragma(conn, "PRAGMA application_id", &app, err);
	if (rc == 0)
		rc = conn_pragma(conn, "PRAGMA user_version", &version, err);
	if (rc < 0)
		return rc;
	if (app != CATALOG_APPLICATION_ID || version == 0)
		rc = inspect_blank(conn, app, version, err);
	else
		rc = inspect_version(version, cat->readonly, err);
	if (rc == 0)
		rc = conn_check(conn, err);
	return rc < 0 ? error_prefix(err, "catalog '%s'", cat->path) : 0;
}

static int load_state(struct catalog *cat, bool created, struct error *err)
{
	bool was_clean = catalog_meta_get(cat, "clean", 0) == 1;
	int rc = 0;

	cat->was_unclean = !created && !was_clean;
	cat->generation = catalog_meta_get(cat, "scan", 0);
	atomic_store(&cat->needs_scan,
		     created || !was_clean ||
			     catalog_meta_get(cat, "needs_scan", 1) != 0);
	if (cat->readonly)
		return 0;
	rc = catalog_begin(cat, err);
	if (rc < 0)
		return rc;
	rc = catalog_meta_set(cat, "clean", 0, err);
	if (rc == 0)
		rc = catalog_meta_set(cat, "needs_scan",
				      atomic_load(&cat->needs_scan), err);
	if (rc == 0)
		return catalog_commit(cat, err);
	catalog_rollback(cat);
	return rc;
}

static int open_writer(struct catalog *cat, struct error *err)
{
	int rc =
		conn_open(cat->file, cat->path, CONN_WRITER, &cat->writer, err);

	if (rc < 0)
		return rc;
	cat->writer->cat = cat;
	/* After a checkpoint the -wal gives back what it took beyond. */
	rc = conn_exec(cat->writer,
		       "PRAGMA journal_mode = WAL;"
		       "PRAGMA journal_size_limit = 4194304",
		       err);
	if (rc == 0)
		rc = migrate(cat->writer, catalog_migrations,
			     catalog_migrations_count, err);
	return rc;
}

/* Its own mode, so that the -wal and -shm that SQLite makes have it too. */
static int create_file(struct catalog *cat, struct error *err)
{
	int rc = 0;
	cleanup_fd int fd = io_openat_create(cat->dir_fd, CATALOG_FILE,
					     O_RDWR | O_CREAT | O_EXCL, 0600);

	if (fd >= 0)
		rc = io_fsync(cat->dir_fd);
	else
		rc = fd;
	return rc < 0 ? error_set(err, rc, "cannot create catalog '%s': %s",
				  cat->path, error_words(rc))
		      : 0;
}

static int open_db(struct catalog *cat, struct error *err)
{
	struct stat st;
	bool exists = fstatat(cat->dir_fd, CATALOG_FILE, &st,
			      AT_SYMLINK_NOFOLLOW) == 0;
	bool created = !exists || (S_ISREG(st.st_mode) && st.st_size == 0);
	int rc = 0;

	if (!exists && (errno != ENOENT || cat->readonly))
		return error_set(err, -errno, "cannot open catalog '%s': %s",
				 cat->path, error_words(-errno));
	if (exists && !S_ISREG(st.st_mode))
		return error_set(err, -SOBRE_ECORRUPT,
				 "catalog '%s' is not a file", cat->path);
	rc = exists ? inspect(cat, err) : create_file(cat, err);
	if (rc == 0 && !cat->readonly)
		rc = open_writer(cat, err);
	if (rc == 0)
		rc = load_state(cat, created, err);
	if (rc == 0 && !cat->readonly)
		rc = queue_start(cat, err);
	return rc;
}

static int open_dir(struct catalog *cat, const char *dir_path,
		    struct error *err)
{
	cat->dir_fd = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cat->dir_fd < 0)
		return error_set(err, -errno, "cannot open '%s': %s", dir_path,
				 error_words(-errno));
	if (asprintf(&cat->path, "%s/" CATALOG_FILE, dir_path) < 0) {
		cat->path = NULL;
		return error_set(err, -ENOMEM, "out of memory");
	}
	if (asprintf(&cat->file, "/proc/self/fd/%d/" CATALOG_FILE,
		     cat->dir_fd) < 0) {
		cat->file = NULL;
		return error_set(err, -ENOMEM, "out of memory");
	}
	return 0;
}

static int init_locks(struct catalog *cat)
{
	pthread_condattr_t attr;
	int rc = pthread_condattr_init(&attr);

	if (rc != 0)
		return -rc;
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&cat->writer_mutex, NULL);
	(void)pthread_mutex_init(&cat->readers_mutex, NULL);
	(void)pthread_mutex_init(&cat->queue.mutex, NULL);
	(void)pthread_cond_init(&cat->queue.work, &attr);
	(void)pthread_cond_init(&cat->queue.room, &attr);
	(void)pthread_condattr_destroy(&attr);
	return 0;
}

/* Closes without a word to the database. */
static void catalog_abandon(struct catalog *cat)
{
	queue_stop(cat);
	readers_close(cat);
	conn_close(cat->writer);
	queue_release(cat);
	(void)pthread_cond_destroy(&cat->queue.room);
	(void)pthread_cond_destroy(&cat->queue.work);
	(void)pthread_mutex_destroy(&cat->queue.mutex);
	(void)pthread_mutex_destroy(&cat->readers_mutex);
	(void)pthread_mutex_destroy(&cat->writer_mutex);
	free(cat->moved.inos);
	free(cat->path);
	free(cat->file);
	if (cat->dir_fd >= 0)
		(void)close(cat->dir_fd);
	free(cat);
}

int catalog_open(const char *dir_path, enum catalog_mode mode,
		 const struct clock *clock, struct catalog **ret_cat,
		 struct error *err)
{
	struct catalog *cat = calloc(1, sizeof(*cat));
	int rc = 0;

	if (cat == NULL || init_locks(cat) < 0) {
		free(cat);
		return error_set(err, -ENOMEM, "out of memory");
	}
	cat->dir_fd = -1;
	cat->clock = *clock;
	cat->readonly = mode == CATALOG_READONLY;
	rc = open_dir(cat, dir_path, err);
	if (rc == 0)
		room_for_opening(cat);
	if (rc == 0)
		rc = open_db(cat, err);
	if (rc < 0) {
		catalog_abandon(cat);
		return rc;
	}
	catalog_keep_room(cat);
	*ret_cat = cat;
	return 0;
}

/* The WAL first: beside a new database an old one would be played into it. */
int catalog_set_aside(const char *dir_path, int64_t now_s, struct error *err)
{
	static const char *const parts[] = { "-wal", "-shm", "" };
	cleanup_fd int dir = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = dir < 0 ? -errno : 0;

	for (size_t i = 0; rc == 0 && i < 3; i++) {
		char from[64];
		char to[96];

		(void)snprintf(from, sizeof(from), CATALOG_FILE "%s", parts[i]);
		(void)snprintf(to, sizeof(to),
			       CATALOG_FILE ".bad-%" PRId64 "%s", now_s,
			       parts[i]);
		rc = io_renameat(dir, from, dir, to);
		if (rc == 0 || rc == -ENOENT)
			rc = io_fsync(dir);
	}
	return rc < 0 ? error_set(err, rc,
				  "cannot set the catalog in '%s' aside: %s",
				  dir_path, error_words(rc))
		      : 0;
}

static int write_the_end(struct catalog *cat, struct error *err)
{
	int rc = catalog_flush(cat, err);

	/* What was dropped is known to nobody: the next start must scan. */
	if (rc < 0 || queue_lost(cat))
		return rc;
	rc = catalog_begin(cat, err);
	if (rc < 0)
		return rc;
	rc = catalog_meta_set(cat, "clean", 1, err);
	if (rc == 0)
		return catalog_commit(cat, err);
	catalog_rollback(cat);
	return rc;
}

void catalog_close(struct catalog *cat)
{
	struct error err = ERROR_INIT;

	if (cat == NULL)
		return;
	queue_stop(cat);
	if (!cat->readonly && write_the_end(cat, &err) < 0)
		log_error("closing: %s", err.text);
	catalog_abandon(cat);
}

bool catalog_was_unclean(const struct catalog *cat)
{
	return cat->was_unclean;
}

bool catalog_needs_scan(const struct catalog *cat)
{
	return atomic_load(&cat->needs_scan);
}

int catalog_mark_reconciled(struct catalog *cat, struct error *err)
{
	int rc = 0;

	if (queue_lost(cat))
		return 0;
	rc = catalog_meta_set(cat, "needs_scan", 0, err);
	if (rc == 0)
		atomic_store(&cat->needs_scan, false);
	return rc;
}
