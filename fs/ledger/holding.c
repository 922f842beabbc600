/* SPDX-License-Identifier: EUPL-1.2 */
/* Bytes held, and what they come to over time: accrued when they change. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/hash.h"
#include "fs/base/log.h"
#include "fs/ledger/internal.h"

/* More sets than that are accrued once an hour: what isn't is added by who
 * reads. */
#define EACH_TICK_MAX 1024
#define SELDOM_S      3600

int64_t ledger_clock(struct ledger *ledger)
{
	int64_t now = clock_now_s(&ledger->clock);

	if (now > ledger->now_s)
		ledger->now_s = now;
	return ledger->now_s;
}

/* --- accruing ------------------------------------------------------------ */

static int month_read(struct ledger *ledger, int32_t month,
		      const struct delta *key, uint128 *ret_sum,
		      struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		ledger->cat,
		"SELECT high, low FROM ledger"
		" WHERE month = ?1 AND members = ?2 AND tier = ?3",
		err);
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, month);
	dept_set_bind(s, 2, &key->set);
	stmt_bind_i64(s, 3, key->tier);
	rc = stmt_step(s, err);
	*ret_sum = rc == 1 ? wide_join(stmt_i64(s, 0), stmt_i64(s, 1)) : 0;
	return rc < 0 ? rc : 0;
}

static int month_add(struct ledger *ledger, int32_t month,
		     const struct delta *key, uint128 more, struct error *err)
{
	CLEANUP(stmt_done) struct catalog_stmt *s = NULL;
	uint128 sum = 0;
	int rc = month_read(ledger, month, key, &sum, err);

	if (rc < 0)
		return rc;
	s = catalog_write_stmt(
		ledger->cat,
		"INSERT INTO ledger(month, members, tier, high, low)"
		" VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE"
		" SET high = excluded.high, low = excluded.low",
		err);
	if (s == NULL)
		return err->code;
	sum += more;
	stmt_bind_i64(s, 1, month);
	dept_set_bind(s, 2, &key->set);
	stmt_bind_i64(s, 3, key->tier);
	stmt_bind_i64(s, 4, wide_high(sum));
	stmt_bind_i64(s, 5, wide_low(sum));
	rc = (int)stmt_run(s, err);
	return rc < 0 ? rc : 0;
}

/* `held->bytes` from `from_s` to `to_s`, to the months it lies in. */
static int accrue(struct ledger *ledger, const struct delta *held,
		  int64_t from_s, int64_t to_s, struct error *err)
{
	int rc = 0;

	if (held->bytes <= 0)
		return 0;
	for (int32_t month = month_of(from_s); rc == 0 && from_s < to_s;
	     month++) {
		int64_t end = month_start(month + 1);

		if (end > to_s)
			end = to_s;
		rc = month_add(ledger, month, held,
			       (uint128)held->bytes * (uint128)(end - from_s),
			       err);
		from_s = end;
	}
	return rc;
}

static int observed_put(struct ledger *ledger, int32_t month, int64_t seconds,
			struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		ledger->cat,
		"INSERT INTO observed(month, seconds) VALUES(?1, ?2)"
		" ON CONFLICT DO UPDATE"
		" SET seconds = seconds + excluded.seconds",
		err);
	int64_t n = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, month);
	stmt_bind_i64(s, 2, seconds);
	n = stmt_run(s, err);
	return n < 0 ? (int)n : 0;
}

int observed_add(struct ledger *ledger, int64_t from_s, int64_t to_s,
		 struct error *err)
{
	int rc = 0;

	for (int32_t month = month_of(from_s); rc == 0 && from_s < to_s;
	     month++) {
		int64_t end = month_start(month + 1);

		if (end > to_s)
			end = to_s;
		rc = observed_put(ledger, month, end - from_s, err);
		from_s = end;
	}
	return rc;
}

/* --- holdings ------------------------------------------------------------ */

/* Without a row nothing is held; from a time that can't be nothing accrues. */
static int holding_get(struct ledger *ledger, struct delta *held,
		       int64_t *ret_at_s, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s =
		catalog_write_stmt(ledger->cat,
				   "SELECT bytes, at_s FROM holding"
				   " WHERE members = ?1 AND tier = ?2",
				   err);
	int rc = 0;

	if (s == NULL)
		return err->code;
	dept_set_bind(s, 1, &held->set);
	stmt_bind_i64(s, 2, held->tier);
	rc = stmt_step(s, err);
	held->bytes = rc == 1 ? stmt_i64(s, 0) : 0;
	*ret_at_s = rc == 1 ? stmt_i64(s, 1) : INT64_MAX;
	if (*ret_at_s < 0)
		*ret_at_s = INT64_MAX;
	return rc;
}

static int holding_write(struct ledger *ledger, const struct delta *held,
			 int64_t at_s, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s =
		held->bytes == 0
			? catalog_write_stmt(
				  ledger->cat,
				  "DELETE FROM holding"
				  " WHERE members = ?1 AND tier = ?2",
				  err)
			: catalog_write_stmt(
				  ledger->cat,
				  "INSERT INTO holding(members, tier, bytes,"
				  " at_s) VALUES(?1, ?2, ?3, ?4)"
				  " ON CONFLICT DO UPDATE SET"
				  " bytes = excluded.bytes,"
				  " at_s = excluded.at_s",
				  err);
	int64_t n = 0;

	if (s == NULL)
		return err->code;
	dept_set_bind(s, 1, &held->set);
	stmt_bind_i64(s, 2, held->tier);
	if (held->bytes != 0) {
		stmt_bind_i64(s, 3, held->bytes);
		stmt_bind_i64(s, 4, at_s);
	}
	n = stmt_run(s, err);
	return n < 0 ? (int)n : 0;
}

