/* SPDX-License-Identifier: EUPL-1.2 */
/* What the state directory takes on disk. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fs/file/internal.h"

#define STATE_DEPTH_MAX 8 /* packs/xx/NNNN.pack */

struct sum {
	uint64_t blocks;
	uint64_t sizes; /* of regular files */
};

static struct sum sum_below(int fd, int depth);

/* A directory, or anything else, and all below it. */
static struct sum sum_of(int dir, const char *name, int depth)
{
	struct sum sum = { .blocks = 0 };
	struct sum below;
	struct stat st;
	int sub;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return sum;
	sum.blocks = (uint64_t)st.st_blocks;
	if (S_ISREG(st.st_mode))
		sum.sizes = (uint64_t)st.st_size;
	if (!S_ISDIR(st.st_mode) || depth >= STATE_DEPTH_MAX)
		return sum;
	sub = openat(dir, name,
		     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sub < 0)
		return sum;
	below = sum_below(sub, depth + 1);
	sum.blocks += below.blocks;
	sum.sizes += below.sizes;
	return sum;
}

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/* Takes `fd`. What goes away meanwhile, or can't be read, counts as nothing. */
static struct sum sum_below(int fd, int depth)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	struct sum all = { .blocks = 0 };

	if (!dir) {
		(void)close(fd);
		return all;
	}
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of its own */
	while ((entry = readdir(dir))) {
		struct sum one;

		if (is_dots(entry->d_name))
			continue;
		one = sum_of(dirfd(dir), entry->d_name, depth);
		all.blocks += one.blocks;
		all.sizes += one.sizes;
	}
	(void)closedir(dir);
	return all;
}

static void add_entry(int dir, const char *name, struct state_use *use)
{
	struct sum one = sum_of(dir, name, 0);
	uint64_t bytes = one.blocks * 512;

	use->all_bytes += bytes;
	if (!strcmp(name, "packs")) {
		use->pack_bytes += bytes;
		use->pack_sizes += one.sizes;
	} else if (!strcmp(name, "vault")) {
		use->vault_bytes += bytes;
	} else if (!strncmp(name, "catalog.db", strlen("catalog.db"))) {
		use->catalog_bytes += bytes;
	}
}

void drive_state_use(struct drive *drive, struct state_use *ret_use)
{
	int fd = openat(drive->state_fd, ".",
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat st;

	*ret_use = (struct state_use){ .all_bytes = 0 };
	if (!dir) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	if (fstat(fd, &st) == 0)
		ret_use->all_bytes = (uint64_t)st.st_blocks * 512;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of its own */
	while ((entry = readdir(dir)))
		if (!is_dots(entry->d_name))
			add_entry(fd, entry->d_name, ret_use);
	(void)closedir(dir);
}

uint64_t drive_state_bytes(struct drive *drive)
{
	struct state_use use;

	drive_state_use(drive, &use);
	return use.all_bytes;
}
