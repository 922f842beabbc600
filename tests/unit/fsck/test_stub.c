/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/fsck/support.h"

static void a_size_that_is_not_the_stubs_is_told(void **state)
{
	struct checked *c = *state;
	int fd = open_lower(c, "copy", O_WRONLY);
	struct timespec mtime = mtime_of(fd);

	assert_int_equal(ftruncate(fd, 10), 0);
	set_mtime(fd, mtime);
	assert_int_equal(close(fd), 0);
	assert_only(c, FSCK_STUB_SIZE, "/copy");
	assert_int_equal(c->report.severity[FSCK_REPAIRABLE], 1);
}

static void an_mtime_that_is_not_the_stubs_is_told(void **state)
{
	struct checked *c = *state;
	int fd = open_lower(c, "dir/a", O_WRONLY);

	set_mtime(fd, (struct timespec){ .tv_sec = 5 });
	assert_int_equal(close(fd), 0);
	assert_only(c, FSCK_STUB_MTIME, "/dir/a");
}

static void data_left_in_a_stub_is_told(void **state)
{
	struct checked *c = *state;
	int fd = open_lower(c, "copy", O_WRONLY);
	struct timespec mtime = mtime_of(fd);

	assert_int_equal(pwrite(fd, "left", 4, 100000), 4);
	set_mtime(fd, mtime);
	assert_int_equal(fsync(fd), 0);
	assert_int_equal(close(fd), 0);
	assert_only(c, FSCK_STUB_DATA, "/copy");
}

static void a_damaged_stub_is_told(void **state)
{
	struct checked *c = *state;
	int fd = open_lower(c, "copy", O_RDONLY);

	assert_int_equal(fsetxattr(fd, FILE_STUB_XATTR, "junk", 4, 0), 0);
	assert_int_equal(close(fd), 0);
	assert_only(c, FSCK_STUB_DAMAGED, "/copy");
	assert_int_equal(c->report.severity[FSCK_DAMAGE], 1);
}

static void a_stub_too_long_is_damaged(void **state)
{
	static const char junk[200];
	struct checked *c = *state;
	int fd = open_lower(c, "copy", O_RDONLY);

	assert_int_equal(fsetxattr(fd, FILE_STUB_XATTR, junk, sizeof(junk), 0),
			 0);
	assert_int_equal(close(fd), 0);
	assert_only(c, FSCK_STUB_DAMAGED, "/copy");
}

static void a_content_that_is_not_in_the_store_is_told(void **state)
{
	struct checked *c = *state;

	by_sql(c, "DELETE FROM content");
	check(c);
	assert_int_equal(c->report.count[FSCK_CONTENT_MISSING], 2);
	assert_int_equal(c->report.severity[FSCK_DAMAGE], 2);
	assert_int_equal(c->told, 2);
}

static void a_content_of_another_size_is_told(void **state)
{
	struct checked *c = *state;

	by_sql(c, "UPDATE content SET size_bytes = size_bytes + 1");
	check(c);
	assert_int_equal(c->report.count[FSCK_CONTENT_MISSING], 2);
}

static void a_stub_that_nothing_refers_to_is_told(void **state)
{
	struct checked *c = *state;
	struct stat st;
	char sql[128];

	assert_int_equal(fstatat(c->t.lower_fd, "copy", &st, 0), 0);
	(void)snprintf(sql, sizeof(sql),
		       "UPDATE inode SET content = NULL WHERE ino = %llu",
		       (unsigned long long)st.st_ino);
	by_sql(c, sql);
	assert_only(c, FSCK_REFERENCE_MISSING, "/copy");
}

static void a_stub_of_another_inode_with_its_number_is_told(void **state)
{
	struct checked *c = *state;

	by_sql(c, "UPDATE inode SET btime_ns = btime_ns + 1"
		  " WHERE content IS NOT NULL");
	check(c);
	assert_int_equal(c->report.count[FSCK_REFERENCE_MISSING], 2);
	assert_int_equal(c->report.count[FSCK_REFERENCE_STALE], 2);
}

static void a_file_with_open_readers_is_looked_at_too(void **state)
{
	struct checked *c = *state;
	bool packed = false;
	struct file *file = tmpdrive_file(&c->t, "copy", O_RDONLY, &packed);
	int fd = open_lower(c, "copy", O_WRONLY);

	assert_true(packed);
	set_mtime(fd, (struct timespec){ .tv_sec = 5 });
	assert_int_equal(close(fd), 0);
	assert_only(c, FSCK_STUB_MTIME, "/copy");
	file_close(file, O_RDONLY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_size_that_is_not_the_stubs_is_told),
		CASE(an_mtime_that_is_not_the_stubs_is_told),
		CASE(data_left_in_a_stub_is_told),
		CASE(a_damaged_stub_is_told),
		CASE(a_stub_too_long_is_damaged),
		CASE(a_content_that_is_not_in_the_store_is_told),
		CASE(a_content_of_another_size_is_told),
		CASE(a_stub_that_nothing_refers_to_is_told),
		CASE(a_stub_of_another_inode_with_its_number_is_told),
		CASE(a_file_with_open_readers_is_looked_at_too),
	};

	return RUN(tests);
}
