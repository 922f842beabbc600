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

static bool reads_one(const char *path)
{
	char c = '0';
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, &c, 1) == 1 && c == '1';
}

/* A session is a group where the kernel groups by sessions. */
static bool session_is_group(void)
{
	return reads_one(AUTOGROUP_SWITCH) && getsid(0) == getpid();
}

/* A control group is one where the cpu controller divides: only there, and not
 * at the root, is this file. */
static bool cgroup_is_group(void)
{
	char line[512];
	char path[600] = "";
	FILE *f = fopen("/proc/self/cgroup", "re");

	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "0::/", 4) == 0)
			(void)snprintf(path, sizeof(path),
				       "/sys/fs/cgroup%s/cpu.weight", line + 3);
	}
	if (f)
		(void)fclose(f);
	return path[0] && access(path, F_OK) == 0;
}

/* Of the idle class the kernel would queue I/O behind everybody's. */
int idle_io_priority(void)
{
	return IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, IOPRIO_BE_NORM);
}

const char *idle_enter(void)
{
	const struct sched_param none = { .sched_priority = 0 };

	if (!session_is_group() && !cgroup_is_group())
		return "the process is no scheduling group by itself";
	if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, idle_io_priority()) <
		    0 ||
	    sched_setscheduler(0, SCHED_IDLE, &none) < 0)
		return strerrordesc_np(errno);
	return NULL;
}
