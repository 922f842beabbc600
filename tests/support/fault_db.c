/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * SQLite's files and memory that fail: tests/support/fault.h. The VFS that
 * fs/catalog builds on is looked up by name; what it finds is the same with
 * another xOpen, whose files have methods that may fail. Its allocator is
 * replaced before it is in use.
 */
#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/fault.h"
#include "tests/support/volatile.h"

#define SHIMS_MAX   8
#define FAILS(name) FAULT(FAULT_DB, name)

/* SQLite's methods of some kind of file, and ours in their place. */
struct shim {
	const sqlite3_io_methods *real;
	sqlite3_io_methods ours;
};

static struct {
	pthread_mutex_t lock; /* guards what follows */
	struct shim shims[SHIMS_MAX];
	size_t n;
} db = { .lock = PTHREAD_MUTEX_INITIALIZER };

static sqlite3_mem_methods memory;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker gives the names */
sqlite3_vfs *__real_sqlite3_vfs_find(const char *name);
sqlite3_vfs *__wrap_sqlite3_vfs_find(const char *name);
/* NOLINTEND(bugprone-reserved-identifier) */

static const sqlite3_io_methods *real(sqlite3_file *file)
{
	return ((const struct shim *)((const char *)file->pMethods -
				      offsetof(struct shim, ours)))
		->real;
}

/* --- methods
 * ---------------------------------------------------------------------- */

static int db_read(sqlite3_file *file, void *to, int len, sqlite3_int64 at)
{
	return FAILS("xRead") ? SQLITE_IOERR_READ
			      : real(file)->xRead(file, to, len, at);
}

static int db_write(sqlite3_file *file, const void *data, int len,
		    sqlite3_int64 at)
{
	int error = FAILS("xWrite");

	if (error)
		return error == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
	volatile_step("xWrite");
	volatile_note_file(file, data, (size_t)len, (uint64_t)at);
	return real(file)->xWrite(file, data, len, at);
}

static int db_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	return FAILS("xTruncate") ? SQLITE_IOERR_TRUNCATE
				  : real(file)->xTruncate(file, size);
}

static int db_sync(sqlite3_file *file, int flags)
{
	int rc;

	if (FAILS("xSync"))
		return SQLITE_IOERR_FSYNC;
	volatile_step("xSync");
	rc = real(file)->xSync(file, flags);
	if (rc == SQLITE_OK)
		volatile_settle_file(file);
	return rc;
}

static int db_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return FAILS("xFileSize") ? SQLITE_IOERR_FSTAT
				  : real(file)->xFileSize(file, size);
}

static int db_lock(sqlite3_file *file, int level)
{
	return FAILS("xLock") ? SQLITE_IOERR_LOCK
			      : real(file)->xLock(file, level);
}

static int db_shm_map(sqlite3_file *file, int page, int size, int extend,
		      void volatile **ret)
{
	return FAILS("xShmMap")
		       ? SQLITE_IOERR_SHMMAP
		       : real(file)->xShmMap(file, page, size, extend, ret);
}

static int db_shm_lock(sqlite3_file *file, int from, int n, int flags)
{
	/* Giving a lock back has no failure that a caller looks at. */
	if (!(flags & SQLITE_SHM_UNLOCK) && FAILS("xShmLock"))
		return SQLITE_IOERR_SHMLOCK;
	return real(file)->xShmLock(file, from, n, flags);
}

static int db_close(sqlite3_file *file)
{
	volatile_forget_file(file);
	return real(file)->xClose(file);
}

static const sqlite3_io_methods *methods_for(const sqlite3_io_methods *methods)
{
	struct shim *shim = db.shims;

	while (shim < db.shims + db.n && shim->real != methods)
		shim++;
	if (shim == db.shims + SHIMS_MAX)
		abort();
	if (shim < db.shims + db.n)
		return &shim->ours;
	db.n++;
	shim->real = methods;
	shim->ours = *methods;
	shim->ours.xRead = db_read;
	shim->ours.xWrite = db_write;
	shim->ours.xTruncate = db_truncate;
	shim->ours.xSync = db_sync;
	shim->ours.xFileSize = db_size;
	shim->ours.xLock = db_lock;
	shim->ours.xClose = db_close;
	if (methods->iVersion >= 2 && methods->xShmMap) {
		shim->ours.xShmMap = db_shm_map;
		shim->ours.xShmLock = db_shm_lock;
	}
	return &shim->ours;
}

/* --- opening
 * ---------------------------------------------------------------------- */

static int db_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file,
		   int flags, int *out_flags)
{
	int rc = SQLITE_CANTOPEN;

	file->pMethods = NULL;
	if (FAILS("xOpen"))
		return rc;
	rc = __real_sqlite3_vfs_find("unix")->xOpen(vfs, name, file, flags,
						    out_flags);
	if (file->pMethods == NULL)
		return rc;
	(void)pthread_mutex_lock(&db.lock);
	file->pMethods = methods_for(file->pMethods);
	(void)pthread_mutex_unlock(&db.lock);
	volatile_open_file(file, name);
	return rc;
}

/* NOLINTNEXTLINE(bugprone-reserved-identifier) */
sqlite3_vfs *__wrap_sqlite3_vfs_find(const char *name)
{
	static _Thread_local sqlite3_vfs copy;
	sqlite3_vfs *found = __real_sqlite3_vfs_find(name);

	if (found == NULL || strncmp(name, "unix", 4) != 0)
		return found;
	copy = *found;
	copy.xOpen = db_open;
	return &copy;
}

/* --- memory
 * ---------------------------------------------------------------------- */

static void *db_malloc(int size)
{
	return FAULT(FAULT_DBMEMORY, "malloc") ? NULL : memory.xMalloc(size);
}

static void *db_realloc(void *at, int size)
{
	return FAULT(FAULT_DBMEMORY, "realloc") ? NULL
						: memory.xRealloc(at, size);
}

static __attribute__((constructor)) void replace_allocator(void)
{
	sqlite3_mem_methods ours;

	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory) != SQLITE_OK)
		abort();
	ours = memory;
	ours.xMalloc = db_malloc;
	ours.xRealloc = db_realloc;
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &ours) != SQLITE_OK)
		abort();
}
