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

#define LIVE_PERCENT	 50
#define COUNT_ROWS	 2048 /* chunks counted in a transaction, about */
#define LOOKS		 64   /* at inodes and recipes in a step */
#define RECIPE_EST_BYTES 128  /* what a recipe counts for in a pack's share */

struct gc {
	struct store *store;
	const struct store_gc_options *options;
	struct store_gc_result result;
	struct error uncounted; /* code 0: none */
	struct error no_room;	/* for a pack to be rewritten; code 0: none */
	struct lives lives;
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

/* Inside a transaction; looks again whether an inode names it. Returns how many
 * chunks it counted. */
static int64_t orphan(struct store *store, const struct hash128 *id,
		      struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		store->cat, "SELECT 1 FROM inode WHERE content = ?1 LIMIT 1",
		err);
	struct content_row row;
	struct recipe recipe;
	int64_t n;
	int rc;

	if (!s)
		return err->code;
	stmt_bind_blob(s, 1, id->bytes, sizeof(id->bytes));
	rc = stmt_step(s, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = content_row_get(store, VIEW_WRITER, id, &row, err);
	if (rc <= 0 || row.use == CONTENT_ORPHAN)
		return rc < 0 ? rc : 0;
	rc = recipe_load(store, &row, &recipe, err);
	if (rc < 0) /* what it counts can't be known: it counts on */
		return is_damage(rc) ? content_row_mark(store, id,
							CONTENT_ORPHAN_COUNTED,
							true, err)
				     : rc;
	n = recipe.n;
	rc = recipe_uncount(store, &recipe, err);
	recipe_release(&recipe);
	if (rc == 0)
		rc = content_row_mark(store, id, CONTENT_ORPHAN, row.bad, err);
	return rc < 0 ? rc : n;
}

/* Those from `*at` on that one transaction may hold. */
static int orphan_some(struct store *store, const struct ids *unused,
		       size_t *at, struct error *err)
{
	int64_t counted = 0;
	int rc = catalog_begin(store->cat, err);

	if (rc < 0)
		return rc;
	while (rc == 0 && *at < unused->n && counted < COUNT_ROWS) {
		int64_t n = orphan(store, &unused->id[(*at)++], err);

		counted += n;
		rc = n < 0 ? (int)n : 0;
	}
	if (rc == 0)
		rc = missing_forget(store, err);
	if (rc == 0)
		return catalog_commit(store->cat, err);
	catalog_rollback(store->cat);
	return rc;
}

/* Its recipe comes from the disk before the transaction that needs it. */
static int foresee(struct store *store, const struct hash128 *id,
		   struct error *err)
{
	struct error ignored = ERROR_INIT;
	struct content_row row;
	struct recipe recipe;
	int rc = content_row_get(store, VIEW_COMMITTED, id, &row, err);

	if (rc > 0 && recipe_load(store, &row, &recipe, &ignored) == 0)
		recipe_release(&recipe);
	return rc < 0 ? rc : 0;
}

static int orphan_page(struct store *store, const struct ids *ids, void *ctx,
		       struct error *err)
{
	CLEANUP(ids_release) struct ids unused = { .n = 0 };
	struct gc *gc = ctx;
	size_t at = 0;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < ids->n; i++) {
		rc = ties_used(store, gc->options, &ids->id[i], err);
		if (rc != 0)
			continue;
		rc = foresee(store, &ids->id[i], err);
		if (rc == 0)
			rc = ids_add(&unused, &ids->id[i], err);
		if (rc == 0 && i % LOOKS == 0)
			rc = gc_go_on(gc->options, err);
	}
	rc = rc < 0 ? rc : gc_go_on(gc->options, err);
	while (rc == 0 && at < unused.n) {
		rc = orphan_some(store, &unused, &at, err);
		if (rc == 0)
			rc = gc_go_on(gc->options, err);
	}
	return rc;
}

/* One that can't be counted doesn't stop the pass before it would drop
 * something. */
static int revive_page(struct store *store, const struct ids *ids, void *ctx,
		       struct error *err)
{
	struct gc *gc = ctx;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ids->n; i++) {
		rc = content_revive(store, &ids->id[i], err);
		if (is_damage(rc)) {
			gc->uncounted = *err;
			rc = 0;
		}
		if (rc == 0)
			rc = gc_go_on(gc->options, err);
	}
	return rc;
}

/* How much of a pack is live, in bytes of chunks and recipes before
 * compression. Rows leave a pack all at once, so they tell its size. */
static int live_share(struct gc *gc, uint64_t pack, uint64_t *ret_live,
		      uint64_t *ret_all, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_read_stmt(
		gc->store->cat,
		"SELECT count(*), coalesce(sum(orphan = 0), 0) FROM content"
		" WHERE pack = ?1",
		err);
	const struct pack_life life = lives_of(&gc->lives, pack);
	int rc;

	if (!s)
		return err->code;
	stmt_bind_i64(s, 1, (int64_t)pack);
	rc = stmt_step(s, err);
	if (rc < 0)
		return rc;
	*ret_all = life.all_bytes + RECIPE_EST_BYTES * (uint64_t)stmt_i64(s, 0);
	*ret_live =
		life.live_bytes + RECIPE_EST_BYTES * (uint64_t)stmt_i64(s, 1);
	/* A pack with damage stays, for whoever can save more of it. */
	if (life.damaged)
		*ret_live = *ret_all;
	return 0;
}

