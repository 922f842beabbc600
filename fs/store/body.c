/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/store/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/cleanup.h"

/* Rows of chunks lately read, by entry number modulo this. */
#define MEMO_SLOTS 64

struct memo {
	uint64_t entry; /* number + 1; 0: none */
	uint64_t generation;
	struct chunk_row row;
};

struct store_body {
	struct store *store;
	struct body_options options;
	struct held_recipe held;
	pthread_mutex_t mutex; /* guards memo; taken alone */
	struct memo memo[MEMO_SLOTS];
};

void chunk_ref_release(struct chunk_ref *ref)
{
	if (ref->cached)
		cache_put(ref->cache, ref->cached);
	*ref = (struct chunk_ref){ .data = NULL };
}

bool is_damage(int code)
{
	return code == -SOBRE_ECORRUPT || code == -SOBRE_ENOCHUNK ||
	       code == -EIO;
}

int chunk_load(struct store *store, struct cache *cache,
	       const struct chunk_row *row, struct chunk_ref *ret_ref,
	       struct error *err)
{
	const struct extent_entry *entry;
	struct cached *cached;
	int rc = cache_get(store, cache, row->pack, row->off, &cached, err);

	if (rc < 0)
		return rc;
	entry = extent_find(&cached->extent, &row->id, row->skip);
	if (!entry || entry->len != row->len) {
		cache_put(cache, cached);
		return error_set(err, -SOBRE_ECORRUPT,
				 "pack %llu at %llu: the chunk is not there",
				 (unsigned long long)row->pack,
				 (unsigned long long)row->off);
	}
	*ret_ref =
		(struct chunk_ref){ .data = cached->extent.data + entry->skip,
				    .cache = cache,
				    .cached = cached };
	return 0;
}

int recipe_load(struct store *store, const struct content_row *row,
		struct recipe *ret_recipe, struct error *err)
{
	cleanup_free uint8_t *body = NULL;
	struct recipe recipe;
	struct record record;
	int rc = record_read(store, row->pack, row->off, false, &record, &body,
			     err);

	if (rc < 0)
		return rc;
	if (record.type != RECORD_RECIPE)
		rc = error_set(err, -SOBRE_ECORRUPT, "not a recipe");
	else
		rc = recipe_take(&record, &body, &recipe, err);
	if (rc == 0 && (hash128_compare(&recipe.content, &row->id) != 0 ||
			recipe.size_bytes != row->size_bytes)) {
		recipe_release(&recipe);
		rc = error_set(err, -SOBRE_ECORRUPT, "another's recipe");
	}
	if (rc < 0)
		return error_prefix(err, "pack %llu at %llu",
				    (unsigned long long)row->pack,
				    (unsigned long long)row->off);
	*ret_recipe = recipe;
	return 0;
}

static struct store_body *body_new(struct store *store,
				   const struct body_options *options)
{
	struct store_body *body = calloc(1, sizeof(*body));

	if (!body)
		return NULL;
	body->store = store;
	body->options = *options;
	(void)pthread_mutex_init(&body->mutex, NULL);
	held_init(&body->held);
	return body;
}

int body_open(struct store *store, const struct content_row *row,
	      const struct body_options *options, struct store_body **ret_body,
	      struct error *err)
{
	CLEANUP(store_body_close)
	struct store_body *body = body_new(store, options);
	struct recipe recipe;
	int rc;

	if (!body)
		return error_set(err, -ENOMEM, "no memory for a body");
	rc = recipe_load(store, row, &recipe, err);
	if (rc < 0)
		return rc;
	held_keep(&body->held, &recipe);
	*ret_body = take_ptr(&body);
	return 0;
}

const struct recipe *body_recipe(const struct store_body *body)
{
	return &body->held.recipe;
}

int body_hold(struct store_body *body, struct error *err)
{
	return held_get(body->store, &body->held, err);
}

void body_let_go(struct store_body *body)
{
	held_put(body->store, &body->held);
}

int store_body_open(struct store *store, const struct hash128 *content,
		    uint64_t size_bytes, struct store_body **ret_body,
		    struct error *err)
{
	const struct body_options options = { .view = VIEW_COMMITTED,
					      .cache = &store->cache };
	CLEANUP(store_body_close)
	struct store_body *body = body_new(store, &options);
	int rc;

	if (!body)
		return error_set(err, -ENOMEM, "no memory for a body");
	body->held.content = *content;
	body->held.size_bytes = size_bytes;
	rc = body_hold(body, err);
	if (rc < 0)
		return rc;
	body_let_go(body);
	*ret_body = take_ptr(&body);
	return 0;
}

void store_body_close(struct store_body *body)
{
	if (!body)
		return;
	held_release(body->store, &body->held);
	(void)pthread_mutex_destroy(&body->mutex);
	free(body);
}

static bool recall(struct store_body *body, uint32_t i, uint64_t generation,
		   struct chunk_row *ret_row)
{
	const struct memo *memo = &body->memo[i % MEMO_SLOTS];
	bool hit;

	(void)pthread_mutex_lock(&body->mutex);
	hit = memo->entry == (uint64_t)i + 1 && memo->generation == generation;
	if (hit)
		*ret_row = memo->row;
	(void)pthread_mutex_unlock(&body->mutex);
	return hit;
}

