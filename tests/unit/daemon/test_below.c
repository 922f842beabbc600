/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/daemon.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define RUN "/tmp/run"

/* Handles are root's to open; a tmpfs that only this process sees has them. */
static int setup(void **state)
{
	static bool ready;

	*state = &ready;
	if (geteuid() != 0)
		return 0;
	ready = unshare(CLONE_NEWNS) == 0 &&
		mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		mount("none", "/tmp", "tmpfs", 0, "size=1m") == 0 &&
		mkdir(RUN, 0700) == 0 && mkdir(RUN "/lower", 0700) == 0 &&
		mkdir(RUN "/lower/sub", 0700) == 0 &&
		mkdir("/tmp/beside", 0700) == 0;
	return ready ? 0 : -1;
}

/* Opens `path`; where is it, as ways_below() says? "" for nowhere. */
static void check(const char *path, int flags, const char *expected)
{
	struct ways_place place = { .lower = "/srv/part", .run_dir = RUN };
	char where[PATH_MAX] = "";
	char link[64];
	int fd = open(path, flags | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	assert_int_equal(ways_below(&place, link, where), *expected != '\0');
	assert_string_equal(where, expected);
	assert_int_equal(close(fd), 0);
}

static void needs_root(void **state)
{
	if (!*(const bool *)*state) {
		print_message("skipped: not root: no handle can be opened\n");
		skip();
	}
}

static void what_is_below_is_named_as_in_the_lower(void **state)
{
	needs_root(state);
	check(RUN "/lower/a b", O_RDWR | O_CREAT, "/srv/part/a b");
	check(RUN "/lower/sub", O_RDONLY, "/srv/part/sub");
	check(RUN "/lower", O_RDONLY, "/srv/part");
}

static void the_mount_it_was_opened_on_does_not_matter(void **state)
{
	needs_root(state);
	assert_int_equal(
		mount(RUN "/lower/sub", "/tmp/beside", NULL, MS_BIND, NULL), 0);
	check("/tmp/beside/f", O_RDWR | O_CREAT, "/srv/part/sub/f");
	check("/tmp/beside", O_RDONLY, "/srv/part/sub");
	assert_int_equal(umount("/tmp/beside"), 0);
}

static void what_is_beside_is_not_below(void **state)
{
	needs_root(state);
	check("/tmp/beside/f", O_RDWR | O_CREAT, "");
	check("/tmp", O_RDONLY, "");
	check("/dev/null", O_RDONLY, "");
}

static void a_link_that_leads_nowhere_is_not_below(void **state)
{
	struct ways_place place = { .lower = "/srv/part", .run_dir = RUN };
	char where[PATH_MAX];

	(void)state;
	assert_false(ways_below(&place, "/proc/self/fd/999", where));
	place.run_dir = "/nowhere";
	assert_false(ways_below(&place, "/proc/self/cwd", where));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_below_is_named_as_in_the_lower),
		cmocka_unit_test(the_mount_it_was_opened_on_does_not_matter),
		cmocka_unit_test(what_is_beside_is_not_below),
		cmocka_unit_test(a_link_that_leads_nowhere_is_not_below),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
