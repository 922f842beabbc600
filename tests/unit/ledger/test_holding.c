/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/ledger/support.h"

#define SEPTEMBER_MONTH (2026 * 12 + 8)
#define OCTOBER		(SEPTEMBER + INT64_C(30) * 24 * HOUR)

static void a_holding_is_split_where_a_month_ends(void **state)
{
	struct world *w = *state;

	atomic_store(&w->now_s, OCTOBER - 100);
	make_file(w, COMDIR, "a", 100, 512);
	flush(w);
	pass(w, 100 + 31 * 24 * HOUR + 7);
	must(ledger_tick(w->ledger, UINT64_MAX, &w->err));
	assert_true(in_month(w, SEPTEMBER_MONTH, TIER_HOT, SET(COM)) ==
		    512 * 100);
	assert_true(in_month(w, SEPTEMBER_MONTH + 1, TIER_HOT, SET(COM)) ==
		    (uint128)512 * 31 * 24 * HOUR);
	assert_true(in_month(w, SEPTEMBER_MONTH + 2, TIER_HOT, SET(COM)) ==
		    512 * 7);
	assert_int_equal(ask(w, "SELECT count(*) FROM ledger WHERE tier = 0"),
			 3);
}

static void when_the_clock_goes_back_nothing_accrues_twice(void **state)
{
	struct world *w = *state;

	make_file(w, COMDIR, "a", 100, 512);
	flush(w);
	pass(w, 1000);
	must(ledger_tick(w->ledger, UINT64_MAX, &w->err));
	pass(w, -600);
	must(ledger_tick(w->ledger, UINT64_MAX, &w->err));
	make_file(w, COMDIR, "b", 101, 1024);
	make_file(w, VILLE, "c", 102, 1024);
	flush(w);
	world_shut(w);
	world_open(w);
	pass(w, 700);
	must(ledger_tick(w->ledger, UINT64_MAX, &w->err));
	/* 1,000 s of a; then, when the clock had caught up, 100 s of all. */
	assert_true(in_month(w, SEPTEMBER_MONTH, TIER_HOT, SET(COM)) ==
		    512 * 1000 + 1536 * 100);
	assert_true(in_month(w, SEPTEMBER_MONTH, TIER_HOT, SET(DEJ)) ==
		    1024 * 100);
	assert_balanced(w);
}

/* A crash right after a change: only the holdings know how late it was. */
static void the_latest_change_says_how_far_time_has_come(void **state)
{
	struct world *w = *state;

	pass(w, 1000);
	make_file(w, COMDIR, "a", 100, 512);
	flush(w);
	world_shut(w);
	world_open_catalog(w);
	must(catalog_meta_set(w->cat, META_NOW, 0, &w->err));
	catalog_close(w->cat);
	pass(w, -600);
	world_open(w);
	make_file(w, VILLE, "b", 101, 1024);
	flush(w);
	pass(w, 700);
	assert_true(in_month(w, SEPTEMBER_MONTH, TIER_HOT, SET(DEJ)) ==
		    1024 * 100);
}

static void what_is_watched_is_observed(void **state)
{
	struct world *w = *state;
	struct ledger_month m;

	pass(w, 60);
	must(ledger_tick(w->ledger, UINT64_MAX, &w->err));
	pass(w, 30);
	world_shut(w);
	pass(w, 5000);
	world_open(w);
	pass(w, 7);
	must(ledger_tick(w->ledger, UINT64_MAX, &w->err));
	must(ledger_month_get(w->cat, SEPTEMBER_MONTH, atomic_load(&w->now_s),
			      &m, &w->err));
	assert_int_equal(m.observed_s, 97);
	ledger_month_release(&m);
	/* Across the end of a month too. */
	atomic_store(&w->now_s, OCTOBER + 40);
	must(ledger_tick(w->ledger, UINT64_MAX, &w->err));
	must(ledger_month_get(w->cat, SEPTEMBER_MONTH + 1,
			      atomic_load(&w->now_s), &m, &w->err));
	assert_int_equal(m.observed_s, 40);
	ledger_month_release(&m);
}

static void what_is_held_while_nobody_watches_counts(void **state)
{
	struct world *w = *state;

	make_file(w, COMDIR, "a", 100, 512);
	flush(w);
	world_shut(w);
	pass(w, 5000);
	world_open(w);
	assert_true(in_month(w, SEPTEMBER_MONTH, TIER_HOT, SET(COM)) ==
		    512 * 5000);
}

static void the_state_directory_is_of_nobody(void **state)
{
	struct world *w = *state;
	const struct dept_set drive = { .n = 0 };

	must(ledger_tick(w->ledger, 10000, &w->err));
	pass(w, 10);
	must(ledger_tick(w->ledger, 4000, &w->err));
	pass(w, 10);
	must(ledger_tick(w->ledger, UINT64_MAX, &w->err));
	assert_int_equal(held(w, TIER_STATE, drive), 4000);
	assert_true(in_month(w, SEPTEMBER_MONTH, TIER_STATE, drive) == 140000);
}

