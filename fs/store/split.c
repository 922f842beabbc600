/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/store/split.h"

#include <string.h>

/* A smaller file is one chunk: its parts are seldom found again. */
#define ONE_CHUNK_BELOW (32u << 10)

int source_load(struct source *source, uint8_t *window, struct error *err)
{
	int rc;

	if (source->size_bytes > WINDOW_BYTES)
		return 0;
	rc = source_read(source, window, (size_t)source->size_bytes, 0, err);
	if (rc == 0)
		source->whole = window;
	return rc;
}

/* Cuts `len` bytes. When `last` all of them, else leaves those that may need
 * more to be cut; returns how many were used, or negative. */
static int64_t cut_window(struct split *split, const uint8_t *data, size_t len,
			  bool last, struct error *err)
{
	bool one = split->source->size_bytes < ONE_CHUNK_BELOW;
	size_t at = 0;

	while (at < len && (last || len - at >= CHUNK_MAX_BYTES)) {
		size_t n = one ? len - at : chunk_cut(data + at, len - at);
		int rc = split->chunk(split->ctx, data + at, (uint32_t)n, err);

		if (rc < 0)
			return rc;
		at += n;
	}
	return (int64_t)at;
}

/* [start, end[ with no forced cut inside. */
static int split_segment(struct split *split, uint64_t start, uint64_t end,
			 struct error *err)
{
	const struct source *source = split->source;
	uint8_t *window = split->window;
	size_t have = 0;
	int64_t used;

	if (source->whole) {
		used = cut_window(split, source->whole + start,
				  (size_t)(end - start), true, err);
		return used < 0 ? (int)used : 0;
	}
	while (start < end || have > 0) {
		size_t more = WINDOW_BYTES - have;
		int rc;

		if (more > end - start)
			more = (size_t)(end - start);
		rc = source_read(source, window + have, more, start, err);
		if (rc < 0)
			return rc;
		identity_data(split->identity, window + have, more);
		start += more;
		have += more;
		used = cut_window(split, window, have, start == end, err);
		if (used < 0)
			return (int)used;
		have -= (size_t)used;
		memmove(window, window + used, have);
	}
	return 0;
}

/* A run of data, in segments between forced cuts. */
static int split_data(struct split *split, uint64_t start, uint64_t end,
		      struct error *err)
{
	const struct chunk_cuts *cuts = &split->cuts;
	const uint8_t *whole = split->source->whole;

	while (start < end) {
		uint64_t stop = end;
		int rc;

		while (split->next_cut < cuts->n &&
		       cuts->off[split->next_cut] <= start)
			split->next_cut++;
		if (split->next_cut < cuts->n &&
		    cuts->off[split->next_cut] < end)
			stop = cuts->off[split->next_cut];
		if (whole)
			identity_data(split->identity, whole + start,
				      (size_t)(stop - start));
		rc = split_segment(split, start, stop, err);
		if (rc < 0)
			return rc;
		start = stop;
	}
	return 0;
}

static int split_runs(struct split *split, struct error *err)
{
	uint64_t at = 0;

	identity_reset(split->identity);
	while (at < split->source->size_bytes) {
		uint64_t start;
		uint64_t end;
		int rc = source_data(split->source, at, &start, &end, err);

		if (rc < 0)
			return rc;
		if (start > at) {
			identity_hole(split->identity, at, start - at);
			split->hole(split->ctx, start - at);
		}
		rc = split_data(split, start, end, err);
		if (rc < 0)
			return rc;
		at = end;
	}
	return 0;
}

/* What was read this time must be what was identified the first time. */
static int check_identity(const struct split *split,
			  const struct hash128 *content, struct error *err)
{
	struct hash128 id;

	identity_get(split->identity, split->source->size_bytes, &id);
	if (hash128_compare(&id, content) != 0)
		return error_set(err, -SOBRE_ECHANGED,
				 "the file changed while it was read again");
	return source_check_size(split->source, err);
}

static int read_cuts(void *ctx, void *buf, size_t len, uint64_t off,
		     struct error *err)
{
	return source_read(ctx, buf, len, off, err);
}

int source_split(struct split *split, const struct hash128 *content,
		 struct error *err)
{
	struct source source = *split->source;
	int rc = 0;

	split->cuts = (struct chunk_cuts){ .n = 0 };
	split->next_cut = 0;
	if (source.size_bytes >= ONE_CHUNK_BELOW)
		rc = chunk_zip_cuts(read_cuts, &source, source.size_bytes,
				    &split->cuts, err);
	if (rc == 0)
		rc = split_runs(split, err);
	if (rc == 0)
		rc = check_identity(split, content, err);
	chunk_cuts_free(&split->cuts);
	return rc;
}
