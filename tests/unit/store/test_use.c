/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/holders.h"

#define KIB(n)	 ((size_t)(n) << 10)
#define CONTENTS 10
#define PIECES	 12
#define INODES	 24
#define STEPS	 400

static void watch(struct world *w, struct holders *h)
{
	*h = (struct holders){ .charges = 0 };
	store_on_charge(w->store, take_charge, h);
}

static struct store_gc_result gc_all(struct world *w)
{
	const struct store_gc_options options = { .min_live_percent = 95,
						  .sync_fd = w->packs_fd,
						  .still_used = never_used };
	struct store_gc_result result;

	must(w, store_gc(w->store, &options, &result, &w->err));
	return result;
}

static uint32_t draw(uint64_t *seed, uint32_t below)
{
	*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
	return (uint32_t)((*seed >> 33) % below);
}

/* Contents that have pieces in common, some of them twice. */
struct pool {
	uint8_t *data[CONTENTS];
	size_t len[CONTENTS];
};

static void pool_fill(struct pool *pool, uint64_t *seed)
{
	for (size_t i = 0; i < CONTENTS; i++) {
		size_t pieces = 1 + draw(seed, 4);

		pool->len[i] = 0;
		pool->data[i] = malloc(pieces * KIB(150));
		assert_non_null(pool->data[i]);
		for (size_t k = 0; k < pieces; k++) {
			uint32_t which = draw(seed, PIECES);
			size_t len = KIB(20 + 10 * which);
			uint8_t *piece = which % 2 ? some_text(which, len)
						   : some_noise(which, len);

			memcpy(pool->data[i] + pool->len[i], piece, len);
			pool->len[i] += len;
			free(piece);
		}
	}
}

static void pool_free(struct pool *pool)
{
	for (size_t i = 0; i < CONTENTS; i++)
		free(pool->data[i]);
}

static struct dept_set draw_set(uint64_t *seed)
{
	return set_of(draw(seed, 3) ? UINT32_C(1) << draw(seed, 5)
				    : 1 + draw(seed, 31));
}

/* Returns the bytes that gc moved. */
static uint64_t step(struct world *w, struct holders *h,
		     const struct pool *pool, uint64_t *seed)
{
	uint64_t ino = 1 + draw(seed, INODES);
	uint32_t what = draw(seed, 16);
	uint32_t i = draw(seed, CONTENTS);

	if (what == 0)
		return gc_all(w).bytes_rewritten;
	if (!h->file[ino].there)
		(void)hold(w, h, ino, draw_set(seed), pool->data[i],
			   pool->len[i]);
	else if (what < 5)
		move_to(w, h, ino, draw_set(seed));
	else
		let_go(w, h, ino);
	return 0;
}

static void charges_follow_whatever_happens(void **state)
{
	struct world *w = *state;
	struct holders *h = calloc(1, sizeof(*h));
	struct pool pool;
	uint64_t seed = 42;
	uint64_t rewritten = 0;

	assert_non_null(h);
	w->options.pack_bytes = KIB(400);
	world_reopen(w);
	watch(w, h);
	pool_fill(&pool, &seed);
	for (int i = 0; i < STEPS; i++) {
		rewritten += step(w, h, &pool, &seed);
		if (i % 20 == 0)
			check_shares(w, h);
	}
	assert_true(rewritten > KIB(1000));
	(void)gc_all(w);
	check_shares(w, h);
	assert_int_equal(query(w, "SELECT count(*) FROM chunk WHERE"
				  " (users IS NULL) != (refs = 0)"),
			 0);
	for (uint64_t ino = 1; ino <= INODES; ino++)
		if (h->file[ino].there)
			let_go(w, h, ino);
	assert_int_equal(check_charges(w, h), 0);
	assert_int_equal(catalog_meta_get(w->cat, STORE_META_RECOUNT, 0), 0);
	pool_free(&pool);
	free(h);
}