/* Each pair of 48 departments: more sets than are written each minute. */
static void hold_pairs(struct world *w)
{
	must(catalog_begin(w->cat, &w->err));
	for (uint16_t a = 1; a < 48; a++) {
		for (uint16_t b = (uint16_t)(a + 1); b <= 48; b++) {
			struct dept_set set = { .n = 2, .member = { a, b } };

			must(holding_put(w->ledger, TIER_ARCHIVE, &set,
					 1000 * a + b, &w->err));
		}
	}
	must(catalog_commit(w->cat, &w->err));
}

static int64_t accrued_now(struct world *w)
{
	return ask(w, "SELECT count(*) FROM holding WHERE at_s ="
		      " (SELECT value FROM meta WHERE key = 'ledger_now_s')");
}

static void many_sets_are_accrued_once_an_hour(void **state)
{
	const struct dept_set one = { .n = 2, .member = { 7, 9 } };
	struct world *w = *state;

	hold_pairs(w);
	for (int minute = 1; minute < 60; minute++) {
		pass(w, 60);
		must(ledger_tick(w->ledger, UINT64_MAX, &w->err));
		assert_true(accrued_now(w) < 48);
		assert_true(in_month(w, SEPTEMBER_MONTH, TIER_ARCHIVE, one) ==
			    (uint128)7009 * 60 * (unsigned int)minute);
	}
	pass(w, 60);
	must(ledger_tick(w->ledger, UINT64_MAX, &w->err));
	assert_true(accrued_now(w) >= 48 * 47 / 2);
	pass(w, 30);
	world_shut(w);
	world_open(w);
	assert_true(in_month(w, SEPTEMBER_MONTH, TIER_ARCHIVE, one) ==
		    (uint128)7009 * 3630);
}

/* 2^46 bytes for a year is more than 64 bits hold. */
static void a_petabyte_does_not_overflow(void **state)
{
	struct world *w = *state;
	const int64_t huge = INT64_C(1) << 62;
	const struct dept_set set = SET(COM);

	must(catalog_begin(w->cat, &w->err));
	must(holding_put(w->ledger, TIER_ARCHIVE, &set, huge, &w->err));
	must(catalog_commit(w->cat, &w->err));
	for (int i = 0; i < 30; i++) {
		pass(w, 24 * HOUR);
		must(ledger_tick(w->ledger, UINT64_MAX, &w->err));
	}
	assert_true(in_month(w, SEPTEMBER_MONTH, TIER_ARCHIVE, set) ==
		    (uint128)huge * 30 * 24 * HOUR);
}

static void sums_that_cannot_be_are_charged_again(void **state)
{
	struct world *w = *state;
	const bool go_on = false;

	make_file(w, COMDIR, "a", 100, 5120);
	flush(w);
	change(w, "UPDATE holding SET bytes = 10 WHERE tier = 0");
	post_unname(w, COMDIR, "a");
	post(w, CATALOG_EVENT_GONE,
	     &(const struct catalog_inode){ .ino = 100, .btime_ns = 77 });
	make_file(w, VILLE, "b", 101, 512);
	flush(w);
	assert_true(ledger_needs_recharge(w->ledger));
	must(ledger_recharge(w->ledger, &go_on, &w->err));
	assert_false(ledger_needs_recharge(w->ledger));
	assert_int_equal(held(w, TIER_HOT, SET(DEJ)), 512);
	assert_balanced(w);
}

/* An agent may make files of 8 EiB without a block. */
static void sparse_giants_do_not_overflow_the_sums(void **state)
{
	struct world *w = *state;

	for (uint64_t ino = 100; ino < 200; ino++) {
		char name[16];
		struct catalog_inode inode = file_of(ino, INT64_MAX);

		inode.blocks = 0;
		(void)snprintf(name, sizeof(name), "f%d", (int)ino);
		post(w, CATALOG_EVENT_INODE, &inode);
		post_name(w, COMDIR, name, ino);
	}
	flush(w);
	assert_int_equal(held(w, TIER_LOGICAL, SET(COM)),
			 100 * CHARGE_BYTES_MAX);
	assert_balanced(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(a_holding_is_split_where_a_month_ends),
		WORLD(when_the_clock_goes_back_nothing_accrues_twice),
		WORLD(the_latest_change_says_how_far_time_has_come),
		WORLD(what_is_watched_is_observed),
		WORLD(what_is_held_while_nobody_watches_counts),
		WORLD(the_state_directory_is_of_nobody),
		WORLD(many_sets_are_accrued_once_an_hour),
		WORLD(a_petabyte_does_not_overflow),
		WORLD(sums_that_cannot_be_are_charged_again),
		WORLD(sparse_giants_do_not_overflow_the_sums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
