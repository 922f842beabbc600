/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One pass: contents that no inode names become orphans and give their
 * counts back; packs of which too little is live are rewritten and condemned;
 * those condemned long enough go (drop.c). An orphan stays readable until
 * then, and comes back to life when an inode names it after all.
 */
#include "fs/store/internal.h"

#include <errno.h>
#include <stdlib.h>

#include "fs/base/cleanup.h"

#define PAGE		 256
#define LIVE_PERCENT	 50
#define RECIPE_EST_BYTES 128 /* what a recipe counts for in a pack's share */

struct gc {
	struct store *store;
	const struct store_gc_options *options;
	struct store_gc_result result;
};

struct tie_look {
	const struct store_gc_options *options;
	const struct hash128 *content;
	bool used;
};

static void look_at(void *ctx, const struct catalog_inode *tied)
{
	struct tie_look *look = ctx;

	if (!look->used)
		look->used = look->options->still_used(look->options->ctx, tied,
						       look->content);
}

int ties_used(struct store *store, const struct store_gc_options *options,
	      const struct hash128 *id, struct error *err)
{
	struct tie_look look = { .options = options, .content = id };
	int rc;

	if (!options->still_used)
		return 0;
	rc = catalog_ties(store->cat, id, look_at, &look, err);
	return rc < 0 ? rc : look.used;
}

/* Inside a transaction. What can't be counted is bad, and stays. */
static int revive(struct store *store, const struct hash128 *id,
		  struct error *err)
{
	struct content_row row;
	struct recipe recipe;
	bool bad = false;
	int rc = content_row_get(store, VIEW_WRITER, id, &row, err);

	if (rc <= 0 || !row.orphan)
		return rc < 0 ? rc : 0;
	rc = recipe_load(store, &row, &recipe, err);
	if (rc < 0)
		return is_damage(rc)
			       ? content_row_mark(store, id, false, true, err)
			       : rc;
	for (uint32_t i = 0; rc == 0 && i < recipe.n; i++) {
		struct recipe_entry entry;

		recipe_at(&recipe, i, &entry);
		if (!entry.hole)
			rc = chunk_row_count(store, &entry.id, 1, err);
		if (rc == -SOBRE_ENOCHUNK) {
			bad = true;
			rc = 0;
		}
	}
	recipe_release(&recipe);
	return rc < 0 ? rc : content_row_mark(store, id, false, bad, err);
}

int content_revive(struct store *store, const struct hash128 *id,
		   struct error *err)
{
	int rc = catalog_begin(store->cat, err);

	if (rc < 0)
		return rc;
	rc = revive(store, id, err);
	if (rc == 0)
		return catalog_commit(store->cat, err);
	catalog_rollback(store->cat);
	return rc;
}

/* Inside a transaction; looks again whether an inode names it. */
static int orphan(struct store *store, const struct hash128 *id,
		  struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		store->cat, "SELECT 1 FROM inode WHERE content = ?1 LIMIT 1",
		err);
	struct content_row row;
	struct recipe recipe;
	int rc;

	if (!s)
		return err->code;
	stmt_bind_blob(s, 1, id->bytes, sizeof(id->bytes));
	rc = stmt_step(s, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = content_row_get(store, VIEW_WRITER, id, &row, err);
	if (rc <= 0 || row.orphan)
		return rc < 0 ? rc : 0;
	rc = recipe_load(store, &row, &recipe, err);
	if (rc < 0) /* what it counts can't be known: it counts on */
		return is_damage(rc)
			       ? content_row_mark(store, id, true, true, err)
			       : rc;
	for (uint32_t i = 0; rc == 0 && i < recipe.n; i++) {
		struct recipe_entry entry;

		recipe_at(&recipe, i, &entry);
		if (!entry.hole)
			rc = chunk_row_count(store, &entry.id, -1, err);
		if (rc == -SOBRE_ENOCHUNK)
			rc = 0;
	}
	recipe_release(&recipe);
	return rc < 0 ? rc : content_row_mark(store, id, true, row.bad, err);
}

static int orphan_page(struct gc *gc, const struct ids *ids, struct error *err)
{
	struct store *store = gc->store;
	struct ids unused = { .n = 0 };
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < ids->n; i++) {
		rc = ties_used(store, gc->options, &ids->id[i], err);
		if (rc == 0)
			rc = ids_add(&unused, &ids->id[i], err);
	}
	if (rc >= 0)
		rc = catalog_begin(store->cat, err);
	if (rc < 0) {
		ids_release(&unused);
		return rc;
	}
	for (size_t i = 0; rc == 0 && i < unused.n; i++)
		rc = orphan(store, &unused.id[i], err);
	ids_release(&unused);
	if (rc == 0)
		return catalog_commit(store->cat, err);
	catalog_rollback(store->cat);
	return rc;
}

static int revive_page(struct gc *gc, const struct ids *ids, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ids->n; i++)
		rc = content_revive(gc->store, &ids->id[i], err);
	return rc;
}

static int keep_going(struct gc *gc, uint64_t done, uint64_t total,
		      struct error *err)
{
	if (!gc->options->progress ||
	    gc->options->progress(gc->options->ctx, done, total))
		return 0;
	return error_set(err, -ECANCELED, "stopped");
}

/* Calls `page` for all that `sql` selects, in pages of ascending ids. */
static int for_pages(struct gc *gc, const char *sql,
		     int (*page)(struct gc *gc, const struct ids *ids,
				 struct error *err),
		     struct error *err)
{
	struct hash128 after = { .bytes = { 0 } };
	size_t n;
	int rc;

