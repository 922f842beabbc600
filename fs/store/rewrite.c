/* SPDX-License-Identifier: EUPL-1.2 */
/* What is live in a pack goes elsewhere; then the pack is condemned. */
#include "fs/store/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/cleanup.h"

/* Rows moved in one transaction at most: it keeps other writers waiting. */
#define ROWS_MAX 16384

struct live {
	struct chunk_row *chunk; /* owned */
	size_t chunks;
	struct content_row *content; /* owned */
	size_t contents;
	bool damaged; /* something live can't be read: the pack stays */
};

static void live_release_at(struct live *live)
{
	free(live->chunk);
	free(live->content);
}

static int select_chunks(struct store *store, uint64_t pack, struct live *live,
			 struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		store->cat,
		"SELECT c.id, c.extent_off, c.skip, c.len, c.stored_bytes"
		" FROM " CHUNKS_HERE " WHERE c.pack = ?1 AND c.refs > 0"
		" AND c.bad = 0 ORDER BY c.extent_off, c.skip LIMIT ?2",
		err);
	int rc;

	if (!s)
		return err->code;
	live->chunk = calloc(ROWS_MAX, sizeof(*live->chunk));
	if (!live->chunk)
		return error_set(err, -ENOMEM, "no memory to collect");
	stmt_bind_i64(s, 1, (int64_t)pack);
	stmt_bind_i64(s, 2, ROWS_MAX);
	while ((rc = stmt_step(s, err)) > 0) {
		struct chunk_row *row = &live->chunk[live->chunks++];

		*row = (struct chunk_row){
			.pack = pack,
			.off = (uint64_t)stmt_i64(s, 1),
			.skip = (uint32_t)stmt_i64(s, 2),
			.len = (uint32_t)stmt_i64(s, 3),
			.stored_bytes = (uint64_t)stmt_i64(s, 4),
		};
		(void)read_id(s, 0, &row->id);
	}
	return rc;
}

static int select_contents(struct store *store, uint64_t pack,
			   struct live *live, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		store->cat,
		"SELECT id, size_bytes, off FROM content WHERE pack = ?1"
		" AND orphan = 0 AND bad = 0 ORDER BY off LIMIT ?2",
		err);
	int rc;

	if (!s)
		return err->code;
	live->content = calloc(ROWS_MAX, sizeof(*live->content));
	if (!live->content)
		return error_set(err, -ENOMEM, "no memory to collect");
	stmt_bind_i64(s, 1, (int64_t)pack);
	stmt_bind_i64(s, 2, ROWS_MAX);
	while ((rc = stmt_step(s, err)) > 0) {
		struct content_row *row = &live->content[live->contents++];

		*row = (struct content_row){
			.size_bytes = (uint64_t)stmt_i64(s, 1),
			.pack = pack,
			.off = (uint64_t)stmt_i64(s, 2),
		};
		(void)read_id(s, 0, &row->id);
	}
	return rc;
}

static int mark_bad_chunk(struct store *store, const struct chunk_row *row,
			  struct error *err)
{
	struct chunk_row bad = *row;

	bad.bad = true;
	bad.refs = 0;
	return chunk_row_put(store, &bad, err);
}

static int copy_chunks(struct store *store, struct live *live,
		       struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < live->chunks; i++) {
		const struct chunk_row *row = &live->chunk[i];
		CLEANUP(chunk_ref_release)
		struct chunk_ref ref = { .data = NULL };

		rc = chunk_load(store, &store->cache, row, &ref, err);
		if (rc == 0) {
			rc = pending_add(store, &row->id, ref.data, row->len, 0,
					 err);
		} else if (is_damage(rc)) {
			live->damaged = true;
			rc = mark_bad_chunk(store, row, err);
		}
	}
	return rc < 0 ? rc : pending_flush(store, err);
}

static int copy_recipe(struct store *store, const struct content_row *row,
		       struct error *err)
{
	cleanup_free uint8_t *body = NULL;
	cleanup_free uint8_t *bytes = NULL;
	struct content_row moved = *row;
	struct record record;
	int rc = record_read(store, row->pack, row->off, false, &record, &body,
			     err);

	if (rc < 0)
		return rc;
	bytes = malloc((size_t)record_span(record.body_len));
	if (!bytes)
		return error_set(err, -ENOMEM, "no memory for a recipe");
	memcpy(bytes + RECORD_HEADER_BYTES, body, record.body_len);
	rc = append_record(store, &record, bytes, &moved.pack, &moved.off, err);
	return rc < 0 ? rc : content_row_put(store, &moved, err);
}

static int copy_recipes(struct store *store, struct live *live,
			struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < live->contents; i++) {
		rc = copy_recipe(store, &live->content[i], err);
		if (is_damage(rc)) {
			live->damaged = true;
			rc = content_row_mark(store, &live->content[i].id,
					      CONTENT_USED, true, err);
		}
	}
	return rc;
}

