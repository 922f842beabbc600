/* SPDX-License-Identifier: EUPL-1.2 */
/* What others may do while a file becomes a stub; io_fsetxattr() is wrapped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "fs/base/io.h"
#include "fs/file/internal.h"
#include "tests/support/tmpdrive.h"

#define BYTES 50000u

int __real_io_fsetxattr(int fd, const char *name, const void *value,
			size_t len);
int __wrap_io_fsetxattr(int fd, const char *name, const void *value,
			size_t len);

/* Another thread looks just before the stub is there, or another program
 * opens the lower file under the lease. */
static struct {
	struct drive *drive;
	struct lower_ref at;
	bool looks;
	bool knocks;
	int lower_fd;
} other;

static void knock(void)
{
	assert_int_equal(openat(other.lower_fd, "a", O_WRONLY | O_NONBLOCK),
			 -1);
	assert_int_equal(errno, EWOULDBLOCK);
}

int __wrap_io_fsetxattr(int fd, const char *name, const void *value, size_t len)
{
	struct error err = ERROR_INIT;
	struct stub stub;

	if (other.looks && !strcmp(name, FILE_STUB_XATTR)) {
		uint64_t epoch = drive_stub_epoch(other.drive);

		assert_int_equal(stub_probe(other.at.fd, &stub, &err), 0);
		other.at.plain_epoch = epoch;
	}
	if (other.knocks && !strcmp(name, FILE_STUB_XATTR))
		knock();
	return __real_io_fsetxattr(fd, name, value, len);
}

static int setup(void **state)
{
	static struct tmpdrive t;

	other.looks = false;
	other.knocks = false;
	tmpdrive_open(&t);
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	tmpdrive_remove(*state);
	return 0;
}

static void who_saw_it_plain_just_before_is_not_believed(void **state)
{
	struct tmpdrive *t = *state;
	struct error err = ERROR_INIT;
	struct file *file;
	struct stat st;
	bool packed;

	tmpdrive_write(t, "a", BYTES, 1);
	other.drive = t->drive;
	other.at.fd = tmpdrive_opath(t, "a");
	assert_int_equal(lower_stat(other.at.fd, &st, &other.at.btime_ns), 0);
	other.at.ino = st.st_ino;
	other.looks = true;
	assert_int_equal(tmpdrive_pack(t, "a"), PACK_DONE);
	assert_int_equal(
		file_open(t->drive, &other.at, O_RDONLY, &file, &packed, &err),
		0);
	assert_true(packed);
	file_close(file, O_RDONLY);
	(void)close(other.at.fd);
}

static void count_told(void *ctx, uint64_t ino)
{
	unsigned int *times = ctx;

	(void)ino;
	*times += 1;
}

static void who_knocks_before_the_punch_finds_it_plain(void **state)
{
	struct tmpdrive *t = *state;
	unsigned int told = 0;

	tmpdrive_write(t, "a", BYTES, 1);
	other.lower_fd = t->lower_fd;
	other.knocks = true;
	drive_watch(t->drive, count_told, &told);
	assert_int_equal(tmpdrive_pack(t, "a"), PACK_IN_USE);
	assert_false(tmpdrive_is_stub(t, "a"));
	assert_true(tmpdrive_reads(t, "a", BYTES, 1));
	assert_int_equal(told, 1); /* the stub came and went: a new ctime */
	other.knocks = false;
	assert_int_equal(tmpdrive_pack(t, "a"), PACK_DONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			who_saw_it_plain_just_before_is_not_believed, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			who_knocks_before_the_punch_finds_it_plain, setup,
			teardown),
	};

	if (!tmpdrive_possible())
		return 77; /* ctest: skipped */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
