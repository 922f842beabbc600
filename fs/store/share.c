/* SPDX-License-Identifier: EUPL-1.2 */
/* What is charged: to one file, and in all. */
#include <errno.h>
#include <stdlib.h>

#include "fs/base/cleanup.h"
#include "fs/store/internal.h"
#include "fs/store/users.h"

/* Each term of a share is rounded down to 2^-64 of a byte; what that may add
 * up to must not turn a half into less than one. */
#define SLACK_Q64 ((uint128)1 << 40)
#define HALF_Q64  ((uint128)1 << 63)

struct sharing {
	struct store *store;
	const struct dept_set *set;
	struct store_share share;
	struct users users;
};

void share_init(struct store_share *share)
{
	*share = (struct store_share){ .complete = true, .alone = true };
}

uint64_t store_share_bytes(uint128 own_q64)
{
	return (uint64_t)((own_q64 + HALF_Q64 + SLACK_Q64) >> 64);
}

/* The users of a chunk and its stored bytes; 0 when that isn't known. */
static int read_users(struct sharing *sh, const struct hash128 *id,
		      uint64_t *ret_stored, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_read_stmt(
		sh->store->cat,
		"SELECT stored_bytes, users FROM chunk WHERE id = ?1", err);
	const void *blob;
	size_t len;
	int rc;

	if (!s)
		return err->code;
	stmt_bind_blob(s, 1, id->bytes, sizeof(id->bytes));
	rc = stmt_step(s, err);
	if (rc <= 0)
		return rc;
	*ret_stored = (uint64_t)stmt_i64(s, 0);
	blob = stmt_blob(s, 1, &len);
	return users_decode(blob, len, &sh->users);
}

/* Do its users count this file? */
static bool counts_file(const struct users *users, const struct dept_set *set,
			uint32_t count)
{
	struct dept_set every;

	users_set(users, &every);
	for (uint16_t i = 0; i < set->n; i++)
		if (users_count_in(users, &every, set->member[i]) < count)
			return false;
	return set->n > 0;
}

/* Are all its uses those of this file? */
static bool is_alone(const struct users *users, const struct dept_set *set,
		     uint32_t count)
{
	if (users->n != set->n)
		return false;
	for (uint32_t i = 0; i < users->n; i++)
		if (users->user[i].count != count ||
		    users->user[i].department != set->member[i])
			return false;
	return true;
}

static uint128 own_part(const struct users *users, const struct dept_set *set,
			uint32_t count, uint64_t stored)
{
	struct dept_set every;
	uint128 own = 0;

	users_set(users, &every);
	for (uint16_t i = 0; i < set->n; i++) {
		uint128 by = (uint128)every.n *
			     users_count_in(users, &every, set->member[i]);

		own += (((uint128)stored * count) << 64) / by;
	}
	return own;
}

void share_add(struct store_share *share, const struct dept_set *set,
	       const struct users *users, uint32_t count, uint64_t stored)
{
	bool alone = is_alone(users, set, count);

	share->alone = share->alone && alone;
	if (set->n == 0)
		return;
	if (!counts_file(users, set, count)) {
		share->complete = false;
		return;
	}
	share->stored_bytes += stored;
	share->own_q64 += own_part(users, set, count, stored);
	if (alone)
		share->exclusive_bytes += stored;
}

static int share_chunk(struct sharing *sh, const struct chunk_use *use,
		       struct error *err)
{
	uint64_t stored = 0;
	int rc = read_users(sh, &use->id, &stored, err);

	if (rc == 1)
		share_add(&sh->share, sh->set, &sh->users, use->count, stored);
	if (rc == 0)
		sh->share.complete = sh->share.alone = false;
	return rc < 0 ? rc : 0;
}

static int share_recipe(struct sharing *sh, const struct recipe *recipe,
			struct error *err)
{
	cleanup_free struct chunk_use *uses = NULL;
	int64_t n = recipe_uses(recipe, &uses, err);
	int rc = n < 0 ? (int)n : 0;

	for (int64_t i = 0; rc == 0 && i < n; i++)
		rc = share_chunk(sh, &uses[i], err);
	return rc;
}

static int load_once(struct store *store, const struct hash128 *content,
		     struct recipe *ret_recipe, struct error *err)
{
	struct content_row row;
	char hex[HASH128_HEX_BYTES];
	int rc = content_row_get(store, VIEW_COMMITTED, content, &row, err);

	if (rc > 0)
		return recipe_load(store, &row, ret_recipe, err);
	hash128_hex(content, hex);
	return rc < 0 ? rc
		      : error_set(err, -SOBRE_ENOCHUNK,
				  "content %s is not in the store", hex);
}

/* The row moves only when a pack is emptied; then look again, once. */
static int load(struct store *store, const struct hash128 *content,
		struct recipe *ret_recipe, struct error *err)
{
	int rc = load_once(store, content, ret_recipe, err);

	if (rc == -SOBRE_ENOCHUNK)
		rc = load_once(store, content, ret_recipe, err);
	return rc;
}

int store_share(struct store *store, const struct hash128 *content,
		const struct dept_set *set, struct store_share *ret_share,
		struct error *err)
{
	cleanup_free struct sharing *sh = malloc(sizeof(*sh));
	struct recipe recipe;
	int rc;

	if (!sh)
		return error_set(err, -ENOMEM, "no memory to share");
	sh->store = store;
	sh->set = set;
	sh->users.n = 0;
	share_init(&sh->share);
	rc = load(store, content, &recipe, err);
	if (rc < 0)
		return rc;
	rc = share_recipe(sh, &recipe, err);
	recipe_release(&recipe);
	if (rc == 0)
		*ret_share = sh->share;
	return rc;
}

/* ?1 is 1 or -1. As they lie: SQLite would sort all rows to add them up by
 * users, and a set has many of those. */
#define SUMS                                         \
	"SELECT users, ?1 * stored_bytes FROM chunk" \
	" WHERE users IS NOT NULL"

int store_set_sums(struct store *store,
		   int (*each)(void *ctx, const struct dept_set *set,
			       uint64_t bytes, struct error *err),
		   void *ctx, struct error *err)
{
	CLEANUP(charges_release) struct charges sums = { .n = 0 };
	int rc = charges_add_rows(&sums, store, VIEW_COMMITTED, SUMS, 1, err);

	for (size_t i = 0; rc == 0 && i < sums.cap; i++)
		if (sums.slot[i].set.n > 0 && sums.slot[i].bytes > 0)
			rc = each(ctx, &sums.slot[i].set,
				  (uint64_t)sums.slot[i].bytes, err);
	return rc;
}

int store_use_forget(struct store *store, struct error *err)
{
	CLEANUP(charges_release) struct charges sums = { .n = 0 };
	int rc = charges_add_rows(&sums, store, VIEW_WRITER, SUMS, -1, err);
	int64_t n;

	if (rc < 0)
		return rc;
	n = store_run(store,
		      "UPDATE chunk SET users = NULL WHERE users IS NOT NULL",
		      NULL, 0, err);
	return n < 0 ? (int)n : charges_tell(store, &sums, err);
}
