/* SPDX-License-Identifier: EUPL-1.2 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "fs/usage/usage.h"

static struct usage *usage_of(uint32_t files, uint32_t seconds)
{
	static const uint32_t services[] = { 999, 7, 120 };
	const struct usage_options options = {
		.service_uids = services,
		.services = 3,
		.burst_files = files,
		.burst_s = seconds,
	};
	struct error err = ERROR_INIT;
	struct usage *usage = NULL;

	assert_int_equal(usage_new(&options, &usage, &err), 0);
	return usage;
}

/* How many of `n` opens at `now_s` count. */
static unsigned int counted(struct usage *usage, uint32_t uid, int64_t now_s,
			    unsigned int n)
{
	unsigned int counts = 0;

	while (n-- > 0)
		counts += usage_counts(usage, uid, now_s);
	return counts;
}

static void root_and_services_never_count(void **state)
{
	CLEANUP(usage_free) struct usage *usage = usage_of(10, 60);

	(void)state;
	assert_false(usage_counts(usage, 0, 5));
	assert_false(usage_counts(usage, 7, 5));
	assert_false(usage_counts(usage, 120, 5));
	assert_false(usage_counts(usage, 999, 5));
	assert_true(usage_counts(usage, 1000, 5));
	assert_true(usage_counts(usage, 8, 5));
	assert_true(usage_counts(usage, UINT32_MAX, 5));
}

static void a_burst_does_not_count_for_the_rest_of_its_window(void **state)
{
	CLEANUP(usage_free) struct usage *usage = usage_of(10, 60);

	(void)state;
	assert_int_equal(counted(usage, 1000, 100, 10), 10);
	assert_int_equal(counted(usage, 1000, 159, 5), 0);
	/* Others don't suffer from it. */
	assert_int_equal(counted(usage, 1001, 159, 10), 10);
}

static void a_crawl_over_many_windows_counts_in_none(void **state)
{
	CLEANUP(usage_free) struct usage *usage = usage_of(10, 60);

	(void)state;
	assert_int_equal(counted(usage, 1000, 0, 50), 10);
	for (int64_t now = 60; now < 6000; now += 60)
		assert_int_equal(counted(usage, 1000, now, 50), 0);
}

static void who_stops_crawling_counts_after_a_window(void **state)
{
	CLEANUP(usage_free) struct usage *usage = usage_of(10, 60);

	(void)state;
	assert_int_equal(counted(usage, 1000, 0, 50), 10);
	assert_int_equal(counted(usage, 1000, 60, 3), 0);
	assert_int_equal(counted(usage, 1000, 120, 3), 3);
	/* Away for a whole window: at once. */
	assert_int_equal(counted(usage, 1000, 125, 50), 7);
	assert_int_equal(counted(usage, 1000, 240, 3), 3);
}

static void a_person_just_below_always_counts(void **state)
{
	CLEANUP(usage_free) struct usage *usage = usage_of(10, 60);

	(void)state;
	for (int64_t now = 0; now < 6000; now += 60)
		assert_int_equal(counted(usage, 1000, now, 10), 10);
}

static void a_clock_that_goes_back_begins_a_new_window(void **state)
{
	CLEANUP(usage_free) struct usage *usage = usage_of(10, 60);

	(void)state;
	assert_int_equal(counted(usage, 1000, 1000000, 50), 10);
	assert_int_equal(counted(usage, 1000, 5, 3), 3);
	assert_int_equal(counted(usage, 1000, INT64_MAX, 3), 3);
}

static void zeros_are_the_defaults(void **state)
{
	CLEANUP(usage_free) struct usage *usage = usage_of(0, 0);

	(void)state;
	assert_int_equal(counted(usage, 1000, 0, 1000), USAGE_BURST_FILES);
}

static void many_users_are_each_their_own(void **state)
{
	CLEANUP(usage_free) struct usage *usage = usage_of(3, 60);

	(void)state;
	for (uint32_t uid = 1000; uid < 2000; uid++)
		assert_int_equal(counted(usage, uid, 0, 2), 2);
	for (uint32_t uid = 1000; uid < 2000; uid++)
		assert_int_equal(counted(usage, uid, 1, 2), 1);
}

/* More than there is room for: the count of some begins again, no more. */
static void more_users_than_places_are_no_harm(void **state)
{
	CLEANUP(usage_free) struct usage *usage = usage_of(3, 60);

	(void)state;
	for (uint32_t uid = 1000; uid < 200000; uid++)
		assert_true(usage_counts(usage, uid, uid / 1000));
}

struct opens {
	struct usage *usage;
	unsigned int counts;
};

static void *open_many(void *ctx)
{
	struct opens *opens = ctx;

	opens->counts = counted(opens->usage, 1000, 0, 5000);
	return NULL;
}

static void threads_share_one_count(void **state)
{
	CLEANUP(usage_free) struct usage *usage = usage_of(1000, 60);
	struct opens opens[4];
	pthread_t thread[4];
	unsigned int sum = 0;

	(void)state;
	for (int i = 0; i < 4; i++) {
		opens[i] = (struct opens){ .usage = usage };
		assert_int_equal(
			pthread_create(&thread[i], NULL, open_many, &opens[i]),
			0);
	}
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(thread[i], NULL), 0);
		sum += opens[i].counts;
	}
	assert_int_equal(sum, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(root_and_services_never_count),
		cmocka_unit_test(
			a_burst_does_not_count_for_the_rest_of_its_window),
		cmocka_unit_test(a_crawl_over_many_windows_counts_in_none),
		cmocka_unit_test(who_stops_crawling_counts_after_a_window),
		cmocka_unit_test(a_person_just_below_always_counts),
		cmocka_unit_test(a_clock_that_goes_back_begins_a_new_window),
		cmocka_unit_test(zeros_are_the_defaults),
		cmocka_unit_test(many_users_are_each_their_own),
		cmocka_unit_test(more_users_than_places_are_no_harm),
		cmocka_unit_test(threads_share_one_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
