/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Which chunks' rows may name a pack: its extents list their chunks. An index
 * of all rows by pack would be a third of what they take.
 */
#include "fs/base/cleanup.h"
#include "fs/store/internal.h"

#define MADE                                                        \
	"CREATE TEMP TABLE IF NOT EXISTS here(id BLOB PRIMARY KEY)" \
	" WITHOUT ROWID"

static int run(struct store *store, const char *sql, uint64_t pack,
	       struct error *err)
{
	const int64_t bind = (int64_t)pack;
	int64_t n = store_run(store, sql, &bind, pack ? 1 : 0, err);

	return n < 0 ? (int)n : 0;
}

static int add(struct store *store, const uint8_t id[16], struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		store->cat, "INSERT OR IGNORE INTO here(id) VALUES(?1)", err);
	int64_t n;

	if (!s)
		return err->code;
	stmt_bind_blob(s, 1, id, 16);
	n = stmt_run(s, err);
	return n < 0 ? (int)n : 0;
}

/* Its list lies before what is compressed: docs/format/pack.md. */
static int add_extent(struct store *store, const struct walk_item *item,
		      struct error *err)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < item->record.n; i++)
		rc = add(store, item->body + (size_t)i * EXTENT_ENTRY_BYTES,
			 err);
	return rc;
}

/* 1: a part of the pack is no sound record. */
static int add_pack(struct store *store, uint64_t pack, struct error *err)
{
	struct walk_item item = { .body = NULL };
	struct walk walk;
	int rc = walk_start(&walk, store, pack, PACK_HEADER_BYTES, 0, err);

	if (rc < 0)
		return is_damage(rc) ? 1 : rc;
	while ((rc = walk_next(&walk, &item, err)) > 0 && !item.bad) {
		if (item.record.type == RECORD_EXTENT)
			rc = add_extent(store, &item, err);
		if (rc < 0)
			break;
	}
	walk_end(&walk, &item);
	return rc;
}

int here_fill(struct store *store, uint64_t pack, struct error *err)
{
	int rc = run(store, MADE, 0, err);

	if (rc == 0)
		rc = run(store, "DELETE FROM here", 0, err);
	if (rc == 0)
		rc = add_pack(store, pack, err);
	if (rc <= 0)
		return rc;
	/* All rows are asked: it takes long, and is rare. */
	return run(store,
		   "INSERT OR IGNORE INTO here(id)"
		   " SELECT id FROM chunk WHERE pack = ?1",
		   pack, err);
}

/* --- what lives where ----------------------------------------------------- */

#define PAGE_ROWS 65536

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

int lives_read(struct store *store, struct lives *ret_lives, struct error *err)
{
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
	do
		rc = count_page(store, &lives, &last, err);
	while (rc == PAGE_ROWS);
	if (rc < 0)
		free(lives.life);
	else
		*ret_lives = lives;
	return rc < 0 ? rc : 0;
}
