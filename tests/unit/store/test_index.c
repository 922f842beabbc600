/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/support.h"

#define KIB(n) ((size_t)(n) << 10)

static void forget_everything(struct world *w)
{
	change(w, "DELETE FROM chunk");
	change(w, "DELETE FROM content");
	change(w, "DELETE FROM pack");
}

static void packs_no_row_knows_are_taken_in_at_open(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(1, KIB(300));
	struct store_put_result r = put_data(w, data, KIB(300), 1);

	forget_everything(w); /* a catalog that was lost */
	world_reopen(w);
	assert_int_equal(read_all(w, &r.content, data, KIB(300)), 0);
	assert_int_equal(query(w, "SELECT orphan FROM content"), 1);
	assert_int_equal(query(w, "SELECT max(refs) FROM chunk"), 0);
	free(data);
}

static void records_after_the_committed_end_are_taken_in(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(2, KIB(200));
	struct store_put_result r;
	char sql[100];

	(void)put_data(w, data, KIB(100), 1);
	(void)snprintf(sql, sizeof(sql), "UPDATE pack SET size_bytes = %lld",
		       (long long)pack_size(w, 1));
	r = put_data(w, data + KIB(100), KIB(100), 2);
	/* An older copy of the catalog comes back. */
	change(w, sql);
	change(w, "DELETE FROM content WHERE off >"
		  " (SELECT size_bytes FROM pack)");
	change(w, "DELETE FROM chunk WHERE extent_off >="
		  " (SELECT size_bytes FROM pack)");
	world_reopen(w);
	assert_int_equal(read_all(w, &r.content, data + KIB(100), KIB(100)), 0);
	assert_int_equal(query(w, "SELECT size_bytes FROM pack"),
			 pack_size(w, 1));
	free(data);
}

static void a_tail_of_garbage_changes_no_row(void **state)
{
	struct world *w = *state;
	int64_t size;
	int fd;

	(void)put_data(w, "hello", 5, 1);
	size = query(w, "SELECT size_bytes FROM pack");
	fd = open_pack_file(w, 1);
	assert_int_equal(pwrite(fd, "SBR1 but torn, and longer than a header",
				39, (off_t)size),
			 39);
	(void)close(fd);
	world_reopen(w);
	assert_int_equal(query(w, "SELECT size_bytes FROM pack"), size);
	assert_int_equal(query(w, "SELECT count(*) FROM content"), 1);
}

static void a_pack_cut_off_before_its_header_is_cleared_away(void **state)
{
	struct world *w = *state;
	uint8_t *data = some_noise(3, KIB(10));
	struct store_put_result r;
	int fd;

	assert_int_equal(mkdirat(w->packs_fd, "01", 0700), 0);
	fd = openat(w->packs_fd, "01/0001.pack", O_RDWR | O_CREAT, 0600);
	assert_int_equal(write(fd, "SOBRE", 5), 5);
	(void)close(fd);
	world_reopen(w);
	assert_int_equal(faccessat(w->packs_fd, "01/0001.pack", F_OK, 0), -1);
	assert_int_equal(query(w, "SELECT count(*) FROM pack"), 0);
	r = put_data(w, data, KIB(10), 1);
	assert_int_equal(read_all(w, &r.content, data, KIB(10)), 0);
	free(data);
}

static void only_names_of_packs_are_listed(void **state)
{
	struct world *w = *state;
	static const char *const names[] = { "01/0001.pack",  "01/0257.pack",
					     "01/0002.pack",  "01/1.pack",
					     "01/0001.pack~", "02/0002.pack",
					     "ff/0255.pack" };
	uint64_t *ids = NULL;

	for (unsigned int i = 0; i < 256; i++) {
		char xx[3];

		(void)snprintf(xx, sizeof(xx), "%02x", i & 255);
		(void)mkdirat(w->packs_fd, xx, 0700);
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)close(openat(w->packs_fd, names[i], O_CREAT | O_WRONLY,
				   0600));
	assert_int_equal(packs_list(w->store, &ids, &w->err), 4);
	assert_int_equal(ids[0], 1);
	assert_int_equal(ids[1], 2);
	assert_int_equal(ids[2], 255);
	assert_int_equal(ids[3], 257);
	free(ids);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(packs_no_row_knows_are_taken_in_at_open),
		world_test(records_after_the_committed_end_are_taken_in),
		world_test(a_tail_of_garbage_changes_no_row),
		world_test(a_pack_cut_off_before_its_header_is_cleared_away),
		world_test(only_names_of_packs_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
