/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/support.h"

static void moving_a_chunk_adds_its_counts_and_heals_it(void **state)
{
	struct world *w = *state;
	struct chunk_row row = { .id = { { 5 } },
				 .pack = 1,
				 .off = 256,
				 .len = 9,
				 .refs = 2,
				 .bad = true };

	must(w, catalog_begin(w->cat, &w->err));
	must(w, chunk_row_put(w->store, &row, &w->err));
	row.pack = 2;
	row.refs = 1;
	row.bad = false;
	must(w, chunk_row_put(w->store, &row, &w->err));
	assert_int_equal(
		chunk_row_get(w->store, VIEW_WRITER, &row.id, &row, &w->err),
		1);
	assert_int_equal(row.pack, 2);
	assert_int_equal(row.refs, 3);
	assert_false(row.bad);
	/* A pack without a row is no place to share from. */
	assert_int_equal(
		pack_takes_uses(w->store, VIEW_WRITER, row.pack, &w->err), 0);
	catalog_rollback(w->cat);
}

static void counts_never_go_below_nought(void **state)
{
	struct world *w = *state;
	struct chunk_row row = {
		.id = { { 5 } }, .pack = 1, .len = 9, .refs = 1
	};

	must(w, catalog_begin(w->cat, &w->err));
	must(w, chunk_row_put(w->store, &row, &w->err));
	must(w, chunk_row_count(w->store, &row.id, -3, &w->err));
	must(w, chunk_row_get(w->store, VIEW_WRITER, &row.id, &row, &w->err));
	assert_int_equal(row.refs, 0);
	row.id.bytes[0] = 6;
	assert_int_equal(chunk_row_count(w->store, &row.id, 1, &w->err),
			 -SOBRE_ENOCHUNK);
	catalog_rollback(w->cat);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(moving_a_chunk_adds_its_counts_and_heals_it),
		world_test(counts_never_go_below_nought),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
