/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/support.h"

#define KIB(n) ((size_t)(n) << 10)

/* How many of the rows that name pack 1 the list has. */
static int64_t rows_in(struct world *w, const struct here *here)
{
	int64_t n = 0;

	for (size_t i = 0; i < here->n; i++) {
		struct chunk_row row;
		int rc = chunk_row_get(w->store, VIEW_COMMITTED,
				       &here->chunk[i].id, &row, &w->err);

		must(w, rc);
		n += rc > 0 && row.pack == 1 && row.off == here->chunk[i].off;
	}
	return n;
}

static int64_t rows(struct world *w)
{
	return query(w, "SELECT count(*) FROM chunk WHERE pack = 1");
}

/* Also of extents whose table is longer than what is read at once. */
static void a_pack_lists_all_its_chunks(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(1, KIB(900));
	struct here here = { .n = 0 };

	(void)put_data(w, data, KIB(900), 1);
	must(w, catalog_begin(w->cat, &w->err));
	for (uint32_t i = 0; i < 1000; i++) {
		struct writer *writer;
		struct hash128 id;

		must(w, writer_get(w->store, &writer, &w->err));
		hash128(&w->options.key, &i, sizeof(i), &id);
		must(w, pending_add(w->store, &id, (const uint8_t *)&i,
				    sizeof(i), 1, &w->err));
	}
	must(w, store_sync(w->store, &w->err));
	must(w, catalog_commit(w->cat, &w->err));
	must(w, here_list(w->store, 1, &here, &w->err));
	assert_true(here.n > 1000);
	assert_int_equal(rows_in(w, &here), rows(w));
	here_release(&here);
	must(w, here_scan(w->store, 1, &here, &w->err));
	assert_int_equal(here.n, rows(w));
	assert_int_equal(rows_in(w, &here), rows(w));
	here_release(&here);
	free(data);
}

static void rows_tell_when_a_record_cannot_be_followed(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(2, KIB(900));
	struct here here = { .n = 0 };

	(void)put_data(w, data, KIB(900), 1);
	flip_byte(w, 1, PACK_HEADER_BYTES + 10);
	must(w, here_list(w->store, 1, &here, &w->err));
	assert_int_equal(rows_in(w, &here), rows(w));
	here_release(&here);
	assert_int_equal(unlinkat(w->packs_fd, "01/0001.pack", 0), 0);
	world_reopen(w);
	must(w, here_list(w->store, 1, &here, &w->err));
	assert_int_equal(rows_in(w, &here), rows(w));
	here_release(&here);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(a_pack_lists_all_its_chunks),
		world_test(rows_tell_when_a_record_cannot_be_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
