/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/cleanup.h"

int store_open(int packs_fd, struct catalog *cat,
	       const struct store_options *options, struct store **ret_store,
	       struct error *err)
{
	CLEANUP(store_close) struct store *store = calloc(1, sizeof(*store));
	int rc = 0;

	if (!store)
		return error_set(err, -ENOMEM, "no memory for the store");
	store->options = *options;
	if (!store->options.pack_bytes)
		store->options.pack_bytes = PACK_BYTES_DEFAULT;
	if (!store->options.cache_bytes)
		store->options.cache_bytes = CACHE_BYTES_DEFAULT;
	if (!store->options.stage_bytes)
		store->options.stage_bytes = STORE_STAGE_BYTES;
	store->cat = cat;
	files_init(&store->files);
	cache_init(&store->cache, store->options.cache_bytes, false);
	cache_init(&store->fresh, FRESH_BYTES, true);
	recipes_init(&store->recipes, store->options.recipe_bytes
					      ? store->options.recipe_bytes
					      : RECIPES_BYTES);
	store->packs_fd = fcntl(packs_fd, F_DUPFD_CLOEXEC, 3);
	if (store->packs_fd < 0)
		return error_set(err, -errno, "cannot keep the packs open");
	if (!store->options.readonly && !store->options.rebuild) {
		rc = store_adopt(store, err);
		if (rc == 0)
			rc = store_fill_spans(store, err);
	}
	if (rc == 0)
		*ret_store = take_ptr(&store);
	return rc;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	writer_free(store->writer);
	cache_release(&store->cache);
	cache_release(&store->fresh);
	recipes_release(&store->recipes);
	files_release(&store->files);
	if (store->packs_fd >= 0)
		(void)close(store->packs_fd);
	free(store);
}

void store_set_go_on(struct store *store, store_go_on_fn *go_on, void *ctx)
{
	store->go_on = go_on;
	store->go_on_ctx = ctx;
}

int store_verify(struct store *store, const struct hash128 *content, int fd,
		 uint64_t size_bytes, struct error *err)
{
	CLEANUP(store_body_close) struct store_body *body = NULL;
	const struct source source = { .fd = fd,
				       .size_bytes = size_bytes,
				       .go_on = store->go_on,
				       .ctx = store->go_on_ctx };
	const struct body_options options = { .view = VIEW_COMMITTED,
					      .cache = &store->fresh };
	struct content_row row;
	int rc = content_row_get(store, VIEW_COMMITTED, content, &row, err);

	if (rc == 0)
		return error_set(err, -SOBRE_ENOCHUNK,
				 "the content is not in the store");
	if (rc > 0)
		rc = body_open(store, &row, &options, &body, err);
	if (rc == 0)
		rc = source_compare(&source, body, err);
	if (rc > 0)
		return error_set(err, -SOBRE_ECHANGED,
				 "the file is not what was stored");
	return rc;
}

static int sum_packs(struct store *store, struct store_totals *totals,
		     struct error *err)
{
	cleanup_free struct pack_row *rows = NULL;
	int64_t n = pack_rows(store, VIEW_COMMITTED, &rows, err);

	for (int64_t i = 0; i < n; i++) {
		if (rows[i].state == PACK_EMPTIED)
			continue;
		totals->packs++;
		totals->pack_bytes += rows[i].size_bytes;
		if (rows[i].state == PACK_CONDEMNED)
			totals->dead_bytes += rows[i].size_bytes;
	}
	return n < 0 ? (int)n : 0;
}

/* Dead bytes of packs that live: their chunks' share, as if all compressed
 * alike. */
