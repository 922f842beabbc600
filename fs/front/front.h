/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_FRONT_FRONT_H
#define SOBREFS_FRONT_FRONT_H

/*
 * The FUSE side: the only module that knows libfuse. Inodes, operations,
 * passthrough and io_uring (DESIGN §6). The daemon makes one, mounts it, and
 * runs its loop until the file system is unmounted.
 *
 * Threads: front_loop() runs in one thread and starts its workers; front_exit()
 * and front_status() from any thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/base/error.h"
#include "fs/file/file.h"

struct front;

struct front_question {
	uint64_t ino;
	bool directory;
	const char *name; /* FRONT_XATTR_* */
	uid_t uid;	  /* who asks */
};

struct front_options {
	bool readonly;
	bool no_passthrough; /* off switches, for tests and trouble */
	bool no_uring;
	bool debug; /* libfuse's own trace, to standard error */
	/* Which opens are a person's use of a file; NULL: none is noted. */
	struct usage *usage;
	/*
	 * What a file's virtual attribute says (FRONT_XATTR_*) to a user who
	 * may read the file, a text of malloc(3); from any thread, which must
	 * not be kept for long. Negative: a code, -ENODATA where there is
	 * none. NULL: there are none at all.
	 */
	int (*describe)(void *ctx, const struct front_question *question,
			char **ret_text);
	void *ctx; /* of describe */
};

/* Read by whoever may read the file, never listed, never set. */
#define FRONT_XATTR_FOOTPRINT "user.sobre.footprint"
#define FRONT_XATTR_FLAG      "user.sobre.flag"

/* `drive` must outlive it. The file system is called sobre#<uuid>. */
int front_new(struct drive *drive, const struct front_options *options,
	      struct front **ret_front, struct error *err);
/* Mounts over `mountpoint` with the lower's own nosuid, nodev, noexec. */
int front_mount(struct front *front, const char *mountpoint, struct error *err);
/* Serves until unmounted or front_exit(). Then every lower file it held is
 * closed. */
int front_loop(struct front *front, struct error *err);
void front_exit(struct front *front); /* async-signal-safe */
/* Unmounts if still mounted. */
void front_free(struct front *front);
DEFINE_CLEANUP(struct front *, front_free)

struct front_status {
	bool ready; /* the kernel has been answered: the mount works */
	bool passthrough;
	char passthrough_why[128]; /* the missing condition; "" when on */
	bool uring;
	char uring_why[128];
	char libfuse[32]; /* its version */
	uint64_t inodes;  /* known to the kernel */
	uint64_t open_files;
	uint64_t lower_fds; /* O_PATH ones */
	/* Opens of plain files that the kernel would not take into
	 * passthrough: served through the page cache instead. */
	uint64_t passthrough_failures;
};
/* Once a minute: gives back what has been idle for long. */
void front_tick(struct front *front);
void front_status(struct front *front, struct front_status *ret_status);

#endif
