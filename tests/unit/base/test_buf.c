/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/base/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void integers_are_little_endian(void **state)
{
	static const uint8_t want[] = { 0x01, 0x03, 0x02, 0x07, 0x06,
					0x05, 0x04, 0x0f, 0x0e, 0x0d,
					0x0c, 0x0b, 0x0a, 0x09, 0x08 };
	cleanup_buf struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(buf_put_u8(&b, 0x01), 0);
	assert_int_equal(buf_put_u16(&b, 0x0203), 0);
	assert_int_equal(buf_put_u32(&b, 0x04050607), 0);
	assert_int_equal(buf_put_u64(&b, 0x08090a0b0c0d0e0f), 0);
	assert_int_equal(b.len, sizeof(want));
	assert_memory_equal(b.data, want, sizeof(want));
}

static void it_grows_up_to_its_ceiling_exactly(void **state)
{
	cleanup_buf struct buf b;

	(void)state;
	buf_init(&b, 1000);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(buf_put_u8(&b, (uint8_t)i), 0);
	assert_int_equal(buf_put_u8(&b, 0), -EFBIG);
	assert_int_equal(b.len, 1000);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(b.data[i], (uint8_t)i);
}

static void a_ceiling_below_the_first_allocation_holds(void **state)
{
	cleanup_buf struct buf b;

	(void)state;
	buf_init(&b, 3);
	assert_int_equal(buf_put_str(&b, "abcd"), -EFBIG);
	buf_clear(&b);
	assert_int_equal(buf_put_str(&b, "abc"), 0);
	assert_int_equal(b.len, 3);
}

static void a_huge_length_does_not_wrap(void **state)
{
	cleanup_buf struct buf b;

	(void)state;
	buf_init(&b, SIZE_MAX);
	assert_int_equal(buf_put_str(&b, "some"), 0);
	assert_null(buf_extend(&b, SIZE_MAX - 1));
	assert_int_equal(buf_error(&b), -EFBIG);
	assert_int_equal(b.len, 4);
}

static void the_first_failure_sticks_until_cleared(void **state)
{
	cleanup_buf struct buf b;

	(void)state;
	buf_init(&b, 4);
	assert_int_equal(buf_put(&b, "12345", 5), -EFBIG);
	assert_int_equal(buf_put_u8(&b, 1), -EFBIG);
	assert_int_equal(buf_put(&b, "", 0), -EFBIG);
	assert_int_equal(buf_printf(&b, "%d", 1), -EFBIG);
	assert_null(buf_extend(&b, 1));
	assert_int_equal(b.len, 0);
	buf_clear(&b);
	assert_int_equal(buf_error(&b), 0);
	assert_int_equal(buf_put_u8(&b, 1), 0);
}

static void nothing_may_be_put_from_null(void **state)
{
	cleanup_buf struct buf b;

	(void)state;
	buf_init(&b, 4);
	assert_int_equal(buf_put(&b, NULL, 0), 0);
	assert_int_equal(b.len, 0);
}

static void printf_appends_without_the_nul(void **state)
{
	cleanup_buf struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(buf_printf(&b, "%s=%d;", "a", 1), 0);
	assert_int_equal(buf_printf(&b, "%s=%d", "b", 22), 0);
	assert_int_equal(b.len, 8);
	assert_memory_equal(b.data, "a=1;b=22", 8);
}

static void extend_gives_room_that_counts(void **state)
{
	cleanup_buf struct buf b;
	uint8_t *room;

	(void)state;
	buf_init(&b, 5000);
	assert_int_equal(buf_put_str(&b, "x"), 0);
	room = buf_extend(&b, 4000);
	assert_non_null(room);
	memset(room, 'y', 4000);
	assert_int_equal(b.len, 4001);
	assert_int_equal(b.data[0], 'x');
	assert_int_equal(b.data[4000], 'y');
}

static void a_released_buffer_may_be_used_again(void **state)
{
	cleanup_buf struct buf b;

	(void)state;
	buf_init(&b, 2);
	assert_int_equal(buf_put_u16(&b, 1), 0);
	buf_release(&b);
	assert_null(b.data);
	assert_int_equal(buf_put_u16(&b, 2), 0);
	assert_int_equal(buf_put_u8(&b, 2), -EFBIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_little_endian),
		cmocka_unit_test(it_grows_up_to_its_ceiling_exactly),
		cmocka_unit_test(a_ceiling_below_the_first_allocation_holds),
		cmocka_unit_test(a_huge_length_does_not_wrap),
		cmocka_unit_test(the_first_failure_sticks_until_cleared),
		cmocka_unit_test(nothing_may_be_put_from_null),
		cmocka_unit_test(printf_appends_without_the_nul),
		cmocka_unit_test(extend_gives_room_that_counts),
		cmocka_unit_test(a_released_buffer_may_be_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
