/* SPDX-License-Identifier: EUPL-1.2 */
#include <sys/resource.h>

#include "tests/unit/store/support.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const bool sanitized = true;
#elif defined(__has_feature)
static const bool sanitized =
	__has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
static const bool sanitized = false;
#endif

#define KIB(n) ((size_t)(n) << 10)

static void what_is_put_reads_back(void **state)
{
	static const size_t sizes[] = { 0,	   1,
					4095,	   KIB(32) - 1,
					KIB(32),   KIB(300) + 7,
					KIB(1024), KIB(3000) + 1 };
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t *data = some_text((uint32_t)i, sizes[i]);
		struct store_put_result r = put_data(w, data, sizes[i], i + 1);

		assert_false(r.known);
		assert_int_equal(read_all(w, &r.content, data, sizes[i]), 0);
		free(data);
	}
	world_reopen(w);
	assert_int_equal(query(w, "SELECT count(*) FROM content"), 8);
}

/* Words come again, as in a language. */
static uint8_t *some_prose(size_t len)
{
	uint8_t *data = malloc(len + 32);
	uint64_t x = 9;
	size_t at = 0;

	assert_non_null(data);
	while (at < len) {
		x = x * UINT64_C(6364136223846793005) + 1442695040888963407U;
		at += (size_t)snprintf(
			(char *)data + at, 32, "%llx ",
			(unsigned long long)((x >> 52) * 0x9e3779b9u));
	}
	return data;
}

static void more_effort_stores_less_and_reads_the_same(void **state)
{
	struct world *low = *state;
	struct world *high = world_new();
	uint8_t *data = some_prose(KIB(250));
	struct store_put_result r;

	must(high,
	     store_set_effort(high->store, STORE_EFFORT_HIGH, &high->err));
	(void)put_data(low, data, KIB(250), 1);
	r = put_data(high, data, KIB(250), 1);
	assert_true(pack_size(high, 1) < pack_size(low, 1));
	assert_int_equal(read_all(high, &r.content, data, KIB(250)), 0);
	free(data);
	world_free(high);
}

static void a_copy_costs_nothing(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(1, KIB(200));
	struct store_put_result first = put_data(w, data, KIB(200), 1);
	off_t size = pack_size(w, 1);
	struct store_put_result second = put_data(w, data, KIB(200), 2);

	assert_true(second.known);
	assert_true(second.verified);
	assert_false(first.verified);
	assert_int_equal(second.new_bytes, 0);
	assert_int_equal(hash128_compare(&first.content, &second.content), 0);
	assert_int_equal(pack_size(w, 1), size);
	assert_int_equal(query(w, "SELECT max(refs) FROM chunk"), 1);
	free(data);
}

static void a_copy_in_the_same_batch_costs_nothing(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(1, KIB(200));
	int fd = file_of(w, data, KIB(200));
	struct store_put_result r[2];

	must(w, catalog_begin(w->cat, &w->err));
	must(w, store_put(w->store, fd, KIB(200), &r[0], &w->err));
	must(w, store_put(w->store, fd, KIB(200), &r[1], &w->err));
	must(w, store_sync(w->store, &w->err));
	must(w, catalog_commit(w->cat, &w->err));
	assert_true(r[1].known);
	assert_false(r[1].verified); /* none of it is committed yet */
	assert_int_equal(r[1].new_bytes, 0);
	(void)close(fd);
	free(data);
}

/* Not with what memory still has of it. */
static void a_copy_is_compared_with_what_the_disk_holds(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(1, KIB(20));
	struct store_put_result r = put_data(w, data, KIB(20), 1);

	assert_int_equal(read_all(w, &r.content, data, KIB(20)), 0);
	flip_byte(w, 1, PACK_HEADER_BYTES + 9000);
	r = put_data(w, data, KIB(20), 2);
	assert_false(r.known);
	assert_false(r.verified);
	world_reopen(w);
	assert_int_equal(read_all(w, &r.content, data, KIB(20)), 0);
	free(data);
}

