/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Records are read in order, ahead of their use, and checked by several threads
 * in batches: a disk is faster than one CPU that decodes. What is found is
 * noted by one thread, in order.
 */
#include "fs/store/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/cleanup.h"

#define BATCH_ITEMS 128
#define BATCH_BYTES (UINT64_C(16) << 20)
#define CHECKERS    4 /* threads, at most */

/* Items whose bodies are here. */
struct batch {
	struct walk_item item[BATCH_ITEMS];
	int sound[BATCH_ITEMS]; /* as check_item() */
	struct error err[BATCH_ITEMS];
	size_t n;
	uint64_t bytes;
	atomic_size_t next; /* to be checked */
	const struct store *store;
};

struct scrub {
	struct store *store;
	store_progress_fn *progress;
	void (*bad)(void *ctx, const struct hash128 *content);
	void *ctx;
	uint64_t done;
	uint64_t total;
	struct store_scrub_result result;
};

/* Do the chunks have the hashes they are known by? */
static bool hashes_hold(const struct store *store, const struct extent *extent)
{
	for (uint32_t i = 0; i < extent->n; i++) {
		const struct extent_entry *e = &extent->entry[i];
		struct hash128 id;

		hash128(&store->options.key, extent->data + e->skip, e->len,
			&id);
		if (hash128_compare(&id, &e->id) != 0)
			return false;
	}
	return true;
}

/* 1 sound, 0 bad, or negative. */
static int check_item(const struct store *store, const struct walk_item *item,
		      struct error *err)
{
	struct recipe recipe;
	struct extent extent;
	bool sound = true;
	int rc;

	if (item->bad)
		return 0;
	if (item->record.type == RECORD_RECIPE) {
		rc = recipe_decode(&item->record, item->body, &recipe, err);
		if (rc == 0)
			recipe_release(&recipe);
	} else {
		rc = extent_decode(&item->record, item->body, &extent, err);
		if (rc == 0) {
			sound = hashes_hold(store, &extent);
			extent_release(&extent);
		}
	}
	if (rc < 0)
		return is_damage(rc) ? 0 : rc;
	return sound;
}

/* Rows that point into [off, end[ of the pack become `bad`, or good again; how
 * many do, when they become bad. */
static int64_t mark(struct scrub *scrub, uint64_t pack,
		    const struct walk_item *item, bool bad, struct error *err)
{
	const int64_t binds[] = { (int64_t)pack, (int64_t)item->off,
				  (int64_t)item->end, bad };
	/* Good again is of few rows, and they have an index; going bad asks
	 * all. */
	const char *sql = bad ? "UPDATE chunk SET bad = 1 WHERE pack = ?1"
				" AND extent_off >= ?2 AND extent_off < ?3"
			      : "UPDATE chunk SET bad = 0 WHERE pack = ?1"
				" AND extent_off >= ?2 AND extent_off < ?3"
				" AND bad != 0";
	int64_t chunks;
	int64_t contents = 0;
	int rc = catalog_begin(scrub->store->cat, err);

	if (rc < 0)
		return rc;
	chunks = store_run(scrub->store, sql, binds, 3, err);
	if (chunks >= 0)
		contents = store_run(scrub->store,
				     "UPDATE content SET bad = ?4"
				     " WHERE pack = ?1 AND off >= ?2"
				     " AND off < ?3 AND (?4 OR bad != 0)",
				     binds, 4, err);
	if (chunks < 0 || contents < 0) {
		catalog_rollback(scrub->store->cat);
		return chunks < 0 ? chunks : contents;
	}
	rc = catalog_commit(scrub->store->cat, err);
	return rc < 0 ? rc : chunks + contents;
}

/* A power cut may leave a hole before sound records that were never committed.
 * Nothing is lost there; unless a recipe that no row knows was. */
