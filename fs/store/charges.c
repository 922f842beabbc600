/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/cleanup.h"
#include "fs/base/log.h"
#include "fs/store/internal.h"
#include "fs/store/users.h"

#define FIRST_SLOTS 16u

void charges_release(struct charges *charges)
{
	free(charges->slot);
	*charges = (struct charges){ .n = 0 };
}

static size_t bytes_of(const struct dept_set *set)
{
	return set->n * sizeof(set->member[0]);
}

static struct charge *find(const struct charges *charges,
			   const struct dept_set *set)
{
	size_t mask = charges->cap - 1;
	size_t i = (size_t)hash64(set->member, bytes_of(set)) & mask;

	while (charges->slot[i].set.n != 0 &&
	       (charges->slot[i].set.n != set->n ||
		memcmp(charges->slot[i].set.member, set->member,
		       bytes_of(set)) != 0))
		i = (i + 1) & mask;
	return &charges->slot[i];
}

static int grow(struct charges *charges, struct error *err)
{
	struct charges more = { .cap = charges->cap ? 2 * charges->cap
						    : FIRST_SLOTS,
				.n = charges->n };

	more.slot = calloc(more.cap, sizeof(*more.slot));
	if (!more.slot)
		return error_set(err, -ENOMEM, "no memory to charge");
	for (size_t i = 0; i < charges->cap; i++)
		if (charges->slot[i].set.n != 0)
			*find(&more, &charges->slot[i].set) = charges->slot[i];
	free(charges->slot);
	*charges = more;
	return 0;
}

int charges_add(struct charges *charges, const struct dept_set *set,
		int64_t bytes, struct error *err)
{
	struct charge *slot;

	if (set->n == 0 || bytes == 0)
		return 0;
	if (2 * (charges->n + 1) > charges->cap) {
		int rc = grow(charges, err);

		if (rc < 0)
			return rc;
	}
	slot = find(charges, set);
	if (slot->set.n == 0) {
		slot->set.n = set->n;
		memcpy(slot->set.member, set->member, bytes_of(set));
		charges->n++;
	}
	slot->bytes += bytes;
	return 0;
}

/* By way of `room`, which is large. */
static int add_users(struct charges *charges, struct users *room,
		     const void *users, size_t len, int64_t bytes,
		     struct error *err)
{
	struct dept_set set;

	if (len == 0 || bytes == 0)
		return 0;
	if (!users_decode(users, len, room))
		return 1;
	users_set(room, &set);
	return charges_add(charges, &set, bytes, err);
}

int charges_add_users(struct charges *charges, const void *users, size_t len,
		      int64_t bytes, struct error *err)
{
	cleanup_free struct users *room = malloc(sizeof(*room));

	if (!room)
		return error_set(err, -ENOMEM, "no memory to charge");
	return add_users(charges, room, users, len, bytes, err);
}

int charges_add_move(struct charges *charges, struct store *store,
		     const struct chunk_row *row, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s =
		catalog_write_stmt(store->cat,
				   "SELECT users, stored_bytes FROM chunk"
				   " WHERE id = ?1 AND users IS NOT NULL",
				   err);
	const void *users;
	size_t len;
	int rc;

	if (!s)
		return err->code;
	stmt_bind_blob(s, 1, row->id.bytes, sizeof(row->id.bytes));
	rc = stmt_step(s, err);
	if (rc <= 0)
		return rc;
	users = stmt_blob(s, 0, &len);
	rc = charges_add_users(charges, users, len,
			       (int64_t)row->stored_bytes - stmt_i64(s, 1),
			       err);
	return rc < 0 ? rc : 0;
}

int charges_add_rows(struct charges *charges, struct store *store,
		     enum view view, const char *sql, int64_t bind,
		     struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = view_stmt(store, view, sql, err);
	cleanup_free struct users *room = malloc(sizeof(*room));
	int rc;

	if (!s)
		return err->code;
	if (!room)
		return error_set(err, -ENOMEM, "no memory to charge");
	stmt_bind_i64(s, 1, bind);
	while ((rc = stmt_step(s, err)) > 0) {
		size_t len;
		const void *users = stmt_blob(s, 0, &len);

		rc = add_users(charges, room, users, len, stmt_i64(s, 1), err);
		if (rc < 0)
			break;
	}
	return rc;
}

static int tell_one(struct store *store, const struct charge *charge,
		    bool moved, struct error *err)
{
	if (charge->set.n == 0 || charge->bytes == 0)
		return 0;
	if (!store->on_charge)
		return recount_note(store, "nobody counted who holds chunks",
				    err);
	return store->on_charge(store->charge_ctx, &charge->set, charge->bytes,
				moved, err);
}

static int tell_all(struct store *store, struct charges *charges, bool moved,
		    struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < charges->cap; i++)
		rc = tell_one(store, &charges->slot[i], moved, err);
	charges_release(charges);
	return rc;
}

int charges_tell(struct store *store, struct charges *charges,
		 struct error *err)
{
	return tell_all(store, charges, false, err);
}

int charges_tell_moved(struct store *store, struct charges *charges,
		       struct error *err)
{
	return tell_all(store, charges, true, err);
}

void store_on_charge(struct store *store, store_charge_fn *fn, void *ctx)
{
	store->on_charge = fn;
	store->charge_ctx = ctx;
}

int recount_note(struct store *store, const char *why, struct error *err)
{
	if (catalog_meta_get(store->cat, STORE_META_RECOUNT, 0) != 0)
		return 0;
	log_warn("what each department holds is to be counted again: %s", why);
	return catalog_meta_set(store->cat, STORE_META_RECOUNT, 1, err);
}
