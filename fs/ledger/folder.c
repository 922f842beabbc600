/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What each directory holds: its own inode, and what has its one name in it.
 * A hook's changes are added up by directory, and written once.
 */
#include <errno.h>
#include <stdlib.h>

#include "fs/ledger/internal.h"

/* --- changes ---------------------------------------------------------------
 */

static struct folder_change *slot_of(const struct folders *folders,
				     uint64_t ino)
{
	uint64_t at = ino * UINT64_C(0x9e3779b97f4a7c15) >> 20;
	struct folder_change *c = NULL;

	do
		c = &folders->slot[at++ & (folders->cap - 1)];
	while (c->ino != 0 && c->ino != ino);
	return c;
}

static int grow(struct folders *folders, struct error *err)
{
	struct folders more = {
		.cap = folders->cap == 0 ? 64 : folders->cap * 2,
		.n = folders->n,
	};

	more.slot = calloc(more.cap, sizeof(*more.slot));
	if (more.slot == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < folders->cap; i++) {
		const struct folder_change *c = &folders->slot[i];

		if (c->ino != 0)
			*slot_of(&more, c->ino) = *c;
	}
	free(folders->slot);
	*folders = more;
	return 0;
}

/* NULL: out of memory. */
static struct folder_change *change_of(struct folders *folders, uint64_t ino,
				       struct error *err)
{
	struct folder_change *c = NULL;

	if (2 * (folders->n + 1) > folders->cap && grow(folders, err) < 0)
		return NULL;
	c = slot_of(folders, ino);
	if (c->ino == 0) {
		c->ino = ino;
		folders->n++;
	}
	return c;
}

int folders_add(struct folders *folders, const struct charge *charge, int sign,
		struct error *err)
{
	struct folder_change *c = NULL;
	struct folder_sums *sums = NULL;

	if (charge->parent == 0)
		return 0;
	c = change_of(folders, charge->parent, err);
	if (c == NULL)
		return err->code;
	sums = &c->sums;
	sums->files += charge->regular ? sign : 0;
	sums->packed += charge->packed ? sign : 0;
	sums->blocks += sign * charge->blocks;
	sums->logical_high += sign * (charge->size_bytes >> 20);
	sums->logical_low += sign * (charge->size_bytes & 0xfffff);
	sums->own_high += sign * charge->own_high;
	sums->own_low += sign * charge->own_low;
	sums->exclusive_bytes += sign * charge->exclusive_bytes;
	c->less = c->less || sign < 0;
	return 0;
}

int folders_place(struct folders *folders, uint64_t ino, uint64_t parent,
		  struct error *err)
{
	struct folder_change *c = change_of(folders, ino, err);

	if (c == NULL)
		return err->code;
	c->placed = true;
	c->parent = parent;
	return 0;
}

void folders_release(struct folders *folders)
{
	free(folders->slot);
	*folders = (struct folders){ .n = 0 };
}

/* --- rows --------------------------------------------------------------------
 */

#define ADDED                                                   \
	" files = files + excluded.files,"                      \
	" packed = packed + excluded.packed,"                   \
	" blocks = blocks + excluded.blocks,"                   \
	" logical_high = logical_high + excluded.logical_high," \
	" logical_low = logical_low + excluded.logical_low,"    \
	" own_high = own_high + excluded.own_high,"             \
	" own_low = own_low + excluded.own_low,"                \
	" exclusive_bytes = exclusive_bytes + excluded.exclusive_bytes"
#define ADD                                                               \
	"INSERT INTO folder(ino, parent, files, packed, blocks,"          \
	" logical_high, logical_low, own_high, own_low, exclusive_bytes)" \
	" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"                \
	" ON CONFLICT(ino) DO UPDATE SET"

