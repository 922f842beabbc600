/* SPDX-License-Identifier: EUPL-1.2 */
/* Down a tree: each directory keeps the states of the patterns, and the rules
 * that can still match below. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/eval/internal.h"

struct frame {
	uint64_t *states;   /* by pattern; of live rules only */
	unsigned int *live; /* rules */
	unsigned int n;
};

struct eval_walk {
	const struct eval *eval;
	int32_t today;
	struct cutoffs *cutoffs;
	struct buf text[2];
	struct frame *frame;
	unsigned int depth; /* frame[depth] is where it is */
	unsigned int cap;   /* frames that have their arrays */
};

static bool excluded(const struct compiled *rule, const uint64_t *states)
{
	for (unsigned int i = 0; i < rule->except.n; i++) {
		if (pattern_absorbs(rule->except.item[i],
				    states[rule->first + rule->paths.n + i]))
			return true;
	}
	return false;
}

static bool is_live(const struct compiled *rule, const uint64_t *states)
{
	bool open = rule->paths.n == 0;

	for (unsigned int i = 0; !open && i < rule->paths.n; i++)
		open = pattern_open(rule->paths.item[i],
				    states[rule->first + i]);
	return open && !excluded(rule, states);
}

/* --- frames
 * -------------------------------------------------------------------- */

