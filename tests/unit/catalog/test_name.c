/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/catalog/support.h"

#define ROOT 2

static void post_move(struct fixture *f, uint64_t parent, const char *name,
		      uint64_t new_parent, const char *new_name)
{
	const struct catalog_event ev = {
		.kind = CATALOG_EVENT_MOVE,
		.parent = parent,
		.name = name,
		.new_parent = new_parent,
		.new_name = new_name,
	};

	must(catalog_post(f->cat, &ev));
}

struct paths {
	char text[4][5000];
	unsigned int count;
};

static void note_path(void *ctx, const char *path)
{
	struct paths *paths = ctx;

	assert_true(paths->count < 4);
	(void)snprintf(paths->text[paths->count++], sizeof(paths->text[0]),
		       "%s", path);
}

static struct paths *paths_of(struct fixture *f, uint64_t ino, unsigned int max)
{
	struct paths *paths = calloc(1, sizeof(*paths));

	assert_non_null(paths);
	flush(f);
	must(catalog_paths(f->cat, ino, max, note_path, paths, &f->err));
	return paths;
}

static void assert_path(struct fixture *f, uint64_t ino, const char *path)
{
	cleanup_free struct paths *paths = paths_of(f, ino, 4);

	assert_int_equal(paths->count, path == NULL ? 0 : 1);
	if (path != NULL)
		assert_string_equal(paths->text[0], path);
}

static void a_path_is_climbed_to_the_root(void **state)
{
	struct fixture *f = *state;

	post_name(f, ROOT, "Ville", 10);
	post_name(f, 10, "Urbanisme", 11);
	post_name(f, 11, "plan.pdf", 12);
	assert_path(f, 12, "/Ville/Urbanisme/plan.pdf");
	assert_path(f, 10, "/Ville");
	assert_path(f, ROOT, NULL);
	assert_path(f, 999, NULL);
}

static void hard_links_have_a_path_each_up_to_max(void **state)
{
	struct fixture *f = *state;
	cleanup_free struct paths *all = NULL;
	cleanup_free struct paths *two = NULL;

	post_name(f, ROOT, "a", 12);
	post_name(f, ROOT, "b", 12);
	post_name(f, ROOT, "c", 12);
	all = paths_of(f, 12, 4);
	assert_int_equal(all->count, 3);
	two = paths_of(f, 12, 2);
	assert_int_equal(two->count, 2);
}

static void names_are_bytes(void **state)
{
	struct fixture *f = *state;

	post_name(f, ROOT, "\xff\xfe\x01\n", 12);
	assert_path(f, 12, "/\xff\xfe\x01\n");
}

static void a_rename_replaces_its_target(void **state)
{
	struct fixture *f = *state;

	post_name(f, ROOT, "a", 12);
	post_name(f, ROOT, "b", 13);
	post_move(f, ROOT, "a", ROOT, "b");
	assert_path(f, 12, "/b");
	assert_path(f, 13, NULL);
	assert_int_equal(ask(f, "SELECT count(*) FROM name"), 1);
}

static void a_directory_takes_what_is_below_along(void **state)
{
	struct fixture *f = *state;

	post_name(f, ROOT, "d", 10);
	post_name(f, 10, "x", 12);
	post_name(f, ROOT, "e", 11);
	post_move(f, ROOT, "d", 11, "d2");
	assert_path(f, 12, "/e/d2/x");
}

static void a_rename_onto_itself_changes_nothing(void **state)
{
	struct fixture *f = *state;

	post_name(f, ROOT, "a", 12);
	post_move(f, ROOT, "a", ROOT, "a");
	assert_path(f, 12, "/a");
}

static void a_rename_of_what_is_unknown_still_replaces(void **state)
{
	struct fixture *f = *state;
	struct catalog_event ev = {
		.kind = CATALOG_EVENT_MOVE,
		.inode = { .ino = 14 },
		.parent = ROOT,
		.name = "ghost2",
		.new_parent = ROOT,
		.new_name = "c",
	};

	post_name(f, ROOT, "b", 13);
	post_name(f, ROOT, "c", 15);
	post_move(f, ROOT, "ghost", ROOT, "b");
	must(catalog_post(f->cat, &ev));
	assert_path(f, 13, NULL);
	assert_path(f, 14, "/c");
	assert_path(f, 15, NULL);
}

static void an_exchange_is_two_names(void **state)
{
	struct fixture *f = *state;

	post_name(f, ROOT, "a", 12);
	post_name(f, ROOT, "b", 13);
	post_name(f, ROOT, "a", 13);
	post_name(f, ROOT, "b", 12);
	assert_path(f, 12, "/b");
	assert_path(f, 13, "/a");
}

static void a_loop_ends_and_gives_no_path(void **state)
{
	struct fixture *f = *state;

	post_name(f, 20, "a", 21);
	post_name(f, 21, "b", 20);
	post_name(f, 21, "file", 22);
	post_name(f, 23, "self", 23);
	assert_path(f, 22, NULL);
	assert_path(f, 23, NULL);
}

static void paths_longer_than_path_max_are_whole(void **state)
{
	struct fixture *f = *state;
	cleanup_free struct paths *paths = NULL;
	char name[240];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (uint64_t i = 0; i < 20; i++)
		post_name(f, i == 0 ? ROOT : 100 + i, name, 101 + i);
	paths = paths_of(f, 120, 4);
	assert_int_equal(paths->count, 1);
	assert_int_equal(strlen(paths->text[0]), 20 * 240);
}

static void hostile_rows_give_no_path_and_no_error(void **state)
{
	static const char *const hostile[] = {
		"INSERT INTO name VALUES(2, x'2e2e2f65', 50, 0)", /* ../e */
		"INSERT INTO name VALUES(2, x'', 51, 0)",
		"INSERT INTO name VALUES(2, x'610062', 52, 0)",
		"INSERT INTO name VALUES(2, zeroblob(70000), 53, 0)",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct catalog_stmt *s = NULL;

		must(catalog_begin(f->cat, &f->err));
		s = catalog_write_stmt(f->cat, hostile[i], &f->err);
		must(stmt_run(s, &f->err));
		stmt_done(s);
		must(catalog_commit(f->cat, &f->err));
		assert_path(f, 50 + i, NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENARIO(a_path_is_climbed_to_the_root),
		SCENARIO(hard_links_have_a_path_each_up_to_max),
		SCENARIO(names_are_bytes),
		SCENARIO(a_rename_replaces_its_target),
		SCENARIO(a_directory_takes_what_is_below_along),
		SCENARIO(a_rename_onto_itself_changes_nothing),
		SCENARIO(a_rename_of_what_is_unknown_still_replaces),
		SCENARIO(an_exchange_is_two_names),
		SCENARIO(a_loop_ends_and_gives_no_path),
		SCENARIO(paths_longer_than_path_max_are_whole),
		SCENARIO(hostile_rows_give_no_path_and_no_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
