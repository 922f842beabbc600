/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/flagged.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NUMBERS 3

static char ids[2][8] = { "one", "two" };

/* On the heap, to be seen when it is used after its end. */
static struct rules *two_rules(void)
{
	struct rules *rules = calloc(1, sizeof(*rules));

	assert_non_null(rules);
	rules->policy.rule = calloc(2, sizeof(struct rule));
	assert_non_null(rules->policy.rule);
	rules->policy.n = 2;
	for (unsigned int i = 0; i < 2; i++)
		rules->policy.rule[i].id = rules->policy.rule[i].label = ids[i];
	return rules;
}

static void drop(struct rules *rules)
{
	free(rules->policy.rule);
	free(rules);
}

static void add(struct flagged *f, unsigned int rule, const char *path,
		uint64_t size, uint16_t department)
{
	const struct verdict v = { .rule = &f->rules->policy.rule[rule] };
	const struct flagged_file file = { path, size, department };
	struct error err = ERROR_INIT;

	assert_int_equal(flagged_add(f, &file, &v, &err), 0);
}

static void counts_are_by_rule_and_department(void **state)
{
	struct rules *rules = two_rules();
	struct report_input input = { .drive = "x" };
	struct error err = ERROR_INIT;
	struct flagged f;

	(void)state;
	assert_int_equal(flagged_init(&f, rules, NUMBERS, PO_EN, &err), 0);
	add(&f, 0, "/a", 10, 1);
	add(&f, 0, "/b", 20, 1);
	add(&f, 0, "/c", 5, 2);
	add(&f, 1, "/d", 7, 9); /* of a department that came since */
	flagged_into(&f, &input);
	assert_int_equal(input.rules, 2);
	assert_int_equal(input.numbers, NUMBERS);
	assert_int_equal(input.rule[0].files, 3);
	assert_int_equal(input.rule[0].bytes, 35);
	assert_int_equal(input.rule[0].files_of[1], 2);
	assert_int_equal(input.rule[0].bytes_of[2], 5);
	assert_int_equal(input.rule[0].n_flagged, 3);
	assert_int_equal(input.rule[1].files, 1);
	assert_int_equal(input.rule[1].n_flagged, 0);
	assert_null(input.unmatched_files_of);
	flagged_release(&f);
	drop(rules);
}

static void the_biggest_of_each_department_are_kept(void **state)
{
	struct rules *rules = two_rules();
	struct report_input input = { .drive = "x" };
	struct error err = ERROR_INIT;
	struct flagged f;

	(void)state;
	assert_int_equal(flagged_init(&f, rules, NUMBERS, PO_EN, &err), 0);
	for (unsigned int i = 0; i < 500; i++) {
		char path[16];

		(void)snprintf(path, sizeof(path), "/%u", i);
		add(&f, 0, path, i * 7919 % 500, 1);
	}
	add(&f, 0, "/small", 1, 2);
	flagged_into(&f, &input);
	assert_int_equal(input.rule[0].files, 501);
	assert_int_equal(input.rule[0].n_flagged, FLAGGED_KEPT + 1);
	for (unsigned int i = 0; i < FLAGGED_KEPT; i++)
		assert_true(input.rule[0].flagged[i].size_bytes >=
			    500 - FLAGGED_KEPT);
	assert_string_equal(input.rule[0].flagged[FLAGGED_KEPT].path, "/small");
	flagged_release(&f);
	drop(rules);
}

static void unmatched_files_are_counted(void **state)
{
	const struct flagged_file a = { "/a", 10, 1 };
	const struct flagged_file b = { "/b", 20, NUMBERS };
	struct rules *rules = two_rules();
	struct report_input input = { .drive = "x" };
	struct error err = ERROR_INIT;
	struct flagged f;

	(void)state;
	assert_int_equal(flagged_init(&f, rules, NUMBERS, PO_EN, &err), 0);
	assert_int_equal(flagged_unmatched(&f, &a, &err), 0);
	assert_int_equal(flagged_unmatched(&f, &b, &err), 0);
	flagged_into(&f, &input);
	assert_int_equal(input.unmatched_files, 2);
	assert_int_equal(input.unmatched_bytes, 30);
	assert_int_equal(input.unmatched_files_of[1], 1);
	assert_int_equal(input.unmatched_bytes_of[1], 10);
	flagged_release(&f);
	drop(rules);
}

static void it_is_released_after_the_rules(void **state)
{
	struct rules *rules = two_rules();
	struct error err = ERROR_INIT;
	struct flagged f;

	(void)state;
	assert_int_equal(flagged_init(&f, rules, NUMBERS, PO_EN, &err), 0);
	add(&f, 1, "/a", 10, 1);
	drop(rules);
	flagged_release(&f);
	assert_null(f.of);
}

static void without_rules_there_is_nothing(void **state)
{
	struct report_input input = { .drive = "x" };
	struct error err = ERROR_INIT;
	struct flagged f;

	(void)state;
	assert_int_equal(flagged_init(&f, NULL, NUMBERS, PO_EN, &err), 0);
	flagged_into(&f, &input);
	assert_int_equal(input.rules, 0);
	flagged_release(&f);
	flagged_release(&f); /* twice: harmless */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_are_by_rule_and_department),
		cmocka_unit_test(the_biggest_of_each_department_are_kept),
		cmocka_unit_test(unmatched_files_are_counted),
		cmocka_unit_test(it_is_released_after_the_rules),
		cmocka_unit_test(without_rules_there_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
