/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/ways.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fs/base/cleanup.h"
#include "tools/daemon/procs.h"

#define WAYS_MAX	  4096 /* then a few more tell nothing new */
#define NAMESPACES_MAX	  1024
#define EXPORTS_MAX_BYTES (1u << 20)

void way_list_release(struct way_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->ways[i].name);
		free(list->ways[i].key);
	}
	free(list->ways);
	list->ways = NULL;
	list->n = 0;
}

int way_list_add(struct way_list *list, const char *name, const char *key,
		 struct error *err)
{
	struct way way = { .name = NULL };
	struct way *more;

	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->ways[i].name, name))
			return 0;
	if (list->n >= WAYS_MAX)
		return 0;
	more = realloc(list->ways, (list->n + 1) * sizeof(more[0]));
	if (more) {
		list->ways = more;
		way.name = strdup(name);
		way.key = strdup(key);
	}
	if (!way.name || !way.key) {
		free(way.name);
		free(way.key);
		return error_set(err, -ENOMEM,
				 "no memory for the other ways "
				 "in");
	}
	list->ways[list->n++] = way;
	return 0;
}

/* --- mounts ----------------------------------------------------------------
 */

/* `point` and then `rest`, which may be empty. */
static bool join(char out[PATH_MAX], const char *point, const char *rest)
{
	int n;

	if (!*rest)
		n = snprintf(out, PATH_MAX, "%s", point);
	else
		n = snprintf(out, PATH_MAX, "%s/%s",
			     strcmp(point, "/") ? point : "", rest);
	return n > 0 && n < PATH_MAX;
}

/* Where in its namespace the mount shows the lower, or the part of it that
 * it is a mount of; false when it shows neither. */
static bool shows_lower(const struct ways_place *place, const struct mount *m,
			char ret_path[PATH_MAX])
{
	const char *rest;

	if (makedev(m->major, m->minor) != place->mount_dev)
		return false;
	if (path_inside(m->root, place->lower_root, NULL))
		return join(ret_path, m->point, "");
	return path_inside(place->lower_root, m->root, &rest) &&
	       join(ret_path, m->point, rest);
}

/* The place where the administrator knows the drive to be: covered by our
 * mount, or, with a mountpoint elsewhere, sealed (invariant 14). */
static bool is_own_place(const struct ways_place *place, const char *path)
{
	if (path_inside(path, place->run_dir, NULL))
		return true;
	return strcmp(place->lower, place->mountpoint) != 0 &&
	       !strcmp(path, place->lower);
}

