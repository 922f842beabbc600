/* SPDX-License-Identifier: EUPL-1.2 */
/* All directories and what lies in each, in one pass. */
#include <errno.h>

#include "fs/ledger/internal.h"

static uint64_t bounded(int64_t v)
{
	return v < 0 ? 0 : (uint64_t)v;
}

/* Shares were rounded down, each by less than 2^-32. */
static int read_folder(struct catalog_stmt *s, struct ledger_folder *folder,
		       struct error *err)
{
	struct folder_sums sums;

	folder->ino = (uint64_t)stmt_i64(s, 0);
	folder->parent = (uint64_t)stmt_i64(s, 1);
	if (!dept_set_read(s, 2, &folder->set) ||
	    !folder_sums_read(s, 3, &sums))
		return error_set(err, -SOBRE_ECORRUPT,
				 "the catalog's sums of folders are bad");
	folder->files = bounded(sums.files);
	folder->stored_bytes =
		bounded(sums.blocks) * 512 +
		store_share_bytes(own_join(sums.own_high, sums.own_low) +
				  ((uint128)bounded(sums.packed) << 32));
	folder->exclusive_bytes =
		bounded(sums.blocks) * 512 + bounded(sums.exclusive_bytes);
	return 0;
}

int ledger_folders(struct catalog *cat, ledger_folder_fn *each, void *ctx,
		   struct error *err)
{
	CLEANUP(stmt_done) struct catalog_stmt *s = NULL;
	struct ledger_folder folder;
	int rc = 0;

	if (catalog_meta_get(cat, META_RECHARGE, RECHARGE_NONE) !=
	    RECHARGE_NONE)
		return error_set(err, -EAGAIN,
				 "the drive is being counted: try again later");
	s = catalog_stmt(cat,
			 "SELECT f.ino, f.parent, c.members, f.files, f.packed,"
			 " f.blocks, f.logical_high, f.logical_low, f.own_high,"
			 " f.own_low, f.exclusive_bytes FROM folder f"
			 " CROSS JOIN charge c ON c.ino = f.ino ORDER BY f.ino",
			 err);
	if (s == NULL)
		return err->code;
	while ((rc = stmt_step(s, err)) == 1) {
		rc = read_folder(s, &folder, err);
		if (rc == 0)
			rc = each(ctx, &folder, err);
		if (rc != 0)
			break;
	}
	return rc;
}
