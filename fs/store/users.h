/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_STORE_USERS_H
#define SOBREFS_STORE_USERS_H

/* Whose a chunk is: the column chunk.users (docs/format/catalog.md), and what
 * that charges to sets of departments. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/base/error.h"
#include "fs/base/tier.h"
#include "fs/store/internal.h"

#define USERS_ENTRY_BYTES 6u /* u16 department, u32 count; little-endian */

struct user {
	uint16_t department;
	uint32_t count; /* UINT32_MAX: that many or more, for good */
};

/* Ascending departments, no count is 0. Large: not for the stack. */
struct users {
	uint32_t n;
	struct user user[DEPARTMENTS_MAX];
};

/* False when they are not what users_encode() gives. */
bool users_decode(const void *bytes, size_t len, struct users *ret_users);
/* Returns the length. */
size_t users_encode(const struct users *users,
		    uint8_t ret_bytes[DEPARTMENTS_MAX * USERS_ENTRY_BYTES]);
/* False when it can't be counted: none left to take away, or too many
 * departments. Then it is as near as can be. */
bool users_add(struct users *users, uint16_t department, uint32_t count);
bool users_take(struct users *users, uint16_t department, uint32_t count);
/* The set that is charged: all, or the lowest 63 besides "other", and that. */
void users_set(const struct users *users, struct dept_set *ret_set);
/* Which of the set stands for the department, and how often all that it stands
 * for use the chunk. */
uint64_t users_count_in(const struct users *users, const struct dept_set *set,
			uint16_t department);

/* --- charges that wait to be told ------------------------------------------
 */

struct charge {
	struct dept_set set;
	int64_t bytes;
};

/* By set, hashed. All zero is an empty one. */
struct charges {
	struct charge *slot; /* owned; of set.n 0 are free */
	size_t cap;	     /* a power of two */
	size_t n;
};

void charges_release(struct charges *charges);
static inline void charges_release_at(struct charges *charges)
{
	charges_release(charges);
}
/* Nothing for the empty set. */
int charges_add(struct charges *charges, const struct dept_set *set,
		int64_t bytes, struct error *err);
/* Tells the ledger, and forgets them. Inside a transaction. */
int charges_tell(struct store *store, struct charges *charges,
		 struct error *err);
/* The same, of what went from one set to another. */
int charges_tell_moved(struct store *store, struct charges *charges,
		       struct error *err);
/* What users in the catalog charge: `bytes` for the set of those. 1 when they
 * can't be read: counted as nobody. */
int charges_add_users(struct charges *charges, const void *users, size_t len,
		      int64_t bytes, struct error *err);

/* --- a recipe's chunks, each once ------------------------------------------
 */

struct chunk_use {
	struct hash128 id;
	uint32_t len;
	uint32_t count; /* how often the recipe names it */
};
/* By id; owned. How many, or negative. */
int64_t recipe_uses(const struct recipe *recipe, struct chunk_use **ret_uses,
		    struct error *err);

/* --- shares (share.c) --------------------------------------------------------
 */

void share_init(struct store_share *share);
/* Of a chunk that a file of `set` holds `count` times; of nobody: only whether
 * others hold it. */
void share_add(struct store_share *share, const struct dept_set *set,
	       const struct users *users, uint32_t count, uint64_t stored);

/* What becomes of a chunk that is about to be put, other than before. */
int charges_add_move(struct charges *charges, struct store *store,
		     const struct chunk_row *row, struct error *err);
/* Of all rows that `sql` gives: users, bytes; ?1 is `bind`. */
int charges_add_rows(struct charges *charges, struct store *store,
		     enum view view, const char *sql, int64_t bind,
		     struct error *err);

/* The ledger is to count again; says why, the first time. Inside a
 * transaction. */
int recount_note(struct store *store, const char *why, struct error *err);

#endif
