/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/support.h"

#define SPARSE ((off_t)320 << 10)
#define BLOCK2 ((off_t)128 << 10)
#define KIB(n) ((size_t)(n) << 10)

static void any_range_reads_right(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_text(1, KIB(500));
	struct store_put_result r = put_data(w, data, KIB(500), 1);
	struct store_body *body;
	uint8_t *buf = malloc(KIB(500));

	must(w,
	     store_body_open(w->store, &r.content, KIB(500), &body, &w->err));
	for (size_t off = 0; off < KIB(500); off += 7919) {
		size_t len = (off * 31) % KIB(200) + 1;
		size_t expect = off + len > KIB(500) ? KIB(500) - off : len;

		assert_int_equal(store_body_read(body, buf, len, off, &w->err),
				 (ssize_t)expect);
		assert_memory_equal(buf, data + off, expect);
	}
	assert_int_equal(store_body_read(body, buf, 1, KIB(500), &w->err), 0);
	assert_int_equal(store_body_read(body, buf, 1, UINT64_MAX, &w->err), 0);
	assert_int_equal(store_body_read(body, buf, 0, 5, &w->err), 0);
	store_body_close(body);
	free(buf);
	free(data);
}

static void seek_answers_as_lseek_does(void **state)
{
	struct world *w = *state;
	uint8_t block[4096] = { 1 };
	int fd = file_of(w, "", 0);
	struct store_put_result r;
	struct store_body *body;

	/* data, hole, data, hole */
	assert_int_equal(ftruncate(fd, SPARSE), 0);
	assert_int_equal(pwrite(fd, block, 4096, 0), 4096);
	assert_int_equal(pwrite(fd, block, 4096, BLOCK2), 4096);
	r = put_fd(w, fd, (size_t)SPARSE, 1);
	must(w, store_body_open(w->store, &r.content, (uint64_t)SPARSE, &body,
				&w->err));
	for (off_t off = 0; off <= SPARSE; off += 1024) {
		off_t data = lseek(fd, off, SEEK_DATA);
		off_t hole = lseek(fd, off, SEEK_HOLE);

		assert_int_equal(store_body_seek(body, off, SEEK_DATA),
				 data < 0 ? -ENXIO : data);
		assert_int_equal(store_body_seek(body, off, SEEK_HOLE),
				 hole < 0 ? -ENXIO : hole);
	}
	assert_int_equal(store_body_seek(body, -1, SEEK_DATA), -ENXIO);
	assert_int_equal(store_body_seek(body, 0, SEEK_SET), -EINVAL);
	store_body_close(body);
	(void)close(fd);
}

static void a_body_follows_chunks_that_move(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(2, KIB(300));
	struct store_put_result r = put_data(w, data, KIB(300), 1);
	struct store_gc_result counts = { .bytes_freed = 0 };
	struct store_body *body;
	uint8_t *buf = malloc(KIB(300));

	must(w,
	     store_body_open(w->store, &r.content, KIB(300), &body, &w->err));
	assert_int_equal(store_body_read(body, buf, KIB(300), 0, &w->err),
			 (ssize_t)KIB(300));
	change(w, "UPDATE pack SET state = 1");
	must(w, pack_rewrite(w->store, 1, NULL, &counts, &w->err));
	assert_int_equal(unlinkat(w->packs_fd, "01/0001.pack", 0), 0);
	pack_forget(w->store, 1);
	cache_purge(&w->store->cache);
	assert_int_equal(store_body_read(body, buf, KIB(300), 0, &w->err),
			 (ssize_t)KIB(300));
	assert_memory_equal(buf, data, KIB(300));
	store_body_close(body);
	free(buf);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(any_range_reads_right),
		world_test(seek_answers_as_lseek_does),
		world_test(a_body_follows_chunks_that_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
