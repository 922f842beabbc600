/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/support.h"

#define KIB(n) ((size_t)(n) << 10)

static void verify_sees_a_changed_byte(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_text(1, KIB(300));
	int fd = file_of(w, data, KIB(300));
	struct store_put_result r = put_fd(w, fd, KIB(300), 1);

	assert_int_equal(pwrite(fd, "#", 1, KIB(299)), 1);
	assert_int_equal(
		store_verify(w->store, &r.content, fd, KIB(300), &w->err),
		-SOBRE_ECHANGED);
	(void)close(fd);
	free(data);
}

static void verify_sees_another_length_and_other_holes(void **state)
{
	struct world *w = *state;
	uint8_t *zeros = calloc(1, KIB(300));
	int fd = file_of(w, zeros, KIB(300));
	struct store_put_result r = put_fd(w, fd, KIB(300), 1);

	assert_int_equal(ftruncate(fd, KIB(301)), 0);
	assert_int_equal(
		store_verify(w->store, &r.content, fd, KIB(300), &w->err),
		-SOBRE_ECHANGED);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(ftruncate(fd, KIB(300)), 0);
	assert_int_equal(
		store_verify(w->store, &r.content, fd, KIB(300), &w->err),
		-SOBRE_ECHANGED);
	(void)close(fd);
	free(zeros);
}

static void verify_sees_damage_that_a_cache_hides(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(2, KIB(20));
	int fd = file_of(w, data, KIB(20));
	struct store_put_result r = put_fd(w, fd, KIB(20), 1);

	int pack = open_pack_file(w, 1);

	assert_int_equal(read_all(w, &r.content, data, KIB(20)), 0);
	assert_int_equal(pwrite(pack, "#", 1, PACK_HEADER_BYTES + 1000), 1);
	must(w, store_sync(w->store, &w->err)); /* the next batch */
	assert_int_equal(read_all(w, &r.content, data, KIB(20)), 0);
	assert_int_equal(
		store_verify(w->store, &r.content, fd, KIB(20), &w->err),
		-SOBRE_ECORRUPT);
	assert_non_null(strstr(w->err.text, "pack 1 at "));
	(void)close(pack);
	(void)close(fd);
	free(data);
}

/* Invariant 5, byte by byte. The header alone may be wrong: its records stand
 * for themselves. */
static void a_flipped_byte_never_gives_wrong_bytes(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_text(3, 9000);
	struct store_put_result r = put_data(w, data, 9000, 1);
	off_t size = pack_size(w, 1);
	off_t bad = 0;

	for (off_t at = 0; at < size; at++) {
		int rc;

		flip_byte(w, 1, at);
		rc = read_all(w, &r.content, data, 9000);
		assert_true(rc == 0 || rc == -SOBRE_ECORRUPT ||
			    rc == -SOBRE_ESCHEMA);
		bad += rc != 0;
		flip_byte(w, 1, at);
	}
	/* All but the header and at most two paddings. */
	assert_true(bad >= size - (off_t)PACK_HEADER_BYTES - 14);
	assert_int_equal(read_all(w, &r.content, data, 9000), 0);
	free(data);
}

static void a_pack_of_another_drive_is_refused(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_text(4, 9000);
	struct store_put_result r = put_data(w, data, 9000, 1);

	w->options.uuid[0] ^= 1;
	world_reopen(w);
	assert_int_equal(read_all(w, &r.content, data, 9000), -SOBRE_ECORRUPT);
	free(data);
}

static void a_missing_pack_is_an_error_and_not_zeros(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_text(5, 9000);
	struct store_put_result r = put_data(w, data, 9000, 1);

	assert_int_equal(unlinkat(w->packs_fd, "01/0001.pack", 0), 0);
	world_reopen(w);
	assert_int_equal(read_all(w, &r.content, data, 9000), -SOBRE_ENOCHUNK);
	assert_int_equal(
		store_content_check(w->store, &r.content, 9000, &w->err),
		-SOBRE_ENOCHUNK);
	free(data);
}

static void an_unknown_content_or_size_is_enochunk(void **state)
{
	struct world *w = *state;
	struct store_put_result r = put_data(w, "hello", 5, 1);
	const struct hash128 other = { .bytes = { 1 } };
	struct store_body *body;

	assert_int_equal(store_body_open(w->store, &other, 5, &body, &w->err),
			 -SOBRE_ENOCHUNK);
	assert_int_equal(
		store_body_open(w->store, &r.content, 6, &body, &w->err),
		-SOBRE_ENOCHUNK);
}

static void content_check_tells_good_from_bad(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_text(6, KIB(100));
	struct store_put_result r = put_data(w, data, KIB(100), 1);

	must(w, store_content_check(w->store, &r.content, KIB(100), &w->err));
	change(w, "UPDATE chunk SET bad = 1 WHERE skip = 0");
	assert_int_equal(
		store_content_check(w->store, &r.content, KIB(100), &w->err),
		-SOBRE_ECORRUPT);
	change(w, "DELETE FROM chunk WHERE skip = 0");
	assert_int_equal(
		store_content_check(w->store, &r.content, KIB(100), &w->err),
		-SOBRE_ENOCHUNK);
	free(data);
}

static void totals_add_up(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(7, KIB(100));
	struct store_totals t;

	(void)put_data(w, data, KIB(100), 1);
	(void)put_data(w, data, KIB(100), 2);
	(void)put_data(w, "hello", 5, 3);
	must(w, store_totals(w->store, &t, &w->err));
	assert_int_equal(t.packs, 1);
	assert_int_equal(t.pack_bytes, (uint64_t)pack_size(w, 1));
	assert_int_equal(t.contents, 2);
	assert_int_equal(t.content_bytes, KIB(100) + 5);
	assert_int_equal(t.dead_bytes + t.bad_chunks, 0);
	assert_int_equal(t.chunk_bytes, KIB(100) + 5);
	assert_int_equal(t.shared_bytes, 0);
	assert_true(t.stored_bytes > KIB(100));
	assert_true(t.stored_bytes < t.pack_bytes);
	assert_int_equal(store_appended(w->store), t.pack_bytes);
	change(w, "UPDATE chunk SET refs = 3");
	must(w, store_totals(w->store, &t, &w->err));
	assert_int_equal(t.shared_bytes, 2 * t.chunk_bytes);
	change(w, "UPDATE chunk SET refs = 0");
	must(w, store_totals(w->store, &t, &w->err));
	assert_int_equal(t.dead_bytes, t.pack_bytes);
	assert_int_equal(t.chunk_bytes + t.shared_bytes + t.stored_bytes, 0);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(verify_sees_a_changed_byte),
		world_test(verify_sees_another_length_and_other_holes),
		world_test(verify_sees_damage_that_a_cache_hides),
		world_test(a_flipped_byte_never_gives_wrong_bytes),
		world_test(a_pack_of_another_drive_is_refused),
		world_test(a_missing_pack_is_an_error_and_not_zeros),
		world_test(an_unknown_content_or_size_is_enochunk),
		world_test(content_check_tells_good_from_bad),
		world_test(totals_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
