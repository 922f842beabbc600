/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/support.h"

/* Of the only content. */
static void recipe_of(struct world *w, const struct hash128 *id,
		      struct recipe *ret_recipe)
{
	struct content_row row;

	assert_int_equal(
		content_row_get(w->store, VIEW_WRITER, id, &row, &w->err), 1);
	must(w, recipe_load(w->store, &row, ret_recipe, &w->err));
}

static int64_t refs_now(struct world *w)
{
	int64_t refs;

	must(w, store_query(w->store, VIEW_WRITER,
			    "SELECT refs FROM chunk WHERE refs >= ?1", 0, &refs,
			    &w->err));
	return refs;
}

static void counting_on_and_off_leaves_nothing(void **state)
{
	struct world *w = *state;
	struct store_put_result r = put_data(w, "hello", 5, 1);
	struct recipe recipe;

	must(w, catalog_begin(w->cat, &w->err));
	recipe_of(w, &r.content, &recipe);
	assert_int_equal(recipe_count(w->store, &recipe, &w->err), 0);
	assert_int_equal(refs_now(w), 2);
	must(w, recipe_uncount(w->store, &recipe, &w->err));
	assert_int_equal(refs_now(w), 1);
	recipe_release(&recipe);
	catalog_rollback(w->cat);
}

static void a_chunk_in_no_pack_is_counted_but_not_found(void **state)
{
	struct world *w = *state;
	struct store_put_result r = put_data(w, "hello", 5, 1);
	struct recipe_entry entry;
	struct chunk_row row;
	struct recipe recipe;

	must(w, catalog_begin(w->cat, &w->err));
	recipe_of(w, &r.content, &recipe);
	recipe_at(&recipe, 0, &entry);
	assert_int_equal(
		chunk_row_get(w->store, VIEW_WRITER, &entry.id, &row, &w->err),
		1);
	must(w, store_run(w->store, "DELETE FROM chunk", NULL, 0, &w->err));
	assert_int_equal(recipe_count(w->store, &recipe, &w->err), 1);
	assert_int_equal(recipe_count(w->store, &recipe, &w->err), 1);
	assert_int_equal(
		chunk_row_get(w->store, VIEW_WRITER, &entry.id, &row, &w->err),
		0);
	/* Equal data comes. */
	row.refs = 1;
	must(w, chunk_row_put(w->store, &row, &w->err));
	assert_int_equal(refs_now(w), 3);
	recipe_release(&recipe);
	catalog_rollback(w->cat);
}

static void rows_of_missing_chunks_go_with_their_last_count(void **state)
{
	struct world *w = *state;
	struct store_put_result r = put_data(w, "hello", 5, 1);
	struct recipe recipe;
	int64_t n;

	must(w, catalog_begin(w->cat, &w->err));
	recipe_of(w, &r.content, &recipe);
	must(w, store_run(w->store, "DELETE FROM chunk", NULL, 0, &w->err));
	assert_int_equal(recipe_count(w->store, &recipe, &w->err), 1);
	must(w, missing_forget(w->store, &w->err));
	assert_int_equal(refs_now(w), 1);
	must(w, recipe_uncount(w->store, &recipe, &w->err));
	must(w, missing_forget(w->store, &w->err));
	must(w, store_query(w->store, VIEW_WRITER,
			    "SELECT count(*) FROM chunk WHERE refs >= ?1", 0,
			    &n, &w->err));
	assert_int_equal(n, 0);
	recipe_release(&recipe);
	catalog_rollback(w->cat);
}

static void an_orphan_that_cannot_be_read_stays_one(void **state)
{
	struct world *w = *state;
	struct store_put_result r = put_data(w, "hello", 5, 1);

	change(w, "UPDATE content SET orphan = 1");
	change(w, "UPDATE chunk SET refs = 0");
	flip_recipe(w);
	assert_int_equal(content_revive(w->store, &r.content, &w->err),
			 -SOBRE_ECORRUPT);
	assert_int_equal(query(w, "SELECT orphan FROM content"),
			 CONTENT_ORPHAN);
	flip_recipe(w);
	must(w, content_revive(w->store, &r.content, &w->err));
	must(w, content_revive(w->store, &r.content, &w->err));
	assert_int_equal(query(w, "SELECT orphan FROM content"), CONTENT_USED);
	assert_int_equal(query(w, "SELECT refs FROM chunk"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(counting_on_and_off_leaves_nothing),
		world_test(a_chunk_in_no_pack_is_counted_but_not_found),
		world_test(rows_of_missing_chunks_go_with_their_last_count),
		world_test(an_orphan_that_cannot_be_read_stays_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
