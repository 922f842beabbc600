/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What became of a year's proposals, from what each closed month kept of them.
 * Those of a department that are of one action are one proposal, however many
 * months it stands.
 */
#include "tools/report/charter.h"

static const struct report_survey *survey_of(const struct report_charter *in,
					     int32_t month)
{
	for (unsigned int i = 0; i < in->months; i++) {
		const struct report_month *m = &in->month[i];

		if (m->month == month && m->known && m->version > 0)
			return m->survey;
	}
	return NULL;
}

static uint64_t gain_in(const struct report_survey *survey, unsigned int d,
			unsigned int action)
{
	return survey && d < survey->departments
		       ? survey->department[d].action[action].gain_bytes
		       : 0;
}

struct course {
	bool proposed; /* in any month of the year */
	bool done;     /* nothing of it is left in the last one */
	uint128 gained_bytes;
};

/* A department not looked at in a month says nothing of it. */
static struct course follow(const struct report_charter *in, int32_t year,
			    unsigned int d, unsigned int action)
{
	const struct report_survey *last = NULL;
	struct course c = { .proposed = false };

	for (int32_t m = 12 * year - 1; m < 12 * year + 12; m++) {
		const struct report_survey *now = survey_of(in, m);
		uint64_t left;
		uint64_t was;

		if (!now || d >= now->departments)
			continue;
		left = gain_in(now, d, action);
		was = gain_in(last, d, action);
		if (m >= 12 * year) {
			c.proposed |= left > 0 || was > 0;
			c.gained_bytes += was > left ? was - left : 0;
			c.done = left == 0;
		}
		last = now;
	}
	c.done &= c.proposed;
	return c;
}

static unsigned int most_departments(const struct report_charter *in,
				     int32_t year)
{
	unsigned int most = 0;

	for (int32_t m = 12 * year; m < 12 * year + 12; m++) {
		const struct report_survey *s = survey_of(in, m);

		if (s && s->departments > most)
			most = s->departments;
	}
	return most;
}

bool charter_gains(const struct report_charter *in, int32_t year,
		   struct charter_gains *ret_gains)
{
	unsigned int departments = most_departments(in, year);

	*ret_gains = (struct charter_gains){ .proposed = 0 };
	for (unsigned int d = 0; d < departments; d++)
		for (unsigned int a = 0; a < REPORT_ACTIONS; a++) {
			struct course c = follow(in, year, d, a);

			ret_gains->proposed += c.proposed;
			ret_gains->done += c.done;
			ret_gains->gained_bytes += c.gained_bytes;
		}
	return departments > 0;
}
