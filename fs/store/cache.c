/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/store/internal.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "fs/base/cleanup.h"

void cache_init(struct cache *cache, size_t max_bytes, bool fresh)
{
	*cache = (struct cache){ .max_bytes = max_bytes, .fresh = fresh };
	(void)pthread_mutex_init(&cache->mutex, NULL);
}

void cache_release(struct cache *cache)
{
	cache_purge(cache);
	(void)pthread_mutex_destroy(&cache->mutex);
}

static size_t bytes_of(const struct cached *c)
{
	return sizeof(*c) + c->extent.raw_len +
	       c->extent.n * sizeof(*c->extent.entry);
}

/* Under the mutex: one user less. */
static void drop_user(struct cached *c)
{
	if (--c->users)
		return;
	extent_release(&c->extent);
	free(c);
}

/* Under the mutex. */
static void evict(struct cache *cache, size_t i)
{
	struct cached *c = cache->slot[i];

	cache->slot[i] = NULL;
	cache->bytes -= bytes_of(c);
	drop_user(c);
}

void cache_purge(struct cache *cache)
{
	(void)pthread_mutex_lock(&cache->mutex);
	for (size_t i = 0; i < CACHE_SLOTS; i++)
		if (cache->slot[i])
			evict(cache, i);
	(void)pthread_mutex_unlock(&cache->mutex);
}

static struct cached *find(struct cache *cache, uint64_t pack, uint64_t off)
{
	for (size_t i = 0; i < CACHE_SLOTS; i++) {
		struct cached *c = cache->slot[i];

		if (c && c->off == off && c->pack == pack) {
			c->users++;
			c->tick = ++cache->tick;
			return c;
		}
	}
	return NULL;
}

/* Under the mutex: the slot that may go, and whether one is free. */
static size_t oldest(const struct cache *cache, bool *ret_free)
{
	size_t best = CACHE_SLOTS;

	*ret_free = false;
	for (size_t i = 0; i < CACHE_SLOTS; i++) {
		if (!cache->slot[i])
			*ret_free = true;
		else if (best == CACHE_SLOTS ||
			 cache->slot[i]->tick < cache->slot[best]->tick)
			best = i;
	}
	return best;
}

/* Under the mutex: the cache becomes a user of it, if it fits. */
static void insert(struct cache *cache, struct cached *c)
{
	bool room;
	size_t i = oldest(cache, &room);

	if (bytes_of(c) > cache->max_bytes)
		return;
	while (!room || cache->bytes + bytes_of(c) > cache->max_bytes) {
		evict(cache, i);
		i = oldest(cache, &room);
	}
	i = 0;
	while (cache->slot[i])
		i++;
	cache->slot[i] = c;
	cache->bytes += bytes_of(c);
	c->tick = ++cache->tick;
	c->users++;
}

static int load(struct store *store, bool fresh, struct cached *c,
		struct error *err)
{
	cleanup_free uint8_t *body = NULL;
	struct record record;
	int rc =
		record_read(store, c->pack, c->off, fresh, &record, &body, err);

	if (rc < 0)
		return rc;
	if (record.type != RECORD_EXTENT)
		rc = error_set(err, -SOBRE_ECORRUPT, "not an extent");
	else
		rc = extent_decode(&record, body, &c->extent, err);
	if (rc < 0)
		return error_prefix(err, "pack %llu at %llu",
				    (unsigned long long)c->pack,
				    (unsigned long long)c->off);
	return 0;
}

int cache_get(struct store *store, struct cache *cache, uint64_t pack,
	      uint64_t off, struct cached **ret_cached, struct error *err)
{
	cleanup_free struct cached *c = NULL;
	struct cached *other;
	int rc;

	(void)pthread_mutex_lock(&cache->mutex);
	*ret_cached = find(cache, pack, off);
	(void)pthread_mutex_unlock(&cache->mutex);
	if (*ret_cached)
		return 0;
	c = calloc(1, sizeof(*c));
	if (!c)
		return error_set(err, -ENOMEM, "no memory for an extent");
	*c = (struct cached){ .pack = pack, .off = off, .users = 1 };
	rc = load(store, cache->fresh, c, err);
	if (rc < 0)
		return rc;
	/* Another thread may have loaded it too: one copy is enough. */
	(void)pthread_mutex_lock(&cache->mutex);
	other = find(cache, pack, off);
	if (!other)
		insert(cache, c);
	(void)pthread_mutex_unlock(&cache->mutex);
	*ret_cached = other ? other : c;
	if (other)
		extent_release(&c->extent);
	else
		(void)take_ptr(&c);
	return 0;
}

void cache_put(struct cache *cache, struct cached *cached)
{
	if (!cached)
		return;
	(void)pthread_mutex_lock(&cache->mutex);
	drop_user(cached);
	(void)pthread_mutex_unlock(&cache->mutex);
}