static int note_bad(struct scrub *scrub, uint64_t pack,
		    const struct walk_item *item, struct error *err)
{
	int64_t named = mark(scrub, pack, item, true, err);
	int missed = 0;

	if (named == 0)
		missed = index_misses_used(scrub->store, err);
	if (named < 0 || missed < 0)
		return named < 0 ? (int)named : missed;
	if (named > 0 || missed)
		scrub->result.bad_records++;
	else
		scrub->result.dead_records++;
	return 0;
}

/* Chunks of the pack that are marked bad now. */
static int any_bad(struct scrub *scrub, uint64_t pack, int64_t *ret_n,
		   struct error *err)
{
	return store_query(scrub->store, VIEW_COMMITTED,
			   "SELECT (SELECT count(*) FROM chunk"
			   " WHERE pack = ?1 AND bad != 0)"
			   " + (SELECT count(*) FROM content"
			   " WHERE pack = ?1 AND bad != 0)",
			   (int64_t)pack, ret_n, err);
}

static void *check_some(void *batch)
{
	struct batch *b = batch;

	for (;;) {
		size_t i = atomic_fetch_add(&b->next, 1);

		if (i >= b->n)
			return NULL;
		b->sound[i] = check_item(b->store, &b->item[i], &b->err[i]);
	}
}

/* Threads that check it from now on; one that can't be started is not missed.
 */
static unsigned int check_begin(struct batch *b, pthread_t thread[CHECKERS],
				unsigned int wanted)
{
	unsigned int n = 0;

	atomic_store(&b->next, 0);
	while (n < wanted &&
	       pthread_create(&thread[n], NULL, check_some, b) == 0)
		n++;
	return n;
}

static void check_end(struct batch *b, const pthread_t *thread, unsigned int n)
{
	(void)check_some(b);
	while (n > 0)
		(void)pthread_join(thread[--n], NULL);
}

static void batch_empty(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(take_ptr(&b->item[i].body));
	b->n = 0;
	b->bytes = 0;
}

static void batch_free(struct batch *b)
{
	if (b)
		batch_empty(b);
	free(b);
}
DEFINE_CLEANUP(struct batch *, batch_free)

/* 1 when there may be more, 0, or negative. */
static int read_batch(struct batch *b, struct walk *walk, struct error *err)
{
	struct walk_item item = { .body = NULL };
	int rc = 1;

	batch_empty(b);
	while (b->n < BATCH_ITEMS && b->bytes < BATCH_BYTES) {
		rc = walk_next(walk, &item, err);
		if (rc <= 0)
			break;
		b->err[b->n] = (struct error)ERROR_INIT;
		b->bytes += item.end - item.off;
		b->item[b->n] = item;
		b->item[b->n++].body = take_ptr(&item.body);
	}
	free(item.body);
	return rc;
}

static int note_item(struct scrub *scrub, uint64_t pack,
		     const struct walk_item *item, int sound, bool had_bad,
		     struct error *err)
{
	int64_t n = 0;

	scrub->result.records++;
	scrub->result.bytes += item->end - item->off;
	if (!sound)
		return note_bad(scrub, pack, item, err);
	if (had_bad)
		n = mark(scrub, pack, item, false, err);
	return n < 0 ? (int)n : 0;
}

/* All it says it holds is gone. */
static int pack_is_lost(struct scrub *scrub, const struct pack_row *pack,
			struct error *err)
{
	const struct walk_item all = { .off = 0, .end = INT64_MAX };
	int64_t n;

	scrub->result.bad_records++;
	n = mark(scrub, pack->id, &all, true, err);
	return n < 0 ? (int)n : 0;
}

static int note_batch(struct scrub *scrub, uint64_t pack, const struct batch *b,
		      bool had_bad, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < b->n; i++) {
		const struct walk_item *item = &b->item[i];

		if (b->sound[i] < 0) {
			*err = b->err[i];
			return b->sound[i];
		}
		rc = note_item(scrub, pack, item, b->sound[i], had_bad, err);
		scrub->done += item->end - item->off;
	}
	if (rc == 0 && scrub->progress &&
	    !scrub->progress(scrub->ctx, scrub->done, scrub->total))
		rc = error_set(err, -ECANCELED, "stopped");
	return rc;
}

