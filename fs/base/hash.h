/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_BASE_HASH_H
#define SOBREFS_BASE_HASH_H

/*
 * XXH3-128 keyed with a drive's secret, for finding candidates (never for
 * deciding that two contents are one: DESIGN invariant 4); XXH3-64 without a
 * key as the checksum of stored records; XXH32 for the stub. All are frozen
 * by xxHash since 0.8.0. https://github.com/Cyan4973/xxHash
 */

#include <stddef.h>
#include <stdint.h>

#include "fs/base/cleanup.h"
#include "fs/base/error.h"

#define HASH_SECRET_BYTES 192

struct hash_key {
	uint8_t secret[HASH_SECRET_BYTES];
};

/* The canonical (big-endian) form of the 128 bits, as stored. */
struct hash128 {
	uint8_t bytes[16];
};

#define HASH128_HEX_BYTES 33 /* NUL included */

/* A fresh key from the kernel's random source. */
int hash_key_random(struct hash_key *ret_key, struct error *err);

void hash128(const struct hash_key *key, const void *data, size_t len,
	     struct hash128 *ret_hash);
void hash128_hex(const struct hash128 *h, char ret_hex[HASH128_HEX_BYTES]);
int hash128_compare(const struct hash128 *a, const struct hash128 *b);

/* Streaming; `key` must outlive the state. One thread at a time. */
struct hash_state;
struct hash_state *hash_state_new(const struct hash_key *key); /* or NULL */
void hash_state_free(struct hash_state *s);
DEFINE_CLEANUP(struct hash_state *, hash_state_free)
void hash_state_reset(struct hash_state *s);
void hash_state_add(struct hash_state *s, const void *data, size_t len);
void hash_state_get(const struct hash_state *s, struct hash128 *ret_hash);

uint64_t hash64(const void *data, size_t len);
/* Of `b`, seeded with the XXH3-64 of `a`: a record's header, then its body. */
uint64_t hash64_two(const void *a, size_t a_len, const void *b, size_t b_len);
uint32_t hash32(const void *data, size_t len);

#endif
