/* SPDX-License-Identifier: EUPL-1.2 */
/* Days: how long ago is long enough, and when a term begins and ends. */
#include <string.h>

#include "policy/eval/internal.h"

/* Millionths of a day, of the mean month and year, so that terms compare: 12
 * months are a year. */
static const uint64_t unit_length[] = {
	[PERIOD_DAYS] = 1000000,
	[PERIOD_MONTHS] = 30436875,
	[PERIOD_YEARS] = 365242500,
};
/* Some 100,000 years: beyond, nothing is that long ago. */
#define FOREVER (UINT64_C(36524250) * 1000000)

uint64_t term_length(struct period period)
{
	return period.count * unit_length[period.unit];
}

static int32_t before(int32_t today, struct period period)
{
	if (term_length(period) >= FOREVER)
		return INT32_MIN;
	return period_before(today, period);
}

struct cutoffs cutoffs_of(const struct rule *rule, int32_t today)
{
	return (struct cutoffs){
		.not_changed = before(today, rule->not_changed_for),
		.not_used = before(today, rule->not_used_for),
		.keep = before(today, rule->keep),
	};
}

/* By asking the calendar the one question it answers, so that this agrees
 * with the cutoffs to the day: the end of a month moves. */
int32_t term_end(int32_t start, struct period period)
{
	uint64_t days = term_length(period) / 1000000;
	int32_t day = 0;

	if (days >= FOREVER / 1000000 ||
	    (int64_t)start + (int64_t)days > INT32_MAX - 100)
		return INT32_MAX;
	day = start + (int32_t)days;
	while (period_before(day, period) >= start)
		day--;
	while (period_before(day, period) < start)
		day++;
	return day;
}

int32_t last_use(const struct facts *facts)
{
	if (facts->used_day != DAY_UNKNOWN)
		return facts->used_day;
	if (facts->watched_day == DAY_UNKNOWN)
		return DAY_UNKNOWN;
	/* It can't have been out of use before it was there. */
	return facts->created_day > facts->watched_day ? facts->created_day
						       : facts->watched_day;
}

/* --- the year in a path -----------------------------------------------------
 */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The latest year that stands by itself in the text, or `year`. */
static int later_year(struct piece part, int year)
{
	size_t i = 0;

	while (i < part.len) {
		size_t start = i;
		int value = 0;

		while (i < part.len && is_digit(part.text[i]) && i - start < 5)
			value = 10 * value + (part.text[i++] - '0');
		while (i < part.len && is_digit(part.text[i]))
			i++;
		if (i - start == 4 && value >= 1900 && value <= 2199 &&
		    value > year)
			year = value;
		if (i == start)
			i++;
	}
	return year;
}

/* 31 December; 1970-01-01 is day 0. */
static int32_t end_of_year(int year)
{
	int next = year; /* whole years since the year 1 */
	int days = 365 * next + next / 4 - next / 100 + next / 400;

	return days - 719162 - 1;
}

/* Of the names of the directories; the latest, where there are several. */
static int32_t year_in(const char *path)
{
	struct piece rest = { path, strlen(path) };
	struct piece part;
	int year = 0;

	while (piece_next(&rest, &part) && rest.len > 0)
		year = later_year(part, year);
	return year == 0 ? DAY_UNKNOWN : end_of_year(year);
}

int32_t term_start(const struct rule *rule, const struct facts *facts)
{
	switch (rule->start) {
	case RULE_START_CHANGED:
		return facts->changed_day;
	case RULE_START_CREATED:
		return facts->created_day;
	case RULE_START_USED:
		return last_use(facts);
	case RULE_START_YEAR_IN_PATH:
		return year_in(facts->path);
	case RULE_START_CLOSED:
	case RULE_START_OWNER_LEFT:
		break;
	}
	return DAY_UNKNOWN;
}
