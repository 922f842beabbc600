/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/catalog/support.h"

#include <pthread.h>

#include "fs/catalog/internal.h"

static void post_unname(struct fixture *f, uint64_t parent, const char *name)
{
	const struct catalog_event ev = {
		.kind = CATALOG_EVENT_UNNAME,
		.parent = parent,
		.name = name,
	};

	must(catalog_post(f->cat, &ev));
}

static void events_are_written_within_a_second(void **state)
{
	struct fixture *f = *state;
	const struct catalog_inode inode = file_of(8);
	int tenths = 0;

	post(f, CATALOG_EVENT_INODE, &inode);
	assert_true(catalog_queue_length(f->cat) <= 1);
	while (catalog_queue_length(f->cat) > 0 && tenths++ < 50)
		(void)usleep(100000);
	assert_true(tenths <= 12);
	assert_true(knows(f, 8));
}

static void touches_of_one_inode_become_one_event(void **state)
{
	struct fixture *f = *state;
	struct catalog_event used = { .kind = CATALOG_EVENT_USED,
				      .day = 19000 };
	struct catalog_inode inode = file_of(8);

	must(catalog_begin(f->cat, &f->err)); /* holds the writer: they wait */
	used.inode = inode;
	for (uint64_t i = 0; i < 100; i++) {
		inode.size_bytes = i;
		inode.handle.len = i == 0 ? 8 : 0;
		post(f, CATALOG_EVENT_INODE, &inode);
		must(catalog_post(f->cat, &used));
	}
	inode.shown_ctime_ns = 5;
	inode.packed_ctime_ns = 6;
	post(f, CATALOG_EVENT_CTIME, &inode);
	inode.shown_ctime_ns = 0;
	inode.packed_ctime_ns = 0;
	inode.size_bytes = 4242;
	post(f, CATALOG_EVENT_INODE, &inode);
	assert_int_equal(catalog_queue_length(f->cat), 1);
	must(catalog_commit(f->cat, &f->err));
	flush(f);
	inode = get(f, 8);
	assert_int_equal(inode.size_bytes, 4242);
	assert_int_equal(inode.shown_ctime_ns, 5);
	assert_int_equal(inode.packed_ctime_ns, 6);
	assert_int_equal(inode.handle.len, 8);
	assert_int_equal(ask(f, "SELECT last_used_day FROM inode"), 19000);
}

static void an_inode_that_is_gone_and_reused_is_the_new_one(void **state)
{
	struct fixture *f = *state;
	struct catalog_inode old = file_of(8);
	struct catalog_inode new = file_of(8);

	old.size_bytes = 1;
	new.btime_ns = 99;
	new.size_bytes = 2;
	post(f, CATALOG_EVENT_INODE, &old);
	post(f, CATALOG_EVENT_GONE, &old);
	post(f, CATALOG_EVENT_INODE, &new);
	post(f, CATALOG_EVENT_GONE, &old); /* late */
	flush(f);
	assert_int_equal(get(f, 8).size_bytes, 2);
	assert_int_equal(get(f, 8).btime_ns, 99);
	post(f, CATALOG_EVENT_INODE, &new);
	post(f, CATALOG_EVENT_GONE, &new);
	flush(f);
	assert_false(knows(f, 8));
}

/* A touch after PLAIN or GONE must not slip in front of it. */
static void nothing_is_merged_across_plain_or_gone(void **state)
{
	struct fixture *f = *state;
	struct catalog_inode inode = file_of(8);

	must(catalog_begin(f->cat, &f->err));
	post(f, CATALOG_EVENT_INODE, &inode);
	post(f, CATALOG_EVENT_GONE, &inode);
	inode.size_bytes = 55;
	post(f, CATALOG_EVENT_INODE, &inode);
	assert_int_equal(catalog_queue_length(f->cat), 3);
	must(catalog_commit(f->cat, &f->err));
	flush(f);
	assert_int_equal(get(f, 8).size_bytes, 55);

	pack(f, &inode, content_of(1));
	must(catalog_begin(f->cat, &f->err));
	inode.shown_ctime_ns = 1;
	inode.packed_ctime_ns = 1;
	post(f, CATALOG_EVENT_CTIME, &inode);
	inode.content = content_of(1);
	inode.shown_ctime_ns = 2;
	inode.packed_ctime_ns = 2;
	post(f, CATALOG_EVENT_PLAIN, &inode);
	inode.shown_ctime_ns = 3;
	inode.packed_ctime_ns = 3;
	post(f, CATALOG_EVENT_CTIME, &inode);
	assert_int_equal(catalog_queue_length(f->cat), 3);
	must(catalog_commit(f->cat, &f->err));
	flush(f);
	assert_int_equal(get(f, 8).shown_ctime_ns, 3);
	assert_false(get(f, 8).packed);
}

