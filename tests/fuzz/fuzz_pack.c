/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Any bytes as a pack's header and as a record. The checksum is set right
 * first, so that the parsers behind it are reached.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fs/store/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_header(const uint8_t *data, size_t size)
{
	uint8_t bytes[PACK_HEADER_BYTES];
	struct pack_header header;
	struct error err = ERROR_INIT;
	uint64_t sum;

	if (size < sizeof(bytes))
		return;
	memcpy(bytes, data, sizeof(bytes));
	sum = hash64(bytes, sizeof(bytes) - sizeof(sum));
	memcpy(bytes + sizeof(bytes) - sizeof(sum), &sum, sizeof(sum));
	(void)pack_header_decode(bytes, &header, &err);
}

static void check_extent(const struct extent *extent)
{
	uint64_t at = 0;

	for (uint32_t i = 0; i < extent->n; i++) {
		const struct extent_entry *e = &extent->entry[i];

		if (e->skip != at || !e->len ||
		    extent_find(extent, &e->id, e->skip) != e)
			abort();
		at += e->len;
	}
	if (at != extent->raw_len)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t bytes[RECORD_HEADER_BYTES];
	struct error err = ERROR_INIT;
	struct extent extent;
	struct record record;

	try_header(data, size);
	if (size < sizeof(bytes) || record_decode(data, &record, &err) < 0 ||
	    record.body_len > size - sizeof(bytes))
		return 0;
	record_encode(&record, data + sizeof(bytes), bytes);
	if (record_decode(bytes, &record, &err) < 0 ||
	    record_check(&record, bytes, data + sizeof(bytes), &err) < 0)
		abort();
	if (record.type == RECORD_EXTENT &&
	    extent_decode(&record, data + sizeof(bytes), &extent, &err) == 0) {
		check_extent(&extent);
		extent_release(&extent);
	}
	return 0;
}
