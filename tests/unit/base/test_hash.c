/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/*
 * XXH3's own default secret: keyed with it, the hash is the unkeyed XXH3-128,
 * whose values are published in xxHash's sanity checks.
 */
static const struct hash_key
	published = { .secret = {
			      /* clang-format off */
	0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01,
	0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c, 0xde, 0xd4, 0x6d, 0xe9,
	0x83, 0x90, 0x97, 0xdb, 0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3,
	0x67, 0x1f, 0xcb, 0x79, 0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78,
	0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21, 0xb8, 0x08,
	0x46, 0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6,
	0x81, 0x3a, 0x26, 0x4c, 0x3c, 0x28, 0x52, 0xbb, 0x91, 0xc3,
	0x00, 0xcb, 0x88, 0xd0, 0x65, 0x8b, 0x1b, 0x53, 0x2e, 0xa3,
	0x71, 0x64, 0x48, 0x97, 0xa2, 0x0d, 0xf9, 0x4e, 0x38, 0x19,
	0xef, 0x46, 0xa9, 0xde, 0xac, 0xd8, 0xa8, 0xfa, 0x76, 0x3f,
	0xe3, 0x9c, 0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7, 0xc7, 0x0b,
	0x4f, 0x1d, 0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59, 0x31,
	0xc8, 0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64, 0xea, 0xc5,
	0xac, 0x83, 0x34, 0xd3, 0xeb, 0xc3, 0xc5, 0x81, 0xa0, 0xff,
	0xfa, 0x13, 0x63, 0xeb, 0x17, 0x0d, 0xdd, 0x51, 0xb7, 0xf0,
	0xda, 0x49, 0xd3, 0x16, 0x55, 0x26, 0x29, 0xd4, 0x68, 0x9e,
	0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47, 0xa1, 0xfc, 0x8f, 0xf8,
	0xb8, 0xd1, 0x7a, 0xd0, 0x31, 0xce, 0x45, 0xcb, 0x3a, 0x8f,
	0x95, 0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb, 0xca, 0xbb, 0x4b,
	0x40, 0x7e,
			      /* clang-format on */
		      } };

#define SANITY_BYTES 2367

/* The bytes that xxHash's sanity checks hash. */
static void sanity_bytes(uint8_t *ret_data)
{
	uint64_t gen = 2654435761U;

	for (size_t i = 0; i < SANITY_BYTES; i++) {
		ret_data[i] = (uint8_t)(gen >> 56);
		gen *= UINT64_C(11400714785074694797);
	}
}

static void known_hashes_of_128_bits(void **state)
{
	static const struct {
		size_t len;
		const char *hex;
	} known[] = {
		{ 0, "99aa06d3014798d86001c324468d497f" },
		{ 1, "a6cd5e9392000f6ac44bdff4074eecdb" },
		{ 6, "082afe0b8162d12a3e7039bdda43cfc6" },
		{ 12, "6e3efd8fc7802b18061a192713f69ad9" },
		{ 24, "0ce966e4678d37611e7044d28b1b901d" },
		{ 48, "a002ac4e5478227ef942219aed80f67b" },
		{ 81, "4952f58181ab00425e8bafb9f95fb803" },
		{ 222, "337e09641b948717f1aebd597cec6b3a" },
		{ 403, "1b6de21e332dd73dcdeb804d65c6dea4" },
		{ 512, "18d2d110dcc9bca1617e49599013cb6b" },
		{ 2048, "f736557fd47073a5dd59e2c3a5f038e0" },
	};
	uint8_t data[SANITY_BYTES];

	(void)state;
	sanity_bytes(data);
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		char hex[HASH128_HEX_BYTES];
		struct hash128 h;

		hash128(&published, data, known[i].len, &h);
		hash128_hex(&h, hex);
		assert_string_equal(hex, known[i].hex);
	}
}

