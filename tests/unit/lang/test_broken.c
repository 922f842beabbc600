/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What is said of broken rules: data/policy/broken/NAME/ has the files,
 * NAME.expected every word of it. tests/lint/messages sees to it that no
 * message is left out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "policy/lang/lang.h"
#include "tests/support/golden.h"

static int into_data(void **state)
{
	(void)state;
	return chdir(TESTS_DATA "/policy/broken");
}

static void says(const char *name)
{
	cleanup_buf struct buf said;
	struct yaml_messages messages = { golden_say, &said, NULL };
	char urbanisme[] = "urbanisme";
	char ccas[] = "ccas";
	char *ids[] = { urbanisme, ccas };
	struct strings departments = { ids, 2 };
	struct error err = ERROR_INIT;
	struct policy policy = { .n = 42 };
	char expected[64];

	buf_init(&said, 1u << 20);
	assert_int_equal(
		policy_load(name, &departments, &messages, &policy, &err),
		-SOBRE_EPOLICY);
	assert_int_equal(policy.n, 42);
	(void)snprintf(expected, sizeof(expected), "%s.expected", name);
	golden_equal(expected, &said);
}

#define SAYS(name, what)               \
	static void what(void **state) \
	{                              \
		(void)state;           \
		says(name);            \
	}
SAYS("keys", wrong_keys_and_types_are_shown)
SAYS("missing", what_is_missing_is_shown)
SAYS("values", wrong_values_are_shown)
SAYS("contradictions", contradictions_are_shown)
SAYS("ids", an_id_given_twice_is_shown_over_all_files)
SAYS("syntax", bad_yaml_is_shown_where_it_breaks)
SAYS("characters", hidden_characters_are_shown_and_harmless)
SAYS("bombs", what_could_explode_is_refused)
SAYS("quoting", the_caret_stands_below_its_place)
SAYS("files", what_is_no_file_of_rules_is_shown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_keys_and_types_are_shown),
		cmocka_unit_test(what_is_missing_is_shown),
		cmocka_unit_test(wrong_values_are_shown),
		cmocka_unit_test(contradictions_are_shown),
		cmocka_unit_test(an_id_given_twice_is_shown_over_all_files),
		cmocka_unit_test(bad_yaml_is_shown_where_it_breaks),
		cmocka_unit_test(hidden_characters_are_shown_and_harmless),
		cmocka_unit_test(what_could_explode_is_refused),
		cmocka_unit_test(the_caret_stands_below_its_place),
		cmocka_unit_test(what_is_no_file_of_rules_is_shown),
	};

	return cmocka_run_group_tests(tests, into_data, NULL);
}
