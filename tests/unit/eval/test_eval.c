/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/eval/support.h"

#define TODAY day_of(2026, 3, 1)

/* --- predicates -------------------------------------------------------------
 */

static void a_rule_matches_any_of_its_paths(void **state)
{
	struct rule r = RULE("r", .paths = LIST("/a/**", "/b/*.tmp"));

	(void)state;
	assert_true(path_matches_rule(&r, "/a/x"));
	assert_true(path_matches_rule(&r, "/b/x.tmp"));
	assert_false(path_matches_rule(&r, "/b/x.pdf"));
	assert_false(path_matches_rule(&r, "/c/x.tmp"));
}

static void a_rule_without_paths_is_for_all(void **state)
{
	struct rule r = RULE("r", .names = LIST("*.tmp", "~$*"));

	(void)state;
	assert_true(path_matches_rule(&r, "/a/b/X.TMP"));
	assert_true(path_matches_rule(&r, "/~$letter.docx"));
	assert_false(path_matches_rule(&r, "/a.tmp/x"));
}

static void names_are_of_the_last_component_alone(void **state)
{
	struct rule r = RULE("r", .paths = LIST("/a/**"), .names = LIST("x*"));

	(void)state;
	assert_true(path_matches_rule(&r, "/a/b/x1"));
	assert_false(path_matches_rule(&r, "/a/x/y"));
	assert_false(path_matches_rule(&r, "/b/x1"));
}

static void exceptions_win(void **state)
{
	struct rule r = RULE("r", .paths = LIST("/a/**"),
			     .except = LIST("**/Contentieux/**", "*.keep"));

	(void)state;
	assert_true(path_matches_rule(&r, "/a/x"));
	assert_false(path_matches_rule(&r, "/a/contentieux/x"));
	assert_false(path_matches_rule(&r, "/a/b/Contentieux/c/x"));
	assert_false(path_matches_rule(&r, "/a/x.keep"));
}

static void case_exact_holds_for_all_of_a_rule(void **state)
{
	struct rule r =
		RULE("r", .paths = LIST("/Ville/**"), .names = LIST("*.PDF"),
		     .except = LIST("*/Z/**"), .case_exact = true);

	(void)state;
	assert_true(path_matches_rule(&r, "/Ville/x.PDF"));
	assert_false(path_matches_rule(&r, "/ville/x.PDF"));
	assert_false(path_matches_rule(&r, "/Ville/x.pdf"));
	assert_false(path_matches_rule(&r, "/Ville/Z/x.PDF"));
	assert_true(path_matches_rule(&r, "/Ville/z/x.PDF"));
}

static void sizes_are_inclusive(void **state)
{
	struct rule r = RULE("r", .size_min_bytes = 1000);
	struct facts f = facts_of("/x");

	(void)state;
	f.size_bytes = 1000;
	assert_int_equal(matches(&r, &f, TODAY), 1);
	f.size_bytes = 999;
	assert_int_equal(matches(&r, &f, TODAY), 0);
	r.size_min_bytes = 0;
	r.size_max_bytes = 10;
	f.size_bytes = 10;
	assert_int_equal(matches(&r, &f, TODAY), 1);
	f.size_bytes = 11;
	assert_int_equal(matches(&r, &f, TODAY), 0);
}

static void a_department_is_one_of_those_named(void **state)
{
	struct rule r = RULE("r", .departments = LIST("ccas", "urb"));
	struct facts f = facts_of("/x");

	(void)state;
	assert_int_equal(matches(&r, &f, TODAY), 1);
	f.department = "rh";
	assert_int_equal(matches(&r, &f, TODAY), 0);
	f.department = NULL;
	assert_int_equal(matches(&r, &f, TODAY), 0);
}

