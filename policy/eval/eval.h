/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_EVAL_EVAL_H
#define SOBREFS_EVAL_EVAL_H

/*
 * Rules and the facts of a file give a verdict and its reasons. Pure: no file
 * is looked at, no clock is read; the same facts give the same verdict, in a
 * preview, in `assess`, in the real run. Any thread; a compiled policy is
 * read only.
 */

#include <stdbool.h>
#include <stdint.h>

#include "fs/base/cleanup.h"
#include "fs/base/error.h"
#include "policy/lang/lang.h"

#define DAY_UNKNOWN INT32_MIN

/*
 * Days are since 1970, UTC. The two that cost something to find out may be
 * left to `ask_department` and `ask_copies`: each is called at most once, and
 * only when a rule that matches in all else needs it; NULL: the field holds.
 */
struct facts {
	const char *path; /* from the root: "/Ville/x.pdf"; any bytes */
	uint64_t size_bytes;
	const char *department; /* id; NULL: not known, no rule for some
				   departments matches */
	int32_t changed_day;	/* of the mtime */
	int32_t created_day;	/* DAY_UNKNOWN where not known */
	int32_t used_day;    /* last use by a person; DAY_UNKNOWN: never seen */
	int32_t watched_day; /* uses are known from this day on;
				DAY_UNKNOWN: not at all, so that nothing
				is unused */
	int64_t copies;	     /* other files of the same bytes; -1: unknown,
				as for plain files: not matched */
	const char *(*ask_department)(void *ctx);
	int64_t (*ask_copies)(void *ctx);
	void *ctx; /* of the two */
};

struct eval; /* compiled rules */
/* Borrows the policy until eval_free(). -SOBRE_EPOLICY: a pattern can't be
 * one; the text begins with its file and line. */
int eval_new(const struct policy *policy, struct eval **ret_eval,
	     struct error *err);
void eval_free(struct eval *eval);
DEFINE_CLEANUP(struct eval *, eval_free)
/* What it was made of. */
const struct policy *eval_policy(const struct eval *eval);

enum reason_kind {
	REASON_PATH,	      /* text: the pattern */
	REASON_NAME,	      /* text: the pattern */
	REASON_DEPARTMENT,    /* text: the id */
	REASON_SIZE,	      /* value: bytes */
	REASON_NOT_CHANGED,   /* value: the day of the last change */
	REASON_NOT_USED,      /* value: the day of the last use */
	REASON_NEVER_USED,    /* value: a use since this day would be known */
	REASON_KEPT_LONG,     /* value: the day its term ended */
	REASON_DUPLICATE,     /* value: copies elsewhere, packed ones only */
	REASON_START_UNKNOWN, /* when its term began isn't known */
	REASON_KEPT_UNTIL,    /* value: the day its term ends */
	REASON_HELD_BY	      /* text: id of the rule whose term still runs;
				 value: the day it ends */
};
#define REASONS_MAX 10
struct reason {
	enum reason_kind kind;
	const char *text; /* borrowed from the policy */
	int64_t value;
};

/*
 * A rule with a term (`keep`) says nothing before it is over. One that keeps,
 * sorts or eliminates, and whose term still runs, holds the file back from
 * being sorted or eliminated by another: the longest term wins.
 */
enum verdict_state {
	VERDICT_DUE,	 /* what `rule->then` says */
	VERDICT_UNKNOWN, /* since when isn't known: flag only */
	VERDICT_HELD,	 /* due, but another rule's term runs: nothing yet */
	VERDICT_RUNNING	 /* its term runs: nothing yet */
};
struct verdict {
	const struct rule *rule; /* borrowed from the policy */
	enum verdict_state state;
	unsigned int n;
	struct reason reason[REASONS_MAX];
};

/* How many of the rules match (due, or since when isn't known), up to `max`
 * of them in `ret_verdicts`, that which decides first: keep before sort
 * before eliminate before flag, then the longest term, then the order of the
 * files. `today`: days since 1970. */
unsigned int eval_file(const struct eval *eval, const struct facts *facts,
		       int32_t today, struct verdict *ret_verdicts,
		       unsigned int max);
/* The same, with the rules that say nothing yet after them, for `explain`. */
unsigned int eval_explain(const struct eval *eval, const struct facts *facts,
			  int32_t today, struct verdict *ret_verdicts,
			  unsigned int max);
/* Could any rule match something below the directory `path`? */
bool eval_may_match_below(const struct eval *eval, const char *path);

/*
 * Checks each rule's examples against its paths, names and exceptions (nothing
 * else of it). -SOBRE_EPOLICY when some fail; a line for each went to `say`:
 * "file:line: …\n".
 */
int eval_check_examples(const struct eval *eval,
			void (*say)(void *ctx, const char *text), void *ctx,
			struct error *err);

/*
 * A walk down a tree, for many files: what the directories above a file say
 * is worked out once. One thread. Starts in the root.
 */
struct eval_walk;
/* Borrows `eval`. */
int eval_walk_new(const struct eval *eval, int32_t today,
		  struct eval_walk **ret_walk, struct error *err);
void eval_walk_free(struct eval_walk *walk);
DEFINE_CLEANUP(struct eval_walk *, eval_walk_free)
/* Goes into a directory of where it is. 1: done; 0: not done, no rule can
 * match anything below; negative: failed. */
int eval_walk_enter(struct eval_walk *walk, const char *name,
		    struct error *err);
/* Back, after each eval_walk_enter() that returned 1. */
void eval_walk_leave(struct eval_walk *walk);
/* As eval_file(), for a file of the directory where it is; `facts->path` is
 * its whole path. */
unsigned int eval_walk_file(struct eval_walk *walk, const struct facts *facts,
			    struct verdict *ret_verdicts, unsigned int max);

/*
 * Patterns of DESIGN section 10: `*` and `?` don't cross "/", `**` as a whole
 * component is zero or more components, no leading "/" means at any depth;
 * after NFC and case folding unless `exact`. Nothing else has a meaning of
 * its own: "[" and "\" are themselves. What is not UTF-8 in a path is
 * compared as bytes. Time is at most the product of the two lengths.
 *
 * -EINVAL: empty, "/", a component that is empty, "." or "..", or more than
 * PATTERN_PARTS_MAX of them.
 */
#define PATTERN_PARTS_MAX 62
#define PATTERN_BYTES_MAX 4096
struct pattern;
int pattern_new(const char *text, bool exact, struct pattern **ret_pattern,
		struct error *err);
bool pattern_matches(const struct pattern *pattern, const char *path);
void pattern_free(struct pattern *pattern);
DEFINE_CLEANUP(struct pattern *, pattern_free)

#endif
