/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_STORE_SPLIT_H
#define SOBREFS_STORE_SPLIT_H

/* A source to chunks and holes: what put.c stores and estimate.c counts. */

#include "fs/chunk/chunk.h"
#include "fs/store/internal.h"

struct split {
	const struct source *source;
	uint8_t *window;	   /* WINDOW_BYTES */
	struct identity *identity; /* of what was read this time */
	/* In order; `data` is gone after the call. */
	int (*chunk)(void *ctx, const uint8_t *data, uint32_t len,
		     struct error *err);
	void (*hole)(void *ctx, uint64_t len);
	void *ctx;
	struct chunk_cuts cuts; /* of source_split() */
	size_t next_cut;
};

/* What is small is read once, whole, into `window`. */
int source_load(struct source *source, uint8_t *window, struct error *err);
/* `content`: what was identified before; -SOBRE_ECHANGED when what is read now
 * is something else. */
int source_split(struct split *split, const struct hash128 *content,
		 struct error *err);

#endif
