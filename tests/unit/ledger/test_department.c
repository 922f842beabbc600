/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/ledger/support.h"

#define TODAY ((int32_t)(SEPTEMBER / 86400))

static const struct ledger_department abc[] = {
	{ .id = "a", .name = "A" },
	{ .id = "b", .name = "B" },
	{ .id = "c", .name = "C" },
};
static const struct ledger_department ca[] = {
	{ .id = "c", .name = "Cc" },
	{ .id = "d", .name = "D" },
	{ .id = "a", .name = "A" },
};

static void reopen(struct world *w, const struct ledger_department *departments,
		   unsigned int n)
{
	world_shut(w);
	w->departments = departments;
	w->n = n;
	world_open(w);
}

static void an_id_keeps_its_number_for_ever(void **state)
{
	struct world *w = *state;
	struct ledger_departments list;

	w->departments = abc;
	w->n = 3;
	world_open(w);
	pass(w, 86400 * 10);
	reopen(w, ca, 3);
	must(ledger_departments(w->cat, &list, &w->err));
	assert_int_equal(list.n, 5);
	assert_string_equal(list.row[0].id, "other");
	assert_string_equal(list.row[1].id, "a");
	assert_string_equal(list.row[2].id, "b");
	assert_string_equal(list.row[3].id, "c");
	assert_string_equal(list.row[3].name, "Cc");
	assert_string_equal(list.row[4].id, "d");
	for (uint16_t i = 0; i < list.n; i++)
		assert_int_equal(list.row[i].number, i);
	assert_int_equal(list.row[2].since_day, TODAY);
	assert_int_equal(list.row[2].until_day, TODAY + 10);
	assert_int_equal(list.row[3].until_day, INT32_MAX);
	assert_int_equal(list.row[4].since_day, TODAY + 10);
	ledger_departments_release(&list);
	/* And comes back under it. */
	reopen(w, abc, 3);
	must(ledger_departments(w->cat, &list, &w->err));
	assert_int_equal(list.row[2].until_day, INT32_MAX);
	assert_int_equal(list.row[4].until_day, TODAY + 10);
	ledger_departments_release(&list);
}

static void what_cannot_be_a_department_is_refused(void **state)
{
	static const struct ledger_department bad[][2] = {
		{ { .id = "a", .name = "" }, { .id = "a", .name = "" } },
		{ { .id = "a", .name = "" }, { .id = "other", .name = "" } },
		{ { .id = "", .name = "" }, { .id = "b", .name = "" } },
	};
	struct world *w = *state;

	world_open_catalog(w);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(ledger_open(w->cat, NULL, bad[i], 2, &w->clock,
					     &w->ledger, &w->err),
				 -SOBRE_ECONFIG);
		assert_null(w->ledger);
	}
	assert_int_equal(ask(w, "SELECT count(*) FROM department"), 0);
}

static void a_catalog_without_a_ledger_has_only_other(void **state)
{
	struct world *w = *state;
	struct ledger_departments list;

	world_open_catalog(w);
	must(ledger_departments(w->cat, &list, &w->err));
	assert_int_equal(list.n, 1);
	assert_string_equal(list.row[0].id, "other");
	ledger_departments_release(&list);
}

static void there_is_an_end_to_numbers(void **state)
{
	struct world *w = *state;
	struct ledger_department *many = calloc(DEPARTMENTS_MAX, sizeof(*many));
	char(*ids)[16] = calloc(DEPARTMENTS_MAX, sizeof(*ids));

	assert_non_null(many);
	assert_non_null(ids);
	for (unsigned int i = 0; i < DEPARTMENTS_MAX; i++) {
		(void)snprintf(ids[i], sizeof(ids[i]), "d%u", i);
		many[i] =
			(struct ledger_department){ .id = ids[i], .name = "" };
	}
	world_open_catalog(w);
	assert_int_equal(ledger_open(w->cat, NULL, many, DEPARTMENTS_MAX,
				     &w->clock, &w->ledger, &w->err),
			 -SOBRE_ECONFIG);
	must(ledger_open(w->cat, NULL, many, DEPARTMENTS_MAX - 1, &w->clock,
			 &w->ledger, &w->err));
	ledger_close(w->ledger);
	w->ledger = NULL;
	free(many);
	free(ids);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_SHUT(an_id_keeps_its_number_for_ever),
		WORLD_SHUT(what_cannot_be_a_department_is_refused),
		WORLD_SHUT(a_catalog_without_a_ledger_has_only_other),
		WORLD_SHUT(there_is_an_end_to_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
