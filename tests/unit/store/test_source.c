/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/support.h"

#define KIB(n) ((size_t)(n) << 10)

static struct hash128 identify(struct world *w, int fd, uint64_t size,
			       const uint8_t *whole)
{
	const struct source source = { .fd = fd,
				       .size_bytes = size,
				       .whole = whole };
	struct identity *identity = identity_new(&w->options.key);
	uint8_t *window = malloc(WINDOW_BYTES);
	struct hash128 id;

	assert_non_null(identity);
	must(w, source_identify(&source, identity, window, &id, &w->err));
	identity_free(identity);
	free(window);
	return id;
}

static void without_holes_the_id_is_the_hash_of_the_bytes(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(1, KIB(2500));
	int fd = file_of(w, data, KIB(2500));
	struct hash128 id = identify(w, fd, KIB(2500), NULL);
	struct hash128 plain;

	hash128(&w->options.key, data, KIB(2500), &plain);
	assert_int_equal(hash128_compare(&id, &plain), 0);
	id = identify(w, fd, KIB(2500), data);
	assert_int_equal(hash128_compare(&id, &plain), 0);
	(void)close(fd);
	free(data);
}

static void the_place_of_a_hole_and_the_size_count(void **state)
{
	struct world *w = *state;
	uint8_t block[4096] = { 1 };
	struct hash128 id[3];

	for (int i = 0; i < 3; i++) {
		int fd = file_of(w, "", 0);
		uint64_t size = i == 2 ? 5 * 65536 : 4 * 65536;

		assert_int_equal(ftruncate(fd, (off_t)size), 0);
		assert_int_equal(pwrite(fd, block, 4096, i == 1 ? 65536 : 0),
				 4096);
		id[i] = identify(w, fd, size, NULL);
		(void)close(fd);
	}
	assert_int_not_equal(hash128_compare(&id[0], &id[1]), 0);
	assert_int_not_equal(hash128_compare(&id[0], &id[2]), 0);
}

static void reading_past_the_end_is_echanged(void **state)
{
	struct world *w = *state;
	int fd = file_of(w, "hello", 5);
	const struct source source = { .fd = fd, .size_bytes = 6 };
	uint8_t buf[6];

	assert_int_equal(source_read(&source, buf, 6, 0, &w->err),
			 -SOBRE_ECHANGED);
	assert_int_equal(source_check_size(&source, &w->err), -SOBRE_ECHANGED);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(without_holes_the_id_is_the_hash_of_the_bytes),
		world_test(the_place_of_a_hole_and_the_size_count),
		world_test(reading_past_the_end_is_echanged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
