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
static bool counts_file(const struct sharing *sh, const struct chunk_use *use)
{
	struct dept_set every;

	users_set(&sh->users, &every);
	for (uint16_t i = 0; i < sh->set->n; i++)
		if (users_count_in(&sh->users, &every, sh->set->member[i]) <
		    use->count)
			return false;
	return sh->set->n > 0;
}

/* Are all its uses those of this file? */
static bool is_alone(const struct sharing *sh, const struct chunk_use *use)
{
	if (sh->users.n != sh->set->n)
		return false;
	for (uint32_t i = 0; i < sh->users.n; i++)
		if (sh->users.user[i].count != use->count ||
		    sh->users.user[i].department != sh->set->member[i])
			return false;
	return true;
}

static uint128 own_part(const struct sharing *sh, const struct chunk_use *use,
			uint64_t stored)
{
	struct dept_set every;
	uint128 own = 0;

	users_set(&sh->users, &every);
	for (uint16_t i = 0; i < sh->set->n; i++) {
		uint128 by =
			(uint128)every.n *
			users_count_in(&sh->users, &every, sh->set->member[i]);

		own += (((uint128)stored * use->count) << 64) / by;
	}
	return own;
}

static int share_chunk(struct sharing *sh, const struct chunk_use *use,
		       struct error *err)
{
	uint64_t stored = 0;
	int rc = read_users(sh, &use->id, &stored, err);

	if (rc < 0)
		return rc;
	if (rc == 0 || !counts_file(sh, use)) {
		sh->share.complete = false;
		return 0;
	}
	sh->share.stored_bytes += stored;
	sh->share.own_q64 += own_part(sh, use, stored);
	if (is_alone(sh, use))
		sh->share.exclusive_bytes += stored;
	return 0;
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

int store_share(struct store *store, const struct hash128 *content,
		uint64_t size_bytes, const struct dept_set *set,
		struct store_share *ret_share, struct error *err)
{
	cleanup_free struct sharing *sh = calloc(1, sizeof(*sh));
	CLEANUP(store_body_close) struct store_body *body = NULL;
	int rc;

	if (!sh)
		return error_set(err, -ENOMEM, "no memory to share");
	sh->store = store;
	sh->set = set;
	sh->share.complete = true;
	rc = store_body_open(store, content, size_bytes, &body, err);
	if (rc == 0)
		rc = share_recipe(sh, body_recipe(body), err);
	if (rc == 0)
		*ret_share = sh->share;
	return rc;
}

/* ?1 is 1 or -1. */
#define SUMS                                              \
	"SELECT users, ?1 * sum(stored_bytes) FROM chunk" \
	" WHERE users IS NOT NULL GROUP BY users"

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
