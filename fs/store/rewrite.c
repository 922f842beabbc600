/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What is live in a pack goes elsewhere; then the pack is condemned. It goes in
 * transactions that are short, since they keep other writers waiting, and
 * between them others may pack: each looks at the rows as they are by then.
 */
#include "fs/store/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/cleanup.h"

/* Of one transaction, at most: rows looked at, and bytes moved. */
#define LOOK_ROWS  2048
#define MOVE_BYTES (UINT64_C(4) << 20)

struct move {
	struct store *store;
	uint64_t pack;
	const struct store_gc_options *options;
	struct here here;
	size_t at; /* in here: those before were looked at */
	/* Of this transaction. */
	struct chunk_row *chunk; /* owned; LOOK_ROWS */
	size_t chunks;
	struct content_row *content; /* owned; LOOK_ROWS */
	size_t contents;
	struct store_gc_result counts;
};

static void move_release(struct move *m)
{
	here_release(&m->here);
	free(m->chunk);
	free(m->content);
}

static void move_release_at(struct move *m)
{
	move_release(m);
}

static int mark_bad_chunk(struct store *store, const struct chunk_row *row,
			  struct error *err)
{
	struct chunk_row bad = *row;

	bad.bad = true;
	bad.refs = 0;
	return chunk_row_put(store, &bad, err);
}

static int copy_chunk(struct move *m, const struct chunk_row *row,
		      struct error *err)
{
	CLEANUP(chunk_ref_release) struct chunk_ref ref = { .data = NULL };
	int rc = chunk_load(m->store, &m->store->cache, row, &ref, err);

	/* Something live can't be read: it stays, and the pack. */
	if (is_damage(rc))
		return mark_bad_chunk(m->store, row, err);
	if (rc == 0)
		rc = pending_add(m->store, &row->id, ref.data, row->len, 0,
				 err);
	if (rc < 0)
		return rc;
	m->counts.bytes_live += row->stored_bytes;
	m->chunk[m->chunks++] = *row;
	return 0;
}

/* By its row as it is now. Returns the bytes moved. */
static int64_t copy_if_live(struct move *m, const struct here_chunk *here,
			    struct error *err)
{
	struct chunk_row row;
	int rc = chunk_row_get(m->store, VIEW_WRITER, &here->id, &row, err);

	if (rc <= 0 || row.pack != m->pack || row.off != here->off ||
	    row.refs == 0 || row.bad)
		return rc < 0 ? rc : 0;
	rc = copy_chunk(m, &row, err);
	return rc < 0 ? rc : (int64_t)row.len;
}

static int copy_chunks(struct move *m, struct error *err)
{
	uint64_t bytes = 0;

	for (int i = 0; i < LOOK_ROWS && m->at < m->here.n; i++) {
		int64_t n = copy_if_live(m, &m->here.chunk[m->at], err);

		if (n < 0)
			return (int)n;
		m->at++;
		bytes += (uint64_t)n;
		if (bytes >= MOVE_BYTES)
			break;
	}
	return pending_flush(m->store, err);
}

static int select_contents(struct move *m, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		m->store->cat,
		"SELECT id, size_bytes, off FROM content WHERE pack = ?1"
		" AND orphan = 0 AND bad = 0 ORDER BY off LIMIT ?2",
		err);
	int rc;

	if (!s)
		return err->code;
	stmt_bind_i64(s, 1, (int64_t)m->pack);
	stmt_bind_i64(s, 2, LOOK_ROWS);
	while ((rc = stmt_step(s, err)) > 0) {
		struct content_row *row = &m->content[m->contents++];

		*row = (struct content_row){
			.size_bytes = (uint64_t)stmt_i64(s, 1),
			.pack = m->pack,
			.off = (uint64_t)stmt_i64(s, 2),
		};
		(void)read_id(s, 0, &row->id);
	}
	return rc;
}

/* Returns the bytes moved. */
static int64_t copy_recipe(struct move *m, const struct content_row *row,
			   struct error *err)
{
	cleanup_free uint8_t *body = NULL;
	cleanup_free uint8_t *bytes = NULL;
	struct content_row moved = *row;
	struct record record;
	uint64_t span;
	int rc = record_read(m->store, row->pack, row->off, false, &record,
			     &body, err);

	if (rc < 0)
		return rc;
	span = record_span(record.body_len);
	bytes = malloc((size_t)span);
	if (!bytes)
		return error_set(err, -ENOMEM, "no memory for a recipe");
	memcpy(bytes + RECORD_HEADER_BYTES, body, record.body_len);
	rc = append_record(m->store, &record, bytes, &moved.pack, &moved.off,
			   err);
	if (rc == 0)
		rc = content_row_put(m->store, &moved, err);
	m->counts.bytes_live += span;
	return rc < 0 ? rc : (int64_t)span;
}

