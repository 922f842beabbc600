/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_DAEMON_WAYS_H
#define SOBREFS_DAEMON_WAYS_H

/*
 * Other ways into a drive than its mount (DESIGN invariant 15): a stub read
 * that way would show zeros, so nothing is packed while there is one that no
 * administrator accepted by name.
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "fs/base/error.h"
#include "tools/daemon/mountinfo.h"

struct way {
	char *name; /* "pid 1234 (smbd) cwd /srv/part" */
	char *key;  /* tells this one from a later one of the same name */
	bool accepted;
};

struct way_list {
	struct way *ways;
	size_t n;
};

void way_list_release(struct way_list *list);
static inline void way_list_release_at(struct way_list *list)
{
	way_list_release(list);
}
#define cleanup_ways __attribute__((cleanup(way_list_release_at)))
/* A second one of the same name is left out. -ENOMEM. */
int way_list_add(struct way_list *list, const char *name, const char *key,
		 struct error *err);

/* Where the drive is, for telling its own mount from other ways. */
struct ways_place {
	const char *lower;	/* canonical */
	const char *lower_root; /* the same, from its file system's root */
	const char *mountpoint; /* may be the lower */
	const char *run_dir;	/* our own bind lies there */
	const char *source;	/* sobre#<uuid> */
	dev_t dev;		/* st_dev of the lower */
	dev_t mount_dev;	/* as mountinfo has it */
	pid_t self;
};

/* Looks at processes, mounts of every namespace, and NFS exports. Nothing is
 * accepted in the list yet. */
int ways_find(const struct ways_place *place, struct way_list *ret_list,
	      struct error *err);

/* --- the parts, for the tests ------------------------------------------- */

/* Those among the mounts of one namespace: `who` is "" for our own, else
 * "namespace 4026532208 ". */
int ways_in_mounts(const struct ways_place *place,
		   const struct mount_table *table, const char *who,
		   const char *key, struct way_list *list, struct error *err);
/* Those in the text of an exports(5) file. */
int ways_in_exports(const struct ways_place *place, const char *text,
		    struct way_list *list, struct error *err);

/* Is what a link of /proc leads to below the lower? By its handle, through our
 * own bind, whatever mount it was opened on. Its path, as if below
 * `place->lower`. A proc_inside_fn. */
bool ways_below(void *ways_place, const char *link, char ret_path[PATH_MAX]);

/* --- what administrators accepted ----------------------------------------- */

#define WAYS_JOURNAL  "journal"
#define WAYS_ACCEPTED "accepted.log"

/* A line of the journal; the length as snprintf(3). Odd bytes of the name
 * are escaped as in mountinfo. */
int ways_accepted_line(char *text, size_t size, int64_t now_s, uid_t uid,
		       const struct way *way);
/* Marks the ways that a line of the journal's text names. */
void ways_mark_accepted(struct way_list *list, const char *text);
/* The journal under the state directory: read it, add a line durably. */
int ways_read_accepted(int state_fd, struct way_list *list, struct error *err);
int ways_accept(int state_fd, int64_t now_s, uid_t uid, const struct way *way,
		struct error *err);

#endif
