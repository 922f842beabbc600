/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *const month_names[] = {
	N_("January"),	 N_("February"), N_("March"),	 N_("April"),
	N_("May"),	 N_("June"),	 N_("July"),	 N_("August"),
	N_("September"), N_("October"),	 N_("November"), N_("December"),
};
/* "May" is both. */
static const char *const month_shorts[] = {
	N_("Jan"), N_("Feb"), N_("Mar"), N_("Apr"), N_("May"), N_("Jun"),
	N_("Jul"), N_("Aug"), N_("Sep"), N_("Oct"), N_("Nov"), N_("Dec"),
};

static unsigned int month_index(int32_t month)
{
	return (unsigned int)(((month % 12) + 12) % 12);
}

struct num date_month(int32_t month, enum po_lang lang)
{
	return num_printf("%s" NBSP "%d",
			  TL(lang, month_names[month_index(month)]),
			  month / 12);
}

struct num date_month_short(int32_t month, enum po_lang lang)
{
	return num_printf("%s", TL(lang, month_shorts[month_index(month)]));
}

struct num date_month_iso(int32_t month)
{
	return num_printf("%04d-%02u", month / 12, month_index(month) + 1);
}

static struct tm utc(int64_t at_s)
{
	time_t at = (time_t)at_s;
	struct tm tm;

	memset(&tm, 0, sizeof(tm));
	(void)gmtime_r(&at, &tm);
	return tm;
}

struct num date_day(int64_t at_s, enum po_lang lang)
{
	struct tm tm = utc(at_s);
	struct num month =
		date_month((tm.tm_year + 1900) * 12 + (int32_t)tm.tm_mon, lang);

	return num_printf("%d%s" NBSP "%s", tm.tm_mday,
			  lang == PO_FR && tm.tm_mday == 1 ? "er" : "",
			  month.s);
}

struct num date_minute(int64_t at_s, enum po_lang lang)
{
	struct tm tm = utc(at_s);
	struct num day = date_day(at_s, lang);

	/* A day, then hours and minutes. */
	return num_printf(TL(lang, "%s, %02d:%02d UTC"), day.s, tm.tm_hour,
			  tm.tm_min);
}

struct num date_iso(int64_t at_s)
{
	struct tm tm = utc(at_s);

	return num_printf("%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
			  tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
			  tm.tm_sec);
}

int64_t date_month_start(int32_t month)
{
	struct tm tm = { .tm_year = month / 12 - 1900,
			 .tm_mon = (int)month_index(month),
			 .tm_mday = 1 };

	return (int64_t)timegm(&tm);
}
