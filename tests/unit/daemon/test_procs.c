/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/daemon.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void a_name_with_brackets_is_read_whole(void **state)
{
	char comm[PROC_COMM_BYTES];
	uint64_t start = 0;

	(void)state;
	assert_true(proc_parse_stat("7 (a) b\n(c) S 1 7 7 0 -1 4194560 1 2 3 "
				    "4 5 6 7 8 20 0 1 0 98765 1 2",
				    comm, &start));
	assert_string_equal(comm, "a) b?(c");
	assert_int_equal(start, 98765);
}

static void a_stat_cut_short_is_refused(void **state)
{
	char comm[PROC_COMM_BYTES];
	uint64_t start = 0;

	(void)state;
	assert_false(proc_parse_stat("", comm, &start));
	assert_false(proc_parse_stat("7 (a", comm, &start));
	assert_false(proc_parse_stat(")(", comm, &start));
	assert_false(proc_parse_stat("7 (a) S 1 2 3", comm, &start));
}

static const char *map(const char *text, char line[256], dev_t *dev)
{
	(void)snprintf(line, 256, "%s", text);
	return proc_parse_map(line, dev);
}

static void only_mapped_files_are_told(void **state)
{
	char line[256];
	dev_t dev = 0;

	(void)state;
	assert_string_equal(map("7f1-7f2 r-xp 00000000 fe:01 42         /a b\n",
				line, &dev),
			    "/a b");
	assert_true(dev == makedev(0xfe, 1));
	assert_null(map("7f1-7f2 rw-p 00000000 00:00 0 \n", line, &dev));
	assert_null(
		map("7f1-7f2 rw-p 00000000 00:00 0   [heap]\n", line, &dev));
	assert_null(map("nonsense", line, &dev));
	assert_null(map("", line, &dev));
}

struct seen {
	pid_t pid;
	bool cwd;
	bool fd;
	int n;
};

static bool note(void *ctx, const struct proc_ref *ref)
{
	struct seen *seen = ctx;

	if (ref->pid != seen->pid)
		return true;
	seen->n++;
	seen->cwd = seen->cwd || !strcmp(ref->kind, "cwd");
	seen->fd = seen->fd || !strncmp(ref->kind, "fd ", 3);
	assert_true(ref->start > 0);
	return true;
}

/* Sits in `dir` with an unlinked file open, and with the directory. */
static pid_t sitter(const char *dir)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int fd;

		if (chdir(dir) < 0)
			_exit(1);
		fd = open("gone", O_RDWR | O_CREAT, 0600);
		if (fd < 0 || unlink("gone") < 0 ||
		    open(".", O_RDONLY | O_DIRECTORY) < 0 ||
		    write(ready[1], "r", 1) != 1)
			_exit(1);
		(void)pause();
		_exit(0);
	}
	assert_int_equal(close(ready[1]), 0);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(close(ready[0]), 0);
	return pid;
}

static void who_sits_in_a_directory_is_found(void **state)
{
	char dir[] = "/tmp/test-procs-XXXXXX";
	struct error err = ERROR_INIT;
	struct proc_query query = { .dir = dir, .except = getpid() };
	struct seen seen = { .pid = 0 };
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(stat(dir, &st), 0);
	query.dev = st.st_dev;
	query.maps_dev = st.st_dev;
	seen.pid = sitter(dir);
	assert_int_equal(procs_each_ref(&query, note, &seen, &err), 0);
	assert_int_equal(kill(seen.pid, SIGKILL), 0);
	assert_int_equal(waitpid(seen.pid, NULL, 0), seen.pid);
	assert_int_equal(rmdir(dir), 0);
	assert_true(seen.cwd);
	assert_true(seen.fd);
	assert_int_equal(seen.n, 2); /* not the unlinked file */
}

/* So many descriptors are left. */
static struct rlimit leave_descriptors(unsigned int n)
{
	int lowest = dup(STDERR_FILENO);
	struct rlimit before;
	struct rlimit now;

	assert_true(lowest >= 0);
	assert_int_equal(close(lowest), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	now = before;
	now.rlim_cur = (rlim_t)lowest + n;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
	return before;
}

/* Nobody is found for want of descriptors: that isn't nobody. */
static void who_cannot_be_looked_at_is_an_error(void **state)
{
	struct proc_query query = { .dir = "/nowhere", .except = getpid() };
	struct seen seen = { .pid = 0 };

	(void)state;
	for (unsigned int n = 0; n < 2; n++) {
		struct error err = ERROR_INIT;
		struct rlimit before = leave_descriptors(n);
		int rc = procs_each_ref(&query, note, &seen, &err);

		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		assert_int_equal(rc, -EMFILE);
	}
}

/* Where a process is, when its own path for it says nothing. */
static bool inside(void *ctx, const char *link, char ret_path[PATH_MAX])
{
	int *asked = ctx;

	(void)link;
	++*asked;
	(void)snprintf(ret_path, PATH_MAX, "/there");
	return true;
}

static void what_lies_on_a_detached_mount_is_asked_about(void **state)
{
	char dir[] = "/tmp/test-procs-XXXXXX";
	struct error err = ERROR_INIT;
	struct seen seen = { .pid = 0 };
	int asked = 0;
	struct proc_query query = { .dir = "/nowhere",
				    .except = getpid(),
				    .inside = inside,
				    .ctx = &asked };
	struct stat st;

	(void)state;
	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		print_message("skipped: no right to mount\n");
		skip();
	}
	assert_non_null(mkdtemp(dir));
	assert_int_equal(mount("none", dir, "tmpfs", 0, "size=64k"), 0);
	assert_int_equal(stat(dir, &st), 0);
	query.dev = st.st_dev;
	query.maps_dev = st.st_dev;
	seen.pid = sitter(dir);
	assert_int_equal(procs_each_ref(&query, note, &seen, &err), 0);
	assert_int_equal(seen.n, 0); /* it sees the mount itself */
	assert_int_equal(asked, 0);
	assert_int_equal(umount2(dir, MNT_DETACH), 0);
	assert_int_equal(procs_each_ref(&query, note, &seen, &err), 0);
	assert_int_equal(kill(seen.pid, SIGKILL), 0);
	assert_int_equal(waitpid(seen.pid, NULL, 0), seen.pid);
	assert_int_equal(rmdir(dir), 0);
	assert_true(seen.cwd);
	assert_true(seen.fd);
	assert_int_equal(seen.n, 2);
	assert_int_equal(asked, 3); /* also about the unlinked file */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_with_brackets_is_read_whole),
		cmocka_unit_test(a_stat_cut_short_is_refused),
		cmocka_unit_test(only_mapped_files_are_told),
		cmocka_unit_test(who_sits_in_a_directory_is_found),
		cmocka_unit_test(who_cannot_be_looked_at_is_an_error),
		cmocka_unit_test(what_lies_on_a_detached_mount_is_asked_about),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