static void unknown_copies_are_no_duplicate(void **state)
{
	struct rule r = RULE("r", .duplicate = true);
	struct facts f = facts_of("/x");

	(void)state;
	assert_int_equal(matches(&r, &f, TODAY), 0);
	f.copies = 0;
	assert_int_equal(matches(&r, &f, TODAY), 0);
	f.copies = 1;
	assert_int_equal(matches(&r, &f, TODAY), 1);
}

/* --- ages
 * --------------------------------------------------------------------- */

static bool unchanged(struct period period, int32_t changed, int32_t today)
{
	struct rule r = RULE("r", .not_changed_for = period);
	struct facts f = facts_of("/x");

	f.changed_day = changed;
	return matches(&r, &f, today) == 1;
}

static void not_changed_begins_on_the_day_itself(void **state)
{
	(void)state;
	assert_true(unchanged(years(2), day_of(2024, 3, 1), TODAY));
	assert_false(unchanged(years(2), day_of(2024, 3, 2), TODAY));
	assert_true(unchanged(days(30), TODAY - 30, TODAY));
	assert_false(unchanged(days(30), TODAY - 29, TODAY));
	assert_false(unchanged(days(30), DAY_UNKNOWN, TODAY));
}

static void ages_end_with_short_months_and_leap_years(void **state)
{
	int32_t leap = day_of(2024, 2, 29);

	(void)state;
	assert_false(unchanged(years(1), leap, day_of(2025, 2, 28)));
	assert_true(unchanged(years(1), leap, day_of(2025, 3, 1)));
	assert_false(unchanged(years(4), leap, day_of(2028, 2, 28)));
	assert_true(unchanged(years(4), leap, day_of(2028, 2, 29)));
	/* 31 January and a month: not before March. */
	assert_false(
		unchanged(months(1), day_of(2026, 1, 31), day_of(2026, 2, 28)));
	assert_true(
		unchanged(months(1), day_of(2026, 1, 31), day_of(2026, 3, 1)));
	/* The last day of March looks back to the last of February. */
	assert_true(
		unchanged(months(1), day_of(2026, 2, 28), day_of(2026, 3, 31)));
}

static void a_period_without_end_never_passes(void **state)
{
	(void)state;
	assert_false(unchanged(years(UINT32_MAX), 0, TODAY));
	assert_false(unchanged(days(UINT32_MAX), INT32_MIN + 1, INT32_MAX));
	assert_false(unchanged(months(UINT32_MAX), -40000, TODAY));
}

static void nothing_is_unused_before_it_was_watched_that_long(void **state)
{
	struct rule r = RULE("r", .not_used_for = years(1));
	struct facts f = facts_of("/x");
	struct verdict v[RULES_MAX];

	(void)state;
	f.watched_day = day_of(2025, 3, 2);
	assert_int_equal(matches(&r, &f, TODAY), 0);
	f.watched_day = day_of(2025, 3, 1);
	assert_int_equal(verdicts_of(&r, 1, &f, TODAY, v), 1);
	assert_int_equal(v->reason[0].kind, REASON_NEVER_USED);
	assert_int_equal(v->reason[0].value, day_of(2025, 3, 1));
	f.watched_day = DAY_UNKNOWN;
	assert_int_equal(matches(&r, &f, TODAY), 0);
}

static void a_file_made_since_is_unused_since_it_was_made(void **state)
{
	struct rule r = RULE("r", .not_used_for = years(1));
	struct facts f = facts_of("/x");

	(void)state;
	f.created_day = day_of(2025, 6, 1);
	assert_int_equal(matches(&r, &f, TODAY), 0);
	f.created_day = DAY_UNKNOWN;
	assert_int_equal(matches(&r, &f, TODAY), 1);
}