static void known_hashes_of_64_and_32_bits(void **state)
{
	uint8_t data[SANITY_BYTES];

	(void)state;
	sanity_bytes(data);
	assert_true(hash64("", 0) == UINT64_C(0x2d06800538d394c2));
	assert_true(hash64("abc", 3) == UINT64_C(0x78af5f94892f3950));
	assert_true(hash64(data, 1) == UINT64_C(0xc44bdff4074eecdb));
	assert_true(hash64(data, 2048) == UINT64_C(0xdd59e2c3a5f038e0));
	assert_true(hash32("", 0) == UINT32_C(0x02cc5d05));
	assert_true(hash32("abc", 3) == UINT32_C(0x32d153ff));
}

/* The lengths cross XXH3's own limits: 16, 128, 240, a block of 1,024. */
static void streaming_gives_the_hash_of_the_whole(void **state)
{
	CLEANUP(hash_state_free)
	struct hash_state *s = hash_state_new(&published);
	uint8_t data[SANITY_BYTES];

	(void)state;
	assert_non_null(s);
	sanity_bytes(data);
	for (size_t len = 0; len <= SANITY_BYTES; len += 13) {
		struct hash128 whole, parts;
		size_t at = 0;

		hash128(&published, data, len, &whole);
		hash_state_reset(s);
		for (size_t step = 1; at < len; step = step * 2 + 1) {
			size_t n = step < len - at ? step : len - at;

			hash_state_add(s, data + at, n);
			at += n;
		}
		hash_state_get(s, &parts);
		assert_int_equal(hash128_compare(&whole, &parts), 0);
	}
}

static void a_stream_may_be_asked_midway(void **state)
{
	CLEANUP(hash_state_free)
	struct hash_state *s = hash_state_new(&published);
	struct hash128 midway, end, want;

	(void)state;
	assert_non_null(s);
	hash_state_add(s, "ab", 2);
	hash_state_get(s, &midway);
	hash_state_add(s, "c", 1);
	hash_state_get(s, &end);
	hash128(&published, "ab", 2, &want);
	assert_int_equal(hash128_compare(&midway, &want), 0);
	hash128(&published, "abc", 3, &want);
	assert_int_equal(hash128_compare(&end, &want), 0);
}

static void another_key_gives_another_hash(void **state)
{
	struct hash_key one, two;
	struct error err = ERROR_INIT;
	uint8_t data[SANITY_BYTES];

	(void)state;
	sanity_bytes(data);
	assert_int_equal(hash_key_random(&one, &err), 0);
	assert_int_equal(hash_key_random(&two, &err), 0);
	assert_memory_not_equal(&one, &two, sizeof(one));
	for (size_t len = 0; len <= SANITY_BYTES; len += 263) {
		struct hash128 a, b;

		hash128(&one, data, len, &a);
		hash128(&two, data, len, &b);
		assert_int_not_equal(hash128_compare(&a, &b), 0);
	}
}

static void hash64_two_depends_on_both_parts(void **state)
{
	uint64_t h = hash64_two("ab", 2, "cd", 2);

	(void)state;
	assert_true(h == hash64_two("ab", 2, "cd", 2));
	assert_true(h != hash64_two("ax", 2, "cd", 2));
	assert_true(h != hash64_two("ab", 2, "cx", 2));
	assert_true(h != hash64_two("cd", 2, "ab", 2));
	assert_true(h != hash64_two("abc", 3, "d", 1));
}

static void compare_orders_by_bytes(void **state)
{
	struct hash128 a = { { 0 } }, b = { { 0 } };

	(void)state;
	assert_int_equal(hash128_compare(&a, &b), 0);
	b.bytes[0] = 0x80;
	a.bytes[15] = 0xff;
	assert_true(hash128_compare(&a, &b) < 0);
	assert_true(hash128_compare(&b, &a) > 0);
}

static void freeing_nothing_is_fine(void **state)
{
	(void)state;
	hash_state_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_hashes_of_128_bits),
		cmocka_unit_test(known_hashes_of_64_and_32_bits),
		cmocka_unit_test(streaming_gives_the_hash_of_the_whole),
		cmocka_unit_test(a_stream_may_be_asked_midway),
		cmocka_unit_test(another_key_gives_another_hash),
		cmocka_unit_test(hash64_two_depends_on_both_parts),
		cmocka_unit_test(compare_orders_by_bytes),
		cmocka_unit_test(freeing_nothing_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
