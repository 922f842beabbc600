/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/ledger/support.h"

static void a_set_is_ascending_and_has_each_once(void **state)
{
	static const uint16_t given[] = { 7, 3, 9, 3, 0, 7 };
	const struct dept_set want = SET(0, 3, 7, 9);
	struct dept_set set = { .n = 0 };

	(void)state;
	for (size_t i = 0; i < 6; i++)
		dept_set_add(&set, given[i]);
	assert_true(dept_set_same(&set, &want));
}

static void a_set_too_big_keeps_its_lowest_and_other(void **state)
{
	(void)state;
	for (unsigned int step = 1; step < 101; step += 3) {
		struct dept_set set = { .n = 0 };

		/* 1 to 100, in an order of their own. */
		for (unsigned int i = 0; i < 101; i++) {
			unsigned int d = i * step % 101;

			if (d != 0)
				dept_set_add(&set, (uint16_t)d);
		}
		assert_int_equal(set.n, SET_MEMBERS_MAX);
		for (uint16_t i = 0; i < SET_MEMBERS_MAX; i++)
			assert_int_equal(set.member[i], i);
	}
}

static void minus_is_what_only_the_first_has(void **state)
{
	const struct dept_set a = SET(1, 2, 5);
	const struct dept_set b = SET(2, 7);
	const struct dept_set want = SET(1, 5);
	struct dept_set got;

	(void)state;
	dept_set_minus(&a, &b, &got);
	assert_true(dept_set_same(&got, &want));
	dept_set_minus(&a, &a, &got);
	assert_int_equal(got.n, 0);
}

static void sets_are_ordered(void **state)
{
	const struct dept_set none = { .n = 0 };
	const struct dept_set a = SET(1, 2);
	const struct dept_set b = SET(1, 3);
	const struct dept_set c = SET(1);

	(void)state;
	assert_true(dept_set_compare(&a, &b) < 0);
	assert_true(dept_set_compare(&a, &c) > 0);
	assert_true(dept_set_compare(&none, &c) < 0);
	assert_int_equal(dept_set_compare(&a, &a), 0);
}

/* As a column of a row that is nowhere. */
static bool reads(struct world *w, const char *sql, struct dept_set *ret_set)
{
	struct catalog_stmt *s = catalog_read_stmt(w->cat, sql, &w->err);
	bool ok = false;

	must(s == NULL ? -1 : 0);
	assert_int_equal(stmt_step(s, &w->err), 1);
	ok = dept_set_read(s, 0, ret_set);
	stmt_done(s);
	return ok;
}

static void what_is_no_set_is_not_read(void **state)
{
	struct world *w = *state;
	const struct dept_set want = SET(1, 258);
	struct dept_set set;

	assert_true(reads(w, "SELECT x'01000201'", &set));
	assert_true(dept_set_same(&set, &want));
	assert_true(reads(w, "SELECT x''", &set));
	assert_int_equal(set.n, 0);
	assert_false(reads(w, "SELECT x'0100ff'", &set));
	assert_false(reads(w, "SELECT x'02000100'", &set));
	assert_false(reads(w, "SELECT x'01000100'", &set));
	assert_false(reads(w, "SELECT x'0010'", &set));
	assert_false(reads(w, "SELECT zeroblob(130)", &set));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_is_ascending_and_has_each_once),
		cmocka_unit_test(a_set_too_big_keeps_its_lowest_and_other),
		cmocka_unit_test(minus_is_what_only_the_first_has),
		cmocka_unit_test(sets_are_ordered),
		WORLD(what_is_no_set_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