static void names_keep_their_order(void **state)
{
	struct fixture *f = *state;

	post_name(f, 2, "a", 10);
	post_unname(f, 2, "a");
	post_name(f, 2, "a", 11);
	post_name(f, 2, "b", 12);
	post_unname(f, 2, "b");
	flush(f);
	assert_int_equal(ask(f, "SELECT count(*) FROM name"), 1);
	assert_int_equal(ask(f, "SELECT ino FROM name"), 11);
}

static void what_was_posted_before_begin_is_in_the_transaction(void **state)
{
	struct fixture *f = *state;
	struct catalog_inode inode = file_of(8);

	inode.size_bytes = 1;
	post(f, CATALOG_EVENT_INODE, &inode);
	must(catalog_begin(f->cat, &f->err));
	assert_int_equal(get(f, 8).size_bytes, 1);
	inode.size_bytes = 2;
	must(catalog_inode_put(f->cat, &inode, &f->err));
	inode.size_bytes = 3;
	post(f, CATALOG_EVENT_INODE, &inode);
	assert_int_equal(get(f, 8).size_bytes, 2);
	must(catalog_commit(f->cat, &f->err));
	flush(f);
	assert_int_equal(get(f, 8).size_bytes, 3);
}

static void a_rollback_loses_no_event_and_keeps_their_order(void **state)
{
	struct fixture *f = *state;
	struct catalog_inode inode = file_of(8);

	inode.size_bytes = 1;
	post(f, CATALOG_EVENT_INODE, &inode);
	post_name(f, 2, "a", 8);
	must(catalog_begin(f->cat, &f->err));
	inode.size_bytes = 2;
	post(f, CATALOG_EVENT_INODE, &inode);
	post_unname(f, 2, "a");
	assert_int_equal(catalog_queue_length(f->cat), 4);
	catalog_rollback(f->cat);
	assert_int_equal(catalog_queue_length(f->cat), 4);
	flush(f);
	assert_int_equal(catalog_queue_length(f->cat), 0);
	assert_int_equal(get(f, 8).size_bytes, 2);
	assert_int_equal(ask(f, "SELECT count(*) FROM name"), 0);
}

/* More than the queue holds, by the thread that alone could empty it. */
static void posting_inside_a_transaction_never_hangs(void **state)
{
	struct fixture *f = *state;
	struct catalog_inode inode = file_of(1);

	must(catalog_begin(f->cat, &f->err));
	for (uint64_t ino = 1; ino <= 70000; ino++) {
		inode.ino = ino;
		post(f, CATALOG_EVENT_INODE, &inode);
	}
	inode.ino = 1;
	inode.size_bytes = 7;
	post(f, CATALOG_EVENT_INODE, &inode);
	assert_true(catalog_queue_length(f->cat) >= 70000);
	must(catalog_commit(f->cat, &f->err));
	flush(f);
	assert_int_equal(ask(f, "SELECT count(*) FROM inode"), 70000);
	assert_int_equal(get(f, 1).size_bytes, 7);
}

static void *post_many(void *arg)
{
	struct fixture *f = arg;
	struct catalog_inode inode = file_of(1);

	for (uint64_t ino = 1; ino <= 65537; ino++) {
		const struct catalog_event ev = { .kind = CATALOG_EVENT_GONE,
						  .inode = inode };

		inode.ino = ino;
		if (catalog_post(f->cat, &ev) < 0)
			return f;
	}
	return NULL;
}

/* The thread with the writer waits for one that posts into a full queue: as
 * when they need the same file's lock. */
static void a_full_queue_holds_a_poster_up_but_not_for_ever(void **state)
{
	struct fixture *f = *state;
	pthread_t thread;
	void *failed = f;

	must(catalog_begin(f->cat, &f->err));
	assert_int_equal(pthread_create(&thread, NULL, post_many, f), 0);
	assert_int_equal(pthread_join(thread, &failed), 0);
	assert_null(failed);
	assert_int_equal(catalog_queue_length(f->cat), 65537);
	must(catalog_commit(f->cat, &f->err));
	flush(f);
	assert_int_equal(catalog_queue_length(f->cat), 0);
}

static void *post_twice_as_many(void *arg)
{
	struct fixture *f = arg;

	for (uint64_t ino = 1; ino <= 150000; ino++) {
		struct catalog_event ev = { .kind = CATALOG_EVENT_GONE };

		ev.inode.ino = ino;
		if (catalog_post(f->cat, &ev) < 0)
			return f;
	}
	return NULL;
}

/* As while a big file is stored: agents go on working. */
static void a_long_transaction_takes_in_what_others_post(void **state)
{
	struct fixture *f = *state;
	const struct catalog_inode inode = file_of(200000);
	pthread_t thread;
	int64_t value = 0;

	must(catalog_begin(f->cat, &f->err));
	assert_int_equal(pthread_create(&thread, NULL, post_twice_as_many, f),
			 0);
	while (catalog_queue_length(f->cat) < 150000)
		must(catalog_meta_set(f->cat, "long", ++value, &f->err));
	must(catalog_inode_put(f->cat, &inode, &f->err));
	(void)pthread_join(thread, NULL);
	(void)pthread_mutex_lock(&f->cat->queue.mutex);
	assert_true(f->cat->queue.taken > 0);
	assert_true(f->cat->queue.list.count < QUEUE_MAX);
	(void)pthread_mutex_unlock(&f->cat->queue.mutex);
	catalog_rollback(f->cat);
	assert_int_equal(catalog_queue_length(f->cat), 150000);
	flush(f);
	assert_int_equal(catalog_queue_length(f->cat), 0);
	assert_false(knows(f, 200000));
}

