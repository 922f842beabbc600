/* SPDX-License-Identifier: EUPL-1.2 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "fs/file/internal.h"

static const struct stub example = {
	.size_bytes = 0x0102030405060708,
	.content = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
		       16 } },
	.mtime_ns = INT64_C(1700000000) * NS_PER_S + 123456789,
	.blocks = 77,
};

static void a_stub_comes_back_as_it_was(void **state)
{
	uint8_t bytes[STUB_BYTES];
	struct error err = ERROR_INIT;
	struct stub back;

	(void)state;
	stub_encode(&example, bytes);
	assert_int_equal(stub_decode(bytes, sizeof(bytes), &back, &err), 0);
	assert_int_equal(back.size_bytes, example.size_bytes);
	assert_int_equal(back.mtime_ns, example.mtime_ns);
	assert_int_equal(back.blocks, example.blocks);
	assert_memory_equal(&back.content, &example.content, 16);
}

static void the_layout_is_that_of_the_format_page(void **state)
{
	uint8_t b[STUB_BYTES];

	(void)state;
	stub_encode(&example, b);
	assert_int_equal(b[0], 1);
	assert_int_equal(b[1] | b[2] | b[3], 0);
	assert_int_equal(b[8], 0x08);
	assert_int_equal(b[15], 0x01);
	assert_int_equal(b[16], 1);
	assert_int_equal(b[31], 16);
	assert_int_equal(b[32] | b[33] << 8 | b[34] << 16 | b[35] << 24,
			 1700000000);
	assert_int_equal(b[44], 77);
}

static void a_time_before_1970_comes_back(void **state)
{
	struct stub s = example;
	uint8_t bytes[STUB_BYTES];
	struct error err = ERROR_INIT;
	struct stub back;

	(void)state;
	s.mtime_ns = -1;
	stub_encode(&s, bytes);
	assert_int_equal(stub_decode(bytes, sizeof(bytes), &back, &err), 0);
	assert_int_equal(back.mtime_ns, -1);
}

static void any_flipped_bit_is_refused(void **state)
{
	uint8_t bytes[STUB_BYTES];
	struct stub back;

	(void)state;
	stub_encode(&example, bytes);
	for (size_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
		struct error err = ERROR_INIT;

		bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		assert_true(stub_decode(bytes, sizeof(bytes), &back, &err) < 0);
		bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
}

static void another_length_is_refused(void **state)
{
	uint8_t bytes[STUB_BYTES + 1] = { 0 };
	struct error err = ERROR_INIT;
	struct stub back;

	(void)state;
	stub_encode(&example, bytes);
	assert_int_equal(stub_decode(bytes, STUB_BYTES - 1, &back, &err),
			 -SOBRE_ECORRUPT);
	assert_int_equal(stub_decode(bytes, STUB_BYTES + 1, &back, &err),
			 -SOBRE_ECORRUPT);
	assert_int_equal(stub_decode(bytes, 0, &back, &err), -SOBRE_ECORRUPT);
}

static void a_newer_version_says_so(void **state)
{
	uint8_t bytes[STUB_BYTES];
	struct error err = ERROR_INIT;
	struct stub back;

	(void)state;
	stub_encode(&example, bytes);
	bytes[0] = 2;
	assert_int_equal(stub_decode(bytes, sizeof(bytes), &back, &err),
			 -SOBRE_ESCHEMA);
}

static void an_xattr_fits_beside_a_256_byte_inode(void **state)
{
	(void)state;
	/* DESIGN §4: name after its namespace, and value */
	assert_true(strlen("sobre.content") + STUB_BYTES <= 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stub_comes_back_as_it_was),
		cmocka_unit_test(the_layout_is_that_of_the_format_page),
		cmocka_unit_test(a_time_before_1970_comes_back),
		cmocka_unit_test(any_flipped_bit_is_refused),
		cmocka_unit_test(another_length_is_refused),
		cmocka_unit_test(a_newer_version_says_so),
		cmocka_unit_test(an_xattr_fits_beside_a_256_byte_inode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