int ways_in_mounts(const struct ways_place *place,
		   const struct mount_table *table, const char *who,
		   const char *key, struct way_list *list, struct error *err)
{
	for (size_t i = 0; i < table->n; i++) {
		const struct mount *m = &table->mounts[i];
		char name[PATH_MAX + 160];
		char id[64];
		char path[PATH_MAX];
		int rc;

		if (!shows_lower(place, m, path) || is_own_place(place, path) ||
		    mount_table_serving(table, path) != m)
			continue;
		(void)snprintf(name, sizeof(name), "%s%s %s", *who ? who : "",
			       *who ? "sees" : "mount", path);
		(void)snprintf(id, sizeof(id), "%s%d", key, m->id);
		rc = way_list_add(list, name, id, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

struct namespaces {
	const struct ways_place *place;
	struct way_list *list;
	ino_t seen[NAMESPACES_MAX];
	size_t n;
	struct error *err;
	int rc;
};

static bool namespace_is_new(struct namespaces *ns, pid_t pid)
{
	char path[64];
	struct stat st;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	if (stat(path, &st) < 0 || ns->n >= NAMESPACES_MAX)
		return false;
	for (size_t i = 0; i < ns->n; i++)
		if (ns->seen[i] == st.st_ino)
			return false;
	ns->seen[ns->n++] = st.st_ino;
	return true;
}

static bool look_at_namespace(void *ctx, pid_t pid)
{
	struct namespaces *ns = ctx;
	cleanup_mounts struct mount_table table = MOUNT_TABLE_INIT;
	struct error err = ERROR_INIT;
	char who[128] = "";
	char key[64] = "";
	char path[64];
	bool own = ns->n == 0; /* the first asked for is ours */

	if (!namespace_is_new(ns, pid))
		return true;
	(void)snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	if (mount_table_read(path, &table, &err) < 0) {
		if (!proc_is_want(-err.code))
			return true; /* it ended */
		*ns->err = err;
		ns->rc = err.code;
		return false;
	}
	if (!own) {
		/* by its number: processes come and go in it */
		(void)snprintf(who, sizeof(who), "namespace %ju ",
			       (uintmax_t)ns->seen[ns->n - 1]);
		(void)snprintf(key, sizeof(key), "ns:");
	}
	ns->rc = ways_in_mounts(ns->place, &table, who, key, ns->list, ns->err);
	return ns->rc == 0;
}

static int find_in_namespaces(const struct ways_place *place,
			      struct way_list *list, struct error *err)
{
	cleanup_free struct namespaces *ns = calloc(1, sizeof(*ns));
	int rc;

	if (!ns)
		return error_set(err, -ENOMEM, "no memory for namespaces");
	ns->place = place;
	ns->list = list;
	ns->err = err;
	if (look_at_namespace(ns, place->self)) {
		rc = procs_each(look_at_namespace, ns, err);
		if (rc < 0)
			return rc;
	}
	return ns->rc;
}

/* --- exports ------------------------------------------------------------- */

int ways_in_exports(const struct ways_place *place, const char *text,
		    struct way_list *list, struct error *err)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		char path[PATH_MAX];
		char name[PATH_MAX + 16];
		size_t word;
		int rc;

		text += strspn(text, " \t\"");
		word = strcspn(text, " \t\"\n");
		len = strcspn(text, "\n");
		if (word > 0 && word < sizeof(path) && *text == '/') {
			memcpy(path, text, word);
			path[word] = '\0';
			mount_unescape(path);
			if (word > 1 && path[strlen(path) - 1] == '/')
				path[strlen(path) - 1] = '\0';
			(void)snprintf(name, sizeof(name), "export %s", path);
			rc = path_inside(path, place->lower, NULL) ||
					     path_inside(place->lower, path,
							 NULL)
				     ? way_list_add(list, name, "", err)
				     : 0;
			if (rc < 0)
				return rc;
		}
		text += len + (text[len] == '\n');
	}
	return 0;
}

static char *read_file(int dir, const char *path)
{
	cleanup_fd int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	cleanup_free char *text = NULL;
	size_t len = 0;
	ssize_t n = 1;

	if (fd < 0)
		return NULL;
	text = calloc(1, EXPORTS_MAX_BYTES + 1);
	while (text && n > 0 && len < EXPORTS_MAX_BYTES) {
		n = read(fd, text + len, EXPORTS_MAX_BYTES - len);
		len += n > 0 ? (size_t)n : 0;
	}
	return take_ptr(&text);
}

static int find_in_exports(const struct ways_place *place,
			   struct way_list *list, struct error *err)
{
	/* What the kernel serves, what exportfs told it, what it will. */
	static const char *const files[] = { "/proc/fs/nfsd/exports",
					     "/var/lib/nfs/etab",
					     "/etc/exports" };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(files) / sizeof(files[0]);
	     i++) {
		cleanup_free char *text = NULL;

		errno = 0;
		text = read_file(AT_FDCWD, files[i]);
		if (!text && proc_is_want(errno))
			rc = error_set(err, -errno, "cannot read '%s': %s",
				       files[i], strerrordesc_np(errno));
		else if (text)
			rc = ways_in_exports(place, text, list, err);
	}
	return rc;
}

/* --- processes ------------------------------------------------------------ */

struct collector {
	struct way_list *list;
	struct error *err;
	int rc;
};

static bool collect(void *ctx, const struct proc_ref *ref)
{
	struct collector *c = ctx;
	char name[PATH_MAX + 128];
	char key[32];

	(void)proc_ref_name(ref, name, sizeof(name));
	(void)snprintf(key, sizeof(key), "%" PRIu64, ref->start);
	c->rc = way_list_add(c->list, name, key, c->err);
	return c->rc == 0;
}

static int find_in_processes(const struct ways_place *place,
			     struct way_list *list, struct error *err)
{
	struct collector c = { .list = list, .err = err };
	struct ways_place copy = *place;
	const struct proc_query query = { .dev = place->dev,
					  .maps_dev = place->mount_dev,
					  .dir = place->lower,
					  .inside = ways_below,
					  .ctx = &copy,
					  .except = place->self };
	int rc = procs_each_ref(&query, collect, &c, err);

	return rc < 0 ? rc : c.rc;
}

int ways_find(const struct ways_place *place, struct way_list *ret_list,
	      struct error *err)
{
	struct way_list list = { .ways = NULL };
	int rc = find_in_processes(place, &list, err);

	if (rc == 0)
		rc = find_in_namespaces(place, &list, err);
	if (rc == 0)
		rc = find_in_exports(place, &list, err);
	if (rc < 0) {
		way_list_release(&list);
		return rc;
	}
	*ret_list = list;
	return 0;
}
