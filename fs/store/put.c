/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/store/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/cleanup.h"
#include "fs/chunk/chunk.h"

/* A smaller file is one chunk: its parts are seldom found again. */
#define ONE_CHUNK_BELOW (32u << 10)

struct put {
	struct store *store;
	struct writer *w;
	struct source source;
	struct chunk_cuts cuts;
	size_t next_cut;
	struct hash128 content;
};

static int collision(const struct hash128 *id, struct error *err)
{
	char hex[HASH128_HEX_BYTES];

	hash128_hex(id, hex);
	return error_set(err, -SOBRE_ECOLLISION,
			 "other bytes have the hash %s already", hex);
}

/* Is the stored chunk there and the same? 1: count it; 0: store it afresh. */
static int share(struct put *put, const struct hash128 *id, const uint8_t *data,
		 uint32_t len, struct error *err)
{
	CLEANUP(chunk_ref_release) struct chunk_ref ref = { .data = NULL };
	struct store *store = put->store;
	struct chunk_row row;
	int rc = chunk_row_get(store, VIEW_WRITER, id, &row, err);

	if (rc <= 0)
		return rc;
	rc = chunk_load(store, &store->cache, &row, &ref, err);
	if (rc < 0)
		return is_damage(rc) ? 0 : rc;
	if (row.len != len || memcmp(ref.data, data, len) != 0)
		return collision(id, err);
	return !row.bad && row.state <= PACK_SEALED;
}

static int store_chunk(struct put *put, const uint8_t *data, uint32_t len,
		       struct error *err)
{
	struct pending *pending = put->w->pending;
	struct pending_chunk *p;
	struct hash128 id;
	int rc;

	hash128(&put->store->options.key, data, len, &id);
	recipe_add_chunk(&put->w->recipe, &id, len);
	p = pending_find(pending, &id);
	if (p &&
	    (p->len != len || memcmp(pending->data + p->skip, data, len) != 0))
		return collision(&id, err);
	if (p) {
		p->refs++;
		return 0;
	}
	rc = share(put, &id, data, len, err);
	if (rc > 0)
		return chunk_row_count(put->store, &id, 1, err);
	if (rc == 0)
		rc = pending_add(put->store, &id, data, len, 1, err);
	return rc;
}

/* Cuts `len` bytes. When `last` all of them, else leaves those that may need
 * more to be cut; returns how many were used, or negative. */
static int64_t cut_window(struct put *put, const uint8_t *data, size_t len,
			  bool last, struct error *err)
{
	bool one = put->source.size_bytes < ONE_CHUNK_BELOW;
	size_t at = 0;

	while (at < len && (last || len - at >= CHUNK_MAX_BYTES)) {
		size_t n = one ? len - at : chunk_cut(data + at, len - at);
		int rc = store_chunk(put, data + at, (uint32_t)n, err);

		if (rc < 0)
			return rc;
		at += n;
	}
	return (int64_t)at;
}

/* [start, end[ with no forced cut inside. */
static int put_segment(struct put *put, uint64_t start, uint64_t end,
		       struct error *err)
{
	uint8_t *window = put->w->window;
	size_t have = 0;
	int64_t used;

	if (put->source.whole) {
		used = cut_window(put, put->source.whole + start,
				  (size_t)(end - start), true, err);
		return used < 0 ? (int)used : 0;
	}
	while (start < end || have > 0) {
		size_t more = WINDOW_BYTES - have;
		int rc;

		if (more > end - start)
			more = (size_t)(end - start);
		rc = source_read(&put->source, window + have, more, start, err);
		if (rc < 0)
			return rc;
		identity_data(put->w->identity, window + have, more);
		start += more;
		have += more;
		used = cut_window(put, window, have, start == end, err);
		if (used < 0)
			return (int)used;
		have -= (size_t)used;
		memmove(window, window + used, have);
	}
	return 0;
}