/* As when the file system is full. */
static void limit_pages(struct fixture *f, const char *sql)
{
	struct catalog_stmt *s = NULL;

	must(catalog_begin(f->cat, &f->err));
	s = catalog_write_stmt(f->cat, sql, &f->err);
	assert_non_null(s);
	must(stmt_run(s, &f->err));
	stmt_done(s);
	must(catalog_commit(f->cat, &f->err));
}

static void no_space_loses_no_event_that_the_queue_holds(void **state)
{
	struct fixture *f = *state;
	struct catalog_inode inode = file_of(1);

	must(catalog_mark_reconciled(f->cat, &f->err));
	limit_pages(f, "PRAGMA max_page_count = 1");
	for (uint64_t ino = 1; ino <= 1000; ino++) {
		inode.ino = ino;
		post(f, CATALOG_EVENT_INODE, &inode);
	}
	assert_int_equal(catalog_flush(f->cat, &f->err), -ENOSPC);
	assert_int_equal(catalog_queue_length(f->cat), 1000);
	assert_false(catalog_needs_scan(f->cat));
	(void)usleep(1200000);
	assert_int_equal(catalog_queue_length(f->cat), 1000);
	(void)pthread_mutex_lock(&f->cat->writer_mutex);
	must(conn_exec(f->cat->writer, "PRAGMA max_page_count = 1000000",
		       &f->err));
	(void)pthread_mutex_unlock(&f->cat->writer_mutex);
	flush(f);
	assert_int_equal(ask(f, "SELECT count(*) FROM inode"), 1000);
	assert_false(catalog_needs_scan(f->cat));
}

/* With no space and a full queue files must go on being served. */
static void no_space_and_a_full_queue_ask_for_a_scan(void **state)
{
	struct fixture *f = *state;
	struct catalog_inode inode = file_of(1);

	must(catalog_mark_reconciled(f->cat, &f->err));
	limit_pages(f, "PRAGMA max_page_count = 1");
	for (uint64_t ino = 1; ino <= 65536; ino++) {
		inode.ino = ino;
		post(f, CATALOG_EVENT_INODE, &inode);
	}
	(void)usleep(1200000); /* the thread has tried */
	for (uint64_t ino = 65537; ino <= 66000; ino++) {
		inode.ino = ino;
		post(f, CATALOG_EVENT_INODE, &inode);
	}
	assert_int_equal(catalog_queue_length(f->cat), 65536);
	assert_true(catalog_needs_scan(f->cat));
	fixture_close(f);
	fixture_open(f);
	assert_true(catalog_was_unclean(f->cat));
	assert_true(catalog_needs_scan(f->cat));
}

static void an_event_that_cannot_be_is_refused(void **state)
{
	static char long_name[5000];
	static const char *const bad[] = { NULL, "", "a/b", long_name };
	struct fixture *f = *state;
	struct catalog_event ev = { .parent = 2, .new_parent = 2 };

	memset(long_name, 'n', sizeof(long_name) - 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ev.name = bad[i];
		ev.kind = CATALOG_EVENT_NAME;
		assert_int_equal(catalog_post(f->cat, &ev), -EINVAL);
		ev.kind = CATALOG_EVENT_UNNAME;
		assert_int_equal(catalog_post(f->cat, &ev), -EINVAL);
		ev.kind = CATALOG_EVENT_MOVE;
		ev.name = "ok";
		ev.new_name = bad[i];
		assert_int_equal(catalog_post(f->cat, &ev), -EINVAL);
	}
	assert_int_equal(catalog_queue_length(f->cat), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENARIO(events_are_written_within_a_second),
		SCENARIO(touches_of_one_inode_become_one_event),
		SCENARIO(an_inode_that_is_gone_and_reused_is_the_new_one),
		SCENARIO(nothing_is_merged_across_plain_or_gone),
		SCENARIO(names_keep_their_order),
		SCENARIO(what_was_posted_before_begin_is_in_the_transaction),
		SCENARIO(a_rollback_loses_no_event_and_keeps_their_order),
		SCENARIO(posting_inside_a_transaction_never_hangs),
		SCENARIO(a_full_queue_holds_a_poster_up_but_not_for_ever),
		SCENARIO(a_long_transaction_takes_in_what_others_post),
		SCENARIO(no_space_loses_no_event_that_the_queue_holds),
		SCENARIO(no_space_and_a_full_queue_ask_for_a_scan),
		SCENARIO(an_event_that_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
