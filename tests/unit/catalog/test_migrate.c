/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/catalog/support.h"

#include "fs/catalog/internal.h"

static struct conn *fresh(struct fixture *f)
{
	struct conn *conn = NULL;
	char path[128];
	int fd = -1;

	fixture_path(f, "catalog.db", path, sizeof(path));
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	must(conn_open(path, path, CONN_WRITER, &conn, &f->err));
	return conn;
}

static int64_t pragma(struct fixture *f, struct conn *conn, const char *sql)
{
	int64_t v = 0;

	must(conn_pragma(conn, sql, &v, &f->err));
	return v;
}

static const struct migration three[] = {
	{ 1, "0001-a", "CREATE TABLE a(x)" },
	{ 2, "0002-b", "CREATE TABLE b(x); INSERT INTO a VALUES(2)" },
	{ 3, "0003-c", "CREATE TABLE c(x); INSERT INTO nowhere VALUES(3)" },
};

static void each_migration_is_one_transaction(void **state)
{
	struct fixture *f = *state;
	struct conn *conn = fresh(f);

	assert_true(migrate(conn, three, 3, &f->err) < 0);
	assert_non_null(strstr(f->err.text, "0003-c"));
	assert_int_equal(pragma(f, conn, "PRAGMA user_version"), 2);
	assert_int_equal(pragma(f, conn, "SELECT count(*) FROM sqlite_schema"),
			 2);
	conn_close(conn);
}

static void an_older_schema_gets_only_what_it_lacks(void **state)
{
	struct fixture *f = *state;
	struct conn *conn = fresh(f);

	must(migrate(conn, three, 1, &f->err));
	assert_int_equal(pragma(f, conn, "PRAGMA user_version"), 1);
	must(migrate(conn, three, 2, &f->err));
	must(migrate(conn, three, 2, &f->err));
	assert_int_equal(pragma(f, conn, "SELECT count(*) FROM a"), 1);
	assert_int_equal(pragma(f, conn, "PRAGMA application_id"),
			 CATALOG_APPLICATION_ID);
	conn_close(conn);
}

static void the_real_ones_are_numbered_from_one_without_gaps(void **state)
{
	(void)state;
	for (size_t i = 0; i < catalog_migrations_count; i++)
		assert_int_equal(catalog_migrations[i].number, i + 1);
}

/* As a drive has it that an earlier sobrefs made. */
static void a_catalog_of_schema_1_keeps_what_it_has(void **state)
{
	struct fixture *f = *state;
	struct conn *conn = fresh(f);

	must(conn_exec(conn, "PRAGMA journal_mode = WAL", &f->err));
	must(migrate(conn, catalog_migrations, 1, &f->err));
	must(conn_exec(conn,
		       "INSERT INTO inode VALUES(7, 77, 33184, 1, 1, 1, 4000,"
		       " 8, 5, 5, NULL, 0, 0, NULL, NULL, 20000, 0);"
		       "INSERT INTO chunk VALUES(x'0102', 1, 2, 3, 4, 5, 0)",
		       &f->err));
	conn_close(conn);
	assert_int_equal(catalog_open(f->dir, CATALOG_READONLY, &f->clock,
				      &f->cat, &f->err),
			 -EROFS);
	fixture_open(f);
	assert_int_equal(get(f, 7).last_used_day, 20000);
	assert_int_equal(ask(f, "SELECT count(*) FROM charge"), 0);
	assert_int_equal(ask(f, "SELECT count(*) FROM chunk"
				" WHERE stored_bytes = 0 AND users IS NULL"),
			 1);
	assert_int_equal(ask(f, "PRAGMA user_version"),
			 (int64_t)catalog_migrations_count);
}

/* What was charged knows of no folder, and is charged again: from the start,
 * when that was under way. */
static void from_schema_2(struct fixture *f, const char *more)
{
	struct conn *conn = fresh(f);

	must(conn_exec(conn, "PRAGMA journal_mode = WAL", &f->err));
	must(migrate(conn, catalog_migrations, 2, &f->err));
	must(conn_exec(conn,
		       "INSERT INTO inode VALUES(7, 77, 33184, 1, 1, 1, 4000,"
		       " 8, 5, 5, NULL, 0, 0, NULL, NULL, 20000, 0);"
		       "INSERT INTO charge VALUES(7, 77, 0, x'0100', 8, 4000,"
		       " NULL)",
		       &f->err));
	must(conn_exec(conn, more, &f->err));
	conn_close(conn);
	fixture_open(f);
	assert_int_equal(ask(f, "SELECT count(*) FROM charge"
				" WHERE parent = 0 AND own_high = 0"),
			 1);
	assert_int_equal(ask(f, "SELECT count(*) FROM folder"), 0);
	assert_int_equal(catalog_meta_get(f->cat, "ledger_recharge", 0), 1);
}

static void a_catalog_of_schema_2_is_to_be_charged_again(void **state)
{
	from_schema_2(*state, "");
}

static void one_that_was_being_charged_is_too(void **state)
{
	from_schema_2(*state, "INSERT INTO meta VALUES('ledger_recharge', 2)");
}

static void a_new_catalog_is_not(void **state)
{
	struct fixture *f = *state;

	fixture_open(f);
	assert_int_equal(catalog_meta_get(f->cat, "ledger_recharge", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENARIO_CLOSED(each_migration_is_one_transaction),
		SCENARIO_CLOSED(an_older_schema_gets_only_what_it_lacks),
		SCENARIO_CLOSED(a_catalog_of_schema_1_keeps_what_it_has),
		SCENARIO_CLOSED(a_catalog_of_schema_2_is_to_be_charged_again),
		SCENARIO_CLOSED(one_that_was_being_charged_is_too),
		SCENARIO_CLOSED(a_new_catalog_is_not),
		cmocka_unit_test(
			the_real_ones_are_numbered_from_one_without_gaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