static void a_last_use_that_is_known_counts(void **state)
{
	struct rule r = RULE("r", .not_used_for = months(6));
	struct facts f = facts_of("/x");
	struct verdict v[RULES_MAX];

	(void)state;
	f.used_day = day_of(2025, 9, 2);
	assert_int_equal(matches(&r, &f, TODAY), 0);
	f.used_day = day_of(2025, 9, 1);
	assert_int_equal(verdicts_of(&r, 1, &f, TODAY, v), 1);
	assert_int_equal(v->reason[0].kind, REASON_NOT_USED);
	assert_int_equal(v->reason[0].value, day_of(2025, 9, 1));
	/* Even when nobody says since when uses are known. */
	f.watched_day = DAY_UNKNOWN;
	assert_int_equal(matches(&r, &f, TODAY), 1);
}

/* --- lines are AND
 * ------------------------------------------------------------ */

static void all_lines_of_a_rule_must_hold_and_are_its_reasons(void **state)
{
	struct rule r = RULE("r", .paths = LIST("/q/**", "/a/**"),
			     .names = LIST("*.pst"), .departments = LIST("urb"),
			     .size_min_bytes = 10, .not_changed_for = years(1),
			     .not_used_for = years(1), .duplicate = true,
			     .keep = years(3));
	static const enum reason_kind wanted[] = {
		REASON_PATH,	  REASON_NAME,	      REASON_DEPARTMENT,
		REASON_SIZE,	  REASON_NOT_CHANGED, REASON_NEVER_USED,
		REASON_DUPLICATE, REASON_KEPT_LONG,
	};
	struct facts f = facts_of("/a/b.pst");
	struct verdict v[RULES_MAX];

	(void)state;
	f.copies = 4;
	assert_int_equal(verdicts_of(&r, 1, &f, TODAY, v), 1);
	assert_int_equal(v->n, sizeof(wanted) / sizeof(wanted[0]));
	for (unsigned int i = 0; i < v->n; i++)
		assert_int_equal(v->reason[i].kind, wanted[i]);
	assert_string_equal(v->reason[0].text, "/a/**");
	assert_string_equal(v->reason[1].text, "*.pst");
	assert_string_equal(v->reason[2].text, "urb");
	assert_int_equal(v->reason[3].value, 1000);
	assert_int_equal(v->reason[6].value, 4);
	assert_int_equal(v->reason[7].value, day_of(2023, 1, 1));
	f.department = "rh";
	assert_int_equal(matches(&r, &f, TODAY), 0);
	f.department = "urb";
	f.changed_day = TODAY;
	assert_int_equal(matches(&r, &f, TODAY), 0);
}

/* --- costly facts
 * ------------------------------------------------------------- */

struct asked {
	int department;
	int copies;
};

static const char *ask_department(void *ctx)
{
	((struct asked *)ctx)->department++;
	return "urb";
}

static int64_t ask_copies(void *ctx)
{
	((struct asked *)ctx)->copies++;
	return 2;
}

static void costly_facts_are_asked_once_and_only_when_needed(void **state)
{
	struct rule rules[] = {
		RULE("a", .paths = LIST("/a/**"), .departments = LIST("urb"),
		     .duplicate = true),
		RULE("b", .paths = LIST("/a/b/**"), .departments = LIST("urb"),
		     .duplicate = true),
		RULE("c", .departments = LIST("rh"), .duplicate = true),
	};
	const struct policy policy = { .rule = rules, .n = 2 };
	CLEANUP(eval_free) struct eval *eval = compiled(&policy);
	struct asked asked = { 0 };
	struct facts f = facts_of("/c/x");
	struct verdict v[RULES_MAX];

	(void)state;
	f.department = NULL;
	f.ask_department = ask_department;
	f.ask_copies = ask_copies;
	f.ctx = &asked;
	assert_int_equal(eval_file(eval, &f, TODAY, v, RULES_MAX), 0);
	assert_int_equal(asked.department + asked.copies, 0);
	f.path = "/a/b/x";
	assert_int_equal(eval_file(eval, &f, TODAY, v, RULES_MAX), 2);
	assert_int_equal(asked.department, 1);
	assert_int_equal(asked.copies, 1);
	asked = (struct asked){ 0 };
	assert_int_equal(matches(&rules[2], &f, TODAY), 0);
	assert_true(asked.department > 0);
	assert_int_equal(asked.copies, 0);
}