/* A run of data, in segments between forced cuts. */
static int put_data(struct put *put, uint64_t start, uint64_t end,
		    struct error *err)
{
	while (start < end) {
		uint64_t stop = end;
		int rc;

		while (put->next_cut < put->cuts.n &&
		       put->cuts.off[put->next_cut] <= start)
			put->next_cut++;
		if (put->next_cut < put->cuts.n &&
		    put->cuts.off[put->next_cut] < end)
			stop = put->cuts.off[put->next_cut];
		if (put->source.whole)
			identity_data(put->w->identity,
				      put->source.whole + start,
				      (size_t)(stop - start));
		rc = put_segment(put, start, stop, err);
		if (rc < 0)
			return rc;
		start = stop;
	}
	return 0;
}

static int put_runs(struct put *put, struct error *err)
{
	uint64_t at = 0;

	identity_reset(put->w->identity);
	recipe_begin(&put->w->recipe);
	while (at < put->source.size_bytes) {
		uint64_t start;
		uint64_t end;
		int rc = source_data(&put->source, at, &start, &end, err);

		if (rc < 0)
			return rc;
		if (start > at) {
			identity_hole(put->w->identity, at, start - at);
			recipe_add_hole(&put->w->recipe, start - at);
		}
		rc = put_data(put, start, end, err);
		if (rc < 0)
			return rc;
		at = end;
	}
	return 0;
}

/* What was read this time must be what was identified the first time. */
static int check_identity(const struct put *put, struct error *err)
{
	struct hash128 id;

	identity_get(put->w->identity, put->source.size_bytes, &id);
	if (hash128_compare(&id, &put->content) != 0)
		return error_set(err, -SOBRE_ECHANGED,
				 "the file changed while it was stored");
	return source_check_size(&put->source, err);
}

static int read_cuts(void *ctx, void *buf, size_t len, uint64_t off,
		     struct error *err)
{
	return source_read(ctx, buf, len, off, err);
}

static int put_new(struct put *put, struct error *err)
{
	struct content_row row = { .id = put->content,
				   .size_bytes = put->source.size_bytes };
	struct record record;
	int rc = 0;

	if (row.size_bytes >= ONE_CHUNK_BELOW)
		rc = chunk_zip_cuts(read_cuts, &put->source, row.size_bytes,
				    &put->cuts, err);
	if (rc == 0)
		rc = put_runs(put, err);
	if (rc == 0)
		rc = check_identity(put, err);
	if (rc < 0)
		return rc;
	rc = recipe_end(&put->w->recipe, &row.id, row.size_bytes, &record);
	if (rc < 0)
		return error_set(err, rc, "its recipe would be too long");
	rc = append_record(put->store, &record, put->w->recipe.data, &row.pack,
			   &row.off, err);
	return rc < 0 ? rc : content_row_put(put->store, &row, err);
}

int recipe_count(struct store *store, const struct recipe *recipe, int64_t more,
		 struct error *err)
{
	struct recipe_entry entry;

