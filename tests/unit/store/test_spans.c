/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/support.h"

#define KIB(n) ((size_t)(n) << 10)

/* As a catalog of schema 1 has them after its migration. */
static void as_of_schema_1(struct world *w)
{
	change(w, "UPDATE chunk SET stored_bytes = 0");
	change(w, "DELETE FROM meta WHERE key = 'store_spans'");
}

static int64_t sum_of_products(struct world *w)
{
	return query(w, "SELECT sum(stored_bytes * (1 + skip % 1009)) FROM"
			" chunk");
}

static void fill(struct world *w)
{
	uint8_t *data = some_text(1, KIB(1500));

	w->options.pack_bytes = KIB(100);
	world_reopen(w);
	for (uint64_t i = 1; i <= 5; i++)
		(void)put_data(w, data + i * 7, KIB(1500) - i * KIB(100), i);
	free(data);
}

static void what_an_old_catalog_does_not_say_is_filled_in(void **state)
{
	struct world *w = *state;
	int64_t before;

	fill(w);
	before = sum_of_products(w);
	assert_true(before > 0);
	as_of_schema_1(w);
	world_reopen(w);
	assert_int_equal(sum_of_products(w), before);
	/* Once. */
	change(w, "UPDATE chunk SET stored_bytes = 0");
	world_reopen(w);
	assert_int_equal(sum_of_products(w), 0);
}

static void what_cannot_be_read_is_passed_over(void **state)
{
	struct world *w = *state;
	int64_t chunks;
	int64_t filled;

	fill(w);
	chunks = query(w, "SELECT count(*) FROM chunk WHERE stored_bytes > 0");
	as_of_schema_1(w);
	flip_byte(w, 1,
		  query(w, "SELECT min(extent_off) FROM chunk"
			   " WHERE pack = 1"));
	world_reopen(w);
	filled = query(w, "SELECT count(*) FROM chunk WHERE stored_bytes > 0");
	assert_true(filled > 0);
	assert_true(filled < chunks);
}

static void a_readonly_store_fills_nothing(void **state)
{
	struct world *w = *state;

	fill(w);
	as_of_schema_1(w);
	w->options.readonly = true;
	world_reopen(w);
	assert_int_equal(sum_of_products(w), 0);
	w->options.readonly = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(what_an_old_catalog_does_not_say_is_filled_in),
		world_test(what_cannot_be_read_is_passed_over),
		world_test(a_readonly_store_fills_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
