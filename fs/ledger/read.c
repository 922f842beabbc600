/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <stdlib.h>

#include "fs/ledger/internal.h"

struct rows {
	struct tier_time *row;
	unsigned int n;
	unsigned int cap;
};

static int rows_add(struct rows *rows, const struct tier_time *row,
		    struct error *err)
{
	if (rows->n == rows->cap) {
		unsigned int cap = rows->cap == 0 ? 64 : rows->cap * 2;
		struct tier_time *more =
			reallocarray(rows->row, cap, sizeof(*more));

		if (more == NULL)
			return error_set(err, -ENOMEM, "out of memory");
		rows->row = more;
		rows->cap = cap;
	}
	rows->row[rows->n++] = *row;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct tier_time *l = a;
	const struct tier_time *r = b;

	if (l->tier != r->tier)
		return l->tier < r->tier ? -1 : 1;
	return dept_set_compare(&l->set, &r->set);
}

/* By tier, then set; each once. */
static void rows_merge(struct rows *rows)
{
	unsigned int n = 0;

	if (rows->n > 0)
		qsort(rows->row, rows->n, sizeof(*rows->row), compare);
	for (unsigned int i = 0; i < rows->n; i++) {
		const struct tier_time *row = &rows->row[i];

		if (n > 0 && compare(&rows->row[n - 1], row) == 0)
			rows->row[n - 1].byte_seconds += row->byte_seconds;
		else
			rows->row[n++] = *row;
	}
	rows->n = n;
}

/* Columns 0 and 1. */
static int read_key(struct catalog_stmt *s, struct tier_time *row,
		    struct error *err)
{
	int64_t tier = stmt_i64(s, 1);

	const bool is_flow = tier >= TIER_FLOWS && tier < TIER_FLOWS_END;

	if (!dept_set_read(s, 0, &row->set) || tier < 0 ||
	    (tier >= TIERS && !is_flow))
		return error_set(err, -SOBRE_ECORRUPT,
				 "a row of the ledger is bad");
	row->tier = (enum tier)tier;
	return 0;
}

static int64_t overlap(const struct ledger_month *month, int64_t from_s)
{
	if (from_s < month->start_s)
		from_s = month->start_s;
	return from_s < month->end_s ? month->end_s - from_s : 0;
}

/* What the month's row says, or what a holding adds to it since it was
 * accrued last. */
static int read_row(const struct ledger_month *month, struct catalog_stmt *s,
		    struct tier_time *row, struct error *err)
{
	int64_t a = stmt_i64(s, 3);
	int64_t b = stmt_i64(s, 4);
	int rc = read_key(s, row, err);

	if (rc == 0 && (a < 0 || b < 0))
		rc = error_set(err, -SOBRE_ECORRUPT,
			       "a row of the ledger is bad");
	if (rc < 0)
		return rc;
	if (stmt_i64(s, 2) != 0)
		row->byte_seconds = wide_join(a, b);
	else
		row->byte_seconds = (uint128)a * (uint128)overlap(month, b);
	return 0;
}

/* One statement, so that both tables are of one moment. */
static int read_rows(struct catalog *cat, const struct ledger_month *month,
		     bool flows, struct rows *rows, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_stmt(
		cat,
		"SELECT members, tier, 1, high, low FROM ledger"
		" WHERE month = ?1 AND (tier >= ?2 AND tier < ?3) = ?4"
		" UNION ALL SELECT members, tier, 0, bytes, at_s FROM holding"
		" WHERE (tier >= ?2 AND tier < ?3) = ?4",
		err);
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, month->month);
	stmt_bind_i64(s, 2, TIER_FLOWS);
	stmt_bind_i64(s, 3, TIER_FLOWS_END);
	stmt_bind_i64(s, 4, flows);
	while ((rc = stmt_step(s, err)) == 1) {
		struct tier_time row;

		rc = read_row(month, s, &row, err);
		if (rc == 0 && row.byte_seconds > 0)
			rc = rows_add(rows, &row, err);
		if (rc < 0)
			break;
	}
	return rc;
}

static int read_observed(struct catalog *cat, struct ledger_month *month,
			 struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_stmt(
		cat, "SELECT seconds FROM observed WHERE month = ?1", err);
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, month->month);
	rc = stmt_step(s, err);
	month->observed_s = rc == 1 ? stmt_i64(s, 0) : 0;
	return rc < 0 ? rc : 0;
}

static int bounds(struct catalog *cat, struct ledger_month *month,
		  int64_t now_s, struct error *err)
{
	month->start_s = month_start(month->month);
	month->end_s = month_start(month->month + 1);
	month->first_s = catalog_meta_get(cat, META_FIRST, INT64_MAX);
	if (month->start_s > now_s)
		return error_set(err, -EINVAL, "the month lies ahead");
	if (month->first_s >= month->end_s)
		return error_set(err, -ENOENT,
				 "the ledger knows nothing of that month");
	if (month->end_s > now_s)
		month->end_s = now_s;
	return 0;
}

int month_rows(struct catalog *cat, bool flows, int64_t now_s,
	       struct ledger_month *ret_month, struct error *err)
{
	struct ledger_month got = { .month = ret_month->month };
	struct rows rows = { .n = 0 };
	int rc = bounds(cat, &got, now_s, err);

	if (rc == 0)
		rc = read_observed(cat, &got, err);
	if (rc == 0)
		rc = read_rows(cat, &got, flows, &rows, err);
	if (rc < 0) {
		free(rows.row);
		return rc;
	}
	rows_merge(&rows);
	got.row = rows.row;
	got.n = rows.n;
	*ret_month = got;
	return 0;
}

int ledger_month_get(struct catalog *cat, int32_t month, int64_t now_s,
		     struct ledger_month *ret_month, struct error *err)
{
	struct ledger_month got = { .month = month };
	int rc = month_rows(cat, false, now_s, &got, err);

	if (rc == 0)
		*ret_month = got;
	return rc;
}

void ledger_month_release(struct ledger_month *month)
{
	free(month->row);
	month->row = NULL;
	month->n = 0;
}

int ledger_now(struct catalog *cat, struct tier_time **ret_rows,
	       unsigned int *ret_n, struct error *err)
{
	struct rows rows = { .n = 0 };
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_stmt(
		cat,
		"SELECT members, tier, bytes FROM holding"
		" WHERE bytes > 0 AND NOT (tier >= ?1 AND tier < ?2)",
		err);
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, TIER_FLOWS);
	stmt_bind_i64(s, 2, TIER_FLOWS_END);
	while ((rc = stmt_step(s, err)) == 1) {
		struct tier_time row;

		rc = read_key(s, &row, err);
		row.byte_seconds = (uint128)stmt_i64(s, 2);
		if (rc == 0)
			rc = rows_add(&rows, &row, err);
		if (rc < 0)
			break;
	}
	if (rc < 0) {
		free(rows.row);
		return rc;
	}
	rows_merge(&rows);
	*ret_rows = rows.row;
	*ret_n = rows.n;
	return 0;
}
