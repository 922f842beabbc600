/* SPDX-License-Identifier: EUPL-1.2 */
/* What others may do while a file becomes a stub; io_fsetxattr() is wrapped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "fs/base/io.h"
#include "fs/file/internal.h"
#include "tests/support/tmpdrive.h"

#define BYTES 50000u

int __real_io_fsetxattr(int fd, const char *name, const void *value,
			size_t len);
int __wrap_io_fsetxattr(int fd, const char *name, const void *value,
			size_t len);

/* Another thread looks just before the stub is there. */
static struct {
	struct drive *drive;
	struct lower_ref at;
	bool looks;
} other;

int __wrap_io_fsetxattr(int fd, const char *name, const void *value, size_t len)
{
	struct error err = ERROR_INIT;
	struct stub stub;

	if (other.looks && !strcmp(name, FILE_STUB_XATTR)) {
		uint64_t epoch = drive_stub_epoch(other.drive);

		assert_int_equal(stub_probe(other.at.fd, &stub, &err), 0);
		other.at.plain_epoch = epoch;
	}
	return __real_io_fsetxattr(fd, name, value, len);
}

static int setup(void **state)
{
	static struct tmpdrive t;

	tmpdrive_open(&t);
	other.looks = false;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			who_saw_it_plain_just_before_is_not_believed, setup,
			teardown),
	};

	if (!tmpdrive_possible())
		return 77; /* ctest: skipped */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