static unsigned int checkers(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	return cpus < 1 ? 1 : cpus < CHECKERS ? (unsigned int)cpus : CHECKERS;
}

/* While one batch is checked the next is read. */
static int scrub_walk(struct scrub *scrub, uint64_t pack, struct walk *walk,
		      bool had_bad, struct error *err)
{
	CLEANUP(batch_free) struct batch *now = calloc(1, sizeof(*now));
	CLEANUP(batch_free) struct batch *next = calloc(1, sizeof(*next));
	pthread_t thread[CHECKERS];
	int more;
	int rc = 0;

	if (!now || !next)
		return error_set(err, -ENOMEM, "no memory to scrub");
	now->store = next->store = scrub->store;
	more = read_batch(now, walk, err);
	while (rc == 0 && more >= 0 && now->n > 0) {
		struct batch *checked = now;
		unsigned int n = check_begin(now, thread, checkers());

		batch_empty(next);
		if (more > 0)
			more = read_batch(next, walk, err);
		check_end(now, thread, n);
		if (more >= 0)
			rc = note_batch(scrub, pack, now, had_bad, err);
		now = next;
		next = checked;
	}
	return more < 0 ? more : rc;
}

static int scrub_records(struct scrub *scrub, const struct pack_row *pack,
			 struct error *err)
{
	struct walk_item none = { .body = NULL };
	struct walk walk;
	int64_t had_bad;
	int rc = any_bad(scrub, pack->id, &had_bad, err);

	/* What a flipped byte did to the header is known elsewhere too. */
	if (rc == 0)
		rc = pack_mend_header(scrub->store, pack->id, false, err);
	if (rc < 0)
		return rc;
	scrub->result.bad_records += (unsigned int)rc;
	rc = walk_start(&walk, scrub->store, pack->id, PACK_HEADER_BYTES,
			pack->size_bytes, err);
	if (rc < 0)
		return is_damage(rc) ? pack_is_lost(scrub, pack, err) : rc;
	walk.fresh = true;
	rc = scrub_walk(scrub, pack->id, &walk, had_bad > 0, err);
	walk_end(&walk, &none);
	return rc;
}

/* By its row as it is now: others may have collected since the pass began. */
static int scrub_pack(struct scrub *scrub, uint64_t id, struct error *err)
{
	struct pack_row row;
	int rc = pack_row_get(scrub->store, VIEW_COMMITTED, id, &row, err);

	if (rc <= 0 || row.state == PACK_EMPTIED)
		return rc < 0 ? rc : 0;
	return scrub_records(scrub, &row, err);
}

/* Can every byte of it still be read, by the rows? 1, 0 or negative. */
static int is_whole(struct store *store, const struct content_row *row,
		    struct error *err)
{
	struct recipe recipe;
	int rc = recipe_load(store, row, &recipe, err);

	if (rc < 0)
		return is_damage(rc) ? 0 : rc;
	rc = 1;
	for (uint32_t i = 0; rc > 0 && i < recipe.n; i++) {
		struct recipe_entry entry;
		struct chunk_row chunk;

		recipe_at(&recipe, i, &entry);
		if (entry.hole)
			continue;
		rc = chunk_row_get(store, VIEW_COMMITTED, &entry.id, &chunk,
				   err);
		if (rc > 0)
			rc = !chunk.bad;
	}
	recipe_release(&recipe);
	return rc;
}

static int judge(struct scrub *scrub, const struct hash128 *id,
		 struct error *err)
{
	struct store *store = scrub->store;
	struct content_row row;
	int whole;
	int rc = content_row_get(store, VIEW_COMMITTED, id, &row, err);

