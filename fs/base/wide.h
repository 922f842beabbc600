/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_BASE_WIDE_H
#define SOBREFS_BASE_WIDE_H

/*
 * 128-bit integers: a petabyte kept for five hours is more byte-seconds than
 * 64 bits hold. Kept on disk as two numbers, value = high * 10^18 + low, so
 * that a person can read them and SQLite can add them.
 */

#include <stdbool.h>
#include <stdint.h>

__extension__ typedef unsigned __int128 uint128;
__extension__ typedef __int128 int128;

#define WIDE_LOW_LIMIT INT64_C(1000000000000000000)

static inline uint128 wide_join(int64_t high, int64_t low)
{
	return (uint128)high * (uint128)WIDE_LOW_LIMIT + (uint128)low;
}

static inline int64_t wide_high(uint128 v)
{
	return (int64_t)(v / (uint128)WIDE_LOW_LIMIT);
}

static inline int64_t wide_low(uint128 v)
{
	return (int64_t)(v % (uint128)WIDE_LOW_LIMIT);
}

#define WIDE_TEXT_MAX 40 /* bytes, NUL included */
/* In decimal; returns `buf`. */
const char *wide_text(uint128 v, char buf[WIDE_TEXT_MAX]);

#endif
