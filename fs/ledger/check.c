/* SPDX-License-Identifier: EUPL-1.2 */
/* Invariant 8. Each question is one statement, and so of one moment. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "fs/ledger/internal.h"

void check_differs(struct check *check, const char *text)
{
	if (check->differences < INT32_MAX)
		check->differences++;
	if (check->bad != NULL)
		check->bad(check->ctx, text);
}

int check_inos(struct check *check, struct catalog_stmt *s, const char *what,
	       struct error *err)
{
	int rc = 0;

	while ((rc = stmt_step(s, err)) == 1) {
		char text[128];

		(void)snprintf(text, sizeof(text), "inode %" PRIu64 " %s",
			       (uint64_t)stmt_i64(s, 0), what);
		check_differs(check, text);
	}
	return rc;
}

/* What an inode is, against what it was charged with; a charge of one that is
 * gone may say where a directory was, and nothing else. */
static int check_inodes(struct check *check, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_stmt(
		check->cat,
		"SELECT i.ino FROM inode i LEFT JOIN charge c ON c.ino = i.ino"
		" WHERE c.ino IS NULL OR c.btime_ns <> i.btime_ns"
		" OR c.blocks <> min(i.blocks, ?1 / 512) OR c.size_bytes <>"
		" iif((i.mode & 61440) = 32768, min(i.size_bytes, ?1), 0)"
		" OR (?2 AND c.content IS NOT i.content)"
		" OR c.members = x'' OR c.regular <> ((i.mode & 61440) = 32768)"
		" OR ((i.mode & 61440) = 16384) <> (c.place <> 0)"
		" UNION ALL SELECT c.ino FROM charge c"
		" WHERE NOT EXISTS (SELECT 1 FROM inode i WHERE i.ino = c.ino)"
		" AND (c.members <> x'' OR c.blocks <> 0 OR c.size_bytes <> 0"
		" OR c.content IS NOT NULL)",
		err);

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, CHARGE_BYTES_MAX);
	stmt_bind_i64(s, 2, check->store != NULL);
	return check_inos(check, s, "is not as it was charged", err);
}

static int add_row(struct check *check, struct catalog_stmt *s,
		   struct error *err)
{
	struct dept_set set;
	int64_t tier = stmt_i64(s, 1);

	if (!dept_set_read(s, 0, &set) || tier < 0 || tier >= TIERS) {
		check_differs(check, "a row of charge or holding is bad");
		return 0;
	}
	return deltas_add(&check->sums, (enum tier)tier, &set, stmt_i64(s, 2),
			  err);
}

static int add_rows(struct check *check, struct catalog_stmt *s,
		    struct error *err)
{
	int rc = 0;

	while ((rc = stmt_step(s, err)) == 1) {
		rc = add_row(check, s, err);
		if (rc < 0)
			break;
	}
	return rc;
}

static void set_text(const struct dept_set *set, char *text, size_t len)
{
	size_t at = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < set->n && at < len; i++) {
		int n = snprintf(text + at, len - at, "%s%u",
				 i == 0 ? "" : ", ", set->member[i]);

		at += n > 0 ? (size_t)n : 0;
	}
}

static void compare_sums(struct check *check)
{
	char members[128];
	char text[256];

	for (size_t i = 0; i < check->sums.cap; i++) {
		const struct delta *d = &check->sums.slot[i];

		if (!d->used || d->bytes == 0)
			continue;
		set_text(&d->set, members, sizeof(members));
		(void)snprintf(text, sizeof(text),
			       "departments {%s} hold %" PRId64
			       " bytes more in tier %d than the ledger counts",
			       members, d->bytes, (int)d->tier);
		check_differs(check, text);
	}
	deltas_release(&check->sums);
}

/* Sizes are added in two halves: sparse files must not overflow a sum. */
static int check_charges(struct check *check, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_stmt(
		check->cat,
		"WITH sums AS (SELECT members, sum(blocks) AS blocks,"
		" sum(size_bytes >> 20) AS high,"
		" sum(size_bytes & 1048575) AS low"
		" FROM charge GROUP BY members)"
		" SELECT members, ?1, blocks * 512 FROM sums UNION ALL"
		" SELECT members, ?2, high * 1048576 + low FROM sums UNION ALL"
		" SELECT members, tier, -bytes FROM holding"
		" WHERE tier IN (?1, ?2)",
		err);
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, TIER_HOT);
	stmt_bind_i64(s, 2, TIER_LOGICAL);
	rc = add_rows(check, s, err);
	compare_sums(check);
	return rc;
}

static int add_stored(void *ctx, const struct dept_set *set, uint64_t bytes,
		      struct error *err)
{
	struct check *check = ctx;

	return deltas_add(&check->sums, TIER_PACKED, set, (int64_t)bytes, err);
}

static int compare_store(struct check *check, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_stmt(
		check->cat,
		"SELECT members, tier, -bytes FROM holding WHERE tier = ?1",
		err);
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, TIER_PACKED);
	rc = store_set_sums(check->store, add_stored, check, err);
	if (rc == 0)
		rc = add_rows(check, s, err);
	compare_sums(check);
	return rc;
}

/* Two modules' tables: nobody may write between. Events that wait may be
 * written by this transaction, but change neither before its commit. */
static int check_store(struct check *check, struct error *err)
{
	struct error ignored = ERROR_INIT;
	int begun = catalog_begin(check->cat, &ignored);
	int rc = 0;

	if (begun < 0 && begun != -EROFS && begun != -EDEADLK)
		return error_set(err, begun, "%s", ignored.text);
	rc = compare_store(check, err);
	if (begun == 0 && rc == 0)
		return catalog_commit(check->cat, err);
	if (begun == 0)
		catalog_rollback(check->cat);
	return rc;
}

int ledger_check(struct catalog *cat, struct store *store,
		 void (*bad)(void *ctx, const char *text), void *ctx,
		 struct error *err)
{
	struct check check = {
		.cat = cat, .store = store, .bad = bad, .ctx = ctx
	};
	int rc = check_inodes(&check, err);

	if (rc == 0)
		rc = check_charges(&check, err);
	if (rc == 0)
		rc = check_folders(&check, err);
	if (rc == 0 && store != NULL)
		rc = check_store(&check, err);
	deltas_release(&check.sums);
	return rc < 0 ? rc : check.differences;
}