	for (uint32_t i = 0; i < recipe->n; i++) {
		int rc;

		recipe_at(recipe, i, &entry);
		if (entry.hole)
			continue;
		rc = chunk_row_count(store, &entry.id, more, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* May an orphan be taken back as it is? Nothing adopts from a condemned
 * pack. 1, 0 or negative. */
static int all_usable(struct store *store, const struct recipe *recipe,
		      struct error *err)
{
	struct recipe_entry entry;
	struct chunk_row row;

	for (uint32_t i = 0; i < recipe->n; i++) {
		int rc;

		recipe_at(recipe, i, &entry);
		if (entry.hole ||
		    pending_find(store->writer->pending, &entry.id))
			continue;
		rc = chunk_row_get(store, VIEW_WRITER, &entry.id, &row, err);
		if (rc <= 0)
			return rc;
		if (row.bad || row.state > PACK_SEALED)
			return 0;
	}
	return 1;
}

/* An orphan's chunks count again. */
static int take_back(struct put *put, const struct content_row *row,
		     const struct recipe *recipe, struct error *err)
{
	int rc = pending_flush(put->store, err);

	if (rc == 0)
		rc = recipe_count(put->store, recipe, 1, err);
	if (rc == 0)
		rc = content_row_mark(put->store, &row->id, false, false, err);
	return rc;
}

/*
 * The counts of a recipe that is about to be replaced. When it can't be read
 * they stay: too high rather than too low.
 */
static int give_back(struct put *put, const struct content_row *row,
		     struct error *err)
{
	struct recipe_entry entry;
	struct recipe recipe;
	int rc;

	if (row->orphan)
		return 0;
	rc = recipe_load(put->store, row, &recipe, err);
	if (rc < 0)
		return is_damage(rc) ? 0 : rc;
	rc = pending_flush(put->store, err);
	for (uint32_t i = 0; rc == 0 && i < recipe.n; i++) {
		recipe_at(&recipe, i, &entry);
		if (!entry.hole)
			rc = chunk_row_count(put->store, &entry.id, -1, err);
		if (rc == -SOBRE_ENOCHUNK)
			rc = 0;
	}
	recipe_release(&recipe);
	return rc;
}

/* Equal bytes are in the store: 1 when nothing more is to do, 0 when they
 * must be stored afresh. */
static int take_known(struct put *put, const struct content_row *row,
		      const struct store_body *body, struct error *err)
{
	int rc = 0;

	if (row->state <= PACK_SEALED && !row->bad)
		rc = all_usable(put->store, body_recipe(body), err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return give_back(put, row, err);
	if (row->orphan)
		rc = take_back(put, row, body_recipe(body), err);
	return rc < 0 ? rc : 1;
}

/* Other bytes under the same id: unless the file has just changed. */
static int differs(struct put *put, struct error *err)
{
	struct hash128 id;
	int rc = source_identify(&put->source, put->w->identity, put->w->window,
				 &id, err);

	if (rc == 0 && hash128_compare(&id, &put->content) != 0)
		rc = error_set(err, -SOBRE_ECHANGED,
			       "the file changed while it was compared");
	return rc < 0 ? rc : collision(&put->content, err);
}

/* Is the content there already? 1 yes; 0: to be stored (again). */
static int put_known(struct put *put, struct error *err)
{
	CLEANUP(store_body_close) struct store_body *body = NULL;
	const struct body_options options = { .view = VIEW_WRITER,
					      .cache = &put->store->cache };
	struct content_row row;
	int rc = content_row_get(put->store, VIEW_WRITER, &put->content, &row,
				 err);

	if (rc <= 0)
		return rc;
	if (row.size_bytes != put->source.size_bytes)
		return collision(&put->content, err);
	rc = body_open(put->store, &row, &options, &body, err);
	if (rc == 0)
		rc = source_compare(&put->source, body, err);
	if (rc < 0)
		return is_damage(rc) ? give_back(put, &row, err) : rc;
	return rc > 0 ? differs(put, err) : take_known(put, &row, body, err);
}

/* Small contents are read once, whole. */
static int load_whole(struct put *put, struct error *err)
{
	int rc;

	if (put->source.size_bytes > WINDOW_BYTES)
		return 0;
	rc = source_read(&put->source, put->w->window,
			 (size_t)put->source.size_bytes, 0, err);
	if (rc == 0)
		put->source.whole = put->w->window;
	return rc;
}

int store_put(struct store *store, int fd, uint64_t size_bytes,
	      struct store_put_result *ret_result, struct error *err)
{
	struct put put = { .store = store,
			   .source = { .fd = fd, .size_bytes = size_bytes } };
	uint64_t before;
	int known;
	int rc = writer_get(store, &put.w, err);

	if (rc < 0)
		return rc;
	before = put.w->appended;
	rc = load_whole(&put, err);
	if (rc == 0)
		rc = source_identify(&put.source, put.w->identity,
				     put.w->window, &put.content, err);
	if (rc < 0)
		return rc;
	known = put_known(&put, err);
	rc = known == 0 ? put_new(&put, err) : known;
	chunk_cuts_free(&put.cuts);
	if (rc < 0)
		return rc;
	*ret_result = (struct store_put_result){
		.content = put.content,
		.known = known > 0,
		.new_bytes = put.w->appended - before,
	};
	return 0;
}
