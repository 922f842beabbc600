/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/store/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/cleanup.h"

static int changed(struct error *err)
{
	return error_set(err, -SOBRE_ECHANGED,
			 "the file changed while it was read");
}

static bool goes_on(const struct source *source, uint64_t off, size_t len)
{
	return !source->go_on ||
	       off / STORE_ASK_BYTES == (off + len) / STORE_ASK_BYTES ||
	       source->go_on(source->ctx);
}

int source_read(const struct source *source, void *buf, size_t len,
		uint64_t off, struct error *err)
{
	uint8_t *at = buf;

	if (source->whole) {
		memcpy(buf, source->whole + off, len);
		return 0;
	}
	if (!goes_on(source, off, len))
		return error_set(err, -ECANCELED, "stopped");
	while (len > 0) {
		ssize_t n = pread(source->fd, at, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(err, -errno, "cannot read: %s",
					 strerrordesc_np(errno));
		if (n == 0)
			return changed(err);
		at += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int source_data(const struct source *source, uint64_t off, uint64_t *ret_start,
		uint64_t *ret_end, struct error *err)
{
	off_t start = lseek(source->fd, (off_t)off, SEEK_DATA);
	off_t end = 0;

	*ret_start = source->size_bytes;
	*ret_end = source->size_bytes;
	if (start >= 0)
		end = lseek(source->fd, start, SEEK_HOLE);
	if (start < 0 || end < 0)
		return errno == ENXIO
			       ? 0
			       : error_set(err, -errno, "cannot seek: %s",
					   strerrordesc_np(errno));
	if ((uint64_t)start < source->size_bytes)
		*ret_start = (uint64_t)start;
	if ((uint64_t)end < source->size_bytes)
		*ret_end = (uint64_t)end;
	return *ret_end > *ret_start || *ret_start == source->size_bytes
		       ? 0
		       : changed(err);
}

int source_check_size(const struct source *source, struct error *err)
{
	struct stat st;

	if (fstat(source->fd, &st) < 0)
		return error_set(err, -errno, "cannot stat: %s",
				 strerrordesc_np(errno));
	return (uint64_t)st.st_size == source->size_bytes ? 0 : changed(err);
}

/* docs/format/pack.md, "Content ids". */
struct identity {
	struct hash_state *data;
	struct hash_state *holes;
	const struct hash_key *key;
	bool any_hole;
};

struct identity *identity_new(const struct hash_key *key)
{
	CLEANUP(identity_free)
	struct identity *id = calloc(1, sizeof(*id));

	if (!id)
		return NULL;
	id->key = key;
	id->data = hash_state_new(key);
	id->holes = hash_state_new(key);
	return id->data && id->holes ? take_ptr(&id) : NULL;
}

void identity_free(struct identity *identity)
{
	if (!identity)
		return;
	hash_state_free(identity->data);
	hash_state_free(identity->holes);
	free(identity);
}

void identity_reset(struct identity *identity)
{
	hash_state_reset(identity->data);
	hash_state_reset(identity->holes);
	identity->any_hole = false;
}

void identity_data(struct identity *identity, const void *data, size_t len)
{
	hash_state_add(identity->data, data, len);
}

static void put_u64(uint8_t *at, uint64_t v)
{
	for (unsigned int i = 0; i < 8; i++)
		at[i] = (uint8_t)(v >> (8 * i));
}

void identity_hole(struct identity *identity, uint64_t off, uint64_t len)
{
	uint8_t pair[16];

	put_u64(pair, off);
	put_u64(pair + 8, len);
	hash_state_add(identity->holes, pair, sizeof(pair));
	identity->any_hole = true;
}

void identity_get(const struct identity *identity, uint64_t size_bytes,
		  struct hash128 *ret_id)
{
	uint8_t all[40];
	struct hash128 h;

	hash_state_get(identity->data, &h);
	if (!identity->any_hole) {
		*ret_id = h;
		return;
	}
	memcpy(all, h.bytes, 16);
	hash_state_get(identity->holes, &h);
	memcpy(all + 16, h.bytes, 16);
	put_u64(all + 32, size_bytes);
	hash128(identity->key, all, sizeof(all), ret_id);
}

static int identify_data(const struct source *source, struct identity *identity,
			 uint8_t *window, uint64_t at, uint64_t end,
			 struct error *err)
{
	if (source->whole) {
		identity_data(identity, source->whole + at, (size_t)(end - at));
		return 0;
	}
	while (at < end) {
		size_t len = end - at < WINDOW_BYTES ? (size_t)(end - at)
						     : WINDOW_BYTES;
		int rc = source_read(source, window, len, at, err);

		if (rc < 0)
			return rc;
		identity_data(identity, window, len);
		at += len;
	}
	return 0;
}

int source_identify(const struct source *source, struct identity *identity,
		    uint8_t *window, struct hash128 *ret_id, struct error *err)
{
	uint64_t at = 0;

	identity_reset(identity);
	while (at < source->size_bytes) {
		uint64_t start;
		uint64_t end;
		int rc = source_data(source, at, &start, &end, err);

		if (rc == 0 && start > at)
			identity_hole(identity, at, start - at);
		if (rc == 0)
			rc = identify_data(source, identity, window, start, end,
					   err);
		if (rc < 0)
			return rc;
		at = end;
	}
	identity_get(identity, source->size_bytes, ret_id);
	return source_check_size(source, err);
}

/* Where the body's next data is, as source_data() says of the file. */
static void body_data(struct store_body *body, uint64_t off,
		      uint64_t size_bytes, uint64_t *ret_start,
		      uint64_t *ret_end)
{
	int64_t start = store_body_seek(body, (int64_t)off, SEEK_DATA);

	*ret_start = start < 0 ? size_bytes : (uint64_t)start;
	*ret_end = start < 0
			   ? size_bytes
			   : (uint64_t)store_body_seek(body, start, SEEK_HOLE);
}

static int compare_layout(const struct source *source, struct store_body *body,
			  struct error *err)
{
	uint64_t at = 0;

	while (at < source->size_bytes) {
		uint64_t start[2];
		uint64_t end[2];
		int rc = source_data(source, at, &start[0], &end[0], err);

		if (rc < 0)
			return rc;
		body_data(body, at, source->size_bytes, &start[1], &end[1]);
		if (start[0] != start[1] || end[0] != end[1])
			return 1;
		at = end[0];
	}
	return 0;
}

static int compare_chunk(const struct source *source, struct store_body *body,
			 uint32_t i, uint8_t *buf, struct error *err)
{
	CLEANUP(chunk_ref_release) struct chunk_ref ref = { .data = NULL };
	struct recipe_entry entry;
	int rc;

	recipe_at(body_recipe(body), i, &entry);
	if (entry.hole)
		return 0;
	rc = source_read(source, buf, (size_t)entry.len, entry.off, err);
	if (rc == 0)
		rc = body_chunk(body, i, &ref, err);
	if (rc < 0 || !ref.data)
		return rc;
	return memcmp(buf, ref.data, (size_t)entry.len) != 0;
}

int source_compare(const struct source *source, struct store_body *body,
		   struct error *err)
{
	cleanup_free uint8_t *buf = malloc(CHUNK_LEN_MAX);
	int rc;

	if (!buf)
		return error_set(err, -ENOMEM, "no memory to compare");
	if (body_recipe(body)->size_bytes != source->size_bytes)
		return 1;
	rc = compare_layout(source, body, err);
	for (uint32_t i = 0; rc == 0 && i < body_recipe(body)->n; i++)
		rc = compare_chunk(source, body, i, buf, err);
	return rc != 0 ? rc : source_check_size(source, err);
}
