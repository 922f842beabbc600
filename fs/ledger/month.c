/* SPDX-License-Identifier: EUPL-1.2 */
/* Calendar months, UTC: 12 * year + (month - 1). Days from a March-based year,
 * as https://howardhinnant.github.io/date_algorithms.html has them. */
#include "fs/ledger/internal.h"

#define DAY_S	  INT64_C(86400)
#define ERA_DAYS  INT64_C(146097)
#define ERA_YEARS INT64_C(400)
#define EPOCH_DAY INT64_C(719468) /* of 1970, from 1 March of year 0 */

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int64_t month_start(int32_t month)
{
	/* Months from March of year 0. */
	int64_t m = (int64_t)month - 2;
	int64_t year = floor_div(m, 12);
	int64_t era = floor_div(year, ERA_YEARS);
	int64_t of_era = year - era * ERA_YEARS;
	int64_t before = (153 * (m - year * 12) + 2) / 5;
	int64_t day = of_era * 365 + of_era / 4 - of_era / 100 + before;

	return (era * ERA_DAYS + day - EPOCH_DAY) * DAY_S;
}

/* 2,629,746 s is a mean month: at most one off. */
int32_t month_of(int64_t s)
{
	int32_t month = (int32_t)(INT64_C(1970) * 12 + floor_div(s, 2629746));

	while (month_start(month) > s)
		month--;
	while (month_start(month + 1) <= s)
		month++;
	return month;
}
