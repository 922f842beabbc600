/* SPDX-License-Identifier: EUPL-1.2 */
/* What is too big for one transaction: docs/design/states.md. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "tests/unit/store/support.h"

#define KIB(n) ((size_t)(n) << 10)

static struct world *in_stages(void **state)
{
	struct world *w = *state;

	w->options.stage_bytes = KIB(300);
	world_reopen(w);
	return w;
}

/* Counts and bytes are those of a put in one go. */
static void a_big_file_is_stored_in_stages(void **state)
{
	static const char refs[] = "SELECT sum(refs) * 1000 + count(*)"
				   " FROM chunk";
	struct world *w = in_stages(state);
	struct world *whole = world_new();
	uint8_t *data = some_noise(14, KIB(3000));
	struct store_put_result r;
	struct store_put_result at_once;

	memcpy(data + KIB(2000), data, KIB(500)); /* chunks that come again */
	r = put_data(w, data, KIB(3000), 1);
	at_once = put_data(whole, data, KIB(3000), 1);
	assert_int_equal(query(w, refs), query(whole, refs));
	assert_true(r.new_bytes >= at_once.new_bytes);
	assert_int_equal(read_all(w, &r.content, data, KIB(3000)), 0);
	/* another that shares chunks with it */
	data[0] ^= 1;
	(void)put_data(w, data, KIB(3000), 2);
	(void)put_data(whole, data, KIB(3000), 2);
	assert_int_equal(query(w, refs), query(whole, refs));
	world_free(whole);
	free(data);
}

/* The file that it writes to is full after the half. */
static void put_that_fails_late(struct world *w, const uint8_t *data,
				size_t len)
{
	const struct rlimit half = { .rlim_cur = len / 2,
				     .rlim_max = RLIM_INFINITY };
	const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
	int fd = file_of(w, data, len);
	struct store_put_result r;

	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &half), 0);
	must(w, catalog_begin(w->cat, &w->err));
	assert_int_equal(store_put(w->store, fd, len, &r, &w->err), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	catalog_rollback(w->cat);
	store_abort(w->store);
	(void)close(fd);
}

static void stages_that_fail_leave_what_nobody_counts(void **state)
{
	struct world *w = in_stages(state);
	uint8_t *data = some_noise(15, KIB(3000));
	struct store_put_result r;

	put_that_fails_late(w, data, KIB(3000));
	world_reopen(w);
	assert_int_equal(query(w, "SELECT count(*) FROM content"), 0);
	assert_true(query(w, "SELECT count(*) FROM chunk") > 20);
	assert_int_equal(query(w, "SELECT sum(refs) FROM chunk"), 0);
	r = put_data(w, data, KIB(3000), 1);
	assert_int_equal(read_all(w, &r.content, data, KIB(3000)), 0);
	assert_int_equal(query(w, "SELECT count(*) FROM chunk WHERE refs = 0"),
			 0);
	free(data);
}

struct writer_thread {
	pthread_t thread;
	struct world *w;
	atomic_bool end;
	unsigned int flushed;
};

/* An event is written only in a transaction, which begins by the put's end or
 * in the middle of it. */
static void *others_write(void *arg)
{
	struct writer_thread *t = arg;
	struct error err = ERROR_INIT;
	struct catalog_event ev = { .kind = CATALOG_EVENT_GONE };

	for (uint64_t ino = 100; !atomic_load(&t->end); ino++) {
		ev.inode.ino = ino;
		ev.inode.btime_ns = 1;
		if (catalog_post(t->w->cat, &ev) < 0 ||
		    catalog_flush(t->w->cat, &err) < 0)
			break;
		t->flushed++;
	}
	return NULL;
}

static void others_write_the_catalog_meanwhile(void **state)
{
	struct world *w = in_stages(state);
	struct writer_thread t = { .w = w };
	uint8_t *data = some_noise(16, KIB(8000));
	int fd = file_of(w, data, KIB(8000));
	struct store_put_result r;

	must(w, catalog_begin(w->cat, &w->err));
	assert_int_equal(pthread_create(&t.thread, NULL, others_write, &t), 0);
	must(w, store_put(w->store, fd, KIB(8000), &r, &w->err));
	atomic_store(&t.end, true);
	must(w, store_sync(w->store, &w->err));
	must(w, catalog_commit(w->cat, &w->err));
	assert_int_equal(pthread_join(t.thread, NULL), 0);
	/* one when the put had ended, the others in between */
	assert_true(t.flushed > 2);
	(void)close(fd);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(a_big_file_is_stored_in_stages),
		world_test(stages_that_fail_leave_what_nobody_counts),
		world_test(others_write_the_catalog_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
