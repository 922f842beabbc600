/* SPDX-License-Identifier: EUPL-1.2 */
/* What the state directory takes on disk. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fs/file/internal.h"

#define STATE_DEPTH_MAX 8 /* packs/xx/NNNN.pack */

/* Takes `fd`. What goes away meanwhile, or can't be read, counts as nothing. */
static uint64_t blocks_below(int fd, int depth)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	uint64_t blocks = 0;

	if (!dir) {
		(void)close(fd);
		return 0;
	}
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of its own */
	while ((entry = readdir(dir))) {
		struct stat st;
		int sub;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (fstatat(dirfd(dir), entry->d_name, &st,
			    AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		blocks += (uint64_t)st.st_blocks;
		if (!S_ISDIR(st.st_mode) || depth >= STATE_DEPTH_MAX)
			continue;
		sub = openat(dirfd(dir), entry->d_name,
			     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub >= 0)
			blocks += blocks_below(sub, depth + 1);
	}
	(void)closedir(dir);
	return blocks;
}

uint64_t drive_state_bytes(struct drive *drive)
{
	struct stat st;
	int fd = openat(drive->state_fd, ".",
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		return 0;
	return ((uint64_t)st.st_blocks + blocks_below(fd, 0)) * 512;
}
