/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_DAEMON_COMMANDS_H
#define SOBREFS_DAEMON_COMMANDS_H

/*
 * The commands over an open drive, as JSON: what the daemon answers, and
 * what `sobre` does itself when the drive isn't mounted. The result objects
 * are described in docs/design/control.md.
 */

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "fs/base/error.h"
#include "fs/file/file.h"
#include "tools/daemon/protocol.h"
#include "tools/daemon/setup.h"

struct command_progress {
	uint64_t done;
	uint64_t total;	    /* 0: not known */
	bool bytes;	    /* else: a count */
	const char *path;   /* may be NULL; borrowed */
	const json_t *note; /* a problem found, to be passed on; may be NULL */
};

/* False: stop. Called from the thread that runs the command. */
typedef bool command_progress_fn(void *ctx, const struct command_progress *p);

struct rate;

struct command_env {
	struct drive *drive;
	const char *state_path; /* as given to drive_open() */
	bool served;		/* by a daemon: a scan runs beside us */
	struct setup
		*setup; /* the rules of it may change: setup_take_rules() */
	struct clock clock;
	const char *name;	 /* of the drive, for people: its lower; NULL */
	const struct rate *rate; /* of a byte; NULL: looked up when asked */
	const bool *stop; /* read atomically: end soon, -ECANCELED; NULL */
	command_progress_fn *progress;
	/* Long work calls it where others may pack; NULL: nobody else does. */
	void (*give_way)(void *ctx);
	void *ctx;
};

/* All but accept. NULL on failure. */
json_t *command_run(const struct command_env *env,
		    const struct request *request, struct error *err);

/* Rebuilds the catalog of a drive that isn't open. NULL on failure. */
json_t *command_rebuild(int lower_fd, const char *state_path,
			const struct command_env *env, struct error *err);

#endif
