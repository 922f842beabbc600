/* SPDX-License-Identifier: EUPL-1.2 */
/* What is wrong with an array's meter, in words. */
#include <stdarg.h>
#include <stdio.h>

#include "tools/report/internal.h"

#define HOUR_S	 INT64_C(3600)
#define UNLIKELY 100 /* times what coefficients say, or that part of it */

static const char *const names[] = {
	[METER_FINE] = "fine",	       [METER_SILENT] = "silent",
	[METER_PART] = "part",	       [METER_ZERO] = "zero",
	[METER_UNLIKELY] = "unlikely", [METER_FELL] = "fell",
	[METER_GAPS] = "gaps",
};

const char *report_meter_name(enum report_meter what)
{
	return names[what];
}

enum report_meter report_meter_of(const struct energy_array_month *array)
{
	const struct energy_meter *m = &array->meter;
	const int64_t missing_s = array->seconds - m->covered_s;

	if (!m->there || array->seconds <= 0)
		return METER_FINE;
	if (m->covered_s == 0)
		return METER_SILENT;
	if (missing_s > array->seconds / 10)
		return METER_PART;
	if (!array->measured)
		return METER_ZERO;
	if (array->modelled_mwh > 0 &&
	    (array->all.mwh / UNLIKELY > array->modelled_mwh ||
	     array->modelled_mwh / UNLIKELY > array->all.mwh))
		return METER_UNLIKELY;
	if (m->falls > 0)
		return METER_FELL;
	return m->longest_gap_s >= HOUR_S ? METER_GAPS : METER_FINE;
}

static uint64_t times(uint64_t a, uint64_t b)
{
	return b > 0 ? a / b : 0;
}

/* Cut where it has no room, which no sentence here has need of. */
static bool say(char text[REPORT_METER_MAX], const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static bool say(char text[REPORT_METER_MAX], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, REPORT_METER_MAX, fmt, ap);
	va_end(ap);
	return true;
}

static bool say_unlikely(const struct energy_array_month *a, enum po_lang lang,
			 char text[REPORT_METER_MAX])
{
	uint64_t more = times(a->all.mwh, a->modelled_mwh);
	uint64_t less = times(a->modelled_mwh, a->all.mwh);

	if (more > 0)
		return say(text,
			   TL(lang,
			      N_("The meter of array %s says %llu times what "
				 "the coefficients say: is its unit right?")),
			   a->id, (unsigned long long)more);
	return say(text,
		   TL(lang, N_("The meter of array %s says %llu times less "
			       "than the coefficients: is its unit right?")),
		   a->id, (unsigned long long)less);
}

/* Those that a month is not measured by. */
static bool say_unmeasured(const struct energy_array_month *a,
			   enum report_meter what, enum po_lang lang,
			   char text[REPORT_METER_MAX])
{
	struct num covered = num_duration(a->meter.covered_s, lang);

	if (what == METER_SILENT)
		return say(text,
			   TL(lang,
			      N_("The meter of array %s measured nothing of "
				 "this month: its electricity is estimated by "
				 "coefficients.")),
			   a->id);
	if (what == METER_ZERO)
		return say(text,
			   TL(lang,
			      N_("The meter of array %s says that nothing was "
				 "drawn, which can't be: its electricity is "
				 "estimated by coefficients.")),
			   a->id);
	return say(text,
		   TL(lang, N_("The meter of array %s covers %s of the month "
			       "only: its electricity is estimated by "
			       "coefficients.")),
		   a->id, covered.s);
}

bool report_meter_say(const struct energy_array_month *array, enum po_lang lang,
		      char ret_text[REPORT_METER_MAX])
{
	const struct energy_array_month *a = array;
	enum report_meter what = report_meter_of(a);
	struct num missing =
		num_duration(a->seconds - a->meter.covered_s, lang);
	struct num longest = num_duration(a->meter.longest_gap_s, lang);

	if (what == METER_FINE)
		return false;
	if (what == METER_UNLIKELY)
		return say_unlikely(a, lang, ret_text);
	if (what == METER_FELL)
		return say(ret_text,
			   TL(lang,
			      N_("The meter of array %s went backwards, as one "
				 "that was replaced: what isn't known, %s in "
				 "all, is taken to be like the rest.")),
			   a->id, missing.s);
	if (what == METER_GAPS)
		return say(ret_text,
			   TL(lang,
			      N_("The meter of array %s has no reading for %s "
				 "in all, %s at the longest, taken to be like "
				 "the rest.")),
			   a->id, missing.s, longest.s);
	return say_unmeasured(a, what, lang, ret_text);
}
