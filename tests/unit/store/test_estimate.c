/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/support.h"

#define KIB(n)	   ((size_t)(n) << 10)
#define TREE_FILES 300
#define PACK_BYTES KIB(500)
#define BATCH	   128 /* as the packer's */

/* Files of all kinds, in order. */
struct tree {
	int fd[TREE_FILES];
	size_t len[TREE_FILES];
};

static uint8_t *put_le(uint8_t *at, uint32_t v, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		*at++ = (uint8_t)(v >> (8 * i));
	return at;
}

/* A ZIP of one stored member: headers around `len` bytes of noise. */
static int zip_fd(const struct world *w, uint32_t seed, uint32_t stamp,
		  uint32_t len, size_t *ret_len)
{
	uint8_t *noise = some_noise(seed, len);
	uint8_t *zip = calloc(1, len + 256);
	uint8_t *at = zip;
	uint8_t *central;
	int fd;

	assert_non_null(zip);
	at = put_le(put_le(at, 0x04034b50, 4), 20, 2);
	at = put_le(put_le(put_le(at, 0, 4), stamp, 4), 0, 4);
	at = put_le(put_le(put_le(at, len, 4), len, 4), 1, 4);
	*at++ = 'a';
	memcpy(at, noise, len);
	at += len;
	central = at;
	at = put_le(put_le(put_le(at, 0x02014b50, 4), 20, 2), 20, 2);
	at = put_le(put_le(put_le(at, 0, 4), stamp, 4), 0, 4);
	at = put_le(put_le(put_le(at, len, 4), len, 4), 1, 2);
	at = put_le(put_le(put_le(put_le(at, 0, 4), 0, 4), 0, 4), 0, 4);
	*at++ = 'a';
	*ret_len = (size_t)(at - central);
	at = put_le(put_le(put_le(at, 0x06054b50, 4), 0, 4), 1, 2);
	at = put_le(put_le(at, 1, 2), (uint32_t)*ret_len, 4);
	at = put_le(put_le(at, (uint32_t)(central - zip), 4), 0, 2);
	*ret_len = (size_t)(at - zip);
	fd = file_of(w, zip, *ret_len);
	free(noise);
	free(zip);
	return fd;
}

/* Sizes from some bytes to 3 MiB, text, noise, versions with an edit in the
 * middle, copies, documents saved again, files with holes. */
static int make_file(const struct world *w, uint32_t i, size_t *ret_len)
{
	uint32_t seed = i / 6;
	size_t len = 50 + ((size_t)seed * 7919) % KIB(seed % 10 ? 60 : 3000);
	uint8_t *data =
		i % 12 < 6 ? some_text(seed, len) : some_noise(seed, len);
	int fd;

	if (i % 6 == 3)
		memcpy(data + len / 2, "an edit", 7);
	if (i % 6 == 5) {
		free(data);
		return zip_fd(w, seed % 9, i, (uint32_t)KIB(40 + seed % 9),
			      ret_len);
	}
	fd = file_of(w, data, len);
	*ret_len = len;
	if (i % 6 == 4) {
		*ret_len = len + KIB(1000);
		assert_int_equal(ftruncate(fd, (off_t)*ret_len), 0);
	}
	free(data);
	return fd;
}

static void tree_make(struct tree *tree, const struct world *w)
{
	for (uint32_t i = 0; i < TREE_FILES; i++)
		tree->fd[i] = make_file(w, i, &tree->len[i]);
}

static void tree_close(struct tree *tree)
{
	for (size_t i = 0; i < TREE_FILES; i++)
		(void)close(tree->fd[i]);
}

static void pack_tree(struct world *w, const struct tree *tree)
{
	struct store_put_result r;

	for (size_t i = 0; i < TREE_FILES; i++) {
		if (i % BATCH == 0)
			must(w, catalog_begin(w->cat, &w->err));
		must(w, store_put(w->store, tree->fd[i], tree->len[i], &r,
				  &w->err));
		if (i % BATCH != BATCH - 1 && i != TREE_FILES - 1)
			continue;
		must(w, store_sync(w->store, &w->err));
		must(w, catalog_commit(w->cat, &w->err));
	}
}

static struct store_estimate *
estimate_of(struct world *w, const struct tree *tree, uint64_t pack_bytes)
{
	const struct store_estimate_options options = { .pack_bytes =
								pack_bytes };
	struct store_estimate *e;
	struct store_estimate_result r;

	must(w, store_estimate_new(&options, &e, &w->err));
	for (size_t i = 0; tree && i < TREE_FILES; i++)
		must(w, store_estimate_add(e, tree->fd[i], tree->len[i], &r,
					   &w->err));
	return e;
}

/* Nothing in it depends on the key: no byte of difference. */
static void an_estimate_is_what_packing_stores(void **state)
{
	struct world *w = *state;
	struct store_estimate_totals is;
	struct store_totals should;
	struct store_estimate *e;
	struct tree tree;
	uint64_t logical = 0;

	w->options.pack_bytes = PACK_BYTES;
	world_reopen(w);
	tree_make(&tree, w);
	for (size_t i = 0; i < TREE_FILES; i++)
		logical += tree.len[i];
	e = estimate_of(w, &tree, PACK_BYTES);
	store_estimate_totals(e, &is);
	pack_tree(w, &tree);
	must(w, store_totals(w->store, &should, &w->err));
	assert_int_equal(is.files, TREE_FILES);
	assert_int_equal(is.logical_bytes, logical);
	assert_int_equal(is.contents, should.contents);
	assert_int_equal(is.content_bytes, should.content_bytes);
	assert_int_equal(is.chunks, should.chunks);
	assert_int_equal(is.chunk_bytes,
			 query(w, "SELECT sum(len) FROM chunk"));
	assert_int_equal(is.extent_bytes,
			 query(w, "SELECT sum(stored_bytes) FROM chunk"));
	assert_int_equal(is.packs, should.packs);
	assert_true(is.packs > 3);
	assert_int_equal(is.stored_bytes, should.pack_bytes);
	assert_int_equal(is.stored_bytes, is.extent_bytes + is.recipe_bytes +
						  is.packs * PACK_HEADER_BYTES);
	assert_true(is.contents < is.files);
	assert_true(is.data_bytes < is.content_bytes);
	assert_true(is.chunk_bytes < is.data_bytes);
	tree_close(&tree);
	store_estimate_free(e);
}

