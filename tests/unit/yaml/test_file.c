/* SPDX-License-Identifier: EUPL-1.2 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "policy/yaml/yaml.h"

static char top[] = "/tmp/sobre-yaml.XXXXXX";

static int make(void **state)
{
	static int dir;

	if (!mkdtemp(top))
		return -1;
	dir = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	*state = &dir;
	return dir < 0 ? -1 : 0;
}

static int clear(void **state)
{
	static const char *const names[] = { "file", "link", "fifo", "big" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlinkat(*(int *)*state, names[i], 0);
	(void)close(*(int *)*state);
	return rmdir(top);
}

static void put(int dir, const char *name, const char *data, size_t len)
{
	cleanup_fd int fd =
		openat(dir, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, data, len), (ssize_t)len);
}

static int reads(int dir, const char *name, bool follow, size_t expected)
{
	cleanup_free char *data = NULL;
	struct error err = ERROR_INIT;
	size_t len = 0;
	int rc = yaml_read(dir, name, follow, &data, &len, &err);

	if (rc == 0) {
		assert_int_equal(len, expected);
		assert_int_equal(data[len], 0);
	} else {
		assert_null(data);
		assert_true(err.text[0] != '\0');
	}
	return rc;
}

static void a_regular_file_is_read_whole(void **state)
{
	int dir = *(int *)*state;

	put(dir, "file", "a\0b\n", 4);
	assert_int_equal(reads(dir, "file", false, 4), 0);
}

static void a_link_is_followed_only_when_that_is_meant(void **state)
{
	int dir = *(int *)*state;

	assert_int_equal(symlinkat("file", dir, "link"), 0);
	assert_int_equal(reads(dir, "link", false, 0), -ELOOP);
	assert_int_equal(reads(dir, "link", true, 4), 0);
}

static void what_is_no_file_is_refused(void **state)
{
	int dir = *(int *)*state;

	assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
	assert_int_equal(reads(dir, "fifo", false, 0), -EINVAL);
	assert_int_equal(reads(dir, ".", false, 0), -EINVAL);
	assert_int_equal(reads(dir, "none", false, 0), -ENOENT);
}

static void a_file_too_big_is_refused(void **state)
{
	int dir = *(int *)*state;
	cleanup_free char *data = calloc(1, YAML_FILE_MAX + 1);

	assert_non_null(data);
	put(dir, "big", data, YAML_FILE_MAX);
	assert_int_equal(reads(dir, "big", false, YAML_FILE_MAX), 0);
	put(dir, "big", data, YAML_FILE_MAX + 1);
	assert_int_equal(reads(dir, "big", false, 0), -EFBIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_regular_file_is_read_whole),
		cmocka_unit_test(a_link_is_followed_only_when_that_is_meant),
		cmocka_unit_test(what_is_no_file_is_refused),
		cmocka_unit_test(a_file_too_big_is_refused),
	};

	return cmocka_run_group_tests(tests, make, clear);
}
