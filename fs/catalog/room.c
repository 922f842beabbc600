/* SPDX-License-Identifier: EUPL-1.2 */
/* Room held for what must be written when there is none: to give room back. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "fs/base/cleanup.h"
#include "fs/base/io.h"
#include "fs/catalog/internal.h"

#define ROOM_FILE "catalog.room"
/* A pass of gc, and of events, makes some MB of log before the first of it is
 * taken into the database. */
#define ROOM_BYTES  (UINT64_C(4) << 20)
#define ROOM_OF_ALL 64 /* at most such a part of the file system */
/* Times as much is free. A full ext4 still says that some is. */
#define FILLED_FROM 4
#define GIVEN_BELOW 2

/* As fallocate(2) made it: blocks past its end, so that there are no zeros to
 * be read. */
static bool is_held(const struct catalog *cat)
{
	struct stat st;

	return fstatat(cat->dir_fd, ROOM_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && st.st_blocks > 0;
}

struct room {
	uint64_t wanted;
	uint64_t spare; /* without it */
};

static struct room look(const struct catalog *cat)
{
	struct room room = { .wanted = 0 };
	struct statvfs vfs;

	if (cat->readonly || fstatvfs(cat->dir_fd, &vfs) < 0)
		return room;
	room.wanted = (uint64_t)vfs.f_blocks * vfs.f_frsize / ROOM_OF_ALL;
	if (room.wanted > ROOM_BYTES)
		room.wanted = ROOM_BYTES;
	room.spare = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	return room;
}

void catalog_keep_room(struct catalog *cat)
{
	struct room room = look(cat);
	cleanup_fd int fd = -1;

	if (room.wanted == 0 || room.spare < FILLED_FROM * room.wanted ||
	    is_held(cat))
		return;
	fd = io_openat_create(cat->dir_fd, ROOM_FILE, O_WRONLY | O_NONBLOCK,
			      0600);
	/* Not all file systems can hold room; then there is none. */
	if (fd >= 0)
		(void)io_fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, room.wanted);
}

bool catalog_give_room(struct catalog *cat)
{
	return !cat->readonly && is_held(cat) &&
	       io_unlinkat(cat->dir_fd, ROOM_FILE, 0) == 0;
}

void room_for_opening(struct catalog *cat)
{
	struct room room = look(cat);

	if (room.wanted > 0 && room.spare < GIVEN_BELOW * room.wanted)
		(void)catalog_give_room(cat);
}
