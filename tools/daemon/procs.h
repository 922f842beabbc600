/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_DAEMON_PROCS_H
#define SOBREFS_DAEMON_PROCS_H

/*
 * Who has something of a file system in hand: /proc/PID/{cwd,root,fd,maps}
 * of every process that this one may look at. Used for who keeps a mount
 * busy, and for the other ways into a drive (DESIGN invariant 15).
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "fs/base/error.h"

/* Does the link of /proc lead into what is asked for? Its path there. */
typedef bool proc_inside_fn(void *ctx, const char *link,
			    char ret_path[PATH_MAX]);

struct proc_query {
	dev_t dev;	 /* st_dev of what is asked for */
	dev_t maps_dev;	 /* as /proc/PID/maps shows it: differs on btrfs */
	const char *dir; /* only what lies in it */
	pid_t except;
	/* Asked of what lies on a mount that its process doesn't see, as after
	 * umount -l: then the kernel's path for it says nothing. May be NULL */
	proc_inside_fn *inside;
	void *ctx;
};

struct proc_ref {
	pid_t pid;
	const char *comm;
	uint64_t start;	  /* of the process, in ticks since boot */
	const char *kind; /* "cwd", "root", "fd 7", "map" */
	const char *path;
};

/* Everything borrowed for the call; false stops the search. */
typedef bool proc_ref_fn(void *ctx, const struct proc_ref *ref);

/* Is the error for want of something, which says nothing of the process? */
bool proc_is_want(int number);

/* Processes that end meanwhile, or may not be looked at, are left out. */
int procs_each_ref(const struct proc_query *query, proc_ref_fn *each, void *ctx,
		   struct error *err);

/* "pid 1234 (smbd) cwd /srv/part"; the length as snprintf(3). */
int proc_ref_name(const struct proc_ref *ref, char *text, size_t size);

/* Calls `each` with every process id. */
int procs_each(bool (*each)(void *ctx, pid_t pid), void *ctx,
	       struct error *err);

#define PROC_COMM_BYTES 64
/* Name and start of a process; false when it has gone. A name's odd bytes
 * become '?': it goes to terminals and into the accepted ways. */
bool proc_identity(pid_t pid, char ret_comm[PROC_COMM_BYTES],
		   uint64_t *ret_start);

/* --- pure, for the tests ------------------------------------------------ */

/* From the text of /proc/PID/stat. */
bool proc_parse_stat(const char *text, char ret_comm[PROC_COMM_BYTES],
		     uint64_t *ret_start);
/* From a line of /proc/PID/maps: the path, borrowed from the line, whose end
 * of line is cut off; NULL when no file is mapped there. */
const char *proc_parse_map(char *line, dev_t *ret_dev);

#endif
