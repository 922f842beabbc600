/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/base/clock.h"

#include <stddef.h>

static int64_t real_now_ns(void *ctx)
{
	struct timespec ts;

	(void)ctx;
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return timespec_ns(ts);
}

struct clock clock_real(void)
{
	return (struct clock){ .now_ns = real_now_ns, .ctx = NULL };
}
