/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/fsck/support.h"

static void scan(struct checked *c)
{
	static const bool never = false;

	assert_int_equal(drive_scan(c->t.drive, &never, &c->err), 0);
}

static void a_chunk_that_is_missing_names_the_files(void **state)
{
	struct checked *c = *state;

	scan(c);
	by_sql(c, "DELETE FROM chunk WHERE id ="
		  " (SELECT min(id) FROM chunk)");
	check(c);
	assert_int_equal(c->told, 2);
	assert_int_equal(c->report.count[FSCK_CONTENT_DAMAGED], 2);
	assert_true(strcmp(c->path[0], "/copy") == 0 ||
		    strcmp(c->path[1], "/copy") == 0);
	assert_true(strcmp(c->path[0], "/dir/a") == 0 ||
		    strcmp(c->path[1], "/dir/a") == 0);
}

static void a_content_without_known_names_is_told_too(void **state)
{
	struct checked *c = *state;

	by_sql(c, "UPDATE content SET off = off + 8");
	check(c);
	assert_int_equal(c->report.count[FSCK_CONTENT_DAMAGED], 1);
	assert_string_equal(c->path[0], "");
}

/* A crash between a recipe and its chunks: nobody was promised anything. */
static void an_unused_content_that_is_incomplete_is_a_note(void **state)
{
	struct checked *c = *state;

	scan(c);
	by_sql(c, "UPDATE inode SET content = NULL");
	by_sql(c, "DELETE FROM chunk");
	check(c);
	assert_int_equal(c->report.count[FSCK_CONTENT_LEFT], 1);
}

static void a_bad_row_of_content_is_told(void **state)
{
	struct checked *c = *state;

	by_sql(c, "INSERT INTO content(id, size_bytes, pack, off)"
		  " VALUES(x'00', 1, 1, 1)");
	assert_only(c, FSCK_CATALOG, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_chunk_that_is_missing_names_the_files),
		CASE(a_content_without_known_names_is_told_too),
		CASE(an_unused_content_that_is_incomplete_is_a_note),
		CASE(a_bad_row_of_content_is_told),
	};

	return RUN(tests);
}
