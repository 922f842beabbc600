/* SPDX-License-Identifier: EUPL-1.2 */
/* Rules compiled, and all of them for one file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/eval/internal.h"

/* --- compiling
 * ---------------------------------------------------------------- */

static void patterns_release(struct patterns *p)
{
	for (unsigned int i = 0; i < p->n; i++)
		pattern_free(p->item[i]);
	free(p->item);
}

void eval_free(struct eval *eval)
{
	if (eval == NULL)
		return;
	for (unsigned int i = 0; i < eval->n; i++) {
		patterns_release(&eval->rule[i].paths);
		patterns_release(&eval->rule[i].except);
		patterns_release(&eval->rule[i].names);
	}
	free(eval->rule);
	free(eval);
}

static int compile_all(const struct rule *rule, const struct strings *texts,
		       struct patterns *p, struct error *err)
{
	if (texts->n == 0)
		return 0;
	p->item = calloc(texts->n, sizeof(struct pattern *));
	if (p->item == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	while (p->n < texts->n) {
		int rc = pattern_new(texts->item[p->n], rule->case_exact,
				     &p->item[p->n], err);

		if (rc < 0) {
			err->code = rc == -EINVAL ? -SOBRE_EPOLICY : rc;
			return error_prefix(err, "%s:%u", rule->file,
					    rule->line);
		}
		p->n++;
	}
	return 0;
}

static int check_names(const struct rule *rule, struct error *err)
{
	for (unsigned int i = 0; i < rule->names.n; i++) {
		if (strchr(rule->names.item[i], '/') != NULL)
			return error_set(err, -SOBRE_EPOLICY,
					 "%s:%u: '%s': a name has no \"/\"",
					 rule->file, rule->line,
					 rule->names.item[i]);
	}
	return 0;
}

static int compile_rule(struct eval *eval, const struct rule *rule,
			struct error *err)
{
	struct compiled *c = &eval->rule[eval->n++];
	int rc = check_names(rule, err);

	c->rule = rule;
	c->first = eval->patterns;
	if (rc == 0)
		rc = compile_all(rule, &rule->paths, &c->paths, err);
	if (rc == 0)
		rc = compile_all(rule, &rule->except, &c->except, err);
	if (rc == 0)
		rc = compile_all(rule, &rule->names, &c->names, err);
	eval->patterns += c->paths.n + c->except.n;
	return rc;
}

int eval_new(const struct policy *policy, struct eval **ret_eval,
	     struct error *err)
{
	CLEANUP(eval_free) struct eval *eval = calloc(1, sizeof(*eval));

