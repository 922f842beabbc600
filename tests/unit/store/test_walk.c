/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/support.h"

#define KIB(n) ((size_t)(n) << 10)

/* Items and how many of them are bad; they must follow each other. */
static int walk_all(struct world *w, int *ret_bad)
{
	struct walk_item item = { .body = NULL };
	uint64_t at = PACK_HEADER_BYTES;
	struct walk walk;
	int n = 0;
	int rc;

	*ret_bad = 0;
	must(w, walk_start(&walk, w->store, 1, at, 0, &w->err));
	while ((rc = walk_next(&walk, &item, &w->err)) > 0) {
		assert_int_equal(item.off, at);
		assert_true(item.end > at);
		at = item.end;
		n++;
		*ret_bad += item.bad;
	}
	must(w, rc);
	assert_int_equal(at, (uint64_t)pack_size(w, 1));
	walk_end(&walk, &item);
	return n;
}

static void every_record_comes_once(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(1, KIB(900));
	int bad;

	(void)put_data(w, data, KIB(900), 1);
	(void)put_data(w, data, KIB(300), 2);
	assert_int_equal(walk_all(w, &bad),
			 query(w, "SELECT count(DISTINCT extent_off) FROM"
				  " chunk") +
				 2);
	assert_int_equal(bad, 0);
	free(data);
}

static void damage_is_one_item_and_the_rest_follows(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(2, KIB(900));
	int bad;
	int n;

	(void)put_data(w, data, KIB(900), 1);
	n = walk_all(w, &bad);
	for (off_t at = 0; at < 40; at += 3) {
		flip_byte(w, 1, PACK_HEADER_BYTES + at);
		assert_int_equal(walk_all(w, &bad), n);
		assert_int_equal(bad, 1);
		flip_byte(w, 1, PACK_HEADER_BYTES + at);
	}
	free(data);
}

static void a_pack_of_garbage_is_one_bad_item(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(3, KIB(100));
	int fd;
	int bad;

	(void)put_data(w, "hello", 5, 1);
	for (size_t i = 0; i + 4 < KIB(100); i += 800)
		memcpy(data + i, RECORD_MAGIC_BYTES, 4);
	fd = open_pack_file(w, 1);
	assert_int_equal(pwrite(fd, data, KIB(100), PACK_HEADER_BYTES),
			 KIB(100));
	(void)close(fd);
	assert_int_equal(walk_all(w, &bad), 1);
	assert_int_equal(bad, 1);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(every_record_comes_once),
		world_test(damage_is_one_item_and_the_rest_follows),
		world_test(a_pack_of_garbage_is_one_bad_item),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
