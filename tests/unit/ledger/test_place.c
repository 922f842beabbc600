/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/ledger/support.h"

struct given {
	const char *paths[4];
	unsigned int n;
};

static struct places build(const struct given *given, unsigned int n)
{
	struct ledger_department departments[8];
	uint16_t number[8];
	struct places places;
	struct error err = ERROR_INIT;

	for (unsigned int i = 0; i < n; i++) {
		departments[i] =
			(struct ledger_department){ .paths = given[i].paths,
						    .n_paths = given[i].n };
		number[i] = (uint16_t)(i + 1);
	}
	assert_int_equal(places_build(departments, number, n, &places, &err),
			 0);
	return places;
}

static int32_t at(const struct places *places, const char *path)
{
	int64_t place = PLACE_ROOT;
	char copy[128];
	char *rest = NULL;

	(void)snprintf(copy, sizeof(copy), "%s", path);
	for (char *name = strtok_r(copy, "/", &rest); name != NULL;
	     name = strtok_r(NULL, "/", &rest))
		place = place_below(places, place, name);
	return place_department(places, place);
}

static void a_path_covers_all_below_it_and_nothing_beside(void **state)
{
	const struct given given[] = { { { "/a/b", "/c" }, 2 } };
	struct places places = build(given, 1);

	(void)state;
	assert_int_equal(at(&places, "/a/b"), 1);
	assert_int_equal(at(&places, "/a/b/c/d"), 1);
	assert_int_equal(at(&places, "/c/x"), 1);
	assert_int_equal(at(&places, "/a"), NO_DEPARTMENT);
	assert_int_equal(at(&places, "/a/bb"), NO_DEPARTMENT);
	assert_int_equal(at(&places, "/x/a/b"), NO_DEPARTMENT);
	assert_int_equal(at(&places, "/"), NO_DEPARTMENT);
	places_release(&places);
}

static void the_first_that_matches_wins_however_deep(void **state)
{
	const struct given first_outer[] = { { { "/a" }, 1 },
					     { { "/a/b" }, 1 } };
	const struct given first_inner[] = { { { "/a/b" }, 1 },
					     { { "/a" }, 1 } };
	struct places places = build(first_outer, 2);

	(void)state;
	assert_int_equal(at(&places, "/a/b/c"), 1);
	places_release(&places);
	places = build(first_inner, 2);
	assert_int_equal(at(&places, "/a/b/c"), 1);
	assert_int_equal(at(&places, "/a/c"), 2);
	places_release(&places);
}

static void the_root_is_the_whole_drive(void **state)
{
	const struct given given[] = { { { "/a" }, 1 }, { { "/" }, 1 } };
	struct places places = build(given, 2);

	(void)state;
	assert_int_equal(at(&places, "/"), 2);
	assert_int_equal(at(&places, "/x/y"), 2);
	assert_int_equal(at(&places, "/a/y"), 1);
	places_release(&places);
}

static void one_path_of_two_departments_is_the_firsts(void **state)
{
	const struct given given[] = { { { "/x" }, 1 },
				       { { "/a" }, 1 },
				       { { "/a" }, 1 } };
	struct places places = build(given, 3);

	(void)state;
	assert_int_equal(at(&places, "/a/b"), 2);
	places_release(&places);
}

static void without_paths_there_is_only_the_root(void **state)
{
	struct places places = build(NULL, 0);

	(void)state;
	assert_int_equal(at(&places, "/a/b"), NO_DEPARTMENT);
	places_release(&places);
}

static void many_paths_are_told_apart(void **state)
{
	struct ledger_department departments[300];
	char text[300][32];
	const char *paths[300];
	uint16_t number[300];
	struct places places;
	struct error err = ERROR_INIT;

	(void)state;
	for (unsigned int i = 0; i < 300; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "/d%u/s%u", i % 20, i);
		paths[i] = text[i];
		departments[i] = (struct ledger_department){ .paths = &paths[i],
							     .n_paths = 1 };
		number[i] = (uint16_t)(i + 1);
	}
	assert_int_equal(places_build(departments, number, 300, &places, &err),
			 0);
	for (unsigned int i = 0; i < 300; i++)
		assert_int_equal(at(&places, text[i]), i + 1);
	places_release(&places);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_covers_all_below_it_and_nothing_beside),
		cmocka_unit_test(the_first_that_matches_wins_however_deep),
		cmocka_unit_test(the_root_is_the_whole_drive),
		cmocka_unit_test(one_path_of_two_departments_is_the_firsts),
		cmocka_unit_test(without_paths_there_is_only_the_root),
		cmocka_unit_test(many_paths_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
