/* SPDX-License-Identifier: EUPL-1.2 */
/* What the administrator wants left as it is: drive_options.excluded. */
#include <limits.h>
#include <stdlib.h>

#include "fs/file/internal.h"

struct names {
	const struct drive *drive;
	uint64_t n;
	bool excluded;
};

static void look_at(void *ctx, const char *path)
{
	struct names *names = ctx;
	const struct drive_options *options = &names->drive->options;

	names->n++;
	if (!names->excluded)
		names->excluded = options->excluded(options->ctx, path);
}

static int look_at_given(struct names *names, const char *path,
			 struct error *err)
{
	cleanup_free char *rooted = NULL;

	if (asprintf(&rooted, "/%s", path) < 0) {
		rooted = NULL;
		return error_set(err, -ENOMEM, "out of memory");
	}
	look_at(names, rooted);
	return 0;
}

int pack_is_excluded(struct drive *drive, const struct stat *st,
		     const char *path, struct error *err)
{
	struct names names = { .drive = drive };
	int rc = 0;

	if (!drive->options.excluded)
		return 0;
	if (path)
		rc = look_at_given(&names, path, err);
	if (rc < 0 || names.excluded || (path && st->st_nlink == 1))
		return rc < 0 ? rc : names.excluded;
	names.n = 0;
	rc = catalog_paths(drive->catalog, st->st_ino, UINT_MAX, look_at,
			   &names, err);
	if (rc < 0 || names.excluded)
		return rc < 0 ? rc : 1;
	/* Another name may lie outside of the drive; but until a scan has
	 * ended it may just not have been seen. */
	if (!path && (names.n == 0 || (names.n < st->st_nlink &&
				       catalog_needs_scan(drive->catalog))))
		return error_set(err, -SOBRE_ECHANGED,
				 "not all its names are known yet");
	return 0;
}
