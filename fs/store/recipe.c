/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/store/format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/cleanup.h"
#include "fs/base/reader.h"

/* One stored entry; false when it can't be one. */
static bool parse_entry(const uint8_t *bytes, struct recipe_entry *ret_entry)
{
	struct recipe_entry e = { .off = 0 };
	struct reader r;
	uint32_t len;

	reader_init(&r, bytes, RECIPE_ENTRY_BYTES);
	len = reader_u32(&r);
	if (len) {
		e.len = len;
		reader_copy(&r, e.id.bytes, sizeof(e.id.bytes));
		*ret_entry = e;
		return len <= CHUNK_LEN_MAX;
	}
	e.hole = true;
	e.len = reader_u64(&r);
	*ret_entry = e;
	return e.len > 0 && reader_u64(&r) == 0;
}

/* Fills the table of offsets; lengths must add up to the size, and no two
 * holes may follow each other. */
static int index_entries(struct recipe *recipe, struct error *err)
{
	struct recipe_entry e;
	bool after_hole = false;
	uint64_t off = 0;

	for (uint32_t i = 0; i < recipe->n; i++) {
		const uint8_t *at =
			recipe->entry + (size_t)i * RECIPE_ENTRY_BYTES;

		recipe->off[i] = off;
		if (!parse_entry(at, &e) || (e.hole && after_hole) ||
		    e.len > recipe->size_bytes - off)
			return error_set(err, -SOBRE_ECORRUPT,
					 "entry %u of a recipe is bad", i);
		off += e.len;
		after_hole = e.hole;
	}
	recipe->off[recipe->n] = off;
	if (off != recipe->size_bytes)
		return error_set(err, -SOBRE_ECORRUPT,
				 "a recipe does not add up to its size");
	return 0;
}

int recipe_take(const struct record *record, uint8_t **body,
		struct recipe *ret_recipe, struct error *err)
{
	struct recipe recipe = { .n = record->n };
	cleanup_free uint64_t *off =
		calloc((size_t)record->n + 1, sizeof(*off));
	struct reader r;
	int rc;

	if (!off)
		return error_set(err, -ENOMEM, "no memory for a recipe");
	reader_init(&r, *body, record->body_len);
	reader_copy(&r, recipe.content.bytes, sizeof(recipe.content.bytes));
	recipe.size_bytes = reader_u64(&r);
	recipe.entry = reader_bytes(&r, (size_t)record->n * RECIPE_ENTRY_BYTES);
	if (!reader_done(&r) || recipe.size_bytes > INT64_MAX)
		return error_set(err, -SOBRE_ECORRUPT, "a recipe is cut off");
	recipe.off = off;
	rc = index_entries(&recipe, err);
	if (rc < 0)
		return rc;
	(void)take_ptr(&off);
	recipe.body = take_ptr(body);
	*ret_recipe = recipe;
	return 0;
}

int recipe_decode(const struct record *record, const uint8_t *body,
		  struct recipe *ret_recipe, struct error *err)
{
	cleanup_free uint8_t *copy = malloc((size_t)record->body_len + 1);

	if (!copy)
		return error_set(err, -ENOMEM, "no memory for a recipe");
	memcpy(copy, body, record->body_len);
	return recipe_take(record, &copy, ret_recipe, err);
}

size_t recipe_bytes(const struct recipe *recipe)
{
	return (size_t)recipe->n * (RECIPE_ENTRY_BYTES + sizeof(uint64_t));
}

void recipe_release(struct recipe *recipe)
{
	free(recipe->off);
	free(recipe->body);
	*recipe = (struct recipe){ .n = 0 };
}

void recipe_at(const struct recipe *recipe, uint32_t i,
	       struct recipe_entry *ret_entry)
{
	(void)parse_entry(recipe->entry + (size_t)i * RECIPE_ENTRY_BYTES,
			  ret_entry);
	ret_entry->off = recipe->off ? recipe->off[i] : 0;
}

uint32_t recipe_find(const struct recipe *recipe, uint64_t off)
{
	uint32_t low = 0;
	uint32_t high = recipe->n;

	while (high - low > 1) {
		uint32_t mid = low + (high - low) / 2;

		if (recipe->off[mid] <= off)
			low = mid;
		else
			high = mid;
	}
	return low;
}

/* Where entries start in a record that is being built. */
#define ENTRIES_OFF (RECORD_HEADER_BYTES + RECIPE_HEAD_BYTES)

void recipe_begin(struct buf *record)
{
	buf_clear(record);
	(void)buf_extend(record, ENTRIES_OFF);
}

void recipe_add_chunk(struct buf *record, const struct hash128 *id,
		      uint32_t len)
{
	(void)buf_put_u32(record, len);
	(void)buf_put(record, id->bytes, sizeof(id->bytes));
}

void recipe_add_hole(struct buf *record, uint64_t len)
{
	struct recipe_entry last = { .off = 0 };

	if (len == 0)
		return;
	if (!buf_error(record) &&
	    record->len >= ENTRIES_OFF + RECIPE_ENTRY_BYTES)
		(void)parse_entry(
			record->data + record->len - RECIPE_ENTRY_BYTES, &last);
	if (last.hole)
		record->len -= RECIPE_ENTRY_BYTES;
	(void)buf_put_u32(record, 0);
	(void)buf_put_u64(record, len + (last.hole ? last.len : 0));
	(void)buf_put_u64(record, 0);
}

int recipe_end(struct buf *record, const struct hash128 *content,
	       uint64_t size_bytes, struct record *ret_record)
{
	size_t body_len = record->len - RECORD_HEADER_BYTES;
	uint8_t *at;

	(void)buf_put_u64(record, 0); /* padding */
	if (buf_error(record))
		return buf_error(record);
	at = record->data + RECORD_HEADER_BYTES;
	memcpy(at, content->bytes, sizeof(content->bytes));
	at += sizeof(content->bytes);
	for (unsigned int i = 0; i < 8; i++)
		at[i] = (uint8_t)(size_bytes >> (8 * i));
	*ret_record = (struct record){
		.type = RECORD_RECIPE,
		.codec = CODEC_RAW,
		.codec_version = 1,
		.body_len = (uint32_t)body_len,
		.raw_len = (uint32_t)body_len,
		.n = (uint32_t)((body_len - RECIPE_HEAD_BYTES) /
				RECIPE_ENTRY_BYTES),
	};
	return 0;
}
