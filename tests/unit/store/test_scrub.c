/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/support.h"

#define KIB(n) ((size_t)(n) << 10)

static void note(void *ctx, const struct hash128 *content)
{
	struct error err = ERROR_INIT;

	assert_int_equal(ids_add(ctx, content, &err), 0);
}

static struct store_scrub_result scrub(struct world *w, struct ids *bad)
{
	struct store_scrub_result result;

	must(w, store_scrub(w->store, NULL, note, bad, &result, &w->err));
	return result;
}

static void scrub_finds_nothing_in_a_sound_store(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_text(1, KIB(600));
	struct store_scrub_result s;
	struct ids bad = { .n = 0 };

	(void)put_data(w, data, KIB(600), 1);
	s = scrub(w, &bad);
	assert_int_equal(s.bad_records + s.bad_chunks + bad.n, 0);
	assert_int_equal(s.records,
			 query(w, "SELECT count(DISTINCT extent_off) + 1"
				  " FROM chunk"));
	assert_int_equal(s.bytes + PACK_HEADER_BYTES,
			 (uint64_t)pack_size(w, 1));
	free(data);
}

static void scrub_names_the_contents_that_damage_hurts(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(2, KIB(300));
	struct store_put_result hurt = put_data(w, data, KIB(100), 1);
	struct store_scrub_result s;
	struct ids bad = { .n = 0 };

	(void)put_data(w, data + KIB(100), KIB(100), 2);
	flip_byte(w, 1, PACK_HEADER_BYTES + 9000);
	s = scrub(w, &bad);
	assert_int_equal(s.bad_records, 1);
	assert_true(s.bad_chunks > 0);
	assert_int_equal(bad.n, 1);
	assert_int_equal(hash128_compare(&bad.id[0], &hurt.content), 0);
	ids_release(&bad);
	/* Equal data heals it; scrub then has nothing more to say of it. */
	(void)put_data(w, data, KIB(100), 3);
	s = scrub(w, &bad);
	assert_int_equal(s.bad_records + s.bad_chunks + bad.n, 0);
	assert_int_equal(s.dead_records, 1);
	assert_int_equal(read_all(w, &hurt.content, data, KIB(100)), 0);
	free(data);
}

static void scrub_goes_on_after_a_lost_length(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(3, KIB(900));
	struct store_scrub_result s;
	struct ids bad = { .n = 0 };
	int64_t extents;

	(void)put_data(w, data, KIB(900), 1);
	extents = query(w, "SELECT count(DISTINCT extent_off) FROM chunk");
	flip_byte(w, 1, PACK_HEADER_BYTES + 10);
	s = scrub(w, &bad);
	assert_int_equal(s.bad_records, 1);
	assert_int_equal(s.records, extents + 1);
	assert_int_equal(query(w, "SELECT count(DISTINCT extent_off) FROM"
				  " chunk WHERE bad = 0"),
			 extents - 1);
	assert_int_equal(bad.n, 1);
	ids_release(&bad);
	free(data);
}

static void scrub_takes_back_what_reads_well_again(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(4, KIB(100));
	struct ids bad = { .n = 0 };

	(void)put_data(w, data, KIB(100), 1);
	flip_byte(w, 1, PACK_HEADER_BYTES + 9000);
	assert_true(scrub(w, &bad).bad_chunks > 0);
	ids_release(&bad);
	flip_byte(w, 1, PACK_HEADER_BYTES + 9000);
	assert_int_equal(scrub(w, &bad).bad_chunks, 0);
	assert_int_equal(bad.n, 0);
	assert_int_equal(query(w, "SELECT bad FROM content"), 0);
	free(data);
}

/* As a power cut leaves it: what came later in the pack was written, what came
 * before was not. */
static void scrub_blames_nothing_for_a_hole_that_a_cut_left(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(3, KIB(100));
	struct store_scrub_result s;
	struct ids bad = { .n = 0 };
	off_t end;
	int fd;

	(void)put_data(w, data, KIB(50), 1);
	end = pack_size(w, 1);
	must(w, catalog_begin(w->cat, &w->err));
	fd = file_of(w, data + KIB(50), KIB(50));
	must(w, store_put(w->store, fd, KIB(50),
			  &(struct store_put_result){ 0 }, &w->err));
	must(w, store_sync(w->store, &w->err));
	(void)close(fd);
	catalog_rollback(w->cat);  /* cut before the commit */
	flip_byte(w, 1, end + 40); /* the recipe comes before its chunks */
	world_reopen(w);
	s = scrub(w, &bad);
	assert_int_equal(s.bad_records + s.bad_chunks + bad.n, 0);
	assert_int_equal(s.dead_records, 1);
	free(data);
}

