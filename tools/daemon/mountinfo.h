/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_DAEMON_MOUNTINFO_H
#define SOBREFS_DAEMON_MOUNTINFO_H

/*
 * /proc/PID/mountinfo (proc_pid_mountinfo(5)): parsed, and asked which mount
 * serves a path. Paths in it are as the process PID sees them. Pure but for
 * mount_table_read().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "fs/base/cleanup.h"
#include "fs/base/error.h"

struct mount {
	int id;
	int parent;
	unsigned int major;
	unsigned int minor;
	/* Owned by the table, unescaped. */
	const char *root;  /* in its file system */
	const char *point; /* where it is mounted */
	const char *fstype;
	const char *source;
};

struct mount_table {
	struct mount *mounts; /* in the kernel's order */
	size_t n;
	char *text; /* what the strings point into */
};

/* Takes any bytes; lines that make no sense are left out. -ENOMEM. */
int mount_table_parse(const char *text, size_t len,
		      struct mount_table *ret_table, struct error *err);
/* `path`: "/proc/self/mountinfo" and the like. */
int mount_table_read(const char *path, struct mount_table *ret_table,
		     struct error *err);
void mount_table_release(struct mount_table *table);
static inline void mount_table_release_at(struct mount_table *table)
{
	mount_table_release(table);
}
#define cleanup_mounts __attribute__((cleanup(mount_table_release_at)))
/* clang-format off */
#define MOUNT_TABLE_INIT { .mounts = NULL, .n = 0, .text = NULL }
/* clang-format on */

/* The kernel's octal escapes ("\040") undone, in place. */
void mount_unescape(char *text);

/* Walks as the kernel does, over every mount on the way: the mount that
 * answers for the absolute, canonical `path`; NULL when there is none. */
const struct mount *mount_table_serving(const struct mount_table *table,
					const char *path);
/* The topmost mount whose mountpoint is `path` and which can be reached. */
const struct mount *mount_table_at(const struct mount_table *table,
				   const char *path);
/* Takes out `mount`, one of the table's: as if it were unmounted. */
void mount_table_remove(struct mount_table *table, const struct mount *mount);
/* The first with this source; NULL. */
const struct mount *mount_table_by_source(const struct mount_table *table,
					  const char *source);

#define UUID_TEXT_BYTES 37 /* NUL included */
void uuid_text(const uint8_t uuid[16], char ret_text[UUID_TEXT_BYTES]);
bool uuid_text_valid(const char *text);

#define SOBRE_SOURCE_PREFIX "sobre#"
/* The uuid in the source of a mount of ours, borrowed; NULL when it isn't. */
const char *mount_sobre_uuid(const struct mount *mount);

/* `path` is `dir` or lies under it; both canonical. What follows, without
 * slash ("" for `dir` itself), goes to *ret_rest, which may be NULL. */
bool path_inside(const char *path, const char *dir, const char **ret_rest);

#endif
