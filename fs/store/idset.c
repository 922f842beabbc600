/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/store/idset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SHARDS	    256u
#define FIRST_SLOTS 16u

/* One grows while the others stay: no moment when all is there twice. */
struct shard {
	uint64_t *slot; /* owned; 0 is free */
	uint32_t cap;	/* a power of two */
	uint32_t n;
};

struct idset {
	struct shard shard[SHARDS];
};

struct idset *idset_new(void)
{
	return calloc(1, sizeof(struct idset));
}

void idset_free(struct idset *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < SHARDS; i++)
		free(set->shard[i].slot);
	free(set);
}

static uint64_t *find(const struct shard *shard, uint64_t key)
{
	uint32_t mask = shard->cap - 1;
	uint32_t i = (uint32_t)key & mask;

	while (shard->slot[i] != 0 && shard->slot[i] != key)
		i = (i + 1) & mask;
	return &shard->slot[i];
}

static int grow(struct shard *shard)
{
	struct shard more = { .cap = shard->cap ? 2 * shard->cap : FIRST_SLOTS,
			      .n = shard->n };

	if (more.cap < shard->cap)
		return -ENOMEM;
	more.slot = calloc(more.cap, sizeof(*more.slot));
	if (!more.slot)
		return -ENOMEM;
	for (uint32_t i = 0; i < shard->cap; i++)
		if (shard->slot[i] != 0)
			*find(&more, shard->slot[i]) = shard->slot[i];
	free(shard->slot);
	*shard = more;
	return 0;
}

static uint64_t key_of(const struct hash128 *id)
{
	uint64_t key;

	memcpy(&key, id->bytes, sizeof(key));
	return key ? key : 1;
}

bool idset_has(const struct idset *set, const struct hash128 *id)
{
	const struct shard *shard = &set->shard[id->bytes[8]];

	return shard->cap > 0 && *find(shard, key_of(id)) != 0;
}

int idset_add(struct idset *set, const struct hash128 *id)
{
	struct shard *shard = &set->shard[id->bytes[8]];
	uint64_t *slot;

	/* Seven eighths full at most, 9 to 18 bytes an id. */
	if ((uint64_t)(shard->n + 1) * 8 > (uint64_t)shard->cap * 7) {
		int rc = grow(shard);

		if (rc < 0)
			return rc;
	}
	slot = find(shard, key_of(id));
	if (*slot != 0)
		return 0;
	*slot = key_of(id);
	shard->n++;
	return 1;
}
