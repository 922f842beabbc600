/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The end of condemned packs, DESIGN invariant 3: their grace is over, the
 * lower is synced, every inode ever tied to what they hold was looked at, and
 * the counts are read again in the transactions that forget them: first the
 * contents, all of them; only then the rows of chunks, which nothing adopts
 * from a condemned pack; last the pack.
 */
#include "fs/store/internal.h"

#include <errno.h>
#include <stdlib.h>

#include "fs/base/cleanup.h"
#include "fs/base/io.h"
#include "fs/store/users.h"

/* Packs dropped in one pass at most. */
#define PACKS_MAX 64
/* Rows deleted in one transaction: it keeps other writers waiting. */
#define DELETE_ROWS 1024

struct due {
	struct store *store;
	const struct store_gc_options *options;
	struct pack_row pack[PACKS_MAX];
	uint64_t rows[PACKS_MAX]; /* of chunks that name it */
	size_t n;
	struct ids contents; /* orphans that lose data with them */
};

static bool is_due(const struct due *due, uint64_t pack)
{
	for (size_t i = 0; i < due->n; i++)
		if (due->pack[i].id == pack)
			return true;
	return false;
}

static int list_due(struct due *due, enum pack_state state, struct error *err)
{
	cleanup_free struct pack_row *rows = NULL;
	int64_t now = clock_now_s(&due->store->options.clock);
	int64_t n = pack_rows(due->store, VIEW_COMMITTED, &rows, err);

	due->n = 0;
	for (int64_t i = 0; i < n && due->n < PACKS_MAX; i++)
		if (rows[i].state == state &&
		    (state == PACK_EMPTIED ||
		     now - rows[i].condemned_s >= due->options->grace_s))
			due->pack[due->n++] = rows[i];
	return n < 0 ? (int)n : 0;
}

/* Does a chunk of it go, or is one gone already? */
static int loses_chunk(struct due *due, const struct recipe *recipe,
		       struct error *err)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < recipe->n; i++) {
		struct recipe_entry entry;
		struct chunk_row chunk;

		recipe_at(recipe, i, &entry);
		if (entry.hole)
			continue;
		rc = chunk_row_get(due->store, VIEW_COMMITTED, &entry.id,
				   &chunk, err);
		if (rc >= 0)
			rc = rc == 0 || is_due(due, chunk.pack);
	}
	return rc;
}

/*
 * Which chunks does it need? As long as that can't be read, what is due may
 * be all it has. When a file uses it, counting it again fails, and the pass
 * with it.
 */
static int is_unreadable(struct due *due, const struct content_row *row,
			 struct error *err)
{
	int rc;

	if (row->use == CONTENT_ORPHAN_COUNTED)
		return 0;
	rc = ties_used(due->store, due->options, &row->id, err);
	if (rc > 0)
		rc = content_revive(due->store, &row->id, err);
	return rc;
}

/* Does the orphan lose something with the packs that are due? */
static int depends(struct due *due, const struct hash128 *id, struct error *err)
{
	struct content_row row;
	struct recipe recipe;
	int rc = content_row_get(due->store, VIEW_COMMITTED, id, &row, err);

	if (rc <= 0)
		return rc;
	if (is_due(due, row.pack))
		return 1;
	rc = recipe_load(due->store, &row, &recipe, err);
	if (rc < 0)
		return is_damage(rc) ? is_unreadable(due, &row, err) : rc;
	rc = loses_chunk(due, &recipe, err);
	recipe_release(&recipe);
	return rc;
}

static int list_page(struct store *store, const struct ids *ids, void *ctx,
		     struct error *err)
{
	struct due *due = ctx;

	(void)store;
	for (size_t i = 0; i < ids->n; i++) {
		int rc = depends(due, &ids->id[i], err);

		if (rc > 0)
			rc = ids_add(&due->contents, &ids->id[i], err);
		if (rc < 0)
			return rc;
	}
	return gc_go_on(due->options, err);
}

/* Those that a stub still names come back to life; the list loses them. */
static int revive_used(struct due *due, struct error *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < due->contents.n; i++) {
		const struct hash128 id = due->contents.id[i];
		int rc = ties_used(due->store, due->options, &id, err);

		if (rc > 0)
			rc = content_revive(due->store, &id, err);
		else if (rc == 0)
			due->contents.id[kept++] = id;
		if (rc < 0)
			return rc;
	}
	due->contents.n = kept;
	return 0;
}

/* What lives in the packs (again) leaves them first. */
static int move_out(struct due *due, struct store_gc_result *result,
		    struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < due->n; i++)
		rc = pack_rewrite(due->store, due->pack[i].id, due->options,
				  result, err);
	return rc;
}

/* Not those that still live by their rows, though the packs tell of nothing:
 * the rows are wrong, and what is in the packs may be what saves the day. */
