/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/base/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "fs/base/buf.h"

static void integers_are_little_endian(void **state)
{
	static const uint8_t data[] = { 0x01, 0x03, 0x02, 0x07, 0x06,
					0x05, 0x04, 0x0f, 0x0e, 0x0d,
					0x0c, 0x0b, 0x0a, 0x09, 0x08 };
	struct reader r;

	(void)state;
	reader_init(&r, data, sizeof(data));
	assert_int_equal(reader_u8(&r), 0x01);
	assert_int_equal(reader_u16(&r), 0x0203);
	assert_int_equal(reader_u32(&r), 0x04050607);
	assert_false(reader_done(&r));
	assert_int_equal(reader_left(&r), 8);
	assert_true(reader_u64(&r) == UINT64_C(0x08090a0b0c0d0e0f));
	assert_true(reader_done(&r));
}

static void what_buf_wrote_is_read_back(void **state)
{
	cleanup_buf struct buf b;
	struct reader r;

	(void)state;
	buf_init(&b, 100);
	(void)buf_put_u64(&b, UINT64_MAX - 1);
	(void)buf_put_u16(&b, 65535);
	(void)buf_put_u32(&b, 1u << 31);
	assert_int_equal(buf_error(&b), 0);
	reader_init(&r, b.data, b.len);
	assert_true(reader_u64(&r) == UINT64_MAX - 1);
	assert_int_equal(reader_u16(&r), 65535);
	assert_true(reader_u32(&r) == 1u << 31);
	assert_true(reader_done(&r));
}

static void past_the_end_gives_zeros_and_stays_failed(void **state)
{
	static const uint8_t data[] = { 1, 2, 3 };
	struct reader r;

	(void)state;
	reader_init(&r, data, sizeof(data));
	assert_int_equal(reader_u32(&r), 0);
	assert_true(r.failed);
	assert_int_equal(reader_u8(&r), 0);
	assert_null(reader_bytes(&r, 1));
	assert_int_equal(reader_left(&r), 0);
	assert_false(reader_done(&r));
}

static void a_huge_length_does_not_wrap(void **state)
{
	static const uint8_t data[] = { 1, 2, 3 };
	struct reader r;

	(void)state;
	reader_init(&r, data, sizeof(data));
	(void)reader_u8(&r);
	assert_null(reader_bytes(&r, SIZE_MAX));
	assert_true(r.failed);
}

static void bytes_are_borrowed_in_place(void **state)
{
	static const uint8_t data[] = { 1, 2, 3 };
	struct reader r;

	(void)state;
	reader_init(&r, data, sizeof(data));
	assert_ptr_equal(reader_bytes(&r, 2), data);
	assert_ptr_equal(reader_bytes(&r, 1), data + 2);
	assert_non_null(reader_bytes(&r, 0));
	assert_true(reader_done(&r));
}

static void copy_past_the_end_leaves_no_old_bytes(void **state)
{
	static const uint8_t data[] = { 1, 2, 3 };
	static const uint8_t zeros[4];
	uint8_t out[4] = { 9, 9, 9, 9 };
	struct reader r;

	(void)state;
	reader_init(&r, data, sizeof(data));
	reader_copy(&r, out, 2);
	assert_int_equal(out[1], 2);
	reader_copy(&r, out, sizeof(out));
	assert_memory_equal(out, zeros, sizeof(out));
	assert_true(r.failed);
}

static void no_bytes_at_all_are_done_at_once(void **state)
{
	struct reader r;

	(void)state;
	reader_init(&r, NULL, 0);
	assert_true(reader_done(&r));
	assert_int_equal(reader_u8(&r), 0);
	assert_true(r.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_little_endian),
		cmocka_unit_test(what_buf_wrote_is_read_back),
		cmocka_unit_test(past_the_end_gives_zeros_and_stays_failed),
		cmocka_unit_test(a_huge_length_does_not_wrap),
		cmocka_unit_test(bytes_are_borrowed_in_place),
		cmocka_unit_test(copy_past_the_end_leaves_no_old_bytes),
		cmocka_unit_test(no_bytes_at_all_are_done_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
