/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The central directory of a ZIP container, read only to find good places to
 * cut: whatever looks wrong ends the search, it is no error.
 * https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
#include "fs/chunk/chunk.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "fs/base/cleanup.h"
#include "fs/base/reader.h"

#define END_SIGNATURE	 UINT32_C(0x06054b50)
#define ENTRY_SIGNATURE	 UINT32_C(0x02014b50)
#define MEMBER_SIGNATURE UINT32_C(0x04034b50)
#define END_BYTES	 22u
#define ENTRY_BYTES	 46u
#define MEMBER_BYTES	 30u
#define TAIL_BYTES	 (END_BYTES + 65535u)
#define WINDOW_BYTES	 (64u << 10)
#define FLAG_ENCRYPTED	 1u
#define IS_ZIP64	 UINT32_C(0xffffffff)

/* A window on the file, moved as it is read. */
struct zip {
	chunk_read_fn *read;
	void *ctx;
	uint64_t size_bytes;
	uint8_t *window; /* TAIL_BYTES */
	uint64_t window_off;
	size_t window_len;
};

struct directory {
	uint64_t off;
	uint64_t size_bytes;
	unsigned int entries;
};

struct member {
	uint64_t off;	     /* of its local header */
	uint64_t data_bytes; /* as stored */
	bool usable;
};

/* `len` bytes at `off` in the window; NULL and 0 when beyond the end. */
static int zip_at(struct zip *z, uint64_t off, size_t len,
		  const uint8_t **ret_data, struct error *err)
{
	uint64_t left;
	size_t want;
	int rc;

	*ret_data = NULL;
	if (off > z->size_bytes || len > z->size_bytes - off)
		return 0;
	if (off < z->window_off || off + len > z->window_off + z->window_len) {
		left = z->size_bytes - off;
		want = left < WINDOW_BYTES ? (size_t)left : WINDOW_BYTES;
		z->window_len = 0;
		rc = z->read(z->ctx, z->window, want, off, err);
		if (rc < 0)
			return rc;
		z->window_off = off;
		z->window_len = want;
	}
	*ret_data = z->window + (off - z->window_off);
	return 0;
}

/* The end record is at `tail`, if the directory it names lies before it. */
static bool end_record(const uint8_t *tail, size_t left, uint64_t off,
		       struct directory *ret_dir)
{
	struct reader r;
	uint16_t disk;
	uint16_t comment;
	uint32_t size;
	uint32_t start;

	reader_init(&r, tail, left);
	if (reader_u32(&r) != END_SIGNATURE)
		return false;
	disk = reader_u16(&r);
	disk |= reader_u16(&r);
	(void)reader_u16(&r);
	ret_dir->entries = reader_u16(&r);
	size = reader_u32(&r);
	start = reader_u32(&r);
	comment = reader_u16(&r);
	ret_dir->size_bytes = size;
	ret_dir->off = start;
	return !disk && comment == reader_left(&r) && start != IS_ZIP64 &&
	       (uint64_t)start + size <= off;
}

/* Returns 1 when there is one, 0 when not, negative for a failed read. */
static int find_directory(struct zip *z, struct directory *ret_dir,
			  struct error *err)
{
	size_t len =
		z->size_bytes < TAIL_BYTES ? (size_t)z->size_bytes : TAIL_BYTES;
	uint64_t start = z->size_bytes - len;
	int rc = z->read(z->ctx, z->window, len, start, err);

	if (rc < 0)
		return rc;
	for (size_t back = END_BYTES; back <= len; back++)
		if (end_record(z->window + len - back, back,
			       z->size_bytes - back, ret_dir))
			return 1;
	return 0;
}

/* Reads one entry; its length, 0 at what is none, negative. */
static int64_t read_entry(struct zip *z, uint64_t off,
			  struct member *ret_member, struct error *err)
{
	const uint8_t *data;
	struct reader r;
	uint16_t flags;
	int64_t len = ENTRY_BYTES;
	int rc = zip_at(z, off, ENTRY_BYTES, &data, err);

	if (rc < 0 || !data)
		return rc;
	reader_init(&r, data, ENTRY_BYTES);
	if (reader_u32(&r) != ENTRY_SIGNATURE)
		return 0;
	(void)reader_bytes(&r, 4);
	flags = reader_u16(&r);
	(void)reader_bytes(&r, 10);
	ret_member->data_bytes = reader_u32(&r);
	(void)reader_u32(&r);
	len += reader_u16(&r);
	len += reader_u16(&r);
	len += reader_u16(&r);
	(void)reader_bytes(&r, 8);
	ret_member->off = reader_u32(&r);
	ret_member->usable = !(flags & FLAG_ENCRYPTED) &&
			     ret_member->data_bytes != IS_ZIP64 &&
			     ret_member->off != IS_ZIP64;
	return len;
}

