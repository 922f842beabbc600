/* SPDX-License-Identifier: EUPL-1.2 */
/* /run/sobre/<uuid>: the way down to the lower, the socket, the log. None of
 * it is durable, so none of it goes through fs/base/io.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/daemon/internal.h"
#include "tools/po/po.h"

static int make_directory(const char *path, struct error *err)
{
	struct stat st;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_set(err, -errno, T("cannot make '%s': %s"), path,
				 strerrordesc_np(errno));
	if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != 0 ||
	    (st.st_mode & 077))
		return error_set(err, -EPERM,
				 T("'%s' is not a directory of root's alone"),
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

static int bind_lower(const struct daemon *d, int lower_fd, struct error *err)
{
	char path[160];
	char from[64];

	(void)snprintf(path, sizeof(path), "%s/lower", d->run_dir);
	(void)snprintf(from, sizeof(from), "/proc/self/fd/%d", lower_fd);
	unmount_stale(path);
	if (make_directory(path, err) < 0)
		return err->code;
	if (mount(from, path, NULL, MS_BIND, NULL) < 0 ||
	    mount(NULL, path, NULL, MS_PRIVATE, NULL) < 0)
		return error_set(err, -errno, T("cannot bind '%s' at '%s': %s"),
				 d->options->lower, path,
				 strerrordesc_np(errno));
	return 0;
}

int rundir_make(struct daemon *d, int lower_fd, struct error *err)
{
	int rc = make_directory(RUN_DIR, err);

	(void)snprintf(d->run_dir, sizeof(d->run_dir), RUN_DIR "/%s", d->uuid);
	if (rc == 0)
		rc = make_directory(d->run_dir, err);
	return rc < 0 ? rc : bind_lower(d, lower_fd, err);
}

void rundir_remove(struct daemon *d)
{
	static const char *const files[] = { "control.sock", "log" };
	char path[160];

	if (!d->run_dir[0])
		return;
	(void)snprintf(path, sizeof(path), "%s/lower", d->run_dir);
	unmount_stale(path);
	(void)rmdir(path); /* only when nothing is mounted there */
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", d->run_dir,
			       files[i]);
		(void)unlink(path);
	}
	(void)rmdir(d->run_dir);
}
