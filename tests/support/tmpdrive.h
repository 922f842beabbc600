/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_TESTS_SUPPORT_TMPDRIVE_H
#define SOBREFS_TESTS_SUPPORT_TMPDRIVE_H

/* A drive in a temporary directory, for unit tests. As root, on a file
 * system with trusted xattrs and holes; else tmpdrive_possible() is false. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/file/file.h"

struct tmpdrive {
	char path[256];
	int lower_fd;
	struct drive *drive;
};

bool tmpdrive_possible(void);
/* Both fail the test when they can't. */
void tmpdrive_open(struct tmpdrive *t);
void tmpdrive_remove(struct tmpdrive *t);
/* Closes the drive and opens it again, as a new daemon would. */
void tmpdrive_reopen(struct tmpdrive *t);

/* Makes `name` of `len` bytes that depend on `seed`. */
void tmpdrive_write(struct tmpdrive *t, const char *name, size_t len,
		    uint32_t seed);
/* The bytes that tmpdrive_write() put. */
void tmpdrive_fill(uint8_t *buf, size_t len, uint32_t seed);
/* O_PATH. */
int tmpdrive_opath(struct tmpdrive *t, const char *name);
/* Opens, reads all through file_read(), compares with the seed's bytes. */
bool tmpdrive_reads(struct tmpdrive *t, const char *name, size_t len,
		    uint32_t seed);
/* Packs whatever the age; returns the outcome. */
enum pack_outcome tmpdrive_pack(struct tmpdrive *t, const char *name);
bool tmpdrive_is_stub(const struct tmpdrive *t, const char *name);
/* For each call of file_open. */
struct file *tmpdrive_file(struct tmpdrive *t, const char *name, int flags,
			   bool *ret_packed);

#endif
