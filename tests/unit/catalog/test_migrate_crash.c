/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A catalog of each older schema is brought to the newest, and the power is cut
 * before each write and sync of SQLite's, or one of its calls fails. The next
 * to open it finds all that was there, in the newest schema. This program runs
 * itself.
 */
#include <sys/wait.h>

#include "tests/unit/catalog/support.h"

#include "fs/catalog/internal.h"

#define ROWS	   400
#define MOST_CALLS 2000
#define FAILED	   3

/* In memory: how long an fsync takes is not the question. */
static void dir_new(struct fixture *f)
{
	(void)snprintf(f->dir, sizeof(f->dir), "%s/sobre-migrate-XXXXXX",
		       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	f->clock = clock_real();
}

static void dir_remove(const struct fixture *f)
{
	static const char *const names[] = { "catalog.db", "catalog.db-wal",
					     "catalog.db-shm", "catalog.room" };
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		fixture_path(f, names[i], path, sizeof(path));
		(void)unlink(path);
	}
	assert_int_equal(rmdir(f->dir), 0);
}

/* As a sobrefs of that schema left it. */
static void lay_out(struct fixture *f, size_t schema)
{
	struct conn *conn = NULL;
	char path[128];
	int fd;

	fixture_path(f, "catalog.db", path, sizeof(path));
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	must(conn_open(path, path, CONN_WRITER, &conn, &f->err));
	must(conn_exec(conn, "PRAGMA journal_mode = WAL", &f->err));
	must(migrate(conn, catalog_migrations, schema, &f->err));
	must(conn_exec(conn,
		       "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
		       " SELECT i + 1 FROM n WHERE i < 400)"
		       " INSERT INTO inode SELECT i, 77, 33184, 1, 1, 1, 4000,"
		       " 8, 5, 5, randomblob(16), 0, 0, NULL, NULL, 20000, 0"
		       " FROM n;"
		       "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
		       " SELECT i + 1 FROM n WHERE i < 400)"
		       " INSERT INTO chunk(id, pack, extent_off, skip, len,"
		       " refs, bad) SELECT randomblob(16), 1, i, 0, 9000, 1, 0"
		       " FROM n",
		       &f->err));
	conn_close(conn);
}

static int open_and_close(struct fixture *f)
{
	int rc = catalog_open(f->dir, CATALOG_CREATE, &f->clock, &f->cat,
			      &f->err);

	if (rc == 0)
		catalog_close(f->cat);
	return rc;
}

static int child(const char *dir)
{
	struct fixture f = { .clock = clock_real() };

	(void)snprintf(f.dir, sizeof(f.dir), "%s", dir);
	return open_and_close(&f) < 0 ? FAILED : EXIT_SUCCESS;
}

/* The child's wait status. */
static int run(const struct fixture *f, const char *name, int value)
{
	pid_t pid = fork();
	char text[16];
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)snprintf(text, sizeof(text), "%d", value);
		(void)setenv(name, text, 1);
		(void)execl("/proc/self/exe", "test_migrate_crash", f->dir,
			    NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int64_t look(struct fixture *f, const char *sql)
{
	int64_t n = 0;

	must(conn_pragma(f->cat->writer, sql, &n, &f->err));
	return n;
}

static void all_is_there(struct fixture *f)
{
	fixture_open(f);
	assert_int_equal(look(f, "PRAGMA user_version"),
			 (int64_t)catalog_migrations_count);
	assert_int_equal(look(f, "SELECT count(*) FROM inode"
				 " WHERE length(content) = 16"),
			 ROWS);
	assert_int_equal(look(f, "SELECT count(*) FROM chunk"
				 " WHERE len = 9000 AND refs = 1"
				 " AND stored_bytes = 0"),
			 ROWS);
	assert_int_equal(look(f, "SELECT packed FROM total"), ROWS);
	must(conn_check(f->cat->writer, &f->err));
	fixture_close(f);
}

/* How many calls could be cut off, or failed. */
static int each_call(size_t schema, const char *name)
{
	for (int at = 1; at < MOST_CALLS; at++) {
		struct fixture f = { .cat = NULL };
		int status;

		dir_new(&f);
		lay_out(&f, schema);
		status = run(&f, name, at);
		all_is_there(&f);
		dir_remove(&f);
		if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS &&
		    at > 3)
			return at - 1;
		assert_true(!WIFEXITED(status) || WEXITSTATUS(status) != 127);
	}
	fail_msg("more than %d calls", MOST_CALLS);
	return 0;
}

static void a_power_cut_in_any_migration_loses_nothing(void **state)
{
	(void)state;
	for (size_t schema = 1; schema < catalog_migrations_count; schema++) {
		int cuts = each_call(schema, "SOBRE_CUT_AT");

		print_message("from schema %zu: %d power cuts\n", schema, cuts);
		assert_true(cuts > 10);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_power_cut_in_any_migration_loses_nothing),
	};

	if (argc == 2)
		return child(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
