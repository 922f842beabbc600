/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/support.h"

/* More one-byte chunks than a table may name. */
static void an_extent_never_exceeds_its_bounds(void **state)
{
	struct world *w = *state;
	struct writer *writer;

	must(w, catalog_begin(w->cat, &w->err));
	must(w, writer_get(w->store, &writer, &w->err));
	for (uint32_t i = 0; i < EXTENT_COUNT_MAX + 5; i++) {
		struct hash128 id;

		hash128(&w->options.key, &i, sizeof(i), &id);
		must(w, pending_add(w->store, &id, (const uint8_t *)&i,
				    sizeof(i), 1, &w->err));
		assert_non_null(pending_find(writer->pending, &id));
	}
	assert_int_equal(writer->pending->n, 5);
	must(w, store_sync(w->store, &w->err));
	must(w, catalog_commit(w->cat, &w->err));
	assert_int_equal(writer->pending->n, 0);
	assert_int_equal(query(w, "SELECT count(*) FROM chunk"),
			 EXTENT_COUNT_MAX + 5);
	assert_int_equal(query(w, "SELECT count(DISTINCT extent_off)"
				  " FROM chunk"),
			 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(an_extent_never_exceeds_its_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
