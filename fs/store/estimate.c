/* SPDX-License-Identifier: EUPL-1.2 */
/* What packing would store, from the very code that packs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/cleanup.h"
#include "fs/store/idset.h"
#include "fs/store/split.h"

/* As fs/file packs. */
#define BATCH_FILES 128u
#define BATCH_BYTES (UINT64_C(64) << 20)
/* Of neighbours, to see how much they differ: those that share an extent can't
 * be told apart. */
#define GROUPS	 32u
#define PER_UNIT UINT64_C(1000000000)

struct store_estimate {
	struct store_estimate_options options;
	struct hash_key key;
	struct codec *codec;
	struct pending *pending;
	struct identity *identity;
	uint8_t *window;
	struct buf recipe;
	struct idset *chunks;
	struct idset *contents;
	struct store_estimate_totals totals;
	uint64_t pack_end; /* of the open pack; 0: none */
	unsigned int batch_files;
	uint64_t batch_bytes;
	/* Of what is being added. */
	uint64_t new_bytes;
	uint64_t hole_bytes;
	uint8_t group;
	uint64_t flushes;

	uint8_t group_of[EXTENT_COUNT_MAX]; /* of chunks that wait */
	uint64_t group_logical[GROUPS];
	uint64_t group_stored[GROUPS];
};

void store_estimate_free(struct store_estimate *estimate)
{
	if (!estimate)
		return;
	codec_free(estimate->codec);
	identity_free(estimate->identity);
	buf_release(&estimate->recipe);
	idset_free(estimate->chunks);
	idset_free(estimate->contents);
	free(estimate->pending);
	free(estimate->window);
	free(estimate);
}

static void set_options(struct store_estimate *e,
			const struct store_estimate_options *options)
{
	e->options = *options;
	if (!e->options.pack_bytes)
		e->options.pack_bytes = PACK_BYTES_DEFAULT;
	if (!e->options.batch_files)
		e->options.batch_files = BATCH_FILES;
	if (!e->options.batch_bytes)
		e->options.batch_bytes = BATCH_BYTES;
}

int store_estimate_new(const struct store_estimate_options *options,
		       struct store_estimate **ret_estimate, struct error *err)
{
	CLEANUP(store_estimate_free)
	struct store_estimate *e = calloc(1, sizeof(*e));
	int rc;

	if (!e)
		return error_set(err, -ENOMEM, "no memory to estimate");
	set_options(e, options);
	rc = hash_key_random(&e->key, err);
	if (rc < 0)
		return rc;
	buf_init(&e->recipe, RECIPE_RECORD_MAX);
	e->codec = codec_new();
	e->pending = calloc(1, sizeof(*e->pending));
	e->identity = identity_new(&e->key);
	e->window = malloc(WINDOW_BYTES);
	e->chunks = idset_new();
	e->contents = idset_new();
	if (!e->codec || !e->pending || !e->identity || !e->window ||
	    !e->chunks || !e->contents)
		return error_set(err, -ENOMEM, "no memory to estimate");
	*ret_estimate = take_ptr(&e);
	return 0;
}

/* A record goes to the open pack, or to the next. */
static void place(const struct store_estimate *e, uint64_t span,
		  uint64_t *pack_end, struct store_estimate_totals *totals)
{
	if (!*pack_end ||
	    pack_is_full(*pack_end, span, e->options.pack_bytes)) {
		*pack_end = PACK_HEADER_BYTES;
		totals->packs++;
		totals->stored_bytes += PACK_HEADER_BYTES;
	}
	*pack_end += span;
	totals->stored_bytes += span;
}

/* What waits, as an extent; 0: nothing does. */
static uint64_t encode(struct store_estimate *e, uint64_t group_stored[GROUPS])
{
	struct pending *p = e->pending;
	struct record record;
	uint64_t span;

	if (p->n == 0)
		return 0;
	pending_encode(p, e->codec, &record);
	span = record_span(record.body_len);
	for (uint32_t i = 0; i < p->n; i++)
		group_stored[e->group_of[i]] += extent_part(
			span, p->len, p->chunk[i].skip, p->chunk[i].len);
	return span;
}

static void flush(struct store_estimate *e)
{
	uint64_t span = encode(e, e->group_stored);

	if (span == 0)
		return;
	place(e, span, &e->pack_end, &e->totals);
	e->totals.extent_bytes += span;
	e->flushes++;
	pending_clear(e->pending);
}

static int add_chunk(void *ctx, const uint8_t *data, uint32_t len,
		     struct error *err)
{
	struct store_estimate *e = ctx;
	struct hash128 id;
	int rc;

	hash128(&e->key, data, len, &id);
	recipe_add_chunk(&e->recipe, &id, len);
	rc = idset_add(e->chunks, &id);
	if (rc < 0)
		return error_set(err, rc, "no memory for another chunk");
	if (rc == 0)
		return 0;
	if (!pending_has_room(e->pending, len))
		flush(e);
	e->group_of[e->pending->n] = e->group;
	pending_append(e->pending, &id, data, len, 1);
	e->new_bytes += len;
	e->totals.chunks++;
	e->totals.chunk_bytes += len;
	return 0;
}

static void add_hole(void *ctx, uint64_t len)
{
	struct store_estimate *e = ctx;

	e->hole_bytes += len;
	recipe_add_hole(&e->recipe, len);
}

