/* SPDX-License-Identifier: EUPL-1.2 */
/* Which call fails: tests/support/fault.h. */
#include "tests/support/fault.h"

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FRAMES_MAX 48
#define SITE_DEPTH 4
#define SITE_CHARS 96

/* The linker's: where the program begins, and where its code ends. */
extern const char __executable_start[];
extern const char etext[];

static struct {
	bool on; /* after main() was near: the environment was read */
	enum fault_kind kind;
	char site[SITE_CHARS];
	long at;
	long many;
	int error;
	const char *arm;
	int trace_fd;
	atomic_long calls;
} fault;

/* What these functions themselves call is not counted. */
static _Thread_local bool inside;

long fault_number(const char *name, long fallback)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets any */
	const char *text = getenv(name);

	return text ? strtol(text, NULL, 10) : fallback;
}

static const char *text_of(const char *name)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets any */
	const char *text = getenv(name);

	return text ? text : "";
}

static enum fault_kind kind_of(const char *name)
{
	static const char *const names[FAULT_KINDS] = {
		[FAULT_WRITE] = "write", [FAULT_READ] = "read",
		[FAULT_OPEN] = "open",	 [FAULT_MEMORY] = "memory",
		[FAULT_DB] = "db",	 [FAULT_DBMEMORY] = "dbmemory",
		[FAULT_STEP] = "step",
	};

	for (int i = 0; i < FAULT_KINDS; i++)
		if (!strcmp(names[i], name))
			return (enum fault_kind)i;
	return FAULT_WRITE;
}

/* System calls by number: their functions are those that fail. */
static void open_trace(void)
{
	const char *path = text_of("SOBRE_IO_TRACE");

	fault.trace_fd = -1;
	if (*path)
		fault.trace_fd = (int)syscall(
			SYS_openat, AT_FDCWD, path,
			O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static __attribute__((constructor)) void read_environment(void)
{
	void *frames[1];

	fault.kind = kind_of(text_of("SOBRE_FAIL"));
	(void)snprintf(fault.site, sizeof(fault.site), "%s",
		       text_of("SOBRE_FAIL_SITE"));
	fault.at = fault_number("SOBRE_FAIL_AT", 0);
	fault.many = fault_number("SOBRE_FAIL_FOR", 1);
	fault.error = (int)fault_number("SOBRE_FAIL_ERRNO", EIO);
	fault.arm = text_of("SOBRE_FAIL_ARM");
	open_trace();
	(void)backtrace(frames, 1); /* the first loads a library */
	fault.on = true;
}

static bool is_ours(const void *address)
{
	return (const char *)address >= __executable_start &&
	       (const char *)address < etext;
}

/* The frames above the one that returns to `caller`, it included. */
static void say_site(const void *caller, char site[SITE_CHARS])
{
	void *frames[FRAMES_MAX];
	int n = backtrace(frames, FRAMES_MAX);
	int depth = 0;
	size_t len = 0;
	int i = 0;

	site[0] = '\0';
	while (i < n && frames[i] != caller)
		i++;
	for (; i < n && depth < SITE_DEPTH; i++) {
		if (!is_ours(frames[i]))
			continue;
		len += (size_t)snprintf(
			site + len, SITE_CHARS - len, "%s%lx",
			depth++ ? "," : "",
			(unsigned long)((const char *)frames[i] -
					__executable_start));
	}
}

static void trace(long n, const char *name, const char *site)
{
	char line[SITE_CHARS + 96];
	int len = snprintf(line, sizeof(line), "%ld %s %s\n", n, name, site);

	if (syscall(SYS_write, fault.trace_fd, line, (size_t)len) != len)
		abort();
}

static bool armed(void)
{
	return !*fault.arm ||
	       syscall(SYS_faccessat, AT_FDCWD, fault.arm, F_OK) == 0;
}

static int count(const char *name, const void *caller)
{
	char site[SITE_CHARS] = "";
	long n;

	if (fault.site[0] || fault.trace_fd >= 0)
		say_site(caller, site);
	if (fault.site[0] && strcmp(fault.site, site) != 0)
		return 0;
	if (!armed())
		return 0;
	n = atomic_fetch_add(&fault.calls, 1) + 1;
	if (fault.trace_fd >= 0)
		trace(n, name, site);
	return fault.at > 0 && n >= fault.at && n < fault.at + fault.many
		       ? fault.error
		       : 0;
}

int fault_enter(enum fault_kind kind, const char *name, const void *caller)
{
	int saved = errno;
	int error;

	if (!fault.on || kind != fault.kind || inside)
		return 0;
	inside = true;
	error = count(name, caller);
	inside = false;
	errno = error ? error : saved;
	return error;
}
