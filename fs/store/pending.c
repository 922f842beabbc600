/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/store/internal.h"

#include <errno.h>
#include <string.h>

struct pending_chunk *pending_find(struct pending *pending,
				   const struct hash128 *id)
{
	for (uint32_t i = 0; i < pending->n; i++)
		if (hash128_compare(&pending->chunk[i].id, id) == 0)
			return &pending->chunk[i];
	return NULL;
}

int pending_add(struct store *store, const struct hash128 *id,
		const uint8_t *data, uint32_t len, uint64_t refs,
		struct error *err)
{
	struct pending *p = store->writer->pending;
	int rc = 0;

	if (p->n == EXTENT_COUNT_MAX || p->len + len > EXTENT_RAW_MAX)
		rc = pending_flush(store, err);
	if (rc < 0)
		return rc;
	memcpy(p->data + p->len, data, len);
	p->chunk[p->n++] = (struct pending_chunk){
		.id = *id,
		.skip = p->len,
		.len = len,
		.refs = refs,
	};
	p->len += len;
	return 0;
}

/* Table and data; the record that describes them. */
static void build(struct writer *w, struct record *ret_record)
{
	struct pending *p = w->pending;
	uint8_t *at = p->record + RECORD_HEADER_BYTES;
	uint8_t codec;
	size_t stored;

	for (uint32_t i = 0; i < p->n; i++) {
		memcpy(at, p->chunk[i].id.bytes, 16);
		at += 16;
		for (unsigned int b = 0; b < 4; b++)
			*at++ = (uint8_t)(p->chunk[i].len >> (8 * b));
	}
	stored = codec_encode(w->codec, p->data, p->len, at, EXTENT_RAW_MAX,
			      &codec);
	*ret_record = (struct record){
		.type = RECORD_EXTENT,
		.codec = codec,
		.codec_version = 1,
		.body_len = p->n * EXTENT_ENTRY_BYTES + (uint32_t)stored,
		.raw_len = p->len,
		.n = p->n,
	};
}

int pending_flush(struct store *store, struct error *err)
{
	struct pending *p = store->writer->pending;
	struct record record;
	uint64_t pack;
	uint64_t off;
	int rc;

	if (p->n == 0)
		return 0;
	build(store->writer, &record);
	rc = append_record(store, &record, p->record, &pack, &off, err);
	for (uint32_t i = 0; rc == 0 && i < p->n; i++) {
		struct chunk_row row = {
			.id = p->chunk[i].id,
			.pack = pack,
			.off = off,
			.skip = p->chunk[i].skip,
			.len = p->chunk[i].len,
			.refs = p->chunk[i].refs,
		};

		rc = chunk_row_put(store, &row, err);
	}
	if (rc < 0)
		return rc;
	p->n = 0;
	p->len = 0;
	return 0;
}