/* The index on parent is left alone when it isn't told. */
static int write_change(struct catalog *cat, const struct folder_change *c,
			struct error *err)
{
	static const char add[] = ADD ADDED;
	static const char place[] = ADD " parent = excluded.parent," ADDED;
	CLEANUP(stmt_done)
	struct catalog_stmt *s =
		catalog_write_stmt(cat, c->placed ? place : add, err);
	int64_t n = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, (int64_t)c->ino);
	stmt_bind_i64(s, 2, (int64_t)c->parent);
	stmt_bind_i64(s, 3, c->sums.files);
	stmt_bind_i64(s, 4, c->sums.packed);
	stmt_bind_i64(s, 5, c->sums.blocks);
	stmt_bind_i64(s, 6, c->sums.logical_high);
	stmt_bind_i64(s, 7, c->sums.logical_low);
	stmt_bind_i64(s, 8, c->sums.own_high);
	stmt_bind_i64(s, 9, c->sums.own_low);
	stmt_bind_i64(s, 10, c->sums.exclusive_bytes);
	n = stmt_run(s, err);
	return n < 0 ? (int)n : 0;
}

/* The row goes with the last that it counted, unless its directory is there. */
static int drop_empty(struct catalog *cat, uint64_t ino, struct error *err)
{
	return write_ino(
		cat,
		"DELETE FROM folder WHERE ino = ?1 AND NOT EXISTS"
		" (SELECT 1 FROM charge c WHERE c.ino = ?1 AND c.place <> 0)"
		" AND (files, packed, blocks, logical_high, logical_low,"
		" own_high, own_low, exclusive_bytes)"
		" = (0, 0, 0, 0, 0, 0, 0, 0)",
		ino, err);
}

int folders_write(struct catalog *cat, const struct folders *folders,
		  struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < folders->cap; i++) {
		const struct folder_change *c = &folders->slot[i];

		if (c->ino == 0)
			continue;
		rc = write_change(cat, c, err);
		if (rc == 0 && c->less)
			rc = drop_empty(cat, c->ino, err);
	}
	return rc;
}

bool folder_sums_read(struct catalog_stmt *s, int col,
		      struct folder_sums *ret_sums)
{
	struct folder_sums sums = {
		.files = stmt_i64(s, col),
		.packed = stmt_i64(s, col + 1),
		.blocks = stmt_i64(s, col + 2),
		.logical_high = stmt_i64(s, col + 3),
		.logical_low = stmt_i64(s, col + 4),
		.own_high = stmt_i64(s, col + 5),
		.own_low = stmt_i64(s, col + 6),
		.exclusive_bytes = stmt_i64(s, col + 7),
	};

	*ret_sums = sums;
	return sums.files >= 0 && sums.packed >= 0 && sums.blocks >= 0 &&
	       sums.logical_high >= 0 && sums.logical_low >= 0 &&
	       sums.own_high >= 0 && sums.own_low >= 0 &&
	       sums.exclusive_bytes >= 0;
}

/* --- all of them -------------------------------------------------------------
 */

static int run(struct catalog *cat, const char *sql, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(cat, sql, err);
	int64_t n = s == NULL ? err->code : stmt_run(s, err);

	return n < 0 ? (int)n : 0;
}

int folders_again(struct catalog *cat, struct error *err)
{
	int rc = run(cat, "DELETE FROM folder", err);

	if (rc == 0)
		rc = run(cat, "DELETE FROM apart", err);
	if (rc == 0)
		rc = run(cat,
			 "INSERT INTO apart SELECT ino FROM charge"
			 " WHERE parent = 0 AND members <> x''",
			 err);
	if (rc == 0)
		rc = run(cat,
			 "INSERT INTO folder SELECT parent, 0, sum(regular),"
			 " count(content), sum(blocks), sum(size_bytes >> 20),"
			 " sum(size_bytes & 1048575), sum(own_high),"
			 " sum(own_low), sum(exclusive_bytes)"
			 " FROM charge WHERE parent <> 0 GROUP BY parent",
			 err);
	if (rc == 0)
		rc = run(cat,
			 "INSERT OR IGNORE INTO folder"
			 " SELECT ino, 0, 0, 0, 0, 0, 0, 0, 0, 0"
			 " FROM charge WHERE place <> 0",
			 err);
	if (rc == 0)
		rc = run(cat,
			 "UPDATE folder SET parent = coalesce("
			 "(SELECT parent FROM name INDEXED BY name_ino"
			 " WHERE name.ino = folder.ino"
			 " ORDER BY seen DESC LIMIT 1), 0)",
			 err);
	return rc;
}