/* Its chunk is bad, and on its way again: that is to be read back first. */
static void a_content_that_is_just_healed_is_not_verified(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(1, KIB(20));
	struct store_put_result r = put_data(w, data, KIB(20), 1);
	int fd = file_of(w, data, KIB(20));

	must(w, catalog_begin(w->cat, &w->err));
	must(w,
	     store_run(w->store, "UPDATE chunk SET bad = 1", NULL, 0, &w->err));
	/* The same chunk, and a hole. */
	assert_int_equal(ftruncate(fd, (off_t)KIB(100)), 0);
	must(w, store_put(w->store, fd, KIB(100), &r, &w->err));
	assert_false(r.known);
	assert_int_equal(ftruncate(fd, (off_t)KIB(20)), 0);
	must(w, store_put(w->store, fd, KIB(20), &r, &w->err));
	assert_true(r.known);
	assert_false(r.verified);
	catalog_rollback(w->cat);
	store_abort(w->store);
	(void)close(fd);
	free(data);
}

static void an_edit_stores_only_the_chunks_around_it(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(2, KIB(2000));
	struct store_put_result r;

	(void)put_data(w, data, KIB(2000), 1);
	data[KIB(900)] ^= 1;
	r = put_data(w, data, KIB(2000), 2);
	assert_false(r.known);
	assert_true(w->store->writer->appended_ever < KIB(2000) + KIB(300));
	assert_int_equal(read_all(w, &r.content, data, KIB(2000)), 0);
	free(data);
}

static void equal_chunks_of_one_file_are_stored_once(void **state)
{
	struct world *w = *state;
	uint8_t *data = calloc(1, KIB(1024));
	struct store_put_result r;

	assert_non_null(data);
	r = put_data(w, data, KIB(1024), 1);
	assert_int_equal(query(w, "SELECT count(*) FROM chunk"), 1);
	assert_int_equal(query(w, "SELECT refs FROM chunk"), 8);
	assert_int_equal(read_all(w, &r.content, data, KIB(1024)), 0);
	free(data);
}

static void small_files_of_a_batch_share_an_extent(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_text(3, KIB(64));
	struct store_put_result r;

	must(w, catalog_begin(w->cat, &w->err));
	for (size_t i = 0; i < 10; i++) {
		int fd = file_of(w, data + i * 6000, 6000);

		must(w, store_put(w->store, fd, 6000, &r, &w->err));
		(void)close(fd);
	}
	must(w, store_sync(w->store, &w->err));
	must(w, catalog_commit(w->cat, &w->err));
	assert_int_equal(query(w, "SELECT count(*) FROM chunk"), 10);
	assert_int_equal(query(w, "SELECT count(DISTINCT extent_off)"
				  " FROM chunk"),
			 1);
	assert_int_equal(read_all(w, &r.content, data + 54000, 6000), 0);
	free(data);
}

static void holes_are_kept_and_cost_nothing(void **state)
{
	const uint64_t size = UINT64_C(3) << 40;
	struct world *w = *state;
	uint8_t *data = some_text(4, KIB(64));
	int fd = file_of(w, "", 0);
	struct store_put_result r;
	struct store_body *body;
	uint8_t got[100];

	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(pwrite(fd, data, KIB(64), 1 << 20), KIB(64));
	r = put_fd(w, fd, size, 1);
	assert_true(pack_size(w, 1) < (off_t)KIB(70));
	must(w, store_body_open(w->store, &r.content, size, &body, &w->err));
	assert_int_equal(store_body_seek(body, 0, SEEK_DATA), 1 << 20);
	assert_int_equal(store_body_seek(body, 1 << 20, SEEK_HOLE),
			 (1 << 20) + (64 << 10));
	assert_int_equal(store_body_seek(body, 2 << 20, SEEK_DATA), -ENXIO);
	assert_int_equal(
		store_body_read(body, got, 100, (1 << 20) - 50, &w->err), 100);
	assert_memory_equal(got + 50, data, 50);
	assert_int_equal(got[0] | got[49], 0);
	store_body_close(body);
	(void)close(fd);
	free(data);
}

static void equal_bytes_with_other_holes_are_another_content(void **state)
{
	struct world *w = *state;
	uint8_t *zeros = calloc(1, KIB(64));
	int sparse = file_of(w, "", 0);
	struct store_put_result a = put_data(w, zeros, KIB(64), 1);
	struct store_put_result b;

	assert_int_equal(ftruncate(sparse, KIB(64)), 0);
	b = put_fd(w, sparse, KIB(64), 2);
	assert_int_not_equal(hash128_compare(&a.content, &b.content), 0);
	(void)close(sparse);
	free(zeros);
}

