/* SPDX-License-Identifier: EUPL-1.2 */
/* What packing saves, by cause. */
#include <errno.h>
#include <sys/statvfs.h>

#include "fs/file/internal.h"

/* Figures read one after the other may not agree to the byte. */
static uint64_t above(uint64_t all, uint64_t part)
{
	return all > part ? all - part : 0;
}

int drive_savings(struct drive *drive, const struct catalog_totals *files,
		  const struct store_totals *store, struct savings *ret,
		  struct error *err)
{
	struct statvfs st;
	uint64_t tails = 0;
	int rc;

	if (fstatvfs(drive->lower_fd, &st) < 0)
		return error_set(err, -errno, "cannot stat the lower");
	rc = catalog_tails(drive->catalog, (uint32_t)st.f_frsize, &tails, err);
	if (rc < 0)
		return rc;
	*ret = (struct savings){
		.copies = above(files->packed_bytes, store->content_bytes),
		.parts = store->shared_bytes,
		.compression = above(store->chunk_bytes, store->stored_bytes),
		.blocks = tails,
		.holes = above(store->content_bytes,
			       store->chunk_bytes + store->shared_bytes),
		/* what doesn't shrink takes its header besides */
		.overhead = above(store->pack_bytes,
				  store->stored_bytes < store->chunk_bytes
					  ? store->stored_bytes
					  : store->chunk_bytes),
	};
	return 0;
}
