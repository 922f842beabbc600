/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/sobre/assess.h"

void assess_release(struct assess *assess)
{
	for (size_t i = 0; i < assess->files; i++)
		free(assess->file[i].path);
	for (unsigned int i = 0; i < assess->rules; i++) {
		free(assess->rule[i].files_of);
		free(assess->rule[i].bytes_of);
	}
	free(assess->file);
	free(assess->rule);
	free(assess->department);
	free(assess->first_unreadable);
	*assess = (struct assess){ .setup = NULL };
}

const char *assess_department_id(const struct assess *assess, unsigned int n)
{
	return n < assess->setup->departments ? assess->setup->department[n].id
					      : "other";
}

const char *assess_department_name(const struct assess *assess, unsigned int n)
{
	return n < assess->setup->departments
		       ? assess->setup->department[n].name
		       : T("Other");
}

static void add(struct assess_sum *sum, const struct assess_file *f)
{
	sum->files++;
	sum->logical_bytes += f->size_bytes;
	sum->disk_bytes += f->disk_bytes;
}

/* Days: 3 months, 1 year, 3 years, 5 years. */
static unsigned int age_of(const struct assess *a, const struct assess_file *f)
{
	static const int32_t border[ASSESS_AGES - 1] = { 91, 365, 1096, 1826 };
	unsigned int age = 0;

	while (age < ASSESS_AGES - 1 &&
	       a->today - f->changed_day >= border[age])
		age++;
	return age;
}

/* --- duplicates -----------------------------------------------------------
 */

static int by_content(const void *a, const void *b)
{
	const struct assess_file *const *x = a;
	const struct assess_file *const *y = b;

	return hash128_compare(&(*x)->content, &(*y)->content);
}

static int find_duplicates(struct assess *a, struct error *err)
{
	cleanup_free struct assess_file **read =
		calloc(a->files + 1, sizeof(struct assess_file *));
	size_t n = 0;

	if (!read)
		return error_set(err, -ENOMEM, "no memory to find duplicates");
	for (size_t i = 0; i < a->files; i++)
		if (a->file[i].read)
			read[n++] = &a->file[i];
	qsort(read, n, sizeof(struct assess_file *), by_content);
	for (size_t i = 0; i < n;) {
		size_t end = i + 1;

		while (end < n && by_content(&read[i], &read[end]) == 0)
			end++;
		for (size_t k = i; k < end; k++) {
			read[k]->copies = (uint32_t)(end - i - 1);
			if (k > i)
				add(&a->duplicate, read[k]);
		}
		i = end;
	}
	return 0;
}

/* --- rules -----------------------------------------------------------------
 */

static int make_rules(struct assess *a, struct error *err)
{
	const struct policy *policy =
		a->setup->rules ? &a->setup->rules->policy : NULL;

	if (!policy)
		return 0;
	a->rule = calloc(policy->n + 1U, sizeof(*a->rule));
	for (unsigned int i = 0; a->rule && i < policy->n; i++) {
		struct assess_rule *r = &a->rule[i];

		r->rule = &policy->rule[i];
		r->files_of = calloc(a->departments, sizeof(uint64_t));
		r->bytes_of = calloc(a->departments, sizeof(uint64_t));
		a->rules++;
		if (!r->files_of || !r->bytes_of)
			return error_set(err, -ENOMEM, "no memory for rules");
	}
	return a->rule ? 0 : error_set(err, -ENOMEM, "no memory for rules");
}

unsigned int assess_verdicts(const struct assess *assess,
			     const struct assess_file *f,
			     struct verdict *ret_verdict)
{
	const struct facts facts = {
		.path = f->path,
		.size_bytes = f->size_bytes,
		.department = assess_department_id(assess, f->department),
		.changed_day = f->changed_day,
		.created_day = f->created_day,
		.used_day = f->used_day,
		.watched_day = DAY_UNKNOWN,
		.copies = f->read ? (int64_t)f->copies : -1,
	};

	if (!assess->setup->rules)
		return 0;
	return eval_file(assess->setup->rules->eval, &facts, assess->today,
			 ret_verdict, 1);
}

static void judge(struct assess *a, const struct assess_file *f)
{
	struct verdict verdict;

	if (assess_verdicts(a, f, &verdict) == 0) {
		add(&a->unmatched, f);
		return;
	}
	for (unsigned int i = 0; i < a->rules; i++) {
		struct assess_rule *r = &a->rule[i];

		if (r->rule != verdict.rule)
			continue;
		r->files++;
		r->bytes += f->size_bytes;
		r->files_of[f->department]++;
		r->bytes_of[f->department] += f->size_bytes;
	}
}

int assess_sum_up(struct assess *assess, struct error *err)
{
	int rc;

	assess->departments = assess->setup->departments + 1;
	assess->department =
		calloc(assess->departments, sizeof(*assess->department));
	if (!assess->department)
		return error_set(err, -ENOMEM, "no memory for departments");
	rc = make_rules(assess, err);
	if (rc == 0)
		rc = find_duplicates(assess, err);
	for (size_t i = 0; rc == 0 && i < assess->files; i++) {
		const struct assess_file *f = &assess->file[i];

		if (f->again)
			continue;
		add(&assess->age[age_of(assess, f)], f);
		add(&assess->department[f->department], f);
		judge(assess, f);
	}
	return rc;
}