/* Where the member's data starts: 1, or 0 when the header isn't one. */
static int data_start(struct zip *z, const struct member *m,
		      uint64_t *ret_start, struct error *err)
{
	uint8_t bytes[MEMBER_BYTES];
	struct reader r;
	int rc;

	if (m->off > z->size_bytes || z->size_bytes - m->off < MEMBER_BYTES)
		return 0;
	rc = z->read(z->ctx, bytes, sizeof(bytes), m->off, err);
	if (rc < 0)
		return rc;
	reader_init(&r, bytes, sizeof(bytes));
	if (reader_u32(&r) != MEMBER_SIGNATURE)
		return 0;
	(void)reader_bytes(&r, 22);
	*ret_start = m->off + MEMBER_BYTES + reader_u16(&r);
	*ret_start += reader_u16(&r);
	return *ret_start <= z->size_bytes &&
	       m->data_bytes <= z->size_bytes - *ret_start;
}

struct span {
	uint64_t start;
	uint64_t end;
};

struct spans {
	struct span *span; /* owned */
	size_t n;
	size_t cap;
};

static void spans_release_at(struct spans *s)
{
	free(s->span);
}

static int spans_add(struct spans *s, uint64_t start, uint64_t end,
		     struct error *err)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 64;
		struct span *grown = realloc(s->span, cap * sizeof(*grown));

		if (!grown)
			return error_set(err, -ENOMEM, "no memory for cuts");
		s->span = grown;
		s->cap = cap;
	}
	s->span[s->n++] = (struct span){ .start = start, .end = end };
	return 0;
}

/* The data of every member that is worth it, in the directory's order. */
static int collect(struct zip *z, const struct directory *dir,
		   struct spans *spans, struct error *err)
{
	uint64_t at = dir->off;
	uint64_t end = dir->off + dir->size_bytes;

	for (unsigned int i = 0; i < dir->entries && at < end; i++) {
		struct member m = { .usable = false };
		uint64_t start;
		int64_t len = read_entry(z, at, &m, err);
		int rc;

		if (len <= 0)
			return (int)len;
		at += (uint64_t)len;
		if (!m.usable || m.data_bytes < CHUNK_SEGMENT_MIN_BYTES)
			continue;
		rc = data_start(z, &m, &start, err);
		if (rc > 0)
			rc = spans_add(spans, start, start + m.data_bytes, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int by_start(const void *a, const void *b)
{
	uint64_t x = ((const struct span *)a)->start;
	uint64_t y = ((const struct span *)b)->start;

	return (x > y) - (x < y);
}

static void cut_at(struct chunk_cuts *cuts, uint64_t off, uint64_t size_bytes)
{
	if (off > 0 && off < size_bytes &&
	    (cuts->n == 0 || off > cuts->off[cuts->n - 1]))
		cuts->off[cuts->n++] = off;
}

/* Ascending; members that overlap an earlier one are left out, so that a
 * lying directory can't make more chunks than a true one. */
static int to_cuts(struct spans *s, uint64_t size_bytes,
		   struct chunk_cuts *ret_cuts, struct error *err)
{
	uint64_t *off;
	uint64_t last = 0;

	if (s->n == 0)
		return 0;
	off = calloc(2 * s->n, sizeof(*off));
	if (!off)
		return error_set(err, -ENOMEM, "no memory for cuts");
	ret_cuts->off = off;
	qsort(s->span, s->n, sizeof(*s->span), by_start);
	for (size_t i = 0; i < s->n; i++) {
		if (s->span[i].start < last)
			continue;
		cut_at(ret_cuts, s->span[i].start, size_bytes);
		last = s->span[i].end;
		cut_at(ret_cuts, last, size_bytes);
	}
	return 0;
}

/* A ZIP starts with a member or, when empty, with its end record. */
static int starts_like_zip(struct zip *z, struct error *err)
{
	const uint8_t *data;
	int rc = zip_at(z, 0, 4, &data, err);

	return rc < 0 ? rc : data && data[0] == 'P' && data[1] == 'K';
}

int chunk_zip_cuts(chunk_read_fn *read, void *ctx, uint64_t size_bytes,
		   struct chunk_cuts *ret_cuts, struct error *err)
{
	CLEANUP(spans_release) struct spans spans = { .n = 0 };
	cleanup_free uint8_t *window = NULL;
	struct zip z = { .read = read, .ctx = ctx, .size_bytes = size_bytes };
	struct directory dir;
	int rc;

	*ret_cuts = (struct chunk_cuts){ .n = 0 };
	if (size_bytes < END_BYTES)
		return 0;
	z.window = window = malloc(TAIL_BYTES);
	if (!window)
		return error_set(err, -ENOMEM, "no memory for a ZIP window");
	rc = starts_like_zip(&z, err);
	if (rc > 0)
		rc = find_directory(&z, &dir, err);
	if (rc > 0)
		rc = collect(&z, &dir, &spans, err);
	return rc < 0 ? rc : to_cuts(&spans, size_bytes, ret_cuts, err);
}

void chunk_cuts_free(struct chunk_cuts *cuts)
{
	free(cuts->off);
	*cuts = (struct chunk_cuts){ .n = 0 };
}
