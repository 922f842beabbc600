/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_PLAN_PLAN_H
#define SOBREFS_PLAN_PLAN_H

/*
 * What the rules say of a drive's files, from its catalog alone: for a
 * preview, for the report, and, one file at a time, for `explain` and
 * user.sobre.flag. Nothing is written.
 *
 * It is as the catalog was at one moment (a second or two behind the drive);
 * departments and copies are looked up meanwhile. Copies are those of packed
 * files: of a plain file none are known.
 *
 * A plan is read only: any thread. It knows the departments that there were
 * when it was made.
 */

#include <stdbool.h>
#include <stdint.h>

#include "fs/base/cleanup.h"
#include "fs/base/error.h"
#include "fs/catalog/catalog.h"
#include "policy/eval/eval.h"

struct plan;
/* Borrows both until plan_free(). */
int plan_new(struct catalog *cat, const struct eval *eval,
	     struct plan **ret_plan, struct error *err);
void plan_free(struct plan *plan);
DEFINE_CLEANUP(struct plan *, plan_free)

/* Days since 1970, UTC. */
struct plan_when {
	int32_t today;
	int32_t watched_day; /* uses are known from then on; DAY_UNKNOWN */
	bool copies_hidden;  /* of no file another copy is known */
};
/* For `now_s`, from the first second that the ledger knows anything of. */
int plan_when(struct catalog *cat, int64_t now_s, struct plan_when *ret_when,
	      struct error *err);

/* A file that at least one rule matches; all borrowed until `each` returns. */
struct plan_item {
	const char *path; /* from the root: "/Ville/x.pdf"; a file with
			     several names comes once for each */
	const struct catalog_inode *inode;
	const char *department;	       /* id; NULL: not known (yet) */
	const struct verdict *verdict; /* that which decides first */
	unsigned int n;
	bool counted; /* in the totals: not another name of one that was */
};
/* Other than 0 ends the run and is returned; negative: it filled `err`. */
typedef int plan_each_fn(void *ctx, const struct plan_item *item,
			 struct error *err);

struct plan_count {
	uint64_t files; /* each once, whatever names it has */
	uint64_t bytes; /* their sizes */
};
struct plan_rule {
	struct plan_count decides; /* these add up to `matched` */
	struct plan_count matches; /* others decide, too */
};
struct plan_department {
	char *id; /* NULL: of the files whose department isn't known */
	struct plan_count matched;
};
struct plan_totals {
	struct plan_count all; /* regular files of the catalog */
	struct plan_count matched;
	struct plan_count unmatched;
	struct plan_rule *rule; /* owned; by the policy's rules */
	unsigned int rules;
	struct plan_department *department; /* owned; by the ledger's number,
					       the last is NULL's */
	unsigned int departments;
};
void plan_totals_release(struct plan_totals *totals);
static inline void plan_totals_release_at(struct plan_totals *totals)
{
	plan_totals_release(totals);
}

struct plan_options {
	uint64_t root_ino; /* of the lower root */
	struct plan_when when;
	const bool *stop; /* looked at now and then; NULL; -ECANCELED */
};
/* Calls `each` (may be NULL) for every file that a rule matches. Directories
 * that no rule can match anything in are passed over. */
int plan_run(const struct plan *plan, const struct plan_options *options,
	     plan_each_fn *each, void *ctx, struct plan_totals *ret_totals,
	     struct error *err);

#define PLAN_FLAGS_MAX 32
struct plan_flags {
	unsigned int n;				/* all there are */
	struct verdict verdict[PLAN_FLAGS_MAX]; /* borrows from the policy */
};
/*
 * Of one file. `path`: from the root; NULL: a path the catalog knows of it.
 * `all`: as eval_explain(). 0, with none, for what is not a regular file.
 * -ENOENT: the catalog doesn't know it.
 */
int plan_file(const struct plan *plan, const struct plan_when *when,
	      uint64_t ino, const char *path, bool all,
	      struct plan_flags *ret_flags, struct error *err);

#endif