/* The copy, read back from the disk, against the original. */
static int verify_chunk(struct store *store, const struct chunk_row *old,
			struct error *err)
{
	CLEANUP(chunk_ref_release) struct chunk_ref was = { .data = NULL };
	CLEANUP(chunk_ref_release) struct chunk_ref is = { .data = NULL };
	struct chunk_row row;
	int rc = chunk_row_get(store, VIEW_WRITER, &old->id, &row, err);

	if (rc <= 0 || row.bad)
		return rc < 0 ? rc : 0;
	rc = chunk_load(store, &store->fresh, &row, &is, err);
	if (rc == 0)
		rc = chunk_load(store, &store->cache, old, &was, err);
	if (rc == 0 && memcmp(is.data, was.data, old->len) != 0)
		rc = error_set(err, -SOBRE_ECORRUPT,
			       "a chunk was not copied right");
	return rc;
}

static int verify_copies(struct store *store, const struct live *live,
			 struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < live->chunks; i++)
		rc = verify_chunk(store, &live->chunk[i], err);
	for (size_t i = 0; rc == 0 && i < live->contents; i++) {
		struct content_row row;
		struct recipe recipe;

		rc = content_row_get(store, VIEW_WRITER, &live->content[i].id,
				     &row, err);
		if (rc <= 0 || row.bad)
			continue;
		rc = recipe_load(store, &row, &recipe, err);
		if (rc == 0)
			recipe_release(&recipe);
	}
	return rc < 0 ? rc : 0;
}

/* 1 when nothing live is left there, bad or not. */
static int nothing_live(struct store *store, uint64_t pack, struct error *err)
{
	int64_t n;
	int rc = store_query(store, VIEW_WRITER,
			     "SELECT EXISTS(SELECT 1 FROM " CHUNKS_HERE
			     " WHERE c.pack = ?1 AND c.refs > 0)"
			     " OR EXISTS(SELECT 1 FROM content"
			     " WHERE pack = ?1 AND orphan = 0)",
			     (int64_t)pack, &n, err);

	return rc < 0 ? rc : n == 0;
}

/* Inside the transaction that moved the last rows. */
static int condemn(struct store *store, const struct pack_row *pack,
		   struct store_gc_result *result, struct error *err)
{
	struct pack_row row = *pack;
	int empty = nothing_live(store, pack->id, err);

	if (empty <= 0 || row.state == PACK_CONDEMNED)
		return empty < 0 ? empty : 0;
	row.state = PACK_CONDEMNED;
	row.condemned_s = clock_now_s(&store->options.clock);
	if (row.condemned_s <= 0)
		row.condemned_s = 1;
	result->packs_condemned++;
	return pack_row_put(store, &row, err);
}

/* One transaction's worth; 1 when there is more. */
static int move_some(struct store *store, const struct pack_row *pack,
		     struct store_gc_result *result, struct error *err)
{
	__attribute__((cleanup(
		live_release_at))) struct live live = { .damaged = false };
	struct writer *w;
	int rc = writer_get(store, &w, err);

	if (rc == 0)
		rc = here_fill(store, pack->id, err);
	if (rc == 0)
		rc = select_chunks(store, pack->id, &live, err);
	if (rc == 0)
		rc = select_contents(store, pack->id, &live, err);
	if (rc == 0)
		rc = copy_chunks(store, &live, err);
	if (rc == 0)
		rc = copy_recipes(store, &live, err);
	result->bytes_rewritten += w ? w->appended : 0;
	if (rc == 0)
		rc = store_sync(store, err);
	if (rc == 0)
		rc = verify_copies(store, &live, err);
	if (rc < 0)
		return rc;
	if (!live.damaged &&
	    (live.chunks == ROWS_MAX || live.contents == ROWS_MAX))
		return 1;
	return live.damaged ? 0 : condemn(store, pack, result, err);
}

int pack_rewrite(struct store *store, const struct pack_row *pack,
		 struct store_gc_result *result, struct error *err)
{
	struct store_gc_result counts = *result;
	int more;
	int rc;

	do {
		rc = catalog_begin(store->cat, err);
		if (rc < 0)
			return rc;
		more = move_some(store, pack, &counts, err);
		if (more < 0) {
			catalog_rollback(store->cat);
			store_abort(store);
			return error_prefix(err, "pack %" PRIu64, pack->id);
		}
		rc = catalog_commit(store->cat, err);
		if (rc < 0) {
			store_abort(store);
			return rc;
		}
		atomic_fetch_add(&store->generation, 1);
		*result = counts;
	} while (more > 0);
	return 0;
}
