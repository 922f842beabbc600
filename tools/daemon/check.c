/* SPDX-License-Identifier: EUPL-1.2 */
/* What `sobre mount` looks at before it touches anything. */
#include <errno.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tools/daemon/internal.h"
#include "tools/po/po.h"

int daemon_check_rights(struct error *err)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0
	};
	struct __user_cap_data_struct data[2] = { { 0 } };

	if (geteuid() != 0 || syscall(SYS_capget, &head, data) < 0 ||
	    !(data[0].effective & (1u << CAP_SYS_ADMIN)))
		return error_set(err, -EPERM,
				 "mounting a drive needs root (the "
				 "capability CAP_SYS_ADMIN)");
	if (access("/dev/fuse", R_OK | W_OK) < 0)
		return error_set(err, -errno,
				 "cannot use '/dev/fuse': %s: is the kernel "
				 "module fuse loaded?",
				 strerrordesc_np(errno));
	return 0;
}

static int refuse_served(const char *lower, const char *uuid, struct error *err)
{
	cleanup_mounts struct mount_table table = MOUNT_TABLE_INIT;
	const struct mount *m = NULL;
	struct error ignored = ERROR_INIT;
	char source[64];

	(void)snprintf(source, sizeof(source), SOBRE_SOURCE_PREFIX "%s", uuid);
	if (mount_table_read("/proc/self/mountinfo", &table, &ignored) == 0)
		m = mount_table_by_source(&table, source);
	if (!m)
		return error_set(err, -EBUSY, "a daemon already serves '%s'",
				 lower);
	return error_set(err, -EBUSY, "'%s' is already mounted at '%s'", lower,
			 m->point);
}

void check_say_where(const char *lower, struct error *err)
{
	struct error ignored = ERROR_INIT;
	char uuid[UUID_TEXT_BYTES];
	cleanup_fd int fd = -1;
	unsigned int dead;

	if (err->code != -EBUSY)
		return;
	fd = daemon_open_below(lower, &dead, &ignored);
	if (fd >= 0 && daemon_find_served(fd, uuid))
		(void)refuse_served(lower, uuid, err);
}

static int check_submounts(const struct mount_table *table, const char *lower,
			   struct error *err)
{
	char names[ERROR_TEXT_MAX] = "";
	size_t used = 0;
	const char *rest;

	for (size_t i = 0; i < table->n; i++) {
		const struct mount *m = &table->mounts[i];
		int n;

		if (!path_inside(m->point, lower, &rest) || !*rest ||
		    mount_table_serving(table, m->point) != m)
			continue;
		n = snprintf(names + used, sizeof(names) - used, "%s'%s'",
			     used ? ", " : "", m->point);
		if (n < 0 || (size_t)n >= sizeof(names) - used)
			break;
		used += (size_t)n;
	}
	if (!used)
		return 0;
	return error_set(err, -EXDEV,
			 "a drive is one file system; inside '%s' is mounted: "
			 "%s",
			 lower, names);
}

static int check_mounts(const struct daemon_options *o,
			const struct mount_table *table, struct error *err)
{
	const struct mount *m = mount_table_serving(table, o->lower);

	if (m && mount_sobre_uuid(m))
		return strcmp(m->point, o->lower) == 0
			       ? error_set(err, -EBUSY,
					   "'%s' is already mounted", o->lower)
			       : error_set(err, -EBUSY,
					   "'%s' lies in the drive mounted "
					   "at '%s'",
					   o->lower, m->point);
	if (strcmp(o->lower, o->mountpoint) != 0) {
		if (mount_table_at(table, o->mountpoint))
			return error_set(err, -EBUSY,
					 "something is mounted at '%s' "
					 "already",
					 o->mountpoint);
		if (path_inside(o->mountpoint, o->lower, NULL) ||
		    path_inside(o->lower, o->mountpoint, NULL))
			return error_set(err, -EINVAL,
					 "'%s' and '%s' lie one in the "
					 "other",
					 o->lower, o->mountpoint);
	}
	return check_submounts(table, o->lower, err);
}