/* The file must be refused, and the batch undone. */
static void collides(struct world *w, const uint8_t *data, size_t len)
{
	int fd = file_of(w, data, len);
	struct store_put_result r;

	must(w, catalog_begin(w->cat, &w->err));
	assert_int_equal(store_put(w->store, fd, len, &r, &w->err),
			 -SOBRE_ECOLLISION);
	catalog_rollback(w->cat);
	store_abort(w->store);
	(void)close(fd);
}

static void end_batch(struct world *w)
{
	must(w, store_sync(w->store, &w->err));
	must(w, catalog_commit(w->cat, &w->err));
}

/* An extent that gives `other` for the id of `mine`: what a collision of the
 * hash would look like. */
static void forge_chunk(struct world *w, const uint8_t *mine,
			const uint8_t *other, uint32_t len)
{
	const struct record record = { .type = RECORD_EXTENT,
				       .codec = CODEC_RAW,
				       .codec_version = 1,
				       .body_len = EXTENT_ENTRY_BYTES + len,
				       .raw_len = len,
				       .n = 1 };
	uint8_t *bytes = calloc(1, (size_t)len + 64);
	struct chunk_row row = { .len = len, .refs = 1 };
	struct writer *writer;

	assert_non_null(bytes);
	hash128(&w->options.key, mine, len, &row.id);
	memcpy(bytes + 32, row.id.bytes, 16);
	memcpy(bytes + 48, &len, 4);
	memcpy(bytes + 52, other, len);
	must(w, catalog_begin(w->cat, &w->err));
	must(w, writer_get(w->store, &writer, &w->err));
	must(w, append_record(w->store, &record, bytes, &row.pack, &row.off,
			      &w->err));
	must(w, chunk_row_put(w->store, &row, &w->err));
	end_batch(w);
	free(bytes);
}

static void bytes_are_compared_before_a_chunk_is_shared(void **state)
{
	struct world *w = *state;
	uint8_t *mine = some_noise(5, KIB(20));
	uint8_t *other = some_noise(6, KIB(20));

	forge_chunk(w, mine, other, (uint32_t)KIB(20));
	collides(w, mine, KIB(20));
	free(mine);
	free(other);
}

/* A recipe that leads to another chunk for the id of `mine`. */
static void forge_content(struct world *w, const uint8_t *mine,
			  const struct hash128 *chunk, uint32_t len)
{
	struct content_row row = { .size_bytes = len };
	struct writer *writer;
	struct record record;
	struct buf buf;

	hash128(&w->options.key, mine, len, &row.id);
	buf_init(&buf, RECIPE_RECORD_MAX);
	recipe_begin(&buf);
	recipe_add_chunk(&buf, chunk, len);
	must(w, recipe_end(&buf, &row.id, len, &record));
	must(w, catalog_begin(w->cat, &w->err));
	must(w, writer_get(w->store, &writer, &w->err));
	must(w, append_record(w->store, &record, buf.data, &row.pack, &row.off,
			      &w->err));
	must(w, content_row_put(w->store, &row, &w->err));
	end_batch(w);
	buf_release(&buf);
}

static void bytes_are_compared_before_a_content_is_shared(void **state)
{
	struct world *w = *state;
	uint8_t *mine = some_noise(7, KIB(20));
	uint8_t *other = some_noise(8, KIB(20));
	struct hash128 chunk;

	(void)put_data(w, other, KIB(20), 1);
	hash128(&w->options.key, other, KIB(20), &chunk);
	forge_content(w, mine, &chunk, (uint32_t)KIB(20));
	collides(w, mine, KIB(20));
	free(mine);
	free(other);
}

static void a_file_of_another_length_is_refused(void **state)
{
	struct world *w = *state;
	int fd = file_of(w, "hello", 5);
	struct store_put_result r;

	must(w, catalog_begin(w->cat, &w->err));
	assert_int_equal(store_put(w->store, fd, 6, &r, &w->err),
			 -SOBRE_ECHANGED);
	assert_int_equal(store_put(w->store, fd, 4, &r, &w->err),
			 -SOBRE_ECHANGED);
	catalog_rollback(w->cat);
	store_abort(w->store);
	(void)close(fd);
}

static void storing_again_heals_a_damaged_content(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(9, KIB(500));
	struct store_put_result r = put_data(w, data, KIB(500), 1);

	flip_byte(w, 1, PACK_HEADER_BYTES + 5000);
	assert_int_equal(read_all(w, &r.content, data, KIB(500)),
			 -SOBRE_ECORRUPT);
	(void)put_data(w, data, KIB(500), 2);
	assert_int_equal(read_all(w, &r.content, data, KIB(500)), 0);
	assert_int_equal(query(w, "SELECT min(refs) + max(refs) FROM chunk"),
			 2);
	free(data);
}

