/* SPDX-License-Identifier: EUPL-1.2 */
/* Who holds a content, chunk by chunk: the column chunk.users. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/cleanup.h"
#include "fs/store/internal.h"
#include "fs/store/users.h"

static int by_id(const void *a, const void *b)
{
	const struct chunk_use *x = a;
	const struct chunk_use *y = b;

	return hash128_compare(&x->id, &y->id);
}

int64_t recipe_uses(const struct recipe *recipe, struct chunk_use **ret_uses,
		    struct error *err)
{
	cleanup_free struct chunk_use *use =
		calloc((size_t)recipe->n + 1, sizeof(*use));
	size_t n = 0;
	size_t kept = 0;

	if (!use)
		return error_set(err, -ENOMEM, "no memory for a recipe");
	for (uint32_t i = 0; i < recipe->n; i++) {
		struct recipe_entry entry;

		recipe_at(recipe, i, &entry);
		if (!entry.hole)
			use[n++] = (struct chunk_use){
				.id = entry.id,
				.len = (uint32_t)entry.len,
				.count = 1,
			};
	}
	qsort(use, n, sizeof(*use), by_id);
	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && by_id(&use[kept - 1], &use[i]) == 0)
			use[kept - 1].count++;
		else
			use[kept++] = use[i];
	}
	*ret_uses = take_ptr(&use);
	return (int64_t)kept;
}

/* Large: what is not set below is set before it is read. */
struct using
{
	struct store *store;
	const struct dept_set *gained;
	const struct dept_set *lost;
	const struct dept_set *set; /* afterwards; NULL: nobody asks */
	struct store_share share;
	struct charges charges;
	struct charges moved; /* from one set to another */
	struct users users;
	struct dept_set before;
	struct dept_set after;
	uint8_t bytes[DEPARTMENTS_MAX * USERS_ENTRY_BYTES];
	bool amiss; /* a chunk's users aren't what they should be */
};

static void using_init(struct using *u, struct store *store)
{
	u->store = store;
	u->charges = (struct charges){ .n = 0 };
	u->moved = (struct charges){ .n = 0 };
	u->users.n = 0;
	u->amiss = false;
	share_init(&u->share);
}

static void count(struct using *u, const struct chunk_use *use)
{
	for (uint16_t i = 0; u->gained && i < u->gained->n; i++)
		if (!users_add(&u->users, u->gained->member[i], use->count))
			u->amiss = true;
	for (uint16_t i = 0; u->lost && i < u->lost->n; i++)
		if (!users_take(&u->users, u->lost->member[i], use->count))
			u->amiss = true;
}

static int write_users(struct using *u, const struct hash128 *id,
		       struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		u->store->cat, "UPDATE chunk SET users = ?2 WHERE id = ?1",
		err);
	size_t len = users_encode(&u->users, u->bytes);
	int64_t n;

	if (!s)
		return err->code;
	stmt_bind_blob(s, 1, id->bytes, sizeof(id->bytes));
	if (len)
		stmt_bind_blob(s, 2, u->bytes, len);
	else
		stmt_bind_null(s, 2);
	n = stmt_run(s, err);
	return n < 0 ? (int)n : 0;
}

static bool same_set(const struct dept_set *a, const struct dept_set *b)
{
	return a->n == b->n &&
	       memcmp(a->member, b->member, a->n * sizeof(a->member[0])) == 0;
}

/* The stored bytes go from one set to the other. */
static int charge(struct using *u, int64_t stored, struct error *err)
{
	struct charges *to;
	int rc;

	if (same_set(&u->before, &u->after))
		return 0;
	/* To or from nobody they come or go. */
	to = u->before.n > 0 && u->after.n > 0 ? &u->moved : &u->charges;
	rc = charges_add(to, &u->before, -stored, err);
	return rc < 0 ? rc : charges_add(to, &u->after, stored, err);
}

static int use_chunk(struct using *u, const struct chunk_use *use,
		     struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		u->store->cat,
		"SELECT stored_bytes, users FROM chunk WHERE id = ?1", err);
	const void *blob;
	int64_t stored;
	size_t len;
	int rc;

	if (!s)
		return err->code;
	stmt_bind_blob(s, 1, use->id.bytes, sizeof(use->id.bytes));
	rc = stmt_step(s, err);
	if (rc == 0)
		u->amiss = true;
	if (rc <= 0) {
		u->share.complete = u->share.alone = false;
		return rc;
	}
	stored = stmt_i64(s, 0);
	blob = stmt_blob(s, 1, &len);
	if (!users_decode(blob, len, &u->users)) {
		u->users.n = 0;
		u->amiss = true;
	}
	stmt_reset(s);
	users_set(&u->users, &u->before);
	count(u, use);
	users_set(&u->users, &u->after);
	if (u->set)
		share_add(&u->share, u->set, &u->users, use->count,
			  (uint64_t)stored);
	rc = charge(u, stored, err);
	return rc < 0 ? rc : write_users(u, &use->id, err);
}

static int use_recipe(struct using *u, const struct recipe *recipe,
		      struct error *err)
{
	cleanup_free struct chunk_use *uses = NULL;
	int64_t n = recipe_uses(recipe, &uses, err);
	int rc = n < 0 ? (int)n : 0;

	for (int64_t i = 0; rc == 0 && i < n; i++)
		rc = use_chunk(u, &uses[i], err);
	if (rc == 0)
		rc = charges_tell(u->store, &u->charges, err);
	if (rc == 0)
		rc = charges_tell_moved(u->store, &u->moved, err);
	charges_release(&u->charges);
	charges_release(&u->moved);
	if (rc == 0 && u->amiss)
		rc = recount_note(u->store, "a chunk's users did not add up",
				  err);
	return rc;
}

/* 1; 0 when it can't be read for what is stored; or negative. */
static int load(struct store *store, const struct hash128 *content,
		struct recipe *ret_recipe, struct error *err)
{
	struct content_row row;
	int rc = content_row_get(store, VIEW_WRITER, content, &row, err);

	if (rc <= 0)
		return rc;
	rc = recipe_load(store, &row, ret_recipe, err);
	if (rc < 0)
		return is_damage(rc) ? 0 : rc;
	return 1;
}

int store_use_share(struct store *store, const struct hash128 *content,
		    const struct dept_set *gained, const struct dept_set *lost,
		    const struct dept_set *set, struct store_share *ret_share,
		    struct error *err)
{
	cleanup_free struct using *u = NULL;
	struct recipe recipe;
	int rc = load(store, content, &recipe, err);

	if (rc < 0)
		return rc;
	if (rc == 0) {
		*ret_share = (struct store_share){ .complete = false };
		return recount_note(store, "a recipe can't be read", err);
	}
	u = malloc(sizeof(*u));
	if (u) {
		using_init(u, store);
		u->gained = gained;
		u->lost = lost;
		u->set = set;
		rc = use_recipe(u, &recipe, err);
		if (rc == 0)
			*ret_share = u->share;
	} else {
		rc = error_set(err, -ENOMEM, "no memory to charge");
	}
	recipe_release(&recipe);
	return rc;
}

int store_use(struct store *store, const struct hash128 *content,
	      const struct dept_set *gained, const struct dept_set *lost,
	      struct error *err)
{
	struct store_share ignored;

	return store_use_share(store, content, gained, lost, NULL, &ignored,
			       err);
}
