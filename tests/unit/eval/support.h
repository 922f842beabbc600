/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_TESTS_UNIT_EVAL_SUPPORT_H
#define SOBREFS_TESTS_UNIT_EVAL_SUPPORT_H

/* Rules made by hand. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/eval/eval.h"

#define RULES_MAX 8

/* The rules' texts can be changed; nobody does. */
static inline char *text(const char *literal)
{
	char *result = NULL;

	memcpy(&result, &literal, sizeof(result));
	return result;
}

static inline struct strings list_of(const char *const *items, size_t n)
{
	struct strings list = { .n = (unsigned int)n };

	memcpy(&list.item, &items, sizeof(items));
	return list;
}

#define LIST(...)                                     \
	list_of((const char *const[]){ __VA_ARGS__ }, \
		sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

#define RULE(name, ...)                                                    \
	{                                                                  \
		.file = text("10-test.yaml"), .line = 7, .id = text(name), \
		.size_max_bytes = UINT64_MAX, ##__VA_ARGS__                \
	}

/* Days since 1970. */
static inline int32_t day_of(int year, int month, int mday)
{
	static const int before[] = { 0,   31,	59,  90,  120, 151,
				      181, 212, 243, 273, 304, 334 };
	int y = year - 1;
	int leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return 365 * y + y / 4 - y / 100 + y / 400 + before[month - 1] +
	       (leap && month > 2) + mday - 1 - 719162;
}

static inline struct period years(uint32_t n)
{
	return (struct period){ .count = n, .unit = PERIOD_YEARS };
}

static inline struct period months(uint32_t n)
{
	return (struct period){ .count = n, .unit = PERIOD_MONTHS };
}

static inline struct period days(uint32_t n)
{
	return (struct period){ .count = n, .unit = PERIOD_DAYS };
}

/* Of 2020, never seen used, watched since then too. */
static inline struct facts facts_of(const char *path)
{
	return (struct facts){
		.path = path,
		.size_bytes = 1000,
		.department = "urb",
		.changed_day = day_of(2020, 1, 1),
		.created_day = day_of(2020, 1, 1),
		.used_day = DAY_UNKNOWN,
		.watched_day = day_of(2020, 1, 1),
		.copies = -1,
	};
}

static inline struct eval *compiled(const struct policy *policy)
{
	struct error err = ERROR_INIT;
	struct eval *eval = NULL;

	if (eval_new(policy, &eval, &err) < 0)
		print_error("%s\n", err.text);
	assert_non_null(eval);
	return eval;
}

static inline void assert_same(const struct verdict *a, const struct verdict *b,
			       unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		assert_ptr_equal(a[i].rule, b[i].rule);
		assert_int_equal(a[i].state, b[i].state);
		assert_int_equal(a[i].n, b[i].n);
		for (unsigned int k = 0; k < a[i].n; k++) {
			assert_int_equal(a[i].reason[k].kind,
					 b[i].reason[k].kind);
			assert_ptr_equal(a[i].reason[k].text,
					 b[i].reason[k].text);
			assert_int_equal(a[i].reason[k].value,
					 b[i].reason[k].value);
		}
	}
}

/* Through eval_file(), through a walk, and through eval_explain(): they have
 * to agree. Returns how many match. */
static inline unsigned int verdicts_of(struct rule *rules, unsigned int n,
				       const struct facts *facts, int32_t today,
				       struct verdict *ret)
{
	const struct policy policy = { .rule = rules, .n = n };
	CLEANUP(eval_free) struct eval *eval = compiled(&policy);
	CLEANUP(eval_walk_free) struct eval_walk *walk = NULL;
	struct error err = ERROR_INIT;
	struct verdict other[RULES_MAX] = { 0 };
	struct verdict all[RULES_MAX] = { 0 };
	unsigned int found = 0;
	unsigned int again = 0;
	unsigned int explained = 0;
	char path[4096];
	char *name = path;
	char *slash = NULL;
	int in = 1;

	memset(ret, 0, RULES_MAX * sizeof(*ret));
	found = eval_file(eval, facts, today, ret, RULES_MAX);
	explained = eval_explain(eval, facts, today, all, RULES_MAX);
	assert_true(explained >= found);
	assert_same(ret, all, found);
	assert_int_equal(eval_walk_new(eval, today, &walk, &err), 0);
	assert_true(strlen(facts->path) < sizeof(path));
	(void)snprintf(path, sizeof(path), "%s", facts->path + 1);
	while (in == 1 && (slash = strchr(name, '/')) != NULL) {
		*slash = '\0';
		in = eval_walk_enter(walk, name, &err);
		assert_true(in >= 0);
		name = slash + 1;
		if (in == 0)
			assert_int_equal(explained, 0);
	}
	if (in == 1)
		again = eval_walk_file(walk, facts, other, RULES_MAX);
	assert_int_equal(again, found);
	assert_same(other, ret, found);
	return found;
}

static inline unsigned int matches(struct rule *rule, const struct facts *facts,
				   int32_t today)
{
	struct verdict v[RULES_MAX];

	return verdicts_of(rule, 1, facts, today, v);
}

static inline bool path_matches_rule(struct rule *rule, const char *path)
{
	const struct facts facts = facts_of(path);

	return matches(rule, &facts, day_of(2026, 1, 1)) == 1;
}

#endif
