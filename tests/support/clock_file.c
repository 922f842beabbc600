/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The clock of sobre-fault: takes the place of fs/base/clock.c's. With
 * SOBRE_CLOCK=FILE in the environment it says what the file says, decimal
 * seconds since 1970, read anew each time; a simulated month takes a minute.
 * Without it, or while the file can't be read, the real time.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/base/clock.h"

static int64_t now_ns(void *ctx)
{
	const char *path = getenv("SOBRE_CLOCK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	char text[32] = "";
	struct timespec ts;
	long long s = 0;

	(void)ctx;
	if (fd >= 0) {
		if (read(fd, text, sizeof(text) - 1) > 0)
			s = strtoll(text, NULL, 10);
		(void)close(fd);
	}
	if (s > 0)
		return s * NS_PER_S;
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return timespec_ns(ts);
}

struct clock clock_real(void)
{
	return (struct clock){ .now_ns = now_ns, .ctx = NULL };
}
