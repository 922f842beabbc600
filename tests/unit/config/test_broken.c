/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What is said of a broken drive.yaml: data/config/broken/NAME.yaml, and
 * every word of it in NAME.expected.
 */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "policy/config/config.h"
#include "tests/support/golden.h"

static int into_data(void **state)
{
	(void)state;
	return chdir(TESTS_DATA "/config/broken");
}

static void says(const char *name, int root_fd)
{
	cleanup_buf struct buf said;
	struct yaml_messages messages = { golden_say, &said, NULL };
	struct error err = ERROR_INIT;
	struct config config = { .departments = 42 };
	char path[NAME_MAX + 16];

	buf_init(&said, 1u << 20);
	(void)snprintf(path, sizeof(path), "%s.yaml", name);
	assert_int_equal(config_load(path, root_fd, &messages, &config, &err),
			 -SOBRE_ECONFIG);
	assert_int_equal(config.departments, 42);
	(void)snprintf(path, sizeof(path), "%s.expected", name);
	golden_equal(path, &said);
}

static void every_mistake_is_shown(void **state)
{
	DIR *dir = opendir(".");
	struct dirent *entry;
	unsigned int n = 0;

	(void)state;
	assert_non_null(dir);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	while ((entry = readdir(dir))) {
		char *dot = strrchr(entry->d_name, '.');

		if (!dot || strcmp(dot, ".yaml") != 0)
			continue;
		*dot = '\0';
		if (!strcmp(entry->d_name, "places"))
			continue;
		says(entry->d_name, -1);
		n++;
	}
	(void)closedir(dir);
	assert_true(n > 10);
}

static int make_root(char *path)
{
	int root;
	int file;

	assert_non_null(mkdtemp(path));
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);
	assert_int_equal(mkdirat(root, "Ville", 0755), 0);
	assert_int_equal(mkdirat(root, "Ville/Urbanisme", 0755), 0);
	assert_int_equal(symlinkat("Urbanisme", root, "Ville/lien"), 0);
	file = openat(root, "Ville/fichier", O_CREAT | O_WRONLY | O_CLOEXEC,
		      0644);
	assert_true(file >= 0);
	(void)close(file);
	return root;
}

static void places_that_are_not_there_are_shown(void **state)
{
	char path[] = "/tmp/sobre-config.XXXXXX";
	cleanup_fd int root = make_root(path);

	(void)state;
	says("places", root);
	assert_int_equal(unlinkat(root, "Ville/fichier", 0), 0);
	assert_int_equal(unlinkat(root, "Ville/lien", 0), 0);
	assert_int_equal(unlinkat(root, "Ville/Urbanisme", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(root, "Ville", AT_REMOVEDIR), 0);
	assert_int_equal(rmdir(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mistake_is_shown),
		cmocka_unit_test(places_that_are_not_there_are_shown),
	};

	return cmocka_run_group_tests(tests, into_data, NULL);
}