/* Bytes read by this process, through the file system's cache or not. */
static uint64_t bytes_read(void)
{
	char text[512] = "";
	int fd = open("/proc/self/io", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	(void)close(fd);
	return strtoull(strchr(text, ' ') + 1, NULL, 10);
}

static void a_copy_is_read_once_and_costs_nothing(void **state)
{
	struct world *w = *state;
	struct store_estimate *e = estimate_of(w, NULL, 0);
	uint8_t *data = some_noise(1, KIB(5000));
	int fd = file_of(w, data, KIB(5000));
	struct store_estimate_totals before;
	struct store_estimate_totals after;
	struct store_estimate_result first;
	struct store_estimate_result second;
	uint64_t at;

	must(w, store_estimate_add(e, fd, KIB(5000), &first, &w->err));
	assert_false(first.known);
	assert_int_equal(first.new_bytes, KIB(5000));
	store_estimate_totals(e, &before);
	at = bytes_read();
	must(w, store_estimate_add(e, fd, KIB(5000), &second, &w->err));
	if (at)
		assert_in_range(bytes_read() - at, KIB(5000), KIB(5050));
	assert_true(second.known);
	assert_int_equal(second.new_bytes, 0);
	assert_int_equal(hash128_compare(&first.content, &second.content), 0);
	store_estimate_totals(e, &after);
	assert_int_equal(after.stored_bytes, before.stored_bytes);
	assert_int_equal(after.logical_bytes, 2 * before.logical_bytes);
	(void)close(fd);
	free(data);
	store_estimate_free(e);
}

/* Asking in between changes nothing. */
static void totals_can_be_asked_at_any_time(void **state)
{
	struct world *w = *state;
	struct store_estimate *e = estimate_of(w, NULL, 0);
	struct store_estimate *asked = estimate_of(w, NULL, 0);
	struct store_estimate_totals one;
	struct store_estimate_totals other;
	struct store_estimate_result r;

	store_estimate_totals(e, &one);
	assert_int_equal(one.stored_bytes, 0);
	for (uint32_t i = 0; i < 20; i++) {
		uint8_t *data = some_text(i, 5000);
		int fd = file_of(w, data, 5000);

		must(w, store_estimate_add(e, fd, 5000, &r, &w->err));
		must(w, store_estimate_add(asked, fd, 5000, &r, &w->err));
		store_estimate_totals(asked, &other);
		(void)close(fd);
		free(data);
	}
	store_estimate_totals(e, &one);
	assert_memory_equal(&one, &other, sizeof(one));
	assert_true(one.extent_bytes > 0);
	store_estimate_free(e);
	store_estimate_free(asked);
}

static void a_file_of_another_length_is_refused(void **state)
{
	struct world *w = *state;
	struct store_estimate *e = estimate_of(w, NULL, 0);
	struct store_estimate_result r;
	struct store_estimate_totals totals;
	int fd = file_of(w, "data", 4);

	assert_int_equal(store_estimate_add(e, fd, 5, &r, &w->err),
			 -SOBRE_ECHANGED);
	assert_int_equal(store_estimate_add(e, fd, 3, &r, &w->err),
			 -SOBRE_ECHANGED);
	must(w, store_estimate_add(e, fd, 4, &r, &w->err));
	store_estimate_totals(e, &totals);
	assert_int_equal(totals.files, 1);
	(void)close(fd);
	store_estimate_free(e);
}

static void add_of(struct world *w, struct store_estimate *e, uint8_t *data,
		   size_t len)
{
	struct store_estimate_result r;
	int fd = file_of(w, data, len);

	must(w, store_estimate_add(e, fd, len, &r, &w->err));
	(void)close(fd);
	free(data);
}

/* Files alike differ little; when a quarter, here and there, takes 0.45 of its
 * size and the rest all of it, the ratio of 600 files is known to 1 %: the
 * spread of one file, 0.24, by the root of 600. */
static void scatter_tells_how_alike_files_are(void **state)
{
	struct world *w = *state;
	struct store_estimate *alike = estimate_of(w, NULL, 0);
	struct store_estimate *mixed = estimate_of(w, NULL, 0);
	uint64_t scatter;

	for (uint32_t i = 0; i < 600; i++) {
		assert_true(i > 32 ||
			    store_estimate_scatter_ppm(mixed) == UINT64_MAX);
		add_of(w, alike, some_text(i, 20000), 20000);
		add_of(w, mixed,
		       hash64(&i, sizeof(i)) % 4 ? some_noise(i, 20000)
						 : some_text(i, 20000),
		       20000);
	}
	assert_true(store_estimate_scatter_ppm(alike) < 1000);
	scatter = store_estimate_scatter_ppm(mixed);
	assert_in_range(scatter, 5000, 20000);
	store_estimate_free(alike);
	store_estimate_free(mixed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(an_estimate_is_what_packing_stores),
		world_test(a_copy_is_read_once_and_costs_nothing),
		world_test(totals_can_be_asked_at_any_time),
		world_test(a_file_of_another_length_is_refused),
		world_test(scatter_tells_how_alike_files_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
