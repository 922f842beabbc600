/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/fsck/support.h"

static void totals_that_do_not_add_up_are_told(void **state)
{
	static const char *const wrong[] = {
		"UPDATE total SET files = files + 1",
		"UPDATE total SET packed = packed - 1",
		"UPDATE total SET logical_low = logical_low + 1",
		"UPDATE total SET blocks = blocks + 8",
	};
	static const char *const right[] = {
		"UPDATE total SET files = files - 1",
		"UPDATE total SET packed = packed + 1",
		"UPDATE total SET logical_low = logical_low - 1",
		"UPDATE total SET blocks = blocks - 8",
	};
	struct checked *c = *state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		by_sql(c, wrong[i]);
		assert_only(c, FSCK_CATALOG, "");
		by_sql(c, right[i]);
	}
	assert_sound(c);
}

static void a_root_that_lets_people_in_is_told(void **state)
{
	struct checked *c = *state;

	assert_int_equal(fchmod(c->t.lower_fd, 0755), 0);
	assert_only(c, FSCK_ROOT_OPEN, "/");
	assert_int_equal(fchmod(c->t.lower_fd, 0700), 0);
	assert_int_equal(fchown(c->t.lower_fd, 1000, 0), 0);
	assert_only(c, FSCK_ROOT_OPEN, "/");
	assert_int_equal(fchown(c->t.lower_fd, 0, 0), 0);
	assert_sound(c);
}

static void a_root_without_its_record_is_told(void **state)
{
	struct checked *c = *state;

	assert_int_equal(fremovexattr(c->t.lower_fd, DRIVE_ROOT_XATTR), 0);
	assert_only(c, FSCK_ROOT_OPEN, "/");
}

static void without_stubs_the_root_is_its_owners(void **state)
{
	struct checked *c = *state;
	struct unpack_report report = { 0 };

	assert_int_equal(
		drive_unpack(c->t.drive, "", NULL, NULL, &report, &c->err), 0);
	assert_int_equal(fchmod(c->t.lower_fd, 0755), 0);
	assert_sound(c);
	assert_int_equal(c->report.stubs, 0);
	assert_int_equal(c->report.files, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(totals_that_do_not_add_up_are_told),
		CASE(a_root_that_lets_people_in_is_told),
		CASE(a_root_without_its_record_is_told),
		CASE(without_stubs_the_root_is_its_owners),
	};

	return RUN(tests);
}