static int check_filesystem(const struct daemon_options *o, int fd,
			    struct error *err)
{
	struct statfs fs;
	struct statvfs vfs;

	if (fstatfs(fd, &fs) < 0 || fstatvfs(fd, &vfs) < 0)
		return error_set(err, -errno, "cannot look at '%s': %s",
				 o->lower, strerrordesc_np(errno));
	switch ((unsigned int)fs.f_type) {
	case FUSE_SUPER_MAGIC:
		return error_set(err, -EOPNOTSUPP,
				 "'%s' is itself a FUSE file system", o->lower);
	case OVERLAYFS_SUPER_MAGIC:
	case ECRYPTFS_SUPER_MAGIC:
		return error_set(err, -EOPNOTSUPP,
				 "'%s' is itself a stacked file system",
				 o->lower);
	default:
		break;
	}
	if ((vfs.f_flag & ST_RDONLY) && !o->readonly)
		return error_set(err, -EROFS,
				 "'%s' is on a read-only file system: "
				 "--read-only serves it so",
				 o->lower);
	return 0;
}

/* A descriptor of the directory at `path`, as daemon_open_below(). */
static int open_directory(const char *path, unsigned int *ret_dead,
			  struct error *err)
{
	cleanup_fd int fd = daemon_open_below(path, ret_dead, err);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode))
		return error_set(err, -ENOTDIR, "'%s' is not a directory",
				 path);
	return take_fd(&fd);
}

/* The mounts as they are once the dead ones are gone. */
static int read_mounts(const struct daemon_options *o, unsigned int dead,
		       struct mount_table *ret_table, struct error *err)
{
	cleanup_fd int fd = -1;
	unsigned int more = 0;
	int rc = mount_table_read("/proc/self/mountinfo", ret_table, err);

	if (rc < 0)
		return rc;
	daemon_pass_over_dead(ret_table, o->lower, dead);
	if (strcmp(o->lower, o->mountpoint) == 0)
		return 0;
	fd = open_directory(o->mountpoint, &more, err);
	if (fd < 0)
		return fd;
	daemon_pass_over_dead(ret_table, o->mountpoint, more);
	return 0;
}

/* Fills what ways_find() must know of the lower. */
static int locate(struct daemon *d, const struct mount_table *table,
		  int lower_fd, struct error *err)
{
	const struct mount *m = mount_table_serving(table, d->options->lower);
	const char *rest = "";
	struct stat st;
	int n;

	if (!m || !path_inside(d->options->lower, m->point, &rest) ||
	    fstat(lower_fd, &st) < 0)
		return error_set(err, -ENOENT,
				 "cannot find the mount of "
				 "'%s'",
				 d->options->lower);
	d->dev = st.st_dev;
	d->mount_dev = makedev(m->major, m->minor);
	n = snprintf(d->lower_root, sizeof(d->lower_root), "%s%s%s",
		     *rest && !strcmp(m->root, "/") ? "" : m->root,
		     *rest ? "/" : "", rest);
	if (n <= 0 || (size_t)n >= sizeof(d->lower_root))
		return error_set(err, -ENAMETOOLONG, "'%s' is too long",
				 d->options->lower);
	return 0;
}

int check_lower(struct daemon *d, int *ret_tree_fd, struct error *err)
{
	const struct daemon_options *o = d->options;
	cleanup_mounts struct mount_table table = MOUNT_TABLE_INIT;
	char uuid[UUID_TEXT_BYTES];
	unsigned int dead;
	cleanup_fd int fd = open_directory(o->lower, &dead, err);
	int rc = fd < 0 ? fd : read_mounts(o, dead, &table, err);

	if (rc == 0 && daemon_find_served(fd, uuid))
		rc = refuse_served(o->lower, uuid, err);
	if (rc == 0)
		rc = check_mounts(o, &table, err);
	if (rc == 0)
		rc = check_filesystem(o, fd, err);
	if (rc == 0)
		rc = locate(d, &table, fd, err);
	if (rc < 0)
		return rc;
	*ret_tree_fd = take_fd(&fd);
	return 0;
}
