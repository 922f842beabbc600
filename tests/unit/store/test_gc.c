/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/support.h"

#define KIB(n) ((size_t)(n) << 10)
#define DAY_S  INT64_C(86400)

static bool always_used(void *ctx, const struct catalog_inode *tied,
			const struct hash128 *content)
{
	(void)ctx;
	(void)content;
	assert_int_equal(tied->handle.len, 8);
	return true;
}

static struct store_gc_result
gc_with(struct world *w, bool (*used)(void *, const struct catalog_inode *,
				      const struct hash128 *))
{
	const struct store_gc_options options = { .grace_s = 30 * DAY_S,
						  .sync_fd = w->packs_fd,
						  .still_used = used };
	struct store_gc_result result;

	must(w, store_gc(w->store, &options, &result, &w->err));
	return result;
}

static struct store_gc_result gc(struct world *w)
{
	return gc_with(w, never_used);
}

static void days_pass(struct world *w, int64_t days)
{
	w->now_ns += days * DAY_S * NS_PER_S;
}

static void nothing_happens_to_what_is_used(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(1, KIB(100));
	struct store_put_result r = put_data(w, data, KIB(100), 1);
	struct store_gc_result g = gc(w);

	assert_int_equal(g.packs_condemned, 0);
	days_pass(w, 100);
	g = gc(w);
	assert_int_equal(g.packs_condemned + g.packs_unlinked, 0);
	assert_int_equal(read_all(w, &r.content, data, KIB(100)), 0);
	free(data);
}

static void an_unused_content_stays_readable_through_its_grace(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(2, KIB(100));
	struct store_put_result r = put_data(w, data, KIB(100), 1);
	struct store_gc_result g;

	gone(w, 1);
	g = gc(w);
	assert_int_equal(g.packs_condemned, 1);
	assert_int_equal(read_all(w, &r.content, data, KIB(100)), 0);
	days_pass(w, 29);
	g = gc(w);
	assert_int_equal(g.packs_unlinked, 0);
	assert_int_equal(read_all(w, &r.content, data, KIB(100)), 0);
	days_pass(w, 1);
	g = gc(w);
	assert_int_equal(g.packs_unlinked, 1);
	assert_int_equal(g.contents_dropped, 1);
	assert_true(g.bytes_freed > KIB(100));
	assert_int_equal(read_all(w, &r.content, data, KIB(100)),
			 -SOBRE_ENOCHUNK);
	assert_int_equal(faccessat(w->packs_fd, "01/0001.pack", F_OK, 0), -1);
	assert_int_equal(
		query(w, "SELECT (SELECT count(*) FROM chunk)"
			 " + (SELECT count(*) FROM content)"
			 " + (SELECT count(*) FROM tie)"
			 " + (SELECT count(*) FROM pack WHERE state < 3)"),
		0);
	free(data);
}

/* The catalog is wrong, or the pack was: nobody knows what is lost. */
static void a_row_that_no_record_tells_of_keeps_its_pack(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(2, KIB(100));

	(void)put_data(w, data, KIB(100), 1);
	gone(w, 1);
	assert_int_equal(gc(w).packs_condemned, 1);
	change(w, "INSERT INTO chunk(id, pack, extent_off, skip, len, refs)"
		  " VALUES(x'00000000000000000000000000000007', 1, 4096, 0, "
		  "100, 1)");
	days_pass(w, 30);
	assert_int_equal(gc(w).packs_unlinked, 0);
	assert_int_equal(faccessat(w->packs_fd, "01/0001.pack", F_OK, 0), 0);
	change(w, "UPDATE chunk SET refs = 0 WHERE id = "
		  "x'00000000000000000000000000000007'");
	assert_int_equal(gc(w).packs_unlinked, 1);
	free(data);
}

