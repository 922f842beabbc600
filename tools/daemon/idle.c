/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The scheduler's idle class (SCHED_IDLE, sched(7)). Who answers a request
 * wakes the caller; the kernel puts it on an idle CPU, where it waits for that
 * one to wake too, unless its own runs nothing but the idle class: then it goes
 * on where it was (select_idle_sibling(), sched_idle_cpu() in Linux).
 *
 * The class also means a share of 3 against the usual 1,024. That holds within
 * a scheduling group only: a process that is a group by itself has the usual
 * share of the CPU, of whatever class its threads are. So all threads are of
 * it, or, without a group, none.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tools/daemon/internal.h"

#define AUTOGROUP_SWITCH "/proc/sys/kernel/sched_autogroup_enabled"
/* The machine's own: PROC_CGROUP_INIT_INO of Linux's proc_ns.h. */
#define FIRST_CGROUP_NAMESPACE "cgroup:[4026531835]"
#define UNIFIED		       "/sys/fs/cgroup"
#define CGROUP_PATH_MAX	       512

static bool reads_one(const char *path)
{
	char c = '0';
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, &c, 1) == 1 && c == '1';
}

/* Elsewhere, as in a container, what is above us can't be seen. */
static bool sees_all_cgroups(void)
{
	char name[sizeof(FIRST_CGROUP_NAMESPACE)];
	ssize_t n = readlink("/proc/self/ns/cgroup", name, sizeof(name));

	return n == (ssize_t)strlen(FIRST_CGROUP_NAMESPACE) &&
	       !memcmp(name, FIRST_CGROUP_NAMESPACE, (size_t)n);
}

/* `list`: controllers of version 1, "cpu,cpuacct". */
static bool names_cpu(const char *list)
{
	size_t n;

	for (; *list; list += n + (list[n] == ',')) {
		n = strcspn(list, ",");
		if (n == 3 && !strncmp(list, "cpu", 3))
			return true;
	}
	return false;
}

bool idle_parse_cgroup(char *line, const char **ret_path, bool *ret_unified)
{
	char *list = strchr(line, ':');
	char *path = list ? strchr(list + 1, ':') : NULL;

	if (!path)
		return false;
	*list++ = '\0';
	*path++ = '\0';
	path[strcspn(path, "\n")] = '\0';
	*ret_path = path;
	*ret_unified = list[0] == '\0';
	return *ret_unified || names_cpu(list);
}

/* Where the unified hierarchy has us, from its root. False: the cpu controller
 * is one of version 1 and has us in a group, or nothing can be read. */
static bool find_cgroup(char ret_path[CGROUP_PATH_MAX])
{
	char line[CGROUP_PATH_MAX];
	bool known = true;
	FILE *f = fopen("/proc/self/cgroup", "re");

	(void)snprintf(ret_path, CGROUP_PATH_MAX, "/");
	while (f && fgets(line, sizeof(line), f)) {
		const char *path;
		bool unified;

		if (!idle_parse_cgroup(line, &path, &unified))
			continue;
		if (unified)
			(void)snprintf(ret_path, CGROUP_PATH_MAX, "%s", path);
		else if (strcmp(path, "/") != 0)
			known = false;
	}
	if (!f)
		return false;
	(void)fclose(f);
	return known;
}

/* Does the cpu controller divide by this group? The root has no weight. */
static bool has_weight(const char *path)
{
	char file[CGROUP_PATH_MAX + 64];

	(void)snprintf(file, sizeof(file), UNIFIED "%s/cpu.weight", path);
	return access(file, F_OK) == 0;
}

/* No other process in it. */
static bool is_alone_in(const char *path)
{
	char file[CGROUP_PATH_MAX + 64];
	char us[24];
	char line[24];
	bool alone;
	FILE *f;

	(void)snprintf(us, sizeof(us), "%d\n", (int)getpid());
	(void)snprintf(file, sizeof(file), UNIFIED "%s/cgroup.procs", path);
	f = fopen(file, "re");
	if (!f)
		return false;
	alone = fgets(line, sizeof(line), f) && !strcmp(line, us) &&
		!fgets(line, sizeof(line), f);
	(void)fclose(f);
	return alone;
}

/*
 * By a control group that nobody else is in; or, where the cpu controller has
 * us in the machine's own, by sessions (autogroups, sched(7)). In doubt it is
 * none.
 */
static bool is_group_by_itself(void)
{
	char path[CGROUP_PATH_MAX];

	if (!sees_all_cgroups() || !find_cgroup(path))
		return false;
	if (has_weight(path))
		return is_alone_in(path);
	while (strlen(path) > 1) { /* a group above that others share? */
		*strrchr(path, '/') = '\0';
		if (path[0] && has_weight(path))
			return false;
	}
	return reads_one(AUTOGROUP_SWITCH) && getsid(0) == getpid();
}

/* Of the idle class the kernel would queue I/O behind everybody's. */
int idle_io_priority(void)
{
	return IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, IOPRIO_BE_NORM);
}

const char *idle_enter(void)
{
	const struct sched_param none = { .sched_priority = 0 };

	if (!is_group_by_itself())
		return "the process is no scheduling group by itself";
	if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, idle_io_priority()) <
		    0 ||
	    sched_setscheduler(0, SCHED_IDLE, &none) < 0)
		return strerrordesc_np(errno);
	return NULL;
}
