/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/eval/support.h"

static void
directories_that_nothing_can_match_below_are_not_entered(void **state)
{
	struct rule rules[] = {
		RULE("a", .paths = LIST("/Ville/*/Archives/**")),
		RULE("b", .paths = LIST("/CCAS/*.tmp")),
	};
	const struct policy policy = { .rule = rules, .n = 2 };
	CLEANUP(eval_free) struct eval *eval = compiled(&policy);
	CLEANUP(eval_walk_free) struct eval_walk *w = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(eval_walk_new(eval, 0, &w, &err), 0);
	assert_int_equal(eval_walk_enter(w, "autre", &err), 0);
	assert_int_equal(eval_walk_enter(w, "ville", &err), 1);
	assert_int_equal(eval_walk_enter(w, "Urbanisme", &err), 1);
	assert_int_equal(eval_walk_enter(w, "archive", &err), 0);
	assert_int_equal(eval_walk_enter(w, "ARCHIVES", &err), 1);
	assert_int_equal(eval_walk_enter(w, "2015", &err), 1);
	for (int i = 0; i < 4; i++)
		eval_walk_leave(w);
	assert_int_equal(eval_walk_enter(w, "CCAS", &err), 1);
	assert_int_equal(eval_walk_enter(w, "x", &err), 0);
	eval_walk_leave(w);
}

static void what_is_excepted_whole_is_not_entered(void **state)
{
	struct rule r = RULE("a", .paths = LIST("/Ville/**"),
			     .except = LIST("**/Contentieux/**"));
	const struct policy policy = { .rule = &r, .n = 1 };
	CLEANUP(eval_free) struct eval *eval = compiled(&policy);
	CLEANUP(eval_walk_free) struct eval_walk *w = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(eval_may_match_below(eval, "/"));
	assert_true(eval_may_match_below(eval, "/Ville"));
	assert_true(eval_may_match_below(eval, "/Ville/a/b"));
	assert_false(eval_may_match_below(eval, "/Ville/a/Contentieux"));
	assert_false(eval_may_match_below(eval, "/Ville/contentieux/b"));
	assert_false(eval_may_match_below(eval, "/CCAS"));
	assert_int_equal(eval_walk_new(eval, 0, &w, &err), 0);
	assert_int_equal(eval_walk_enter(w, "Ville", &err), 1);
	assert_int_equal(eval_walk_enter(w, "Contentieux", &err), 0);
	assert_int_equal(eval_walk_enter(w, "Autres", &err), 1);
}

static void a_rule_for_all_is_entered_everywhere(void **state)
{
	struct rule r = RULE("a", .names = LIST("*.tmp"));
	const struct policy policy = { .rule = &r, .n = 1 };
	CLEANUP(eval_free) struct eval *eval = compiled(&policy);

	(void)state;
	assert_true(eval_may_match_below(eval, "/a/b/c"));
}

/* --- many paths, walked and one by one
 * ---------------------------------------- */

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 16;
}

static void random_path(uint32_t *seed, const char *const *parts,
			unsigned int n, char path[128])
{
	unsigned int depth = 1 + next(seed) % 5;
	int len = 0;

	for (unsigned int i = 0; i < depth; i++)
		len += snprintf(path + len, 128 - (size_t)len, "/%s",
				parts[next(seed) % n]);
}

/* verdicts_of() compares the two for each. */
static void a_walk_says_what_each_file_by_itself_says(void **state)
{
	static const char *const globs[] = { "**", "*", "a*", "*b",
					     "A?", "a", "Ab", "c*d" };
	static const char *const parts[] = { "a",   "ab", "Ab",	      "cd",
					     "cxd", "b",  "\xc3\x89", "\xff" };
	uint32_t seed = 42;
	unsigned int found = 0;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		char pattern[4][128];
		char path[128];
		struct rule rules[2] = { RULE("1"), RULE("2") };
		struct facts f;
		struct verdict v[RULES_MAX];
		char *lists[4];

		for (int k = 0; k < 4; k++) {
			random_path(&seed, globs, 8, pattern[k]);
			lists[k] = pattern[k] + next(&seed) % 2;
		}
		rules[0].paths = (struct strings){ &lists[0], 2 };
		rules[1].paths = (struct strings){ &lists[2], 1 };
		rules[1].except = (struct strings){ &lists[3], 1 };
		rules[1].case_exact = next(&seed) % 2;
		random_path(&seed, parts, 8, path);
		f = facts_of(path);
		found += verdicts_of(rules, 2, &f, 0, v);
	}
	assert_true(found > 300 && found < 5700);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			directories_that_nothing_can_match_below_are_not_entered),
		cmocka_unit_test(what_is_excepted_whole_is_not_entered),
		cmocka_unit_test(a_rule_for_all_is_entered_everywhere),
		cmocka_unit_test(a_walk_says_what_each_file_by_itself_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
