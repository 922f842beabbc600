/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/store/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/cleanup.h"

#define IDS_PAGE 256

struct catalog_stmt *view_stmt(struct store *store, enum view view,
			       const char *sql, struct error *err)
{
	return view == VIEW_WRITER ? catalog_write_stmt(store->cat, sql, err)
				   : catalog_read_stmt(store->cat, sql, err);
}

bool read_id(struct catalog_stmt *s, int col, struct hash128 *ret_id)
{
	size_t len;
	const void *blob = stmt_blob(s, col, &len);

	if (len != sizeof(ret_id->bytes))
		return false;
	memcpy(ret_id->bytes, blob, len);
	return true;
}

static void bind_id(struct catalog_stmt *s, int at, const struct hash128 *id)
{
	stmt_bind_blob(s, at, id->bytes, sizeof(id->bytes));
}

/* The row of `id`; the statement is the caller's, in any case. */
static int find_row(struct store *store, enum view view, const char *sql,
		    const struct hash128 *id, struct catalog_stmt **ret_s,
		    struct error *err)
{
	struct catalog_stmt *s = view_stmt(store, view, sql, err);

	*ret_s = s;
	if (!s)
		return err->code;
	bind_id(s, 1, id);
	return stmt_step(s, err);
}

int chunk_row_get(struct store *store, enum view view, const struct hash128 *id,
		  struct chunk_row *ret_row, struct error *err)
{
	CLEANUP(stmt_done) struct catalog_stmt *s = NULL;
	int rc = find_row(
		store, view,
		"SELECT pack, extent_off, skip, len, refs, bad, stored_bytes"
		" FROM chunk WHERE id = ?1 AND pack != 0",
		id, &s, err);

	if (rc <= 0)
		return rc;
	*ret_row = (struct chunk_row){
		.id = *id,
		.pack = (uint64_t)stmt_i64(s, 0),
		.off = (uint64_t)stmt_i64(s, 1),
		.skip = (uint32_t)stmt_i64(s, 2),
		.len = (uint32_t)stmt_i64(s, 3),
		.refs = (uint64_t)stmt_i64(s, 4),
		.bad = stmt_i64(s, 5) != 0,
		.stored_bytes = (uint64_t)stmt_i64(s, 6),
	};
	return 1;
}

/* What is neither used nor counted counts least: the safe guess. */
static enum content_use read_use(struct catalog_stmt *s, int col)
{
	int64_t use = stmt_i64(s, col);

	return use == CONTENT_USED || use == CONTENT_ORPHAN_COUNTED
		       ? (enum content_use)use
		       : CONTENT_ORPHAN;
}

int content_row_get(struct store *store, enum view view,
		    const struct hash128 *id, struct content_row *ret_row,
		    struct error *err)
{
	CLEANUP(stmt_done) struct catalog_stmt *s = NULL;
	int rc = find_row(
		store, view,
		"SELECT size_bytes, pack, off, orphan, bad FROM content"
		" WHERE id = ?1",
		id, &s, err);

	if (rc <= 0)
		return rc;
	*ret_row = (struct content_row){
		.id = *id,
		.size_bytes = (uint64_t)stmt_i64(s, 0),
		.pack = (uint64_t)stmt_i64(s, 1),
		.off = (uint64_t)stmt_i64(s, 2),
		.use = read_use(s, 3),
		.bad = stmt_i64(s, 4) != 0,
	};
	return 1;
}

static void read_pack_row(struct catalog_stmt *s, struct pack_row *ret_row)
{
	*ret_row = (struct pack_row){
		.id = (uint64_t)stmt_i64(s, 0),
		.state = (enum pack_state)stmt_i64(s, 1),
		.size_bytes = (uint64_t)stmt_i64(s, 2),
		.condemned_s = stmt_i64(s, 3),
	};
}

int pack_row_get(struct store *store, enum view view, uint64_t id,
		 struct pack_row *ret_row, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s =
		view_stmt(store, view,
			  "SELECT id, state, size_bytes, condemned_s FROM pack"
			  " WHERE id = ?1",
			  err);
	int rc;

	if (!s)
		return err->code;
	stmt_bind_i64(s, 1, (int64_t)id);
	rc = stmt_step(s, err);
	if (rc > 0)
		read_pack_row(s, ret_row);
	return rc;
}

