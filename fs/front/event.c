/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/front/internal.h"

#include "fs/base/clock.h"

/* An event lost for want of memory is found again by the next scan. */
static void post(struct front *front, const struct catalog_event *ev)
{
	if (!front->options.readonly)
		(void)catalog_post(drive_catalog(front->drive), ev);
}

void event_inode(struct front *front, const struct looked *looked,
		 const struct lower_handle *handle)
{
	const struct stat *st = &looked->lower;

	if (st->st_nlink == 0)
		return; /* its row has gone, or goes at its last close */

	struct catalog_event ev = {
		.kind = CATALOG_EVENT_INODE,
		.inode = {
			.ino = st->st_ino,
			.btime_ns = looked->btime_ns,
			.mode = st->st_mode,
			.uid = st->st_uid,
			.gid = st->st_gid,
			.nlink = (uint32_t)st->st_nlink,
			.size_bytes = (uint64_t)st->st_size,
			.blocks = (uint64_t)st->st_blocks,
			.mtime_ns = timespec_ns(st->st_mtim),
			.ctime_ns = timespec_ns(st->st_ctim),
		},
	};

	if (handle)
		ev.inode.handle = *handle;
	post(front, &ev);
}

void event_used(struct front *front, const struct inode *inode, int32_t day)
{
	const struct catalog_event ev = {
		.kind = CATALOG_EVENT_USED,
		.inode = { .ino = inode->ino, .btime_ns = inode->btime_ns },
		.day = day,
	};

	post(front, &ev);
}

void event_name(struct front *front, uint64_t parent, const char *name,
		uint64_t ino)
{
	const struct catalog_event ev = {
		.kind = CATALOG_EVENT_NAME,
		.inode = { .ino = ino },
		.parent = parent,
		.name = name,
	};

	post(front, &ev);
}

void event_unname(struct front *front, uint64_t parent, const char *name)
{
	const struct catalog_event ev = {
		.kind = CATALOG_EVENT_UNNAME,
		.parent = parent,
		.name = name,
	};

	post(front, &ev);
}

void event_move(struct front *front, uint64_t parent, const char *name,
		uint64_t new_parent, const char *new_name)
{
	const struct catalog_event ev = {
		.kind = CATALOG_EVENT_MOVE,
		.parent = parent,
		.name = name,
		.new_parent = new_parent,
		.new_name = new_name,
	};

	post(front, &ev);
}

void event_gone(struct front *front, int *fd, const struct looked *looked)
{
	const struct catalog_event ev = {
		.kind = CATALOG_EVENT_GONE,
		.inode = { .ino = looked->lower.st_ino,
			   .btime_ns = looked->btime_ns },
	};

	inode_dead(front, looked->lower.st_ino, fd);
	/* That of a regular file is for fs/file to post: not while it is
	 * open. */
	if (S_ISREG(looked->lower.st_mode))
		file_unlinked(front->drive, looked->lower.st_ino,
			      looked->btime_ns);
	else
		post(front, &ev);
}