/* --- which rule decides
 * ------------------------------------------------------- */

static void keep_sort_eliminate_flag_is_the_order(void **state)
{
	struct rule rules[] = {
		RULE("flag", .then = RULE_FLAG),
		RULE("eliminate", .then = RULE_ELIMINATE),
		RULE("keep", .then = RULE_KEEP),
		RULE("sort", .then = RULE_SORT),
	};
	static const char *const order[] = { "keep", "sort", "eliminate",
					     "flag" };
	struct facts f = facts_of("/x");
	struct verdict v[RULES_MAX];

	(void)state;
	assert_int_equal(verdicts_of(rules, 4, &f, TODAY, v), 4);
	for (int i = 0; i < 4; i++)
		assert_string_equal(v[i].rule->id, order[i]);
}

static void then_the_longest_term_then_the_order_of_the_files(void **state)
{
	struct rule rules[] = {
		RULE("none"),
		RULE("short", .keep = days(300)),
		RULE("11 months", .keep = months(11)),
		RULE("a year", .keep = years(1)),
		RULE("12 months", .keep = months(12)),
		RULE("again", .keep = years(1)),
	};
	static const char *const order[] = { "a year",	  "12 months", "again",
					     "11 months", "short",     "none" };
	struct facts f = facts_of("/x");
	struct verdict v[RULES_MAX];

	(void)state;
	assert_int_equal(verdicts_of(rules, 6, &f, TODAY, v), 6);
	for (int i = 0; i < 6; i++)
		assert_string_equal(v[i].rule->id, order[i]);
}

static void with_little_room_those_that_decide_are_given(void **state)
{
	struct rule rules[] = {
		RULE("a"),
		RULE("b", .then = RULE_SORT),
		RULE("c"),
		RULE("d", .then = RULE_KEEP),
		RULE("e", .then = RULE_SORT),
	};
	const struct policy policy = { .rule = rules, .n = 5 };
	CLEANUP(eval_free) struct eval *eval = compiled(&policy);
	struct facts f = facts_of("/x");
	struct verdict v[3] = { 0 };

	(void)state;
	assert_int_equal(eval_file(eval, &f, TODAY, v, 2), 5);
	assert_string_equal(v[0].rule->id, "d");
	assert_string_equal(v[1].rule->id, "b");
	assert_null(v[2].rule);
	assert_int_equal(eval_file(eval, &f, TODAY, NULL, 0), 5);
}

static void a_rule_that_matches_nothing_changes_nothing(void **state)
{
	struct rule rules[] = {
		RULE("a", .then = RULE_ELIMINATE, .keep = years(1)),
		RULE("none", .paths = LIST("/nowhere/**"), .then = RULE_KEEP,
		     .keep = years(50)),
	};
	struct facts f = facts_of("/x");
	struct verdict one[RULES_MAX];
	struct verdict two[RULES_MAX];

	(void)state;
	assert_int_equal(verdicts_of(rules, 1, &f, TODAY, one), 1);
	assert_int_equal(verdicts_of(rules, 2, &f, TODAY, two), 1);
	assert_same(one, two, 1);
}

static void no_rules_match_nothing(void **state)
{
	const struct policy policy = { .n = 0 };
	CLEANUP(eval_free) struct eval *eval = compiled(&policy);
	struct facts f = facts_of("/x");

	(void)state;
	assert_int_equal(eval_file(eval, &f, TODAY, NULL, 0), 0);
	assert_false(eval_may_match_below(eval, "/"));
}

/* --- what a policy can't be
 * --------------------------------------------------- */