static int grow(struct eval_walk *walk, struct error *err)
{
	const struct eval *eval = walk->eval;
	struct frame *frames =
		reallocarray(walk->frame, walk->cap + 1UL, sizeof(*frames));
	struct frame *f = NULL;

	if (frames == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	walk->frame = frames;
	f = &frames[walk->cap];
	f->states = calloc(eval->patterns + 1UL, sizeof(*f->states));
	f->live = calloc(eval->n + 1UL, sizeof(*f->live));
	f->n = 0;
	if (f->states == NULL || f->live == NULL) {
		free(f->states);
		free(f->live);
		return error_set(err, -ENOMEM, "out of memory");
	}
	walk->cap++;
	return 0;
}

static void start(struct eval_walk *walk)
{
	const struct eval *eval = walk->eval;
	struct frame *f = &walk->frame[0];

	for (unsigned int r = 0; r < eval->n; r++) {
		const struct compiled *rule = &eval->rule[r];
		uint64_t *at = f->states + rule->first;

		for (unsigned int i = 0; i < rule->paths.n; i++)
			*at++ = pattern_start(rule->paths.item[i]);
		for (unsigned int i = 0; i < rule->except.n; i++)
			*at++ = pattern_start(rule->except.item[i]);
		if (is_live(rule, f->states))
			f->live[f->n++] = r;
		walk->cutoffs[r] = cutoffs_of(rule->rule, walk->today);
	}
}

int eval_walk_new(const struct eval *eval, int32_t today,
		  struct eval_walk **ret_walk, struct error *err)
{
	CLEANUP(eval_walk_free)
	struct eval_walk *walk = calloc(1, sizeof(*walk));
	int rc = 0;

	if (walk == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	walk->eval = eval;
	walk->today = today;
	buf_init(&walk->text[0], FOLDED_BYTES_MAX);
	buf_init(&walk->text[1], FOLDED_BYTES_MAX);
	walk->cutoffs = calloc(eval->n + 1UL, sizeof(*walk->cutoffs));
	if (walk->cutoffs == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	rc = grow(walk, err);
	if (rc < 0)
		return rc;
	start(walk);
	*ret_walk = take_ptr(&walk);
	return 0;
}

void eval_walk_free(struct eval_walk *walk)
{
	if (walk == NULL)
		return;
	for (unsigned int i = 0; i < walk->cap; i++) {
		free(walk->frame[i].states);
		free(walk->frame[i].live);
	}
	buf_release(&walk->text[0]);
	buf_release(&walk->text[1]);
	free(walk->frame);
	free(walk->cutoffs);
	free(walk);
}

/* --- going down
 * ------------------------------------------------------------------ */

struct names {
	struct piece piece[2]; /* folded, exact */
	bool known[2];
	const char *name;
};

/* Without memory for it, the bytes as they are. */
static struct piece name_as(struct eval_walk *walk, struct names *names,
			    bool exact)
{
	struct buf *out = &walk->text[exact];
	struct piece *piece = &names->piece[exact];

	if (names->known[exact])
		return *piece;
	*piece = (struct piece){ names->name, strlen(names->name) };
	buf_clear(out);
	if (fold_path(out, piece->text, piece->len, exact) == 0)
		*piece = (struct piece){ (const char *)out->data, out->len };
	names->known[exact] = true;
	return *piece;
}

static void step_all(struct eval_walk *walk, struct names *names,
		     const struct patterns *patterns, unsigned int first)
{
	const struct frame *from = &walk->frame[walk->depth];
	struct frame *to = &walk->frame[walk->depth + 1];

	for (unsigned int i = 0; i < patterns->n; i++) {
		const struct pattern *p = patterns->item[i];
		uint64_t state = from->states[first + i];

		if (pattern_asks(p, state))
			state = pattern_step(p, state,
					     name_as(walk, names, p->exact));
		else
			state = pattern_close(p, state & p->deep);
		to->states[first + i] = state;
	}
}

int eval_walk_enter(struct eval_walk *walk, const char *name, struct error *err)
{
	struct names names = { .name = name };
	const struct frame *from = NULL;
	struct frame *to = NULL;
	int rc = walk->depth + 1 < walk->cap ? 0 : grow(walk, err);

	if (rc < 0)
		return rc;
	from = &walk->frame[walk->depth];
	to = &walk->frame[walk->depth + 1];
	to->n = 0;
	for (unsigned int i = 0; i < from->n; i++) {
		const struct compiled *rule = &walk->eval->rule[from->live[i]];

		step_all(walk, &names, &rule->paths, rule->first);
		step_all(walk, &names, &rule->except,
			 rule->first + rule->paths.n);
		if (is_live(rule, to->states))
			to->live[to->n++] = from->live[i];
	}
	if (to->n == 0)
		return 0;
	walk->depth++;
	return 1;
}

void eval_walk_leave(struct eval_walk *walk)
{
	walk->depth--;
}

unsigned int eval_walk_file(struct eval_walk *walk, const struct facts *facts,
			    struct verdict *ret_verdicts, unsigned int max)
{
	const struct frame *f = &walk->frame[walk->depth];
	struct look look = {
		.eval = walk->eval,
		.facts = facts,
		.today = walk->today,
		.cutoffs = walk->cutoffs,
		.states = f->states,
		.rules = f->live,
		.n = f->n,
		.text = walk->text,
	};

	return look_all(&look, false, ret_verdicts, max);
}

bool eval_may_match_below(const struct eval *eval, const char *path)
{
	struct buf text[2];
	struct piece whole[2] = { { path, strlen(path) },
				  { path, strlen(path) } };
	bool found = false;

	for (int exact = 0; exact < 2; exact++) {
		buf_init(&text[exact], FOLDED_BYTES_MAX);
		if (fold_path(&text[exact], path, whole[exact].len, exact) == 0)
			whole[exact] =
				(struct piece){ (const char *)text[exact].data,
						text[exact].len };
	}
	for (unsigned int r = 0; !found && r < eval->n; r++) {
		const struct compiled *rule = &eval->rule[r];

		found = rule->paths.n == 0;
		for (unsigned int i = 0; !found && i < rule->paths.n; i++) {
			const struct pattern *p = rule->paths.item[i];

			found = pattern_open(p,
					     pattern_run(p, whole[p->exact]));
		}
		for (unsigned int i = 0; found && i < rule->except.n; i++) {
			const struct pattern *p = rule->except.item[i];

			found = !pattern_absorbs(
				p, pattern_run(p, whole[p->exact]));
		}
	}
	buf_release(&text[0]);
	buf_release(&text[1]);
	return found;
}
