/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/store/format.h"

#include <errno.h>
#include <stdlib.h>

#include "fs/base/cleanup.h"
#include "fs/base/reader.h"

/* The table must add up to the decoded length exactly. */
static int decode_table(const struct record *record, const uint8_t *body,
			struct extent_entry *entry, struct error *err)
{
	struct reader r;
	uint64_t skip = 0;
	bool sound = true;

	reader_init(&r, body, (size_t)record->n * EXTENT_ENTRY_BYTES);
	for (uint32_t i = 0; sound && i < record->n; i++) {
		reader_copy(&r, entry[i].id.bytes, sizeof(entry[i].id.bytes));
		entry[i].len = reader_u32(&r);
		entry[i].skip = (uint32_t)skip;
		skip += entry[i].len;
		sound = entry[i].len > 0 && entry[i].len <= CHUNK_LEN_MAX &&
			skip <= record->raw_len;
	}
	if (!sound || r.failed || skip != record->raw_len)
		return error_set(err, -SOBRE_ECORRUPT,
				 "an extent's table does not add up");
	return 0;
}

int extent_decode(const struct record *record, const uint8_t *body,
		  struct extent *ret_extent, struct error *err)
{
	size_t table = (size_t)record->n * EXTENT_ENTRY_BYTES;
	cleanup_free struct extent_entry *entry =
		calloc(record->n ? record->n : 1, sizeof(*entry));
	cleanup_free uint8_t *data =
		malloc(record->raw_len ? record->raw_len : 1);
	int rc;

	if (!entry || !data)
		return error_set(err, -ENOMEM, "no memory for an extent");
	rc = decode_table(record, body, entry, err);
	if (rc == 0)
		rc = codec_decode(record->codec, record->codec_version,
				  body + table, record->body_len - table, data,
				  record->raw_len, err);
	if (rc < 0)
		return rc;
	*ret_extent = (struct extent){ .n = record->n,
				       .raw_len = record->raw_len,
				       .entry = take_ptr(&entry),
				       .data = take_ptr(&data) };
	return 0;
}

void extent_release(struct extent *extent)
{
	free(extent->entry);
	free(extent->data);
	*extent = (struct extent){ .n = 0 };
}

/* Ascending skips: halve. */
const struct extent_entry *extent_find(const struct extent *extent,
				       const struct hash128 *id, uint32_t skip)
{
	uint32_t low = 0;
	uint32_t high = extent->n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (extent->entry[mid].skip < skip)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == extent->n || extent->entry[low].skip != skip ||
	    hash128_compare(&extent->entry[low].id, id) != 0)
		return NULL;
	return &extent->entry[low];
}
