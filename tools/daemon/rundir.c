/* SPDX-License-Identifier: EUPL-1.2 */
/* /run/sobre/<uuid>: the way down to the lower, the socket, the log. None of
 * it is durable, so none of it goes through fs/base/io.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/daemon/internal.h"
#include "tools/po/po.h"

/* A sweep, or a daemon that ends, holds the lock of a place for a moment. */
#define HOLD_TRIES    100
#define HOLD_EVERY_MS 20

static int make_directory(const char *path, struct error *err)
{
	struct stat st;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_set(err, -errno, "cannot make '%s': %s", path,
				 strerrordesc_np(errno));
	if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != 0 ||
	    (st.st_mode & 077))
		return error_set(err, -EPERM,
				 "'%s' is not a directory of root's alone",
				 path);
	return 0;
}

/* What a killed daemon left. */
static void unmount_stale(const char *path)
{
	for (int i = 0; i < 16; i++)
		if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
			return;
}

static int mount_lower(const struct daemon *d, int tree_fd, int *ret_fd,
		       struct error *err)
{
	cleanup_fd int fd = -1;
	char path[160];
	struct stat a;
	struct stat b;

	(void)snprintf(path, sizeof(path), "%s/lower", d->run_dir);
	unmount_stale(path);
	if (make_directory(path, err) < 0)
		return err->code;
	if (move_mount(tree_fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) <
		    0 ||
	    mount(NULL, path, NULL, MS_PRIVATE, NULL) < 0)
		return error_set(err, -errno, "cannot bind '%s' at '%s': %s",
				 d->options->lower, path,
				 strerrordesc_np(errno));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &a) < 0 || fstat(tree_fd, &b) < 0)
		return error_set(err, -errno, "cannot open '%s': %s", path,
				 strerrordesc_np(errno));
	if (a.st_dev != b.st_dev || a.st_ino != b.st_ino)
		return error_set(err, -EBUSY, "'%s' is not '%s'", path,
				 d->options->lower);
	*ret_fd = take_fd(&fd);
	return 0;
}

/* The drive's lock, which drive_open() takes, held while the place in /run
 * is made or cleared: it may be another daemon's already. */
static int lock_place(const struct daemon *d, struct error *err)
{
	cleanup_fd int fd =
		openat(d->state_fd, "drive", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return error_set(err, -errno, "cannot open '%s': %s", "drive",
				 strerrordesc_np(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return error_set(err, errno == EWOULDBLOCK ? -EBUSY : -errno,
				 "a daemon already serves '%s'",
				 d->options->lower);
	return take_fd(&fd);
}

/* Opens and locks the directory; 1: it was removed meanwhile. */
static int hold_once(struct daemon *d, const char *path, struct error *err)
{
	cleanup_fd int fd = -1;
	struct stat is;
	struct stat there;

	if (make_directory(path, err) < 0)
		return err->code;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return 1;
	if (fd < 0 || fstat(fd, &is) < 0)
		return error_set(err, -errno, "cannot open '%s': %s", path,
				 strerrordesc_np(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return error_set(err, errno == EWOULDBLOCK ? -EBUSY : -errno,
				 "a daemon already uses '%s'", path);
	if (lstat(path, &there) < 0 || there.st_ino != is.st_ino)
		return 1;
	d->run_fd = take_fd(&fd);
	return 0;
}

static int hold_place(struct daemon *d, const char *path, struct error *err)
{
	int rc = 1;

	for (int i = 0; i < HOLD_TRIES; i++) {
		rc = hold_once(d, path, err);
		if (rc != 1 && rc != -EBUSY)
			return rc;
		(void)poll(NULL, 0, HOLD_EVERY_MS);
	}
	return rc < 0 ? rc
		      : error_set(err, -EBUSY, "a daemon already uses '%s'",
				  path);
}

int rundir_make(struct daemon *d, int tree_fd, int *ret_lower_fd,
		struct error *err)
{
	const char *state =
		d->options->state ? d->options->state : DRIVE_STATE_NAME;
	cleanup_fd int lock = -1;
	char path[64];
	int rc;

	d->state_fd =
		openat(tree_fd, state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->state_fd < 0)
		return error_set(err, -errno, "cannot open '%s': %s", state,
				 strerrordesc_np(errno));
	lock = lock_place(d, err);
	if (lock < 0)
		return lock;
	(void)snprintf(path, sizeof(path), RUN_DIR "/%s", d->uuid);
	rc = make_directory(RUN_DIR, err);
	if (rc == 0)
		rc = hold_place(d, path, err);
	if (rc < 0)
		return rc;
	memcpy(d->run_dir, path, sizeof(d->run_dir));
	return mount_lower(d, tree_fd, ret_lower_fd, err);
}

/* What a daemon makes there, and no more. */
static void clear_place(const char *dir)
{
	static const char *const files[] = { "control.sock", "log" };
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/lower", dir);
	(void)rmdir(path); /* only when nothing is mounted there */
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		(void)unlink(path);
	}
	(void)rmdir(dir);
}

void rundir_remove(struct daemon *d)
{
	struct error ignored = ERROR_INIT;
	cleanup_fd int lock = -1;
	char path[160];

	if (!d->run_dir[0])
		return;
	lock = lock_place(d, &ignored);
	if (lock < 0)
		return;
	(void)snprintf(path, sizeof(path), "%s/lower", d->run_dir);
	unmount_stale(path);
	clear_place(d->run_dir);
}

static bool has_mounts(const struct mount_table *table, const char *dir)
{
	for (size_t i = 0; i < table->n; i++)
		if (path_inside(table->mounts[i].point, dir, NULL))
			return true;
	return false;
}

static void sweep_one(const char *uuid)
{
	cleanup_mounts struct mount_table table = MOUNT_TABLE_INIT;
	struct error ignored = ERROR_INIT;
	cleanup_fd int sock = -1;
	cleanup_fd int fd = -1;
	char path[64];

	(void)snprintf(path, sizeof(path), RUN_DIR "/%.36s", uuid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return;
	sock = daemon_connect(uuid, &ignored);
	if (sock >= 0 ||
	    mount_table_read("/proc/self/mountinfo", &table, &ignored) < 0 ||
	    has_mounts(&table, path))
		return;
	clear_place(path);
}

void rundir_sweep(void)
{
	DIR *dir = opendir(RUN_DIR);
	const struct dirent *entry;

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of our own */
	while (dir && (entry = readdir(dir)))
		if (uuid_text_valid(entry->d_name))
			sweep_one(entry->d_name);
	if (dir)
		(void)closedir(dir);
}