/* Then its records don't tell of all rows that name it. */
static void a_damaged_pack_that_nobody_needs_goes(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(2, KIB(400));

	(void)put_data(w, data, KIB(400), 1);
	gone(w, 1);
	assert_int_equal(gc(w).packs_condemned, 1);
	flip_byte(w, 1, PACK_HEADER_BYTES + 9000);
	days_pass(w, 30);
	assert_int_equal(gc(w).packs_unlinked, 1);
	assert_int_equal(query(w, "SELECT count(*) FROM chunk"), 0);
	free(data);
}

static void gc_keeps_a_chunk_two_contents_share(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(3, KIB(1000));
	struct store_put_result kept;

	(void)put_data(w, data, KIB(1000), 1);
	kept = put_data(w, data, KIB(200), 2); /* its first fifth */
	gone(w, 1);
	assert_int_equal(gc(w).packs_condemned, 1);
	days_pass(w, 30);
	assert_int_equal(gc(w).packs_unlinked, 1);
	assert_int_equal(read_all(w, &kept.content, data, KIB(200)), 0);
	world_reopen(w);
	assert_int_equal(read_all(w, &kept.content, data, KIB(200)), 0);
	free(data);
}

static void a_chunk_of_a_condemned_pack_is_not_adopted(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(4, KIB(300));
	struct store_put_result r;

	(void)put_data(w, data, KIB(300), 1);
	gone(w, 1);
	(void)gc(w);
	data[KIB(299)] ^= 1; /* shares its first chunks */
	r = put_data(w, data, KIB(300), 2);
	assert_int_equal(query(w, "SELECT count(*) FROM chunk c JOIN pack p"
				  " ON p.id = c.pack WHERE p.state = 2"
				  " AND c.refs > 0"),
			 0);
	days_pass(w, 30);
	assert_int_equal(gc(w).packs_unlinked, 1);
	assert_int_equal(read_all(w, &r.content, data, KIB(300)), 0);
	free(data);
}

static void a_content_put_again_in_its_grace_survives(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(5, KIB(300));
	struct store_put_result r = put_data(w, data, KIB(300), 1);

	gone(w, 1);
	(void)gc(w);
	(void)put_data(w, data, KIB(300), 2);
	days_pass(w, 30);
	assert_int_equal(gc(w).packs_unlinked, 1);
	assert_int_equal(read_all(w, &r.content, data, KIB(300)), 0);
	assert_int_equal(query(w, "SELECT min(refs) FROM chunk"), 1);
	free(data);
}

static void
an_orphan_in_a_living_pack_is_taken_back_without_new_bytes(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(6, KIB(1000));
	struct store_put_result small;
	struct store_put_result again;

	(void)put_data(w, data, KIB(800), 1);
	small = put_data(w, data + KIB(800), KIB(200), 2);
	gone(w, 2);
	assert_int_equal(gc(w).packs_condemned, 0);
	assert_int_equal(query(w, "SELECT sum(orphan) FROM content"), 1);
	again = put_data(w, data + KIB(800), KIB(200), 3);
	assert_true(again.known);
	assert_int_equal(again.new_bytes, 0);
	assert_int_equal(query(w, "SELECT sum(orphan) FROM content"), 0);
	assert_int_equal(query(w, "SELECT min(refs) FROM chunk"), 1);
	assert_int_equal(read_all(w, &small.content, data + KIB(800), KIB(200)),
			 0);
	free(data);
}

static void a_stub_the_catalog_lost_keeps_its_content(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(7, KIB(100));
	struct store_put_result r = put_data(w, data, KIB(100), 1);

	gone(w, 1);
	(void)gc_with(w, always_used);
	days_pass(w, 100);
	(void)gc_with(w, always_used);
	assert_int_equal(query(w, "SELECT orphan FROM content"), 0);
	assert_int_equal(read_all(w, &r.content, data, KIB(100)), 0);
	free(data);
}

