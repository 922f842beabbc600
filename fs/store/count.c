/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a content's chunks count. Every chunk its recipe names counts it, also
 * one that no pack holds any more: such a row waits in pack 0 for equal data
 * to come, and its count is right then. DESIGN invariant 3: never too low.
 */
#include "fs/store/internal.h"

#include <errno.h>

static int count_missing(struct store *store, const struct recipe_entry *entry,
			 struct error *err)
{
	const struct chunk_row row = { .id = entry->id,
				       .pack = PACK_NONE,
				       .len = (uint32_t)entry->len,
				       .refs = 1,
				       .bad = true };
	int rc = chunk_row_put(store, &row, err);

	return rc < 0 ? rc : 1;
}

/* 1: its chunk is in no pack; it counts all the same. */
static int count_entry(struct store *store, const struct recipe_entry *entry,
		       struct error *err)
{
	int rc;

	if (entry->hole)
		return 0;
	rc = chunk_row_count(store, &entry->id, 1, err);
	return rc == -SOBRE_ENOCHUNK ? count_missing(store, entry, err) : rc;
}

int recipe_count(struct store *store, const struct recipe *recipe,
		 struct error *err)
{
	int missing = 0;

	for (uint32_t i = 0; i < recipe->n; i++) {
		struct recipe_entry entry;
		int rc;

		recipe_at(recipe, i, &entry);
		rc = count_entry(store, &entry, err);
		if (rc < 0)
			return rc;
		missing |= rc;
	}
	return missing;
}

int recipe_uncount(struct store *store, const struct recipe *recipe,
		   struct error *err)
{
	for (uint32_t i = 0; i < recipe->n; i++) {
		struct recipe_entry entry;
		int rc;

		recipe_at(recipe, i, &entry);
		if (entry.hole)
			continue;
		rc = chunk_row_count(store, &entry.id, -1, err);
		if (rc < 0 && rc != -SOBRE_ENOCHUNK)
			return rc;
	}
	return 0;
}

int missing_forget(struct store *store, struct error *err)
{
	/* PACK_NONE as it is: the index is of that one. */
	int64_t n = store_run(store,
			      "DELETE FROM chunk WHERE pack = 0"
			      " AND refs = 0",
			      NULL, 0, err);

	return n < 0 ? (int)n : 0;
}

int content_count(struct store *store, const struct content_row *row,
		  struct error *err)
{
	struct recipe recipe;
	int rc = recipe_load(store, row, &recipe, err);

	if (rc < 0)
		return rc;
	rc = recipe_count(store, &recipe, err);
	recipe_release(&recipe);
	return rc;
}

/* Inside a transaction. */
static int revive(struct store *store, const struct hash128 *id,
		  struct error *err)
{
	struct content_row row;
	bool bad;
	int rc = content_row_get(store, VIEW_WRITER, id, &row, err);

	if (rc <= 0 || row.use == CONTENT_USED)
		return rc < 0 ? rc : 0;
	bad = row.bad;
	if (row.use == CONTENT_ORPHAN) {
		rc = content_count(store, &row, err);
		if (rc < 0)
			return rc;
		bad = rc > 0;
	}
	return content_row_mark(store, id, CONTENT_USED, bad, err);
}

int content_revive(struct store *store, const struct hash128 *id,
		   struct error *err)
{
	char hex[HASH128_HEX_BYTES];
	int rc = catalog_begin(store->cat, err);

	if (rc < 0)
		return rc;
	rc = revive(store, id, err);
	if (rc == 0)
		return catalog_commit(store->cat, err);
	catalog_rollback(store->cat);
	hash128_hex(id, hex);
	return error_prefix(err, "content %s is in use, but cannot be counted",
			    hex);
}
