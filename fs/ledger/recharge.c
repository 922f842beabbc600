/* SPDX-License-Identifier: EUPL-1.2 */
/* Every inode is looked at again: after a change of the departments, or when
 * the sums can't be trusted. */
#include <errno.h>

#include "fs/base/log.h"
#include "fs/ledger/internal.h"

#define INODES_A_TRANSACTION 2000

int recharge_note(struct ledger *ledger, struct error *err)
{
	atomic_store(&ledger->recharge_due, true);
	return catalog_meta_set(ledger->cat, META_RECHARGE, RECHARGE_DUE, err);
}

bool ledger_needs_recharge(const struct ledger *ledger)
{
	return atomic_load(&ledger->recharge_due) ||
	       catalog_meta_get(ledger->cat, STORE_META_RECOUNT, 0) != 0;
}

static int run(struct ledger *ledger, const char *sql, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(ledger->cat, sql, err);
	int64_t n = s == NULL ? err->code : stmt_run(s, err);

	return n < 0 ? (int)n : 0;
}

int places_forget(struct ledger *ledger, struct error *err)
{
	return run(ledger, "UPDATE charge SET place = -1 WHERE place > 0", err);
}

/* --- the sums from what was charged -------------------------------------- */

static int64_t join(int64_t high, int64_t low)
{
	int64_t v = 0;

	if (__builtin_mul_overflow(high, 1048576, &v) ||
	    __builtin_add_overflow(v, low, &v))
		return INT64_MAX;
	return v;
}

static int sum_charges(struct ledger *ledger, struct deltas *sums,
		       struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		ledger->cat,
		"SELECT members, sum(blocks), sum(size_bytes >> 20),"
		" sum(size_bytes & 1048575) FROM charge"
		" WHERE members <> x'' GROUP BY members",
		err);
	int rc = 0;

	if (s == NULL)
		return err->code;
	while ((rc = stmt_step(s, err)) == 1) {
		struct dept_set set;

		if (!dept_set_read(s, 0, &set))
			continue;
		rc = deltas_add(sums, TIER_HOT, &set, stmt_i64(s, 1) * 512,
				err);
		if (rc == 0)
			rc = deltas_add(sums, TIER_LOGICAL, &set,
					join(stmt_i64(s, 2), stmt_i64(s, 3)),
					err);
		if (rc < 0)
			break;
	}
	return rc;
}

static int add_stored(void *ctx, const struct dept_set *set, uint64_t bytes,
		      struct error *err)
{
	return deltas_add(ctx, TIER_PACKED, set, (int64_t)bytes, err);
}

static bool is_summed(const struct ledger *ledger, enum tier tier)
{
	return tier == TIER_HOT || tier == TIER_LOGICAL ||
	       (tier == TIER_PACKED && ledger->store != NULL);
}

static int sum_again(struct ledger *ledger, struct deltas *sums,
		     struct error *err)
{
	int rc = holdings_list(ledger, sums, err);

	if (rc == 0)
		rc = sum_charges(ledger, sums, err);
	if (rc == 0 && ledger->store != NULL)
		rc = store_set_sums(ledger->store, add_stored, sums, err);
	for (size_t i = 0; rc == 0 && i < sums->cap; i++) {
		const struct delta *d = &sums->slot[i];

		if (d->used && is_summed(ledger, d->tier))
			rc = holding_put(ledger, d->tier, &d->set, d->bytes,
					 err);
	}
	return rc;
}

/* No content is charged any more; the sums that follow see that. */
static int forget_uses(struct ledger *ledger, struct error *err)
{
	int rc = store_use_forget(ledger->store, err);

	if (rc == 0)
		rc = run(ledger,
			 "UPDATE charge SET content = NULL, own_high = 0,"
			 " own_low = 0, exclusive_bytes = 0 WHERE content IS "
			 "NOT NULL",
			 err);
	if (rc == 0)
		rc = catalog_meta_set(ledger->cat, STORE_META_RECOUNT, 0, err);
	return rc;
}

