/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/catalog/support.h"

#include <pthread.h>
#include <stdatomic.h>

static void a_statement_can_be_in_use_twice_on_one_connection(void **state)
{
	static const char sql[] = "SELECT value FROM meta WHERE key > ?1"
				  " ORDER BY key";
	struct fixture *f = *state;
	struct catalog_stmt *a = NULL;
	struct catalog_stmt *b = NULL;

	must(catalog_begin(f->cat, &f->err));
	must(catalog_meta_set(f->cat, "zz1", 1, &f->err));
	must(catalog_meta_set(f->cat, "zz2", 2, &f->err));
	a = catalog_write_stmt(f->cat, sql, &f->err);
	b = catalog_write_stmt(f->cat, sql, &f->err);
	assert_non_null(a);
	assert_non_null(b);
	assert_ptr_not_equal(a, b);
	stmt_bind_blob(a, 1, "zz", 2);
	stmt_bind_blob(b, 1, "zz", 2);
	stmt_done(a);
	stmt_done(b);
	/* Both are taken from the cache again. */
	a = catalog_write_stmt(f->cat, sql, &f->err);
	stmt_done(a);
	catalog_rollback(f->cat);
}

static void a_write_is_seen_by_others_only_after_the_commit(void **state)
{
	struct fixture *f = *state;
	const struct catalog_inode inode = file_of(3);

	must(catalog_begin(f->cat, &f->err));
	must(catalog_inode_put(f->cat, &inode, &f->err));
	assert_int_equal(ask(f, "SELECT count(*) FROM inode"), 0);
	assert_true(knows(f, 3)); /* this thread's own transaction */
	must(catalog_commit(f->cat, &f->err));
	assert_int_equal(ask(f, "SELECT count(*) FROM inode"), 1);
}

static void a_rollback_undoes_all(void **state)
{
	struct fixture *f = *state;
	const struct catalog_inode inode = file_of(3);

	must(catalog_begin(f->cat, &f->err));
	must(catalog_inode_put(f->cat, &inode, &f->err));
	must(catalog_meta_set(f->cat, "k", 5, &f->err));
	catalog_rollback(f->cat);
	assert_false(knows(f, 3));
	assert_int_equal(catalog_meta_get(f->cat, "k", -1), -1);
	must(catalog_meta_set(f->cat, "k", 6, &f->err));
	assert_int_equal(catalog_meta_get(f->cat, "k", -1), 6);
}

static void transactions_do_not_nest(void **state)
{
	struct fixture *f = *state;

	must(catalog_begin(f->cat, &f->err));
	assert_int_equal(catalog_begin(f->cat, &f->err), -EDEADLK);
	assert_int_equal(catalog_flush(f->cat, &f->err), -EDEADLK);
	must(catalog_commit(f->cat, &f->err));
}

static void a_bad_bind_shows_at_the_step(void **state)
{
	struct fixture *f = *state;
	struct catalog_stmt *s = catalog_read_stmt(
		f->cat, "SELECT value FROM meta WHERE value = ?1", &f->err);

	assert_non_null(s);
	stmt_bind_i64(s, 7, 1);
	assert_true(stmt_step(s, &f->err) < 0);
	stmt_reset(s);
	stmt_bind_i64(s, 1, 12345);
	assert_int_equal(stmt_step(s, &f->err), 0);
	assert_int_equal(stmt_step(s, &f->err), 0);
	stmt_done(s);
}

static void bad_sql_is_an_error_and_holds_nothing(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 20; i++)
		assert_null(catalog_read_stmt(f->cat, "SELECT FROM", &f->err));
	must(catalog_begin(f->cat, &f->err));
	assert_null(catalog_write_stmt(f->cat, "SELECT FROM", &f->err));
	must(catalog_commit(f->cat, &f->err));
}

static void a_reader_cannot_write(void **state)
{
	struct fixture *f = *state;
	struct catalog_stmt *s =
		catalog_read_stmt(f->cat, "DELETE FROM meta", &f->err);

	assert_non_null(s);
	assert_int_equal(stmt_run(s, &f->err), -EROFS);
	stmt_done(s);
}

