/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/ledger/support.h"

#define SEPTEMBER_2026 (12 * 2026 + 8)
#define MONTH_SECONDS  (30 * 24 * INT64_C(3600))

/* What a cause added to the set less what it took, now. */
static int64_t flowed(struct world *w, enum ledger_cause cause,
		      struct dept_set set)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s =
		catalog_read_stmt(w->cat,
				  "SELECT coalesce(sum(iif(tier % 2, -bytes,"
				  " bytes)), 0) FROM holding"
				  " WHERE members = ?1 AND tier / 2 = ?2",
				  &w->err);

	assert_non_null(s);
	dept_set_bind(s, 1, &set);
	stmt_bind_i64(s, 2, TIER_FLOWS / 2 + cause);
	assert_int_equal(stmt_step(s, &w->err), 1);
	return stmt_i64(s, 0);
}

static void what_is_written_and_removed_is_new_and_gone(void **state)
{
	struct world *w = *state;
	struct catalog_inode f = file_of(100, 4096);

	make_file(w, URBANISME, "a", 100, 4096);
	make_file(w, URBANISME, "b", 101, 1024);
	flush(w);
	assert_int_equal(flowed(w, CAUSE_NEW, SET(URB)), 5120);
	f.size_bytes = 512; /* shrinks */
	f.blocks = 1;
	post(w, CATALOG_EVENT_INODE, &f);
	flush(w);
	assert_int_equal(flowed(w, CAUSE_NEW, SET(URB)), 5120);
	assert_int_equal(flowed(w, CAUSE_GONE, SET(URB)), -3584);
	post(w, CATALOG_EVENT_GONE, &f);
	flush(w);
	assert_int_equal(flowed(w, CAUSE_GONE, SET(URB)), -4096);
	assert_flows(w);
}

static void packing_takes_blocks_and_adds_packs(void **state)
{
	struct world *w = *state;
	int64_t packed = 0;

	make_file(w, URBANISME, "a", 100, 300032);
	flush(w);
	(void)pack(w, 100, "x");
	packed = (int64_t)held(w, TIER_PACKED, SET(URB));
	assert_true(packed > 0);
	assert_int_equal(flowed(w, CAUSE_PACKED, SET(URB)), packed - 300032);
	assert_int_equal(flowed(w, CAUSE_GONE, SET(URB)), 0);
	assert_flows(w);
	unpack(w, 100);
	assert_int_equal(flowed(w, CAUSE_PACKED, SET(URB)),
			 300000 / 512 * 512 - 300032);
	assert_int_equal(flowed(w, CAUSE_NEW, SET(URB)), 300032);
	assert_flows(w);
}

static void who_comes_to_hold_the_same_moves_it_to_both(void **state)
{
	struct world *w = *state;
	int64_t x = 0;

	make_file(w, URBANISME, "a", 100, 512);
	make_file(w, COMDIR, "b", 101, 512);
	flush(w);
	(void)pack(w, 100, "x");
	x = (int64_t)held(w, TIER_PACKED, SET(URB));
	(void)pack(w, 101, "x");
	assert_int_equal(held(w, TIER_PACKED, SET(URB)), 0);
	assert_int_equal(flowed(w, CAUSE_SHARED, SET(URB)), -x);
	assert_int_equal(flowed(w, CAUSE_SHARED, SET(URB, COM)), x);
	assert_flows(w);
	/* One leaves: the other has it all again. */
	post(w, CATALOG_EVENT_GONE,
	     &(struct catalog_inode){ .ino = 101, .btime_ns = 77 });
	flush(w);
	assert_int_equal(flowed(w, CAUSE_SHARED, SET(URB)), 0);
	assert_int_equal(flowed(w, CAUSE_SHARED, SET(URB, COM)), 0);
	assert_int_equal(flowed(w, CAUSE_GONE, SET(COM)), 0);
	assert_flows(w);
}

static void what_changes_departments_has_moved(void **state)
{
	struct world *w = *state;

	make_file(w, URBANISME, "a", 100, 4096);
	flush(w);
	post_move(w, URBANISME, "a", COMDIR, "a");
	flush(w);
	assert_int_equal(flowed(w, CAUSE_MOVED, SET(URB)), -4096);
	assert_int_equal(flowed(w, CAUSE_MOVED, SET(COM)), 4096);
	assert_int_equal(flowed(w, CAUSE_GONE, SET(URB)), 0);
	assert_int_equal(flowed(w, CAUSE_NEW, SET(COM)), 0);
	assert_flows(w);
}

static uint128 told(const struct ledger_flows *flows, enum ledger_cause cause,
		    bool less)
{
	for (unsigned int i = 0; i < flows->n; i++)
		if (flows->row[i].cause == cause && flows->row[i].less == less)
			return flows->row[i].byte_seconds;
	return 0;
}

static void a_month_has_their_means_and_no_tier_of_theirs(void **state)
{
	struct world *w = *state;
	struct ledger_flows flows;
	struct ledger_month m;
	const struct catalog_inode f = file_of(100, 4096);

	pass(w, MONTH_SECONDS / 3);
	make_file(w, URBANISME, "a", 100, 4096);
	flush(w);
	pass(w, MONTH_SECONDS / 3);
	post(w, CATALOG_EVENT_GONE, &f);
	flush(w);
	pass(w, MONTH_SECONDS / 3 + 5);
	must(ledger_flows_get(w->cat, SEPTEMBER_2026, atomic_load(&w->now_s),
			      &flows, &w->err));
	assert_int_equal(flows.since_s, SEPTEMBER);
	assert_int_equal(flows.n, 2);
	assert_true(told(&flows, CAUSE_NEW, false) ==
		    (uint128)4096 * (MONTH_SECONDS / 3 * 2));
	assert_true(told(&flows, CAUSE_GONE, true) ==
		    (uint128)4096 * (MONTH_SECONDS / 3));
	ledger_flows_release(&flows);
	must(ledger_month_get(w->cat, SEPTEMBER_2026, atomic_load(&w->now_s),
			      &m, &w->err));
	for (unsigned int i = 0; i < m.n; i++)
		assert_true(m.row[i].tier < TIERS);
	ledger_month_release(&m);
	assert_balanced(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(what_is_written_and_removed_is_new_and_gone),
		WORLD(packing_takes_blocks_and_adds_packs),
		WORLD(who_comes_to_hold_the_same_moves_it_to_both),
		WORLD(what_changes_departments_has_moved),
		WORLD(a_month_has_their_means_and_no_tier_of_theirs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
