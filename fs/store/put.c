/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/store/split.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fs/base/cleanup.h"

/* Holes 4 KiB apart, and members of a ZIP, are more than that. */
#define PARTS_MANY 1024
#define PART_BYTES 1536

struct put {
	struct store *store;
	struct writer *w;
	struct source source;
	struct hash128 content;
	bool committed; /* a known content, in an earlier batch */
	bool in_stages;
	uint64_t since; /* bytes of this stage */
	uint64_t data_bytes;
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
	return row.bad ? 0 : pack_takes_uses(store, VIEW_WRITER, row.pack, err);
}

/* Others have waited for the catalog long enough. */
static int end_stage(struct put *put, struct error *err)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	int rc = store_sync(put->store, err);

	if (rc == 0)
		rc = catalog_commit(put->store->cat, err);
	if (rc < 0)
		return rc;
	put->since = 0;
	(void)nanosleep(&pause, NULL); /* else we were the first again */
	return catalog_begin(put->store->cat, err);
}

static int store_chunk(void *ctx, const uint8_t *data, uint32_t len,
		       struct error *err)
{
	struct put *put = ctx;
	struct pending *pending = put->w->pending;
	const uint64_t refs = put->in_stages ? 0 : 1;
	struct pending_chunk *p;
	struct hash128 id;
	int rc = 0;

	put->since += len;
	put->data_bytes += len;
	if (put->in_stages && put->since > put->store->options.stage_bytes)
		rc = end_stage(put, err);
	if (rc < 0)
		return rc;
	hash128(&put->store->options.key, data, len, &id);
	recipe_add_chunk(&put->w->recipe, &id, len);
	p = pending_find(pending, &id);
	if (p &&
	    (p->len != len || memcmp(pending->data + p->skip, data, len) != 0))
		return collision(&id, err);
	if (p) {
		p->refs += refs;
		return 0;
	}
	rc = share(put, &id, data, len, err);
	if (rc > 0)
		return refs ? chunk_row_count(put->store, &id, 1, err) : 0;
	if (rc == 0)
		rc = pending_add(put->store, &id, data, len, refs, err);
	return rc;
}

/* What stages stored counts as the content does, in its transaction. */
static int count_stages(struct put *put, const struct record *record,
			struct error *err)
{
	const struct recipe recipe = {
		.n = record->n,
		.entry = put->w->recipe.data + RECORD_HEADER_BYTES +
			 RECIPE_HEAD_BYTES,
	};
	int rc = pending_flush(put->store, err);

	if (rc == 0)
		rc = recipe_count(put->store, &recipe, err);
	return rc > 0 ? error_set(err, -EIO, "a chunk of it has gone") : rc;
}

static void add_hole(void *ctx, uint64_t len)
{
	struct put *put = ctx;

	recipe_add_hole(&put->w->recipe, len);
}

/* A file made of parts so small that their rows would be a tenth of it. By the
 * file alone: what is packed tells nothing of what was there. */
static bool is_all_parts(const struct put *put, const struct record *recipe)
{
	return recipe->n > PARTS_MANY &&
	       put->data_bytes / recipe->n < PART_BYTES;
}

static int put_new(struct put *put, struct error *err)
{
	struct content_row row = { .id = put->content,
				   .size_bytes = put->source.size_bytes };
	struct split split = { .source = &put->source,
			       .window = put->w->window,
			       .identity = put->w->identity,
			       .chunk = store_chunk,
			       .hole = add_hole,
			       .ctx = put };
	struct record record;
	int rc;

	put->in_stages = row.size_bytes > put->store->options.stage_bytes;
	recipe_begin(&put->w->recipe);
	rc = source_split(&split, &put->content, err);
	if (rc < 0)
		return rc;
	rc = recipe_end(&put->w->recipe, &row.id, row.size_bytes, &record);
	if (rc < 0)
		return error_set(err, rc, "its recipe would be too long");
	if (is_all_parts(put, &record))
		return error_set(err, -EFBIG,
				 "it is cut into too many parts for its size");
	if (put->in_stages)
		rc = count_stages(put, &record, err);
	if (rc < 0)
		return rc;
	rc = append_record(put->store, &record, put->w->recipe.data, &row.pack,
			   &row.off, err);
	return rc < 0 ? rc : content_row_put(put->store, &row, err);
}

/* May the chunk be used as it is? Nothing adopts from a condemned pack. 1, 0 or
 * negative. One of this batch: the content is not all committed. */
static int is_usable(struct put *put, const struct hash128 *id,
		     struct error *err)
{
	struct chunk_row row;
	int rc;