static int begin_afresh(struct ledger *ledger, struct error *err)
{
	struct catalog *cat = ledger->cat;
	struct deltas sums = { .n = 0 };
	int rc = 0;

	if (ledger->store != NULL &&
	    catalog_meta_get(cat, STORE_META_RECOUNT, 0) != 0)
		rc = forget_uses(ledger, err);
	if (rc == 0)
		rc = sum_again(ledger, &sums, err);
	deltas_release(&sums);
	if (rc == 0)
		rc = folders_again(cat, err);
	if (rc == 0)
		rc = shares_note(ledger, err);
	if (rc == 0)
		rc = catalog_meta_set(cat, META_RECHARGE, RECHARGE_RUNS, err);
	if (rc == 0)
		rc = catalog_meta_set(cat, META_RECHARGE_AT, INT64_MIN, err);
	return rc;
}

/* --- all inodes ---------------------------------------------------------- */

/* Those of both tables: a charge without an inode goes. Returns how many. */
static int touch_some(struct ledger *ledger, int64_t *at, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		ledger->cat,
		"SELECT ino FROM inode WHERE ino > ?1"
		" UNION SELECT ino FROM charge WHERE ino > ?1"
		" ORDER BY ino LIMIT ?2",
		err);
	int n = 0;
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, *at);
	stmt_bind_i64(s, 2, INODES_A_TRANSACTION);
	while ((rc = stmt_step(s, err)) == 1) {
		*at = stmt_i64(s, 0);
		rc = catalog_touch(ledger->cat, (uint64_t)*at, err);
		if (rc < 0)
			return rc;
		n++;
	}
	return rc < 0 ? rc : n;
}

static int some(struct ledger *ledger, struct error *err)
{
	struct catalog *cat = ledger->cat;
	int64_t at = catalog_meta_get(cat, META_RECHARGE_AT, INT64_MIN);
	int n = touch_some(ledger, &at, err);
	int rc = n;

	if (n > 0)
		rc = catalog_meta_set(cat, META_RECHARGE_AT, at, err);
	/* Not when there is a new reason to begin again. */
	if (n == 0 && catalog_meta_get(cat, META_RECHARGE, RECHARGE_NONE) ==
			      RECHARGE_RUNS)
		rc = catalog_meta_set(cat, META_RECHARGE, RECHARGE_NONE, err);
	return rc < 0 ? rc : n;
}

static int in_transaction(struct ledger *ledger,
			  int (*fn)(struct ledger *ledger, struct error *err),
			  struct error *err)
{
	int rc = catalog_begin(ledger->cat, err);
	int n = 0;

	if (rc < 0)
		return rc;
	n = fn(ledger, err);
	if (n < 0) {
		catalog_rollback(ledger->cat);
		return n;
	}
	rc = catalog_commit(ledger->cat, err);
	return rc < 0 ? rc : n;
}

static bool must_begin(const struct ledger *ledger)
{
	return catalog_meta_get(ledger->cat, META_RECHARGE, RECHARGE_NONE) !=
		       RECHARGE_RUNS ||
	       (ledger->store != NULL &&
		catalog_meta_get(ledger->cat, STORE_META_RECOUNT, 0) != 0);
}

int ledger_recharge(struct ledger *ledger, const bool *stop, struct error *err)
{
	int n = 0;

	if (must_begin(ledger))
		n = in_transaction(ledger, begin_afresh, err);
	do {
		if (n >= 0 && __atomic_load_n(stop, __ATOMIC_RELAXED))
			return error_set(err, -ECANCELED, "stopped");
		if (n >= 0)
			n = in_transaction(ledger, some, err);
	} while (n > 0);
	if (n < 0)
		return error_prefix(err, "cannot charge all again");
	atomic_store(&ledger->recharge_due,
		     catalog_meta_get(ledger->cat, META_RECHARGE,
				      RECHARGE_NONE) != RECHARGE_NONE);
	return 0;
}
