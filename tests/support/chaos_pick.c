/* SPDX-License-Identifier: EUPL-1.2 */
/* A file, or a directory, by chance. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/chaos.h"

#define DEPTH_MAX 24

/* One of the names in the directory, each as likely. */
static bool pick_name(DIR *dir, bool in_root, char ret_name[256],
		      bool *ret_directory)
{
	struct dirent *entry;
	uint64_t seen = 0;

	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") ||
		    !strcmp(entry->d_name, "..") ||
		    (in_root && !strcmp(entry->d_name, DRIVE_STATE_NAME)) ||
		    (entry->d_type != DT_REG && entry->d_type != DT_DIR) ||
		    chaos_roll(++seen) != 0)
			continue;
		(void)snprintf(ret_name, 256, "%s", entry->d_name);
		*ret_directory = entry->d_type == DT_DIR;
	}
	return seen > 0;
}

bool chaos_pick(struct drive *drive, struct chaos_place *ret)
{
	int fd = openat(drive_lower_fd(drive), ".",
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t len = 0;

	ret->path[0] = '\0';
	ret->directory = true;
	for (int depth = 0; fd >= 0 && depth < DEPTH_MAX; depth++) {
		DIR *dir = fdopendir(fd);
		char name[256];
		bool found =
			dir && pick_name(dir, !depth, name, &ret->directory);

		fd = -1;
		if (found && len + sizeof(name) + 2 < sizeof(ret->path)) {
			len += (size_t)snprintf(ret->path + len, 258, "%s%s",
						len ? "/" : "", name);
			if (ret->directory && chaos_roll(64) != 0)
				fd = openat(dirfd(dir), name,
					    O_RDONLY | O_DIRECTORY |
						    O_NOFOLLOW | O_CLOEXEC);
		}
		if (dir)
			(void)closedir(dir);
		if (!found)
			return false;
	}
	return len > 0;
}

int chaos_open(struct drive *drive, const struct chaos_place *found)
{
	return openat(drive_lower_fd(drive), found->path,
		      O_PATH | O_NOFOLLOW | O_CLOEXEC);
}
