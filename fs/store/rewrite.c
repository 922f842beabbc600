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
	struct chunk_row *chunk; /* owned; moved */
	size_t chunks;
	struct chunk_row *row;	     /* owned; of one extent */
	struct content_row *content; /* owned; LOOK_ROWS */
	size_t contents;
	struct store_gc_result counts;
};

static void move_release(struct move *m)
{
	here_release(&m->here);
	free(m->chunk);
	free(m->row);
	free(m->content);
}

static void move_release_at(struct move *m)
{
	move_release(m);
}

static bool is_hard(const struct move *m)
{
	return m->options && m->options->effort == STORE_EFFORT_HIGH;
}

static int mark_bad_chunk(struct store *store, const struct chunk_row *row,
			  struct error *err)
{
	struct chunk_row bad = *row;

	bad.bad = true;
	bad.refs = 0;
	return chunk_row_put(store, &bad, err);
}

/* Of an extent of which only a part lives: with others, in a new one. */
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

/* The record as it is, in another place. */
static int append_as_is(struct move *m, const struct record *record,
			const uint8_t *body, const struct chunk_row *rows,
			size_t n, struct error *err)
{
	cleanup_free uint8_t *bytes = malloc(record_span(record->body_len));
	uint64_t pack;
	uint64_t off;
	int rc;

	if (!bytes)
		return error_set(err, -ENOMEM, "no memory to collect");
	memcpy(bytes + RECORD_HEADER_BYTES, body, record->body_len);
	rc = append_record(m->store, record, bytes, &pack, &off, err);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct chunk_row moved = rows[i];

		moved.pack = pack;
		moved.off = off;
		moved.refs = 0; /* more */
		rc = chunk_row_put(m->store, &moved, err);
	}
	return rc;
}

/* 1 written, for it is smaller than `body_len` now; 0 not. */
static int append_smaller(struct move *m, const struct extent *extent,
			  uint32_t body_len, struct error *err)
{
	struct writer *w = m->store->writer;
	struct record record;
	int rc = pending_flush(m->store, err);

	for (uint32_t i = 0; i < extent->n && rc == 0; i++)
		pending_append(w->pending, &extent->entry[i].id,
			       extent->data + extent->entry[i].skip,
			       extent->entry[i].len, 0);
	if (rc < 0)
		return rc;
	pending_encode(w->pending, w->codec, &record);
	if (record.body_len >= body_len) {
		pending_clear(w->pending);
		return 0;
	}
	rc = pending_write(m->store, &record, err);
	return rc < 0 ? rc : 1;
}

/* Are the rows all there is in it? */
static bool covers(const struct chunk_row *rows, size_t n,
		   const struct extent *extent)
{
	if (n != extent->n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (rows[i].skip != extent->entry[i].skip ||
		    rows[i].len != extent->entry[i].len)
			return false;
	return true;
}

/* All of an extent lives. */
static int copy_extent(struct move *m, const struct chunk_row *rows, size_t n,
		       struct error *err)
{
	cleanup_free uint8_t *body = NULL;
	struct extent extent = { .n = 0 };
	struct record record;
	int rc = record_read(m->store, m->pack, rows->off, false, &record,
			     &body, err);

	if (rc == 0)
		rc = extent_decode(&record, body, &extent, err);
	if (rc == 0 && !covers(rows, n, &extent))
		rc = error_set(err, -SOBRE_ECORRUPT, "not the extent's rows");
	if (rc == 0 && is_hard(m))
		rc = append_smaller(m, &extent, record.body_len, err);
	if (rc == 0)
		rc = append_as_is(m, &record, body, rows, n, err);
	extent_release(&extent);
	return rc < 0 ? rc : 0;
}

static int copy_rows(struct move *m, const struct chunk_row *rows, size_t n,
		     bool whole, struct error *err)
{
	int rc = whole ? copy_extent(m, rows, n, err) : -SOBRE_ECORRUPT;

	if (rc == 0) {
		for (size_t i = 0; i < n; i++)
			m->counts.bytes_live += rows[i].stored_bytes;
		memcpy(m->chunk + m->chunks, rows, n * sizeof(*rows));
		m->chunks += n;
	}
	if (!is_damage(rc))
		return rc;
	rc = 0;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = copy_chunk(m, &rows[i], err);
	return rc;
}

/* The rows, as they are now, of what lives of the extent at m->at; passes it.
 * How many, or negative. */
static int64_t take_extent(struct move *m, struct chunk_row *rows,
			   bool *ret_whole, struct error *err)
{
	const uint64_t off = m->here.chunk[m->at].off;
	int64_t n = 0;

	*ret_whole = true;
	for (; m->at < m->here.n && m->here.chunk[m->at].off == off &&
	       n < EXTENT_COUNT_MAX;
	     m->at++) {
		struct chunk_row row;
		int rc = chunk_row_get(m->store, VIEW_WRITER,
				       &m->here.chunk[m->at].id, &row, err);

		if (rc < 0)
			return rc;
		if (rc > 0 && row.pack == m->pack && row.off == off &&
		    row.refs > 0 && !row.bad)
			rows[n++] = row;
		else
			*ret_whole = false;
	}
	return n;
}

static int copy_chunks(struct move *m, struct error *err)
{
	const size_t end = m->at + LOOK_ROWS;
	uint64_t bytes = 0;

	while (m->at < m->here.n && m->at < end && bytes < MOVE_BYTES) {
		bool whole;
		int64_t n = take_extent(m, m->row, &whole, err);
		int rc = n < 0 ? (int)n : 0;

		if (n > 0)
			rc = copy_rows(m, m->row, (size_t)n, whole, err);
		if (rc < 0)
			return rc;
		for (int64_t i = 0; i < n; i++)
			bytes += m->row[i].len;
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
		rc = store_set_effort(
			m->store,
			is_hard(m) ? STORE_EFFORT_HIGH : STORE_EFFORT_LOW, err);
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
		return error_prefix(err, "pack %llu",
				    (unsigned long long)m->pack);
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

	m.chunk = calloc(LOOK_ROWS + EXTENT_COUNT_MAX, sizeof(*m.chunk));
	m.row = calloc(EXTENT_COUNT_MAX, sizeof(*m.row));
	m.content = calloc(LOOK_ROWS, sizeof(*m.content));
	if (rc == 0 && (!m.chunk || !m.row || !m.content))
		rc = error_set(err, -ENOMEM, "no memory to collect");
	while (rc == 0 && m.at < m.here.n)
		rc = run(&m, copy_chunks, result, err);
	do
		rc = rc < 0 ? rc : run(&m, copy_recipes, result, err);
	while (rc == 0 && m.contents > 0);
	return rc < 0 ? rc : run(&m, condemn, result, err);
}