	do {
		struct ids ids = { .n = 0 };

		rc = ids_select(gc->store, VIEW_COMMITTED, sql, &after, PAGE,
				&ids, err);
		n = ids.n;
		if (n > 0)
			after = ids.id[n - 1];
		if (rc == 0 && n > 0)
			rc = page(gc, &ids, err);
		ids_release(&ids);
		if (rc == 0)
			rc = keep_going(gc, 0, 0, err);
	} while (rc == 0 && n > 0);
	return rc;
}

/* How much of a pack is live, in bytes of chunks and recipes before
 * compression. Rows leave a pack all at once, so they tell its size. */
static int live_share(struct store *store, uint64_t pack, uint64_t *ret_live,
		      uint64_t *ret_all, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_read_stmt(
		store->cat,
		"SELECT coalesce(sum(len), 0),"
		" coalesce(sum(iif(refs > 0, len, 0)), 0),"
		" (SELECT count(*) FROM content WHERE pack = ?1),"
		" (SELECT count(*) FROM content WHERE pack = ?1"
		" AND orphan = 0), coalesce(sum(bad AND refs > 0), 0)"
		" FROM chunk WHERE pack = ?1",
		err);
	int rc;

	if (!s)
		return err->code;
	stmt_bind_i64(s, 1, (int64_t)pack);
	rc = stmt_step(s, err);
	if (rc < 0)
		return rc;
	*ret_all = (uint64_t)stmt_i64(s, 0) +
		   RECIPE_EST_BYTES * (uint64_t)stmt_i64(s, 2);
	*ret_live = (uint64_t)stmt_i64(s, 1) +
		    RECIPE_EST_BYTES * (uint64_t)stmt_i64(s, 3);
	/* A pack with damage stays, for whoever can save more of it. */
	if (stmt_i64(s, 4) > 0)
		*ret_live = *ret_all;
	return 0;
}

/* The open pack, when it is mostly dead, is closed like any other. */
static int seal(struct store *store, struct pack_row *pack, struct error *err)
{
	int rc = catalog_begin(store->cat, err);

	if (rc < 0)
		return rc;
	pack->state = PACK_SEALED;
	rc = pack_row_put(store, pack, err);
	if (rc == 0)
		return catalog_commit(store->cat, err);
	catalog_rollback(store->cat);
	return rc;
}

static int thin_out(struct gc *gc, struct pack_row *pack, struct error *err)
{
	unsigned int least = gc->options->min_live_percent;
	uint64_t live = 0;
	uint64_t all = 0;
	int rc;

	if (!least)
		least = LIVE_PERCENT;
	if (pack->state >= PACK_EMPTIED ||
	    (pack->state == PACK_OPEN && pack->size_bytes <= PACK_HEADER_BYTES))
		return 0;
	rc = live_share(gc->store, pack->id, &live, &all, err);
	if (rc < 0)
		return rc;
	if (pack->state == PACK_CONDEMNED)
		return live ? pack_rewrite(gc->store, pack, &gc->result, err)
			    : 0;
	if (all > 0 && live * 100 >= all * least)
		return 0;
	if (pack->state == PACK_OPEN)
		rc = seal(gc->store, pack, err);
	return rc < 0 ? rc : pack_rewrite(gc->store, pack, &gc->result, err);
}

static int thin_out_all(struct gc *gc, struct error *err)
{
	cleanup_free struct pack_row *packs = NULL;
	int64_t n = pack_rows(gc->store, VIEW_COMMITTED, &packs, err);
	int rc = n < 0 ? (int)n : 0;

	for (int64_t i = 0; rc == 0 && i < n; i++) {
		rc = keep_going(gc, (uint64_t)i, (uint64_t)n, err);
		if (rc == 0)
			rc = thin_out(gc, &packs[i], err);
	}
	return rc;
}

static int may_collect(struct store *store, struct error *err)
{
	if (store->options.readonly)
		return error_set(err, -EROFS, "the store is read-only");
	if (catalog_needs_scan(store->cat))
		return error_set(err, -EAGAIN,
				 "a scan of the drive must end first");
	if (store_is_rebuilding(store))
		return error_set(err, -EAGAIN,
				 "a rebuild of the store was not finished");
	return 0;
}

int store_gc(struct store *store, const struct store_gc_options *options,
	     struct store_gc_result *ret_result, struct error *err)
{
	struct gc gc = { .store = store, .options = options };
	int rc = may_collect(store, err);

	if (rc == 0)
		rc = catalog_flush(store->cat, err);
	if (rc == 0)
		rc = for_pages(&gc,
			       "SELECT id FROM content WHERE orphan != 0"
			       " AND EXISTS(SELECT 1 FROM inode"
			       " WHERE inode.content = content.id)"
			       " AND id > ?1 ORDER BY id LIMIT ?2",
			       revive_page, err);
	if (rc == 0)
		rc = for_pages(&gc,
			       "SELECT id FROM content WHERE orphan = 0"
			       " AND NOT EXISTS(SELECT 1 FROM inode"
			       " WHERE inode.content = content.id)"
			       " AND id > ?1 ORDER BY id LIMIT ?2",
			       orphan_page, err);
	if (rc == 0)
		rc = thin_out_all(&gc, err);
	if (rc == 0)
		rc = gc_drop(store, options, &gc.result, err);
	if (rc == 0)
		*ret_result = gc.result;
	return rc;
}
