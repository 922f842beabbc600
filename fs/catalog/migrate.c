/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "fs/catalog/internal.h"

static int step_up(struct conn *conn, const struct migration *m,
		   struct error *err)
{
	char version[96];
	int rc = conn_exec(conn, "BEGIN IMMEDIATE", err);

	if (rc < 0)
		return rc;
	(void)snprintf(version, sizeof(version),
		       "PRAGMA application_id = %d;"
		       "PRAGMA user_version = %" PRId64,
		       CATALOG_APPLICATION_ID, m->number);
	rc = conn_exec(conn, m->sql, err);
	if (rc == 0)
		rc = conn_exec(conn, version, err);
	if (rc == 0)
		rc = conn_exec(conn, "COMMIT", err);
	if (rc < 0) {
		struct error ignored = ERROR_INIT;

		(void)conn_exec(conn, "ROLLBACK", &ignored);
		return error_prefix(err, "migration '%s'", m->name);
	}
	return 0;
}

int migrate(struct conn *conn, const struct migration *list, size_t count,
	    struct error *err)
{
	int64_t version = 0;
	int rc = conn_pragma(conn, "PRAGMA user_version", &version, err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (list[i].number > version)
			rc = step_up(conn, &list[i], err);
	}
	return rc;
}