static int keep_living(struct due *due, struct error *err)
{
	cleanup_lives struct lives lives = { .n = 0 };
	size_t kept = 0;
	int rc = lives_read(due->store, due->options, &lives, err);

	for (size_t i = 0; rc == 0 && i < due->n; i++) {
		const struct pack_life life = lives_of(&lives, due->pack[i].id);

		if (life.live_chunks > 0)
			continue;
		due->rows[kept] = life.chunks;
		due->pack[kept++] = due->pack[i];
	}
	if (rc == 0)
		due->n = kept;
	return rc;
}

/* 1 dropped; 0: an inode names it, or it is no orphan any more. */
static int drop_content(struct store *store, const struct hash128 *id,
			struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		store->cat,
		"DELETE FROM content WHERE id = ?1 AND orphan != 0 AND NOT"
		" EXISTS(SELECT 1 FROM inode WHERE inode.content = ?1)",
		err);
	int64_t n;
	int rc;

	if (!s)
		return err->code;
	stmt_bind_blob(s, 1, id->bytes, sizeof(id->bytes));
	n = stmt_run(s, err);
	if (n <= 0)
		return (int)n;
	rc = catalog_ties_drop(store->cat, id, err);
	return rc < 0 ? rc : 1;
}

/* In a transaction: those from `*at` on that it may hold. 1: one of them is not
 * an orphan any more. */
static int drop_some(struct due *due, size_t *at, struct error *err)
{
	int rc = 1;

	for (int i = 0; rc > 0 && i < DELETE_ROWS && *at < due->contents.n; i++)
		rc = drop_content(due->store, &due->contents.id[(*at)++], err);
	return rc < 0 ? rc : rc == 0;
}

/* Deletes the row if it names the pack and nobody counts it; what the ledger
 * still has of it is nothing, unless uses didn't add up. Rows deleted. */
static int forget_chunk(struct store *store, const struct hash128 *id,
			uint64_t pack, struct charges *charges,
			struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		store->cat,
		"DELETE FROM chunk WHERE id = ?1 AND pack = ?2 AND refs <= 0"
		" RETURNING users, stored_bytes",
		err);
	const void *users;
	size_t len;
	int rc;

	if (!s)
		return err->code;
	stmt_bind_blob(s, 1, id->bytes, sizeof(id->bytes));
	stmt_bind_i64(s, 2, (int64_t)pack);
	rc = stmt_step(s, err);
	if (rc <= 0)
		return rc;
	users = stmt_blob(s, 0, &len);
	rc = charges_add_users(charges, users, len, -stmt_i64(s, 1), err);
	return rc < 0 ? rc : 1;
}

struct forgetting {
	struct due *due;
	uint64_t pack;
	struct here here;
	size_t at;
	uint64_t rows; /* deleted */
	struct store_gc_result *result;
};

static int forget_rows(struct forgetting *f, struct error *err)
{
	CLEANUP(charges_release) struct charges charges = { .n = 0 };
	int rc = 0;

	for (int i = 0; rc >= 0 && i < DELETE_ROWS && f->at < f->here.n; i++) {
		rc = forget_chunk(f->due->store, &f->here.chunk[f->at++].id,
				  f->pack, &charges, err);
		f->rows += rc > 0;
	}
	return rc < 0 ? rc : charges_tell(f->due->store, &charges, err);
}

/* Counts are read again here, in the same transaction: no row may be left. */
static int forget_pack(struct forgetting *f, struct error *err)
{
	struct store *store = f->due->store;
	struct chunk_row chunk;
	struct pack_row row;
	int64_t contents;
	int rc = store_query(store, VIEW_WRITER,
			     "SELECT count(*) FROM content WHERE pack = ?1",
			     (int64_t)f->pack, &contents, err);

	if (rc < 0 || contents > 0)
		return rc;
	for (size_t i = 0; i < f->here.n; i++) {
		rc = chunk_row_get(store, VIEW_WRITER, &f->here.chunk[i].id,
				   &chunk, err);
		if (rc < 0 || (rc > 0 && chunk.pack == f->pack))
			return rc < 0 ? rc : 0;
	}
	rc = pack_row_get(store, VIEW_WRITER, f->pack, &row, err);
	if (rc <= 0 || row.state != PACK_CONDEMNED)
		return rc < 0 ? rc : 0;
	row.state = PACK_EMPTIED;
	return pack_row_put(store, &row, err);
}

static int forget_contents(struct forgetting *f, struct error *err)
{
	size_t before = f->at;
	int rc = drop_some(f->due, &f->at, err);

	if (rc == 0)
		f->result->contents_dropped += f->at - before;
	return rc;
}

/* One transaction; 1: `step` gave that, and it was undone. */
static int run(struct forgetting *f,
	       int (*step)(struct forgetting *f, struct error *err),
	       struct error *err)
{
	struct store *store = f->due->store;
	int rc = catalog_begin(store->cat, err);

	if (rc < 0)
		return rc;
	rc = step(f, err);
	if (rc != 0) {
		catalog_rollback(store->cat);
		return rc;
	}
	rc = catalog_commit(store->cat, err);
	atomic_fetch_add(&store->generation, 1);
	return rc < 0 ? rc : gc_go_on(f->due->options, err);
}

/* Fewer rows than there were before: the tables of its extents don't tell of
 * all. */
