/* SPDX-License-Identifier: EUPL-1.2 */
/* What an inode holds now, against what it was charged with last. */
#include <errno.h>

#include "fs/ledger/internal.h"

static bool same(const struct charge *a, const struct charge *b)
{
	return a->btime_ns == b->btime_ns && a->place == b->place &&
	       a->blocks == b->blocks && a->size_bytes == b->size_bytes &&
	       dept_set_same(&a->set, &b->set) && charge_same_content(a, b) &&
	       a->parent == b->parent && a->regular == b->regular &&
	       a->own_high == b->own_high && a->own_low == b->own_low &&
	       a->exclusive_bytes == b->exclusive_bytes;
}

static int charge_tier(struct ledger *ledger, enum tier tier,
		       const struct charge *charge, int64_t bytes,
		       struct error *err)
{
	return bytes == 0 ? 0
			  : deltas_add(&ledger->deltas, tier, &charge->set,
				       bytes, err);
}

static int charge_bytes(struct ledger *ledger, const struct charge *old,
			const struct charge *charge, struct error *err)
{
	int rc = charge_tier(ledger, TIER_HOT, old, -512 * old->blocks, err);

	if (rc == 0)
		rc = charge_tier(ledger, TIER_HOT, charge, 512 * charge->blocks,
				 err);
	if (rc == 0)
		rc = charge_tier(ledger, TIER_LOGICAL, old, -old->size_bytes,
				 err);
	if (rc == 0)
		rc = charge_tier(ledger, TIER_LOGICAL, charge,
				 charge->size_bytes, err);
	return rc;
}

/* The share of a file that holds something is known from then on. */
static int use_content(struct ledger *ledger, const struct hash128 *content,
		       const struct dept_set *gained,
		       const struct dept_set *lost, struct charge *holder,
		       struct error *err)
{
	static const struct dept_set nobody = { .n = 0 };
	struct store_share share;
	int rc = store_use_share(ledger->store, content, gained, lost,
				 holder != NULL ? &holder->set : &nobody,
				 &share, err);

	if (rc < 0)
		return rc;
	if (!share.alone)
		ledger->others = true;
	if (holder != NULL)
		charge_share(holder, &share);
	return 0;
}

static int charge_content(struct ledger *ledger, const struct charge *old,
			  struct charge *charge, struct error *err)
{
	struct dept_set gained;
	struct dept_set lost;
	int rc = 0;

	if (ledger->store == NULL)
		return 0;
	if (!charge_same_content(old, charge)) {
		ledger->cause = charge->set.n == 0 ? CAUSE_GONE : CAUSE_PACKED;
		if (old->packed)
			rc = use_content(ledger, &old->content, NULL, &old->set,
					 NULL, err);
		ledger->cause = old->set.n == 0 ? CAUSE_NEW : CAUSE_PACKED;
		if (rc == 0 && charge->packed)
			rc = use_content(ledger, &charge->content, &charge->set,
					 NULL, charge, err);
		return rc;
	}
	ledger->cause = charge->set.n == 0 ? CAUSE_GONE : CAUSE_MOVED;
	dept_set_minus(&charge->set, &old->set, &gained);
	dept_set_minus(&old->set, &charge->set, &lost);
	if (charge->packed && gained.n + lost.n > 0)
		rc = use_content(ledger, &charge->content, &gained, &lost,
				 charge, err);
	return rc;
}

/* A charge that was never made has no set. */
static bool is_apart(const struct charge *charge)
{
	return charge->set.n > 0 && charge->parent == 0;
}

static int apart_put(struct ledger *ledger, uint64_t ino, bool apart,
		     struct error *err)
{
	return write_ino(ledger->cat,
			 apart ? "INSERT OR IGNORE INTO apart(ino) VALUES(?1)"
			       : "DELETE FROM apart WHERE ino = ?1",
			 ino, err);
}

static int recharge_one(struct look *look, uint64_t ino,
			const struct charge *old, struct charge *charge,
			struct error *err)
{
	struct ledger *ledger = look->ledger;
	int rc = charge_bytes(ledger, old, charge, err);

