/* SPDX-License-Identifier: EUPL-1.2 */
/* One rule and one file. What is cheap is asked first; what isn't, last. */
#include <string.h>

#include "policy/eval/internal.h"

static void add_reason(struct verdict *v, enum reason_kind kind,
		       const char *text, int64_t value)
{
	if (v->n < REASONS_MAX)
		v->reason[v->n++] = (struct reason){ kind, text, value };
}

/* --- path and name -----------------------------------------------------------
 */

/* What the patterns compare with: the last component in a walk, else the whole
 * path. Without memory for it, the bytes as they are. */
static struct piece spelled(struct look *look, bool exact)
{
	struct buf *out = &look->text[exact];
	struct piece *piece = &look->spelled[exact];

	if (look->spelled_known[exact])
		return *piece;
	*piece = (struct piece){ look->facts->path, strlen(look->facts->path) };
	if (look->states != NULL)
		*piece = piece_last(*piece);
	buf_clear(out);
	if (fold_path(out, piece->text, piece->len, exact) == 0)
		*piece = (struct piece){ (const char *)out->data, out->len };
	look->spelled_known[exact] = true;
	return *piece;
}

static bool path_matches(struct look *look, const struct pattern *p,
			 unsigned int number)
{
	uint64_t state = 0;

	if (look->states == NULL)
		return pattern_holds(p,
				     pattern_run(p, spelled(look, p->exact)));
	state = look->states[number];
	if (!pattern_asks(p, state) || pattern_absorbs(p, state))
		return pattern_absorbs(p, state);
	return pattern_holds(p,
			     pattern_step(p, state, spelled(look, p->exact)));
}

static bool path_fits(struct look *look, const struct compiled *rule,
		      struct verdict *v)
{
	for (unsigned int i = 0; i < rule->paths.n; i++) {
		if (path_matches(look, rule->paths.item[i], rule->first + i)) {
			add_reason(v, REASON_PATH, rule->rule->paths.item[i],
				   0);
			return true;
		}
	}
	return rule->paths.n == 0;
}

static bool name_fits(struct look *look, const struct compiled *rule,
		      struct verdict *v)
{
	for (unsigned int i = 0; i < rule->names.n; i++) {
		const struct pattern *p = rule->names.item[i];
		struct piece name = piece_last(spelled(look, p->exact));

		if (pattern_holds(p, pattern_run(p, name))) {
			add_reason(v, REASON_NAME, rule->rule->names.item[i],
				   0);
			return true;
		}
	}
	return rule->names.n == 0;
}

static bool excepted(struct look *look, const struct compiled *rule)
{
	unsigned int first = rule->first + rule->paths.n;

	for (unsigned int i = 0; i < rule->except.n; i++) {
		if (path_matches(look, rule->except.item[i], first + i))
			return true;
	}
	return false;
}

bool rule_is_for(struct look *look, unsigned int number,
		 struct verdict *verdict)
{
	const struct compiled *rule = &look->eval->rule[number];

	return path_fits(look, rule, verdict) &&
	       name_fits(look, rule, verdict) && !excepted(look, rule);
}

/* --- the rest ----------------------------------------------------------------
 */

static bool long_ago(int32_t day, int32_t cutoff)
{
	return day != DAY_UNKNOWN && day <= cutoff;
}

static bool numbers_fit(const struct rule *rule, const struct facts *facts,
			const struct cutoffs *cutoffs)
{
	if (facts->size_bytes < rule->size_min_bytes ||
	    facts->size_bytes > rule->size_max_bytes)
		return false;
	if (rule->not_changed_for.count > 0 &&
	    !long_ago(facts->changed_day, cutoffs->not_changed))
		return false;
	return rule->not_used_for.count == 0 ||
	       long_ago(last_use(facts), cutoffs->not_used);
}

static bool department_fits(struct look *look, const struct rule *rule,
			    struct verdict *v)
{
	const struct facts *facts = look->facts;

	if (rule->departments.n == 0)
		return true;
	if (!look->department_known) {
		look->department = facts->ask_department == NULL
					   ? facts->department
					   : facts->ask_department(facts->ctx);
		look->department_known = true;
	}
	if (look->department == NULL)
		return false;
	for (unsigned int i = 0; i < rule->departments.n; i++) {
		const char *id = rule->departments.item[i];

		if (strcmp(id, look->department) == 0) {
			add_reason(v, REASON_DEPARTMENT, id, 0);
			return true;
		}
	}
	return false;
}

