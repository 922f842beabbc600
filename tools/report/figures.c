/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

#include <string.h>

/* The sentence, what must be known of the month, and the four figures. */

struct span {
	uint64_t mid, low, high;
};

static struct span span_of(uint64_t mid, micro u)
{
	return (struct span){ mid, num_low(mid, u), num_high(mid, u) };
}

static struct span carbon(const struct report_month *m,
			  const struct energy_line *e)
{
	struct span use = span_of(e->use_ug.all, m->energy.uncertainty);
	struct span build =
		span_of(e->build_ug.all, m->energy.uncertainty_build);

	return (struct span){ use.mid + build.mid, use.low + build.low,
			      use.high + build.high };
}

static void sentence(struct page *p, const struct energy_line *e)
{
	uint128 held = e->logical_byte_s / (uint64_t)month_counted_s(p->month);
	struct num bytes = num_bytes((uint64_t)held, p->lang);
	struct num energy = num_quantity(Q_ENERGY, e->mwh.all, p->lang);
	struct num cost = num_quantity(Q_MONEY, e->ueur.all, p->lang);
	struct num co2 =
		num_quantity(Q_CARBON, carbon(p->month, e).mid, p->lang);
	struct num when = date_month(p->month->month, p->lang);

	if (p->in->assessed) {
		page_element(
			p, "p class=\"lead\"",
			PT(p, "Keeping these %s of files for 30 days would "
			      "take about %s of electricity (%s) and emit %s, "
			      "the making of the hardware included."),
			bytes.s, energy.s, cost.s, co2.s);
		return;
	}
	page_element(p, "p class=\"lead\"",
		     PT(p, "In %s, %s of files were kept on average. That took "
			   "about %s of electricity (%s) and emitted %s, the "
			   "making of the hardware included."),
		     when.s, bytes.s, energy.s, cost.s, co2.s);
}

/* What keeps the figures from being those of a whole month. */
static void warnings(struct page *p)
{
	const struct report_month *m = p->month;
	struct num first = date_day(m->first_s, p->lang);
	struct num end = date_minute(m->end_s, p->lang);
	struct num gap = num_duration(month_unwatched_s(m), p->lang);

	if (p->in->assessed) {
		page_element(p, "p class=\"note\"",
			     PT(p, "This is an estimate: the files of today, "
				   "as if kept for 30 days. Nothing was "
				   "measured over time."));
		return;
	}
	if (!m->over)
		page_element(
			p, "p class=\"note\"",
			PT(p, "The month is not over: the figures stop on %s."),
			end.s);
	if (m->first_s > m->start_s)
		page_element(p, "p class=\"note\"",
			     PT(p,
				"The drive was first seen on %s: the figures "
				"begin there, the month is not whole."),
			     first.s);
	if (month_unwatched_s(m) > 0)
		page_element(p, "p class=\"note\"",
			     PT(p, "For %s in all nobody watched the drive (it "
				   "was not mounted): for that time, the files "
				   "are counted as they were last seen."),
			     gap.s);
}

/* What the arrays' meters lack. */
static void meters(struct page *p)
{
	const struct energy_month *e = &p->month->energy;
	char text[REPORT_METER_MAX];
	bool begun = false;

	for (unsigned int i = 0; i < e->arrays; i++) {
		if (!report_meter_say(&e->array[i], p->lang, text))
			continue;
		page_raw(p, begun ? " " : "<p class=\"note\">");
		page_say(p, "%s", text);
		begun = true;
	}
	if (begun)
		page_raw(p, "</p>\n");
}

/* Those before this one: "July 2026, August 2026". */
static void not_closed(struct page *p)
{
	char list[REPORT_MONTHS * sizeof(struct num)];
	size_t len = 0;

	for (unsigned int i = 0; i + 1 < p->in->months; i++) {
		const struct report_month *m = &p->in->month[i];
		struct num name = date_month(m->month, p->lang);

		if (!m->known || !m->over || m->version > 0)
			continue;
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s",
					len > 0 ? ", " : "", name.s);
	}
	if (len == 0)
		return;
	page_raw(p, " ");
	page_say(p,
		 PT(p, "Other months are over and not closed: %s. sobre month "
		       "close --due closes them."),
		 list);
}