static void columns_and_counts_come_back_as_they_were_put(void **state)
{
	struct fixture *f = *state;
	static const uint8_t id[16] = { 1, 0, 2 };
	struct catalog_stmt *s = NULL;
	size_t len = 0;

	must(catalog_begin(f->cat, &f->err));
	s = catalog_write_stmt(f->cat,
			       "INSERT INTO content(id, size_bytes, pack, off)"
			       " VALUES(?1, ?2, ?3, ?4)",
			       &f->err);
	assert_non_null(s);
	stmt_bind_blob(s, 1, id, sizeof(id));
	stmt_bind_i64(s, 2, INT64_MAX);
	stmt_bind_i64(s, 3, -1);
	stmt_bind_i64(s, 4, 0);
	assert_int_equal(stmt_run(s, &f->err), 1);
	stmt_bind_blob(s, 1, NULL, 0);
	assert_int_equal(stmt_run(s, &f->err), 1);
	assert_true(stmt_run(s, &f->err) < 0); /* the key is there */
	stmt_done(s);
	must(catalog_commit(f->cat, &f->err));
	s = catalog_read_stmt(f->cat,
			      "SELECT id, size_bytes, pack, NULL FROM content"
			      " ORDER BY id DESC",
			      &f->err);
	assert_non_null(s);
	assert_int_equal(stmt_step(s, &f->err), 1);
	assert_memory_equal(stmt_blob(s, 0, &len), id, sizeof(id));
	assert_int_equal(len, sizeof(id));
	assert_int_equal(stmt_i64(s, 1), INT64_MAX);
	assert_int_equal(stmt_i64(s, 2), -1);
	assert_true(stmt_is_null(s, 3));
	assert_false(stmt_is_null(s, 2));
	assert_int_equal(stmt_step(s, &f->err), 1);
	assert_null(stmt_blob(s, 0, &len));
	assert_int_equal(len, 0);
	stmt_done(s);
}

static void a_failed_statement_does_not_undo_the_others(void **state)
{
	struct fixture *f = *state;
	const struct catalog_inode inode = file_of(3);
	struct catalog_stmt *s = NULL;

	must(catalog_begin(f->cat, &f->err));
	must(catalog_inode_put(f->cat, &inode, &f->err));
	s = catalog_write_stmt(f->cat,
			       "INSERT INTO meta(key, value) VALUES('a', NULL)",
			       &f->err);
	assert_true(stmt_run(s, &f->err) < 0);
	stmt_done(s);
	must(catalog_commit(f->cat, &f->err));
	assert_true(knows(f, 3));
}

/* SQLite may undo a transaction on its own: what follows must not be
 * committed piece by piece. */
static void after_an_undone_transaction_nothing_is_written(void **state)
{
	struct fixture *f = *state;
	const struct catalog_inode inode = file_of(3);
	struct catalog_stmt *s = NULL;

	must(catalog_begin(f->cat, &f->err));
	s = catalog_write_stmt(f->cat, "ROLLBACK", &f->err);
	assert_int_equal(stmt_run(s, &f->err), 0);
	stmt_done(s);
	assert_int_equal(catalog_inode_put(f->cat, &inode, &f->err), -EIO);
	assert_int_equal(catalog_commit(f->cat, &f->err), -EIO);
	assert_false(knows(f, 3));
	put(f, &inode);
	assert_true(knows(f, 3));
}

static void a_readers_view_stands_still_while_it_steps(void **state)
{
	struct fixture *f = *state;
	struct catalog_stmt *s = NULL;
	int rows = 0;

	for (uint64_t ino = 1; ino <= 10; ino++) {
		const struct catalog_inode inode = file_of(ino);

		put(f, &inode);
	}
	s = catalog_read_stmt(f->cat, "SELECT ino FROM inode ORDER BY ino",
			      &f->err);
	assert_int_equal(stmt_step(s, &f->err), 1);
	must(catalog_begin(f->cat, &f->err));
	for (uint64_t ino = 11; ino <= 20; ino++) {
		const struct catalog_inode inode = file_of(ino);

		must(catalog_inode_put(f->cat, &inode, &f->err));
	}
	must(catalog_commit(f->cat, &f->err));
	for (rows = 1; stmt_step(s, &f->err) == 1; rows++)
		;
	stmt_done(s);
	assert_int_equal(rows, 10);
}

struct crowd {
	struct fixture *f;
	atomic_bool stop;
	atomic_int failed;
	atomic_int reads;
	atomic_int posted;
	atomic_int number;
};

static void *crowd_read(void *arg)
{
	struct crowd *crowd = arg;
	struct error err = ERROR_INIT;

	while (!atomic_load(&crowd->stop)) {
		struct catalog_totals totals;
		struct catalog_inode inode;
		int rc = catalog_totals(crowd->f->cat, &totals, &err);

		/* Each transaction puts ten files of 4,000 bytes. */
		if (rc < 0 || totals.logical_bytes != totals.files * 4000)
			atomic_fetch_add(&crowd->failed, 1);
		rc = catalog_inode_get(crowd->f->cat, 5, 0, &inode, &err);
		if (rc < 0 && rc != -ENOENT)
			atomic_fetch_add(&crowd->failed, 1);
		atomic_fetch_add(&crowd->reads, 1);
	}
	return NULL;
}

