/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

#include <string.h>

/* Thirteen months: so that the same month a year ago is seen. */

static void fill_column(const struct page *p, struct chart_column *c)
{
	const struct report_month *m = month_find(p, c->month);
	struct energy_line e;

	if (!m || month_seen(m, p->in->made_s) < SEEN_PART)
		return;
	e = line_for(m, p->department);
	c->known = true;
	c->whole = month_seen(m, p->in->made_s) == SEEN_WHOLE;
	if (p->department) {
		c->part[0] = e.mwh.own + e.mwh.activity;
		c->part[1] = e.mwh.shared;
	} else {
		c->part[2] = m->energy.overhead.mwh.all;
		c->part[1] = m->energy.reserve.mwh.all;
		c->part[0] = e.mwh.all - c->part[1] - c->part[2];
	}
}

static void legend(struct page *p)
{
	page_raw(p, "<ul class=\"c\">\n");
	page_element(p, "li class=\"c1\"", "%s",
		     p->department ? PT(p, "Kept by this department alone")
				   : PT(p, "Departments"));
	page_element(p, "li class=\"c2\"", "%s",
		     p->department ? PT(p, "Its part of what several keep")
				   : PT(p, "Unused reserve"));
	if (!p->department)
		page_element(p, "li class=\"c3\"", "%s",
			     PT(p, "The drive itself"));
	page_raw(p, "</ul>\n");
}

static uint64_t column_total(const struct chart_column *c)
{
	return c->part[0] + c->part[1] + c->part[2];
}

static uint64_t chart_most(const struct column_chart *chart)
{
	uint64_t most = 0;

	for (unsigned int i = 0; i < chart->n; i++) {
		if (column_total(&chart->column[i]) > most)
			most = column_total(&chart->column[i]);
	}
	return most;
}

static bool all_whole(const struct column_chart *chart)
{
	for (unsigned int i = 0; i < chart->n; i++) {
		if (!chart->column[i].whole)
			return false;
	}
	return true;
}

static void figure(struct page *p, struct column_chart *chart)
{
	const struct scale *scale = num_scale(Q_ENERGY, chart_most(chart));
	struct num from = date_month(chart->column[0].month, p->lang);
	struct num to = date_month(chart->column[chart->n - 1].month, p->lang);
	cleanup_buf struct buf title;

	buf_init(&title, REPORT_FILE_MAX);
	(void)buf_printf(&title,
			 PT(p, "Electricity of each month, in %s, %s to %s"),
			 PT(p, scale->unit), from.s, to.s);
	(void)buf_put_u8(&title, 0);
	if (buf_error(&title))
		return;
	chart->title = (const char *)title.data;
	chart->description = PT(p, "Stacked columns, one a month; the table "
				   "that follows has the figures.");
	chart->power = scale->power;
	chart->table_id = "months";
	page_raw(p, "<figure>\n");
	page_element(p, "figcaption", "%s", chart->title);
	legend(p);
	page_chart(p, chart);
	page_raw(p, "</figure>\n");
	if (!all_whole(chart))
		page_element(p, "p", "%s",
			     PT(p, "Dashed: only a part of the month was "
				   "watched. Question mark: no figures."));
}

static void month_row(struct page *p, const struct chart_column *c)
{
	const struct report_month *m = month_find(p, c->month);
	struct num name = date_month(c->month, p->lang);
	struct energy_line e;
	struct num n[3];

	page_raw(p, "<tr>");
	page_th(p, "row", name.s);
	if (!c->known || !m) {
		page_raw(p, "<td colspan=\"3\">");
		page_say(p, "%s", PT(p, "no figures"));
		page_raw(p, "</td></tr>\n");
		return;
	}
	e = line_for(m, p->department);
	n[0] = num_quantity(Q_KEPT, e.logical_byte_s / KEPT_UNIT, p->lang);
	n[1] = num_quantity(Q_ENERGY, e.mwh.all, p->lang);
	n[2] = num_quantity(Q_CARBON, e.use_ug.all + e.build_ug.all, p->lang);
	for (unsigned int i = 0; i < 2; i++)
		page_td(p, n[i].s);
	page_raw(p, "<td>");
	page_say(p, "%s%s", n[2].s, c->whole ? "" : PT(p, " (in part)"));
	page_raw(p, "</td></tr>\n");
}

static void table(struct page *p, const struct column_chart *chart)
{
	page_table(p, TABLE_FIGURES, "months",
		   PT(p, "Month by month, as far as it was watched"));
	page_raw(p, "<thead><tr>");
	page_th(p, "col", PT(p, "Month"));
	page_th(p, "col", PT(p, "Files kept"));
	page_th(p, "col", PT(p, "Electricity"));
	page_th(p, "col", PT(p, "Carbon"));
	page_raw(p, "</tr></thead>\n<tbody>\n");
	for (unsigned int i = 0; i < chart->n; i++)
		month_row(p, &chart->column[i]);
	page_raw(p, "</tbody>\n");
	page_table_end(p);
}

void page_months(struct page *p)
{
	struct column_chart chart = { .n = REPORT_MONTHS };
	bool any = false;

	if (p->in->assessed)
		return;
	for (unsigned int i = 0; i < chart.n; i++) {
		chart.column[i].month =
			p->month->month - REPORT_MONTHS + 1 + (int32_t)i;
		fill_column(p, &chart.column[i]);
		any = any || chart.column[i].known;
	}
	if (!any)
		return;
	page_element(p, "h2", "%s", PT(p, "Thirteen months"));
	figure(p, &chart);
	table(p, &chart);
}
