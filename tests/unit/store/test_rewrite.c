/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/support.h"

#define KIB(n) ((size_t)(n) << 10)

static const struct pack_row first = { .id = 1, .state = PACK_SEALED };

static void live_chunks_and_recipes_move_and_the_pack_is_condemned(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(1, KIB(900));
	struct store_put_result r = put_data(w, data, KIB(900), 1);
	struct store_gc_result counts = { .bytes_freed = 0 };

	change(w, "UPDATE pack SET state = 1");
	must(w, pack_rewrite(w->store, &first, &counts, &w->err));
	assert_int_equal(counts.packs_condemned, 1);
	assert_true(counts.bytes_rewritten > KIB(900));
	assert_int_equal(query(w, "SELECT count(*) FROM chunk WHERE pack = 1"),
			 0);
	assert_int_equal(query(w, "SELECT pack FROM content"), 2);
	assert_int_equal(query(w, "SELECT condemned_s FROM pack WHERE id = 1"),
			 1700000000);
	assert_int_equal(query(w, "SELECT max(refs) FROM chunk"), 1);
	assert_int_equal(unlinkat(w->packs_fd, "01/0001.pack", 0), 0);
	world_reopen(w);
	assert_int_equal(read_all(w, &r.content, data, KIB(900)), 0);
	free(data);
}

static void a_pack_with_damage_is_not_condemned(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(2, KIB(900));
	struct store_gc_result counts = { .bytes_freed = 0 };

	(void)put_data(w, data, KIB(900), 1);
	change(w, "UPDATE pack SET state = 1");
	flip_byte(w, 1, PACK_HEADER_BYTES + 20000);
	must(w, pack_rewrite(w->store, &first, &counts, &w->err));
	assert_int_equal(counts.packs_condemned, 0);
	assert_int_equal(query(w, "SELECT state FROM pack WHERE id = 1"), 1);
	assert_true(query(w, "SELECT count(*) FROM chunk WHERE bad"
			     " AND pack = 1 AND refs = 1") > 0);
	assert_int_equal(query(w, "SELECT count(*) FROM chunk WHERE NOT bad"
				  " AND pack = 1"),
			 0);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(
			live_chunks_and_recipes_move_and_the_pack_is_condemned),
		world_test(a_pack_with_damage_is_not_condemned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