	if (rc == 0)
		rc = flow_blocks(ledger, old, charge, err);
	if (rc == 0)
		rc = charge_content(ledger, old, charge, err);
	if (rc == 0 && is_apart(old) != is_apart(charge))
		rc = apart_put(ledger, ino, is_apart(charge), err);
	if (rc == 0)
		rc = folders_add(&ledger->folders, old, -1, err);
	if (rc == 0)
		rc = folders_add(&ledger->folders, charge, 1, err);
	/* Of one that is gone the row goes next. */
	if (rc == 0 && charge->set.n > 0)
		rc = charge_put(ledger, ino, charge, err);
	if (rc == 0 && ledger_is_place(ledger, old->place) &&
	    old->place != charge->place)
		rc = catalog_touch_children(ledger->cat, ino, err);
	return rc;
}

/* What still has names below it finds out afresh where that is. */
static int look_at_gone(struct look *look, uint64_t ino, struct error *err)
{
	struct charge none = { .place = PLACE_NONE };
	struct charge old = { .place = PLACE_NONE };
	int rc = charge_get_sound(look->ledger, ino, &old, err);

	if (rc == 1)
		rc = recharge_one(look, ino, &old, &none, err);
	return rc < 0 ? rc : charge_delete(look->ledger, ino, err);
}

int look_at(struct look *look, uint64_t ino, struct error *err)
{
	struct ledger *ledger = look->ledger;
	struct error none = ERROR_INIT;
	struct catalog_inode inode;
	struct charge charge;
	struct charge old;
	int rc = catalog_inode_get(ledger->cat, ino, 0, &inode, &none);

	if (rc == -ENOENT || rc == -SOBRE_ECORRUPT)
		return look_at_gone(look, ino, err);
	if (rc < 0)
		return error_set(err, rc, "%s", none.text);
	rc = look_charge(look, &inode, &charge, err);
	if (rc < 0)
		return rc;
	rc = charge_get_sound(ledger, ino, &old, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		old = (struct charge){ .place = PLACE_NONE };
	look_keep_set(look, inode.gid, &charge, &old);
	charge_keep_share(&charge, &old);
	return rc == 1 && same(&old, &charge)
		       ? 0
		       : recharge_one(look, ino, &old, &charge, err);
}

int ledger_commit(void *ctx, const uint64_t *inos, size_t n, struct error *err)
{
	struct ledger *ledger = ctx;
	struct look look = { .ledger = ledger };
	int rc = 0;

	ledger->in_hook = true;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = look_at(&look, inos[i], err);
	if (rc == 0)
		rc = deltas_write(ledger, err);
	if (rc == 0)
		rc = folders_write(ledger->cat, &ledger->folders, err);
	if (rc == 0 && ledger->others)
		rc = shares_note(ledger, err);
	ledger->in_hook = false;
	ledger->others = false;
	deltas_release(&ledger->deltas);
	folders_release(&ledger->folders);
	look_release(&look);
	return rc < 0 ? error_prefix(err, "the ledger") : 0;
}

static enum ledger_cause charged_cause(const struct ledger *ledger, bool moved)
{
	if (moved)
		return CAUSE_SHARED;
	return ledger->in_hook ? ledger->cause : CAUSE_PACKED;
}

int ledger_charged(void *ctx, const struct dept_set *set, int64_t delta_bytes,
		   bool moved, struct error *err)
{
	struct ledger *ledger = ctx;
	int rc = flow_add(ledger, charged_cause(ledger, moved), set,
			  delta_bytes, err);

	if (rc < 0)
		return rc;
	if (ledger->in_hook)
		return deltas_add(&ledger->deltas, TIER_PACKED, set,
				  delta_bytes, err);
	rc = shares_note(ledger, err);
	return rc < 0 ? rc
		      : holding_add(ledger, TIER_PACKED, set, delta_bytes, err);
}