static void a_stub_found_at_the_last_look_is_rescued(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(8, KIB(100));
	struct store_put_result r = put_data(w, data, KIB(100), 1);

	gone(w, 1);
	assert_int_equal(gc(w).packs_condemned, 1);
	days_pass(w, 30);
	assert_int_equal(gc_with(w, always_used).packs_unlinked, 1);
	assert_int_equal(query(w, "SELECT orphan FROM content"), 0);
	assert_int_equal(query(w, "SELECT min(refs) FROM chunk"), 1);
	assert_int_equal(read_all(w, &r.content, data, KIB(100)), 0);
	free(data);
}

static void an_inode_that_comes_back_revives_its_content(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(9, KIB(100));
	struct store_put_result r = put_data(w, data, KIB(100), 1);

	gone(w, 1);
	(void)gc(w);
	inode_comes_back(w, &r.content);
	days_pass(w, 30);
	(void)gc(w);
	assert_int_equal(query(w, "SELECT orphan FROM content"), 0);
	assert_int_equal(read_all(w, &r.content, data, KIB(100)), 0);
	free(data);
}

static int gc_fails(struct world *w,
		    bool (*used)(void *, const struct catalog_inode *,
				 const struct hash128 *))
{
	const struct store_gc_options options = { .grace_s = 30 * DAY_S,
						  .sync_fd = -1,
						  .still_used = used };
	struct store_gc_result result;

	return store_gc(w->store, &options, &result, &w->err);
}

/* Its chunks count nobody; dropping them would be for good, the damage may
 * not be. */
static void
nothing_is_dropped_while_a_content_in_use_cannot_be_counted(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(11, KIB(20));
	struct store_put_result r;

	each_record_in_its_pack(w);
	r = put_data(w, data, KIB(20), 1);
	gone(w, 1);
	assert_int_equal(gc(w).packs_condemned, 2);
	inode_comes_back(w, &r.content);
	flip_recipe(w);
	days_pass(w, 30);
	assert_int_equal(gc_fails(w, never_used), -SOBRE_ECORRUPT);
	assert_non_null(strstr(w->err.text, "cannot be counted"));
	flip_recipe(w);
	(void)gc(w);
	assert_int_equal(query(w, "SELECT min(refs) FROM chunk"), 1);
	assert_int_equal(read_all(w, &r.content, data, KIB(20)), 0);
	free(data);
}

/* The same of one that only a look at the inode knows to be used, and whose
 * recipe is not where the dropping is. */
static void
a_recipe_that_cannot_be_read_may_need_any_pack_that_goes(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(12, KIB(20));
	struct store_put_result r;

	each_record_in_its_pack(w);
	r = put_data(w, data, KIB(20), 1);
	gone(w, 1);
	(void)gc(w);
	days_pass(w, 30);
	change(w, "UPDATE pack SET state = 1, condemned_s = NULL"
		  " WHERE id = (SELECT pack FROM content)");
	flip_recipe(w);
	assert_int_equal(gc_fails(w, always_used), -SOBRE_ECORRUPT);
	flip_recipe(w);
	(void)gc_with(w, always_used);
	days_pass(w, 30);
	(void)gc_with(w, always_used);
	assert_int_equal(read_all(w, &r.content, data, KIB(20)), 0);
	free(data);
}

static void
a_damaged_orphan_that_nobody_uses_does_not_stop_the_dropping(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(13, KIB(20));

	each_record_in_its_pack(w);
	(void)put_data(w, data, KIB(20), 1);
	gone(w, 1);
	(void)gc(w);
	flip_recipe(w);
	days_pass(w, 30);
	assert_int_equal(gc(w).packs_unlinked, 2);
	free(data);
}

/* It was never counted off: neither twice on, when it comes back, nor for
 * ever, when its recipe can be read after all. */
