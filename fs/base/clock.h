/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_BASE_CLOCK_H
#define SOBREFS_BASE_CLOCK_H

/* Time, passed in so that tests repeat. UTC nanoseconds since 1970. */

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define NS_PER_S INT64_C(1000000000)

struct clock {
	int64_t (*now_ns)(void *ctx); /* from any thread */
	void *ctx;
};

/* The system's real-time clock. */
struct clock clock_real(void);

static inline int64_t clock_now_ns(const struct clock *c)
{
	return c->now_ns(c->ctx);
}

static inline int64_t clock_now_s(const struct clock *c)
{
	return c->now_ns(c->ctx) / NS_PER_S;
}

/* False beyond the years 1678 to 2261; ext4 goes to 2446. */
static inline bool timespec_fits(struct timespec ts)
{
	return ts.tv_sec < INT64_MAX / NS_PER_S &&
	       ts.tv_sec >= INT64_MIN / NS_PER_S;
}

/* The nearest that fits. */
static inline int64_t timespec_ns(struct timespec ts)
{
	if (!timespec_fits(ts))
		return ts.tv_sec < 0 ? INT64_MIN : INT64_MAX;
	return (int64_t)ts.tv_sec * NS_PER_S + (int64_t)ts.tv_nsec;
}

/* Exact for times before 1970 too. */
static inline struct timespec timespec_from_ns(int64_t ns)
{
	int64_t s = ns / NS_PER_S;
	int64_t rest = ns % NS_PER_S;

	if (rest < 0) {
		rest += NS_PER_S;
		s--;
	}
	return (struct timespec){ .tv_sec = s, .tv_nsec = rest };
}

#endif
