/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>

#include "fs/catalog/internal.h"

/* Up to this many cold files are sorted by number for each question; beyond,
 * they are the rule rather than the exception, and the table is walked. */
#define COLD_SORT_MAX 65536

/* 1: more than COLD_SORT_MAX files are cold. */
static int many_cold(struct catalog *cat, int64_t before_ns, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s =
		catalog_stmt(cat,
			     "SELECT 1 FROM inode INDEXED BY inode_changed"
			     " WHERE changed_ns < ?1 LIMIT 1 OFFSET ?2",
			     err);

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, before_ns);
	stmt_bind_i64(s, 2, COLD_SORT_MAX);
	return stmt_step(s, err);
}

static const char cold_few[] =
	"SELECT " INODE_READ " FROM inode WHERE ino IN ("
	"SELECT ino FROM inode INDEXED BY inode_changed"
	" WHERE changed_ns < ?1 AND ino BETWEEN ?2 AND ?3"
	" ORDER BY ino LIMIT ?4) ORDER BY ino";
static const char cold_many[] =
	"SELECT " INODE_READ " FROM inode NOT INDEXED"
	" WHERE changed_ns < ?1 AND ino BETWEEN ?2 AND ?3"
	" ORDER BY ino LIMIT ?4";

struct cold_query {
	const char *sql;
	int64_t before_ns;
	int64_t low; /* inode numbers, as stored */
	int64_t high;
};

static int cold_range(struct catalog *cat, const struct cold_query *q,
		      struct catalog_inode *ret_inodes, int max,
		      struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_stmt(cat, q->sql, err);
	int n = 0;
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, q->before_ns);
	stmt_bind_i64(s, 2, q->low);
	stmt_bind_i64(s, 3, q->high);
	stmt_bind_i64(s, 4, max);
	while (n < max && (rc = stmt_step(s, err)) == 1) {
		rc = row_inode(s, &ret_inodes[n++], err);
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? rc : n;
}

/* Numbers above INT64_MAX are stored as negative ones: they come last. */
int catalog_cold(struct catalog *cat, int64_t before_ns, uint64_t after_ino,
		 struct catalog_inode *ret_inodes, int max, struct error *err)
{
	struct cold_query q = { .before_ns = before_ns };
	int many = many_cold(cat, before_ns, err);
	int n = 0;

	if (many < 0 || max <= 0 || after_ino == UINT64_MAX)
		return many < 0 ? many : 0;
	q.sql = many ? cold_many : cold_few;
	if (after_ino < INT64_MAX) {
		q.low = (int64_t)after_ino + 1;
		q.high = INT64_MAX;
		n = cold_range(cat, &q, ret_inodes, max, err);
	}
	if (n < 0 || n == max)
		return n;
	q.low = after_ino < INT64_MAX ? INT64_MIN : (int64_t)(after_ino + 1);
	q.high = -1;
	many = cold_range(cat, &q, ret_inodes + n, max - n, err);
	return many < 0 ? many : n + many;
}

static uint64_t halves(int64_t high, int64_t low)
{
	uint64_t carry = (uint64_t)low >> 32;
	uint64_t top = (uint64_t)high + carry;

	return top > UINT32_MAX ? UINT64_MAX
				: top << 32 | ((uint64_t)low & UINT32_MAX);
}

int catalog_totals(struct catalog *cat, struct catalog_totals *ret_totals,
		   struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_stmt(
		cat,
		"SELECT files, packed, logical_high, logical_low,"
		" packed_high, packed_low, blocks FROM total WHERE id = 1",
		err);
	int rc = 0;

	if (s == NULL)
		return err->code;
	rc = stmt_step(s, err);
	if (rc < 0)
		return rc;
	for (int col = 0; col < 7; col++) {
		if (rc == 0 || stmt_i64(s, col) < 0)
			return error_set(err, -SOBRE_ECORRUPT,
					 "catalog '%s': its totals are bad",
					 cat->path);
	}
	*ret_totals = (struct catalog_totals){
		.files = (uint64_t)stmt_i64(s, 0),
		.packed = (uint64_t)stmt_i64(s, 1),
		.logical_bytes = halves(stmt_i64(s, 2), stmt_i64(s, 3)),
		.packed_bytes = halves(stmt_i64(s, 4), stmt_i64(s, 5)),
		.plain_blocks = (uint64_t)stmt_i64(s, 6),
	};
	return 0;
}

int catalog_tails(struct catalog *cat, uint32_t block_bytes,
		  uint64_t *ret_bytes, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_stmt(
		cat,
		/* By the index, each row would be looked for. */
		"SELECT coalesce(sum(-size_bytes & ?1), 0)"
		" FROM inode NOT INDEXED WHERE content IS NOT NULL",
		err);
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, (int64_t)block_bytes - 1);
	rc = stmt_step(s, err);
	if (rc < 0)
		return rc;
	*ret_bytes = rc > 0 ? (uint64_t)stmt_i64(s, 0) : 0;
	return 0;
}