/* Where all bytes of the drive were: the city's page alone. */
static void on_disk(struct page *p)
{
	const struct report_disk *d = &p->month->disk;
	struct num files = num_bytes(d->files_bytes, p->lang);
	struct num packed =
		num_bytes(d->packed_bytes + d->archive_bytes, p->lang);
	struct num rest = num_bytes(d->pack_rest_bytes, p->lang);
	struct num catalog = num_bytes(d->catalog_bytes, p->lang);
	struct num other = num_bytes(d->other_bytes, p->lang);
	struct num found = num_bytes(d->found_bytes, p->lang);

	if (!d->known || p->department)
		return;
	page_raw(p, " ");
	page_say(p,
		 PT(p, "The disks then held %s: files %s, packed and archived "
		       "%s, no longer used and indexes %s, the catalog %s, "
		       "other data of the drive's own %s."),
		 found.s, files.s, packed.s, rest.s, catalog.s, other.s);
}

/* How far the figures are fixed. */
static void closing(struct page *p)
{
	const struct report_month *m = p->month;
	struct num when = date_day(m->closed_s, p->lang);
	struct num energy = num_quantity(Q_ENERGY, m->before_mwh, p->lang);
	struct num cost = num_quantity(Q_MONEY, m->before_ueur, p->lang);
	struct num co2 = num_quantity(
		Q_CARBON, (uint128)m->before_use_ug + m->before_build_ug,
		p->lang);

	if (m->version == 0 && (!m->over || p->in->assessed))
		return;
	page_raw(p, m->version == 1 && m->failed.n == 0 ? "<p>"
							: "<p class=\"note\">");
	if (m->version == 1)
		page_say(p,
			 PT(p, "Closed on %s: these figures do not change any "
			       "more."),
			 when.s);
	else if (m->version > 1)
		page_say(p,
			 PT(p, "Corrected on %s (version %u): %s. Before, the "
			       "whole drive had %s, %s and %s."),
			 when.s, m->version, m->reason, energy.s, cost.s,
			 co2.s);
	else
		page_say(p, "%s",
			 PT(p, "The month is over but not closed: its figures "
			       "follow the coefficients."));
	page_failed(p, &m->failed);
	on_disk(p);
	not_closed(p);
	page_raw(p, "</p>\n");
}

typedef uint64_t figure_fn(const struct report_month *m,
			   const struct energy_line *e);

static uint64_t kept_figure(const struct report_month *m,
			    const struct energy_line *e)
{
	(void)m;
	return (uint64_t)(e->logical_byte_s / KEPT_UNIT);
}
static uint64_t energy_figure(const struct report_month *m,
			      const struct energy_line *e)
{
	(void)m;
	return e->mwh.all;
}
static uint64_t money_figure(const struct report_month *m,
			     const struct energy_line *e)
{
	(void)m;
	return e->ueur.all;
}
static uint64_t carbon_figure(const struct report_month *m,
			      const struct energy_line *e)
{
	return carbon(m, e).mid;
}

/* "+4% compared with August 2026", when both months can be compared. */
static void change(struct page *p, int32_t back, figure_fn *figure)
{
	const struct report_month *then = month_find(p, p->month->month - back);
	struct energy_line before;
	struct energy_line now = line_for(p->month, p->department);
	struct num when = date_month(p->month->month - back, p->lang);
	struct num percent;

	if (!then || month_seen(then, p->in->made_s) != SEEN_WHOLE)
		return;
	before = line_for(then, p->department);
	if (figure(then, &before) == 0)
		return;
	percent = num_change(figure(then, &before), figure(p->month, &now),
			     p->lang);
	page_raw(p, "<dd>");
	page_say(p, PT(p, "%s compared with %s"), percent.s, when.s);
	page_raw(p, "</dd>");
}

