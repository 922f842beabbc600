/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/internal.h"

#include <linux/ioprio.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SKIPPED 77

static bool groups_by_session(void)
{
	FILE *f = fopen("/proc/sys/kernel/sched_autogroup_enabled", "re");
	int c = f ? fgetc(f) : 'N';

	if (f)
		(void)fclose(f);
	return c == '1';
}

/* In the machine's own control group, and not in a container: elsewhere the
 * session is not what counts. */
static bool in_no_cgroup(void)
{
	char name[32] = "";
	char line[512];
	bool plain =
		readlink("/proc/self/ns/cgroup", name, sizeof(name) - 1) > 0;
	FILE *f = fopen("/proc/self/cgroup", "re");

	plain = plain && f && !strcmp(name, "cgroup:[4026531835]");
	while (f && fgets(line, sizeof(line), f)) {
		const char *path;
		bool unified;

		if (idle_parse_cgroup(line, &path, &unified))
			plain = plain && !strcmp(path, "/");
	}
	if (f)
		(void)fclose(f);
	return plain;
}

/* In a process of its own: the class is inherited, and not always given back.
 */
static int in_child(int (*body)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(body());
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int leads_a_session(void)
{
	if (setsid() < 0 || !groups_by_session() || !in_no_cgroup())
		return SKIPPED;
	if (idle_enter() != NULL)
		return 1;
	return sched_getscheduler(0) == SCHED_IDLE ? 0 : 2;
}

static int keeps_its_place_in_the_queue_for_disks(void)
{
	if (setsid() < 0 || !groups_by_session() || !in_no_cgroup())
		return SKIPPED;
	(void)idle_enter();
	return syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS,
		       0) == IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, IOPRIO_BE_NORM)
		       ? 0
		       : 1;
}

/* Of a session that others are in. A control group of its own is another
 * reason, which then holds. */
static int shares_a_session(void)
{
	const char *why = idle_enter();
	bool is_idle = sched_getscheduler(0) == SCHED_IDLE;

	return (why == NULL) == is_idle ? 0 : 1;
}

static void check_line(const char *text, const char *want, bool want_unified)
{
	char line[64];
	const char *path = NULL;
	bool unified = false;
	bool told;

	(void)snprintf(line, sizeof(line), "%s\n", text);
	told = idle_parse_cgroup(line, &path, &unified);
	assert_int_equal(told, want != NULL);
	if (!want)
		return;
	assert_string_equal(path, want);
	assert_int_equal(unified, want_unified);
}

static void lines_of_both_versions_are_told_apart(void **state)
{
	(void)state;
	check_line("0::/system.slice/sobre@a.service",
		   "/system.slice/sobre@a.service", true);
	check_line("0::/", "/", true);
	check_line("4:cpu,cpuacct:/docker/1", "/docker/1", false);
	check_line("4:cpuacct,cpu:/a:b", "/a:b", false);
	check_line("1:cpu:/", "/", false);
	check_line("3:cpuset:/x", NULL, false);
	check_line("2:cpuacct:/x", NULL, false);
	check_line("9:name=systemd:/x", NULL, false);
	check_line("nothing", NULL, false);
	check_line("", NULL, false);
}

static void expect(int (*body)(void))
{
	int status = in_child(body);

	if (status == SKIPPED)
		skip();
	assert_int_equal(status, 0);
}

static void a_session_of_its_own_is_of_the_idle_class(void **state)
{
	(void)state;
	expect(leads_a_session);
}

static void its_input_and_output_is_not(void **state)
{
	(void)state;
	expect(keeps_its_place_in_the_queue_for_disks);
}

static void without_a_group_it_stays_as_it_was(void **state)
{
	(void)state;
	expect(shares_a_session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_of_its_own_is_of_the_idle_class),
		cmocka_unit_test(its_input_and_output_is_not),
		cmocka_unit_test(without_a_group_it_stays_as_it_was),
		cmocka_unit_test(lines_of_both_versions_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
