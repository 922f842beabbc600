/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_TESTS_REPORT_SAMPLE_WHO_H
#define SOBREFS_TESTS_REPORT_SAMPLE_WHO_H

/* Whose files the samples are. */

#include "tests/report/sample.h"

#define OVERRIDE "\xe2\x80\xae" /* right to left */

struct named {
	const char *id, *name, *entity;
};

#define SAMPLE_TOWN    12
#define SAMPLE_HOSTILE 5
extern const struct named sample_town[SAMPLE_TOWN];
extern const struct named sample_hostile[SAMPLE_HOSTILE];
extern const struct report_organisation sample_town_hall, sample_hostile_hall;

#endif
