/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Shares of packs, counted again. They are worked out from what is committed,
 * without the writer; only those that differ are written. What changes
 * meanwhile notes that they are not current.
 */
#include <errno.h>
#include <stdlib.h>

#include "fs/ledger/internal.h"

#define BATCH		  256
#define BATCHES_A_NOTE	  64 /* where it is, when nothing else is written */
#define AT_ONCE_FILES	  50000
#define OTHERWISE_EVERY_S 86400

struct counted {
	uint64_t ino;
	struct charge charge; /* as it is, then with another share */
	bool differs;
};

struct counting {
	struct ledger *ledger;
	int64_t at;
	unsigned int n;
	unsigned int unnoted; /* batches */
	bool differs;
	struct counted file[BATCH];
};

int shares_note(struct ledger *ledger, struct error *err)
{
	if (catalog_meta_get(ledger->cat, META_SHARES_DIRTY, 0) != 0)
		return 0;
	return catalog_meta_set(ledger->cat, META_SHARES_DIRTY, 1, err);
}

void ledger_shares(struct catalog *cat, struct ledger_shares *ret_shares)
{
	int64_t at = catalog_meta_get(cat, META_SHARES_S, INT64_MIN);

	*ret_shares = (struct ledger_shares){
		.current = catalog_meta_get(cat, META_SHARES_DIRTY, 0) == 0 &&
			   catalog_meta_get(cat, META_SHARES_RUNS, 0) == 0 &&
			   catalog_meta_get(cat, STORE_META_RECOUNT, 0) == 0,
		.counted = at != INT64_MIN,
		.counted_s = at,
	};
}

static bool is_late(struct ledger *ledger)
{
	struct error ignored = ERROR_INIT;
	struct catalog_totals totals;
	int64_t at = catalog_meta_get(ledger->cat, META_SHARES_S, INT64_MIN);

	if (at == INT64_MIN ||
	    clock_now_s(&ledger->clock) >= at + OTHERWISE_EVERY_S)
		return true;
	return catalog_totals(ledger->cat, &totals, &ignored) == 0 &&
	       totals.packed <= AT_ONCE_FILES;
}

bool ledger_shares_due(struct ledger *ledger)
{
	if (ledger->store == NULL || ledger_needs_recharge(ledger))
		return false;
	if (catalog_meta_get(ledger->cat, META_SHARES_RUNS, 0) != 0)
		return true;
	return catalog_meta_get(ledger->cat, META_SHARES_DIRTY, 0) != 0 &&
	       is_late(ledger);
}

/* --- one batch ---------------------------------------------------------------
 */

static int read_batch(struct counting *c, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s =
		catalog_read_stmt(c->ledger->cat,
				  "SELECT c.ino, i.size_bytes FROM charge c"
				  " JOIN inode i ON i.ino = c.ino"
				  " WHERE c.ino > ?1 AND c.content IS NOT NULL"
				  " ORDER BY c.ino LIMIT ?2",
				  err);
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, c->at);
	stmt_bind_i64(s, 2, BATCH);
	c->n = 0;
	c->differs = false;
	while (c->n < BATCH && (rc = stmt_step(s, err)) == 1)
		c->file[c->n++] = (struct counted){
			.ino = (uint64_t)stmt_i64(s, 0),
		};
	if (c->n > 0)
		c->at = (int64_t)c->file[c->n - 1].ino;
	return rc < 0 ? rc : 0;
}

static bool is_unreadable(int code)
{
	return code == -SOBRE_ENOCHUNK || code == -SOBRE_ECORRUPT ||
	       code == -EIO;
}

/* What can't be read keeps the share it had; fsck names it. */
static int count_file(struct ledger *ledger, struct counted *file,
		      struct error *err)
{
	struct charge *charge = &file->charge;
	struct store_share share;
	struct charge was;
	int rc = charge_get(ledger->cat, file->ino, charge, err);

	if (rc <= 0 || !charge->packed)
		return rc == -SOBRE_ECORRUPT || rc > 0 ? 0 : rc;
	was = *charge;
	rc = store_share(ledger->store, &charge->content, &charge->set, &share,
			 err);
	if (rc < 0)
		return is_unreadable(rc) ? 0 : rc;
	charge_share(charge, &share);
	file->differs = charge->own_high != was.own_high ||
			charge->own_low != was.own_low ||
			charge->exclusive_bytes != was.exclusive_bytes;
	return 0;
}

static int count_batch(struct counting *c, struct error *err)
{
	int rc = read_batch(c, err);

	for (unsigned int i = 0; rc == 0 && i < c->n; i++) {
		struct error bad = ERROR_INIT;

		rc = count_file(c->ledger, &c->file[i], &bad);
		if (rc < 0)
			(void)error_set(err, rc, "%s", bad.text);
		c->differs = c->differs || c->file[i].differs;
	}
	return rc;
}