/* The open pack, when it is mostly dead, is closed like any other. */
static int seal(struct store *store, uint64_t pack, struct error *err)
{
	struct pack_row row;
	int rc = catalog_begin(store->cat, err);

	if (rc < 0)
		return rc;
	rc = pack_row_get(store, VIEW_WRITER, pack, &row, err);
	if (rc > 0 && row.state == PACK_OPEN) {
		row.state = PACK_SEALED;
		rc = pack_row_put(store, &row, err);
	}
	if (rc >= 0)
		return catalog_commit(store->cat, err);
	catalog_rollback(store->cat);
	return rc;
}

/* Is little enough of it live? 1, 0 or negative. */
static int is_thin(struct gc *gc, const struct pack_row *pack,
		   struct error *err)
{
	unsigned int least = gc->options->min_live_percent;
	uint64_t live = 0;
	uint64_t all = 0;
	int rc;

	if (pack->state >= PACK_EMPTIED ||
	    (pack->state == PACK_OPEN && pack->size_bytes <= PACK_HEADER_BYTES))
		return 0;
	rc = live_share(gc, pack->id, &live, &all, err);
	if (rc < 0)
		return rc;
	if (pack->state == PACK_CONDEMNED)
		return live > 0;
	return all == 0 || live * 100 < all * (least ? least : LIVE_PERCENT);
}

/* By its row as it is now: others may have packed since the pass began. */
static int thin_out(struct gc *gc, uint64_t id, struct error *err)
{
	struct pack_row pack;
	int rc = pack_row_get(gc->store, VIEW_COMMITTED, id, &pack, err);

	if (rc > 0)
		rc = is_thin(gc, &pack, err);
	if (rc <= 0)
		return rc;
	rc = pack.state == PACK_OPEN ? seal(gc->store, id, err) : 0;
	return rc < 0 ? rc
		      : pack_rewrite(gc->store, id, gc->options, &gc->result,
				     err);
}

static int thin_out_all(struct gc *gc, struct error *err)
{
	cleanup_free struct pack_row *packs = NULL;
	int64_t n = pack_rows(gc->store, VIEW_COMMITTED, &packs, err);
	int rc = n < 0 ? (int)n
		       : lives_read(gc->store, gc->options, &gc->lives, err);

	for (int64_t i = 0; rc == 0 && i < n; i++) {
		if (gc->options->progress &&
		    !gc->options->progress(gc->options->ctx, (uint64_t)i,
					   (uint64_t)n))
			rc = error_set(err, -ECANCELED, "stopped");
		if (rc == 0)
			rc = thin_out(gc, packs[i].id, err);
		if (rc == -ENOSPC) { /* what is all dead needs none */
			gc->no_room = *err;
			rc = 0;
		}
	}
	return rc;
}

static int may_collect(struct store *store, struct error *err)
{
	int rebuilding = 0;

	if (store->options.readonly)
		return error_set(err, -EROFS, "the store is read-only");
	if (catalog_needs_scan(store->cat))
		return error_set(err, -EAGAIN,
				 "a scan of the drive must end first");
	rebuilding = store_is_rebuilding(store, err);
	if (rebuilding < 0)
		return rebuilding;
	if (rebuilding)
		return error_set(err, -EAGAIN,
				 "a rebuild of the store was not finished");
	return 0;
}

#define IS_NAMED "EXISTS(SELECT 1 FROM inode WHERE inode.content = content.id)"

int store_gc(struct store *store, const struct store_gc_options *options,
	     struct store_gc_result *ret_result, struct error *err)
{
	struct gc gc = { .store = store, .options = options };
	int rc = may_collect(store, err);

	if (rc == 0)
		rc = catalog_flush(store->cat, err);
	if (rc == 0)
		rc = gc_for_contents(store, options,
				     CONTENTS_THAT("orphan != 0 AND " IS_NAMED),
				     revive_page, &gc, err);
	if (rc == 0)
		rc = gc_for_contents(
			store, options,
			CONTENTS_THAT("orphan != 1 AND NOT " IS_NAMED),
			orphan_page, &gc, err);
	if (rc == 0)
		rc = thin_out_all(&gc, err);
	if (rc == 0 && gc.uncounted.code < 0) {
		*err = gc.uncounted;
		rc = err->code;
	}
	if (rc == 0)
		rc = gc_drop(store, options, &gc.result, err);
	if (rc == 0 && gc.no_room.code < 0 && gc.result.packs_unlinked == 0) {
		*err = gc.no_room;
		rc = err->code;
	}
	if (rc == 0)
		*ret_result = gc.result;
	free(gc.lives.life);
	return rc;
}
