/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_BASE_UNITS_H
#define SOBREFS_BASE_UNITS_H

/*
 * Durations and sizes as people write them, in English and in French: "30
 * days", "5 ans", "1.5 GB", "1,5 Go". Reading takes both languages at once,
 * so that a file written in one is read under the other. Pure.
 */

#include <stdint.h>

#include "fs/base/error.h"

enum units_lang {
	UNITS_EN,
	UNITS_FR
};

#define UNITS_TEXT_MAX 48 /* bytes, NUL included */

/*
 * A whole number and a unit, which is required: "0s", "90 min", "30 days",
 * "1 jour". A month is 30 days and a year 365: calendar dates are not for
 * here. -EINVAL, -ERANGE.
 */
int units_parse_duration(const char *text, int64_t *ret_s, struct error *err);
/*
 * A number, with up to 9 decimals after "." or ",", and a unit: B, kB, MB,
 * GB, TB (powers of 1000), KiB… (of 1024), and the same with the French "o".
 * -EINVAL, -ERANGE.
 */
int units_parse_size(const char *text, uint64_t *ret_bytes, struct error *err);

/* "1.5 GB", "1,5 Go": powers of 1000, three digits at least where cut. */
void units_format_size(uint64_t size_bytes, enum units_lang lang,
		       char ret_text[UNITS_TEXT_MAX]);
/* The two biggest units: "3 days 4 h", "5 min". Negative: as 0. */
void units_format_duration(int64_t duration_s, enum units_lang lang,
			   char ret_text[UNITS_TEXT_MAX]);

#endif