static void remember(struct store_body *body, uint32_t i, uint64_t generation,
		     const struct chunk_row *row)
{
	(void)pthread_mutex_lock(&body->mutex);
	body->memo[i % MEMO_SLOTS] = (struct memo){
		.entry = (uint64_t)i + 1,
		.generation = generation,
		.row = *row,
	};
	(void)pthread_mutex_unlock(&body->mutex);
}

/* By the row as it is now. */
static int look_up(struct store_body *body, const struct recipe_entry *entry,
		   struct chunk_row *ret_row, struct error *err)
{
	char hex[HASH128_HEX_BYTES];
	int rc = chunk_row_get(body->store, body->options.view, &entry->id,
			       ret_row, err);

	if (rc < 0)
		return rc;
	if (rc > 0 && ret_row->len == entry->len)
		return 0;
	hash128_hex(&entry->id, hex);
	return rc == 0 ? error_set(err, -SOBRE_ENOCHUNK, "chunk %s is unknown",
				   hex)
		       : error_set(err, -SOBRE_ECORRUPT,
				   "chunk %s has another length", hex);
}

static int load_again(struct store_body *body, uint32_t i,
		      const struct recipe_entry *entry,
		      struct chunk_ref *ret_ref, struct error *err)
{
	struct store *store = body->store;
	uint64_t generation = atomic_load(&store->generation);
	struct chunk_row row;
	int rc = look_up(body, entry, &row, err);

	if (rc == 0)
		rc = chunk_load(store, body->options.cache, &row, ret_ref, err);
	if (rc == 0)
		remember(body, i, generation, &row);
	return rc;
}

int body_chunk(struct store_body *body, uint32_t i, struct chunk_ref *ret_ref,
	       struct error *err)
{
	struct store *store = body->store;
	struct recipe_entry entry;
	struct chunk_row row;
	int rc;

	recipe_at(body_recipe(body), i, &entry);
	if (body->options.view == VIEW_WRITER && store->writer) {
		struct pending_chunk *p =
			pending_find(store->writer->pending, &entry.id);

		if (p && p->len == entry.len) {
			*ret_ref = (struct chunk_ref){
				.data = store->writer->pending->data + p->skip
			};
			return 0;
		}
	}
	/* What memory says may have moved since: then ask the row, twice for
	 * a pack that goes between asking and opening. */
	if (recall(body, i, atomic_load(&store->generation), &row) &&
	    chunk_load(store, body->options.cache, &row, ret_ref, err) == 0)
		return 0;
	rc = load_again(body, i, &entry, ret_ref, err);
	if (rc == -SOBRE_ENOCHUNK)
		rc = load_again(body, i, &entry, ret_ref, err);
	return rc;
}

/* From one entry: returns bytes put into `buf`. */
static ssize_t read_entry(struct store_body *body, uint32_t i, uint64_t off,
			  uint8_t *buf, size_t len, struct error *err)
{
	CLEANUP(chunk_ref_release) struct chunk_ref ref = { .data = NULL };
	struct recipe_entry entry;
	uint64_t skip;
	int rc;

	recipe_at(body_recipe(body), i, &entry);
	skip = off - entry.off;
	if (len > entry.len - skip)
		len = (size_t)(entry.len - skip);
	if (entry.hole) {
		memset(buf, 0, len);
		return (ssize_t)len;
	}
	rc = body_chunk(body, i, &ref, err);
	if (rc < 0 || !ref.data)
		return rc;
	memcpy(buf, ref.data + skip, len);
	return (ssize_t)len;
}

static ssize_t read_held(struct store_body *body, uint8_t *buf, size_t len,
			 uint64_t off, struct error *err)
{
	const struct recipe *recipe = body_recipe(body);
	size_t done = 0;
	uint32_t i;

	if (off >= recipe->size_bytes)
		return 0;
	if (len > recipe->size_bytes - off)
		len = (size_t)(recipe->size_bytes - off);
	for (i = recipe_find(recipe, off); done < len; i++) {
		ssize_t n = read_entry(body, i, off + done, buf + done,
				       len - done, err);

		if (n < 0)
			return n;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

ssize_t store_body_read(struct store_body *body, void *buf, size_t len,
			uint64_t off, struct error *err)
{
	ssize_t n = body_hold(body, err);

	if (n < 0)
		return n;
	n = read_held(body, buf, len, off, err);
	body_let_go(body);
	return n;
}

static int64_t seek_held(const struct recipe *recipe, int64_t off, int whence)
{
	struct recipe_entry entry;

	if (off < 0 || (uint64_t)off >= recipe->size_bytes)
		return -ENXIO;
	for (uint32_t i = recipe_find(recipe, (uint64_t)off); i < recipe->n;
	     i++) {
		recipe_at(recipe, i, &entry);
		if (entry.hole == (whence == SEEK_HOLE))
			return entry.off > (uint64_t)off ? (int64_t)entry.off
							 : off;
	}
	return whence == SEEK_HOLE ? (int64_t)recipe->size_bytes : -ENXIO;
}

int64_t store_body_seek(struct store_body *body, int64_t off, int whence)
{
	struct error ignored = ERROR_INIT;
	int64_t at;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return -EINVAL;
	at = body_hold(body, &ignored);
	if (at < 0)
		return at;
	at = seek_held(body_recipe(body), off, whence);
	body_let_go(body);
	return at;
}
