/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/eval/support.h"

static struct rule kept(enum rule_start start, struct period keep,
			enum rule_then then)
{
	struct rule r =
		RULE("kept", .start = start, .keep = keep, .then = then);

	return r;
}

static void a_term_says_nothing_before_it_is_over(void **state)
{
	struct rule r = kept(RULE_START_CHANGED, years(5), RULE_ELIMINATE);
	struct facts f = facts_of("/x");
	struct verdict v[RULES_MAX];

	(void)state;
	f.changed_day = day_of(2020, 2, 29);
	assert_int_equal(matches(&r, &f, day_of(2025, 2, 28)), 0);
	assert_int_equal(verdicts_of(&r, 1, &f, day_of(2025, 3, 1), v), 1);
	assert_int_equal(v->state, VERDICT_DUE);
	assert_int_equal(v->reason[0].kind, REASON_KEPT_LONG);
	assert_int_equal(v->reason[0].value, day_of(2025, 3, 1));
}

/* The day a reason names is the first on which the rule matches. */
static void the_day_of_the_reason_is_the_first_that_matches(void **state)
{
	const struct period terms[] = { days(1),   days(400),  months(1),
					months(6), months(25), years(1),
					years(4),  years(80) };
	struct facts f = facts_of("/x");

	(void)state;
	for (int32_t start = day_of(2023, 12, 25); start < day_of(2024, 4, 2);
	     start++) {
		f.changed_day = start;
		for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
			struct rule r =
				kept(RULE_START_CHANGED, terms[i], RULE_FLAG);
			struct verdict v[RULES_MAX];
			int32_t end = 0;

			assert_int_equal(verdicts_of(&r, 1, &f, 90000, v), 1);
			end = (int32_t)v->reason[0].value;
			assert_int_equal(matches(&r, &f, end), 1);
			assert_int_equal(matches(&r, &f, end - 1), 0);
		}
	}
}

static void terms_begin_with_what_the_rule_says(void **state)
{
	struct facts f = facts_of("/x");
	struct rule r = kept(RULE_START_CREATED, years(1), RULE_FLAG);

	(void)state;
	f.created_day = day_of(2021, 5, 5);
	f.used_day = day_of(2023, 7, 7);
	assert_int_equal(matches(&r, &f, day_of(2022, 5, 4)), 0);
	assert_int_equal(matches(&r, &f, day_of(2022, 5, 5)), 1);
	r.start = RULE_START_USED;
	assert_int_equal(matches(&r, &f, day_of(2024, 7, 6)), 0);
	assert_int_equal(matches(&r, &f, day_of(2024, 7, 7)), 1);
	/* Never seen used: not before it was watched for that long. */
	f.used_day = DAY_UNKNOWN;
	f.watched_day = day_of(2025, 1, 1);
	assert_int_equal(matches(&r, &f, day_of(2025, 12, 31)), 0);
	assert_int_equal(matches(&r, &f, day_of(2026, 1, 1)), 1);
}

static bool due_from_year(const char *path, int32_t today)
{
	struct rule r =
		kept(RULE_START_YEAR_IN_PATH, years(10), RULE_ELIMINATE);
	struct facts f = facts_of(path);
	struct verdict v[RULES_MAX];

	return verdicts_of(&r, 1, &f, today, v) == 1 && v->state == VERDICT_DUE;
}

static void the_year_in_a_path_ends_on_31_december(void **state)
{
	int32_t eve = day_of(2025, 12, 30);

	(void)state;
	assert_false(due_from_year("/Marches/2015/x", eve));
	assert_true(due_from_year("/Marches/2015/x", eve + 1));
	assert_true(due_from_year("/Marches/2015-07 offres/x", eve + 1));
	assert_true(due_from_year("/Marches_2015/x/y", eve + 1));
	/* The latest of several. */
	assert_false(due_from_year("/2009/2012-2016/x", eve + 1));
	assert_true(due_from_year("/2015/2009/x", eve + 1));
}

static void only_years_of_directories_that_stand_alone_count(void **state)
{
	static const char *const none[] = { "/a/2015.pdf", "/20150703/x",
					    "/a12015/x",   "/1899/x",
					    "/2200/x",	   "/15/x",
					    "/201/5/x",	   "/02015/x" };
	int32_t today = day_of(2200, 1, 1);

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		struct rule r = kept(RULE_START_YEAR_IN_PATH, years(10),
				     RULE_ELIMINATE);
		struct facts f = facts_of(none[i]);
		struct verdict v[RULES_MAX];

		assert_int_equal(verdicts_of(&r, 1, &f, today, v), 1);
		assert_int_equal(v->state, VERDICT_UNKNOWN);
	}
	assert_true(due_from_year("/1900/x", today));
	assert_true(due_from_year("/a2015b/x", today));
}