	if (pending_find(put->w->pending, id)) {
		put->committed = false;
		return 1;
	}
	rc = chunk_row_get(put->store, VIEW_WRITER, id, &row, err);
	if (rc <= 0)
		return rc;
	if (append_is_new(put->w, row.pack, row.off))
		put->committed = false;
	return row.bad ? 0
		       : pack_takes_uses(put->store, VIEW_WRITER, row.pack,
					 err);
}

static int all_usable(struct put *put, const struct recipe *recipe,
		      struct error *err)
{
	int rc = 1;

	for (uint32_t i = 0; rc > 0 && i < recipe->n; i++) {
		struct recipe_entry entry;

		recipe_at(recipe, i, &entry);
		if (!entry.hole)
			rc = is_usable(put, &entry.id, err);
	}
	return rc;
}

/* An orphan is used again: its chunks count it, if they don't. */
static int take_back(struct put *put, const struct content_row *row,
		     const struct recipe *recipe, struct error *err)
{
	int rc = pending_flush(put->store, err);

	if (rc == 0 && row->use == CONTENT_ORPHAN)
		rc = recipe_count(put->store, recipe, err);
	return rc < 0 ? rc
		      : content_row_mark(put->store, &row->id, CONTENT_USED,
					 rc > 0, err);
}

/*
 * The counts of a recipe that is about to be replaced. When it can't be read
 * they stay: too high rather than too low.
 */
static int give_back(struct put *put, const struct content_row *row,
		     struct error *err)
{
	struct recipe recipe;
	int rc;

	if (row->use == CONTENT_ORPHAN)
		return 0;
	rc = recipe_load(put->store, row, &recipe, err);
	if (rc < 0)
		return is_damage(rc) ? 0 : rc;
	rc = pending_flush(put->store, err);
	if (rc == 0)
		rc = recipe_uncount(put->store, &recipe, err);
	recipe_release(&recipe);
	return rc;
}

/* Equal bytes are in the store: 1 when nothing more is to do, 0 when they
 * must be stored afresh. */
static int take_known(struct put *put, const struct content_row *row,
		      const struct store_body *body, struct error *err)
{
	int rc = row->bad ? 0
			  : pack_takes_uses(put->store, VIEW_WRITER, row->pack,
					    err);

	if (rc > 0)
		rc = all_usable(put, body_recipe(body), err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return give_back(put, row, err);
	if (row->use != CONTENT_USED)
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

/* Is the content there already? 1 yes; 0: to be stored (again). What earlier
 * batches wrote is read from the disk. */
static int put_known(struct put *put, struct error *err)
{
	CLEANUP(store_body_close) struct store_body *body = NULL;
	struct store *store = put->store;
	struct body_options options = { .view = VIEW_WRITER };
	struct content_row row;
	int rc = content_row_get(store, VIEW_WRITER, &put->content, &row, err);

	if (rc <= 0)
		return rc;
	if (row.size_bytes != put->source.size_bytes)
		return collision(&put->content, err);
	put->committed = !append_is_new(put->w, row.pack, row.off);
	options.cache = put->committed ? &store->fresh : &store->cache;
	rc = body_open(store, &row, &options, &body, err);
	if (rc == 0)
		rc = source_compare(&put->source, body, err);
	if (rc < 0)
		return is_damage(rc) ? give_back(put, &row, err) : rc;
	return rc > 0 ? differs(put, err) : take_known(put, &row, body, err);
}

int store_set_effort(struct store *store, enum store_effort effort,
		     struct error *err)
{
	struct writer *w;
	int rc = writer_get(store, &w, err);

	if (rc == 0)
		codec_try_hard(w->codec, effort == STORE_EFFORT_HIGH);
	return rc;
}

int store_put(struct store *store, int fd, uint64_t size_bytes,
	      struct store_put_result *ret_result, struct error *err)
{
	struct put put = { .store = store,
			   .source = { .fd = fd,
				       .size_bytes = size_bytes,
				       .go_on = store->go_on,
				       .ctx = store->go_on_ctx } };
	uint64_t before;
	int known;
	int rc = writer_get(store, &put.w, err);

	if (rc < 0)
		return rc;
	before = put.w->appended_ever;
	rc = source_load(&put.source, put.w->window, err);
	if (rc == 0)
		rc = source_identify(&put.source, put.w->identity,
				     put.w->window, &put.content, err);
	if (rc < 0)
		return rc;
	known = put_known(&put, err);
	rc = known == 0 ? put_new(&put, err) : known;
	if (rc < 0)
		return rc;
	*ret_result = (struct store_put_result){
		.content = put.content,
		.known = known > 0,
		.verified = known > 0 && put.committed,
		.new_bytes = put.w->appended_ever - before,
	};
	return 0;
}
