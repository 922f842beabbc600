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
		{ "UPDATE chunk SET stored_bytes = stored_bytes + 5",
		  "UPDATE chunk SET stored_bytes = stored_bytes - 5" },
	};
	struct world *w = *state;

	make_file(w, COMDIR, "a", 100, 512);
	make_file(w, COMDIR, "b", 101, 512);
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

int main(void)
{
	const struct CMUnitTest tests[] = { WORLD(each_difference_is_found) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
