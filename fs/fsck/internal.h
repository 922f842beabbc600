/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_FSCK_INTERNAL_H
#define SOBREFS_FSCK_INTERNAL_H

#include "fs/fsck/fsck.h"

/* References that looked stale and are looked at again at the end. */
#define DOUBTS_MAX 65536

struct fsck {
	struct drive *drive;
	struct catalog *cat;
	const struct fsck_options *options;
	fsck_problem_fn *problem;
	struct fsck_report *report;
	uint64_t done;
	uint64_t total;
	uint64_t *doubts; /* inode numbers */
	size_t doubts_count;
};

/* Counts it and tells the caller. */
void fsck_tell(struct fsck *f, enum fsck_kind kind, const char *path,
	       const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* One more thing looked at: 0, or -ECANCELED. */
int fsck_advance(struct fsck *f, struct error *err);
/* Commits what is queued, where that may be. */
int fsck_flush(struct fsck *f, struct error *err);

/* --- lower.c --- */

/* 1 a stub, 0 none, negative: unreadable or damaged. */
int fsck_probe(int fd, struct stub *ret_stub, struct error *err);
/* Status and birth time. */
int fsck_stat(int fd, struct stat *ret_st, int64_t *ret_btime_ns);
/* Opens the file of an O_PATH fd. */
int fsck_reopen(int opath, int flags);

/* --- walk.c --- */

/* 0 goes on. `path` is "/a/b". */
typedef int fsck_visit_fn(struct fsck *f, int opath, const char *path,
			  struct error *err);
/* Every regular file of the lower, the state left out. */
int fsck_walk(struct fsck *f, fsck_visit_fn *visit, struct error *err);

/* --- the checks --- */

int fsck_check_catalog(struct fsck *f, struct error *err);
int fsck_check_file(struct fsck *f, int opath, const char *path,
		    struct error *err);
int fsck_check_references(struct fsck *f, struct error *err);
/* Those that were in doubt, now. */
int fsck_check_doubts(struct fsck *f, struct error *err);
int fsck_check_contents(struct fsck *f, struct error *err);
int fsck_check_packs(struct fsck *f, struct error *err);
int fsck_check_root(struct fsck *f, struct error *err);

#endif
