/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#define WAITERS 5

struct queue {
	struct turn turn;
	int inside; /* only the holder of the turn writes these */
	int order[WAITERS];
	int n;
	int number; /* the next waiter's */
};

static void *waiter(void *queue)
{
	struct queue *q = queue;
	int number = __atomic_fetch_add(&q->number, 1, __ATOMIC_SEQ_CST);

	turn_take(&q->turn, "test");
	assert_int_equal(q->inside++, 0);
	q->order[q->n++] = number;
	(void)usleep(1000);
	q->inside--;
	turn_give(&q->turn);
	return NULL;
}

static void who_has_the_turn_lets_others_go_first(void **state)
{
	const int usual = getpriority(PRIO_PROCESS, 0);
	struct turn turn = { .nice = 0 };

	(void)state;
	assert_int_equal(turn_init(&turn), 0);
	turn_take(&turn, "test");
	assert_int_equal(getpriority(PRIO_PROCESS, 0), 19);
	turn_give(&turn);
	if (geteuid() == 0)
		assert_int_equal(getpriority(PRIO_PROCESS, 0), usual);
	turn_release(&turn);
}

static uint64_t waiting(struct queue *q)
{
	const char *running;
	uint64_t n;

	turn_look(&q->turn, &n, &running);
	return n;
}

static void turns_are_taken_one_by_one_in_order(void **state)
{
	struct queue q = { .inside = 0 };
	pthread_t threads[WAITERS];

	(void)state;
	assert_int_equal(turn_init(&q.turn), 0);
	turn_take(&q.turn, "first");
	for (uint64_t i = 0; i < WAITERS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, waiter, &q),
				 0);
		while (waiting(&q) <= i)
			(void)usleep(100);
	}
	turn_give(&q.turn);
	for (int i = 0; i < WAITERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(q.n, WAITERS);
	for (int i = 0; i < WAITERS; i++)
		assert_int_equal(q.order[i], i);
	turn_release(&q.turn);
}

static void who_has_the_turn_gives_way_to_those_that_wait(void **state)
{
	struct queue q = { .inside = 0 };
	pthread_t thread;
	const char *running;
	uint64_t n;

	(void)state;
	assert_int_equal(turn_init(&q.turn), 0);
	turn_take(&q.turn, "gc");
	turn_give_way(&q.turn); /* nobody waits */
	assert_int_equal(pthread_create(&thread, NULL, waiter, &q), 0);
	while (waiting(&q) < 1)
		(void)usleep(100);
	turn_give_way(&q.turn);
	assert_int_equal(q.n, 1);
	turn_look(&q.turn, &n, &running);
	assert_string_equal(running, "gc");
	assert_int_equal(getpriority(PRIO_PROCESS, 0), 19);
	turn_give(&q.turn);
	assert_int_equal(pthread_join(thread, NULL), 0);
	turn_release(&q.turn);
}

static void a_look_tells_who_has_it(void **state)
{
	struct turn turn = { .next = 0 };
	const char *running = "x";
	uint64_t n = 9;

	(void)state;
	assert_int_equal(turn_init(&turn), 0);
	turn_look(&turn, &n, &running);
	assert_int_equal(n, 0);
	assert_null(running);
	turn_take(&turn, "gc");
	turn_look(&turn, &n, &running);
	assert_int_equal(n, 0);
	assert_string_equal(running, "gc");
	turn_give(&turn);
	turn_release(&turn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_has_the_turn_lets_others_go_first),
		cmocka_unit_test(turns_are_taken_one_by_one_in_order),
		cmocka_unit_test(who_has_the_turn_gives_way_to_those_that_wait),
		cmocka_unit_test(a_look_tells_who_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
