/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/ledger/support.h"

static void each_difference_is_found(void **state)
{
	static const char *const wrong[][2] = {
		{ "UPDATE charge SET blocks = 3 WHERE ino = 100",
		  "UPDATE charge SET blocks = 1 WHERE ino = 100" },
		{ "UPDATE charge SET size_bytes = 3 WHERE ino = 100",
		  "UPDATE charge SET size_bytes = 512 WHERE ino = 100" },
		{ "UPDATE charge SET btime_ns = 3 WHERE ino = 100",
		  "UPDATE charge SET btime_ns = 77 WHERE ino = 100" },
		{ "UPDATE charge SET members = x'0200' WHERE ino = 100",
		  "UPDATE charge SET members = x'0300' WHERE ino = 100" },
		{ "UPDATE charge SET content = NULL WHERE ino = 101",
		  "UPDATE charge SET content = (SELECT content FROM inode"
		  " WHERE ino = 101) WHERE ino = 101" },
		{ "UPDATE charge SET ino = 555 WHERE ino = 100",
		  "UPDATE charge SET ino = 100 WHERE ino = 555" },
		{ "UPDATE holding SET bytes = bytes + 1 WHERE tier = 0",
		  "UPDATE holding SET bytes = bytes - 1 WHERE tier = 0" },
		{ "UPDATE holding SET bytes = bytes + 1 WHERE tier = 1",
		  "UPDATE holding SET bytes = bytes - 1 WHERE tier = 1" },
		{ "UPDATE holding SET bytes = bytes + 1 WHERE tier = 4",
		  "UPDATE holding SET bytes = bytes - 1 WHERE tier = 4" },
		{ "UPDATE charge SET regular = 0 WHERE ino = 100",
		  "UPDATE charge SET regular = 1 WHERE ino = 100" },
		{ "UPDATE charge SET parent = 13 WHERE ino = 100",
		  "UPDATE charge SET parent = 12 WHERE ino = 100" },
		{ "UPDATE charge SET own_high = own_high + 1 WHERE ino = 101",
		  "UPDATE charge SET own_high = own_high - 1 WHERE ino = 101" },
		{ "UPDATE charge SET exclusive_bytes = 1 WHERE ino = 100",
		  "UPDATE charge SET exclusive_bytes = 0 WHERE ino = 100" },
		{ "INSERT INTO apart VALUES(100)",
		  "DELETE FROM apart WHERE ino = 100" },
		{ "INSERT INTO apart VALUES(999)",
		  "DELETE FROM apart WHERE ino = 999" },
		{ "DELETE FROM apart WHERE ino = 102",
		  "INSERT INTO apart VALUES(102)" },
		{ "UPDATE folder SET files = files + 1 WHERE ino = 12",
		  "UPDATE folder SET files = files - 1 WHERE ino = 12" },
		{ "UPDATE folder SET packed = packed + 1 WHERE ino = 12",
		  "UPDATE folder SET packed = packed - 1 WHERE ino = 12" },
		{ "UPDATE folder SET blocks = blocks + 1 WHERE ino = 12",
		  "UPDATE folder SET blocks = blocks - 1 WHERE ino = 12" },
		{ "UPDATE folder SET logical_high = 7 WHERE ino = 13",
		  "UPDATE folder SET logical_high = 0 WHERE ino = 13" },
		{ "UPDATE folder SET logical_low = 7 WHERE ino = 13",
		  "UPDATE folder SET logical_low = 0 WHERE ino = 13" },
		{ "UPDATE folder SET own_low = 7 WHERE ino = 13",
		  "UPDATE folder SET own_low = 0 WHERE ino = 13" },
		{ "UPDATE folder SET exclusive_bytes = 7 WHERE ino = 13",
		  "UPDATE folder SET exclusive_bytes = 0 WHERE ino = 13" },
		{ "UPDATE folder SET parent = 10 WHERE ino = 13",
		  "UPDATE folder SET parent = 2 WHERE ino = 13" },
		{ "UPDATE folder SET parent = 0 WHERE ino = 13",
		  "UPDATE folder SET parent = 2 WHERE ino = 13" },
		{ "UPDATE folder SET ino = 999 WHERE ino = 13",
		  "UPDATE folder SET ino = 13 WHERE ino = 999" },
		{ "UPDATE chunk SET stored_bytes = stored_bytes + 5",
		  "UPDATE chunk SET stored_bytes = stored_bytes - 5" },
	};
	struct world *w = *state;

	make_file(w, COMDIR, "a", 100, 512);
	make_file(w, COMDIR, "b", 101, 512);
	make_file(w, COMDIR, "c", 102, 512);
	post_name(w, COMDIR, "c too", 102);
	flush(w);
	(void)pack(w, 101, "x");
	assert_balanced(w);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		int n = 0;

		change(w, wrong[i][0]);
		n = ledger_check(w->cat, w->store, NULL, NULL, &w->err);
		if (n <= 0)
			print_error("%s: %d\n", wrong[i][0], n);
		assert_true(n > 0);
		change(w, wrong[i][1]);
		assert_balanced(w);
	}
}

static void
shares_that_do_not_add_up_are_found_when_they_are_current(void **state)
{
	struct world *w = *state;

	make_file(w, COMDIR, "a", 100, 512);
	flush(w);
	(void)pack(w, 100, "x");
	change(w, "UPDATE charge SET own_high = own_high - 1 WHERE ino = 100");
	change(w, "UPDATE folder SET own_high = own_high - 1 WHERE ino = 12");
	assert_int_equal(ledger_check(w->cat, w->store, NULL, NULL, &w->err),
			 1);
	must(catalog_meta_set(w->cat, META_SHARES_DIRTY, 1, &w->err));
	assert_balanced(w);
	count(w);
	assert_int_equal(ask(w, "SELECT own_high FROM charge WHERE ino = 100"),
			 (int64_t)held(w, TIER_PACKED, SET(COM)));
	assert_balanced(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(each_difference_is_found),
		WORLD(shares_that_do_not_add_up_are_found_when_they_are_current),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
