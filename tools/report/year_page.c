/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/year.h"

#include <string.h>

static const char none[] = "\xe2\x80\x93"; /* a dash */

static void lead(const struct balance *b, struct page *p)
{
	struct num kept = num_bytes(sums_kept(&b->now), p->lang);
	struct num energy = num_quantity(Q_ENERGY, b->now.mwh, p->lang);
	struct num cost = num_quantity(Q_MONEY, b->now.ueur, p->lang);
	struct num carbon = num_quantity(
		Q_CARBON, (uint128)b->now.use_ug + b->now.build_ug, p->lang);

	if (b->now.months == 0) {
		page_element(p, "p class=\"lead\"",
			     PT(p, "Nothing is known of %d: the drive was not "
				   "watched."),
			     b->of->year);
		return;
	}
	page_element(p, "p class=\"lead\"",
		     PT(p, "In %d, %s of files were kept on average. That took "
			   "about %s of electricity (%s) and emitted %s, the "
			   "making of the hardware included."),
		     b->of->year, kept.s, energy.s, cost.s, carbon.s);
}

/* What keeps the year from being whole, or its figures from being for good. */
static void notes(const struct balance *b, struct page *p)
{
	if (b->now.months > 0 && b->whole < YEAR_MONTHS)
		page_element(p, "p class=\"note\"",
			     PT(p, "Months watched from the first to the last "
				   "day: %u of 12. The figures are those of "
				   "what was watched."),
			     b->whole);
	if (b->now.months > 0 && b->closed < YEAR_MONTHS)
		page_element(p, "p class=\"note\"",
			     PT(p, "Months closed: %u of 12. The others may "
				   "still change."),
			     b->closed);
	page_element(
		p, "p", "%s",
		PT(p, "This is the yearly balance of the follow-up indicators "
		      "of the digital strategy that article 35 of the law of "
		      "15 November 2021 (REEN) and decree 2022-1084 ask for, "
		      "to go with the report on sustainable development (CGCT, "
		      "art. L. 2311-1-1)."));
}

/* --- indicators ------------------------------------------------------------
 */

static void change_cell(const struct balance *b, struct page *p,
			enum figure figure)
{
	uint64_t before = figure_of(&b->like_before, figure);
	struct num change =
		before > 0 ? num_change(before, figure_of(&b->like, figure),
					p->lang)
			   : num_printf("%s", none);

	page_td(p, change.s);
}

/* What accumulates can be over its target before the year has ended; a mean
 * can't be told to be until then. */
static void target_cells(const struct balance *b, struct page *p,
			 enum figure figure)
{
	uint64_t target = figure_target(&b->of->target, figure);
	uint64_t now = figure_of(&b->now, figure);
	struct num text = figure_text(figure, target, p->lang);
	struct num change;

	if (target == 0) {
		page_td(p, none);
		page_td(p, none);
		return;
	}
	page_td(p, text.s);
	change = num_change(target, now, p->lang);
	page_raw(p, "<td>");
	if (b->whole < YEAR_MONTHS && (now <= target || figure == FIGURE_KEPT))
		page_say(p, "%s", PT(p, "the year is not whole"));
	else
		page_say(p,
			 now > target ? PT(p, "exceeded (%s)")
				      : PT(p, "kept (%s)"),
			 change.s);
	page_raw(p, "</td>");
}

static void indicator(const struct balance *b, struct page *p,
		      enum figure figure)
{
	uint64_t now = figure_of(&b->now, figure);
	uint64_t before = figure_of(&b->before, figure);
	struct num text = figure_text(figure, now, p->lang);
	uint64_t low;
	uint64_t high;

	page_raw(p, "<tr>");
	page_th(p, "row", PT(p, figure_name(figure)));
	page_td(p, text.s);
	if (figure_bounds(&b->now, figure, &low, &high))
		text = num_interval(figure == FIGURE_ENERGY ? Q_ENERGY
				    : figure == FIGURE_COST ? Q_MONEY
							    : Q_CARBON,
				    now, low, high, p->lang);
	else
		text = num_printf("%s", none);
	page_td(p, text.s);
	text = before > 0 ? figure_text(figure, before, p->lang)
			  : num_printf("%s", none);
	page_td(p, text.s);
	change_cell(b, p, figure);
	target_cells(b, p, figure);
	page_raw(p, "</tr>\n");
}

