/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/support.h"

#include <pthread.h>

#define KIB(n) ((size_t)(n) << 10)

static void the_cache_keeps_to_its_size(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(1, KIB(4000));
	struct store_put_result r;

	w->options.cache_bytes = KIB(600);
	world_reopen(w);
	r = put_data(w, data, KIB(4000), 1);
	assert_int_equal(read_all(w, &r.content, data, KIB(4000)), 0);
	assert_true(w->store->cache.bytes <= KIB(600));
	assert_true(w->store->cache.bytes > KIB(200));
	free(data);
}

static void an_extent_is_decoded_once(void **state)
{
	struct world *w = *state;
	struct cached *a;
	struct cached *b;
	uint64_t off;

	(void)put_data(w, "hello", 5, 1);
	off = (uint64_t)query(w, "SELECT extent_off FROM chunk");
	must(w, cache_get(w->store, &w->store->cache, 1, off, &a, &w->err));
	must(w, cache_get(w->store, &w->store->cache, 1, off, &b, &w->err));
	assert_ptr_equal(a, b);
	cache_put(&w->store->cache, a);
	cache_purge(&w->store->cache); /* still used */
	assert_memory_equal(b->extent.data, "hello", 5);
	cache_put(&w->store->cache, b);
}

struct reading {
	struct world *w;
	struct store_body *body;
	const uint8_t *data;
	uint64_t seed;
	bool failed;
};

static void *read_here_and_there(void *arg)
{
	struct reading *r = arg;
	struct error err = ERROR_INIT;
	uint8_t buf[5000];
	uint64_t x = r->seed;

	for (int i = 0; i < 300; i++) {
		uint64_t off;

		x = x * UINT64_C(6364136223846793005) + 99;
		off = (x >> 33) % (KIB(3000) - sizeof(buf));
		if (store_body_read(r->body, buf, sizeof(buf), off, &err) !=
			    (ssize_t)sizeof(buf) ||
		    memcmp(buf, r->data + off, sizeof(buf)) != 0)
			r->failed = true;
		if (i % 50 == 0)
			cache_purge(&r->w->store->cache);
	}
	return NULL;
}

static void threads_read_one_body(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_text(2, KIB(3000));
	struct store_put_result r = put_data(w, data, KIB(3000), 1);
	struct reading reading[4];
	pthread_t thread[4];
	struct store_body *body;

	must(w,
	     store_body_open(w->store, &r.content, KIB(3000), &body, &w->err));
	for (size_t i = 0; i < 4; i++) {
		reading[i] = (struct reading){
			.w = w, .body = body, .data = data, .seed = i + 1
		};
		assert_int_equal(pthread_create(&thread[i], NULL,
						read_here_and_there,
						&reading[i]),
				 0);
	}
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(thread[i], NULL), 0);
		assert_false(reading[i].failed);
	}
	store_body_close(body);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(the_cache_keeps_to_its_size),
		world_test(an_extent_is_decoded_once),
		world_test(threads_read_one_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
