/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_FSCK_FSCK_H
#define SOBREFS_FSCK_FSCK_H

/*
 * Cross-checks of a drive: the lower tree's stubs, the catalog, the packs and
 * the sealed root against each other. It repairs nothing: drive_scan() does,
 * and scrub looks at the bytes in the packs. Only `rebuild` writes.
 *
 * May run beside everything else; whatever looks wrong is looked at again
 * when nobody is at it. One thread at a time.
 */

#include <stdbool.h>
#include <stdint.h>

#include "fs/base/error.h"
#include "fs/file/file.h"

enum fsck_severity {
	FSCK_NOTE,	 /* left over, harmless; goes by itself */
	FSCK_REPAIRABLE, /* the next scan puts it right; nothing is lost */
	FSCK_DAMAGE,	 /* something stored is missing or wrong */
};

enum fsck_kind {
	FSCK_CATALOG,		/* the database isn't whole */
	FSCK_UNREADABLE,	/* couldn't be looked at */
	FSCK_STUB_DAMAGED,	/* the xattr can't be read */
	FSCK_STUB_SIZE,		/* st_size differs from the stub's */
	FSCK_STUB_MTIME,	/* st_mtim does */
	FSCK_STUB_DATA,		/* data is left in the inode */
	FSCK_CONTENT_MISSING,	/* a stub's content is not in the store */
	FSCK_CONTENT_DAMAGED,	/* its recipe or a chunk of it isn't there */
	FSCK_REFERENCE_MISSING, /* the catalog doesn't know that a stub needs
				   its content */
	FSCK_REFERENCE_STALE,	/* it knows a stub that isn't one */
	FSCK_PACK_MISSING,	/* a pack's file isn't there */
	FSCK_PACK_SHORT,	/* ends before what was committed */
	FSCK_CONTENT_LEFT,	/* incomplete, but no file needs it */
	FSCK_PACK_FOREIGN,	/* a file that is no pack of the catalog's */
	FSCK_ROOT_OPEN,		/* stubs, and the lower root isn't sealed */
	FSCK_KINDS,
};
const char *fsck_kind_name(enum fsck_kind kind); /* "stub_size", … */
enum fsck_severity fsck_kind_severity(enum fsck_kind kind);

/* `path`: from the root, "/a/b"; of the state directory ("packs/…") for
 * packs; "" when there is none. Both are borrowed. */
typedef void fsck_problem_fn(void *ctx, enum fsck_kind kind, const char *path,
			     const char *text);

struct fsck_options {
	const char *state_path; /* as given to drive_open() */
	bool rebuild;		/* first: store_rebuild(), then drive_scan() */
	const bool *stop;	/* looked at between entries; may be NULL */
	/* `total` is what the catalog knows, an estimate; false stops. May be
	 * NULL. */
	store_progress_fn *progress;
	void *ctx; /* of progress and of the problem callback */
};

struct fsck_report {
	uint64_t files;	     /* names of regular files; hard links count each */
	uint64_t stubs;	     /* of them */
	uint64_t references; /* rows that name a content */
	uint64_t contents;
	uint64_t packs;
	uint64_t count[FSCK_KINDS];
	uint64_t severity[FSCK_DAMAGE + 1]; /* sums of `count` */
};

/*
 * 0 when it came to its end, whatever it found. -ECANCELED when stopped.
 * `problem` may be NULL.
 */
int fsck_run(struct drive *drive, const struct fsck_options *options,
	     fsck_problem_fn *problem, struct fsck_report *ret_report,
	     struct error *err);

#endif
