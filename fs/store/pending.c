/* SPDX-License-Identifier: EUPL-1.2 */
#include <string.h>

#include "fs/base/cleanup.h"
#include "fs/store/internal.h"
#include "fs/store/users.h"

struct pending_chunk *pending_find(struct pending *pending,
				   const struct hash128 *id)
{
	for (uint32_t i = 0; i < pending->n; i++)
		if (hash128_compare(&pending->chunk[i].id, id) == 0)
			return &pending->chunk[i];
	return NULL;
}

bool pending_has_room(const struct pending *pending, uint32_t len)
{
	return pending->n < EXTENT_COUNT_MAX &&
	       pending->len + len <= EXTENT_RAW_MAX;
}

void pending_append(struct pending *pending, const struct hash128 *id,
		    const uint8_t *data, uint32_t len, uint64_t refs)
{
	memcpy(pending->data + pending->len, data, len);
	pending->chunk[pending->n++] = (struct pending_chunk){
		.id = *id,
		.skip = pending->len,
		.len = len,
		.refs = refs,
	};
	pending->len += len;
}

void pending_clear(struct pending *pending)
{
	pending->n = 0;
	pending->len = 0;
}

int pending_add(struct store *store, const struct hash128 *id,
		const uint8_t *data, uint32_t len, uint64_t refs,
		struct error *err)
{
	struct pending *p = store->writer->pending;
	int rc = 0;

	if (!pending_has_room(p, len))
		rc = pending_flush(store, err);
	if (rc == 0)
		pending_append(p, id, data, len, refs);
	return rc;
}

void pending_encode(struct pending *pending, struct codec *codec,
		    struct record *ret_record)
{
	struct pending *p = pending;
	uint8_t *at = p->record + RECORD_HEADER_BYTES;
	uint8_t used;
	size_t stored;

	for (uint32_t i = 0; i < p->n; i++) {
		memcpy(at, p->chunk[i].id.bytes, 16);
		at += 16;
		for (unsigned int b = 0; b < 4; b++)
			*at++ = (uint8_t)(p->chunk[i].len >> (8 * b));
	}
	stored =
		codec_encode(codec, p->data, p->len, at, EXTENT_RAW_MAX, &used);
	*ret_record = (struct record){
		.type = RECORD_EXTENT,
		.codec = used,
		.codec_version = 1,
		.body_len = p->n * EXTENT_ENTRY_BYTES + (uint32_t)stored,
		.raw_len = p->len,
		.n = p->n,
	};
}

/* There was a row already: bad, or only counted. */
static int put_again(struct charges *charges, struct store *store,
		     const struct chunk_row *row, struct error *err)
{
	int rc = charges_add_move(charges, store, row, err);

	return rc < 0 ? rc : chunk_row_put(store, row, err);
}

static int write_rows(struct store *store, const struct pending *p,
		      const struct record *record, uint64_t pack, uint64_t off,
		      struct error *err)
{
	CLEANUP(charges_release) struct charges charges = { .n = 0 };
	uint64_t span = record_span(record->body_len);
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < p->n; i++) {
		const struct pending_chunk *chunk = &p->chunk[i];
		struct chunk_row row = {
			.id = chunk->id,
			.pack = pack,
			.off = off,
			.skip = chunk->skip,
			.len = chunk->len,
			.stored_bytes = extent_part(span, p->len, chunk->skip,
						    chunk->len),
			.refs = chunk->refs,
		};

		rc = chunk_row_add(store, &row, err);
		if (rc == 0)
			rc = put_again(&charges, store, &row, err);
		else if (rc > 0)
			rc = 0;
	}
	return rc < 0 ? rc : charges_tell(store, &charges, err);
}

int pending_write(struct store *store, const struct record *record,
		  struct error *err)
{
	struct pending *p = store->writer->pending;
	uint64_t pack;
	uint64_t off;
	int rc = append_record(store, record, p->record, &pack, &off, err);

	if (rc == 0)
		rc = write_rows(store, p, record, pack, off, err);
	if (rc == 0)
		pending_clear(p);
	return rc;
}

int pending_flush(struct store *store, struct error *err)
{
	struct pending *p = store->writer->pending;
	struct record record;

	if (p->n == 0)
		return 0;
	pending_encode(p, store->writer->codec, &record);
	return pending_write(store, &record, err);
}
