/* SPDX-License-Identifier: EUPL-1.2 */
/* Where drives are mounted, who serves them, and who keeps them busy. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/daemon/daemon.h"

int daemon_connect(const char *uuid, struct error *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	cleanup_fd int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc;

	(void)snprintf(addr.sun_path, sizeof(addr.sun_path),
		       RUN_DIR "/%s/control.sock", uuid);
	if (sock < 0 ||
	    connect(sock, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		rc = -errno;
		return error_set(err, rc, "cannot reach the daemon at '%s': %s",
				 addr.sun_path, strerrordesc_np(-rc));
	}
	return take_fd(&sock);
}

bool daemon_mount_is_dead(const char *path, const char *uuid)
{
	struct error ignored = ERROR_INIT;
	cleanup_fd int sock = daemon_connect(uuid, &ignored);
	struct statfs st;

	/* Asking a living but stuck one would hang. */
	return sock < 0 && statfs(path, &st) < 0 && errno == ENOTCONN;
}

static bool same_directory(const char *uuid, const struct stat *lower)
{
	struct error ignored = ERROR_INIT;
	cleanup_fd int sock = -1;
	char path[128];
	struct stat st;

	(void)snprintf(path, sizeof(path), RUN_DIR "/%.36s/lower", uuid);
	if (stat(path, &st) < 0 || st.st_dev != lower->st_dev ||
	    st.st_ino != lower->st_ino)
		return false;
	sock = daemon_connect(uuid, &ignored);
	return sock >= 0;
}

bool daemon_find_served(int lower_fd, char ret_uuid[UUID_TEXT_BYTES])
{
	DIR *dir = opendir(RUN_DIR);
	const struct dirent *entry;
	bool found = false;
	struct stat st;

	if (dir && fstat(lower_fd, &st) == 0)
		/* NOLINTNEXTLINE(concurrency-mt-unsafe): of our own */
		while (!found && (entry = readdir(dir))) {
			if (!uuid_text_valid(entry->d_name) ||
			    !same_directory(entry->d_name, &st))
				continue;
			memcpy(ret_uuid, entry->d_name, UUID_TEXT_BYTES);
			found = true;
		}
	if (dir)
		(void)closedir(dir);
	return found;
}

struct holders {
	struct way_list *list;
	struct error *err;
	int rc;
};

static bool add_holder(void *ctx, const struct proc_ref *ref)
{
	struct holders *h = ctx;
	char name[PATH_MAX + 128];

	(void)proc_ref_name(ref, name, sizeof(name));
	h->rc = way_list_add(h->list, name, "", h->err);
	return h->rc == 0;
}

static int add_mounts_on(const struct mount_table *table,
			 const struct mount *under, struct way_list *list,
			 struct error *err)
{
	for (size_t i = 0; i < table->n; i++) {
		const struct mount *m = &table->mounts[i];
		char name[PATH_MAX + 16];
		int rc;

		if (m->parent != under->id || m == under)
			continue;
		(void)snprintf(name, sizeof(name), "mount %s", m->point);
		rc = way_list_add(list, name, "", err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int daemon_holders(const char *path, struct way_list *ret_holders,
		   struct error *err)
{
	cleanup_mounts struct mount_table table = MOUNT_TABLE_INIT;
	cleanup_ways struct way_list list = { .ways = NULL };
	struct holders h = { .list = &list, .err = err };
	struct proc_query query = { .dir = path, .except = getpid() };
	const struct mount *m;
	int rc = mount_table_read("/proc/self/mountinfo", &table, err);

	if (rc < 0)
		return rc;
	m = mount_table_at(&table, path);
	if (!m)
		return error_set(err, -EINVAL, "'%s' is not a mount", path);
	rc = add_mounts_on(&table, m, &list, err);
	query.dev = makedev(m->major, m->minor);
	query.maps_dev = query.dev;
	if (rc == 0)
		rc = procs_each_ref(&query, add_holder, &h, err);
	if (rc == 0)
		rc = h.rc;
	if (rc < 0)
		return rc;
	*ret_holders = list;
	list = (struct way_list){ .ways = NULL };
	return 0;
}

/* The last component behind the canonical parent. */
static char *canonical_parent(const char *path)
{
	cleanup_free char *copy = strdup(path);
	cleanup_free char *parent = NULL;
	char *joined = NULL;
	char *slash;
	size_t len = copy ? strlen(copy) : 0;

	while (len > 1 && copy[len - 1] == '/')
		copy[--len] = '\0';
	slash = copy ? strrchr(copy, '/') : NULL;
	if (!copy)
		return NULL;
	if (slash)
		*slash = '\0';
	parent = realpath(!slash ? "." : slash == copy ? "/" : copy, NULL);
	if (!parent)
		return NULL;
	if (asprintf(&joined, "%s/%s", strcmp(parent, "/") ? parent : "",
		     slash ? slash + 1 : copy) < 0)
		return NULL;
	return joined;
}

static bool ends_in_dots(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *last = slash ? slash + 1 : path;

	return !*last || !strcmp(last, ".") || !strcmp(last, "..");
}

int path_canonical(const char *path, bool follow, char **ret_path,
		   struct error *err)
{
	cleanup_free char *whole = NULL;
	struct stat st;

	if (!*path)
		return error_set(err, -ENOENT, "an empty path names nothing");
	if (follow || ends_in_dots(path))
		whole = realpath(path, NULL);
	/* A dead mount answers ENOTCONN to realpath(). */
	if (!whole && (!follow || errno == ENOTCONN))
		whole = canonical_parent(path);
	if (whole && !follow && lstat(whole, &st) < 0 && errno != ENOTCONN)
		free(take_ptr(&whole));
	if (!whole)
		return error_set(err, -errno, "cannot find '%s': %s", path,
				 strerrordesc_np(errno));
	*ret_path = take_ptr(&whole);
	return 0;
}
