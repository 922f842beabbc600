/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/trusted.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/base/cleanup.h"

static char dir[] = "/var/tmp/sobre-trusted.XXXXXX";
static char file[64];
static char link_to[64];

static int setup(void **state)
{
	cleanup_fd int fd = -1;

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(file, sizeof(file), "%s/drive.yaml", dir);
	(void)snprintf(link_to, sizeof(link_to), "%s/link", dir);
	fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
	return fd < 0 || symlink(file, link_to) < 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)unlink(link_to);
	(void)unlink(file);
	(void)rmdir(dir);
	return 0;
}

static void is_refused(const char *named)
{
	struct error err = ERROR_INIT;

	assert_int_equal(trusted_file(file, &err), -EPERM);
	assert_non_null(strstr(err.text, named));
	assert_int_equal(trusted_file(link_to, &err), -EPERM);
}

static void is_taken(void)
{
	struct error err = ERROR_INIT;

	assert_int_equal(trusted_file(file, &err), 0);
	assert_int_equal(trusted_file(link_to, &err), 0);
}

static void what_others_may_write_is_refused(void **state)
{
	static const struct {
		mode_t file, dir;
		const char *named; /* NULL: taken */
	} cases[] = {
		{ 0600, 0700, NULL },  { 0644, 0755, NULL },
		{ 0644, 01777, NULL }, { 0660, 0755, file },
		{ 0646, 0755, file },  { 0644, 0775, dir },
		{ 0644, 0777, dir },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(chmod(file, cases[i].file), 0);
		assert_int_equal(chmod(dir, cases[i].dir), 0);
		if (cases[i].named)
			is_refused(cases[i].named);
		else
			is_taken();
	}
	assert_int_equal(chmod(file, 0600), 0);
	assert_int_equal(chmod(dir, 0700), 0);
}

static void another_users_is_refused(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(file, 1000, 0), 0);
	is_refused("1000");
	assert_int_equal(chown(file, 0, 0), 0);
	assert_int_equal(chown(dir, 1000, 0), 0);
	is_refused("1000");
	assert_int_equal(chown(dir, 0, 0), 0);
	is_taken();
}

static void what_is_not_there_says_so(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(trusted_file("/nowhere/drive.yaml", &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nowhere/drive.yaml"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_others_may_write_is_refused),
		cmocka_unit_test(another_users_is_refused),
		cmocka_unit_test(what_is_not_there_says_so),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