static void when_the_start_is_unknown_a_rule_only_flags(void **state)
{
	struct rule rules[] = {
		kept(RULE_START_CREATED, years(50), RULE_KEEP),
		RULE("sort", .then = RULE_SORT),
		kept(RULE_START_CLOSED, years(1), RULE_ELIMINATE),
		kept(RULE_START_OWNER_LEFT, years(2), RULE_ELIMINATE),
		RULE("flag"),
	};
	struct facts f = facts_of("/x");
	struct verdict v[RULES_MAX];

	(void)state;
	f.created_day = DAY_UNKNOWN;
	assert_int_equal(verdicts_of(rules, 5, &f, day_of(2026, 1, 1), v), 5);
	assert_string_equal(v[0].rule->id, "sort");
	assert_int_equal(v[0].state, VERDICT_DUE);
	for (int i = 1; i < 4; i++) {
		assert_int_equal(v[i].state, VERDICT_UNKNOWN);
		assert_int_equal(v[i].reason[0].kind, REASON_START_UNKNOWN);
	}
	assert_int_equal(v[1].rule->then, RULE_KEEP);
	assert_int_equal(v[2].rule->start, RULE_START_OWNER_LEFT);
	assert_string_equal(v[4].rule->id, "flag");
}

static void without_a_term_its_start_does_not_matter(void **state)
{
	struct rule r =
		RULE("r", .start = RULE_START_CLOSED, .then = RULE_ELIMINATE);
	struct facts f = facts_of("/x");
	struct verdict v[RULES_MAX];

	(void)state;
	assert_int_equal(verdicts_of(&r, 1, &f, day_of(2026, 1, 1), v), 1);
	assert_int_equal(v->state, VERDICT_DUE);
}

/* --- a longer term
 * ------------------------------------------------------------ */

static unsigned int explain(struct rule *rules, unsigned int n,
			    const struct facts *f, struct verdict *ret)
{
	const struct policy policy = { .rule = rules, .n = n };
	CLEANUP(eval_free) struct eval *eval = compiled(&policy);

	return eval_explain(eval, f, day_of(2026, 1, 1), ret, RULES_MAX);
}

static void a_longer_term_holds_a_file_back_from_elimination(void **state)
{
	struct rule rules[] = {
		RULE("drafts", .then = RULE_ELIMINATE, .keep = years(2)),
		RULE("finance", .paths = LIST("/Finances/**"),
		     .then = RULE_SORT, .keep = years(10)),
		RULE("big", .then = RULE_FLAG),
	};
	struct facts f = facts_of("/Finances/x");
	struct verdict v[RULES_MAX];

	(void)state;
	assert_int_equal(verdicts_of(rules, 3, &f, day_of(2026, 1, 1), v), 1);
	assert_string_equal(v[0].rule->id, "big");
	assert_int_equal(explain(rules, 3, &f, v), 3);
	assert_string_equal(v[0].rule->id, "big");
	assert_string_equal(v[1].rule->id, "finance");
	assert_int_equal(v[1].state, VERDICT_RUNNING);
	assert_int_equal(v[1].reason[1].kind, REASON_KEPT_UNTIL);
	assert_string_equal(v[2].rule->id, "drafts");
	assert_int_equal(v[2].state, VERDICT_HELD);
	assert_int_equal(v[2].reason[1].kind, REASON_HELD_BY);
	assert_string_equal(v[2].reason[1].text, "finance");
	assert_int_equal(v[2].reason[1].value, day_of(2030, 1, 1));
	/* Elsewhere, and once the longer term is over too, it is due. */
	f.path = "/Autres/x";
	assert_int_equal(verdicts_of(rules, 3, &f, day_of(2026, 1, 1), v), 2);
	assert_string_equal(v[0].rule->id, "drafts");
	f.path = "/Finances/x";
	assert_int_equal(verdicts_of(rules, 3, &f, day_of(2030, 1, 1), v), 3);
	assert_string_equal(v[0].rule->id, "finance");
}

static void a_rule_that_only_flags_holds_nothing_back(void **state)
{
	struct rule rules[] = {
		RULE("drafts", .then = RULE_ELIMINATE, .keep = years(2)),
		RULE("flag", .then = RULE_FLAG, .keep = years(10)),
	};
	struct facts f = facts_of("/x");
	struct verdict v[RULES_MAX];

	(void)state;
	assert_int_equal(verdicts_of(rules, 2, &f, day_of(2026, 1, 1), v), 1);
	assert_string_equal(v[0].rule->id, "drafts");
	assert_int_equal(v[0].state, VERDICT_DUE);
}

static void keeping_is_not_held_back(void **state)
{
	struct rule rules[] = {
		RULE("keep", .then = RULE_KEEP),
		RULE("long", .then = RULE_ELIMINATE, .keep = years(10)),
	};
	struct facts f = facts_of("/x");
	struct verdict v[RULES_MAX];

	(void)state;
	assert_int_equal(verdicts_of(rules, 2, &f, day_of(2026, 1, 1), v), 1);
	assert_int_equal(v[0].state, VERDICT_DUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_term_says_nothing_before_it_is_over),
		cmocka_unit_test(
			the_day_of_the_reason_is_the_first_that_matches),
		cmocka_unit_test(terms_begin_with_what_the_rule_says),
		cmocka_unit_test(the_year_in_a_path_ends_on_31_december),
		cmocka_unit_test(
			only_years_of_directories_that_stand_alone_count),
		cmocka_unit_test(when_the_start_is_unknown_a_rule_only_flags),
		cmocka_unit_test(without_a_term_its_start_does_not_matter),
		cmocka_unit_test(
			a_longer_term_holds_a_file_back_from_elimination),
		cmocka_unit_test(a_rule_that_only_flags_holds_nothing_back),
		cmocka_unit_test(keeping_is_not_held_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
