/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_USAGE_USAGE_H
#define SOBREFS_USAGE_USAGE_H

/*
 * Which opens are a person's use of a file. Root's and service accounts' never
 * are, nor those of a user who opens more files in a window than a person
 * does: that is a backup, an indexer, a copy of a whole tree. What the answer
 * is for is one day per file; who asked is forgotten with the window, and
 * never leaves this module (DESIGN invariant 12).
 *
 * Any thread. Memory is bounded, however many users there are.
 */

#include <stdbool.h>
#include <stdint.h>

#include "fs/base/cleanup.h"
#include "fs/base/error.h"

struct usage;

struct usage_options {
	const uint32_t *service_uids; /* copied */
	unsigned int services;
	uint32_t burst_files; /* 0: USAGE_BURST_FILES */
	uint32_t burst_s;     /* 0: USAGE_BURST_S */
};
#define USAGE_BURST_FILES 300
#define USAGE_BURST_S	  60

int usage_new(const struct usage_options *options, struct usage **ret_usage,
	      struct error *err);
void usage_free(struct usage *usage);
DEFINE_CLEANUP(struct usage *, usage_free)

/*
 * `uid` opens a file at `now_s` (of a clock that may jump): is it a person's
 * use? After `burst_files` within `burst_s` it isn't any more, until that
 * user has stayed within them for a whole window.
 */
bool usage_counts(struct usage *usage, uint32_t uid, int64_t now_s);

#endif
