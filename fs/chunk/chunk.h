/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_CHUNK_CHUNK_H
#define SOBREFS_CHUNK_CHUNK_H

/*
 * Where to cut a content into chunks: a Gear rolling hash with normalised
 * chunking (FastCDC, Xia et al., USENIX ATC 2016), and forced cuts at the
 * members of a ZIP container, so that the parts of a document saved again
 * fall on whole chunks. Pure: no file is opened here, the same bytes give
 * the same cuts however they are fed. Frozen in version 1: table, masks and
 * sizes are part of the durable format (docs/format/pack.md).
 *
 * Thread-safety: no shared state.
 */

#include <stddef.h>
#include <stdint.h>

#include "fs/base/error.h"

#define CHUNK_MIN_BYTES (8u << 10)
#define CHUNK_AVG_BYTES (32u << 10)
#define CHUNK_MAX_BYTES (128u << 10)
#define CHUNK_VERSION	1

/*
 * A ZIP member whose data is shorter isn't cut out. What lies between two
 * that are (a header of some 60 bytes) is a chunk of its own: measured, that
 * saves more than it costs, because tools date the headers afresh.
 */
#define CHUNK_SEGMENT_MIN_BYTES 4096u

/*
 * Length of the first chunk of `data`, of which `len` > 0 bytes are at hand.
 * When fewer than CHUNK_MAX_BYTES are at hand they must be the last of their
 * segment. Returns 1..min(len, CHUNK_MAX_BYTES).
 */
size_t chunk_cut(const uint8_t *data, size_t len);

/* Reads `len` bytes at `off` of what is to be cut. 0 or negative. */
typedef int chunk_read_fn(void *ctx, void *buf, size_t len, uint64_t off,
			  struct error *err);

/* Ascending offsets, each in ]0, size[ and once; `off` is owned
 * (chunk_cuts_free). */
struct chunk_cuts {
	uint64_t *off;
	size_t n;
};

/*
 * The forced cuts of a ZIP container of `size_bytes`: start and end of each
 * member's data, by its central directory. Whatever isn't a sound ZIP (zip64
 * included, encrypted, truncated, overlapping, lying) has fewer or no cuts:
 * that is never an error. Negative only for -ENOMEM or a failed read.
 * `read` may be asked anywhere in the file, 64 KiB at most at a time but for
 * the tail.
 */
int chunk_zip_cuts(chunk_read_fn *read, void *ctx, uint64_t size_bytes,
		   struct chunk_cuts *ret_cuts, struct error *err);
void chunk_cuts_free(struct chunk_cuts *cuts);

#endif