static void an_orphan_whose_recipe_was_damaged_counts_on(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(14, KIB(20));
	struct store_put_result r = put_data(w, data, KIB(20), 1);

	flip_recipe(w);
	gone(w, 1);
	(void)gc(w);
	assert_int_equal(query(w, "SELECT orphan FROM content"),
			 CONTENT_ORPHAN_COUNTED);
	assert_int_equal(query(w, "SELECT min(refs) FROM chunk"), 1);
	inode_comes_back(w, &r.content);
	(void)gc(w);
	assert_int_equal(query(w, "SELECT orphan FROM content"), CONTENT_USED);
	assert_int_equal(query(w, "SELECT max(refs) FROM chunk"), 1);
	gone(w, 9);
	(void)gc(w);
	flip_recipe(w);
	(void)gc(w);
	assert_int_equal(query(w, "SELECT orphan FROM content"),
			 CONTENT_ORPHAN);
	assert_int_equal(query(w, "SELECT max(refs) FROM chunk"), 0);
	free(data);
}

static void gc_waits_for_a_scan(void **state)
{
	struct world *w = *state;
	const struct store_gc_options options = { .grace_s = 0 };
	struct store_gc_result result;

	(void)catalog_meta_set(w->cat, "needs_scan", 1, &w->err);
	store_close(w->store);
	catalog_close(w->cat);
	must(w, catalog_open(w->dir, CATALOG_CREATE, &w->options.clock, &w->cat,
			     &w->err));
	must(w,
	     store_open(w->packs_fd, w->cat, &w->options, &w->store, &w->err));
	if (catalog_needs_scan(w->cat))
		assert_int_equal(store_gc(w->store, &options, &result, &w->err),
				 -EAGAIN);
	else
		fail();
}

static void
a_pack_whose_unlinking_was_cut_short_goes_at_the_next_pass(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(10, KIB(50));

	(void)put_data(w, data, KIB(50), 1);
	gone(w, 1);
	(void)gc(w);
	/* As if the process had died between the commit and the unlink. */
	change(w, "DELETE FROM chunk");
	change(w, "DELETE FROM content");
	change(w, "UPDATE pack SET state = 3");
	world_reopen(w);
	assert_int_equal(gc(w).packs_unlinked, 1);
	assert_int_equal(faccessat(w->packs_fd, "01/0001.pack", F_OK, 0), -1);
	assert_int_equal(query(w, "SELECT count(*) FROM pack WHERE state < 3"),
			 0);
	free(data);
}

/* --- others at work, and passes that are cut -------------------------------
 */

#define KEPT 12
#define SIZE KIB(300)

struct pass {
	struct world *w;
	int stop_at; /* the call that ends it; 0: none */
	int calls;
	bool busy; /* somebody packs and unlinks meanwhile */
};

/* Half of it is its neighbour's too. */
static uint8_t *shared_data(uint32_t n)
{
	uint8_t *data = some_noise(n / 2, SIZE);
	uint8_t *own = some_noise(1000 + n, SIZE / 2);

	memcpy(data + SIZE / 2, own, SIZE / 2);
	free(own);
	return data;
}

static struct store_put_result put_shared(struct world *w, uint32_t n)
{
	uint8_t *data = shared_data(n);
	struct store_put_result r = put_data(w, data, SIZE, n);

	free(data);
	return r;
}

/* What the packer and agents may do between any two steps. */
static bool step(void *ctx, uint64_t done, uint64_t total)
{
	struct pass *pass = ctx;

	(void)done;
	(void)total;
	pass->calls++;
	if (pass->busy && pass->calls % 3 == 0)
		(void)put_shared(pass->w, 200 + (uint32_t)pass->calls % 40);
	/* The half that was collected: equal data comes back. */
	if (pass->busy && pass->calls % 5 == 0)
		(void)put_shared(pass->w, 1 + (uint32_t)pass->calls % KEPT);
	if (pass->busy && pass->calls % 7 == 0)
		gone(pass->w, 200 + (uint64_t)pass->calls % 40);
	return pass->calls != pass->stop_at;
}

static int one_pass(struct pass *pass)
{
	const struct store_gc_options options = { .grace_s = 0,
						  .min_live_percent = 99,
						  .sync_fd = pass->w->packs_fd,
						  .still_used = never_used,
						  .progress = step,
						  .ctx = pass };
	struct store_gc_result result;

	return store_gc(pass->w->store, &options, &result, &pass->w->err);
}

