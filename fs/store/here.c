/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Which chunks' rows may name a pack: its extents list their chunks. An index
 * of all rows by pack would be a third of what they take.
 */
#include "fs/store/internal.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/cleanup.h"

/* A header, and the table of most extents. */
#define LOOK_BYTES 4096

void here_release(struct here *here)
{
	free(here->chunk);
	*here = (struct here){ .n = 0 };
}

static int add(struct here *here, const uint8_t *id, uint64_t off,
	       struct error *err)
{
	if (here->n == here->cap) {
		size_t cap = here->cap ? 2 * here->cap : 4096;
		void *grown = realloc(here->chunk, cap * sizeof(*here->chunk));

		if (!grown)
			return error_set(err, -ENOMEM, "no memory to collect");
		here->chunk = grown;
		here->cap = cap;
	}
	memcpy(here->chunk[here->n].id.bytes, id,
	       sizeof(here->chunk[here->n].id.bytes));
	here->chunk[here->n++].off = off;
	return 0;
}

/* 1: it can't be read whole. */
static int read_at(int fd, uint8_t *buf, size_t len, uint64_t off)
{
	while (len > 0) {
		ssize_t n = pread(fd, buf, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 1;
		buf += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* Its list lies before what is compressed: docs/format/pack.md. */
static int add_extent(struct here *here, int fd, const struct record *record,
		      const uint8_t look[LOOK_BYTES], uint64_t off,
		      struct error *err)
{
	size_t len = (size_t)record->n * EXTENT_ENTRY_BYTES;
	cleanup_free uint8_t *rest = NULL;
	const uint8_t *table = look + RECORD_HEADER_BYTES;
	int rc = 0;

	if (RECORD_HEADER_BYTES + len > LOOK_BYTES) {
		table = rest = malloc(len);
		if (!rest)
			return error_set(err, -ENOMEM, "no memory to collect");
		rc = read_at(fd, rest, len, off + RECORD_HEADER_BYTES);
	}
	for (uint32_t i = 0; rc == 0 && i < record->n; i++)
		rc = add(here, table + (size_t)i * EXTENT_ENTRY_BYTES, off,
			 err);
	return rc;
}

/* 1: there is no sound record at `*off`; else that of the next. */
static int add_record(struct here *here, int fd, uint64_t end, uint64_t *off,
		      struct error *err)
{
	struct error ignored = ERROR_INIT;
	uint8_t look[LOOK_BYTES];
	struct record record;
	size_t len =
		end - *off < LOOK_BYTES ? (size_t)(end - *off) : LOOK_BYTES;
	uint64_t at = *off;

	if (len < RECORD_HEADER_BYTES || read_at(fd, look, len, at) ||
	    record_decode(look, &record, &ignored) < 0)
		return 1;
	*off += record_span(record.body_len);
	if (*off > end)
		return 1;
	return record.type == RECORD_EXTENT
		       ? add_extent(here, fd, &record, look, at, err)
		       : 0;
}

/* 1: a part of the pack is no sound record. */
static int add_pack(struct store *store, uint64_t pack, struct here *here,
		    struct error *err)
{
	uint64_t off = PACK_HEADER_BYTES;
	struct pack_ref ref;
	struct stat st;
	int rc = pack_get(store, pack, &ref, err);

	if (rc < 0)
		return is_damage(rc) ? 1 : rc;
	rc = fstat(ref.fd, &st) < 0;
	while (rc == 0 && off < (uint64_t)st.st_size)
		rc = add_record(here, ref.fd, (uint64_t)st.st_size, &off, err);
	pack_put(store, &ref);
	return rc;
}

int here_scan(struct store *store, uint64_t pack, struct here *ret_here,
	      struct error *err)
{
	CLEANUP(here_release) struct here here = { .n = 0 };
	CLEANUP(stmt_done)
	struct catalog_stmt *s =
		catalog_read_stmt(store->cat,
				  "SELECT id, extent_off FROM chunk"
				  " WHERE pack = ?1 ORDER BY extent_off, skip",
				  err);
	struct hash128 id;
	int rc;

	if (!s)
		return err->code;
	stmt_bind_i64(s, 1, (int64_t)pack);
	while ((rc = stmt_step(s, err)) > 0) {
		if (read_id(s, 0, &id))
			rc = add(&here, id.bytes, (uint64_t)stmt_i64(s, 1),
				 err);
		if (rc < 0)
			return rc;
	}
	if (rc < 0)
		return rc;
	*ret_here = here;
	here = (struct here){ .n = 0 };
	return 0;
}

int here_list(struct store *store, uint64_t pack, struct here *ret_here,
	      struct error *err)
{
	CLEANUP(here_release) struct here here = { .n = 0 };
	int rc = add_pack(store, pack, &here, err);

	/* All rows are asked: it takes long, and is rare. */
	if (rc > 0)
		return here_scan(store, pack, ret_here, err);
	if (rc < 0)
		return rc;
	*ret_here = here;
	here = (struct here){ .n = 0 };
	return 0;
}

/* --- what lives where ----------------------------------------------------- */

#define PAGE_ROWS 16384

static struct pack_life *find(const struct lives *lives, uint64_t pack)
{
	size_t low = 0;
	size_t high = lives->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (lives->life[mid].pack < pack)
			low = mid + 1;
		else
			high = mid;
	}
	return low < lives->n && lives->life[low].pack == pack
		       ? &lives->life[low]
		       : NULL;
}

struct pack_life lives_of(const struct lives *lives, uint64_t pack)
{
	const struct pack_life *life = find(lives, pack);

	return life ? *life : (struct pack_life){ .pack = pack };
}

static void count_row(const struct lives *lives, struct catalog_stmt *s)
{
	struct pack_life *life = find(lives, (uint64_t)stmt_i64(s, 1));
	uint64_t len = (uint64_t)stmt_i64(s, 2);

	if (!life)
		return;
	life->chunks++;
	life->all_bytes += len;
	if (stmt_i64(s, 3) <= 0)
		return;
	life->live_bytes += len;
	life->live_chunks++;
	life->damaged |= stmt_i64(s, 4) != 0;
}

/* How many; `*last` is the last one's id. */
static int count_page(struct store *store, const struct lives *lives,
		      struct hash128 *last, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_read_stmt(
		store->cat,
		"SELECT id, pack, len, refs, bad FROM chunk WHERE id > ?1"
		" AND length(id) = 16 ORDER BY id LIMIT ?2",
		err);
	int n = 0;
	int rc;

	if (!s)
		return err->code;
	stmt_bind_blob(s, 1, last->bytes, sizeof(last->bytes));
	stmt_bind_i64(s, 2, PAGE_ROWS);
	while ((rc = stmt_step(s, err)) > 0) {
		count_row(lives, s);
		(void)read_id(s, 0, last);
		n++;
	}
	return rc < 0 ? rc : n;
}

int lives_read(struct store *store, const struct store_gc_options *options,
	       struct lives *ret_lives, struct error *err)
{
	int stop = 0;

	cleanup_free struct pack_row *packs = NULL;
	struct hash128 last = { .bytes = { 0 } };
	struct lives lives = { .n = 0 };
	int64_t n = pack_rows(store, VIEW_COMMITTED, &packs, err);
	int rc;

	if (n < 0)
		return (int)n;
	lives.life = calloc((size_t)n + 1, sizeof(*lives.life));
	if (!lives.life)
		return error_set(err, -ENOMEM, "no memory to collect");
	for (; lives.n < (size_t)n; lives.n++)
		lives.life[lives.n].pack = packs[lives.n].id;
	do {
		rc = count_page(store, &lives, &last, err);
		if (rc >= 0)
			stop = gc_go_on(options, err);
	} while (rc == PAGE_ROWS && stop == 0);
	rc = rc < 0 ? rc : stop;
	if (rc < 0)
		free(lives.life);
	else
		*ret_lives = lives;
	return rc < 0 ? rc : 0;
}
