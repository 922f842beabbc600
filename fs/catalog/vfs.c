/* SPDX-License-Identifier: EUPL-1.2 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "fs/catalog/internal.h"

static int keep_path(sqlite3_vfs *vfs, const char *path, int out_len, char *out)
{
	size_t len = strlen(path);

	(void)vfs;
	if (len >= (size_t)out_len)
		return SQLITE_CANTOPEN;
	memcpy(out, path, len + 1);
	return SQLITE_OK;
}

/* SQLite keeps the list of its VFSs for the life of the process. */
static int add_vfs(const char *name, const char *base)
{
	const sqlite3_vfs *from = sqlite3_vfs_find(base);
	sqlite3_vfs *vfs = NULL;

	if (sqlite3_vfs_find(name) != NULL)
		return SQLITE_OK;
	if (from == NULL)
		return SQLITE_ERROR;
	vfs = malloc(sizeof(*vfs));
	if (vfs == NULL)
		return SQLITE_NOMEM;
	*vfs = *from;
	vfs->zName = name;
	vfs->pNext = NULL;
	vfs->xFullPathname = keep_path;
	return sqlite3_vfs_register(vfs, 0);
}

const char *vfs_name(enum conn_kind kind)
{
	const char *name = kind == CONN_FROZEN ? "sobre-frozen" : "sobre";
	const char *base = kind == CONN_FROZEN ? "unix-none" : "unix";
	sqlite3_mutex *mutex = NULL;
	int rc = sqlite3_initialize();

	if (rc != SQLITE_OK)
		return NULL;
	mutex = sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_APP1);
	sqlite3_mutex_enter(mutex);
	rc = add_vfs(name, base);
	sqlite3_mutex_leave(mutex);
	return rc == SQLITE_OK ? name : NULL;
}
