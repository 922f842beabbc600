/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/store/split.h"
#include "tests/unit/store/support.h"

#define KIB(n) ((size_t)(n) << 10)

struct parts {
	struct hash_key key;
	struct hash_state *data;
	uint64_t bytes;
	uint64_t holes;
	uint32_t chunks;
	uint32_t shortest;
	uint32_t longest;
};

static int note_chunk(void *ctx, const uint8_t *data, uint32_t len,
		      struct error *err)
{
	struct parts *p = ctx;

	(void)err;
	hash_state_add(p->data, data, len);
	p->bytes += len;
	if (p->chunks++ == 0 || len < p->shortest)
		p->shortest = len;
	if (len > p->longest)
		p->longest = len;
	return 0;
}

static void note_hole(void *ctx, uint64_t len)
{
	struct parts *p = ctx;

	p->holes += len;
}

static int split_fd(struct world *w, int fd, uint64_t size, bool changed,
		    struct parts *p)
{
	cleanup_free uint8_t *window = malloc(WINDOW_BYTES);
	CLEANUP(identity_free)
	struct identity *identity = identity_new(&p->key);
	struct source source = { .fd = fd, .size_bytes = size };
	struct split split = { .source = &source,
			       .window = window,
			       .identity = identity,
			       .chunk = note_chunk,
			       .hole = note_hole,
			       .ctx = p };
	struct hash128 content;

	must(w, source_load(&source, window, &w->err));
	must(w, source_identify(&source, identity, window, &content, &w->err));
	if (changed)
		content.bytes[0] ^= 1;
	return source_split(&split, &content, &w->err);
}

/* Chunks come in order, and are all the data. */
static void the_chunks_are_the_data(struct world *w, size_t len)
{
	struct parts p = { .bytes = 0 };
	CLEANUP(hash_state_free) struct hash_state *all = NULL;
	uint8_t *data = some_noise(3, len);
	int fd = file_of(w, data, len);
	struct hash128 is;
	struct hash128 should;

	all = hash_state_new(&p.key);
	p.data = all;
	must(w, split_fd(w, fd, len, false, &p));
	assert_int_equal(p.bytes, len);
	assert_true(p.longest <= CHUNK_MAX_BYTES);
	hash_state_get(p.data, &is);
	hash128(&p.key, data, len, &should);
	assert_int_equal(hash128_compare(&is, &should), 0);
	if (len < KIB(32))
		assert_int_equal(p.chunks, len > 0);
	(void)close(fd);
	free(data);
}

static void any_size_is_cut_without_loss(void **state)
{
	struct world *w = *state;

	the_chunks_are_the_data(w, 0);
	the_chunks_are_the_data(w, 1);
	the_chunks_are_the_data(w, KIB(32) - 1);
	the_chunks_are_the_data(w, KIB(32));
	the_chunks_are_the_data(w, KIB(1024));
	the_chunks_are_the_data(w, KIB(1024) + 1);
	the_chunks_are_the_data(w, KIB(5000) + 3);
}

static void holes_are_told_apart(void **state)
{
	struct world *w = *state;
	struct parts p = { .bytes = 0 };
	CLEANUP(hash_state_free) struct hash_state *all = NULL;
	uint8_t *data = some_noise(1, KIB(64));
	int fd = file_of(w, data, KIB(64));

	assert_int_equal(pwrite(fd, data, KIB(64), (off_t)KIB(4096)), KIB(64));
	assert_int_equal(ftruncate(fd, (off_t)KIB(8192)), 0);
	all = hash_state_new(&p.key);
	p.data = all;
	must(w, split_fd(w, fd, KIB(8192), false, &p));
	assert_int_equal(p.bytes + p.holes, KIB(8192));
	assert_int_equal(p.bytes, KIB(128));
	(void)close(fd);
	free(data);
}

static void another_content_is_noticed(void **state)
{
	struct world *w = *state;
	struct parts p = { .bytes = 0 };
	CLEANUP(hash_state_free) struct hash_state *all = NULL;
	int fd = file_of(w, "old", 3);

	all = hash_state_new(&p.key);
	p.data = all;
	assert_int_equal(split_fd(w, fd, 3, true, &p), -SOBRE_ECHANGED);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(any_size_is_cut_without_loss),
		world_test(holes_are_told_apart),
		world_test(another_content_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
