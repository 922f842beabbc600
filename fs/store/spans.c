/* SPDX-License-Identifier: EUPL-1.2 */
/* How much of its pack each chunk takes, for rows that don't say. */
#include <unistd.h>

#include "fs/base/cleanup.h"
#include "fs/store/internal.h"

/* Set: every row says. */
#define META_SPANS "store_spans"

struct filler {
	struct store *store;
	uint64_t pack;
	uint64_t off;  /* of the extent looked at last; 0: none */
	uint64_t span; /* 0: its header can't be read */
	uint32_t raw_len;
};

static int read_header(struct filler *f, struct error *err)
{
	uint8_t bytes[RECORD_HEADER_BYTES];
	struct error ignored = ERROR_INIT;
	struct pack_ref ref;
	struct record record;
	ssize_t n;
	int rc = pack_get(f->store, f->pack, &ref, err);

	f->span = 0;
	if (rc < 0)
		return is_damage(rc) ? 0 : rc;
	n = pread(ref.fd, bytes, sizeof(bytes), (off_t)f->off);
	pack_put(f->store, &ref);
	if (n != (ssize_t)sizeof(bytes) ||
	    record_decode(bytes, &record, &ignored) < 0 ||
	    record.type != RECORD_EXTENT)
		return 0;
	f->span = record_span(record.body_len);
	f->raw_len = record.raw_len;
	return 0;
}

static int write_part(struct filler *f, const struct chunk_row *row,
		      struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		f->store->cat,
		"UPDATE chunk SET stored_bytes = ?2 WHERE id = ?1", err);
	int64_t n;

	if (!s)
		return err->code;
	stmt_bind_blob(s, 1, row->id.bytes, sizeof(row->id.bytes));
	stmt_bind_i64(
		s, 2,
		(int64_t)extent_part(f->span, f->raw_len, row->skip, row->len));
	n = stmt_run(s, err);
	return n < 0 ? (int)n : 0;
}

static int fill_chunk(struct filler *f, const struct chunk_row *row,
		      struct error *err)
{
	int rc = 0;

	if (row->off != f->off) {
		f->off = row->off;
		rc = read_header(f, err);
	}
	/* A header that lies would lie about more than this. */
	if (rc < 0 || f->span == 0 ||
	    (uint64_t)row->skip + row->len > f->raw_len)
		return rc;
	return write_part(f, row, err);
}

/* What is read is as committed: the rows written meanwhile don't show. */
static int fill_pack(struct store *store, uint64_t pack, struct error *err)
{
	struct filler f = { .store = store, .pack = pack };
	CLEANUP(stmt_done)
	struct catalog_stmt *s =
		catalog_read_stmt(store->cat,
				  "SELECT id, extent_off, skip, len FROM chunk"
				  " WHERE pack = ?1 ORDER BY extent_off",
				  err);
	int rc;

	if (!s)
		return err->code;
	stmt_bind_i64(s, 1, (int64_t)pack);
	while ((rc = stmt_step(s, err)) > 0) {
		struct chunk_row row = {
			.off = (uint64_t)stmt_i64(s, 1),
			.skip = (uint32_t)stmt_i64(s, 2),
			.len = (uint32_t)stmt_i64(s, 3),
		};

		if (!read_id(s, 0, &row.id))
			continue;
		rc = fill_chunk(&f, &row, err);
		if (rc < 0)
			break;
	}
	return rc;
}

static int fill_one(struct store *store, uint64_t pack, struct error *err)
{
	int rc = catalog_begin(store->cat, err);

	if (rc < 0)
		return rc;
	rc = fill_pack(store, pack, err);
	if (rc == 0)
		return catalog_commit(store->cat, err);
	catalog_rollback(store->cat);
	return rc;
}

/* For as long as it takes. */
static int index_rows(struct store *store, bool on, struct error *err)
{
	int64_t n;
	int rc = catalog_begin(store->cat, err);

	if (rc < 0)
		return rc;
	n = store_run(store,
		      on ? "CREATE INDEX IF NOT EXISTS chunk_spans"
			   " ON chunk(pack)"
			 : "DROP INDEX IF EXISTS chunk_spans",
		      NULL, 0, err);
	if (n >= 0)
		return catalog_commit(store->cat, err);
	catalog_rollback(store->cat);
	return (int)n;
}

int store_fill_spans(struct store *store, struct error *err)
{
	cleanup_free struct pack_row *rows = NULL;
	int64_t n;
	int rc = 0;

	if (catalog_meta_get(store->cat, META_SPANS, 0) != 0)
		return 0;
	n = pack_rows(store, VIEW_COMMITTED, &rows, err);
	if (n > 0)
		rc = index_rows(store, true, err);
	for (int64_t i = 0; rc == 0 && i < n; i++)
		rc = fill_one(store, rows[i].id, err);
	if (rc == 0)
		rc = index_rows(store, false, err);
	if (n < 0 || rc < 0)
		return rc < 0 ? rc : (int)n;
	return catalog_meta_set(store->cat, META_SPANS, 1, err);
}
