/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/support.h"

#define LEN ((size_t)200 << 10)

static size_t encode(const uint8_t *data, uint8_t *out, uint8_t *ret_codec)
{
	struct codec *codec = codec_new();
	size_t n;

	assert_non_null(codec);
	n = codec_encode(codec, data, LEN, out, LEN, ret_codec);
	codec_free(codec);
	return n;
}

static void text_shrinks_and_reads_back(void **state)
{
	uint8_t *data = some_text(1, LEN);
	uint8_t *out = malloc(LEN);
	uint8_t *back = malloc(LEN);
	struct error err = ERROR_INIT;
	uint8_t codec;
	size_t n = encode(data, out, &codec);

	(void)state;
	assert_int_equal(codec, CODEC_ZSTD);
	assert_true(n < LEN / 2);
	assert_int_equal(codec_decode(codec, 1, out, n, back, LEN, &err), 0);
	assert_memory_equal(back, data, LEN);
	assert_int_equal(codec_decode(codec, 1, out, n, back, LEN - 1, &err),
			 -SOBRE_ECORRUPT);
	assert_int_equal(codec_decode(codec, 1, out, n - 1, back, LEN, &err),
			 -SOBRE_ECORRUPT);
	free(data);
	free(out);
	free(back);
}

static void what_saves_less_than_three_percent_stays_raw(void **state)
{
	uint8_t *data = some_noise(1, LEN);
	uint8_t *out = malloc(LEN);
	uint8_t codec;

	(void)state;
	memset(data, 'a', LEN / 50); /* 2 % */
	assert_int_equal(encode(data, out, &codec), LEN);
	assert_int_equal(codec, CODEC_RAW);
	assert_memory_equal(out, data, LEN);
	memset(data, 'a', LEN / 25); /* 4 % */
	assert_true(encode(data, out, &codec) < LEN);
	assert_int_equal(codec, CODEC_ZSTD);
	free(data);
	free(out);
}

/* Its bytes are as frequent as each other. */
static void noise_that_comes_again_shrinks(void **state)
{
	uint8_t *data = some_noise(1, LEN);
	uint8_t *out = malloc(LEN);
	uint8_t *back = malloc(LEN);
	struct error err = ERROR_INIT;
	uint8_t codec;
	size_t n;

	(void)state;
	memcpy(data + LEN / 2, data, LEN / 2);
	n = encode(data, out, &codec);
	assert_int_equal(codec, CODEC_ZSTD);
	assert_true(n < LEN / 2 + LEN / 50);
	assert_int_equal(codec_decode(codec, 1, out, n, back, LEN, &err), 0);
	assert_memory_equal(back, data, LEN);
	free(data);
	free(out);
	free(back);
}

static void unknown_codecs_are_eschema(void **state)
{
	struct error err = ERROR_INIT;
	uint8_t out[4];

	(void)state;
	assert_int_equal(
		codec_decode(2, 1, (const uint8_t *)"abcd", 4, out, 4, &err),
		-SOBRE_ESCHEMA);
	assert_int_equal(
		codec_decode(0, 2, (const uint8_t *)"abcd", 4, out, 4, &err),
		-SOBRE_ESCHEMA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_shrinks_and_reads_back),
		cmocka_unit_test(what_saves_less_than_three_percent_stays_raw),
		cmocka_unit_test(noise_that_comes_again_shrinks),
		cmocka_unit_test(unknown_codecs_are_eschema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
