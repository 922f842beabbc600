/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Real collisions of XXH3-128, as an agent can make them: whichever of two
 * files comes second stays plain, and no one is given the other's bytes.
 * DESIGN invariant 4.
 */
#include "tests/unit/store/collide.h"

#define KIB(n) ((size_t)(n) << 10)
#define DAY_S  INT64_C(86400)
#define ALL    KIB(200)

/* Each the first chunk of a content, or all of one. */
struct pair {
	uint8_t *one;
	uint8_t *other;
};

static struct pair pair_new(const struct world *w)
{
	struct pair p = { .one = some_noise(1, ALL),
			  .other = some_noise(1, ALL) };
	struct hash128 a;
	struct hash128 b;

	collide(&w->options.key, p.one, p.other);
	hash128(&w->options.key, p.one, ALL, &a);
	hash128(&w->options.key, p.other, ALL, &b);
	assert_memory_not_equal(p.one, p.other, ALL);
	assert_int_equal(hash128_compare(&a, &b), 0);
	return p;
}

static void pair_free(struct pair *p)
{
	free(p->one);
	free(p->other);
}

static int try_put(struct world *w, const uint8_t *data, size_t len)
{
	struct store_put_result r;
	int fd = file_of(w, data, len);
	int rc = store_put(w->store, fd, len, &r, &w->err);

	(void)close(fd);
	return rc;
}

static void refused(struct world *w, const uint8_t *data, size_t len)
{
	must(w, catalog_begin(w->cat, &w->err));
	assert_int_equal(try_put(w, data, len), -SOBRE_ECOLLISION);
	catalog_rollback(w->cat);
	store_abort(w->store);
}

static void the_second_of_two_contents_is_refused(void **state)
{
	static const size_t sizes[] = { COLLIDE_BYTES + 64, KIB(20), ALL };
	struct world *w = *state;
	struct pair p = pair_new(w);

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct store_put_result r = put_data(w, p.one, sizes[i], i + 1);

		refused(w, p.other, sizes[i]);
		world_reopen(w);
		refused(w, p.other, sizes[i]);
		assert_int_equal(read_all(w, &r.content, p.one, sizes[i]), 0);
	}
	pair_free(&p);
}

static void refused_in_a_batch(struct world *w, const struct pair *p,
			       size_t len)
{
	must(w, catalog_begin(w->cat, &w->err));
	assert_int_equal(try_put(w, p->one, len), 0);
	assert_int_equal(try_put(w, p->other, len), -SOBRE_ECOLLISION);
	catalog_rollback(w->cat);
	store_abort(w->store);
}

/* The first has no row yet: it waits for its extent to be full. */
static void the_second_of_one_batch_is_refused(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w);

	refused_in_a_batch(w, &p, KIB(20));
	p.other[ALL - 1] ^= 1; /* one chunk of them alone collides */
	refused_in_a_batch(w, &p, ALL);
	pair_free(&p);
}

/* Their ends differ, so that their contents are not one by the hash; their
 * first chunks are. */
static void the_second_of_two_chunks_is_refused(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w);
	struct store_put_result r;

	p.other[ALL - 1] ^= 1;
	r = put_data(w, p.one, ALL, 1);
	refused(w, p.other, ALL);
	assert_int_equal(read_all(w, &r.content, p.one, ALL), 0);
	must(w, catalog_begin(w->cat, &w->err));
	p.one[ALL - 1] ^= 2;
	assert_int_equal(try_put(w, p.one, ALL), 0);
	catalog_rollback(w->cat);
	store_abort(w->store);
	pair_free(&p);
}

static void gc(struct world *w)
{
	const struct store_gc_options options = { .grace_s = 30 * DAY_S,
						  .sync_fd = w->packs_fd,
						  .still_used = never_used };
	struct store_gc_result result;

	w->now_ns += 40 * DAY_S * NS_PER_S;
	must(w, store_gc(w->store, &options, &result, &w->err));
}

/* Nobody uses the first any more, but its pack may still be there. */
static void it_is_refused_as_long_as_the_first_is_stored(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w);
	struct store_put_result r = put_data(w, p.one, KIB(20), 1);

	gone(w, 1);
	refused(w, p.other, KIB(20));
	for (int i = 0; i < 3; i++)
		gc(w);
	r = put_data(w, p.other, KIB(20), 2);
	must(w, store_rebuild(w->store, NULL, NULL, &w->err));
	assert_int_equal(read_all(w, &r.content, p.other, KIB(20)), 0);
	refused(w, p.one, KIB(20));
	pair_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(the_second_of_two_contents_is_refused),
		world_test(the_second_of_one_batch_is_refused),
		world_test(the_second_of_two_chunks_is_refused),
		world_test(it_is_refused_as_long_as_the_first_is_stored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