	if (eval == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	eval->policy = policy;
	eval->rule = calloc(policy->n + 1UL, sizeof(*eval->rule));
	if (eval->rule == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	for (unsigned int i = 0; i < policy->n; i++) {
		int rc = compile_rule(eval, &policy->rule[i], err);

		if (rc < 0)
			return rc;
	}
	*ret_eval = take_ptr(&eval);
	return 0;
}

const struct policy *eval_policy(const struct eval *eval)
{
	return eval->policy;
}

/* --- all the rules for one file ---------------------------------------------
 */

static bool is_match(const struct verdict *v)
{
	return v->state == VERDICT_DUE || v->state == VERDICT_UNKNOWN;
}

/* What says nothing yet comes last; since when unknown, it only flags. */
static int rank(const struct verdict *v)
{
	static const int of_then[] = {
		[RULE_KEEP] = 4,
		[RULE_SORT] = 3,
		[RULE_ELIMINATE] = 2,
		[RULE_FLAG] = 1,
	};

	if (v->state == VERDICT_UNKNOWN)
		return of_then[RULE_FLAG];
	return v->state == VERDICT_DUE ? of_then[v->rule->then] : 0;
}

/* `a` stands later in the files. */
static bool goes_before(const struct verdict *a, const struct verdict *b)
{
	if (rank(a) != rank(b))
		return rank(a) > rank(b);
	return term_length(a->rule->keep) > term_length(b->rule->keep);
}

static void insert(struct verdict *list, unsigned int n, unsigned int max,
		   const struct verdict *v)
{
	unsigned int at = n < max ? n : max;

	while (at > 0 && goes_before(v, &list[at - 1])) {
		if (at < max)
			list[at] = list[at - 1];
		at--;
	}
	if (at < max)
		list[at] = *v;
}

unsigned int look_all(struct look *look, bool all, struct verdict *ret_verdicts,
		      unsigned int max)
{
	unsigned int found = 0;
	struct verdict v;

	for (unsigned int i = 0; i < look->n; i++) {
		if (rule_verdict(look, look_rule(look, i), &v) &&
		    (all || is_match(&v)))
			insert(ret_verdicts, found++, max, &v);
	}
	return found;
}

static unsigned int look_once(const struct eval *eval,
			      const struct facts *facts, int32_t today,
			      bool all, struct verdict *ret_verdicts,
			      unsigned int max)
{
	struct buf text[2];
	struct look look = {
		.eval = eval,
		.n = eval->n,
		.facts = facts,
		.today = today,
		.text = text,
	};
	unsigned int n = 0;

	buf_init(&text[0], FOLDED_BYTES_MAX);
	buf_init(&text[1], FOLDED_BYTES_MAX);
	n = look_all(&look, all, ret_verdicts, max);
	buf_release(&text[0]);
	buf_release(&text[1]);
	return n;
}

unsigned int eval_file(const struct eval *eval, const struct facts *facts,
		       int32_t today, struct verdict *ret_verdicts,
		       unsigned int max)
{
	return look_once(eval, facts, today, false, ret_verdicts, max);
}

unsigned int eval_explain(const struct eval *eval, const struct facts *facts,
			  int32_t today, struct verdict *ret_verdicts,
			  unsigned int max)
{
	return look_once(eval, facts, today, true, ret_verdicts, max);
}

/* --- examples
 * ------------------------------------------------------------------ */

struct examples {
	const struct eval *eval;
	void (*say)(void *ctx, const char *text);
	void *ctx;
	unsigned int failed;
	struct buf line;
};

static bool example_fits(const struct eval *eval, unsigned int number,
			 const char *path, struct buf text[2])
{
	const struct facts facts = { .path = path };
	struct look look = { .eval = eval, .facts = &facts, .text = text };
	struct verdict v = { .n = 0 };

	return rule_is_for(&look, number, &v);
}

static void check_list(struct examples *x, unsigned int number, bool wanted)
{
	const struct rule *rule = x->eval->rule[number].rule;
	const struct strings *list = wanted ? &rule->match : &rule->not_match;
	struct buf text[2];

	buf_init(&text[0], FOLDED_BYTES_MAX);
	buf_init(&text[1], FOLDED_BYTES_MAX);
	for (unsigned int i = 0; i < list->n; i++) {
		if (example_fits(x->eval, number, list->item[i], text) ==
		    wanted)
			continue;
		x->failed++;
		buf_clear(&x->line);
		if (buf_printf(&x->line, "%s:%u: rule '%s' %s '%s'\n%c",
			       rule->file, rule->line, rule->id,
			       wanted ? "does not match its example"
				      : "matches what its examples rule out:",
			       list->item[i], '\0') == 0)
			x->say(x->ctx, (const char *)x->line.data);
	}
	buf_release(&text[0]);
	buf_release(&text[1]);
}

int eval_check_examples(const struct eval *eval,
			void (*say)(void *ctx, const char *text), void *ctx,
			struct error *err)
{
	struct examples x = { .eval = eval, .say = say, .ctx = ctx };

	buf_init(&x.line, 1U << 20);
	for (unsigned int i = 0; i < eval->n; i++) {
		check_list(&x, i, true);
		check_list(&x, i, false);
	}
	buf_release(&x.line);
	if (x.failed == 0)
		return 0;
	return error_set(err, -SOBRE_EPOLICY, "%u examples of rules fail",
			 x.failed);
}