static int sum_chunks(struct store *store, struct store_totals *totals,
		      struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s =
		catalog_read_stmt(store->cat,
				  "SELECT count(*), coalesce(sum(bad != 0), 0),"
				  " coalesce(sum(iif(pack > 0, len, 0)), 0),"
				  " coalesce(sum(iif(refs = 0, len, 0)), 0),"
				  " coalesce(sum(iif(refs > 0, len, 0)), 0),"
				  " coalesce(sum(iif(refs > 1,"
				  " len * (refs - 1), 0)), 0),"
				  " coalesce(sum(iif(refs > 0,"
				  " stored_bytes, 0)), 0)"
				  " FROM chunk WHERE pack NOT IN"
				  " (SELECT id FROM pack WHERE state >= 2)",
				  err);
	uint64_t living = totals->pack_bytes - totals->dead_bytes;
	__extension__ unsigned __int128 dead;
	int rc;

	if (!s)
		return err->code;
	rc = stmt_step(s, err);
	if (rc <= 0)
		return rc;
	totals->chunks = (uint64_t)stmt_i64(s, 0);
	totals->bad_chunks = (uint64_t)stmt_i64(s, 1);
	totals->chunk_bytes = (uint64_t)stmt_i64(s, 4);
	totals->shared_bytes = (uint64_t)stmt_i64(s, 5);
	totals->stored_bytes = (uint64_t)stmt_i64(s, 6);
	dead = (unsigned __int128)living * (uint64_t)stmt_i64(s, 3);
	if (stmt_i64(s, 2) > 0)
		totals->dead_bytes +=
			(uint64_t)(dead / (uint64_t)stmt_i64(s, 2));
	return 0;
}

int store_totals(struct store *store, struct store_totals *ret_totals,
		 struct error *err)
{
	struct store_totals totals = { .packs = 0 };
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_read_stmt(
		store->cat,
		"SELECT count(*), coalesce(sum(size_bytes >> 32), 0),"
		" coalesce(sum(size_bytes & 4294967295), 0) FROM content"
		" WHERE orphan = 0",
		err);
	int rc;

	if (!s)
		return err->code;
	rc = stmt_step(s, err);
	if (rc > 0) {
		totals.contents = (uint64_t)stmt_i64(s, 0);
		totals.content_bytes = ((uint64_t)stmt_i64(s, 1) << 32) +
				       (uint64_t)stmt_i64(s, 2);
		rc = sum_packs(store, &totals, err);
	}
	if (rc == 0)
		rc = sum_chunks(store, &totals, err);
	if (rc == 0)
		*ret_totals = totals;
	return rc;
}

/* Does the pack reach as far as the row says? */
static int check_place(struct store *store, const struct chunk_row *row,
		       struct error *err)
{
	struct pack_ref ref;
	struct stat st;
	int rc = pack_get(store, row->pack, &ref, err);

	if (rc < 0)
		return rc;
	rc = fstat(ref.fd, &st) < 0 ? -errno : 0;
	pack_put(store, &ref);
	if (rc == 0 && (uint64_t)st.st_size <= row->off)
		rc = -SOBRE_ECORRUPT;
	if (rc < 0)
		return error_set(err, rc, "pack %llu is cut off",
				 (unsigned long long)row->pack);
	return 0;
}

static int check_entry(struct store *store, const struct recipe_entry *entry,
		       struct error *err)
{
	char hex[HASH128_HEX_BYTES];
	struct chunk_row row;
	int rc;

	if (entry->hole)
		return 0;
	hash128_hex(&entry->id, hex);
	rc = chunk_row_get(store, VIEW_COMMITTED, &entry->id, &row, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return error_set(err, -SOBRE_ENOCHUNK, "chunk %s is unknown",
				 hex);
	if (row.bad || row.len != entry->len)
		return error_set(err, -SOBRE_ECORRUPT, "chunk %s is bad", hex);
	return check_place(store, &row, err);
}

static int check_recipe(struct store *store, const struct recipe *recipe,
			struct error *err)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < recipe->n; i++) {
		struct recipe_entry entry;

		recipe_at(recipe, i, &entry);
		rc = check_entry(store, &entry, err);
	}
	return rc;
}

int store_content_check(struct store *store, const struct hash128 *content,
			uint64_t size_bytes, struct error *err)
{
	CLEANUP(store_body_close) struct store_body *body = NULL;
	int rc = store_body_open(store, content, size_bytes, &body, err);

	if (rc == 0)
		rc = body_hold(body, err);
	if (rc < 0)
		return rc;
	rc = check_recipe(store, body_recipe(body), err);
	body_let_go(body);
	return rc;
}
