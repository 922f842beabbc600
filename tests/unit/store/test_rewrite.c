/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/support.h"

#define KIB(n) ((size_t)(n) << 10)

static void live_chunks_and_recipes_move_and_the_pack_is_condemned(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(1, KIB(900));
	struct store_put_result r = put_data(w, data, KIB(900), 1);
	struct store_gc_result counts = { .bytes_freed = 0 };

	change(w, "UPDATE pack SET state = 1");
	must(w, pack_rewrite(w->store, 1, NULL, &counts, &w->err));
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
	must(w, pack_rewrite(w->store, 1, NULL, &counts, &w->err));
	assert_int_equal(counts.packs_condemned, 0);
	assert_int_equal(query(w, "SELECT state FROM pack WHERE id = 1"), 1);
	assert_true(query(w, "SELECT count(*) FROM chunk WHERE bad"
			     " AND pack = 1 AND refs = 1") > 0);
	assert_int_equal(query(w, "SELECT count(*) FROM chunk WHERE NOT bad"
				  " AND pack = 1"),
			 0);
	free(data);
}

static bool count_calls(void *ctx, uint64_t done, uint64_t total)
{
	(void)done;
	(void)total;
	(*(int *)ctx)++;
	return true;
}

/* A transaction keeps other writers waiting. */
static void a_big_pack_takes_several_transactions(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(3, KIB(17000));
	int calls = 0;
	const struct store_gc_options options = { .progress = count_calls,
						  .ctx = &calls };
	struct store_put_result r = put_data(w, data, KIB(17000), 1);
	struct store_gc_result counts = { .bytes_freed = 0 };

	change(w, "UPDATE pack SET state = 1");
	must(w, pack_rewrite(w->store, 1, &options, &counts, &w->err));
	assert_true(calls >= 5);
	assert_int_equal(counts.packs_condemned, 1);
	assert_true(counts.bytes_rewritten < counts.bytes_live * 101 / 100);
	assert_int_equal(read_all(w, &r.content, data, KIB(17000)), 0);
	free(data);
}

/* Sentences that differ in a word: who looks harder finds more. */
static uint8_t *some_prose(size_t len)
{
	uint8_t *data = malloc(len + 256);
	uint64_t x = 1;
	size_t at = 0;

	assert_non_null(data);
	while (at < len) {
		unsigned int which;
		unsigned int other;

		x = x * UINT64_C(6364136223846793005) + 1442695040888963407U;
		which = (unsigned int)((x >> 40) % 60);
		other = (unsigned int)((x >> 20) % 8);
		for (unsigned int i = 0; i < 4 + which % 7; i++)
			at += (size_t)snprintf((char *)data + at, 16, "%x ",
					       (which * 31 + i * i * 17 +
						(i == 2 ? other : 0)) %
						       400 * 7919);
	}
	return data;
}

/* The bytes written for what lived, the header of the pack not counted. */
static int64_t rewritten_by(struct world *w, enum store_effort packed,
			    enum store_effort moved)
{
	const struct store_gc_options options = { .effort = moved };
	struct store_gc_result counts = { .bytes_freed = 0 };
	uint8_t *data = some_prose(KIB(900));
	struct store_put_result r;

	must(w, store_set_effort(w->store, packed, &w->err));
	r = put_data(w, data, KIB(900), 1);
	change(w, "UPDATE pack SET state = 1");
	must(w, pack_rewrite(w->store, 1, &options, &counts, &w->err));
	assert_int_equal(unlinkat(w->packs_fd, "01/0001.pack", 0), 0);
	world_reopen(w);
	assert_int_equal(read_all(w, &r.content, data, KIB(900)), 0);
	free(data);
	return (int64_t)(counts.bytes_rewritten - PACK_HEADER_BYTES) -
	       (int64_t)counts.bytes_live;
}

static void what_lives_whole_is_copied_as_it_is(void **state)
{
	assert_int_equal(
		rewritten_by(*state, STORE_EFFORT_HIGH, STORE_EFFORT_LOW), 0);
}

static void on_an_idle_machine_it_becomes_smaller(void **state)
{
	assert_true(rewritten_by(*state, STORE_EFFORT_LOW, STORE_EFFORT_HIGH) <
		    -1000);
}

static void what_is_as_small_as_can_be_stays(void **state)
{
	assert_int_equal(
		rewritten_by(*state, STORE_EFFORT_HIGH, STORE_EFFORT_HIGH), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(
			live_chunks_and_recipes_move_and_the_pack_is_condemned),
		world_test(a_pack_with_damage_is_not_condemned),
		world_test(a_big_pack_takes_several_transactions),
		world_test(what_lives_whole_is_copied_as_it_is),
		world_test(on_an_idle_machine_it_becomes_smaller),
		world_test(what_is_as_small_as_can_be_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
