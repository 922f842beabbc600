/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_DAEMON_DAEMON_H
#define SOBREFS_DAEMON_DAEMON_H

/*
 * What `sobre mount` runs, and what the command line shares with it: the
 * mount table, who holds what, the control protocol, and the commands over a
 * drive, which run in the daemon when the drive is mounted and in `sobre`
 * itself when it isn't.
 */

#include <stdbool.h>

#include "fs/base/clock.h"
#include "fs/base/error.h"
#include "tools/daemon/commands.h"
#include "tools/daemon/flagged.h"
#include "tools/daemon/mountinfo.h"
#include "tools/daemon/procs.h"
#include "tools/daemon/protocol.h"
#include "tools/daemon/setup.h"
#include "tools/daemon/ways.h"

#define RUN_DIR "/run/sobre"

struct daemon_options {
	const char *lower;	/* canonical path of the directory to serve */
	const char *mountpoint; /* canonical; may be the same */
	const char *state;	/* NULL: .sobre in the lower */
	bool foreground;
	bool readonly;
	bool no_passthrough;
	bool no_uring;
	bool no_idle_class;
	struct clock clock;
	struct setup *setup;  /* borrowed; never NULL */
	const char *policies; /* where its rules are; NULL: none */
};

/* -EPERM with words when this process may not mount. */
int daemon_check_rights(struct error *err);

/*
 * Checks, mounts, serves. In the background (the default) it returns in the
 * caller once the mount answers, or with what went wrong; in the foreground
 * when the drive has been unmounted. What was noticed and put right on the
 * way is printed on standard error.
 */
int daemon_mount(const struct daemon_options *options, struct error *err);

/* The uuid of the drive whose lower root is this directory (`lower_fd`, any
 * descriptor), if a daemon is serving it: false when none is. */
bool daemon_find_served(int lower_fd, char ret_uuid[UUID_TEXT_BYTES]);

/* Connects to the daemon of the drive. Returns the socket; -ENOENT or
 * -ECONNREFUSED when it isn't running, -EACCES without the right. */
int daemon_connect(const char *uuid, struct error *err);

/* The topmost mount on `path` is a drive's whose daemon has died. */
bool daemon_mount_is_dead(const char *path, const char *uuid);

/*
 * The directory `path` below the dead mounts of ours that may cover it: they
 * stay, so nobody sees what they cover. A descriptor (O_PATH) of a detached
 * clone of its mount, see open_tree(2); *ret_dead: how many dead ones cover it.
 */
int daemon_open_below(const char *path, unsigned int *ret_dead,
		      struct error *err);
/* Takes them away, and says so on standard error. `held`: the uuid of the drive
 * whose lock the caller holds: none but dead ones are of it. */
int daemon_detach_dead(const char *path, const char *held, struct error *err);
/* The table as if `dead` of them at `path` were gone. */
void daemon_pass_over_dead(struct mount_table *table, const char *path,
			   unsigned int dead);

/* Says who keeps the mount at `path` busy, a name each in `ret_holders`. */
int daemon_holders(const char *path, struct way_list *ret_holders,
		   struct error *err);

/* `path` without links but perhaps a last one (kept unless `follow`); the
 * last component may be a mount that no longer answers. */
int path_canonical(const char *path, bool follow, char **ret_path,
		   struct error *err);

#endif
