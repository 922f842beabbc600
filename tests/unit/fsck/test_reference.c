/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/fsck/support.h"

/* The catalog learns names from a scan; nothing else tells it here. */
static void scan(struct checked *c)
{
	static const bool never = false;

	assert_int_equal(drive_scan(c->t.drive, &never, &c->err), 0);
}

static void a_row_of_an_inode_that_is_gone_is_told(void **state)
{
	struct checked *c = *state;

	scan(c);
	assert_int_equal(unlinkat(c->t.lower_fd, "copy", 0), 0);
	assert_only(c, FSCK_REFERENCE_STALE, "/copy");
	assert_int_equal(c->report.severity[FSCK_NOTE], 1);
	assert_int_equal(c->report.references, 2);
}

static void a_row_of_a_plain_file_is_told(void **state)
{
	struct checked *c = *state;
	int fd = -1;

	scan(c);
	fd = open_lower(c, "dir/a", O_RDONLY);
	assert_int_equal(fremovexattr(fd, FILE_STUB_XATTR), 0);
	assert_int_equal(close(fd), 0);
	assert_only(c, FSCK_REFERENCE_STALE, "/dir/a");
}

static void a_row_without_a_handle_is_found_by_path(void **state)
{
	struct checked *c = *state;

	scan(c);
	by_sql(c, "UPDATE inode SET handle = NULL, handle_type = NULL"
		  " WHERE content IS NOT NULL");
	assert_sound(c);
	assert_int_equal(unlinkat(c->t.lower_fd, "copy", 0), 0);
	assert_only(c, FSCK_REFERENCE_STALE, "/copy");
}

static void an_event_that_waits_is_no_problem(void **state)
{
	struct checked *c = *state;
	bool packed = false;
	struct file *file = tmpdrive_file(&c->t, "copy", O_WRONLY, &packed);

	assert_false(packed);
	file_close(file, O_WRONLY);
	check(c);
	assert_int_equal(c->report.count[FSCK_REFERENCE_MISSING], 0);
	assert_int_equal(c->report.stubs, 1);
}

static void a_row_that_no_inode_could_be_is_told(void **state)
{
	struct checked *c = *state;

	by_sql(c, "INSERT INTO inode(ino, btime_ns, mode, uid, gid, nlink,"
		  " size_bytes, blocks, mtime_ns, ctime_ns, content,"
		  " shown_ctime_ns, packed_ctime_ns, seen)"
		  " VALUES(-7, 0, 33188, 0, 0, 1, 0, 0, 0, 0, x'00', 0, 0, 0)");
	assert_only(c, FSCK_CATALOG, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_row_of_an_inode_that_is_gone_is_told),
		CASE(a_row_of_a_plain_file_is_told),
		CASE(a_row_without_a_handle_is_found_by_path),
		CASE(an_event_that_waits_is_no_problem),
		CASE(a_row_that_no_inode_could_be_is_told),
	};

	return RUN(tests);
}
