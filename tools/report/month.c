/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

/* Restarts of a daemon are not worth a word. */
#define UNWATCHED_MIN_S 3600

static int64_t counted_from(const struct report_month *m)
{
	return m->first_s > m->start_s ? m->first_s : m->start_s;
}

int64_t month_counted_s(const struct report_month *m)
{
	int64_t s = m->end_s - counted_from(m);

	return s > 0 ? s : 0;
}

int64_t month_unwatched_s(const struct report_month *m)
{
	int64_t s = month_counted_s(m) - m->observed_s;

	return s >= UNWATCHED_MIN_S ? s : 0;
}

enum seen month_seen(const struct report_month *m, int64_t made_s)
{
	if (made_s < m->start_s)
		return SEEN_FUTURE;
	if (!m->known || month_counted_s(m) == 0)
		return SEEN_NEVER;
	if (!m->over || m->first_s > m->start_s ||
	    month_unwatched_s(m) * 20 > month_counted_s(m))
		return SEEN_PART;
	return SEEN_WHOLE;
}

const struct report_month *month_find(const struct page *p, int32_t number)
{
	for (unsigned int i = 0; i < p->in->months; i++) {
		if (p->in->month[i].month == number)
			return &p->in->month[i];
	}
	return NULL;
}
