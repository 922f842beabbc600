/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/ledger/support.h"

#define SEPTEMBER_MONTH (2026 * 12 + 8)
#define GB		UINT64_C(1000000000)

static void tell(struct world *w, struct dept_set set, int64_t bytes)
{
	must(catalog_begin(w->cat, &w->err));
	must(ledger_charged(w->ledger, &set, bytes, false, &w->err));
	must(catalog_commit(w->cat, &w->err));
}

static void archive(struct world *w, struct dept_set set, int64_t bytes)
{
	must(catalog_begin(w->cat, &w->err));
	must(holding_put(w->ledger, TIER_ARCHIVE, &set, bytes, &w->err));
	must(catalog_commit(w->cat, &w->err));
}

static void to_hour(struct world *w, int64_t hour)
{
	atomic_store(&w->now_s, SEPTEMBER + hour * HOUR);
}

/* The worked example of docs/design/footprint.md: objects A to E. */
static void the_worked_example_comes_out_to_the_byte_second(void **state)
{
	struct world *w = *state;
	const struct catalog_inode e = file_of(104, 4 * GB);
	struct catalog_inode c = file_of(102, 1200000000);

	make_file(w, URBANISME, "A", 100, 3 * GB);
	make_file(w, URBANISME, "B", 101, 6 * GB);
	post_name(w, VILLE, "B", 101);
	post_name(w, COMDIR, "B", 101);
	make_file(w, VILLE, "C", 102, 1200000000);
	flush(w);
	archive(w, SET(COM), 10 * (int64_t)GB);
	to_hour(w, 240);
	post_unname(w, COMDIR, "B");
	flush(w);
	to_hour(w, 360);
	c.blocks = 0;
	post(w, CATALOG_EVENT_INODE, &c);
	flush(w);
	tell(w, SET(DEJ), 300000000);
	to_hour(w, 480);
	post(w, CATALOG_EVENT_INODE, &e);
	post_name(w, COMDIR, "E", 104);
	flush(w);
	to_hour(w, 720);
	flush(w);
	/* Nothing is accrued at the end: the reader adds what is due. */
	assert_true(in_month(w, SEPTEMBER_MONTH, TIER_HOT, SET(URB)) ==
		    7776000000000000u);
	assert_true(in_month(w, SEPTEMBER_MONTH, TIER_HOT,
			     SET(URB, DEJ, COM)) == 5184000000000000u);
	assert_true(in_month(w, SEPTEMBER_MONTH, TIER_HOT, SET(URB, DEJ)) ==
		    10368000000000000u);
	assert_true(in_month(w, SEPTEMBER_MONTH, TIER_HOT, SET(DEJ)) ==
		    1555200000000000u);
	assert_true(in_month(w, SEPTEMBER_MONTH, TIER_PACKED, SET(DEJ)) ==
		    388800000000000u);
	assert_true(in_month(w, SEPTEMBER_MONTH, TIER_HOT, SET(COM)) ==
		    3456000000000000u);
	assert_true(in_month(w, SEPTEMBER_MONTH, TIER_ARCHIVE, SET(COM)) ==
		    25920000000000000u);
	assert_true(in_month(w, SEPTEMBER_MONTH, TIER_LOGICAL, SET(DEJ)) ==
		    (uint128)1200000000 * 720 * HOUR);
	to_hour(w, 720 + 10);
	assert_true(in_month(w, SEPTEMBER_MONTH + 1, TIER_HOT, SET(COM)) ==
		    (uint128)4 * GB * 10 * HOUR);
	/* A month later it is the same. */
	to_hour(w, 720 + 500);
	must(ledger_tick(w->ledger, 0, &w->err));
	assert_true(in_month(w, SEPTEMBER_MONTH, TIER_HOT, SET(COM)) ==
		    3456000000000000u);
	assert_true(in_month(w, SEPTEMBER_MONTH + 1, TIER_HOT, SET(COM)) ==
		    (uint128)4 * GB * 500 * HOUR);
}

static void a_month_not_known_or_ahead_is_an_error(void **state)
{
	struct world *w = *state;
	struct ledger_month m;

	assert_int_equal(ledger_month_get(w->cat, SEPTEMBER_MONTH - 1,
					  SEPTEMBER + 5, &m, &w->err),
			 -ENOENT);
	assert_int_equal(ledger_month_get(w->cat, SEPTEMBER_MONTH + 1,
					  SEPTEMBER + 5, &m, &w->err),
			 -EINVAL);
	must(ledger_month_get(w->cat, SEPTEMBER_MONTH, SEPTEMBER + 5, &m,
			      &w->err));
	assert_int_equal(m.start_s, SEPTEMBER);
	assert_int_equal(m.end_s, SEPTEMBER + 5);
	assert_int_equal(m.first_s, SEPTEMBER);
	ledger_month_release(&m);
}

static void rows_come_by_tier_and_set_each_once(void **state)
{
	struct world *w = *state;
	struct ledger_month m;

	make_file(w, COMDIR, "a", 100, 512);
	make_file(w, URBANISME, "b", 101, 512);
	make_file(w, DIVERS, "c", 102, 512);
	flush(w);
	pass(w, 60);
	must(ledger_tick(w->ledger, 4096, &w->err));
	pass(w, 60);
	must(ledger_month_get(w->cat, SEPTEMBER_MONTH, atomic_load(&w->now_s),
			      &m, &w->err));
	assert_int_equal(m.n, 7);
	for (unsigned int i = 1; i < m.n; i++)
		assert_true(m.row[i - 1].tier < m.row[i].tier ||
			    dept_set_compare(&m.row[i - 1].set, &m.row[i].set) <
				    0);
	assert_true(row_of(m.row, m.n, TIER_HOT, SET(COM)) == 512 * 120);
	assert_true(row_of(m.row, m.n, TIER_STATE,
			   (struct dept_set){ .n = 0 }) == 4096 * 60);
	ledger_month_release(&m);
}

static void a_bad_row_is_an_error(void **state)
{
	struct world *w = *state;
	struct ledger_month m;
	struct tier_time *row = NULL;
	unsigned int n = 0;

	change(w, "INSERT INTO holding VALUES(x'0100', 9, 512, 5)");
	assert_int_equal(ledger_month_get(w->cat, SEPTEMBER_MONTH,
					  SEPTEMBER + 5, &m, &w->err),
			 -SOBRE_ECORRUPT);
	assert_int_equal(ledger_now(w->cat, &row, &n, &w->err),
			 -SOBRE_ECORRUPT);
}

static void reading_writes_nothing(void **state)
{
	struct world *w = *state;
	struct catalog *cat = NULL;
	struct ledger_month m;

	make_file(w, COMDIR, "a", 100, 512);
	flush(w);
	world_shut(w);
	must(catalog_open(w->dir, CATALOG_READONLY, &w->clock, &cat, &w->err));
	must(ledger_month_get(cat, SEPTEMBER_MONTH, SEPTEMBER + HOUR, &m,
			      &w->err));
	assert_true(row_of(m.row, m.n, TIER_HOT, SET(COM)) == 512 * HOUR);
	ledger_month_release(&m);
	assert_int_equal(ledger_check(cat, NULL, say, NULL, &w->err), 0);
	catalog_close(cat);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(the_worked_example_comes_out_to_the_byte_second),
		WORLD(a_month_not_known_or_ahead_is_an_error),
		WORLD(rows_come_by_tier_and_set_each_once),
		WORLD(a_bad_row_is_an_error),
		WORLD(reading_writes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