/* One that was packed anew meanwhile knows better. */
static int write_share(struct counting *c, const struct counted *file,
		       struct folders *folders, struct error *err)
{
	struct charge old;
	struct charge now;
	int rc = charge_get(c->ledger->cat, file->ino, &old, err);

	if (rc <= 0 || !old.packed ||
	    hash128_compare(&old.content, &file->charge.content) != 0 ||
	    !dept_set_same(&old.set, &file->charge.set))
		return rc < 0 ? rc : 0;
	now = old;
	now.own_high = file->charge.own_high;
	now.own_low = file->charge.own_low;
	now.exclusive_bytes = file->charge.exclusive_bytes;
	rc = folders_add(folders, &old, -1, err);
	if (rc == 0)
		rc = folders_add(folders, &now, 1, err);
	return rc < 0 ? rc : charge_put(c->ledger, file->ino, &now, err);
}

static int note_position(struct counting *c, struct error *err)
{
	return catalog_meta_set(c->ledger->cat, META_SHARES_AT, c->at, err);
}

static int write_batch(struct counting *c, struct error *err)
{
	struct folders folders = { .n = 0 };
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < c->n; i++)
		if (c->file[i].differs)
			rc = write_share(c, &c->file[i], &folders, err);
	if (rc == 0)
		rc = folders_write(c->ledger->cat, &folders, err);
	folders_release(&folders);
	return rc < 0 ? rc : note_position(c, err);
}

/* --- the pass ----------------------------------------------------------------
 */

static int begin_pass(struct counting *c, struct error *err)
{
	struct catalog *cat = c->ledger->cat;
	int rc = catalog_meta_set(cat, META_SHARES_DIRTY, 0, err);

	if (rc == 0)
		rc = catalog_meta_set(cat, META_SHARES_RUNS, 1, err);
	if (rc == 0)
		rc = catalog_meta_set(cat, META_SHARES_AT, INT64_MIN, err);
	c->at = INT64_MIN;
	return rc;
}

static int end_pass(struct counting *c, struct error *err)
{
	struct catalog *cat = c->ledger->cat;
	int rc = catalog_meta_set(cat, META_SHARES_RUNS, 0, err);

	return rc < 0 ? rc
		      : catalog_meta_set(cat, META_SHARES_S,
					 clock_now_s(&c->ledger->clock), err);
}

static int in_transaction(struct counting *c,
			  int (*fn)(struct counting *c, struct error *err),
			  struct error *err)
{
	int rc = catalog_begin(c->ledger->cat, err);

	if (rc < 0)
		return rc;
	rc = fn(c, err);
	if (rc == 0)
		return catalog_commit(c->ledger->cat, err);
	catalog_rollback(c->ledger->cat);
	return rc;
}

/* 1: go on; 0: it was the last. */
static int step(struct counting *c, struct error *err)
{
	struct error ignored = ERROR_INIT;
	bool held = catalog_hold(c->ledger->cat, &ignored) == 0;
	int rc = count_batch(c, err);

	if (held)
		catalog_release(c->ledger->cat);
	if (rc < 0)
		return rc;
	if (c->n == 0)
		return in_transaction(c, end_pass, err);
	if (c->differs || ++c->unnoted == BATCHES_A_NOTE) {
		rc = in_transaction(c, write_batch, err);
		c->unnoted = 0;
	}
	return rc < 0 ? rc : 1;
}

static int count_some(struct counting *c, uint64_t max_files, const bool *stop,
		      struct error *err)
{
	uint64_t files = 0;
	int rc = 1;

	while (rc == 1) {
		if (stop != NULL && __atomic_load_n(stop, __ATOMIC_RELAXED))
			return error_set(err, -ECANCELED, "stopped");
		if (max_files > 0 && files >= max_files) {
			rc = in_transaction(c, note_position, err);
			return rc < 0 ? rc : 1;
		}
		rc = step(c, err);
		files += c->n;
	}
	return rc;
}

int ledger_count_shares(struct ledger *ledger, uint64_t max_files,
			const bool *stop, struct error *err)
{
	cleanup_free struct counting *c = calloc(1, sizeof(*c));
	int rc = 0;

	if (c == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	if (ledger->store == NULL)
		return 0;
	c->ledger = ledger;
	(void)pthread_mutex_lock(&ledger->count_lock);
	c->at = catalog_meta_get(ledger->cat, META_SHARES_AT, INT64_MIN);
	if (catalog_meta_get(ledger->cat, META_SHARES_RUNS, 0) == 0)
		rc = in_transaction(c, begin_pass, err);
	if (rc == 0)
		rc = count_some(c, max_files, stop, err);
	(void)pthread_mutex_unlock(&ledger->count_lock);
	return rc < 0 && rc != -ECANCELED
		       ? error_prefix(err, "cannot count shares of packs")
		       : rc;
}