static bool copies_fit(struct look *look, const struct rule *rule)
{
	const struct facts *facts = look->facts;

	if (!rule->duplicate)
		return true;
	if (!look->copies_known) {
		look->copies = facts->ask_copies == NULL
				       ? facts->copies
				       : facts->ask_copies(facts->ctx);
		look->copies_known = true;
	}
	return look->copies > 0;
}

static void number_reasons(const struct look *look, const struct rule *rule,
			   struct verdict *v)
{
	const struct facts *facts = look->facts;

	if (rule->size_min_bytes > 0 || rule->size_max_bytes < UINT64_MAX)
		add_reason(v, REASON_SIZE, NULL,
			   facts->size_bytes > INT64_MAX
				   ? INT64_MAX
				   : (int64_t)facts->size_bytes);
	if (rule->not_changed_for.count > 0)
		add_reason(v, REASON_NOT_CHANGED, NULL, facts->changed_day);
	if (rule->not_used_for.count > 0)
		add_reason(v,
			   facts->used_day == DAY_UNKNOWN ? REASON_NEVER_USED
							  : REASON_NOT_USED,
			   NULL, last_use(facts));
	if (rule->duplicate)
		add_reason(v, REASON_DUPLICATE, NULL, look->copies);
}

static void term(const struct look *look, const struct rule *rule,
		 const struct cutoffs *cutoffs, struct verdict *v)
{
	int32_t start = DAY_UNKNOWN;

	v->state = VERDICT_DUE;
	if (rule->keep.count == 0)
		return;
	start = term_start(rule, look->facts);
	if (start == DAY_UNKNOWN) {
		v->state = VERDICT_UNKNOWN;
		add_reason(v, REASON_START_UNKNOWN, NULL, 0);
	} else if (start <= cutoffs->keep) {
		add_reason(v, REASON_KEPT_LONG, NULL,
			   term_end(start, rule->keep));
	} else {
		v->state = VERDICT_RUNNING;
		add_reason(v, REASON_KEPT_UNTIL, NULL,
			   term_end(start, rule->keep));
	}
}

/* Whose term still runs for this file, longest; of rules that only flag, none
 * does: they keep nothing. */
static void find_holder(struct look *look)
{
	look->holder_known = true;
	for (unsigned int i = 0; i < look->n; i++) {
		unsigned int number = look_rule(look, i);
		const struct rule *rule = look->eval->rule[number].rule;
		struct verdict v;
		int32_t end = 0;

		if (rule->keep.count == 0 || rule->then == RULE_FLAG ||
		    !rule_verdict(look, number, &v) ||
		    v.state != VERDICT_RUNNING)
			continue;
		end = (int32_t)v.reason[v.n - 1].value;
		if (look->holder == NULL || end > look->holder_end) {
			look->holder = rule;
			look->holder_end = end;
		}
	}
}

static void hold_back(struct look *look, struct verdict *v)
{
	if (!look->holder_known)
		find_holder(look);
	if (look->holder == NULL)
		return;
	v->state = VERDICT_HELD;
	add_reason(v, REASON_HELD_BY, look->holder->id, look->holder_end);
}

bool rule_verdict(struct look *look, unsigned int number,
		  struct verdict *ret_verdict)
{
	const struct rule *rule = look->eval->rule[number].rule;
	struct cutoffs cutoffs = look->cutoffs != NULL
					 ? look->cutoffs[number]
					 : cutoffs_of(rule, look->today);

	if (!numbers_fit(rule, look->facts, &cutoffs))
		return false;
	ret_verdict->rule = rule;
	ret_verdict->n = 0;
	if (!rule_is_for(look, number, ret_verdict) ||
	    !department_fits(look, rule, ret_verdict) ||
	    !copies_fit(look, rule))
		return false;
	number_reasons(look, rule, ret_verdict);
	term(look, rule, &cutoffs, ret_verdict);
	if (ret_verdict->state == VERDICT_DUE &&
	    (rule->then == RULE_SORT || rule->then == RULE_ELIMINATE))
		hold_back(look, ret_verdict);
	return true;
}
