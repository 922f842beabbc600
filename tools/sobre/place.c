/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/sobre/internal.h"

void place_release(struct place *place)
{
	free(place->root);
	free(place->rel);
	place->root = NULL;
	place->rel = NULL;
}

static int fill(struct place *place, const char *uuid, const char *root,
		const char *rel, struct error *err)
{
	(void)snprintf(place->uuid, sizeof(place->uuid), "%s", uuid);
	place->root = strdup(root);
	place->rel = strdup(rel);
	if (place->root && place->rel)
		return 1;
	place_release(place);
	return error_set(err, -ENOMEM, "no memory for a path");
}

int place_in_mounts(const struct mount_table *table, const char *path,
		    struct place *ret_place, struct error *err)
{
	struct place place = { .served = true };
	const struct mount *m = mount_table_serving(table, path);
	const char *uuid = m ? mount_sobre_uuid(m) : NULL;
	const char *rest;
	int rc;

	if (!uuid || !path_inside(path, m->point, &rest))
		return 0;
	rc = fill(&place, uuid, m->point, rest, err);
	if (rc > 0)
		*ret_place = place;
	return rc;
}

static int in_mounts(const char *path, struct place *ret_place,
		     struct error *err)
{
	cleanup_mounts struct mount_table table = MOUNT_TABLE_INIT;
	int rc = mount_table_read("/proc/self/mountinfo", &table, err);

	if (rc == 0)
		rc = place_in_mounts(&table, path, ret_place, err);
	if (rc <= 0)
		return rc;
	ret_place->dead =
		daemon_mount_is_dead(ret_place->root, ret_place->uuid);
	ret_place->served = !ret_place->dead;
	return 1;
}

/* Is `dir` the lower root of a drive, mounted elsewhere or not at all? */
static int is_lower_root(const char *dir, const char *rel,
			 struct place *ret_place, struct error *err)
{
	cleanup_free char *drive = NULL;
	char uuid[UUID_TEXT_BYTES] = "";
	cleanup_fd int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool served = fd >= 0 && daemon_find_served(fd, uuid);
	int rc;

	if (asprintf(&drive, "%s/" DRIVE_STATE_NAME "/drive", dir) < 0) {
		drive = NULL;
		return error_set(err, -ENOMEM, "no memory for a path");
	}
	if (!served && access(drive, F_OK) < 0)
		return 0;
	rc = fill(ret_place, uuid, dir, rel, err);
	ret_place->served = served;
	ret_place->dead = false;
	return rc;
}

static int up_the_tree(const char *path, struct place *ret_place,
		       struct error *err)
{
	cleanup_free char *dir = strdup(path);

	if (!dir)
		return error_set(err, -ENOMEM, "no memory for a path");
	for (;;) {
		const char *rel = "";
		char *slash = strrchr(dir, '/');
		int rc;

		(void)path_inside(path, *dir ? dir : "/", &rel);
		rc = is_lower_root(*dir ? dir : "/", rel, ret_place, err);
		if (rc != 0 || !slash)
			return rc;
		*slash = '\0';
	}
}

static bool is_there(const char *path)
{
	return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int place_find(const char *path, bool follow, const char *state,
	       struct place *ret_place, struct error *err)
{
	cleanup_free char *canonical = NULL;
	cleanup_free char *named = NULL;
	struct place place = { .served = false };
	int rc = follow || !is_there(path) ? setup_lower_of(path, &named, err)
					   : 0;

	if (rc >= 0)
		rc = path_canonical(named ? named : path, follow, &canonical,
				    err);

	if (rc == 0)
		rc = in_mounts(canonical, &place, err);
	if (rc == 0)
		rc = up_the_tree(canonical, &place, err);
	if (rc == 0 && state)
		rc = fill(&place, "", canonical, "", err);
	if (rc == 0)
		rc = error_set(err, -ENOENT,
			       geteuid() == 0
				       ? "'%s' is in no drive: 'sobre "
					 "assess' looks at any directory, "
					 "'sobre mount' makes a drive of it"
				       : T("'%s' is in no drive that you may "
					   "look at"),
			       path);
	if (rc < 0)
		return rc;
	*ret_place = place;
	return 0;
}

int place_choose(const struct cli *cli, struct place *ret_place,
		 struct error *err)
{
	cleanup_mounts struct mount_table table = MOUNT_TABLE_INIT;
	const struct mount *found = NULL;
	size_t n = 0;

	if (cli->drive)
		return place_find(cli->drive, true, cli->state, ret_place, err);
	if (mount_table_read("/proc/self/mountinfo", &table, err) < 0)
		return err->code;
	for (size_t i = 0; i < table.n; i++) {
		const struct mount *m = &table.mounts[i];

		if (!mount_sobre_uuid(m) ||
		    mount_table_at(&table, m->point) != m)
			continue;
		found = m;
		n++;
	}
	if (n != 1)
		return error_set(err, -EINVAL,
				 n == 0 ? "no drive is mounted: --drive DRIVE "
					  "says which one"
					: T("several drives are mounted: "
					    "--drive DRIVE says which one"));
	return place_find(found->point, true, NULL, ret_place, err);
}