/* Sums that don't add up are our mistake or a damaged row: the drive goes on,
 * and all is charged afresh. */
static int distrust(struct ledger *ledger, struct delta *held,
		    struct error *err)
{
	log_error("the ledger's sums don't add up; all is charged again");
	held->bytes = 0;
	return recharge_note(ledger, err);
}

int holding_add(struct ledger *ledger, enum tier tier,
		const struct dept_set *set, int64_t bytes, struct error *err)
{
	struct delta held = { .tier = tier, .set = *set };
	int64_t now = ledger_clock(ledger);
	int64_t at_s = INT64_MAX;
	int rc = holding_get(ledger, &held, &at_s, err);

	if (rc >= 0)
		rc = accrue(ledger, &held, at_s < now ? at_s : now, now, err);
	if (rc < 0)
		return rc;
	if (__builtin_add_overflow(held.bytes, bytes, &held.bytes) ||
	    held.bytes < 0)
		rc = distrust(ledger, &held, err);
	return rc < 0 ? rc : holding_write(ledger, &held, now, err);
}

int holding_put(struct ledger *ledger, enum tier tier,
		const struct dept_set *set, int64_t bytes, struct error *err)
{
	struct delta held = { .tier = tier, .set = *set };
	int64_t at_s = 0;
	int rc = holding_get(ledger, &held, &at_s, err);

	if (rc < 0)
		return rc;
	return holding_add(ledger, tier, set, bytes - held.bytes, err);
}

/* --- all of them --------------------------------------------------------- */

/* Those accrued last up to `by_s`, or to a time that has not come. */
static int list_due(struct ledger *ledger, int64_t by_s, struct deltas *keys,
		    struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s =
		catalog_write_stmt(ledger->cat,
				   "SELECT members, tier FROM holding"
				   " WHERE at_s <= ?1 OR at_s > ?2",
				   err);
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, by_s);
	stmt_bind_i64(s, 2, ledger->now_s);
	while ((rc = stmt_step(s, err)) == 1) {
		struct dept_set set;
		int64_t tier = stmt_i64(s, 1);

		if (!dept_set_read(s, 0, &set) || tier < 0 || tier >= TIERS)
			continue;
		rc = deltas_add(keys, (enum tier)tier, &set, 0, err);
		if (rc < 0)
			break;
	}
	return rc;
}

int holdings_list(struct ledger *ledger, struct deltas *keys, struct error *err)
{
	return list_due(ledger, INT64_MAX, keys, err);
}

/* 1: there are too many to write them all each minute. */
static int many_held(struct ledger *ledger, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		ledger->cat, "SELECT 1 FROM holding LIMIT 1 OFFSET ?1", err);

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, EACH_TICK_MAX);
	return stmt_step(s, err);
}

static int write_all(struct ledger *ledger, const struct deltas *deltas,
		     bool zeros, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < deltas->cap; i++) {
		const struct delta *d = &deltas->slot[i];

		if (d->used && (zeros || d->bytes != 0))
			rc = holding_add(ledger, d->tier, &d->set, d->bytes,
					 err);
	}
	return rc;
}

int holdings_accrue(struct ledger *ledger, struct error *err)
{
	struct deltas keys = { .n = 0 };
	int64_t now = ledger_clock(ledger);
	int many = many_held(ledger, err);
	int rc = many < 0 ? many
			  : list_due(ledger, many ? now - SELDOM_S : now, &keys,
				     err);

	if (rc == 0)
		rc = write_all(ledger, &keys, true, err);
	deltas_release(&keys);
	return rc;
}

int deltas_write(struct ledger *ledger, struct error *err)
{
	return write_all(ledger, &ledger->deltas, false, err);
}

/* --- deltas -------------------------------------------------------------- */

static struct delta *slot_of(const struct deltas *deltas, enum tier tier,
			     const struct dept_set *set)
{
	uint64_t at = hash64(set->member, set->n * sizeof(set->member[0])) +
		      (uint64_t)tier * UINT64_C(0x9e3779b97f4a7c15);
	struct delta *d = NULL;

	do
		d = &deltas->slot[at++ & (deltas->cap - 1)];
	while (d->used && (d->tier != tier || !dept_set_same(&d->set, set)));
	return d;
}

static int grow(struct deltas *deltas, struct error *err)
{
	struct deltas more = { .cap = deltas->cap == 0 ? 32 : deltas->cap * 2,
			       .n = deltas->n };

	more.slot = calloc(more.cap, sizeof(*more.slot));
	if (more.slot == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < deltas->cap; i++) {
		const struct delta *d = &deltas->slot[i];

		if (d->used)
			*slot_of(&more, d->tier, &d->set) = *d;
	}
	free(deltas->slot);
	*deltas = more;
	return 0;
}

int deltas_add(struct deltas *deltas, enum tier tier,
	       const struct dept_set *set, int64_t bytes, struct error *err)
{
	struct delta *d = NULL;

	if (2 * (deltas->n + 1) > deltas->cap) {
		int rc = grow(deltas, err);

		if (rc < 0)
			return rc;
	}
	d = slot_of(deltas, tier, set);
	if (!d->used) {
		*d = (struct delta){ .used = true, .tier = tier, .set = *set };
		deltas->n++;
	}
	d->bytes += bytes;
	return 0;
}

void deltas_release(struct deltas *deltas)
{
	free(deltas->slot);
	*deltas = (struct deltas){ .n = 0 };
}
