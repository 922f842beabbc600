/* SPDX-License-Identifier: EUPL-1.2 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fs/chunk/chunk.h"

#define LEN   ((size_t)8 << 20)
#define TWICE ((size_t)2 * CHUNK_MAX_BYTES)

static uint8_t *noise(void)
{
	uint8_t *data = malloc(LEN);
	uint64_t x = 88172645463325252U;

	assert_non_null(data);
	for (size_t i = 0; i < LEN; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		data[i] = (uint8_t)(x >> 32);
	}
	return data;
}

static size_t cut_all(const uint8_t *data, size_t len, size_t *ret_cuts)
{
	size_t n = 0;

	for (size_t at = 0; at < len; n++) {
		at += chunk_cut(data + at, len - at);
		ret_cuts[n] = at;
	}
	return n;
}

static void chunks_keep_to_their_sizes(void **state)
{
	uint8_t *data = noise();
	size_t *cuts = calloc(LEN / CHUNK_MIN_BYTES + 1, sizeof(*cuts));
	size_t n = cut_all(data, LEN, cuts);
	size_t longest = 0;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		size_t len = cuts[i] - (i ? cuts[i - 1] : 0);

		assert_true(len <= CHUNK_MAX_BYTES);
		assert_true(len > CHUNK_MIN_BYTES || i == n - 1);
		longest += len == CHUNK_MAX_BYTES;
	}
	assert_true(LEN > n * (CHUNK_AVG_BYTES * 3 / 4));
	assert_true(LEN < n * (CHUNK_AVG_BYTES * 3 / 2));
	assert_true(longest * 50 <= n);
	free(cuts);
	free(data);
}

/* Frozen: other cuts would find no chunk of older packs again. */
static void the_cuts_of_version_1_never_change(void **state)
{
	uint8_t *data = noise();
	size_t *cuts = calloc(LEN / CHUNK_MIN_BYTES + 1, sizeof(*cuts));
	size_t n = cut_all(data, LEN, cuts);
	uint64_t sum = 0;

	(void)state;
	for (size_t i = 0; i < n; i++)
		sum = sum * 31 + cuts[i];
	/* From another program, written from docs/format/pack.md. */
	assert_int_equal(n, 226);
	assert_int_equal(cuts[0], 39029);
	assert_int_equal(sum, UINT64_C(0x859d53e1ff3f0d8c));
	free(cuts);
	free(data);
}

static void an_insertion_moves_only_cuts_near_it(void **state)
{
	uint8_t *data = noise();
	uint8_t *edited = malloc(LEN + 1);
	size_t *a = calloc(LEN / CHUNK_MIN_BYTES + 1, sizeof(*a));
	size_t *b = calloc(LEN / CHUNK_MIN_BYTES + 1, sizeof(*b));
	size_t na = cut_all(data, LEN, a);
	size_t same = 0;
	size_t nb;

	(void)state;
	memcpy(edited, data, LEN / 2);
	edited[LEN / 2] = 42;
	memcpy(edited + LEN / 2 + 1, data + LEN / 2, LEN / 2);
	nb = cut_all(edited, LEN + 1, b);
	for (size_t i = 0, j = 0; i < na && j < nb;) {
		size_t moved = a[i] > LEN / 2 ? a[i] + 1 : a[i];

		same += moved == b[j];
		if (moved <= b[j])
			i++;
		if (b[j] <= moved)
			j++;
	}
	assert_true(same + 6 >= na);
	free(a);
	free(b);
	free(edited);
	free(data);
}

static void what_follows_the_longest_chunk_does_not_matter(void **state)
{
	uint8_t *data = noise();

	(void)state;
	for (size_t at = 0; at + TWICE < LEN; at += 100003)
		assert_int_equal(chunk_cut(data + at, CHUNK_MAX_BYTES),
				 chunk_cut(data + at, TWICE));
	free(data);
}

static void a_short_rest_is_one_chunk(void **state)
{
	uint8_t *data = noise();

	(void)state;
	assert_int_equal(chunk_cut(data, 1), 1);
	assert_int_equal(chunk_cut(data, CHUNK_MIN_BYTES), CHUNK_MIN_BYTES);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunks_keep_to_their_sizes),
		cmocka_unit_test(the_cuts_of_version_1_never_change),
		cmocka_unit_test(an_insertion_moves_only_cuts_near_it),
		cmocka_unit_test(
			what_follows_the_longest_chunk_does_not_matter),
		cmocka_unit_test(a_short_rest_is_one_chunk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
