/* SPDX-License-Identifier: EUPL-1.2 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/daemon/internal.h"

/* Of the machine's CPU time: below this share it is idle. */
#define IDLE_PERCENT 25u

/* The first line of /proc/stat, proc_stat(5): "cpu" and times by kind, of
 * which the 4th and 5th are idle ones. */
static bool read_times(struct load *ret)
{
	unsigned long long t[8] = { 0 };
	char line[512] = "";
	char *at = line + strlen("cpu ");
	FILE *f = fopen("/proc/stat", "re");
	bool read = f && fgets(line, sizeof(line), f);

	if (f)
		(void)fclose(f);
	if (!read || strncmp(line, "cpu ", 4) != 0)
		return false;
	for (size_t i = 0; i < 8; i++)
		t[i] = strtoull(at, &at, 10);
	*ret = (struct load){ .busy = t[0] + t[1] + t[2] + t[5] + t[6] + t[7],
			      .idle = t[3] + t[4] };
	return true;
}

void load_start(struct load *load)
{
	if (!read_times(load))
		*load = (struct load){ 0 };
}

bool load_is_low(const struct load *since, const struct load *now)
{
	uint64_t busy = now->busy - since->busy;
	uint64_t all = busy + now->idle - since->idle;

	/* Idle time is known to go back by a tick now and then. */
	return now->busy >= since->busy && now->idle >= since->idle &&
	       all > 0 && busy * 100 < all * IDLE_PERCENT;
}

bool load_was_low(const struct load *since)
{
	struct load now;

	return read_times(&now) && load_is_low(since, &now);
}
