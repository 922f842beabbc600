/* SPDX-License-Identifier: EUPL-1.2 */
/* Mounts of daemons that were killed, and the directories they cover. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "tools/daemon/internal.h"
#include "tools/po/po.h"

#define DEAD_MAX 16

/* The mounts of the calling thread, whose namespace may be its own. */
#define OWN_MOUNTS "/proc/thread-self/mountinfo"

/* 1: the topmost mount at `path` is of ours, and dead. `held`: the drive that
 * this process serves, whose earlier mounts are all dead. */
static int is_dead(const char *path, const char *held, struct error *err)
{
	cleanup_mounts struct mount_table table = MOUNT_TABLE_INIT;
	const struct mount *m;
	const char *uuid;
	int rc = mount_table_read(OWN_MOUNTS, &table, err);

	if (rc < 0)
		return rc;
	m = mount_table_at(&table, path);
	uuid = m ? mount_sobre_uuid(m) : NULL;
	return uuid &&
	       (!strcmp(uuid, held) || daemon_mount_is_dead(path, uuid));
}

/* How many it detached, as the calling thread sees them. */
static int detach(const char *path, const char *held, struct error *err)
{
	for (int n = 0; n < DEAD_MAX; n++) {
		int rc = is_dead(path, held, err);

		if (rc <= 0)
			return rc < 0 ? rc : n;
		if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
			return error_set(err, -errno,
					 "cannot detach the dead mount at "
					 "'%s': %s",
					 path, strerrordesc_np(errno));
	}
	return DEAD_MAX;
}

static int clone_tree(const char *path, struct error *err)
{
	int fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	return fd >= 0 ? fd
		       : error_set(err, -errno, "cannot open '%s': %s", path,
				   strerrordesc_np(errno));
}

struct look {
	const char *path;
	unsigned int dead;
	int fd; /* or what went wrong */
	struct error *err;
};

/* In a namespace that only this thread has, and that ends with it. */
static int look_below(struct look *look)
{
	int n;

	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_set(look->err, -errno,
				 "cannot look below the dead mount at '%s': "
				 "%s",
				 look->path, strerrordesc_np(errno));
	n = detach(look->path, "", look->err);
	if (n < 0)
		return n;
	look->dead = (unsigned int)n;
	return clone_tree(look->path, look->err);
}

static void *look_main(void *at)
{
	struct look *look = at;

	look->fd = look_below(look);
	return NULL;
}

int daemon_open_below(const char *path, unsigned int *ret_dead,
		      struct error *err)
{
	struct look look = { .path = path, .err = err };
	pthread_t thread;
	int rc = is_dead(path, "", err);

	*ret_dead = 0;
	if (rc < 0)
		return rc;
	if (rc == 0)
		return clone_tree(path, err);
	rc = pthread_create(&thread, NULL, look_main, &look);
	if (rc)
		return error_set(err, -rc, "cannot start a thread: %s",
				 strerrordesc_np(rc));
	(void)pthread_join(thread, NULL);
	*ret_dead = look.dead;
	return look.fd;
}

int daemon_detach_dead(const char *path, const char *held, struct error *err)
{
	int n = detach(path, held, err);

	if (n > 0)
		(void)fprintf(stderr,
			      T("sobre: the daemon of '%s' had died: its mount "
				"is detached\n"),
			      path);
	return n < 0 ? n : 0;
}

/* One that lives stays: it is in the way. */
void daemon_pass_over_dead(struct mount_table *table, const char *path,
			   unsigned int dead)
{
	while (dead-- > 0) {
		const struct mount *m = mount_table_at(table, path);

		if (!m || !mount_sobre_uuid(m))
			return;
		mount_table_remove(table, m);
	}
}