/* Each extent's chunks take just what it takes. */
static void parts_of_an_extent_add_up_to_it(void **state)
{
	struct world *w = *state;
	struct walk_item item = { .body = NULL };
	struct walk walk;
	int64_t sum = 0;
	int extents = 0;
	uint64_t ino = 1;

	for (uint32_t i = 1; i < 40; i++) {
		uint8_t *data = some_text(i, i * 997);

		(void)put_data(w, data, i * 997, ino++);
		free(data);
	}
	must(w, walk_start(&walk, w->store, 1, PACK_HEADER_BYTES, 0, &w->err));
	while (walk_next(&walk, &item, &w->err) > 0) {
		char sql[128];

		if (item.record.type != RECORD_EXTENT)
			continue;
		(void)snprintf(sql, sizeof(sql),
			       "SELECT sum(stored_bytes) FROM chunk"
			       " WHERE extent_off = %llu",
			       (unsigned long long)item.off);
		assert_int_equal(query(w, sql), item.end - item.off);
		sum += query(w, sql);
		extents++;
	}
	walk_end(&walk, &item);
	assert_true(extents > 10);
	assert_int_equal(query(w, "SELECT sum(stored_bytes) FROM chunk"), sum);
}

static void a_chunk_that_comes_twice_is_used_twice(void **state)
{
	struct world *w = *state;
	struct holders h;
	uint8_t *data = calloc(1, KIB(1024));
	const struct dept_set set = set_of(2);
	struct hash128 id;
	struct store_share share;

	watch(w, &h);
	memset(data, 'x', KIB(1024));
	id = hold(w, &h, 1, set, data, KIB(1024));
	assert_int_equal(query(w, "SELECT count(*) FROM chunk"), 1);
	assert_int_equal(query(w, "SELECT users = x'010008000000' FROM chunk"),
			 1);
	must(w, store_share(w->store, &id, &set, &share, &w->err));
	assert_int_equal(share.exclusive_bytes, share.stored_bytes);
	assert_int_equal(store_share_bytes(share.own_q64), share.stored_bytes);
	let_go(w, &h, 1);
	assert_int_equal(query(w, "SELECT users IS NULL FROM chunk"), 1);
	free(data);
}

static void a_rollback_leaves_users_as_they_were(void **state)
{
	struct world *w = *state;
	struct holders h;
	const struct dept_set other = set_of(8);
	uint8_t *data = some_noise(1, KIB(100));
	int64_t before;

	watch(w, &h);
	(void)hold(w, &h, 1, set_of(2), data, KIB(100));
	before = check_charges(w, &h);
	must(w, catalog_begin(w->cat, &w->err));
	store_on_charge(w->store, NULL, NULL);
	must(w, store_use(w->store, &h.file[1].content, &other, NULL, &w->err));
	catalog_rollback(w->cat);
	assert_int_equal(check_charges(w, &h), before);
	assert_int_equal(catalog_meta_get(w->cat, STORE_META_RECOUNT, 0), 0);
	free(data);
}

static void without_a_recipe_a_recount_is_noted(void **state)
{
	struct world *w = *state;
	struct holders h;
	uint8_t *data = some_noise(1, KIB(100));

	watch(w, &h);
	(void)hold(w, &h, 1, set_of(2), data, KIB(100));
	flip_recipe(w);
	assert_int_equal(catalog_meta_get(w->cat, STORE_META_RECOUNT, 0), 0);
	let_go(w, &h, 1);
	assert_int_equal(catalog_meta_get(w->cat, STORE_META_RECOUNT, 0), 1);
	assert_true(check_charges(w, &h) > 0);
	free(data);
}

static void more_taken_than_given_is_noted(void **state)
{
	struct world *w = *state;
	struct holders h;
	uint8_t *data = some_noise(1, KIB(100));

	watch(w, &h);
	(void)hold(w, &h, 1, set_of(2), data, KIB(100));
	h.file[1].set = set_of(6);
	let_go(w, &h, 1);
	assert_int_equal(catalog_meta_get(w->cat, STORE_META_RECOUNT, 0), 1);
	assert_int_equal(check_charges(w, &h), 0);
	free(data);
}

/* What nobody hears is to be counted again. */
static void charges_nobody_takes_are_noted(void **state)
{
	struct world *w = *state;
	const struct dept_set set = set_of(2);
	uint8_t *data = some_noise(1, KIB(100));
	struct store_put_result r = put_data(w, data, KIB(100), 1);

	must(w, catalog_begin(w->cat, &w->err));
	must(w, store_use(w->store, &r.content, &set, NULL, &w->err));
	must(w, catalog_commit(w->cat, &w->err));
	assert_int_equal(catalog_meta_get(w->cat, STORE_META_RECOUNT, 0), 1);
	free(data);
}

