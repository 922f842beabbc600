/* SPDX-License-Identifier: EUPL-1.2 */
/* Any bytes as a ZIP: cuts must ascend within the file, and be few. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fs/chunk/chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
	const uint8_t *data;
	size_t size;
};

static int read_bytes(void *ctx, void *buf, size_t len, uint64_t off,
		      struct error *err)
{
	const struct bytes *b = ctx;

	(void)err;
	if (off > b->size || len > b->size - off)
		abort();
	memcpy(buf, b->data + off, len);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = { .data = data, .size = size };
	struct error err = ERROR_INIT;
	struct chunk_cuts cuts;
	uint64_t last = 0;

	if (chunk_zip_cuts(read_bytes, &bytes, size, &cuts, &err) < 0)
		abort();
	if (cuts.n > 2 * (size / CHUNK_SEGMENT_MIN_BYTES))
		abort();
	for (size_t i = 0; i < cuts.n; i++) {
		if (cuts.off[i] <= last || cuts.off[i] >= size)
			abort();
		last = cuts.off[i];
	}
	chunk_cuts_free(&cuts);
	return 0;
}
