/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_TESTS_VOLATILE_H
#define SOBREFS_TESTS_VOLATILE_H

/*
 * A power cut at the seam. What is written and not synced is remembered, as it
 * was before and as it is, and with
 *
 *	SOBRE_CUT_AT=N		just before the Nth step: a call of the seam,
 *				or a write or sync of SQLite's
 *	SOBRE_CUT_SEED=S	decides by its dice
 *
 * the file gets back what it was; then, in any order, some of the writes are
 * done again, whole or torn at a sector; then the process is killed. A file
 * whose directory wasn't synced since it was made may be gone, or not.
 *
 * Sizes that shrink, names that change and attributes are taken as kept at
 * once: what ext4 makes of those is shown by tests/crash/blockcut.py.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Before a step, with its name; may not return. */
void volatile_step(const char *name);

/* Before the write. */
void volatile_note(int fd, const void *data, size_t len, uint64_t at);
/* After it was made in `dir`. */
void volatile_note_new(int dir, const char *name, bool is_dir);
/* After a sync of the inode; of everything. */
void volatile_settle(int fd);
void volatile_settle_all(void);

/* The same for a file of SQLite's, whose descriptor is its own. */
void volatile_open_file(const void *file, const char *path);
void volatile_note_file(const void *file, const void *data, size_t len,
			uint64_t at);
void volatile_settle_file(const void *file);
void volatile_forget_file(const void *file);

#endif
