/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/store/format.h"

#include <string.h>

#include "fs/base/reader.h"

#define PACK_MAGIC	  "SOBREPCK"
#define PACK_MAGIC_BYTES  8u
#define PACK_CHECKSUM_OFF (PACK_HEADER_BYTES - 8u)
#define RECORD_MAGIC	  UINT32_C(0x31524253) /* RECORD_MAGIC_BYTES */
#define CHECKSUM_OFF	  (RECORD_HEADER_BYTES - 8u)

static uint8_t *put_le(uint8_t *at, uint64_t v, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		*at++ = (uint8_t)(v >> (8 * i));
	return at;
}

void pack_header_encode(const struct pack_header *header,
			uint8_t ret_bytes[PACK_HEADER_BYTES])
{
	uint8_t *at = ret_bytes + PACK_MAGIC_BYTES;

	memset(ret_bytes, 0, PACK_HEADER_BYTES);
	memcpy(ret_bytes, PACK_MAGIC, PACK_MAGIC_BYTES);
	at = put_le(at, PACK_VERSION, 4);
	at = put_le(at, PACK_HEADER_BYTES, 4);
	memcpy(at, header->uuid, sizeof(header->uuid));
	at = put_le(at + sizeof(header->uuid), header->id, 8);
	memcpy(at, header->key.secret, sizeof(header->key.secret));
	(void)put_le(ret_bytes + PACK_CHECKSUM_OFF,
		     hash64(ret_bytes, PACK_CHECKSUM_OFF), 8);
}

int pack_header_decode(const uint8_t bytes[PACK_HEADER_BYTES],
		       struct pack_header *ret_header, struct error *err)
{
	struct reader r;
	uint32_t version;

	if (memcmp(bytes, PACK_MAGIC, PACK_MAGIC_BYTES) != 0)
		return error_set(err, -SOBRE_ECORRUPT, "not a pack");
	reader_init(&r, bytes + PACK_CHECKSUM_OFF, 8);
	if (reader_u64(&r) != hash64(bytes, PACK_CHECKSUM_OFF))
		return error_set(err, -SOBRE_ECORRUPT,
				 "the pack's header fails its checksum");
	reader_init(&r, bytes + PACK_MAGIC_BYTES,
		    PACK_HEADER_BYTES - PACK_MAGIC_BYTES);
	version = reader_u32(&r);
	if (version != PACK_VERSION)
		return error_set(err, -SOBRE_ESCHEMA,
				 "pack of version %u, this sobre reads %u",
				 version, PACK_VERSION);
	(void)reader_u32(&r);
	reader_copy(&r, ret_header->uuid, sizeof(ret_header->uuid));
	ret_header->id = reader_u64(&r);
	reader_copy(&r, ret_header->key.secret, sizeof(ret_header->key.secret));
	return 0;
}

void record_encode(const struct record *record, const uint8_t *body,
		   uint8_t ret_bytes[RECORD_HEADER_BYTES])
{
	uint8_t *at = put_le(ret_bytes, RECORD_MAGIC, 4);

	at = put_le(at, (uint64_t)record->type, 1);
	at = put_le(at, record->codec, 1);
	at = put_le(at, record->codec_version, 1);
	at = put_le(at, 0, 1); /* flags */
	at = put_le(at, record->body_len, 4);
	at = put_le(at, record->raw_len, 4);
	at = put_le(at, record->n, 4);
	at = put_le(at, 0, 4); /* reserved */
	(void)put_le(at, 0, 8);
	(void)put_le(at,
		     hash64_two(ret_bytes, RECORD_HEADER_BYTES, body,
				record->body_len),
		     8);
}

static bool extent_is_bounded(const struct record *rec)
{
	uint64_t table = (uint64_t)rec->n * EXTENT_ENTRY_BYTES;

	return rec->n > 0 && rec->n <= EXTENT_COUNT_MAX && rec->raw_len > 0 &&
	       rec->raw_len <= EXTENT_RAW_MAX && rec->n <= rec->raw_len &&
	       rec->body_len > table && rec->body_len - table <= rec->raw_len;
}

static bool recipe_is_bounded(const struct record *rec)
{
	return rec->n <= RECIPE_COUNT_MAX && rec->raw_len == rec->body_len &&
	       rec->body_len == RECIPE_HEAD_BYTES + rec->n * RECIPE_ENTRY_BYTES;
}

int record_decode(const uint8_t bytes[RECORD_HEADER_BYTES],
		  struct record *ret_record, struct error *err)
{
	struct record rec;
	struct reader r;
	uint32_t magic;
	uint8_t type;
	bool bounded;
	uint32_t zero;

	reader_init(&r, bytes, RECORD_HEADER_BYTES);
	magic = reader_u32(&r);
	type = reader_u8(&r);
	rec.codec = reader_u8(&r);
	rec.codec_version = reader_u8(&r);
	zero = reader_u8(&r);
	rec.body_len = reader_u32(&r);
	rec.raw_len = reader_u32(&r);
	rec.n = reader_u32(&r);
	zero |= reader_u32(&r);
	rec.checksum = reader_u64(&r);
	rec.type = (enum record_type)type;
	bounded = type == RECORD_EXTENT
			  ? extent_is_bounded(&rec)
			  : type == RECORD_RECIPE && recipe_is_bounded(&rec);
	if (magic != RECORD_MAGIC || zero || !bounded)
		return error_set(err, -SOBRE_ECORRUPT, "not a sound record");
	*ret_record = rec;
	return 0;
}

int record_check(const struct record *record,
		 const uint8_t bytes[RECORD_HEADER_BYTES], const uint8_t *body,
		 struct error *err)
{
	uint8_t header[RECORD_HEADER_BYTES];

	memcpy(header, bytes, CHECKSUM_OFF);
	memset(header + CHECKSUM_OFF, 0, 8);
	if (hash64_two(header, sizeof(header), body, record->body_len) !=
	    record->checksum)
		return error_set(err, -SOBRE_ECORRUPT,
				 "the record fails its checksum");
	return 0;
}
