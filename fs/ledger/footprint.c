/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <sys/stat.h>

#include "fs/ledger/internal.h"

/* What has come together of a directory. */
struct sum {
	uint128 files;
	uint128 packed;
	uint128 blocks;
	uint128 logical;
	uint128 own_q64;
	uint128 exclusive;
	uint64_t directories;
};

/* Asked for every file of a plan: its one column, not the whole charge. */
int ledger_set(struct catalog *cat, uint64_t ino, struct dept_set *ret_set,
	       struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_stmt(
		cat, "SELECT members FROM charge WHERE ino = ?1", err);
	struct dept_set set;
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, (int64_t)ino);
	rc = stmt_step(s, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return error_set(err, -ENOENT, "inode %llu is not charged yet",
				 (unsigned long long)ino);
	if (!dept_set_read(s, 0, &set))
		return error_set(err, -SOBRE_ECORRUPT,
				 "the charge of inode %llu is bad",
				 (unsigned long long)ino);
	*ret_set = set;
	return 0;
}

/* --- of a file ---------------------------------------------------------------
 */

/* A content that can't be read has no share to tell; fsck names it. */
static int add_packed(struct catalog *cat, struct store *store,
		      const struct catalog_inode *inode,
		      struct ledger_footprint *fp, struct error *err)
{
	struct error bad = ERROR_INIT;
	struct store_share share;
	struct charge charge;
	int rc = charge_get(cat, inode->ino, &charge, err);

	if (rc <= 0 || !charge.packed)
		return rc < 0 ? rc : 0;
	rc = store_share(store, &inode->content, &charge.set, &share, &bad);
	if (rc == -SOBRE_ENOCHUNK || rc == -SOBRE_ECORRUPT)
		return 0;
	if (rc < 0)
		return error_set(err, rc, "%s", bad.text);
	fp->packed_bytes = store_share_bytes(share.own_q64);
	fp->exclusive_bytes += share.exclusive_bytes;
	return 0;
}

static int of_file(struct catalog *cat, struct store *store,
		   const struct catalog_inode *inode,
		   struct ledger_footprint *fp, struct error *err)
{
	fp->hot_bytes = inode->blocks * 512;
	fp->exclusive_bytes = inode->blocks * 512;
	fp->shares_current = true;
	if (!S_ISREG(inode->mode))
		return 0;
	fp->files = 1;
	fp->packed_files = inode->packed;
	fp->logical_bytes = inode->size_bytes;
	return inode->packed && store != NULL
		       ? add_packed(cat, store, inode, fp, err)
		       : 0;
}

/* --- of a directory ----------------------------------------------------------
 */

/*
 * One statement, and so of one moment. A directory that damaged rows put below
 * itself is met once (UNION). Inodes of several names are in no folder's sums:
 * those with a name in one of the directories are added, each once.
 */
static const char below[] =
	"WITH RECURSIVE tree(ino) AS (VALUES(?1)"
	" UNION SELECT f.ino FROM tree JOIN folder f INDEXED BY folder_parent"
	" ON f.parent = tree.ino LIMIT ?2)"
	" SELECT f.files, f.packed, f.blocks, f.logical_high, f.logical_low,"
	" f.own_high, f.own_low, f.exclusive_bytes, 1"
	" FROM tree CROSS JOIN folder f ON f.ino = tree.ino"
	" UNION ALL SELECT c.regular, c.content IS NOT NULL, c.blocks,"
	" c.size_bytes >> 20, c.size_bytes & 1048575, c.own_high, c.own_low,"
	" c.exclusive_bytes, 0 FROM apart a CROSS JOIN charge c"
	" ON c.ino = a.ino WHERE EXISTS (SELECT 1 FROM name n"
	" INDEXED BY name_ino WHERE n.ino = a.ino AND n.parent IN"
	" (SELECT ino FROM tree))";

static int add_row(struct sum *sum, struct catalog_stmt *s, struct error *err)
{
	struct folder_sums f;

	if (!folder_sums_read(s, 0, &f))
		return error_set(err, -SOBRE_ECORRUPT,
				 "the catalog's sums of folders are bad");
	sum->files += (uint64_t)f.files;
	sum->packed += (uint64_t)f.packed;
	sum->blocks += (uint64_t)f.blocks;
	sum->logical +=
		((uint128)f.logical_high << 20) + (uint128)f.logical_low;
	sum->own_q64 += own_join(f.own_high, f.own_low);
	sum->exclusive += (uint64_t)f.exclusive_bytes;
	sum->directories += stmt_i64(s, 8) != 0;
	return 0;
}

static int add_rows(struct sum *sum, struct catalog *cat, uint64_t ino,
		    uint64_t max, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_stmt(cat, below, err);
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, (int64_t)ino);
	stmt_bind_i64(s, 2, max < INT64_MAX - 2 ? (int64_t)max + 2 : -1);
	while ((rc = stmt_step(s, err)) == 1) {
		rc = add_row(sum, s, err);
		if (rc < 0)
			return rc;
		/* Itself, and those below. */
		if (sum->directories > max && sum->directories - 1 > max)
			return error_set(err, -E2BIG, "too much is below it");
	}
	return rc;
}

static uint64_t bounded(uint128 v)
{
	return v > INT64_MAX ? INT64_MAX : (uint64_t)v;
}

/* Shares were rounded down, each by less than 2^-32. */
static int of_directory(struct catalog *cat, uint64_t ino, uint64_t max,
			struct ledger_footprint *fp, struct error *err)
{
	struct ledger_shares shares;
	struct sum sum = { .files = 0 };
	int rc = 0;

	ledger_shares(cat, &shares);
	if (catalog_meta_get(cat, META_RECHARGE, RECHARGE_NONE) !=
	    RECHARGE_NONE)
		return error_set(err, -EAGAIN,
				 "the drive is being counted: try again later");
	rc = add_rows(&sum, cat, ino, max, err);
	if (rc < 0)
		return rc;
	fp->files = bounded(sum.files);
	fp->packed_files = bounded(sum.packed);
	fp->logical_bytes = bounded(sum.logical);
	fp->hot_bytes = bounded(sum.blocks * 512);
	fp->packed_bytes = store_share_bytes(sum.own_q64 + (sum.packed << 32));
	fp->exclusive_bytes = bounded(sum.blocks * 512 + sum.exclusive);
	fp->shares_current = shares.current || sum.packed == 0;
	return 0;
}

int ledger_footprint(struct catalog *cat, struct store *store, uint64_t ino,
		     struct ledger_footprint *ret_footprint, struct error *err)
{
	return ledger_footprint_within(cat, store, ino, UINT64_MAX,
				       ret_footprint, err);
}

int ledger_footprint_within(struct catalog *cat, struct store *store,
			    uint64_t ino, uint64_t max_directories,
			    struct ledger_footprint *ret_footprint,
			    struct error *err)
{
	struct ledger_footprint fp = { .files = 0 };
	struct catalog_inode inode;
	int rc = catalog_inode_get(cat, ino, 0, &inode, err);

	if (rc == 0)
		rc = ledger_set(cat, ino, &fp.set, err);
	if (rc == 0 && S_ISDIR(inode.mode))
		rc = of_directory(cat, ino, max_directories, &fp, err);
	else if (rc == 0)
		rc = of_file(cat, store, &inode, &fp, err);
	if (rc < 0)
		return rc;
	*ret_footprint = fp;
	return 0;
}