	if (rc <= 0)
		return rc;
	whole = is_whole(store, &row, err);
	if (whole < 0)
		return whole;
	if (!whole && scrub->bad)
		scrub->bad(scrub->ctx, id);
	if (row.bad == !whole)
		return 0;
	rc = catalog_begin(store->cat, err);
	if (rc < 0)
		return rc;
	rc = content_row_mark(store, id, row.use, !whole, err);
	if (rc == 0)
		return catalog_commit(store->cat, err);
	catalog_rollback(store->cat);
	return rc;
}

static int judge_page(struct store *store, const struct ids *ids, void *ctx,
		      struct error *err)
{
	int rc = 0;

	(void)store;
	for (size_t i = 0; rc == 0 && i < ids->n; i++)
		rc = judge(ctx, &ids->id[i], err);
	return rc;
}

/* Only when something is bad: which contents does it hurt? */
static int judge_all(struct scrub *scrub, struct error *err)
{
	return ids_for_pages(scrub->store,
			     "SELECT id FROM content WHERE id > ?1"
			     " ORDER BY id LIMIT ?2",
			     judge_page, scrub, err);
}

static int count_bad(struct scrub *scrub, int64_t *ret_contents,
		     struct error *err)
{
	int64_t chunks;
	int rc = store_query(scrub->store, VIEW_COMMITTED,
			     "SELECT count(*) FROM chunk WHERE bad != 0"
			     " AND pack >= ?1",
			     0, &chunks, err);

	if (rc == 0)
		rc = store_query(scrub->store, VIEW_COMMITTED,
				 "SELECT count(*) FROM content"
				 " WHERE bad >= ?1",
				 1, ret_contents, err);
	if (rc == 0)
		scrub->result.bad_chunks = (uint64_t)chunks;
	return rc;
}

/* When all packs are read. */
static int conclude(struct scrub *scrub, struct error *err)
{
	int64_t bad_contents = 0;
	int rc = count_bad(scrub, &bad_contents, err);

	if (rc == 0 && (scrub->result.bad_chunks || bad_contents))
		rc = judge_all(scrub, err);
	return rc;
}

int store_scrub(struct store *store, store_progress_fn *progress,
		void (*bad)(void *ctx, const struct hash128 *content),
		void *ctx, struct store_scrub_result *ret_result,
		struct error *err)
{
	struct scrub scrub = {
		.store = store, .progress = progress, .bad = bad, .ctx = ctx
	};
	cleanup_free struct pack_row *packs = NULL;
	int64_t n = pack_rows(store, VIEW_COMMITTED, &packs, err);
	int rc = n < 0 ? (int)n : 0;

	if (store->options.readonly)
		return error_set(err, -EROFS, "the store is read-only");
	for (int64_t i = 0; i < n; i++)
		scrub.total += packs[i].size_bytes;
	for (int64_t i = 0; rc == 0 && i < n; i++)
		rc = scrub_pack(&scrub, packs[i].id, err);
	cache_purge(&store->cache);
	if (rc == 0)
		rc = conclude(&scrub, err);
	if (rc == 0)
		*ret_result = scrub.result;
	return rc;
}

int store_scrub_next(struct store *store, uint64_t *after,
		     store_progress_fn *progress,
		     void (*bad)(void *ctx, const struct hash128 *content),
		     void *ctx, struct error *err)
{
	struct scrub scrub = {
		.store = store, .progress = progress, .bad = bad, .ctx = ctx
	};
	int64_t id = 0;
	int rc = store_query(store, VIEW_COMMITTED,
			     "SELECT min(id) FROM pack WHERE id > ?1",
			     (int64_t)*after, &id, err);

	if (store->options.readonly)
		return error_set(err, -EROFS, "the store is read-only");
	if (rc == 0)
		rc = id > 0 ? scrub_pack(&scrub, (uint64_t)id, err)
			    : conclude(&scrub, err);
	if (rc < 0 || id <= 0)
		return rc;
	*after = (uint64_t)id;
	return 1;
}
