/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_TESTS_STORE_COLLIDE_H
#define SOBREFS_TESTS_STORE_COLLIDE_H

/*
 * Two bodies of one XXH3-128, made as somebody would who doesn't know the
 * drive's secret: by putting many files. docs/design/threats.md tells how.
 *
 * A lane of the hash adds (low ^ k) * (high ^ l) of each of its 16 words of
 * the first 1,024 bytes, k and l secret, and its neighbour adds the words. To
 * change the two top bits of `high` alone, in words whose sum stays, moves the
 * lane by a multiple of 2^30 and the neighbour not at all: 34 bits are left of
 * 128, for which some 2^17 bodies are enough. What follows the first 1,024
 * bytes is as one likes, and the same in both.
 */

#include "tests/unit/store/support.h"

#define COLLIDE_BYTES 1024u
#define COLLIDE_TRIES (1u << 19)

struct collide_try {
	struct hash128 hash;
	uint32_t tops; /* two bits for each of 16 words */
};

static inline void collide_set(uint8_t *body, uint32_t tops)
{
	for (unsigned int i = 0; i < 16; i++) {
		uint8_t *top = &body[64 * i + 7];

		*top = (uint8_t)((*top & 0x3f) | (tops >> (2 * i) & 3) << 6);
	}
}

static inline bool collide_keeps_sum(uint32_t tops)
{
	unsigned int sum = 0;

	for (unsigned int i = 0; i < 16; i++)
		sum += tops >> (2 * i) & 3;
	return sum % 4 == 0;
}

static inline int collide_compare(const void *a, const void *b)
{
	const struct collide_try *x = a;
	const struct collide_try *y = b;

	return hash128_compare(&x->hash, &y->hash);
}

/* Fills the first COLLIDE_BYTES of both, which hold the same, of more than 64
 * bytes more. */
static inline void collide(const struct hash_key *key, uint8_t *one,
			   uint8_t *other)
{
	struct collide_try *t = calloc(COLLIDE_TRIES, sizeof(*t));
	uint64_t x = 88172645463325252U;
	size_t n = 0;

	assert_non_null(t);
	while (n < COLLIDE_TRIES) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		if (!collide_keeps_sum((uint32_t)(x >> 16)))
			continue;
		t[n].tops = (uint32_t)(x >> 16);
		collide_set(one, t[n].tops);
		hash128(key, one, COLLIDE_BYTES + 64, &t[n].hash);
		n++;
	}
	qsort(t, n, sizeof(*t), collide_compare);
	for (n = 1; n < COLLIDE_TRIES; n++)
		if (collide_compare(&t[n - 1], &t[n]) == 0 &&
		    t[n - 1].tops != t[n].tops)
			break;
	assert_true(n < COLLIDE_TRIES);
	collide_set(one, t[n - 1].tops);
	collide_set(other, t[n].tops);
	free(t);
}

#endif
