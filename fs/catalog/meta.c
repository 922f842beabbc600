/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/catalog/internal.h"

static int set_now(struct catalog *cat, const char *key, int64_t value,
		   struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		cat,
		"INSERT INTO meta(key, value) VALUES(?1, ?2)"
		" ON CONFLICT(key) DO UPDATE SET value = excluded.value",
		err);
	int64_t n = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_text(s, 1, key);
	stmt_bind_i64(s, 2, value);
	n = stmt_run(s, err);
	return n < 0 ? (int)n : 0;
}

int catalog_meta_set(struct catalog *cat, const char *key, int64_t value,
		     struct error *err)
{
	int rc = 0;

	if (catalog_owned(cat))
		return set_now(cat, key, value, err);
	rc = catalog_begin(cat, err);
	if (rc < 0)
		return rc;
	rc = set_now(cat, key, value, err);
	if (rc == 0)
		return catalog_commit(cat, err);
	catalog_rollback(cat);
	return rc;
}

int catalog_meta_read(struct catalog *cat, const char *key, int64_t fallback,
		      int64_t *ret_value, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s =
		catalog_stmt(cat, "SELECT value FROM meta WHERE key = ?1", err);
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_text(s, 1, key);
	rc = stmt_step(s, err);
	if (rc < 0)
		return rc;
	*ret_value = rc == 1 ? stmt_i64(s, 0) : fallback;
	return 0;
}

int64_t catalog_meta_get(struct catalog *cat, const char *key, int64_t fallback)
{
	struct error ignored = ERROR_INIT;
	int64_t value = fallback;

	(void)catalog_meta_read(cat, key, fallback, &value, &ignored);
	return value;
}
