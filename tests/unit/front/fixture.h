/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_TESTS_UNIT_FRONT_FIXTURE_H
#define SOBREFS_TESTS_UNIT_FRONT_FIXTURE_H

/* A front without a session over a directory of its own: enough for the
 * inode table and the descriptor cache. Needs open_by_handle_at(), so root:
 * fixture_possible(). */

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fs/front/internal.h"

struct fixture {
	char path[64];
	int fd;
	struct front front;
};

static inline struct lower_handle handle_of(uint64_t seed, uint8_t len)
{
	struct lower_handle handle = { .type = 1, .len = len };

	for (uint8_t i = 0; i < len; i++)
		handle.bytes[i] = (uint8_t)(seed >> (8 * (i % 8))) ^ i;
	return handle;
}

static inline int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct stat st;

	assert_non_null(f);
	(void)snprintf(f->path, sizeof(f->path), "/tmp/sobre-front-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->fd >= 0);
	assert_int_equal(fstat(f->fd, &st), 0);
	f->front.lower_fd = f->fd;
	f->front.root_ino = st.st_ino;
	f->front.dev = st.st_dev;
	assert_int_equal(inode_table_init(&f->front), 0);
	*state = f;
	return 0;
}

static inline int fixture_remove(const char *path, const struct stat *st,
				 int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	inode_table_release(&f->front);
	(void)close(f->fd);
	(void)nftw(f->path, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

/* Learns a number that no lower inode has. */
static inline struct inode *fixture_learn(struct fixture *f, uint64_t ino,
					  const struct lower_handle *handle)
{
	struct inode *inode = NULL;
	int fd = -1;

	assert_int_equal(
		inode_learn(&f->front, &fd, ino, 1, S_IFREG, handle, &inode),
		0);
	return inode;
}

/* Makes a file and learns it as a lookup does. */
static inline struct inode *fixture_file(struct fixture *f, const char *name)
{
	struct lower_handle handle;
	struct inode *inode = NULL;
	struct stat st;
	int fd = openat(f->fd, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	fd = lower_open_child(f->fd, name);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(handle_get(fd, "", &handle), 0);
	assert_int_equal(inode_learn(&f->front, &fd, st.st_ino, 1, S_IFREG,
				     &handle, &inode),
			 0);
	assert_int_equal(fd, -1);
	return inode;
}

static inline uint64_t fixture_mount_id(int fd)
{
	struct statx x;

	assert_int_equal(statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &x), 0);
	assert_true(x.stx_mask & STATX_MNT_ID);
	return x.stx_mnt_id;
}

static inline bool fixture_has_handles(void)
{
	char path[] = "/tmp/sobre-front-XXXXXX";
	struct front front = { .lower_fd = -1 };
	struct lower_handle handle;
	int r = -1;

	if (!mkdtemp(path))
		return false;
	front.lower_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (front.lower_fd >= 0 && handle_get(front.lower_fd, "", &handle) == 0)
		r = handle_open(front.lower_fd, &handle, O_PATH);
	if (r >= 0)
		(void)close(r);
	if (front.lower_fd >= 0)
		(void)close(front.lower_fd);
	(void)rmdir(path);
	return r >= 0;
}

/* For main(). Where /tmp has no handles, as on the overlay of a container,
 * this process gets a /tmp of its own that has. */
static inline bool fixture_possible(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max; /* more than FD_CACHE_MAX */
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (fixture_has_handles())
		return true;
	if (unshare(CLONE_NEWNS) == 0 &&
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("none", "/tmp", "tmpfs", 0, "mode=1777") == 0 &&
	    fixture_has_handles())
		return true;
	(void)fprintf(stderr, "skipped: no right to open files by handle\n");
	return false;
}

#endif
