/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/support.h"

/* Two chunks, of 3 and 2 bytes, raw. */
static void build(uint8_t body[45])
{
	memset(body, 0, 45);
	body[0] = 'a';
	body[16] = 3;
	body[20] = 'b';
	body[36] = 2;
	memcpy(body + 40, "xyzuv", 5);
}

static int decode(const uint8_t body[45], struct extent *ret_extent)
{
	const struct record record = { .type = RECORD_EXTENT,
				       .codec = CODEC_RAW,
				       .codec_version = 1,
				       .body_len = 45,
				       .raw_len = 5,
				       .n = 2 };
	struct error err = ERROR_INIT;

	return extent_decode(&record, body, ret_extent, &err);
}

static void chunks_are_found_by_id_and_place(void **state)
{
	const struct hash128 a = { .bytes = { 'a' } };
	const struct hash128 b = { .bytes = { 'b' } };
	uint8_t body[45];
	struct extent e;

	(void)state;
	build(body);
	assert_int_equal(decode(body, &e), 0);
	assert_int_equal(extent_find(&e, &a, 0)->len, 3);
	assert_int_equal(extent_find(&e, &b, 3)->len, 2);
	assert_memory_equal(e.data + extent_find(&e, &b, 3)->skip, "uv", 2);
	assert_null(extent_find(&e, &a, 3));
	assert_null(extent_find(&e, &a, 1));
	assert_null(extent_find(&e, &b, 5));
	extent_release(&e);
}

static void a_table_that_does_not_add_up_is_refused(void **state)
{
	static const uint8_t wrong[] = { 0, 2, 4, 255 };
	uint8_t body[45];
	struct extent e;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong); i++) {
		build(body);
		body[16] = wrong[i];
		assert_int_equal(decode(body, &e), -SOBRE_ECORRUPT);
	}
	build(body);
	body[16] = 5; /* all of it: nothing is left for the second */
	body[36] = 0;
	assert_int_equal(decode(body, &e), -SOBRE_ECORRUPT);
	build(body);
	body[19] = 0xff; /* beyond 128 KiB */
	assert_int_equal(decode(body, &e), -SOBRE_ECORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunks_are_found_by_id_and_place),
		cmocka_unit_test(a_table_that_does_not_add_up_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
