/* SPDX-License-Identifier: EUPL-1.2 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/file/internal.h"

struct place {
	char path[64];
	int fd;
};

static void place_open(struct place *p)
{
	(void)strncpy(p->path, "/tmp/sobre-id-XXXXXX", sizeof(p->path));
	assert_non_null(mkdtemp(p->path));
	p->fd = open(p->path, O_RDONLY | O_DIRECTORY);
	assert_true(p->fd >= 0);
}

static void place_remove(struct place *p)
{
	(void)unlinkat(p->fd, "drive", 0);
	(void)close(p->fd);
	(void)rmdir(p->path);
}

static size_t read_text(struct place *p, char *text, size_t cap)
{
	int fd = openat(p->fd, "drive", O_RDONLY);
	ssize_t n = read(fd, text, cap);

	(void)close(fd);
	assert_true(n > 0);
	return (size_t)n;
}

static void what_was_created_is_loaded(void **state)
{
	struct error err = ERROR_INIT;
	struct identity made, loaded;
	struct place p;

	(void)state;
	place_open(&p);
	assert_int_equal(identity_create(p.fd, &made, &err), 0);
	assert_int_equal(identity_load(p.fd, &loaded, &err), 0);
	assert_memory_equal(made.uuid, loaded.uuid, 16);
	assert_memory_equal(&made.key, &loaded.key, sizeof(made.key));
	place_remove(&p);
}

static void any_changed_byte_is_refused(void **state)
{
	struct error err = ERROR_INIT;
	struct identity id;
	char text[4096];
	struct place p;
	size_t n;

	(void)state;
	place_open(&p);
	assert_int_equal(identity_create(p.fd, &id, &err), 0);
	n = read_text(&p, text, sizeof(text));
	for (size_t i = 0; i < n; i++) {
		text[i] ^= 1;
		assert_true(identity_decode(text, n, &id, &err) < 0);
		text[i] ^= 1;
	}
	for (size_t cut = 0; cut < n; cut++)
		assert_true(identity_decode(text, cut, &id, &err) < 0);
	assert_int_equal(identity_decode(text, n, &id, &err), 0);
	place_remove(&p);
}

static void a_newer_version_says_so(void **state)
{
	static const char text[] = "sobrefs drive\nversion 2\n";
	struct error err = ERROR_INIT;
	struct identity id;

	(void)state;
	assert_int_equal(identity_decode(text, sizeof(text) - 1, &id, &err),
			 -SOBRE_ESCHEMA);
	assert_non_null(strstr(err.text, "newer"));
}

static void a_missing_file_is_named(void **state)
{
	struct error err = ERROR_INIT;
	struct identity id;
	struct place p;

	(void)state;
	place_open(&p);
	assert_int_equal(identity_load(p.fd, &id, &err), -ENOENT);
	assert_non_null(strstr(err.text, "drive"));
	place_remove(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_created_is_loaded),
		cmocka_unit_test(any_changed_byte_is_refused),
		cmocka_unit_test(a_newer_version_says_so),
		cmocka_unit_test(a_missing_file_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
