/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/fsck/support.h"

#define PACK_1 ".sobre/packs/01/0001.pack"

static void a_pack_that_is_missing_is_told(void **state)
{
	struct checked *c = *state;

	assert_int_equal(unlinkat(c->t.lower_fd, PACK_1, 0), 0);
	check(c);
	assert_int_equal(c->report.count[FSCK_PACK_MISSING], 1);
	assert_int_equal(c->kind[0], FSCK_PACK_MISSING);
	assert_string_equal(c->path[0], "packs/01/0001.pack");
}

static void a_pack_that_is_too_short_is_told(void **state)
{
	struct checked *c = *state;
	int fd = open_lower(c, PACK_1, O_WRONLY);

	assert_int_equal(ftruncate(fd, 300), 0);
	assert_int_equal(close(fd), 0);
	check(c);
	assert_int_equal(c->report.count[FSCK_PACK_SHORT], 1);
	assert_string_equal(c->path[0], "packs/01/0001.pack");
}

static void make(struct checked *c, const char *name)
{
	assert_int_equal(close(open_lower(c, name, O_WRONLY | O_CREAT)), 0);
}

static void files_that_are_no_packs_are_told(void **state)
{
	struct checked *c = *state;

	make(c, ".sobre/packs/01/9999.pack");
	make(c, ".sobre/packs/01/junk");
	make(c, ".sobre/packs/stray");
	check(c);
	assert_int_equal(c->told, 3);
	assert_int_equal(c->report.count[FSCK_PACK_FOREIGN], 3);
	assert_int_equal(c->report.severity[FSCK_NOTE], 3);
}

static void a_pack_that_waits_to_be_unlinked_may_be_gone(void **state)
{
	struct checked *c = *state;

	by_sql(c, "INSERT INTO pack(id, state, size_bytes, condemned_s)"
		  " VALUES(77, 3, 4096, 1)");
	assert_sound(c);
	by_sql(c, "UPDATE pack SET state = 2 WHERE id = 77");
	assert_only(c, FSCK_PACK_MISSING, "packs/4d/0077.pack");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_pack_that_is_missing_is_told),
		CASE(a_pack_that_is_too_short_is_told),
		CASE(files_that_are_no_packs_are_told),
		CASE(a_pack_that_waits_to_be_unlinked_may_be_gone),
	};

	return RUN(tests);
}
