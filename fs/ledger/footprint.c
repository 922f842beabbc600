/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fs/ledger/internal.h"

struct sum {
	struct catalog *cat;
	struct store *store;
	const struct ledger_bounds *bounds;
	uint64_t entries;
	uint64_t packed_bytes; /* sizes */
	struct ledger_footprint total;
	uint128 own_q64;
	struct ino_set linked; /* inodes with several names */
};

static int too_much(struct error *err)
{
	return error_set(err, -E2BIG, "too much is below it");
}

static int check_bounds(struct sum *sum, struct error *err)
{
	const struct ledger_bounds *b = sum->bounds;

	if (b->stop && __atomic_load_n(b->stop, __ATOMIC_ACQUIRE))
		return error_set(err, -ECANCELED, "stopped");
	if (b->max_entries > 0 && sum->entries++ == b->max_entries)
		return too_much(err);
	return 0;
}

/* A content that can't be read has no share to tell; fsck names it. */
static int add_packed(struct sum *sum, const struct catalog_inode *inode,
		      struct error *err)
{
	struct error bad = ERROR_INIT;
	struct store_share share;
	struct charge charge;
	int rc = charge_get(sum->cat, inode->ino, &charge, err);

	if (rc <= 0 || !charge.packed)
		return rc < 0 ? rc : 0;
	sum->packed_bytes += inode->size_bytes;
	if (sum->bounds->max_packed_bytes > 0 &&
	    sum->packed_bytes > sum->bounds->max_packed_bytes)
		return too_much(err);
	rc = store_share(sum->store, &inode->content, inode->size_bytes,
			 &charge.set, &share, &bad);
	if (rc == -SOBRE_ENOCHUNK || rc == -SOBRE_ECORRUPT)
		return 0;
	if (rc < 0)
		return error_set(err, rc, "%s", bad.text);
	sum->own_q64 += share.own_q64;
	sum->total.exclusive_bytes += share.exclusive_bytes;
	return 0;
}

static int add_inode(struct sum *sum, const struct catalog_inode *inode,
		     struct error *err)
{
	struct ledger_footprint *total = &sum->total;

	total->hot_bytes += inode->blocks * 512;
	total->exclusive_bytes += inode->blocks * 512;
	if (!S_ISREG(inode->mode))
		return 0;
	total->files++;
	total->logical_bytes += inode->size_bytes;
	return inode->packed && sum->store != NULL ? add_packed(sum, inode, err)
						   : 0;
}

static int add_entry(void *ctx, const struct catalog_walk_entry *entry,
		     struct error *err)
{
	struct sum *sum = ctx;
	int rc = check_bounds(sum, err);

	if (rc < 0)
		return rc;
	rc = 1;
	if (entry->inode.nlink > 1 && !S_ISDIR(entry->inode.mode))
		rc = ino_set_add(&sum->linked, entry->inode.ino, err);
	return rc <= 0 ? rc : add_inode(sum, &entry->inode, err);
}

int ledger_set(struct catalog *cat, uint64_t ino, struct dept_set *ret_set,
	       struct error *err)
{
	struct charge charge;
	int rc = charge_get(cat, ino, &charge, err);

	if (rc < 0)
		return rc;
	if (rc == 0)
		return error_set(err, -ENOENT, "inode %llu is not charged yet",
				 (unsigned long long)ino);
	*ret_set = charge.set;
	return 0;
}

int ledger_footprint(struct catalog *cat, struct store *store, uint64_t ino,
		     struct ledger_footprint *ret_footprint, struct error *err)
{
	const struct ledger_bounds none = { .max_entries = 0 };

	return ledger_footprint_within(cat, store, ino, &none, ret_footprint,
				       err);
}

int ledger_footprint_within(struct catalog *cat, struct store *store,
			    uint64_t ino, const struct ledger_bounds *bounds,
			    struct ledger_footprint *ret_footprint,
			    struct error *err)
{
	struct sum sum = { .cat = cat, .store = store, .bounds = bounds };
	struct catalog_inode inode;
	int rc = catalog_inode_get(cat, ino, 0, &inode, err);

	if (rc == 0)
		rc = ledger_set(cat, ino, &sum.total.set, err);
	if (rc == 0)
		rc = add_inode(&sum, &inode, err);
	if (rc == 0 && S_ISDIR(inode.mode))
		rc = catalog_walk(cat, ino, add_entry, &sum, err);
	ino_set_release(&sum.linked);
	if (rc < 0)
		return rc;
	if (store != NULL)
		sum.total.packed_bytes = store_share_bytes(sum.own_q64);
	*ret_footprint = sum.total;
	return 0;
}
