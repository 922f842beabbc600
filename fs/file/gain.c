/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Would packing a small file free anything? It is asked before its bytes are
 * stored, for what is stored in vain stays until gc comes, and comes back with
 * the next round. By the file alone, never by what the store holds already:
 * whether it was packed must not tell what others have
 * (docs/design/threats.md).
 */
#include <errno.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

#include "fs/base/cleanup.h"
#include "fs/file/internal.h"

#define LIST_MAX 4096 /* who has more attributes has a block for them */

/* One block of data: that of the stub's attribute may take its place. */
static bool is_one_block(const struct stat *st)
{
	/* st_blksize may be what is best to read at once. */
	const int64_t block = st->st_blksize < 4096 ? st->st_blksize : 4096;

	return st->st_size <= block && st->st_blocks * 512 <= 2 * block;
}

/* btrfs: among the metadata of the inode, where the stub would be as big. */
static bool is_inline(int fd)
{
	union {
		struct fiemap map;
		char bytes[sizeof(struct fiemap) +
			   sizeof(struct fiemap_extent)];
	} u = { .map = { .fm_length = FIEMAP_MAX_OFFSET,
			 .fm_extent_count = 1 } };

	return ioctl(fd, FS_IOC_FIEMAP, &u.map) == 0 &&
	       u.map.fm_mapped_extents > 0 &&
	       u.map.fm_extents[0].fe_flags & FIEMAP_EXTENT_DATA_INLINE;
}

/* Names and values of all attributes. */
static unsigned int xattr_bytes(int fd)
{
	char names[LIST_MAX];
	ssize_t len = flistxattr(fd, names, sizeof(names));
	size_t sum = 0;

	if (len < 0)
		return LIST_MAX;
	for (ssize_t at = 0; at < len; at += (ssize_t)strlen(names + at) + 1) {
		ssize_t value = fgetxattr(fd, names + at, NULL, 0);

		sum += strlen(names + at) + (value > 0 ? (size_t)value : 0);
	}
	return sum < LIST_MAX ? (unsigned int)sum : LIST_MAX;
}

bool gain_is_none(struct pack_item *item)
{
	struct drive *drive = item->file->drive;
	unsigned int least = atomic_load(&drive->no_gain_from);

	if (!is_one_block(&item->st))
		return false;
	item->xattr_bytes = xattr_bytes(item->rfd) + 1;
	return (least > 0 && item->xattr_bytes >= least) ||
	       is_inline(item->rfd);
}

/*
 * What is left are attributes. ext4 lets inodes share a block of attributes
 * that are the same, as ACLs of a folder's files often are, and counts it for
 * each; the stub's makes it one's own. So that block may have been gained
 * before.
 */
bool gain_is_real(const struct stat *before, const struct stat *after)
{
	return before->st_blocks - after->st_blocks > after->st_blocks;
}

void gain_was_none(const struct pack_item *item)
{
	struct drive *drive = item->file->drive;
	unsigned int least = atomic_load(&drive->no_gain_from);

	/* The packer's thread alone writes it. */
	if (item->xattr_bytes > 0 && (least == 0 || item->xattr_bytes < least))
		atomic_store(&drive->no_gain_from, item->xattr_bytes);
}
