/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/year.h"

#include <stdio.h>

static void fill(const struct balance *b, struct column_chart *chart)
{
	chart->n = YEAR_MONTHS;
	for (unsigned int i = 0; i < YEAR_MONTHS; i++) {
		const struct report_month *m = balance_month(b, i);
		struct chart_column *c = &chart->column[i];

		c->month = m->month;
		c->known = balance_known(b, m);
		c->whole = month_seen(m, b->of->in->made_s) == SEEN_WHOLE;
		if (!c->known)
			continue;
		c->part[0] = m->energy.total.use_ug.all;
		c->part[1] = m->energy.total.build_ug.all;
	}
}

static uint64_t most(const struct column_chart *chart)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < chart->n; i++) {
		const struct chart_column *c = &chart->column[i];

		if (c->part[0] + c->part[1] > v)
			v = c->part[0] + c->part[1];
	}
	return v;
}

static void legend(struct page *p)
{
	page_raw(p, "<ul class=\"c\">\n");
	page_element(p, "li class=\"c1\"", "%s", PT(p, "Electricity"));
	page_element(p, "li class=\"c2\"", "%s",
		     PT(p, "Making of the hardware"));
	page_raw(p, "</ul>\n");
}

void year_chart(const struct balance *b, struct page *p)
{
	struct column_chart chart = { .n = 0 };
	const struct scale *scale;
	struct num title;

	fill(b, &chart);
	scale = num_scale(Q_CARBON, most(&chart));
	title = num_printf(PT(p, "Carbon of each month of %d, in %s"),
			   b->of->year, PT(p, scale->unit));
	chart.title = title.s;
	chart.description = PT(p, "Stacked columns, one a month; the table "
				  "that follows has the figures.");
	chart.power = scale->power;
	chart.table_id = "months";
	page_raw(p, "<figure>\n");
	page_element(p, "figcaption", "%s", chart.title);
	legend(p);
	page_chart(p, &chart);
	page_raw(p, "</figure>\n");
	if (b->whole < YEAR_MONTHS)
		page_element(p, "p", "%s",
			     PT(p, "Dashed: only a part of the month was "
				   "watched. Question mark: no figures."));
}