static int copy_recipes(struct move *m, struct error *err)
{
	uint64_t bytes = 0;
	int rc = select_contents(m, err);
	size_t i;

	for (i = 0; rc == 0 && i < m->contents && bytes < MOVE_BYTES; i++) {
		int64_t n = copy_recipe(m, &m->content[i], err);

		if (n >= 0)
			bytes += (uint64_t)n;
		else if (is_damage((int)n))
			rc = content_row_mark(m->store, &m->content[i].id,
					      CONTENT_USED, true, err);
		else
			rc = (int)n;
	}
	m->contents = i;
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

	if (rc <= 0)
		return rc;
	rc = chunk_load(store, &store->fresh, &row, &is, err);
	if (rc == 0)
		rc = chunk_load(store, &store->cache, old, &was, err);
	if (rc == 0 && memcmp(is.data, was.data, old->len) != 0)
		rc = error_set(err, -SOBRE_ECORRUPT,
			       "a chunk was not copied right");
	return rc;
}

static int verify_recipe(struct store *store, const struct hash128 *id,
			 struct error *err)
{
	struct content_row row;
	struct recipe recipe;
	int rc = content_row_get(store, VIEW_WRITER, id, &row, err);

	if (rc <= 0 || row.bad)
		return rc < 0 ? rc : 0;
	rc = recipe_load(store, &row, &recipe, err);
	if (rc == 0)
		recipe_release(&recipe);
	return rc;
}

static int verify_copies(const struct move *m, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < m->chunks; i++)
		rc = verify_chunk(m->store, &m->chunk[i], err);
	for (size_t i = 0; rc == 0 && i < m->contents; i++)
		rc = verify_recipe(m->store, &m->content[i].id, err);
	return rc;
}

/* What names the pack and lives, bad or not: 1, 0 or negative. */
static int is_live(struct move *m, struct error *err)
{
	struct chunk_row row;
	int64_t n;
	int rc = store_query(m->store, VIEW_WRITER,
			     "SELECT EXISTS(SELECT 1 FROM content"
			     " WHERE pack = ?1 AND orphan = 0)",
			     (int64_t)m->pack, &n, err);

	for (size_t i = 0; rc == 0 && n == 0 && i < m->here.n; i++) {
		rc = chunk_row_get(m->store, VIEW_WRITER, &m->here.chunk[i].id,
				   &row, err);
		n = rc > 0 && row.pack == m->pack && row.refs > 0;
		rc = rc < 0 ? rc : 0;
	}
	return rc < 0 ? rc : n != 0;
}

/* In one transaction: nothing adopts what is in a condemned pack. */
static int condemn(struct move *m, struct error *err)
{
	struct store *store = m->store;
	struct pack_row row;
	int live;
	int rc = pack_row_get(store, VIEW_WRITER, m->pack, &row, err);

	if (rc <= 0 || row.state != PACK_SEALED)
		return rc < 0 ? rc : 0;
	live = is_live(m, err);
	if (live != 0)
		return live < 0 ? live : 0;
	row.state = PACK_CONDEMNED;
	row.condemned_s = clock_now_s(&store->options.clock);
	if (row.condemned_s <= 0)
		row.condemned_s = 1;
	m->counts.packs_condemned++;
	return pack_row_put(store, &row, err);
}

/* Copies what `step` finds, and makes sure of the copies. */
static int copied(struct move *m, int (*step)(struct move *, struct error *),
		  struct error *err)
{
	struct writer *w;
	int rc = writer_get(m->store, &w, err);

	m->chunks = m->contents = 0;
	if (rc == 0)
		rc = step(m, err);
	m->counts.bytes_rewritten += rc == 0 ? w->appended : 0;
	if (rc == 0)
		rc = store_sync(m->store, err);
	return rc < 0 ? rc : verify_copies(m, err);
}

/* One transaction. */
static int run(struct move *m, int (*step)(struct move *, struct error *),
	       struct store_gc_result *result, struct error *err)
{
	int rc = catalog_begin(m->store->cat, err);

	if (rc < 0)
		return rc;
	m->counts = *result;
	rc = copied(m, step, err);
	if (rc == 0)
		rc = catalog_commit(m->store->cat, err);
	else
		catalog_rollback(m->store->cat);
	if (rc < 0) {
		store_abort(m->store);
		return error_prefix(err, "pack %" PRIu64, m->pack);
	}
	atomic_fetch_add(&m->store->generation, 1);
	*result = m->counts;
	return gc_go_on(m->options, err);
}

int pack_rewrite(struct store *store, uint64_t pack,
		 const struct store_gc_options *options,
		 struct store_gc_result *result, struct error *err)
{
	CLEANUP(move_release)
	struct move m = { .store = store, .pack = pack, .options = options };
	int rc = here_list(store, pack, &m.here, err);

	m.chunk = calloc(LOOK_ROWS, sizeof(*m.chunk));
	m.content = calloc(LOOK_ROWS, sizeof(*m.content));
	if (rc == 0 && (!m.chunk || !m.content))
		rc = error_set(err, -ENOMEM, "no memory to collect");
	while (rc == 0 && m.at < m.here.n)
		rc = run(&m, copy_chunks, result, err);
	do
		rc = rc < 0 ? rc : run(&m, copy_recipes, result, err);
	while (rc == 0 && m.contents > 0);
	return rc < 0 ? rc : run(&m, condemn, result, err);
}
