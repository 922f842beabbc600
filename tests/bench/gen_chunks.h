/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_TESTS_GEN_CHUNKS_H
#define SOBREFS_TESTS_GEN_CHUNKS_H

/* Contents of many chunks for gen_catalog: their recipes are in packs, of
 * their chunks there are but the rows, and packs that are all hole. */

#include "fs/store/store.h"

struct gen_chunks {
	struct store *store;
	uint64_t made;	  /* chunks */
	uint64_t in_pack; /* chunks in the last pack of theirs */
	uint64_t pack;	  /* 0: none yet */
	uint64_t n_parts; /* chunks a content, on average */
	uint64_t (*pick)(void *ctx, uint64_t n); /* a number below n */
	void *ctx;
};

/* A content of 1 to 2 n_parts - 1 chunks, one in 16 of them of an earlier
 * content. Inside a transaction; store_sync() comes before its commit. */
int gen_chunks_put(struct gen_chunks *g, uint64_t number,
		   struct hash128 *ret_id, uint64_t *ret_bytes,
		   struct error *err);

#endif
