/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_DAEMON_SPAWN_H
#define SOBREFS_DAEMON_SPAWN_H

/*
 * A program run for what it prints: without a shell, with an environment of
 * its own (PATH and LC_ALL=C), a session of its own, little CPU and memory,
 * and killed when its time is up, or the calling thread ends. It has the
 * caller's rights. Any thread; the caller must not wait for any child
 * (waitpid(-1)).
 */

#include <stddef.h>
#include <stdint.h>

#include "fs/base/error.h"

#define SPAWN_OUTPUT_MAX 65536

struct spawn {
	char *const *argv; /* argv[0]: an absolute path; NULL ends */
	int timeout_ms;
	int stop_fd;  /* readable: give up; -1: none */
	int input_fd; /* its standard input; 0: none. It is not closed. */
	uint64_t written_max; /* bytes of a file it writes; 0: a MiB */
};

/*
 * `ret_output`: SPAWN_OUTPUT_MAX + 1 bytes; a text, NUL bytes in it end it.
 * -ETIMEDOUT, -ECANCELED (stop_fd), -EFBIG: it printed more; -EIO: it failed,
 * with what it printed on standard error; or why it can't be run.
 */
int spawn_read(const struct spawn *spawn, char *ret_output, struct error *err);

#endif