static void all_that_is_named_reads_back(struct world *w)
{
	for (uint32_t n = 1; n < 300; n++) {
		struct catalog_inode inode;
		uint8_t *data;

		if (catalog_inode_get(w->cat, n, 1, &inode, &w->err) < 0)
			continue;
		data = shared_data(n);
		assert_int_equal(read_all(w, &inode.content, data, SIZE), 0);
		free(data);
	}
	/* Of chunks in use, none is where nothing is. */
	assert_int_equal(query(w, "SELECT count(*) FROM chunk c LEFT JOIN pack"
				  " p ON p.id = c.pack WHERE c.refs > 0"
				  " AND (p.state IS NULL OR p.state = 3)"),
			 0);
}

static void fill_and_remove(struct world *w)
{
	w->options.pack_bytes = KIB(1000);
	world_reopen(w);
	for (uint32_t n = 1; n <= KEPT; n++)
		(void)put_shared(w, n);
	for (uint32_t n = 1; n <= KEPT; n += 3)
		gone(w, n);
}

static void others_may_pack_between_any_two_steps(void **state)
{
	struct pass pass = { .w = *state, .busy = true };

	fill_and_remove(pass.w);
	for (int i = 0; i < 6; i++) {
		must(pass.w, one_pass(&pass));
		all_that_is_named_reads_back(pass.w);
		world_reopen(pass.w);
		all_that_is_named_reads_back(pass.w);
	}
	must(pass.w, store_rebuild(pass.w->store, NULL, NULL, &pass.w->err));
	all_that_is_named_reads_back(pass.w);
}

/* Each step ends with a commit: to stop after it is to die after it. */
static void a_pass_cut_after_any_step_loses_nothing(void **state)
{
	int cuts = 0;
	int rc;

	do {
		struct pass pass = { .w = world_new(), .stop_at = ++cuts };

		(void)state;
		fill_and_remove(pass.w);
		rc = one_pass(&pass);
		assert_true(rc == 0 || rc == -ECANCELED);
		world_reopen(pass.w);
		all_that_is_named_reads_back(pass.w);
		pass.stop_at = 0;
		must(pass.w, one_pass(&pass));
		all_that_is_named_reads_back(pass.w);
		assert_int_equal(query(pass.w, "SELECT count(*) FROM content"
					       " WHERE orphan != 0"),
				 0);
		assert_int_equal(query(pass.w, "SELECT count(*) FROM chunk"
					       " WHERE refs = 0"),
				 0);
		world_free(pass.w);
	} while (rc != 0);
	assert_true(cuts > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(nothing_happens_to_what_is_used),
		world_test(an_unused_content_stays_readable_through_its_grace),
		world_test(a_row_that_no_record_tells_of_keeps_its_pack),
		world_test(a_damaged_pack_that_nobody_needs_goes),
		world_test(gc_keeps_a_chunk_two_contents_share),
		world_test(a_chunk_of_a_condemned_pack_is_not_adopted),
		world_test(a_content_put_again_in_its_grace_survives),
		world_test(
			an_orphan_in_a_living_pack_is_taken_back_without_new_bytes),
		world_test(a_stub_the_catalog_lost_keeps_its_content),
		world_test(a_stub_found_at_the_last_look_is_rescued),
		world_test(an_inode_that_comes_back_revives_its_content),
		world_test(
			nothing_is_dropped_while_a_content_in_use_cannot_be_counted),
		world_test(
			a_recipe_that_cannot_be_read_may_need_any_pack_that_goes),
		world_test(
			a_damaged_orphan_that_nobody_uses_does_not_stop_the_dropping),
		world_test(an_orphan_whose_recipe_was_damaged_counts_on),
		world_test(gc_waits_for_a_scan),
		world_test(
			a_pack_whose_unlinking_was_cut_short_goes_at_the_next_pass),
		world_test(others_may_pack_between_any_two_steps),
		cmocka_unit_test(a_pass_cut_after_any_step_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
