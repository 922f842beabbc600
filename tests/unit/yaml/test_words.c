/* SPDX-License-Identifier: EUPL-1.2 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/yaml/yaml.h"

static const struct yaml_word words[] = {
	{ "paths", NULL },	 { "names", NULL }, { "keep", NULL },
	{ "keep_active", NULL }, { "id", NULL },    { "chemins", "paths" },
	{ "duree", "keep" },	 { NULL, NULL },
};

static void means(const char *word, const char *meant)
{
	const char *nearest = yaml_nearest(word, words);

	if (meant) {
		assert_non_null(nearest);
		assert_string_equal(nearest, meant);
	} else {
		assert_null(nearest);
	}
}

static void a_slip_finds_the_word_that_was_meant(void **state)
{
	(void)state;
	means("path", "paths");
	means("pahts", "paths");
	means("Paths", "paths");
	means("kepe", "keep");
	means("keep-active", "keep_active");
	means("nmaes", "names");
}

static void a_french_word_finds_the_english_one(void **state)
{
	(void)state;
	means("chemins", "paths");
	means("chemin", "paths");
	means("durée", "keep");
	means("DURÉE", "keep");
}

static void what_is_far_from_all_finds_none(void **state)
{
	(void)state;
	means("findings", NULL);
	means("x", NULL);
	means("ix", NULL);
	means("", NULL);
	assert_null(yaml_nearest("x", NULL));
}

static void distances_are_edits(void **state)
{
	char lengthy[1000];

	(void)state;
	assert_int_equal(yaml_distance("paths", "paths"), 0);
	assert_int_equal(yaml_distance("abcdef", "abcdfe"), 1);
	assert_int_equal(yaml_distance("abcdef", "abdef"), 1);
	assert_int_equal(yaml_distance("abcdef", "abxdyf"), 2);
	assert_int_equal(yaml_distance("abcdef", "uvwxyz"), UINT_MAX);
	memset(lengthy, 'a', sizeof(lengthy) - 1);
	lengthy[sizeof(lengthy) - 1] = '\0';
	assert_int_equal(yaml_distance(lengthy, "b"), UINT_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slip_finds_the_word_that_was_meant),
		cmocka_unit_test(a_french_word_finds_the_english_one),
		cmocka_unit_test(what_is_far_from_all_finds_none),
		cmocka_unit_test(distances_are_edits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