static void *crowd_post(void *arg)
{
	struct crowd *crowd = arg;
	uint64_t base = (uint64_t)atomic_fetch_add(&crowd->number, 1) * 100000;

	for (uint64_t i = 1; i <= 2000; i++) {
		const struct catalog_event ev = {
			.kind = CATALOG_EVENT_INODE,
			.inode = file_of(1000000 + base + i),
		};

		if (catalog_post(crowd->f->cat, &ev) < 0)
			atomic_fetch_add(&crowd->failed, 1);
		atomic_fetch_add(&crowd->posted, 1);
	}
	return NULL;
}

static void *crowd_write(void *arg)
{
	struct crowd *crowd = arg;
	struct error err = ERROR_INIT;
	uint64_t base = (uint64_t)atomic_fetch_add(&crowd->number, 1) * 1000;

	for (uint64_t i = 0; i < 30; i++) {
		int rc = catalog_begin(crowd->f->cat, &err);

		for (uint64_t k = 0; rc == 0 && k < 10; k++) {
			const struct catalog_inode inode =
				file_of(1 + base + i * 10 + k);

			rc = catalog_inode_put(crowd->f->cat, &inode, &err);
		}
		if (rc == 0)
			rc = catalog_commit(crowd->f->cat, &err);
		if (rc < 0)
			atomic_fetch_add(&crowd->failed, 1);
	}
	return NULL;
}

static void many_threads_read_post_and_write(void **state)
{
	static void *(*const jobs[])(
		void *) = { crowd_write, crowd_write, crowd_post, crowd_post,
			    crowd_read,	 crowd_read,  crowd_read };
	struct crowd crowd = { .f = *state };
	struct fixture *f = *state;
	pthread_t threads[7];

	for (size_t i = 0; i < 7; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, jobs[i], &crowd), 0);
	for (size_t i = 0; i < 4; i++)
		(void)pthread_join(threads[i], NULL);
	atomic_store(&crowd.stop, true);
	for (size_t i = 4; i < 7; i++)
		(void)pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&crowd.failed), 0);
	assert_true(atomic_load(&crowd.reads) > 0);
	flush(f);
	assert_int_equal(ask(f, "SELECT count(*) FROM inode"), 4600);
}

static bool is_there(struct fixture *f, uint64_t ino)
{
	struct catalog_inode row;

	return catalog_inode_get(f->cat, ino, 0, &row, &f->err) >= 0;
}

/* Another thread reads, and wants to hold too. */
static void *other_main(void *at)
{
	struct fixture *f = at;
	struct error err = ERROR_INIT;
	struct catalog_inode row;

	if (catalog_hold(f->cat, &err) != -EBUSY ||
	    catalog_inode_get(f->cat, 2, 0, &row, &err) < 0)
		return f;
	return NULL;
}

static void what_is_held_is_of_one_moment_for_one_thread(void **state)
{
	struct fixture *f = *state;
	struct catalog_inode one = file_of(1);
	struct catalog_inode two = file_of(2);
	pthread_t other;
	void *failed = f;

	put(f, &one);
	must(catalog_hold(f->cat, &f->err));
	assert_true(is_there(f, 1));
	put(f, &two);
	assert_false(is_there(f, 2));
	assert_int_equal(pthread_create(&other, NULL, other_main, f), 0);
	assert_int_equal(pthread_join(other, &failed), 0);
	assert_null(failed);
	catalog_release(f->cat);
	assert_true(is_there(f, 2));
	must(catalog_hold(f->cat, &f->err));
	assert_true(is_there(f, 2));
	catalog_release(f->cat);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENARIO(what_is_held_is_of_one_moment_for_one_thread),
		SCENARIO(a_statement_can_be_in_use_twice_on_one_connection),
		SCENARIO(a_write_is_seen_by_others_only_after_the_commit),
		SCENARIO(a_rollback_undoes_all),
		SCENARIO(transactions_do_not_nest),
		SCENARIO(a_bad_bind_shows_at_the_step),
		SCENARIO(bad_sql_is_an_error_and_holds_nothing),
		SCENARIO(a_reader_cannot_write),
		SCENARIO(columns_and_counts_come_back_as_they_were_put),
		SCENARIO(a_failed_statement_does_not_undo_the_others),
		SCENARIO(after_an_undone_transaction_nothing_is_written),
		SCENARIO(a_readers_view_stands_still_while_it_steps),
		SCENARIO(many_threads_read_post_and_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