int pack_takes_uses(struct store *store, enum view view, uint64_t id,
		    struct error *err)
{
	struct pack_row row = { .state = PACK_EMPTIED };
	int rc = pack_row_get(store, view, id, &row, err);

	return rc > 0 ? row.state <= PACK_SEALED : rc;
}

int64_t pack_rows(struct store *store, enum view view,
		  struct pack_row **ret_rows, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s =
		view_stmt(store, view,
			  "SELECT id, state, size_bytes, condemned_s FROM pack"
			  " ORDER BY id",
			  err);
	cleanup_free struct pack_row *rows = NULL;
	size_t cap = 0;
	size_t n = 0;
	int rc = 0;

	if (!s)
		return err->code;
	while ((rc = stmt_step(s, err)) > 0) {
		if (n == cap) {
			size_t more = cap ? 2 * cap : 64;
			void *grown = realloc(rows, more * sizeof(*rows));

			if (!grown)
				return error_set(err, -ENOMEM,
						 "no memory for packs");
			rows = grown;
			cap = more;
		}
		read_pack_row(s, &rows[n++]);
	}
	if (rc < 0)
		return rc;
	*ret_rows = take_ptr(&rows);
	return (int64_t)n;
}

static int run_once(struct catalog_stmt *s, struct error *err)
{
	int64_t n = stmt_run(s, err);

	return n < 0 ? (int)n : 0;
}

#define INSERT_CHUNK                                                    \
	"INSERT INTO chunk(id, pack, extent_off, skip, len, refs, bad," \
	" stored_bytes) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"         \
	" ON CONFLICT(id) DO "

/* How many rows that changed. */
static int64_t insert_chunk(struct store *store, const char *sql,
			    const struct chunk_row *row, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(store->cat, sql, err);

	if (!s)
		return err->code;
	bind_id(s, 1, &row->id);
	stmt_bind_i64(s, 2, (int64_t)row->pack);
	stmt_bind_i64(s, 3, (int64_t)row->off);
	stmt_bind_i64(s, 4, row->skip);
	stmt_bind_i64(s, 5, row->len);
	stmt_bind_i64(s, 6, (int64_t)row->refs);
	stmt_bind_i64(s, 7, row->bad);
	stmt_bind_i64(s, 8, (int64_t)row->stored_bytes);
	return stmt_run(s, err);
}

int chunk_row_put(struct store *store, const struct chunk_row *row,
		  struct error *err)
{
	int64_t n = insert_chunk(
		store,
		INSERT_CHUNK
		"UPDATE SET pack = excluded.pack,"
		" extent_off = excluded.extent_off, skip = excluded.skip,"
		" len = excluded.len, refs = refs + excluded.refs,"
		" bad = excluded.bad, stored_bytes = excluded.stored_bytes",
		row, err);

	return n < 0 ? (int)n : 0;
}

int chunk_row_add(struct store *store, const struct chunk_row *row,
		  struct error *err)
{
	return (int)insert_chunk(store, INSERT_CHUNK "NOTHING", row, err);
}

int chunk_row_count(struct store *store, const struct hash128 *id, int64_t more,
		    struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		store->cat,
		"UPDATE chunk SET refs = max(refs + ?2, 0) WHERE id = ?1"
		" RETURNING pack = 0",
		err);
	int rc;

	if (!s)
		return err->code;
	bind_id(s, 1, id);
	stmt_bind_i64(s, 2, more);
	rc = stmt_step(s, err);
	if (rc == 0)
		return error_set(err, -SOBRE_ENOCHUNK,
				 "a chunk of a recipe is unknown");
	return rc < 0 ? rc : stmt_i64(s, 0) != 0;
}

