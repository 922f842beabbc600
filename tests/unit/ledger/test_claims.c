/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/ledger/support.h"

/* Opened anew with none given. */
static void reopen_as_it_was(struct world *w)
{
	world_shut(w);
	w->departments = NULL;
	w->n = 0;
	world_open(w);
}

static void write_file(struct world *w)
{
	struct catalog_inode dir = inode_of(10, S_IFDIR | 0755);
	struct catalog_inode file = inode_of(11, S_IFREG | 0644);

	file.gid = 300;
	file.size_bytes = 5000;
	file.blocks = 16;
	post(w, CATALOG_EVENT_INODE, &dir);
	post_name(w, ROOT_INO, "Elsewhere", 10);
	post(w, CATALOG_EVENT_INODE, &file);
	post_name(w, 10, "f", 11);
	must(catalog_flush(w->cat, &w->err));
}

static void no_departments_given_means_those_of_the_last_time(void **state)
{
	struct world *w = *state;
	struct ledger_departments list;
	struct dept_set set;

	world_open(w);
	reopen_as_it_was(w);
	assert_false(ledger_needs_recharge(w->ledger));
	must(ledger_departments(w->cat, &list, &w->err));
	assert_int_equal(list.n, 4);
	for (unsigned int i = 0; i < list.n; i++)
		assert_int_equal(list.row[i].until_day, INT32_MAX);
	ledger_departments_release(&list);
	write_file(w); /* paths and groups are as they were, too */
	must(ledger_set(w->cat, 11, &set, &w->err));
	assert_int_equal(set.n, 1);
	assert_int_equal(set.member[0], DEJ);
}

static void none_at_all_is_something_to_remember(void **state)
{
	static const struct ledger_department none[1];
	struct world *w = *state;
	struct ledger_departments list;

	world_open(w);
	world_shut(w);
	w->departments = none;
	w->n = 0;
	world_open(w);
	reopen_as_it_was(w);
	must(ledger_departments(w->cat, &list, &w->err));
	for (unsigned int i = 1; i < list.n; i++)
		assert_int_not_equal(list.row[i].until_day, INT32_MAX);
	ledger_departments_release(&list);
}

static void damaged_claims_are_refused(void **state)
{
	struct world *w = *state;

	world_open(w);
	must(catalog_begin(w->cat, &w->err));
	{
		struct catalog_stmt *s = catalog_write_stmt(
			w->cat, "DELETE FROM claim WHERE seq = 0", &w->err);

		assert_non_null(s);
		must(stmt_run(s, &w->err));
		stmt_done(s);
	}
	must(catalog_commit(w->cat, &w->err));
	ledger_close(w->ledger);
	w->ledger = NULL;
	assert_int_equal(ledger_open(w->cat, w->store, NULL, 0, &w->clock,
				     &w->ledger, &w->err),
			 -SOBRE_ECORRUPT);
	assert_null(w->ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_SHUT(no_departments_given_means_those_of_the_last_time),
		WORLD_SHUT(none_at_all_is_something_to_remember),
		WORLD_SHUT(damaged_claims_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
