/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/support.h"

static const struct hash128 content = { .bytes = { 1 } };
static const struct hash128 chunk = { .bytes = { 2 } };

static int decode(const struct buf *b, const struct record *record,
		  struct recipe *ret_recipe)
{
	struct error err = ERROR_INIT;

	return recipe_decode(record, b->data + RECORD_HEADER_BYTES, ret_recipe,
			     &err);
}

static void a_recipe_reads_back(void **state)
{
	const uint64_t hole = UINT64_C(5) << 40;
	struct recipe_entry e;
	struct record record;
	struct recipe r;
	cleanup_buf struct buf b;

	(void)state;
	buf_init(&b, RECIPE_RECORD_MAX);
	recipe_begin(&b);
	recipe_add_chunk(&b, &chunk, 100);
	recipe_add_hole(&b, hole);
	recipe_add_hole(&b, 50);
	recipe_add_hole(&b, 0);
	recipe_add_chunk(&b, &chunk, 7);
	assert_int_equal(recipe_end(&b, &content, hole + 157, &record), 0);
	assert_int_equal(record.n, 3);
	assert_int_equal(decode(&b, &record, &r), 0);
	assert_int_equal(hash128_compare(&r.content, &content), 0);
	recipe_at(&r, 1, &e);
	assert_true(e.hole);
	assert_int_equal(e.off, 100);
	assert_int_equal(e.len, hole + 50);
	assert_int_equal(recipe_find(&r, 0), 0);
	assert_int_equal(recipe_find(&r, 99), 0);
	assert_int_equal(recipe_find(&r, 100), 1);
	assert_int_equal(recipe_find(&r, hole + 149), 1);
	assert_int_equal(recipe_find(&r, hole + 150), 2);
	assert_int_equal(recipe_find(&r, hole + 156), 2);
	recipe_release(&r);
}

static void lengths_that_do_not_add_up_are_refused(void **state)
{
	struct record record;
	struct recipe r;
	cleanup_buf struct buf b;

	(void)state;
	buf_init(&b, RECIPE_RECORD_MAX);
	for (uint64_t size = 98; size < 103; size++) {
		recipe_begin(&b);
		recipe_add_chunk(&b, &chunk, 100);
		assert_int_equal(recipe_end(&b, &content, size, &record), 0);
		assert_int_equal(decode(&b, &record, &r),
				 size == 100 ? 0 : -SOBRE_ECORRUPT);
		if (size == 100)
			recipe_release(&r);
	}
}

static void a_chunk_too_long_and_two_holes_in_a_row_are_refused(void **state)
{
	struct record record;
	struct recipe r;
	cleanup_buf struct buf b;

	(void)state;
	buf_init(&b, RECIPE_RECORD_MAX);
	recipe_begin(&b);
	recipe_add_chunk(&b, &chunk, CHUNK_LEN_MAX + 1);
	assert_int_equal(recipe_end(&b, &content, CHUNK_LEN_MAX + 1, &record),
			 0);
	assert_int_equal(decode(&b, &record, &r), -SOBRE_ECORRUPT);

	recipe_begin(&b);
	for (int i = 0; i < 2; i++) {
		(void)buf_put_u32(&b, 0);
		(void)buf_put_u64(&b, 10);
		(void)buf_put_u64(&b, 0);
	}
	assert_int_equal(recipe_end(&b, &content, 20, &record), 0);
	assert_int_equal(decode(&b, &record, &r), -SOBRE_ECORRUPT);
}

static void a_recipe_too_long_is_efbig(void **state)
{
	struct record record;
	cleanup_buf struct buf b;

	(void)state;
	buf_init(&b, 200);
	recipe_begin(&b);
	for (int i = 0; i < 20; i++)
		recipe_add_chunk(&b, &chunk, 1);
	assert_int_equal(recipe_end(&b, &content, 20, &record), -EFBIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recipe_reads_back),
		cmocka_unit_test(lengths_that_do_not_add_up_are_refused),
		cmocka_unit_test(
			a_chunk_too_long_and_two_holes_in_a_row_are_refused),
		cmocka_unit_test(a_recipe_too_long_is_efbig),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
