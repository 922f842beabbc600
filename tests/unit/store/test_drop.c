/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/support.h"

#define KIB(n) ((size_t)(n) << 10)

static struct store_gc_result drop(struct world *w)
{
	const struct store_gc_options options = { .grace_s = 10,
						  .sync_fd = w->packs_fd };
	struct store_gc_result result = { .bytes_freed = 0 };

	must(w, gc_drop(w->store, &options, &result, &w->err));
	return result;
}

/* Counts are read again in the transaction that forgets: whatever condemned
 * the pack, what is counted leaves it first. */
static void what_is_counted_is_moved_out_and_not_dropped(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(1, KIB(200));
	struct store_put_result r = put_data(w, data, KIB(200), 1);

	change(w, "UPDATE pack SET state = 2, condemned_s = 5");
	assert_int_equal(drop(w).packs_unlinked, 1);
	assert_int_equal(read_all(w, &r.content, data, KIB(200)), 0);
	free(data);
}

static void a_pack_with_damage_that_is_counted_stays(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(2, KIB(200));

	(void)put_data(w, data, KIB(200), 1);
	flip_byte(w, 1, PACK_HEADER_BYTES + 5000);
	change(w, "UPDATE pack SET state = 2, condemned_s = 5");
	assert_int_equal(drop(w).packs_unlinked, 0);
	assert_true(pack_size(w, 1) > 0);
	free(data);
}

/* The recipe of one content may lie in a pack that goes, its chunks not; or
 * the other way round. */
static void an_orphan_goes_with_any_part_of_it(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(3, KIB(200));

	(void)put_data(w, data, KIB(200), 1);
	gone(w, 1);
	change(w, "UPDATE content SET orphan = 1");
	change(w, "UPDATE chunk SET refs = 0");
	change(w, "UPDATE pack SET state = 2, condemned_s = 5");
	change(w, "UPDATE chunk SET pack = 99");
	change(w, "INSERT INTO pack VALUES(99, 1, 256, NULL)");
	assert_int_equal(drop(w).contents_dropped, 1);
	assert_int_equal(query(w, "SELECT count(*) FROM content"), 0);
	assert_true(query(w, "SELECT count(*) FROM chunk") > 0);
	free(data);
}

static void the_number_of_a_dropped_pack_is_not_given_again(void **state)
{
	struct world *w = *state;

	(void)put_data(w, "hello", 5, 1);
	gone(w, 1);
	change(w, "DELETE FROM content");
	change(w, "UPDATE chunk SET refs = 0");
	change(w, "UPDATE pack SET state = 2, condemned_s = 5");
	assert_int_equal(drop(w).packs_unlinked, 1);
	assert_int_equal(drop(w).packs_unlinked, 0);
	(void)put_data(w, "again", 5, 2);
	assert_int_equal(query(w, "SELECT pack FROM chunk"), 2);
	assert_int_equal(drop(w).packs_unlinked, 0);
	assert_int_equal(query(w, "SELECT count(*) FROM pack"), 1);
}

struct reviving {
	struct world *w;
	int at; /* the call in which it happens */
	int calls;
	int64_t rows; /* there were then */
};

/* As another pass does, when a stub is found after all. */
static bool revive(void *ctx, uint64_t done, uint64_t total)
{
	struct reviving *r = ctx;

	(void)done;
	(void)total;
	if (++r->calls != r->at)
		return true;
	change(r->w, "UPDATE chunk SET refs = 1");
	r->rows = query(r->w, "SELECT count(*) FROM chunk");
	return true;
}

static int drop_reviving_at(int at)
{
	struct reviving r = { .w = world_new(), .at = at };
	const struct store_gc_options options = { .grace_s = 10,
						  .sync_fd = r.w->packs_fd,
						  .progress = revive,
						  .ctx = &r };
	struct store_gc_result result = { .bytes_freed = 0 };
	uint8_t *data = some_noise(4, KIB(400));

	(void)put_data(r.w, data, KIB(400), 1);
	gone(r.w, 1);
	change(r.w, "UPDATE content SET orphan = 1");
	change(r.w, "UPDATE chunk SET refs = 0");
	change(r.w, "UPDATE pack SET state = 2, condemned_s = 5");
	must(r.w, gc_drop(r.w->store, &options, &result, &r.w->err));
	assert_int_equal(query(r.w, "SELECT count(*) FROM chunk"), r.rows);
	if (r.rows > 0)
		assert_int_equal(query(r.w, "SELECT count(*) FROM chunk c"
					    " JOIN pack p ON p.id = c.pack"
					    " WHERE p.state < 3"),
				 r.rows);
	world_free(r.w);
	free(data);
	return r.calls;
}

static void what_is_counted_at_any_moment_is_not_forgotten(void **state)
{
	int at = 0;

	(void)state;
	do
		at++;
	while (drop_reviving_at(at) >= at);
	assert_true(at > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(the_number_of_a_dropped_pack_is_not_given_again),
		world_test(what_is_counted_is_moved_out_and_not_dropped),
		world_test(a_pack_with_damage_that_is_counted_stays),
		world_test(an_orphan_goes_with_any_part_of_it),
		cmocka_unit_test(
			what_is_counted_at_any_moment_is_not_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
