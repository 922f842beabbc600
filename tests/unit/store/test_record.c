/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/support.h"

static struct record sound(void)
{
	return (struct record){ .type = RECORD_EXTENT,
				.codec = CODEC_RAW,
				.codec_version = 1,
				.body_len = 24,
				.raw_len = 4,
				.n = 1 };
}

static int decode(const struct record *record)
{
	uint8_t header[RECORD_HEADER_BYTES];
	uint8_t body[64] = { 0 };
	struct error err = ERROR_INIT;
	struct record got;

	record_encode(record, body, header);
	return record_decode(header, &got, &err);
}

static void a_record_reads_back(void **state)
{
	const struct record record = sound();
	uint8_t header[RECORD_HEADER_BYTES];
	uint8_t body[24] = { 7 };
	struct error err = ERROR_INIT;
	struct record got;

	(void)state;
	record_encode(&record, body, header);
	assert_int_equal(record_decode(header, &got, &err), 0);
	assert_int_equal(got.body_len, 24);
	assert_int_equal(got.n, 1);
	assert_int_equal(record_check(&got, header, body, &err), 0);
}

static void any_flipped_byte_fails(void **state)
{
	const struct record record = sound();
	uint8_t header[RECORD_HEADER_BYTES];
	uint8_t body[24] = { 7 };
	struct error err = ERROR_INIT;
	struct record got;

	(void)state;
	for (size_t i = 0; i < sizeof(header) + sizeof(body); i++) {
		record_encode(&record, body, header);
		if (i < sizeof(header))
			header[i] ^= 4;
		else
			body[i - sizeof(header)] ^= 4;
		if (record_decode(header, &got, &err) == 0 &&
		    got.body_len <= sizeof(body))
			assert_int_equal(record_check(&got, header, body, &err),
					 -SOBRE_ECORRUPT);
		body[i < sizeof(header) ? 0 : i - sizeof(header)] = 0;
		body[0] = 7;
	}
}

static void sizes_beyond_the_bounds_are_refused(void **state)
{
	struct record r = sound();

	(void)state;
	assert_int_equal(decode(&r), 0);
	r.raw_len = EXTENT_RAW_MAX + 1;
	assert_int_equal(decode(&r), -SOBRE_ECORRUPT);
	r = sound();
	r.n = EXTENT_COUNT_MAX + 1;
	assert_int_equal(decode(&r), -SOBRE_ECORRUPT);
	r = sound();
	r.body_len = 25; /* longer than raw */
	assert_int_equal(decode(&r), -SOBRE_ECORRUPT);
	r = sound();
	r.body_len = 20; /* no data */
	assert_int_equal(decode(&r), -SOBRE_ECORRUPT);
	r = sound();
	r.n = 0;
	assert_int_equal(decode(&r), -SOBRE_ECORRUPT);
	r = sound();
	r.type = RECORD_RECIPE;
	assert_int_equal(decode(&r), -SOBRE_ECORRUPT);
	r.raw_len = r.body_len = 44;
	assert_int_equal(decode(&r), 0);
	r.n = UINT32_MAX / RECIPE_ENTRY_BYTES + 2; /* wraps round */
	assert_int_equal(decode(&r), -SOBRE_ECORRUPT);
	r.type = 3;
	assert_int_equal(decode(&r), -SOBRE_ECORRUPT);
}

static void a_pack_header_reads_back(void **state)
{
	struct pack_header header = { .uuid = { 9 }, .id = 77 };
	uint8_t bytes[PACK_HEADER_BYTES];
	struct error err = ERROR_INIT;
	struct pack_header got;

	(void)state;
	header.key.secret[191] = 5;
	pack_header_encode(&header, bytes);
	assert_int_equal(pack_header_decode(bytes, &got, &err), 0);
	assert_memory_equal(&got, &header, sizeof(got));
	bytes[100] ^= 1;
	assert_int_equal(pack_header_decode(bytes, &got, &err),
			 -SOBRE_ECORRUPT);
}

static void a_newer_pack_is_eschema(void **state)
{
	const struct pack_header header = { .id = 1 };
	uint8_t bytes[PACK_HEADER_BYTES];
	struct error err = ERROR_INIT;
	struct pack_header got;
	uint64_t sum;

	(void)state;
	pack_header_encode(&header, bytes);
	bytes[8] = 2;
	sum = hash64(bytes, PACK_HEADER_BYTES - 8);
	memcpy(bytes + PACK_HEADER_BYTES - 8, &sum, 8);
	assert_int_equal(pack_header_decode(bytes, &got, &err), -SOBRE_ESCHEMA);
	assert_non_null(strstr(err.text, "version 2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_reads_back),
		cmocka_unit_test(any_flipped_byte_fails),
		cmocka_unit_test(sizes_beyond_the_bounds_are_refused),
		cmocka_unit_test(a_pack_header_reads_back),
		cmocka_unit_test(a_newer_pack_is_eschema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