static void storing_again_heals_a_damaged_recipe(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(10, KIB(100));
	struct store_put_result r = put_data(w, data, KIB(100), 1);

	flip_byte(w, 1, (off_t)query(w, "SELECT off FROM content") + 40);
	assert_int_equal(read_all(w, &r.content, data, KIB(100)),
			 -SOBRE_ECORRUPT);
	(void)put_data(w, data, KIB(100), 2);
	assert_int_equal(read_all(w, &r.content, data, KIB(100)), 0);
	free(data);
}

static void a_damaged_chunk_is_not_shared(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(11, KIB(300));
	struct store_put_result first = put_data(w, data, KIB(300), 1);
	struct store_put_result second;

	flip_byte(w, 1, PACK_HEADER_BYTES + 5000);
	data[KIB(299)] ^= 1; /* another content, most chunks the same */
	second = put_data(w, data, KIB(300), 2);
	assert_int_equal(read_all(w, &second.content, data, KIB(300)), 0);
	data[KIB(299)] ^= 1;
	/* The other file's chunks were in two extents; those that were stored
	 * afresh heal it where they are shared. */
	(void)read_all(w, &first.content, data, KIB(300));
	free(data);
}

static void packs_roll_at_their_size(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(12, KIB(3000));
	struct store_put_result r;

	w->options.pack_bytes = KIB(1024);
	world_reopen(w);
	r = put_data(w, data, KIB(3000), 1);
	assert_int_equal(query(w, "SELECT count(*) FROM pack"), 4);
	assert_int_equal(query(w, "SELECT count(*) FROM pack WHERE state = 0"),
			 1);
	assert_true(query(w, "SELECT max(size_bytes) FROM pack") <=
		    (int64_t)KIB(1024));
	world_reopen(w);
	assert_int_equal(read_all(w, &r.content, data, KIB(3000)), 0);
	free(data);
}

/* 64 MiB through 1 MiB windows. AddressSanitizer keeps what is freed, so
 * this says nothing there. */
static void memory_does_not_grow_with_the_file(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(13, KIB(1024));
	int fd = file_of(w, "", 0);
	struct rusage before;
	struct rusage after;
	struct store_put_result r;

	for (uint32_t i = 0; i < 64; i++) {
		memcpy(data, &i, sizeof(i));
		memcpy(data + KIB(512), &i, sizeof(i));
		assert_int_equal(pwrite(fd, data, KIB(1024), (off_t)i << 20),
				 KIB(1024));
	}
	assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
	r = put_fd(w, fd, KIB(65536), 1);
	assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
	assert_false(r.known);
	if (!sanitized)
		assert_true(after.ru_maxrss - before.ru_maxrss < 24 << 10);
	(void)close(fd);
	free(data);
}

static void a_readonly_store_refuses(void **state)
{
	struct world *w = *state;
	struct store_put_result r;
	int fd = file_of(w, "x", 1);

	w->options.readonly = true;
	world_reopen(w);
	must(w, catalog_begin(w->cat, &w->err));
	assert_int_equal(store_put(w->store, fd, 1, &r, &w->err), -EROFS);
	catalog_rollback(w->cat);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(what_is_put_reads_back),
		world_test(more_effort_stores_less_and_reads_the_same),
		world_test(a_copy_costs_nothing),
		world_test(a_copy_in_the_same_batch_costs_nothing),
		world_test(a_copy_is_compared_with_what_the_disk_holds),
		world_test(a_content_that_is_just_healed_is_not_verified),
		world_test(an_edit_stores_only_the_chunks_around_it),
		world_test(equal_chunks_of_one_file_are_stored_once),
		world_test(small_files_of_a_batch_share_an_extent),
		world_test(holes_are_kept_and_cost_nothing),
		world_test(equal_bytes_with_other_holes_are_another_content),
		world_test(bytes_are_compared_before_a_chunk_is_shared),
		world_test(bytes_are_compared_before_a_content_is_shared),
		world_test(a_file_of_another_length_is_refused),
		world_test(storing_again_heals_a_damaged_content),
		world_test(storing_again_heals_a_damaged_recipe),
		world_test(a_damaged_chunk_is_not_shared),
		world_test(packs_roll_at_their_size),
		world_test(memory_does_not_grow_with_the_file),
		world_test(a_readonly_store_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
