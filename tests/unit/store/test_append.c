/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/support.h"

#define KIB(n) ((size_t)(n) << 10)

static void put_and_give_up(struct world *w, const uint8_t *data, size_t len,
			    bool sync)
{
	struct store_put_result r;
	int fd = file_of(w, data, len);

	must(w, catalog_begin(w->cat, &w->err));
	must(w, store_put(w->store, fd, len, &r, &w->err));
	if (sync)
		must(w, store_sync(w->store, &w->err));
	catalog_rollback(w->cat);
	store_abort(w->store);
	(void)close(fd);
}

static void abort_leaves_no_trace(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(1, KIB(900));
	struct store_put_result r = put_data(w, data, KIB(100), 1);
	off_t size = pack_size(w, 1);

	put_and_give_up(w, data + KIB(100), KIB(800), false);
	assert_int_equal(pack_size(w, 1), size);
	put_and_give_up(w, data + KIB(100), KIB(800), true);
	assert_int_equal(pack_size(w, 1), size);
	assert_int_equal(query(w, "SELECT count(*) FROM content"), 1);
	assert_int_equal(read_all(w, &r.content, data, KIB(100)), 0);
	free(data);
}

static void abort_unlinks_the_packs_it_made(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(2, KIB(2000));

	w->options.pack_bytes = KIB(600);
	world_reopen(w);
	put_and_give_up(w, data, KIB(2000), true);
	assert_int_equal(query(w, "SELECT count(*) FROM pack"), 0);
	for (uint64_t id = 1; id < 6; id++) {
		char name[PACK_NAME_BYTES];

		pack_name(id, name);
		assert_int_equal(faccessat(w->packs_fd, name, F_OK, 0), -1);
	}
	free(data);
}

static void abort_after_a_commit_changes_nothing(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(3, KIB(100));
	struct store_put_result r = put_data(w, data, KIB(100), 1);

	store_abort(w->store);
	assert_int_equal(read_all(w, &r.content, data, KIB(100)), 0);
	free(data);
}

/* What was appended where the aborted batch was must not be taken for it. */
static void the_next_batch_reads_right_after_an_abort(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(4, KIB(300));
	struct store_put_result r;

	put_and_give_up(w, data, KIB(100), false);
	r = put_data(w, data + KIB(100), KIB(200), 1);
	assert_int_equal(read_all(w, &r.content, data + KIB(100), KIB(200)), 0);
	free(data);
}

static void a_torn_tail_is_cut_before_the_first_append(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(5, KIB(200));
	struct store_put_result a = put_data(w, data, KIB(100), 1);
	struct store_put_result b;
	off_t size = pack_size(w, 1);
	int fd = open_pack_file(w, 1);

	assert_int_equal(pwrite(fd, data, 12345, size), 12345);
	(void)close(fd);
	world_reopen(w);
	b = put_data(w, data + KIB(100), KIB(100), 2);
	assert_int_equal(pack_size(w, 1),
			 query(w, "SELECT size_bytes FROM pack"));
	world_reopen(w);
	assert_int_equal(read_all(w, &a.content, data, KIB(100)), 0);
	assert_int_equal(read_all(w, &b.content, data + KIB(100), KIB(100)), 0);
	free(data);
}

static void a_readonly_store_cuts_nothing(void **state)
{
	struct world *w = *state;
	off_t size;
	int fd;

	(void)put_data(w, "hello", 5, 1);
	size = pack_size(w, 1);
	fd = open_pack_file(w, 1);
	assert_int_equal(pwrite(fd, "torn", 4, size), 4);
	(void)close(fd);
	w->options.readonly = true;
	world_reopen(w);
	assert_int_equal(pack_size(w, 1), size + 4);
}

static void a_pack_that_lost_its_end_is_not_appended_to(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(6, KIB(100));
	struct store_put_result r;
	int fd;

	(void)put_data(w, data, KIB(50), 1);
	fd = open_pack_file(w, 1);
	assert_int_equal(ftruncate(fd, KIB(20)), 0);
	(void)close(fd);
	r = put_data(w, data + KIB(50), KIB(50), 2);
	assert_int_equal(pack_size(w, 1), KIB(20));
	assert_int_equal(query(w, "SELECT state FROM pack WHERE id = 1"), 1);
	assert_int_equal(read_all(w, &r.content, data + KIB(50), KIB(50)), 0);
	free(data);
}

static void a_file_that_is_there_is_never_written_over(void **state)
{
	struct world *w = *state;
	int fd;

	assert_int_equal(mkdirat(w->packs_fd, "01", 0700), 0);
	fd = openat(w->packs_fd, "01/0001.pack", O_CREAT | O_WRONLY, 0600);
	assert_int_equal(write(fd, "mine", 4), 4);
	(void)close(fd);
	(void)put_data(w, "hello", 5, 1);
	assert_int_equal(pack_size(w, 1), 4);
	assert_int_equal(query(w, "SELECT max(id) FROM pack"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(abort_leaves_no_trace),
		world_test(abort_unlinks_the_packs_it_made),
		world_test(abort_after_a_commit_changes_nothing),
		world_test(the_next_batch_reads_right_after_an_abort),
		world_test(a_torn_tail_is_cut_before_the_first_append),
		world_test(a_readonly_store_cuts_nothing),
		world_test(a_pack_that_lost_its_end_is_not_appended_to),
		world_test(a_file_that_is_there_is_never_written_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
