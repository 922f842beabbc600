/* SPDX-License-Identifier: EUPL-1.2 */
/* The catalog as a database, and the sealed root. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "fs/fsck/internal.h"

#define ACL_XATTR "system.posix_acl_access"

static int check_integrity(struct fsck *f, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s =
		catalog_read_stmt(f->cat, "PRAGMA integrity_check(100)", err);
	int rc = 0;

	if (s == NULL)
		return err->code;
	while ((rc = stmt_step(s, err)) == 1) {
		size_t len = 0;
		const char *says = stmt_blob(s, 0, &len);

		if (len != 2 || memcmp(says, "ok", 2) != 0)
			fsck_tell(f, FSCK_CATALOG, "", "%.*s", (int)len,
				  says == NULL ? "" : says);
	}
	return rc;
}

/* The running sums against a count, in one view of the database. */
static int check_totals(struct fsck *f, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_read_stmt(
		f->cat,
		"SELECT files = n AND packed = p AND blocks = b"
		" AND logical_high = lh AND logical_low = ll"
		" AND packed_high = ph AND packed_low = pl FROM total, ("
		"SELECT coalesce(sum(reg), 0) AS n, coalesce(sum(reg AND "
		"stub), 0) AS p,"
		" coalesce(sum(blocks), 0) AS b,"
		" coalesce(sum(iif(reg, size_bytes >> 32, 0)), 0) AS lh,"
		" coalesce(sum(iif(reg, size_bytes & 4294967295, 0)), 0) AS ll,"
		" coalesce(sum(iif(reg AND stub, size_bytes >> 32, 0)), 0) AS "
		"ph,"
		" coalesce(sum(iif(reg AND stub, size_bytes & 4294967295, 0)), "
		"0) AS pl"
		" FROM (SELECT (mode & 61440) = 32768 AS reg,"
		" content IS NOT NULL AS stub, size_bytes, blocks FROM inode))",
		err);
	int rc = 0;

	if (s == NULL)
		return err->code;
	rc = stmt_step(s, err);
	if (rc < 0)
		return rc;
	if (rc == 0 || stmt_i64(s, 0) != 1)
		fsck_tell(f, FSCK_CATALOG, "",
			  "the running totals differ from a count");
	return 0;
}

int fsck_check_catalog(struct fsck *f, struct error *err)
{
	int rc = check_integrity(f, err);

	return rc < 0 ? rc : check_totals(f, err);
}

int fsck_check_root(struct fsck *f, struct error *err)
{
	int fd = drive_lower_fd(f->drive);
	struct stat st;

	if (f->report->stubs == 0)
		return 0;
	if (fstat(fd, &st) < 0)
		return error_set(err, -errno, "cannot stat the root: %s",
				 error_words(-errno));
	if (fgetxattr(fd, DRIVE_ROOT_XATTR, NULL, 0) < 0)
		fsck_tell(f, FSCK_ROOT_OPEN, "/",
			  "there are stubs, and the record of the sealed root "
			  "is missing");
	if ((st.st_mode & 07777) != 0700 || st.st_uid != 0 || st.st_gid != 0)
		fsck_tell(f, FSCK_ROOT_OPEN, "/",
			  "there are stubs, and the lower root is %04o of "
			  "%u:%u instead of 0700 of 0:0",
			  st.st_mode & 07777, st.st_uid, st.st_gid);
	if (fgetxattr(fd, ACL_XATTR, NULL, 0) > 0)
		fsck_tell(f, FSCK_ROOT_OPEN, "/",
			  "there are stubs, and the lower root has an ACL");
	return 0;
}
