/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_TESTS_UNIT_ENERGY_SUPPORT_H
#define SOBREFS_TESTS_UNIT_ENERGY_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/energy/energy.h"
#include "fs/energy/internal.h"

#define GB	((uint128)1000000000)
#define HOUR	((uint128)3600)
#define MONTH_S (INT64_C(720) * 3600)
#define assert_wide(a, b)                                                    \
	do {                                                                 \
		char a_[WIDE_TEXT_MAX], b_[WIDE_TEXT_MAX];                   \
		assert_string_equal(wide_text((a), a_), wide_text((b), b_)); \
	} while (0)

static inline struct tier_time row_of(enum tier tier, uint128 byte_seconds,
				      unsigned int n, uint16_t a, uint16_t b,
				      uint16_t c)
{
	return (struct tier_time){ .tier = tier,
				   .byte_seconds = byte_seconds,
				   .set = { .n = (uint16_t)n,
					    .member = { a, b, c } } };
}

static inline struct energy_month month_of(const struct coef_set *coefs,
					   const struct energy_input *in)
{
	struct energy_month month;
	struct error err = ERROR_INIT;

	if (energy_month(coefs, in, &month, &err) < 0)
		fail_msg("%s", err.text);
	return month;
}

static inline struct energy_month default_month(const struct energy_input *in)
{
	struct coef_set coefs;

	coef_set_default(&coefs);
	return month_of(&coefs, in);
}

/* Repeats: a test that fails once fails again. */
struct dice {
	uint64_t state;
};

static inline uint64_t roll(struct dice *dice, uint64_t sides)
{
	dice->state ^= dice->state << 13;
	dice->state ^= dice->state >> 7;
	dice->state ^= dice->state << 17;
	return dice->state % sides;
}

#endif