static void indicators(const struct balance *b, struct page *p)
{
	struct num year = num_printf("%d", b->of->year);
	struct num before = num_printf("%d", b->of->year - 1);

	page_element(p, "h2", "%s", PT(p, "Indicators"));
	page_table(p, TABLE_FIGURES, "indicators",
		   PT(p, "The year's indicators, the year before and the "
			 "target"));
	page_raw(p, "<thead><tr>");
	page_th(p, "col", PT(p, "Indicator"));
	page_th(p, "col", year.s);
	page_th(p, "col", PT(p, "Interval"));
	page_th(p, "col", before.s);
	page_th(p, "col", PT(p, "Change"));
	page_th(p, "col", PT(p, "Target"));
	page_th(p, "col", PT(p, "Target met?"));
	page_raw(p, "</tr></thead>\n<tbody>\n");
	for (int i = 0; i < FIGURES; i++)
		indicator(b, p, (enum figure)i);
	page_raw(p, "</tbody>\n");
	page_table_end(p);
	page_element(p, "p",
		     PT(p, "The change is that of the months that were watched "
			   "whole in both years: %u. Targets are those of the "
			   "administrators."),
		     b->like.months);
}

/* --- months ----------------------------------------------------------------
 */

static void month_state(const struct balance *b, struct page *p,
			const struct report_month *m)
{
	const char *state = PT(p, "not closed");

	page_raw(p, "<td>");
	if (m->version > 1)
		page_say(p, PT(p, "corrected (version %u)"), m->version);
	else
		page_say(p, "%s", m->version == 1 ? PT(p, "closed") : state);
	if (month_seen(m, b->of->in->made_s) < SEEN_WHOLE)
		page_say(p, "%s", PT(p, " (in part)"));
	if (m->failed.n > 0)
		page_say(p, "%s", PT(p, ", books not balanced"));
	page_raw(p, "</td>");
}

static void month_row(const struct balance *b, struct page *p,
		      const struct report_month *m)
{
	struct num name = date_month(m->month, p->lang);
	const struct energy_line *t = &m->energy.total;
	struct num n[4];

	page_raw(p, "<tr>");
	page_th(p, "row", name.s);
	if (!balance_known(b, m)) {
		page_raw(p, "<td colspan=\"5\">");
		page_say(p, "%s", PT(p, "no figures"));
		page_raw(p, "</td></tr>\n");
		return;
	}
	n[0] = num_bytes(
		(uint64_t)(t->logical_byte_s / (uint64_t)month_counted_s(m)),
		p->lang);
	n[1] = num_quantity(Q_ENERGY, t->mwh.all, p->lang);
	n[2] = num_quantity(Q_MONEY, t->ueur.all, p->lang);
	n[3] = num_quantity(Q_CARBON, (uint128)t->use_ug.all + t->build_ug.all,
			    p->lang);
	for (unsigned int i = 0; i < 4; i++)
		page_td(p, n[i].s);
	month_state(b, p, m);
	page_raw(p, "</tr>\n");
}

static void months(const struct balance *b, struct page *p)
{
	page_element(p, "h2", "%s", PT(p, "Month by month"));
	year_chart(b, p);
	page_table(p, TABLE_FIGURES, "months",
		   PT(p, "Each month of the year, as far as it was watched"));
	page_raw(p, "<thead><tr>");
	page_th(p, "col", PT(p, "Month"));
	page_th(p, "col", PT(p, "Files kept, on average"));
	page_th(p, "col", PT(p, "Electricity"));
	page_th(p, "col", PT(p, "Cost"));
	page_th(p, "col", PT(p, "Carbon"));
	page_th(p, "col", PT(p, "State"));
	page_raw(p, "</tr></thead>\n<tbody>\n");
	for (unsigned int i = 0; i < YEAR_MONTHS; i++)
		month_row(b, p, balance_month(b, i));
	page_raw(p, "</tbody>\n");
	page_table_end(p);
}

static void method(struct page *p)
{
	page_element(p, "h2", "%s", PT(p, "How it is counted"));
	page_element(
		p, "p", "%s",
		PT(p, "Each month is told as its own report tells it: a closed "
		      "month with the coefficients of when it was closed, an "
		      "open one with today's. Sources, intervals and limits "
		      "are in the reports of the months. Carbon is that of the "
		      "country's average electricity, whatever the supply "
		      "contract."));
}

void year_page(const struct balance *b, struct page *p)
{
	lead(b, p);
	notes(b, p);
	if (b->now.months > 0) {
		indicators(b, p);
		months(b, p);
		year_lines(b, p);
	}
	method(p);
}