static void bad_patterns_name_their_file_and_line(void **state)
{
	struct rule path = RULE("r", .paths = LIST("/a", "/b/"));
	struct rule name = RULE("r", .names = LIST("a/b"));
	struct policy policy = { .rule = &path, .n = 1 };
	struct error err = ERROR_INIT;
	struct eval *eval = NULL;

	(void)state;
	assert_int_equal(eval_new(&policy, &eval, &err), -SOBRE_EPOLICY);
	assert_int_equal(err.code, -SOBRE_EPOLICY);
	assert_non_null(strstr(err.text, "10-test.yaml:7: pattern '/b/'"));
	policy.rule = &name;
	assert_int_equal(eval_new(&policy, &eval, &err), -SOBRE_EPOLICY);
	assert_non_null(strstr(err.text, "10-test.yaml:7: 'a/b'"));
	assert_null(eval);
}

static void collect(void *ctx, const char *text)
{
	char *all = ctx;
	size_t len = strlen(all);

	(void)snprintf(all + len, 1000 - len, "%s", text);
}

static void examples_are_checked_by_path_name_and_exception_alone(void **state)
{
	struct rule r =
		RULE("r", .paths = LIST("/a/**"), .names = LIST("*.x"),
		     .except = LIST("**/no/**"), .size_min_bytes = 1000000,
		     .duplicate = true, .departments = LIST("rh"),
		     .not_changed_for = years(1),
		     .match = LIST("/a/1.x", "/a/no/2.x", "/b/3.x"),
		     .not_match = LIST("/a/4.y", "/a/b/5.X"));
	const struct policy policy = { .rule = &r, .n = 1 };
	CLEANUP(eval_free) struct eval *eval = compiled(&policy);
	struct error err = ERROR_INIT;
	char said[1000] = "";

	(void)state;
	assert_int_equal(eval_check_examples(eval, collect, said, &err),
			 -SOBRE_EPOLICY);
	assert_string_equal(
		said,
		"10-test.yaml:7: rule 'r' does not match its example"
		" '/a/no/2.x'\n"
		"10-test.yaml:7: rule 'r' does not match its example"
		" '/b/3.x'\n"
		"10-test.yaml:7: rule 'r' matches what its examples rule out:"
		" '/a/b/5.X'\n");
	said[0] = '\0';
	r.match.n = 1;
	r.not_match.n = 1;
	assert_int_equal(eval_check_examples(eval, collect, said, &err), 0);
	assert_string_equal(said, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_matches_any_of_its_paths),
		cmocka_unit_test(a_rule_without_paths_is_for_all),
		cmocka_unit_test(names_are_of_the_last_component_alone),
		cmocka_unit_test(exceptions_win),
		cmocka_unit_test(case_exact_holds_for_all_of_a_rule),
		cmocka_unit_test(sizes_are_inclusive),
		cmocka_unit_test(a_department_is_one_of_those_named),
		cmocka_unit_test(unknown_copies_are_no_duplicate),
		cmocka_unit_test(not_changed_begins_on_the_day_itself),
		cmocka_unit_test(ages_end_with_short_months_and_leap_years),
		cmocka_unit_test(a_period_without_end_never_passes),
		cmocka_unit_test(
			nothing_is_unused_before_it_was_watched_that_long),
		cmocka_unit_test(a_file_made_since_is_unused_since_it_was_made),
		cmocka_unit_test(a_last_use_that_is_known_counts),
		cmocka_unit_test(
			all_lines_of_a_rule_must_hold_and_are_its_reasons),
		cmocka_unit_test(
			costly_facts_are_asked_once_and_only_when_needed),
		cmocka_unit_test(keep_sort_eliminate_flag_is_the_order),
		cmocka_unit_test(
			then_the_longest_term_then_the_order_of_the_files),
		cmocka_unit_test(with_little_room_those_that_decide_are_given),
		cmocka_unit_test(a_rule_that_matches_nothing_changes_nothing),
		cmocka_unit_test(no_rules_match_nothing),
		cmocka_unit_test(bad_patterns_name_their_file_and_line),
		cmocka_unit_test(
			examples_are_checked_by_path_name_and_exception_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
