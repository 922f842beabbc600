/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/store/internal.h"

#include <errno.h>
#include <stdlib.h>

#include "fs/base/cleanup.h"
#include "fs/store/users.h"

/* Counts are wrong while this is set; store_gc() then refuses. */
#define META_REBUILDING "store_rebuilding"

static int in_transaction(struct store *store,
			  int (*step)(struct store *store, void *ctx,
				      struct error *err),
			  void *ctx, struct error *err)
{
	int rc = catalog_begin(store->cat, err);

	if (rc < 0)
		return rc;
	rc = step(store, ctx, err);
	if (rc < 0) {
		catalog_rollback(store->cat);
		return rc;
	}
	return catalog_commit(store->cat, err);
}

static int empty_tables(struct store *store, void *ctx, struct error *err)
{
	static const char *const sql[] = { "DELETE FROM content",
					   "DELETE FROM chunk",
					   "DELETE FROM pack" };

	int rc = store_use_forget(store, err);

	(void)ctx;
	if (rc == 0)
		rc = recount_note(store, "the store is rebuilt", err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < sizeof(sql) / sizeof(sql[0]); i++) {
		int64_t n = store_run(store, sql[i], NULL, 0, err);

		if (n < 0)
			return (int)n;
	}
	return index_forget_lost(store, err);
}

struct one_pack {
	uint64_t id;
	bool last;
};

/* The last pack goes on being appended to, if it ends well. */
static int add_pack(struct store *store, void *ctx, struct error *err)
{
	const struct one_pack *one = ctx;
	struct pack_row row = { .id = one->id, .state = PACK_SEALED };
	struct index_result found;
	int rc = index_pack(store, one->id, PACK_HEADER_BYTES, INDEX_REBUILD,
			    &found, err);

	if (rc == 0 && (found.gap || (found.tail && !one->last)))
		rc = index_note_lost(store, err);
	if (rc < 0)
		return rc;
	row.size_bytes = found.end;
	if (one->last && !found.tail &&
	    row.size_bytes < store->options.pack_bytes)
		row.state = PACK_OPEN;
	return pack_row_put(store, &row, err);
}

/* A recipe that can't be followed to its end makes its content bad. */
static int count_one(struct store *store, const struct hash128 *id,
		     struct error *err)
{
	struct content_row row;
	int rc = content_row_get(store, VIEW_WRITER, id, &row, err);

	if (rc > 0)
		rc = content_count(store, &row, err);
	if (rc > 0)
		rc = content_row_mark(store, id, CONTENT_USED, true, err);
	return rc;
}

static int count_ids(struct store *store, void *ctx, struct error *err)
{
	const struct ids *ids = ctx;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ids->n; i++)
		rc = count_one(store, &ids->id[i], err);
	return rc;
}

struct counting {
	store_progress_fn *progress; /* may be NULL */
	void *ctx;
	uint64_t done;
	uint64_t total;
};

static int count_page(struct store *store, const struct ids *ids, void *ctx,
		      struct error *err)
{
	struct counting *counting = ctx;
	struct ids page = *ids;

	counting->done += ids->n;
	if (counting->progress &&
	    !counting->progress(counting->ctx, counting->done, counting->total))
		return error_set(err, -ECANCELED, "stopped");
	return in_transaction(store, count_ids, &page, err);
}

static int count_all(struct store *store, store_progress_fn *progress,
		     void *ctx, struct error *err)
{
	struct counting counting = { .progress = progress, .ctx = ctx };
	int64_t total;
	int rc = store_query(store, VIEW_COMMITTED,
			     "SELECT count(*) FROM content WHERE pack >= ?1", 0,
			     &total, err);

	if (rc < 0)
		return rc;
	counting.total = (uint64_t)total;
	return ids_for_pages(store,
			     "SELECT id FROM content WHERE id > ?1"
			     " ORDER BY id LIMIT ?2",
			     count_page, &counting, err);
}

static int add_packs(struct store *store, const uint64_t *ids, int64_t n,
		     store_progress_fn *progress, void *ctx, struct error *err)
{
	int rc = 0;

	for (int64_t i = 0; rc == 0 && i < n; i++) {
		struct one_pack one = { .id = ids[i], .last = i == n - 1 };

		if (progress && !progress(ctx, (uint64_t)i, (uint64_t)n))
			return error_set(err, -ECANCELED, "stopped");
		rc = in_transaction(store, add_pack, &one, err);
	}
	return rc;
}

int store_rebuild(struct store *store, store_progress_fn *progress, void *ctx,
		  struct error *err)
{
	cleanup_free uint64_t *ids = NULL;
	int64_t n;
	int rc;

	if (store->options.readonly)
		return error_set(err, -EROFS, "the store is read-only");
	writer_reset(store);
	n = packs_list(store, &ids, err);
	if (n < 0)
		return (int)n;
	rc = catalog_meta_set(store->cat, META_REBUILDING, 1, err);
	if (rc == 0)
		rc = in_transaction(store, empty_tables, NULL, err);
	if (rc == 0)
		rc = add_packs(store, ids, n, progress, ctx, err);
	if (rc == 0)
		rc = count_all(store, progress, ctx, err);
	if (rc == 0)
		rc = catalog_meta_set(store->cat, META_REBUILDING, 0, err);
	atomic_fetch_add(&store->generation, 1);
	return rc;
}

int store_is_rebuilding(struct store *store, struct error *err)
{
	int64_t is = 0;
	int rc = catalog_meta_read(store->cat, META_REBUILDING, 0, &is, err);

	return rc < 0 ? rc : is != 0;
}
