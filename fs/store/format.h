/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_STORE_FORMAT_H
#define SOBREFS_STORE_FORMAT_H

/*
 * Pack files on disk, version 1: docs/format/pack.md. Pure: bytes to structs
 * and back, every size bounded before it is used.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/base/buf.h"
#include "fs/base/error.h"
#include "fs/base/hash.h"

#define PACK_HEADER_BYTES   256u
#define PACK_VERSION	    1u
#define RECORD_HEADER_BYTES 32u
#define RECORD_ALIGN	    8u
#define RECORD_MAGIC_BYTES  "SBR1"
#define EXTENT_ENTRY_BYTES  20u
#define RECIPE_HEAD_BYTES   24u
#define RECIPE_ENTRY_BYTES  20u

#define CHUNK_LEN_MAX	 (128u << 10)
#define EXTENT_RAW_MAX	 (256u << 10)
#define EXTENT_COUNT_MAX 4096u
#define EXTENT_BODY_MAX	 (EXTENT_COUNT_MAX * EXTENT_ENTRY_BYTES + EXTENT_RAW_MAX)
/* About 400 GiB of chunks; holes take one entry whatever their length. */
#define RECIPE_BODY_MAX (256u << 20)
#define RECIPE_COUNT_MAX \
	((RECIPE_BODY_MAX - RECIPE_HEAD_BYTES) / RECIPE_ENTRY_BYTES)

enum record_type {
	RECORD_EXTENT = 1,
	RECORD_RECIPE = 2
};
enum record_codec {
	CODEC_RAW = 0,
	CODEC_ZSTD = 1
};

struct pack_header {
	uint8_t uuid[16];
	uint64_t id;
	struct hash_key key;
};

void pack_header_encode(const struct pack_header *header,
			uint8_t ret_bytes[PACK_HEADER_BYTES]);
/* -SOBRE_ECORRUPT; -SOBRE_ESCHEMA for a newer version. */
int pack_header_decode(const uint8_t bytes[PACK_HEADER_BYTES],
		       struct pack_header *ret_header, struct error *err);

struct record {
	enum record_type type;
	uint8_t codec;
	uint8_t codec_version;
	uint32_t body_len; /* bytes after the header, padding not counted */
	uint32_t raw_len;  /* extent: decoded; recipe: as body_len */
	uint32_t n;	   /* chunks or recipe entries */
	uint64_t checksum;
};

/* Bytes a record takes in the pack. */
static inline uint64_t record_span(uint32_t body_len)
{
	uint64_t len = (uint64_t)RECORD_HEADER_BYTES + body_len;

	return (len + RECORD_ALIGN - 1) & ~(uint64_t)(RECORD_ALIGN - 1);
}

/* What a chunk takes of an extent's span: in proportion, and all parts add up
 * to it. */
static inline uint64_t extent_part(uint64_t span, uint32_t raw_len,
				   uint32_t skip, uint32_t len)
{
	return span * ((uint64_t)skip + len) / raw_len - span * skip / raw_len;
}

/* Writes the header for `body`, checksum included. */
void record_encode(const struct record *record, const uint8_t *body,
		   uint8_t ret_bytes[RECORD_HEADER_BYTES]);
/* Bounds only; the body is checked by record_check(). -SOBRE_ECORRUPT. */
int record_decode(const uint8_t bytes[RECORD_HEADER_BYTES],
		  struct record *ret_record, struct error *err);
/* Of record->body_len bytes of `body`. -SOBRE_ECORRUPT. */
int record_check(const struct record *record,
		 const uint8_t bytes[RECORD_HEADER_BYTES], const uint8_t *body,
		 struct error *err);

/* --- an extent, decoded -------------------------------------------------- */

struct extent_entry {
	struct hash128 id;
	uint32_t skip; /* in the decoded data */
	uint32_t len;
};

struct extent {
	uint32_t n;
	uint32_t raw_len;
	struct extent_entry *entry; /* owned */
	uint8_t *data;		    /* owned */
};

/* Body (checked) to an extent. -SOBRE_ECORRUPT, -SOBRE_ESCHEMA for an unknown
 * codec, -ENOMEM. */
int extent_decode(const struct record *record, const uint8_t *body,
		  struct extent *ret_extent, struct error *err);
void extent_release(struct extent *extent);
/* The entry of `id` that starts at `skip`; NULL when there is none. */
const struct extent_entry *extent_find(const struct extent *extent,
				       const struct hash128 *id, uint32_t skip);

/* --- a recipe --------------------------------------------------------------
 */

struct recipe_entry {
	uint64_t off; /* in the content */
	uint64_t len;
	bool hole;
	struct hash128 id; /* zeros for a hole */
};

struct recipe {
	struct hash128 content;
	uint64_t size_bytes;
	uint32_t n;
	uint64_t *off;	      /* owned; n + 1 of them; NULL: all 0 */
	uint8_t *body;	      /* owned; of its record */
	const uint8_t *entry; /* in it: n times RECIPE_ENTRY_BYTES */
};

/* Takes `*body` over when it is a recipe. */
int recipe_take(const struct record *record, uint8_t **body,
		struct recipe *ret_recipe, struct error *err);

int recipe_decode(const struct record *record, const uint8_t *body,
		  struct recipe *ret_recipe, struct error *err);
void recipe_release(struct recipe *recipe);
/* Of memory. */
size_t recipe_bytes(const struct recipe *recipe);
void recipe_at(const struct recipe *recipe, uint32_t i,
	       struct recipe_entry *ret_entry);
/* The entry that covers `off`, which is below the size. */
uint32_t recipe_find(const struct recipe *recipe, uint64_t off);

/*
 * Building one, as a whole record in a buf of RECIPE_RECORD_MAX: space for
 * the header first, padding last. Failures stick and show in recipe_end():
 * -ENOMEM, -EFBIG.
 */
#define RECIPE_RECORD_MAX (RECIPE_BODY_MAX + RECORD_HEADER_BYTES + RECORD_ALIGN)
void recipe_begin(struct buf *record);
void recipe_add_chunk(struct buf *record, const struct hash128 *id,
		      uint32_t len);
/* Merged with a hole right before. */
void recipe_add_hole(struct buf *record, uint64_t len);
/* Fills the head in; what record_encode() needs. */
int recipe_end(struct buf *record, const struct hash128 *content,
	       uint64_t size_bytes, struct record *ret_record);

/* --- codecs ------------------------------------------------------------------
 */

struct codec;		       /* contexts for encoding, one thread at a time */
struct codec *codec_new(void); /* or NULL; doesn't try hard */
void codec_try_hard(struct codec *codec, bool hard);
void codec_free(struct codec *codec);
/* Encodes `len` bytes into `out` of `out_max` >= len; picks the codec.
 * Returns bytes in `out`. */
size_t codec_encode(struct codec *codec, const uint8_t *data, size_t len,
		    uint8_t *out, size_t out_max, uint8_t *ret_codec);
/* Into exactly `raw_len` bytes. -SOBRE_ECORRUPT, -SOBRE_ESCHEMA. */
int codec_decode(uint8_t codec, uint8_t version, const uint8_t *data,
		 size_t len, uint8_t *out, size_t raw_len, struct error *err);

#endif
