/* SPDX-License-Identifier: EUPL-1.2 */
#include <pthread.h>

#include "tests/unit/store/support.h"

#define RUNS   500u
#define STEP   8192
#define SPARSE ((size_t)RUNS * STEP)
#define OPEN   16
#define ROOM   ((size_t)60 << 10) /* two recipes of 1,000 entries */

/* Holes between blocks of one byte value: each takes 56 bytes of memory. */
static struct store_put_result put_holes(struct world *w, uint8_t byte,
					 uint64_t ino)
{
	int fd = file_of(w, "", 0);
	struct store_put_result r;
	uint8_t block[4096];

	memset(block, byte, sizeof(block));
	for (off_t i = 0; i < RUNS; i++)
		assert_int_equal(pwrite(fd, block, sizeof(block), i * STEP),
				 sizeof(block));
	assert_int_equal(ftruncate(fd, SPARSE), 0);
	r = put_fd(w, fd, SPARSE, ino);
	(void)close(fd);
	return r;
}

static struct store_body *open_holes(struct world *w, uint8_t byte)
{
	struct store_put_result r = put_holes(w, byte, byte);
	struct store_body *body = NULL;

	must(w, store_body_open(w->store, &r.content, SPARSE, &body, &w->err));
	return body;
}

static void is_of(struct world *w, struct store_body *body, uint8_t byte)
{
	uint8_t got[3];

	must(w, store_body_read(body, got, 3, 3 * STEP + 4094, &w->err));
	assert_int_equal(got[0], byte);
	assert_int_equal(got[2], 0);
	assert_int_equal(store_body_seek(body, 5 * STEP, SEEK_HOLE),
			 5 * STEP + 4096);
}

static struct world *small_world(void **state)
{
	struct world *w = *state;

	w->options.recipe_bytes = ROOM;
	world_reopen(w);
	return w;
}

static void many_that_are_open_take_no_more_than_there_is_room(void **state)
{
	struct world *w = small_world(state);
	struct store_body *body[OPEN];

	for (uint8_t i = 0; i < OPEN; i++) {
		body[i] = open_holes(w, i + 1);
		assert_true(w->store->recipes.bytes <= ROOM);
	}
	for (uint8_t n = 0; n < 3 * OPEN; n++) {
		is_of(w, body[n % OPEN], n % OPEN + 1);
		assert_true(w->store->recipes.bytes <= ROOM);
		assert_true(w->store->recipes.bytes > 0);
	}
	for (uint8_t i = 0; i < OPEN; i++)
		store_body_close(body[i]);
	assert_int_equal(w->store->recipes.bytes, 0);
}

static void one_bigger_than_the_room_stays_while_it_is_read(void **state)
{
	struct world *w = *state;
	struct store_body *body;
	const uint8_t *where;

	w->options.recipe_bytes = 1;
	world_reopen(w);
	body = open_holes(w, 1);
	where = body_recipe(body)->body;
	assert_non_null(where);
	for (int i = 0; i < 5; i++)
		is_of(w, body, 1);
	assert_ptr_equal(where, body_recipe(body)->body);
	store_body_close(body);
}

static void what_was_damaged_meanwhile_is_an_error(void **state)
{
	struct world *w = small_world(state);
	struct store_body *body[3];
	uint8_t byte;

	body[0] = open_holes(w, 1);
	flip_recipe(w);
	for (uint8_t i = 1; i < 3; i++)
		body[i] = open_holes(w, i + 1);
	assert_int_equal(store_body_read(body[0], &byte, 1, 0, &w->err),
			 -SOBRE_ECORRUPT);
	assert_int_equal(store_body_seek(body[0], 0, SEEK_DATA),
			 -SOBRE_ECORRUPT);
	is_of(w, body[2], 3);
	for (int i = 0; i < 3; i++)
		store_body_close(body[i]);
}

struct reader_thread {
	pthread_t thread;
	struct world *w;
	struct store_body **body;
	unsigned int seed;
	bool wrong;
};

static void *read_any(void *arg)
{
	struct reader_thread *r = arg;
	struct error err = ERROR_INIT;

	for (unsigned int n = 0; n < 400; n++) {
		unsigned int i = (n * 7 + r->seed) % OPEN;
		uint8_t got;

		if (store_body_read(r->body[i], &got, 1, STEP * (n % RUNS),
				    &err) != 1 ||
		    got != i + 1)
			r->wrong = true;
	}
	return NULL;
}

static void several_read_what_comes_and_goes(void **state)
{
	struct world *w = small_world(state);
	struct store_body *body[OPEN];
	struct reader_thread r[4];

	for (uint8_t i = 0; i < OPEN; i++)
		body[i] = open_holes(w, i + 1);
	for (unsigned int i = 0; i < 4; i++) {
		r[i] = (struct reader_thread){ .w = w,
					       .body = body,
					       .seed = i * 3 };
		assert_int_equal(
			pthread_create(&r[i].thread, NULL, read_any, &r[i]), 0);
	}
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(r[i].thread, NULL), 0);
		assert_false(r[i].wrong);
	}
	assert_true(w->store->recipes.bytes <= ROOM);
	for (uint8_t i = 0; i < OPEN; i++)
		store_body_close(body[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(many_that_are_open_take_no_more_than_there_is_room),
		world_test(one_bigger_than_the_room_stays_while_it_is_read),
		world_test(what_was_damaged_meanwhile_is_an_error),
		world_test(several_read_what_comes_and_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