static int forget_listed(struct forgetting *f, struct error *err)
{
	int rc = 0;

	f->at = 0;
	while (rc == 0 && f->at < f->here.n)
		rc = run(f, forget_rows, err);
	return rc;
}

static int forget_one(struct due *due, size_t i, struct store_gc_result *result,
		      struct error *err)
{
	struct forgetting f = { .due = due,
				.pack = due->pack[i].id,
				.result = result };
	int rc = here_list(due->store, f.pack, &f.here, err);

	if (rc == 0)
		rc = forget_listed(&f, err);
	if (rc == 0 && f.rows < due->rows[i]) {
		here_release(&f.here);
		rc = here_scan(due->store, f.pack, &f.here, err);
		if (rc == 0)
			rc = forget_listed(&f, err);
	}
	if (rc == 0)
		rc = run(&f, forget_pack, err);
	here_release(&f.here);
	return rc;
}

/* Every content first: while one is used, all chunks may be its own. */
static int forget(struct due *due, struct store_gc_result *result,
		  struct error *err)
{
	struct forgetting f = { .due = due, .result = result };
	int rc = 0;

	while (rc == 0 && f.at < due->contents.n)
		rc = run(&f, forget_contents, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	for (size_t i = 0; rc == 0 && i < due->n; i++)
		rc = forget_one(due, i, result, err);
	return rc;
}

/* 1 unlinked, 0 it was gone. */
static int unlink_pack(struct store *store, const struct pack_row *pack,
		       struct error *err)
{
	char name[PACK_NAME_BYTES];
	int rc;

	pack_name(pack->id, name);
	rc = io_unlinkat(store->packs_fd, name, 0);
	if (rc == -ENOENT)
		return 0;
	if (rc < 0)
		return error_set(err, rc, "cannot unlink pack '%s'", name);
	pack_forget(store, pack->id);
	rc = pack_dir_sync(store, pack->id);
	if (rc < 0)
		return error_set(err, rc, "cannot sync after '%s'", name);
	return 1;
}

/* The last number stays, so that it isn't given again. */
static int delete_row(struct store *store, uint64_t id, struct error *err)
{
	const int64_t bind = (int64_t)id;
	int64_t n = store_run(store,
			      "DELETE FROM pack WHERE id = ?1"
			      " AND id < (SELECT max(id) FROM pack)",
			      &bind, 1, err);

	return n < 0 ? (int)n : 0;
}

static int delete_rows(struct due *due, struct error *err)
{
	int rc = catalog_begin(due->store->cat, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < due->n; i++)
		rc = delete_row(due->store, due->pack[i].id, err);
	if (rc == 0)
		return catalog_commit(due->store->cat, err);
	catalog_rollback(due->store->cat);
	return rc;
}

/* Files of packs that no row names any more, also those a crash left. */
static int unlink_emptied(struct due *due, struct store_gc_result *result,
			  struct error *err)
{
	int rc = list_due(due, PACK_EMPTIED, err);

	if (rc < 0 || due->n == 0)
		return rc;
	cache_purge(&due->store->cache);
	for (size_t i = 0; i < due->n; i++) {
		rc = unlink_pack(due->store, &due->pack[i], err);
		if (rc < 0)
			return rc;
		if (rc == 0)
			continue;
		result->packs_unlinked++;
		result->bytes_freed += due->pack[i].size_bytes;
	}
	return delete_rows(due, err);
}

/* A content that no row knows has chunks that nothing counts. */
static int may_drop(struct store *store, struct error *err)
{
	int rc = index_misses_used(store, err);

	if (rc <= 0)
		return rc;
	return error_set(err, -SOBRE_ECORRUPT,
			 "a file's content may be where a pack could not be"
			 " read: nothing is dropped before the packs are"
			 " indexed again, or the file is gone");
}

static int drop_due(struct due *due, struct store_gc_result *result,
		    struct error *err)
{
	int rc = due->options->sync_fd < 0 ? 0
					   : io_syncfs(due->options->sync_fd);

	if (rc < 0)
		return error_set(err, rc, "cannot sync the lower");
	rc = may_drop(due->store, err);
	if (rc == 0)
		rc = gc_for_contents(due->store, due->options,
				     CONTENTS_THAT("orphan != 0"), list_page,
				     due, err);
	if (rc == 0)
		rc = revive_used(due, err);
	if (rc == 0)
		rc = move_out(due, result, err);
	if (rc == 0)
		rc = keep_living(due, err);
	return rc < 0 ? rc : forget(due, result, err);
}

int gc_drop(struct store *store, const struct store_gc_options *options,
	    struct store_gc_result *result, struct error *err)
{
	cleanup_free struct due *due = calloc(1, sizeof(*due));
	int rc;

	if (!due)
		return error_set(err, -ENOMEM, "no memory to collect");
	due->store = store;
	due->options = options;
	rc = list_due(due, PACK_CONDEMNED, err);
	if (rc == 0 && due->n > 0)
		rc = drop_due(due, result, err);
	ids_release(&due->contents);
	return rc < 0 ? rc : unlink_emptied(due, result, err);
}
