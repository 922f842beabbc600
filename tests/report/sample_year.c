/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/report/sample.h"

#include <string.h>
#include <time.h>

static int64_t start_of(int32_t month)
{
	struct tm tm = { .tm_year = month / 12 - 1900,
			 .tm_mon = month % 12,
			 .tm_mday = 1 };

	return (int64_t)timegm(&tm);
}

/* The sample's months over and over, as if they were those of two years; of
 * the first year one is not known, of the sample that is not over none after
 * it. */
static void fill(const struct sample *s, unsigned int i, struct report_month *m)
{
	const struct report_month *from = &s->month[i % s->in.months];
	int32_t month = 12 * (SAMPLE_YEAR - 1) + (int32_t)i;

	*m = *from;
	m->month = month;
	m->start_s = start_of(month);
	m->end_s = start_of(month + 1);
	m->over = m->end_s <= s->year_in.made_s;
	m->known = from->known && i != 3 && m->over;
	m->first_s = m->start_s;
	m->observed_s = m->end_s - m->start_s;
	m->closed_s = m->end_s + 5 * 3600;
	if (i == 16) /* seen from the 15th */
		m->first_s += 14 * INT64_C(86400);
	if (i >= 22 || !m->known)
		m->version = 0;
}

void sample_year(struct sample *s)
{
	s->year_in = s->in;
	s->year_in.month = NULL;
	s->year_in.months = 0;
	/* Of the one whose month has not ended, in the middle of the year. */
	s->year_in.made_s = s->in.months > 1 ? start_of(12 * SAMPLE_YEAR + 13)
					     : start_of(12 * SAMPLE_YEAR + 6);
	for (unsigned int i = 0; i < REPORT_YEAR_MONTHS; i++)
		fill(s, i, &s->year_month[i]);
	s->year = (struct report_year){
		.year = SAMPLE_YEAR,
		.in = &s->year_in,
		.month = s->year_month,
		.target = { .mwh = UINT64_C(7000000000),
			    .ug = UINT64_C(900000000000),
			    .bytes = UINT64_C(90000000000000) },
	};
}