static void changes(struct page *p, figure_fn *figure)
{
	if (month_seen(p->month, p->in->made_s) == SEEN_WHOLE) {
		change(p, 1, figure);
		change(p, 12, figure);
	}
	page_raw(p, "</div>\n");
}

static void card(struct page *p, const char *title, enum quantity q,
		 uint128 value)
{
	struct num n = num_quantity(q, value, p->lang);

	page_raw(p, "<div>");
	page_element(p, "dt", "%s", title);
	page_element(p, "dd", "%s", n.s);
}

static void kept_card(struct page *p, const struct energy_line *e)
{
	uint128 kept = e->logical_byte_s / KEPT_UNIT;
	const char *unit = PT(p, num_scale(Q_KEPT, kept)->unit);

	card(p, PT(p, "Files kept"), Q_KEPT, kept);
	/* "1 GB.month: 1 GB kept for 30 days" */
	page_element(p, "dd", PT(p, "1 %s: 1 %.*s kept for 30 days"), unit,
		     (int)strcspn(unit, "."), unit);
	changes(p, kept_figure);
}

static void doubtful_card(struct page *p, const char *title, enum quantity q,
			  struct span s)
{
	struct num interval = num_interval(q, s.mid, s.low, s.high, p->lang);

	card(p, title, q, s.mid);
	page_element(p, "dd", "%s", interval.s);
}

static void carbon_card(struct page *p, const struct energy_line *e)
{
	struct num use = num_quantity(Q_CARBON, e->use_ug.all, p->lang);
	struct num build = num_quantity(Q_CARBON, e->build_ug.all, p->lang);

	doubtful_card(p, PT(p, "Carbon"), Q_CARBON, carbon(p->month, e));
	page_element(p, "dd", PT(p, "electricity %s, making the hardware %s"),
		     use.s, build.s);
	changes(p, carbon_figure);
}

static void cards(struct page *p, const struct energy_line *e)
{
	micro u = p->month->energy.uncertainty_energy;

	page_element(p, "h2", "%s", PT(p, "Four figures"));
	page_raw(p, "<dl>\n");
	kept_card(p, e);
	doubtful_card(p, PT(p, "Electricity"), Q_ENERGY,
		      span_of(e->mwh.all, u));
	changes(p, energy_figure);
	doubtful_card(p, PT(p, "Cost of the electricity"), Q_MONEY,
		      span_of(e->ueur.all, u));
	changes(p, money_figure);
	carbon_card(p, e);
	page_raw(p, "</dl>\n");
}

static void sci(struct page *p, const struct energy_line *e)
{
	uint64_t ug = energy_sci_ug(e->use_ug.all, e->build_ug.all,
				    e->logical_byte_s);
	struct num n = num_quantity(Q_CARBON, ug, p->lang);

	/* The city's is among its own figures. */
	if (ug > 0 && (p->department || p->in->assessed))
		page_element(p, "p",
			     PT(p, "For each TB kept for a month: %s (software "
				   "carbon intensity, ISO/IEC 21031)."),
			     n.s);
}

void page_figures(struct page *p)
{
	struct energy_line e = line_for(p->month, p->department);

	switch (month_seen(p->month, p->in->made_s)) {
	case SEEN_FUTURE:
		page_element(p, "p class=\"lead\"", "%s",
			     PT(p, "No figures: this month has not begun."));
		return;
	case SEEN_NEVER:
		page_element(p, "p class=\"lead\"", "%s",
			     PT(p, "No figures: the drive was not watched in "
				   "this month."));
		return;
	case SEEN_PART:
	case SEEN_WHOLE:
		break;
	}
	sentence(p, &e);
	warnings(p);
	meters(p);
	closing(p);
	cards(p, &e);
	sci(p, &e);
}