static int add_recipe(struct store_estimate *e, const struct hash128 *content,
		      uint64_t size_bytes, struct error *err)
{
	struct record record;
	uint64_t span;
	int rc = recipe_end(&e->recipe, content, size_bytes, &record);

	if (rc < 0)
		return error_set(err, rc, "its recipe would be too long");
	span = record_span(record.body_len);
	place(e, span, &e->pack_end, &e->totals);
	e->totals.recipe_bytes += span;
	e->group_stored[e->group] += span;
	return 0;
}

static int add_new(struct store_estimate *e, const struct source *source,
		   const struct hash128 *content, struct error *err)
{
	struct split split = { .source = source,
			       .window = e->window,
			       .identity = e->identity,
			       .chunk = add_chunk,
			       .hole = add_hole,
			       .ctx = e };
	int rc;

	recipe_begin(&e->recipe);
	rc = source_split(&split, content, err);
	if (rc == 0)
		rc = add_recipe(e, content, source->size_bytes, err);
	if (rc == 0)
		rc = idset_add(e->contents, content);
	if (rc < 0)
		return rc == -ENOMEM
			       ? error_set(err, rc, "no memory for a content")
			       : rc;
	e->totals.contents++;
	e->totals.content_bytes += source->size_bytes;
	e->totals.data_bytes += source->size_bytes - e->hole_bytes;
	return 0;
}

/* What a batch of the packer ends with. */
static void end_batch(struct store_estimate *e, uint64_t size_bytes)
{
	e->batch_files++;
	e->batch_bytes += size_bytes;
	if (e->batch_files < e->options.batch_files &&
	    e->batch_bytes < e->options.batch_bytes)
		return;
	flush(e);
	e->batch_files = 0;
	e->batch_bytes = 0;
}

int store_estimate_add(struct store_estimate *estimate, int fd,
		       uint64_t size_bytes,
		       struct store_estimate_result *ret_result,
		       struct error *err)
{
	struct store_estimate *e = estimate;
	struct source source = { .fd = fd, .size_bytes = size_bytes };
	struct hash128 content;
	bool known;
	int rc = source_load(&source, e->window, err);

	if (rc == 0)
		rc = source_identify(&source, e->identity, e->window, &content,
				     err);
	if (rc < 0)
		return rc;
	e->new_bytes = 0;
	e->hole_bytes = 0;
	e->group = (uint8_t)(e->flushes % GROUPS);
	known = idset_has(e->contents, &content);
	if (!known)
		rc = add_new(e, &source, &content, err);
	if (rc < 0)
		return rc;
	e->totals.files++;
	e->totals.logical_bytes += size_bytes;
	e->group_logical[e->group] += size_bytes;
	end_batch(e, size_bytes);
	*ret_result = (struct store_estimate_result){
		.content = content,
		.known = known,
		.new_bytes = e->new_bytes,
	};
	return 0;
}

void store_estimate_totals(struct store_estimate *estimate,
			   struct store_estimate_totals *ret_totals)
{
	struct store_estimate_totals totals = estimate->totals;
	uint64_t pack_end = estimate->pack_end;
	uint64_t ignored[GROUPS] = { 0 };
	uint64_t span = encode(estimate, ignored);

	if (span > 0)
		place(estimate, span, &pack_end, &totals);
	totals.extent_bytes += span;
	*ret_totals = totals;
}

/* In units of a PER_UNITth. */
static uint64_t ratio(uint64_t stored, uint64_t logical)
{
	return (uint64_t)((uint128)stored * PER_UNIT / logical);
}

/* The largest whole number whose square is not above `v`. */
static uint64_t root_of(uint128 v)
{
	uint64_t root = 0;

	for (uint64_t bit = UINT64_C(1) << 62; bit; bit >>= 1)
		if ((uint128)(root | bit) * (root | bit) <= v)
			root |= bit;
	return root;
}

/* Without one group after the other: how much does the ratio move? */
static bool leave_out(struct store_estimate *e, uint64_t ret_ratio[GROUPS])
{
	uint64_t group_stored[GROUPS];
	uint64_t logical = 0;
	uint64_t stored = 0;

	memcpy(group_stored, e->group_stored, sizeof(group_stored));
	(void)encode(e, group_stored);
	for (size_t i = 0; i < GROUPS; i++) {
		logical += e->group_logical[i];
		stored += group_stored[i];
	}
	for (size_t i = 0; i < GROUPS; i++) {
		if (e->group_logical[i] == 0 ||
		    e->group_logical[i] > logical / 2)
			return false;
		ret_ratio[i] = ratio(stored - group_stored[i],
				     logical - e->group_logical[i]);
	}
	return true;
}

uint64_t store_estimate_scatter_ppm(struct store_estimate *estimate)
{
	uint64_t without[GROUPS];
	uint64_t mean = 0;
	uint128 sum = 0;

	if (!leave_out(estimate, without))
		return UINT64_MAX;
	for (size_t i = 0; i < GROUPS; i++)
		mean += without[i] / GROUPS;
	for (size_t i = 0; i < GROUPS; i++) {
		uint64_t off = without[i] > mean ? without[i] - mean
						 : mean - without[i];

		sum += (uint128)off * off;
	}
	return root_of(sum * (GROUPS - 1) / GROUPS) / (PER_UNIT / 1000000);
}
