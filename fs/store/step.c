/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The steps of a pass of gc. Others wait for their turn while one is made: each
 * looks at a bounded number of rows, however few of them are wanted.
 */
#include "fs/store/internal.h"

#include <errno.h>

#define WINDOW_ROWS 2048

int gc_go_on(const struct store_gc_options *options, struct error *err)
{
	if (!options || !options->progress ||
	    options->progress(options->ctx, 0, 0))
		return 0;
	return error_set(err, -ECANCELED, "stopped");
}

/* Those wanted; `*after` becomes the last one looked at. How many were. */
static int select_window(struct store *store, const char *sql,
			 struct hash128 *after, struct ids *ids,
			 struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_read_stmt(store->cat, sql, err);
	int n = 0;
	int rc;

	if (!s)
		return err->code;
	stmt_bind_blob(s, 1, after->bytes, sizeof(after->bytes));
	stmt_bind_i64(s, 2, WINDOW_ROWS);
	while ((rc = stmt_step(s, err)) > 0) {
		n++;
		if (read_id(s, 0, after) && stmt_i64(s, 1) != 0)
			rc = ids_add(ids, after, err);
		if (rc < 0)
			break;
	}
	return rc < 0 ? rc : n;
}

int gc_for_contents(struct store *store, const struct store_gc_options *options,
		    const char *sql, ids_page_fn *page, void *ctx,
		    struct error *err)
{
	struct hash128 after = { .bytes = { 0 } };
	int rc;
	int n;

	do {
		CLEANUP(ids_release) struct ids ids = { .n = 0 };

		n = select_window(store, sql, &after, &ids, err);
		rc = n < 0 ? n : gc_go_on(options, err);
		if (rc == 0 && ids.n > 0)
			rc = page(store, &ids, ctx, err);
	} while (rc == 0 && n > 0);
	return rc;
}
