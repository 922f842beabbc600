/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/cleanup.h"
#include "tools/daemon/procs.h"
#include "tools/daemon/ways.h"

struct handle {
	struct file_handle head;
	unsigned char bytes[MAX_HANDLE_SZ];
};

/* The same inode, opened through our own bind of the lower; -1. */
static int open_below(const char *below, const char *link)
{
	cleanup_fd int fd = open(link, O_PATH | O_CLOEXEC);
	cleanup_fd int lower =
		open(below, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct handle handle = { .head = { .handle_bytes = MAX_HANDLE_SZ } };
	int mount_id;

	if (fd < 0 || lower < 0 ||
	    name_to_handle_at(fd, "", &handle.head, &mount_id, AT_EMPTY_PATH) <
		    0)
		return -1;
	return open_by_handle_at(lower, &handle.head, O_PATH | O_CLOEXEC);
}

bool ways_below(void *ways_place, const char *link, char ret_path[PATH_MAX])
{
	const struct ways_place *place = ways_place;
	cleanup_fd int there = -1;
	char below[PATH_MAX];
	char text[PATH_MAX];
	char self[64];
	const char *rest;
	ssize_t n;
	int len;

	(void)snprintf(below, sizeof(below), "%s/lower", place->run_dir);
	there = open_below(below, link);
	if (there < 0 && proc_is_want(errno))
		return true; /* it can't be told: it may be */
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", there);
	n = there < 0 ? -1 : readlink(self, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	/* What lies beside the lower has a path that isn't below the bind. */
	if (!path_inside(text, below, &rest))
		return false;
	len = snprintf(ret_path, PATH_MAX, "%s%s%s", place->lower,
		       *rest ? "/" : "", rest);
	return len > 0 && len < PATH_MAX;
}
