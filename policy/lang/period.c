/* SPDX-License-Identifier: EUPL-1.2 */
/* Lengths of time in the calendar: what a law means by "five years". */
#include <string.h>
#include <strings.h>

#include "policy/lang/internal.h"

#define YEARS_MAX 500

struct unit {
	const char *word;
	enum period_unit unit;
	uint32_t times;
	uint32_t most;
};

static const struct unit units[] = {
	{ "day", PERIOD_DAYS, 1, 366 * YEARS_MAX },
	{ "days", PERIOD_DAYS, 1, 366 * YEARS_MAX },
	{ "jour", PERIOD_DAYS, 1, 366 * YEARS_MAX },
	{ "jours", PERIOD_DAYS, 1, 366 * YEARS_MAX },
	{ "week", PERIOD_DAYS, 7, 52 * YEARS_MAX },
	{ "weeks", PERIOD_DAYS, 7, 52 * YEARS_MAX },
	{ "semaine", PERIOD_DAYS, 7, 52 * YEARS_MAX },
	{ "semaines", PERIOD_DAYS, 7, 52 * YEARS_MAX },
	{ "month", PERIOD_MONTHS, 1, 12 * YEARS_MAX },
	{ "months", PERIOD_MONTHS, 1, 12 * YEARS_MAX },
	{ "mois", PERIOD_MONTHS, 1, 12 * YEARS_MAX },
	{ "year", PERIOD_YEARS, 1, YEARS_MAX },
	{ "years", PERIOD_YEARS, 1, YEARS_MAX },
	{ "an", PERIOD_YEARS, 1, YEARS_MAX },
	{ "ans", PERIOD_YEARS, 1, YEARS_MAX },
	{ "année", PERIOD_YEARS, 1, YEARS_MAX },
	{ "années", PERIOD_YEARS, 1, YEARS_MAX },
	{ "annee", PERIOD_YEARS, 1, YEARS_MAX },
	{ "annees", PERIOD_YEARS, 1, YEARS_MAX },
};
#define UNITS (sizeof(units) / sizeof(units[0]))

/* Blanks, those that don't break included. */
static const char *skip_blanks(const char *at)
{
	static const char nbsp[] = "\xc2\xa0";
	static const char narrow[] = "\xe2\x80\xaf";

	for (;;) {
		if (*at == ' ')
			at++;
		else if (!strncmp(at, nbsp, strlen(nbsp)))
			at += strlen(nbsp);
		else if (!strncmp(at, narrow, strlen(narrow)))
			at += strlen(narrow);
		else
			return at;
	}
}

static const struct unit *find_unit(const char *word)
{
	size_t len = strlen(word);

	while (len > 0 && word[len - 1] == ' ')
		len--;
	for (size_t i = 0; i < UNITS; i++)
		if (strlen(units[i].word) == len &&
		    !strncasecmp(units[i].word, word, len))
			return &units[i];
	return NULL;
}

int period_parse(const char *text, struct period *ret_period, struct error *err)
{
	const char *at = skip_blanks(text);
	const char *start = at;
	const struct unit *unit;
	uint64_t count = 0;

	for (; *at >= '0' && *at <= '9'; at++)
		if (count <= UINT32_MAX)
			count = count * 10 + (uint64_t)(*at - '0');
	unit = find_unit(skip_blanks(at));
	if (at == start || !unit)
		return error_set(err, -EINVAL,
				 "'%.64s' is no length of time like '5 years'",
				 text);
	if (count == 0 || count > unit->most)
		return error_set(err, -ERANGE,
				 "'%.64s' is not from 1 day to %u years", text,
				 YEARS_MAX);
	*ret_period =
		(struct period){ (uint32_t)count * unit->times, unit->unit };
	return 0;
}

/* --- the calendar (proleptic Gregorian) ----------------------------------- */

struct date {
	int64_t year;
	int month; /* 1 to 12 */
	int day;
};

/* Years from March, so that a leap day ends one; eras of 400 years. */
static struct date date_of(int64_t days)
{
	int64_t shifted = days + 719468;
	int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	int64_t in_era = shifted - era * 146097;
	int64_t year =
		(in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) /
		365;
	int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
	int month = (int)((5 * in_year + 2) / 153);

	return (struct date){
		.year = year + era * 400 + (month >= 10),
		.month = month < 10 ? month + 3 : month - 9,
		.day = (int)(in_year - (153 * month + 2) / 5 + 1),
	};
}

static int64_t days_of(struct date date)
{
	int64_t year = date.year - (date.month <= 2);
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t in_era = year - era * 400;
	int month = date.month > 2 ? date.month - 3 : date.month + 9;
	int64_t in_year = (153 * month + 2) / 5 + date.day - 1;

	return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 +
	       in_year - 719468;
}

static int last_day(int64_t year, int month)
{
	struct date next = { month < 12 ? year : year + 1,
			     month < 12 ? month + 1 : 1, 1 };

	return date_of(days_of(next) - 1).day;
}

static int32_t as_day(int64_t days)
{
	return days < INT32_MIN + 1 ? INT32_MIN + 1 : (int32_t)days;
}

int32_t period_before(int32_t day, struct period period)
{
	struct date date = date_of(day);
	int64_t months = period.count;
	int last;

	if (period.unit == PERIOD_DAYS)
		return as_day((int64_t)day - period.count);
	if (period.unit == PERIOD_YEARS)
		months *= 12;
	months = date.year * 12 + date.month - 1 - months;
	date.year = (months >= 0 ? months : months - 11) / 12;
	date.month = (int)(months - date.year * 12) + 1;
	last = last_day(date.year, date.month);
	if (date.day > last)
		date.day = last;
	return as_day(days_of(date));
}

/* --- in rules ------------------------------------------------------------- */

void period_take(struct yaml_doc *doc, const struct yaml_node *node,
		 struct period *ret_period, bool *ret_read)
{
	static const struct yaml_word words[] = {
		{ "days", NULL }, { "day", NULL },    { "weeks", NULL },
		{ "week", NULL }, { "month", NULL },  { "months", NULL },
		{ "year", NULL }, { "years", NULL },  { "jours", NULL },
		{ "jour", NULL }, { "mois", NULL },   { "ans", NULL },
		{ "an", NULL },	  { "années", NULL }, { "semaines", NULL },
		{ NULL, NULL },
	};
	const char *text = yaml_text(doc, node);
	struct error why = ERROR_INIT;
	int rc;

	if (!text)
		return;
	rc = period_parse(text, ret_period, &why);
	if (rc == -ERANGE)
		yaml_report(doc, node,
			    N_("'%s' is not from 1 day to 500 years"), text);
	else if (rc < 0)
		yaml_bad_measure(doc, node, text, words, "5 years");
	else if (ret_read)
		*ret_read = true;
}