static void forgetting_takes_all_back(void **state)
{
	struct world *w = *state;
	struct holders h;
	uint8_t *data = some_noise(1, KIB(300));

	watch(w, &h);
	(void)hold(w, &h, 1, set_of(2), data, KIB(300));
	(void)hold(w, &h, 2, set_of(4), data + KIB(100), KIB(200));
	must(w, catalog_begin(w->cat, &w->err));
	must(w, store_use_forget(w->store, &w->err));
	must(w, catalog_commit(w->cat, &w->err));
	assert_int_equal(check_charges(w, &h), 0);
	free(data);
}

static void a_rebuild_takes_all_back_and_wants_a_recount(void **state)
{
	struct world *w = *state;
	struct holders h;
	uint8_t *data = some_noise(1, KIB(300));
	int64_t stored;
	int64_t charged_before;

	watch(w, &h);
	(void)hold(w, &h, 1, set_of(2), data, KIB(300));
	charged_before = check_charges(w, &h);
	stored = query(w, "SELECT sum(stored_bytes) FROM chunk");
	assert_int_equal(stored, charged_before);
	must(w, store_rebuild(w->store, NULL, NULL, &w->err));
	assert_int_equal(check_charges(w, &h), 0);
	assert_int_equal(catalog_meta_get(w->cat, STORE_META_RECOUNT, 0), 1);
	assert_int_equal(query(w, "SELECT sum(stored_bytes) FROM chunk"),
			 stored);
	must(w, catalog_begin(w->cat, &w->err));
	must(w, store_use(w->store, &h.file[1].content, &h.file[1].set, NULL,
			  &w->err));
	must(w, catalog_commit(w->cat, &w->err));
	assert_int_equal(check_charges(w, &h), charged_before);
	free(data);
}

/* Even when nobody said that the file is gone. */
static void what_is_dropped_is_charged_no_more(void **state)
{
	struct world *w = *state;
	struct holders h;
	uint8_t *data = some_noise(1, KIB(300));

	watch(w, &h);
	(void)hold(w, &h, 1, set_of(2), data, KIB(300));
	gone(w, 1);
	assert_true(check_charges(w, &h) > 0);
	assert_int_equal(gc_all(w).packs_unlinked, 1);
	assert_int_equal(check_charges(w, &h), 0);
	assert_int_equal(query(w, "SELECT count(*) FROM chunk"), 0);
	free(data);
}

/* It can't be moved, and goes on taking what it takes. */
static void a_chunk_found_damaged_by_gc_stays_charged(void **state)
{
	struct world *w = *state;
	struct holders h;
	uint8_t *data = some_noise(1, KIB(600));

	watch(w, &h);
	(void)hold(w, &h, 1, set_of(2), data, KIB(300));
	(void)hold(w, &h, 2, set_of(4), data + KIB(300), KIB(300));
	let_go(w, &h, 1);
	flip_byte(w, 1,
		  query(w, "SELECT max(extent_off) + 4000 FROM chunk"
			   " WHERE users IS NOT NULL"));
	(void)gc_all(w);
	assert_true(query(w, "SELECT sum(bad) FROM chunk") > 0);
	check_shares(w, &h);
	free(data);
}

/* The healed copy takes other space than the damaged one: alone in its
 * extent, where there were others. */
static void a_healed_chunk_is_charged_by_its_new_copy(void **state)
{
	struct world *w = *state;
	struct holders h;
	uint8_t *data = some_text(1, KIB(120));
	int64_t before;

	watch(w, &h);
	(void)hold(w, &h, 1, set_of(2), data, KIB(120));
	before = check_charges(w, &h);
	change(w, "UPDATE chunk SET bad = 1 WHERE skip > 0");
	(void)hold(w, &h, 2, set_of(2), data, KIB(100));
	assert_int_not_equal(check_charges(w, &h), before);
	check_shares(w, &h);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(charges_follow_whatever_happens),
		world_test(parts_of_an_extent_add_up_to_it),
		world_test(a_chunk_that_comes_twice_is_used_twice),
		world_test(a_rollback_leaves_users_as_they_were),
		world_test(without_a_recipe_a_recount_is_noted),
		world_test(more_taken_than_given_is_noted),
		world_test(charges_nobody_takes_are_noted),
		world_test(forgetting_takes_all_back),
		world_test(a_rebuild_takes_all_back_and_wants_a_recount),
		world_test(what_is_dropped_is_charged_no_more),
		world_test(a_chunk_found_damaged_by_gc_stays_charged),
		world_test(a_healed_chunk_is_charged_by_its_new_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
