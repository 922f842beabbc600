/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/base/hash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <xxhash.h>

struct hash_state {
	XXH3_state_t *xxh;
	const struct hash_key *key;
};

int hash_key_random(struct hash_key *ret_key, struct error *err)
{
	size_t got = 0;

	while (got < sizeof(ret_key->secret)) {
		ssize_t n = getrandom(ret_key->secret + got,
				      sizeof(ret_key->secret) - got, 0);

		if (n < 0 && errno != EINTR)
			return error_set(err, -errno, "cannot get randomness");
		got += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static void canonical(XXH128_hash_t h, struct hash128 *ret_hash)
{
	XXH128_canonical_t c;

	XXH128_canonicalFromHash(&c, h);
	memcpy(ret_hash->bytes, c.digest, sizeof(ret_hash->bytes));
}

void hash128(const struct hash_key *key, const void *data, size_t len,
	     struct hash128 *ret_hash)
{
	canonical(XXH3_128bits_withSecret(data, len, key->secret,
					  sizeof(key->secret)),
		  ret_hash);
}

void hash128_hex(const struct hash128 *h, char ret_hex[HASH128_HEX_BYTES])
{
	for (size_t i = 0; i < sizeof(h->bytes); i++)
		(void)snprintf(ret_hex + 2 * i, 3, "%02x", h->bytes[i]);
}

int hash128_compare(const struct hash128 *a, const struct hash128 *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

struct hash_state *hash_state_new(const struct hash_key *key)
{
	struct hash_state *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->xxh = XXH3_createState();
	s->key = key;
	if (!s->xxh) {
		free(s);
		return NULL;
	}
	hash_state_reset(s);
	return s;
}

void hash_state_free(struct hash_state *s)
{
	if (!s)
		return;
	XXH3_freeState(s->xxh);
	free(s);
}

void hash_state_reset(struct hash_state *s)
{
	(void)XXH3_128bits_reset_withSecret(s->xxh, s->key->secret,
					    sizeof(s->key->secret));
}

void hash_state_add(struct hash_state *s, const void *data, size_t len)
{
	(void)XXH3_128bits_update(s->xxh, data, len);
}

void hash_state_get(const struct hash_state *s, struct hash128 *ret_hash)
{
	canonical(XXH3_128bits_digest(s->xxh), ret_hash);
}

uint64_t hash64(const void *data, size_t len)
{
	return XXH3_64bits(data, len);
}

uint64_t hash64_two(const void *a, size_t a_len, const void *b, size_t b_len)
{
	return XXH3_64bits_withSeed(b, b_len, XXH3_64bits(a, a_len));
}

uint32_t hash32(const void *data, size_t len)
{
	return XXH32(data, len, 0);
}
