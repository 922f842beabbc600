/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/support.h"

static void names_go_both_ways(void **state)
{
	static const uint64_t ids[] = {
		1, 9, 255, 256, 9999, 10000, INT64_MAX
	};
	char name[PACK_NAME_BYTES];
	uint64_t id;

	(void)state;
	pack_name(258, name);
	assert_string_equal(name, "02/0258.pack");
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		pack_name(ids[i], name);
		name[2] = 0;
		assert_true(pack_name_parse(name, name + 3, &id));
		assert_int_equal(id, ids[i]);
	}
	assert_false(pack_name_parse("01", "0002.pack", &id));
	assert_false(pack_name_parse("02", "2.pack", &id));
	assert_false(pack_name_parse("02", "0002.packs", &id));
	assert_false(pack_name_parse("00", "0000.pack", &id));
	assert_false(pack_name_parse("fe", "-002.pack", &id));
}

/* Fewer descriptors than packs, and more users than descriptors. */
static void more_packs_than_descriptors_are_read(void **state)
{
	struct world *w = *state;
	struct pack_ref ref[FILES_MAX + 8];
	struct stat first;
	struct stat again;

	w->options.pack_bytes = 1;
	world_reopen(w);
	for (uint64_t i = 0; i < FILES_MAX + 8; i++)
		(void)put_data(w, &i, sizeof(i), i + 1);
	for (uint64_t i = 0; i < FILES_MAX + 8; i++)
		must(w, pack_get(w->store, i + 1, &ref[i], &w->err));
	assert_int_equal(ref[FILES_MAX + 7].slot, -1);
	assert_int_equal(fstat(ref[0].fd, &first), 0);
	for (uint64_t i = 0; i < FILES_MAX + 8; i++)
		pack_put(w->store, &ref[i]);
	must(w, pack_get(w->store, 1, &ref[0], &w->err));
	assert_int_equal(fstat(ref[0].fd, &again), 0);
	assert_int_equal(first.st_ino, again.st_ino);
	pack_put(w->store, &ref[0]);
	for (uint64_t i = 0; i < FILES_MAX + 8; i++) {
		struct hash128 id;

		hash128(&w->options.key, &i, sizeof(i), &id);
		assert_int_equal(read_all(w, &id, &i, sizeof(i)), 0);
	}
}

static void a_forgotten_pack_stays_open_for_its_users(void **state)
{
	struct world *w = *state;
	struct pack_ref ref;
	struct stat st;

	(void)put_data(w, "hello", 5, 1);
	must(w, pack_get(w->store, 1, &ref, &w->err));
	assert_int_equal(unlinkat(w->packs_fd, "01/0001.pack", 0), 0);
	pack_forget(w->store, 1);
	assert_int_equal(fstat(ref.fd, &st), 0);
	pack_put(w->store, &ref);
	assert_int_equal(pack_get(w->store, 1, &ref, &w->err), -SOBRE_ENOCHUNK);
}

static void a_length_the_file_has_not_is_refused_unread(void **state)
{
	const struct record lie = { .type = RECORD_RECIPE,
				    .body_len =
					    RECIPE_HEAD_BYTES + 20 * 1000000,
				    .raw_len = RECIPE_HEAD_BYTES + 20 * 1000000,
				    .n = 1000000 };
	struct world *w = *state;
	uint8_t header[RECORD_HEADER_BYTES];
	uint8_t *zeros = calloc(1, lie.body_len);
	uint8_t *body = NULL;
	struct record record;
	int fd;

	(void)put_data(w, "hello", 5, 1);
	record_encode(&lie, zeros, header);
	fd = open_pack_file(w, 1);
	assert_int_equal(pwrite(fd, header, sizeof(header), 4096),
			 sizeof(header));
	(void)close(fd);
	assert_int_equal(
		record_read(w->store, 1, 4096, false, &record, &body, &w->err),
		-SOBRE_ECORRUPT);
	assert_non_null(strstr(w->err.text, "pack 1 at 4096"));
	free(zeros);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_go_both_ways),
		world_test(more_packs_than_descriptors_are_read),
		world_test(a_forgotten_pack_stays_open_for_its_users),
		world_test(a_length_the_file_has_not_is_refused_unread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
