/* SPDX-License-Identifier: EUPL-1.2 */
/* What folders hold, against what is charged and named. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "fs/ledger/internal.h"

static int ask_inos(struct check *check, const char *sql, const char *what,
		    struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_stmt(check->cat, sql, err);

	return s == NULL ? err->code : check_inos(check, s, what, err);
}

static int check_parents(struct check *check, struct error *err)
{
	static const char charged[] =
		"SELECT c.ino FROM charge c WHERE c.parent <>"
		" CASE WHEN c.place <> 0 THEN c.ino ELSE"
		" (SELECT iif(count(*) = 1, max(n.parent), 0)"
		" FROM name n INDEXED BY name_ino WHERE n.ino = c.ino) END";
	/* One with two names, as after a crash, is in the newer. */
	static const char placed[] =
		"SELECT f.ino FROM folder f WHERE CASE WHEN EXISTS"
		" (SELECT 1 FROM name n INDEXED BY name_ino"
		" WHERE n.ino = f.ino) THEN NOT EXISTS"
		" (SELECT 1 FROM name n INDEXED BY name_ino"
		" WHERE n.ino = f.ino AND n.parent = f.parent)"
		" ELSE f.parent <> 0 END";
	static const char there[] =
		"SELECT ino FROM charge c WHERE place <> 0 AND NOT EXISTS"
		" (SELECT 1 FROM folder f WHERE f.ino = c.ino)"
		" UNION SELECT parent FROM folder f WHERE parent <> 0"
		" AND NOT EXISTS"
		" (SELECT 1 FROM folder p WHERE p.ino = f.parent)";
	static const char apart[] =
		"SELECT ino FROM charge c WHERE (parent = 0 AND members <> x'')"
		" <> EXISTS (SELECT 1 FROM apart a WHERE a.ino = c.ino)"
		" UNION ALL SELECT ino FROM apart a WHERE NOT EXISTS"
		" (SELECT 1 FROM charge c WHERE c.ino = a.ino)";
	int rc = ask_inos(check, charged, "is counted in another folder", err);

	if (rc == 0)
		rc = ask_inos(check, placed, "has its folder elsewhere", err);
	if (rc == 0)
		rc = ask_inos(check, apart, "is not where it is counted", err);
	if (rc == 0)
		rc = ask_inos(check, there, "has no folder", err);
	return rc;
}

static int check_sums(struct check *check, struct error *err)
{
	static const char sums[] =
		"SELECT ino FROM ("
		"SELECT parent AS ino, regular AS files,"
		" content IS NOT NULL AS packed, blocks,"
		" size_bytes >> 20 AS logical_high,"
		" size_bytes & 1048575 AS logical_low,"
		" own_high, own_low, exclusive_bytes"
		" FROM charge WHERE parent <> 0"
		" UNION ALL SELECT ino, -files, -packed, -blocks,"
		" -logical_high, -logical_low, -own_high, -own_low,"
		" -exclusive_bytes FROM folder)"
		" GROUP BY ino HAVING (sum(files), sum(packed), sum(blocks),"
		" sum(logical_high), sum(logical_low), sum(own_high),"
		" sum(own_low), sum(exclusive_bytes))"
		" <> (0, 0, 0, 0, 0, 0, 0, 0)";
	static const char plain[] =
		"SELECT ino FROM charge WHERE content IS NULL"
		" AND (own_high, own_low, exclusive_bytes) <> (0, 0, 0)";
	int rc = ask_inos(check, sums,
			  "as a folder doesn't hold what it counts", err);

	return rc < 0 ? rc
		      : ask_inos(check, plain, "has a share and no content",
				 err);
}

/* When they are current, shares add up to what is held: each is rounded down
 * to 2^-32 of a byte, what is lost is less than the number of them. */
static int check_shares(struct check *check, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_stmt(
		check->cat,
		"SELECT coalesce(sum(own_high), 0), coalesce(sum(own_low), 0),"
		" count(*), (SELECT coalesce(sum(bytes), 0) FROM holding"
		" WHERE tier = ?1) FROM charge WHERE content IS NOT NULL",
		err);
	struct ledger_shares shares;
	uint128 own = 0;
	uint128 lost = 0;
	uint128 held = 0;
	int rc = 0;

	if (s == NULL)
		return err->code;
	ledger_shares(check->cat, &shares);
	if (!shares.current || check->store == NULL)
		return 0;
	stmt_bind_i64(s, 1, TIER_PACKED);
	rc = stmt_step(s, err);
	if (rc < 0)
		return rc;
	own = own_join(stmt_i64(s, 0), stmt_i64(s, 1));
	lost = ((uint128)stmt_i64(s, 2) + 1) << 32;
	held = (uint128)stmt_i64(s, 3) << 64;
	if (own > held || own + lost < held)
		check_differs(check,
			      "shares of packs do not add up to what is held");
	return 0;
}

int check_folders(struct check *check, struct error *err)
{
	int rc = check_parents(check, err);

	if (rc == 0)
		rc = check_sums(check, err);
	if (rc == 0)
		rc = check_shares(check, err);
	return rc;
}