int content_row_put(struct store *store, const struct content_row *row,
		    struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		store->cat,
		"INSERT OR REPLACE INTO"
		" content(id, size_bytes, pack, off, orphan, bad)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
		err);

	if (!s)
		return err->code;
	bind_id(s, 1, &row->id);
	stmt_bind_i64(s, 2, (int64_t)row->size_bytes);
	stmt_bind_i64(s, 3, (int64_t)row->pack);
	stmt_bind_i64(s, 4, (int64_t)row->off);
	stmt_bind_i64(s, 5, (int64_t)row->use);
	stmt_bind_i64(s, 6, row->bad);
	return run_once(s, err);
}

int content_row_mark(struct store *store, const struct hash128 *id,
		     enum content_use use, bool bad, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		store->cat,
		"UPDATE content SET orphan = ?2, bad = ?3 WHERE id = ?1", err);

	if (!s)
		return err->code;
	bind_id(s, 1, id);
	stmt_bind_i64(s, 2, (int64_t)use);
	stmt_bind_i64(s, 3, bad);
	return run_once(s, err);
}

int pack_row_put(struct store *store, const struct pack_row *row,
		 struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s =
		catalog_write_stmt(store->cat,
				   "INSERT OR REPLACE INTO"
				   " pack(id, state, size_bytes, condemned_s)"
				   " VALUES(?1, ?2, ?3, ?4)",
				   err);

	if (!s)
		return err->code;
	stmt_bind_i64(s, 1, (int64_t)row->id);
	stmt_bind_i64(s, 2, (int64_t)row->state);
	stmt_bind_i64(s, 3, (int64_t)row->size_bytes);
	if (row->condemned_s)
		stmt_bind_i64(s, 4, row->condemned_s);
	else
		stmt_bind_null(s, 4);
	return run_once(s, err);
}

int64_t store_run(struct store *store, const char *sql, const int64_t *binds,
		  int count, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(store->cat, sql, err);

	if (!s)
		return err->code;
	for (int i = 0; i < count; i++)
		stmt_bind_i64(s, i + 1, binds[i]);
	return stmt_run(s, err);
}

int store_query(struct store *store, enum view view, const char *sql,
		int64_t bind, int64_t *ret_value, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = view_stmt(store, view, sql, err);
	int rc;

	if (!s)
		return err->code;
	stmt_bind_i64(s, 1, bind);
	rc = stmt_step(s, err);
	if (rc > 0)
		*ret_value = stmt_i64(s, 0);
	else if (rc == 0)
		*ret_value = 0;
	return rc < 0 ? rc : 0;
}

int ids_add(struct ids *ids, const struct hash128 *id, struct error *err)
{
	if (ids->n == ids->cap) {
		size_t cap = ids->cap ? 2 * ids->cap : 64;
		void *grown = realloc(ids->id, cap * sizeof(*ids->id));

		if (!grown)
			return error_set(err, -ENOMEM, "no memory for ids");
		ids->id = grown;
		ids->cap = cap;
	}
	ids->id[ids->n++] = *id;
	return 0;
}

void ids_release(struct ids *ids)
{
	free(ids->id);
	*ids = (struct ids){ .n = 0 };
}

int ids_select(struct store *store, enum view view, const char *sql,
	       const struct hash128 *after, int max, struct ids *ids,
	       struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = view_stmt(store, view, sql, err);
	int rc;

	if (!s)
		return err->code;
	stmt_bind_blob(s, 1, after->bytes, sizeof(after->bytes));
	stmt_bind_i64(s, 2, max);
	while ((rc = stmt_step(s, err)) > 0) {
		struct hash128 id;

		if (!read_id(s, 0, &id))
			continue;
		rc = ids_add(ids, &id, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

int ids_for_pages(struct store *store, const char *sql, ids_page_fn *page,
		  void *ctx, struct error *err)
{
	struct hash128 after = { .bytes = { 0 } };
	size_t n;
	int rc;

	do {
		struct ids ids = { .n = 0 };

		rc = ids_select(store, VIEW_COMMITTED, sql, &after, IDS_PAGE,
				&ids, err);
		n = ids.n;
		if (n > 0)
			after = ids.id[n - 1];
		if (rc == 0 && n > 0)
			rc = page(store, &ids, ctx, err);
		ids_release(&ids);
	} while (rc == 0 && n > 0);
	return rc;
}
