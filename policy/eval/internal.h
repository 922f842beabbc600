/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_EVAL_INTERNAL_H
#define SOBREFS_EVAL_INTERNAL_H

#include <stddef.h>

#include "fs/base/buf.h"
#include "policy/eval/eval.h"

/* --- spelling: what names are compared as ------------------------------- */

struct piece {
	const char *text;
	size_t len;
};

/*
 * Puts `len` bytes of a path after what is in `out`, each component in NFC,
 * case folded unless `exact`. One that isn't UTF-8 keeps its bytes, but for A
 * to Z. 0, -ENOMEM, -EFBIG.
 */
int fold_path(struct buf *out, const char *text, size_t len, bool exact);
#define FOLDED_BYTES_MAX (16U << 20)

/* Takes the next component off `rest`; false: none is left. */
bool piece_next(struct piece *rest, struct piece *ret_part);
/* The last one. */
struct piece piece_last(struct piece path);

/* --- one component of a pattern ------------------------------------------ */

enum glob_kind {
	GLOB_DEEP,    /* ** */
	GLOB_ANY,     /* * */
	GLOB_LITERAL, /* abc */
	GLOB_BEGIN,   /* abc* */
	GLOB_END,     /* *abc */
	GLOB_GENERAL
};
struct glob {
	enum glob_kind kind;
	struct piece piece; /* BEGIN, END: without its star */
};
struct glob glob_of(struct piece piece);
bool glob_matches(const struct glob *glob, struct piece part);

/* --- a pattern, as a machine that eats components ------------------------
 * Bit i of its state: the first i components of the pattern are done. */

struct pattern {
	bool exact;
	unsigned int n;
	uint64_t deep; /* bit i: component i is ** */
	char *folded;  /* what the globs point into */
	struct glob glob[];
};

static inline uint64_t pattern_close(const struct pattern *p, uint64_t state)
{
	/* No two ** follow each other. */
	return state | (state & p->deep) << 1;
}

static inline uint64_t pattern_start(const struct pattern *p)
{
	return pattern_close(p, 1);
}

uint64_t pattern_step(const struct pattern *p, uint64_t state,
		      struct piece part);

static inline bool pattern_holds(const struct pattern *p, uint64_t state)
{
	return state >> p->n != 0;
}

/* Could anything below match? */
static inline bool pattern_open(const struct pattern *p, uint64_t state)
{
	return (state & ((UINT64_C(1) << p->n) - 1)) != 0;
}

/* Does the next component's name matter? */
static inline bool pattern_asks(const struct pattern *p, uint64_t state)
{
	return (state & ~p->deep & ((UINT64_C(1) << p->n) - 1)) != 0;
}

/* Does everything below match? */
static inline bool pattern_absorbs(const struct pattern *p, uint64_t state)
{
	return (state & p->deep) >> (p->n - 1) != 0;
}

/* Of a path already spelled as the pattern wants it. */
uint64_t pattern_run(const struct pattern *p, struct piece path);

/* --- compiled rules --------------------------------------------------------
 */

struct patterns {
	struct pattern **item; /* owned */
	unsigned int n;
};

struct compiled {
	const struct rule *rule;
	struct patterns paths;
	struct patterns except;
	struct patterns names;
	unsigned int first; /* the number of its first path pattern in a
			       frame; the exceptions follow */
};

struct eval {
	const struct policy *policy;
	struct compiled *rule; /* in the order of the policy */
	unsigned int n;
	unsigned int patterns; /* of paths, exceptions included */
};

/* --- time -------------------------------------------------------------------
 */

/* A day on or before these is long enough ago. */
struct cutoffs {
	int32_t not_changed;
	int32_t not_used;
	int32_t keep;
};
struct cutoffs cutoffs_of(const struct rule *rule, int32_t today);
/* For comparing terms; 0: none. */
uint64_t term_length(struct period period);
/* The first day on which `period` has passed since `start`. */
int32_t term_end(int32_t start, struct period period);
/* The last day a use can have been; DAY_UNKNOWN. */
int32_t last_use(const struct facts *facts);
/* The day a rule's term begins; DAY_UNKNOWN. */
int32_t term_start(const struct rule *rule, const struct facts *facts);

/* --- looking at one file ------------------------------------------------ */

struct look {
	const struct eval *eval;
	const struct facts *facts;
	int32_t today;
	const struct cutoffs *cutoffs; /* by rule; NULL: worked out each time */
	const unsigned int *rules;     /* that may cover it; NULL: 0 to n - 1 */
	unsigned int n;
	const uint64_t *states;	 /* of the file's directory, by pattern; NULL:
				    whole paths are matched */
	struct buf *text;	 /* two: folded, exact */
	struct piece spelled[2]; /* what `states` leaves to match */
	bool spelled_known[2];
	bool department_known;
	bool copies_known;
	const char *department;
	int64_t copies;
	bool holder_known;
	const struct rule *holder; /* whose term runs longest; NULL */
	int32_t holder_end;
};

/* Does the rule cover the file? Then `ret_verdict` says what follows. */
bool rule_verdict(struct look *look, unsigned int number,
		  struct verdict *ret_verdict);
/* Its paths, names and exceptions alone. */
bool rule_is_for(struct look *look, unsigned int number,
		 struct verdict *verdict);
/* As eval_explain() or, without `all`, eval_file(). */
unsigned int look_all(struct look *look, bool all, struct verdict *ret_verdicts,
		      unsigned int max);

static inline unsigned int look_rule(const struct look *look, unsigned int i)
{
	return look->rules == NULL ? i : look->rules[i];
}

#endif
