/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/chunk/chunk.h"
#include "fs/chunk/internal.h"

/* Shifting left, a byte leaves the hash after this many others. */
#define WINDOW_BYTES 64u

/*
 * Normalised chunking, level 2: cuts are four times rarer than one in
 * CHUNK_AVG_BYTES before that length, four times likelier after it. The top
 * bits depend on the whole window, the low ones on a few bytes only.
 */
#define TOP_BITS(n) (~UINT64_C(0) << (64 - (n)))
#define MASK_BEFORE TOP_BITS(17)
#define MASK_AFTER  TOP_BITS(13)

/* Rolls on from `at`; where the first cut before `end` is, or 0. */
static size_t roll(const uint8_t *data, size_t at, size_t end, uint64_t mask,
		   uint64_t *hash)
{
	uint64_t h = *hash;

	while (at < end) {
		h = (h << 1) + chunk_gear[data[at++]];
		if (!(h & mask))
			return at;
	}
	*hash = h;
	return 0;
}

size_t chunk_cut(const uint8_t *data, size_t len)
{
	size_t end = len < CHUNK_MAX_BYTES ? len : CHUNK_MAX_BYTES;
	size_t normal = end < CHUNK_AVG_BYTES ? end : CHUNK_AVG_BYTES;
	uint64_t hash = 0;
	size_t at;

	if (end <= CHUNK_MIN_BYTES)
		return end;
	/* Warm up, so that a cut depends on its window only. */
	for (at = CHUNK_MIN_BYTES - WINDOW_BYTES; at < CHUNK_MIN_BYTES; at++)
		hash = (hash << 1) + chunk_gear[data[at]];
	at = roll(data, CHUNK_MIN_BYTES, normal, MASK_BEFORE, &hash);
	if (!at)
		at = roll(data, normal, end, MASK_AFTER, &hash);
	return at ? at : end;
}