/* A codec of a later version: not ours to call bad. */
static void scrub_stops_at_what_a_newer_sobre_wrote(void **state)
{
	const struct record record = { .type = RECORD_EXTENT,
				       .codec = 9,
				       .codec_version = 1,
				       .body_len = 21,
				       .raw_len = 1,
				       .n = 1 };
	struct world *w = *state;
	uint8_t bytes[64] = { 0 };
	struct store_scrub_result result;
	struct writer *writer;
	uint64_t pack;
	uint64_t off;

	bytes[32 + 16] = 1;
	must(w, catalog_begin(w->cat, &w->err));
	must(w, writer_get(w->store, &writer, &w->err));
	must(w, append_record(w->store, &record, bytes, &pack, &off, &w->err));
	must(w, store_sync(w->store, &w->err));
	must(w, catalog_commit(w->cat, &w->err));
	assert_int_equal(
		store_scrub(w->store, NULL, NULL, NULL, &result, &w->err),
		-SOBRE_ESCHEMA);
	assert_int_equal(store_rebuild(w->store, NULL, NULL, &w->err),
			 -SOBRE_ESCHEMA);
}

static void scrub_mends_a_header(void **state)
{
	struct world *w = *state;
	struct ids bad = { .n = 0 };

	(void)put_data(w, "hello", 5, 1);
	flip_byte(w, 1, 20);
	assert_int_equal(scrub(w, &bad).bad_records, 1);
	assert_int_equal(scrub(w, &bad).bad_records, 0);
}

static void scrub_reports_a_lost_pack(void **state)
{
	struct world *w = *state;
	struct ids bad = { .n = 0 };

	(void)put_data(w, "hello", 5, 1);
	assert_int_equal(unlinkat(w->packs_fd, "01/0001.pack", 0), 0);
	world_reopen(w);
	assert_true(scrub(w, &bad).bad_records > 0);
	assert_int_equal(bad.n, 1);
	ids_release(&bad);
}

static bool say_stop(void *ctx, uint64_t done, uint64_t total)
{
	(void)ctx;
	(void)done;
	(void)total;
	return false;
}

static void packs_can_be_scrubbed_one_by_one(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(5, KIB(300));
	struct store_put_result hurt;
	struct ids bad = { .n = 0 };
	uint64_t after = 0;
	int packs = 0;
	int rc;

	w->options.pack_bytes = KIB(100);
	world_reopen(w);
	(void)put_data(w, data, KIB(100), 1);
	hurt = put_data(w, data + KIB(100), KIB(100), 2);
	flip_byte(w, (uint64_t)query(w, "SELECT max(pack) FROM chunk"), 9000);
	/* One that is stopped is read again. */
	assert_int_equal(store_scrub_next(w->store, &after, say_stop, note,
					  &bad, &w->err),
			 -ECANCELED);
	assert_int_equal(after, 0);
	while ((rc = store_scrub_next(w->store, &after, NULL, note, &bad,
				      &w->err)) > 0)
		packs++;
	must(w, rc);
	assert_int_equal(packs, query(w, "SELECT count(*) FROM pack"));
	assert_int_equal(bad.n, 1);
	assert_int_equal(hash128_compare(&bad.id[0], &hurt.content), 0);
	ids_release(&bad);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(scrub_finds_nothing_in_a_sound_store),
		world_test(scrub_names_the_contents_that_damage_hurts),
		world_test(scrub_goes_on_after_a_lost_length),
		world_test(scrub_takes_back_what_reads_well_again),
		world_test(scrub_blames_nothing_for_a_hole_that_a_cut_left),
		world_test(scrub_stops_at_what_a_newer_sobre_wrote),
		world_test(scrub_mends_a_header),
		world_test(scrub_reports_a_lost_pack),
		world_test(packs_can_be_scrubbed_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
