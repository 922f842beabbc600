/* SPDX-License-Identifier: EUPL-1.2 */
/* Who may read what is written: whatever the umask of the process. */
#include "tools/report/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "fs/base/io.h"

#define ACL_NAME    "system.posix_acl_access"
#define ACL_VERSION 2
#define ACL_OTHERS  4 /* entries beside the groups' */

enum acl_tag {
	ACL_TAG_USER_OBJ = 0x01,
	ACL_TAG_GROUP_OBJ = 0x04,
	ACL_TAG_GROUP = 0x08,
	ACL_TAG_MASK = 0x10,
	ACL_TAG_OTHER = 0x20
};
#define ACL_NOBODY UINT32_MAX

static void put_entry(struct buf *out, enum acl_tag tag, unsigned int bits,
		      uint32_t id)
{
	(void)buf_put_u16(out, (uint16_t)tag);
	(void)buf_put_u16(out, (uint16_t)bits);
	(void)buf_put_u32(out, id);
}

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a;
	const uint32_t *y = b;

	return (*x > *y) - (*x < *y);
}

/* As the kernel takes it: groups ascending, each once. */
static void put_acl(struct buf *out, uint32_t *gid, unsigned int n,
		    bool directory)
{
	unsigned int read = directory ? 5 : 4;

	qsort(gid, n, sizeof(*gid), by_number);
	(void)buf_put_u32(out, ACL_VERSION);
	put_entry(out, ACL_TAG_USER_OBJ, directory ? 7 : 6, ACL_NOBODY);
	put_entry(out, ACL_TAG_GROUP_OBJ, 0, ACL_NOBODY);
	for (unsigned int i = 0; i < n; i++)
		if (i == 0 || gid[i] != gid[i - 1])
			put_entry(out, ACL_TAG_GROUP, read, gid[i]);
	put_entry(out, ACL_TAG_MASK, read, ACL_NOBODY);
	put_entry(out, ACL_TAG_OTHER, 0, ACL_NOBODY);
}

static int allow_several(int fd, const struct report_access *access,
			 bool directory)
{
	cleanup_free uint32_t *gid = calloc(access->n_gids, sizeof(*gid));
	cleanup_buf struct buf acl;
	int rc;

	buf_init(&acl, 8 * ((size_t)access->n_gids + ACL_OTHERS) + 4);
	if (!gid)
		return -ENOMEM;
	(void)memcpy(gid, access->gid, access->n_gids * sizeof(*gid));
	put_acl(&acl, gid, access->n_gids, directory);
	rc = buf_error(&acl);
	if (rc == 0)
		rc = io_fchmod(fd, directory ? 0700 : 0600);
	return rc < 0 ? rc : io_fsetxattr(fd, ACL_NAME, acl.data, acl.len);
}

int access_give(int fd, const struct report_access *access, bool directory)
{
	int rc;

	if (!access->restricted)
		return io_fchmod(fd,
				 (directory ? 0777u : 0666u) & ~access->mask);
	/* One from before, or inherited: it may let others in. */
	rc = io_fremovexattr(fd, ACL_NAME);
	if (rc < 0 && rc != -ENODATA && rc != -EOPNOTSUPP)
		return rc;
	if (access->n_gids > 1)
		return allow_several(fd, access, directory);
	if (access->n_gids == 0)
		return io_fchmod(fd, directory ? 0700 : 0600);
	/* Nobody else, before it has its group. */
	rc = io_fchmod(fd, directory ? 0700 : 0600);
	if (rc == 0)
		rc = io_fchown(fd, (uid_t)-1, access->gid[0]);
	return rc < 0 ? rc : io_fchmod(fd, directory ? 02750 : 0640);
}
