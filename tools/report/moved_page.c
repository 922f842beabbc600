/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

/* Table C, and its drawing: from the month before to this one. */

/* A unit, and decimals that show three digits of the biggest change. */
struct shape {
	unsigned int power;
	unsigned int decimals;
	const char *unit;
};

static uint128 power_of_10(unsigned int n)
{
	uint128 v = 1;

	while (n-- > 0)
		v *= 10;
	return v;
}

static uint128 size_of(int64_t v)
{
	return v < 0 ? (uint128)-v : (uint128)v;
}

static struct shape shape_of(struct scale scale, uint128 change)
{
	struct shape s = { .power = scale.power, .unit = scale.unit };

	while (s.decimals < s.power && s.decimals < 4 &&
	       change < 100 * power_of_10(s.power - s.decimals))
		s.decimals++;
	return s;
}

static const struct scale *bytes_scale(uint128 v)
{
	static const struct scale scales[] = {
		{ 0, N_("B") },	 { 3, N_("kB") },  { 6, N_("MB") },
		{ 9, N_("GB") }, { 12, N_("TB") }, { 15, N_("PB") }
	};
	unsigned int i = 0;

	while (i < 5 && v >= power_of_10(scales[i + 1].power))
		i++;
	return &scales[i];
}

/* To the last decimal shown, half away from zero. */
static int64_t rounded(int64_t v, const struct shape *s)
{
	const int128 quantum = (int128)power_of_10(s->power - s->decimals);
	const int128 half = v < 0 ? -quantum / 2 : quantum / 2;

	return (int64_t)(((int128)v + half) / quantum);
}

static struct num shown(int64_t v, const struct shape *s, bool sign,
			enum po_lang lang)
{
	struct num n = num_fixed(size_of(v), s->decimals, lang);

	if (!sign || v == 0)
		return n;
	return num_printf("%s%s", v < 0 ? MINUS : "+", n.s);
}

/* Of running totals, so that what is shown adds up to what is shown. */
struct run {
	struct shape shape;
	int64_t total;
	int64_t before; /* as shown */
};

static int64_t next(struct run *run, int64_t change)
{
	int64_t was = run->before;

	run->total += change;
	run->before = rounded(run->total, &run->shape);
	return run->before - was;
}

static void cell(struct page *p, struct run *run, int64_t change)
{
	struct num n = shown(next(run, change), &run->shape, true, p->lang);

	page_td(p, n.s);
}

static void total_row(struct page *p, int32_t month, const struct run *bytes,
		      const struct run *mwh)
{
	struct num name = date_month(month, p->lang);
	struct num n;

	page_raw(p, "<tr>");
	page_th(p, "row", name.s);
	n = shown(bytes->before, &bytes->shape, false, p->lang);
	page_td(p, n.s);
	n = shown(mwh->before, &mwh->shape, false, p->lang);
	page_td(p, n.s);
	page_raw(p, "</tr>\n");
}

static void head(struct page *p, const struct run *bytes, const struct run *mwh)
{
	page_table(p, TABLE_FIGURES, "moved",
		   PT(p, "What changed since the month before, by cause"));
	page_raw(p, "<thead><tr>");
	page_th(p, "col", PT(p, "Cause"));
	page_raw(p, "<th scope=\"col\">");
	page_say(p, "%s (%s)", PT(p, "Stored on average"),
		 PT(p, bytes->shape.unit));
	page_raw(p, "</th><th scope=\"col\">");
	page_say(p, "%s (%s)", PT(p, "Electricity"), PT(p, mwh->shape.unit));
	page_raw(p, "</th></tr></thead>\n<tbody>\n");
}

static int64_t biggest(const struct moved *m, bool energy)
{
	int64_t most = 1;

	for (unsigned int i = 0; i < m->n; i++) {
		int64_t v = energy ? m->row[i].mwh : m->row[i].bytes;

		v = v < 0 ? -v : v;
		most = v > most ? v : most;
	}
	return most;
}

static int64_t most_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void table(struct page *p, const struct moved *m)
{
	struct run bytes = {
		shape_of(*bytes_scale((uint128)most_of(m->before, m->after)),
			 (uint128)biggest(m, false)),
		0, 0
	};
	struct run mwh = { shape_of(*num_scale(Q_ENERGY,
					       (uint128)most_of(m->before_mwh,
								m->after_mwh)),
				    (uint128)biggest(m, true)),
			   0, 0 };

	head(p, &bytes, &mwh);
	(void)next(&bytes, m->before);
	(void)next(&mwh, m->before_mwh);
	total_row(p, p->month->month - 1, &bytes, &mwh);
	for (unsigned int i = 0; i < m->n; i++) {
		page_raw(p, "<tr>");
		page_th(p, "row", m->row[i].name);
		cell(p, &bytes, m->row[i].bytes);
		cell(p, &mwh, m->row[i].mwh);
		page_raw(p, "</tr>\n");
	}
	page_raw(p, "</tbody>\n<tfoot>");
	total_row(p, p->month->month, &bytes, &mwh);
	page_raw(p, "</tfoot>\n");
	page_table_end(p);
}

/* --- drawn -----------------------------------------------------------------
 */

struct steps {
	struct bar bar[MOVED_ROWS + 2];
	struct num figure[MOVED_ROWS + 2];
	struct num end[2];
	unsigned int n;
	int64_t base; /* where the axis begins */
};

static int64_t base_of(const struct moved *m)
{
	int64_t low = m->before;
	int64_t high = m->before;
	int64_t at = m->before;

	for (unsigned int i = 0; i < m->n; i++) {
		at += m->row[i].bytes;
		low = at < low ? at : low;
		high = at > high ? at : high;
	}
	low -= (high - low) / 3;
	/* What is nearly whole may as well be. */
	return low < high / 3 ? 0 : low;
}

static void step(struct steps *s, const char *label, int64_t from, int64_t to)
{
	struct bar *bar = &s->bar[s->n];
	int64_t low = from < to ? from : to;

	*bar = (struct bar){ .label = label,
			     .figure = s->figure[s->n].s,
			     .skip = (uint64_t)(low - s->base) };
	bar->part[from > to] = (uint64_t)(from < to ? to - from : from - to);
	s->n++;
}

static void total_step(const struct page *p, struct steps *s, int32_t month,
		       unsigned int i, int64_t bytes)
{
	s->end[i] = date_month(month, p->lang);
	s->figure[s->n] = num_bytes((uint64_t)bytes, p->lang);
	step(s, s->end[i].s, s->base, bytes);
}

static void fill_steps(const struct page *p, const struct moved *m,
		       struct steps *s)
{
	int64_t at = m->before;

	s->base = base_of(m);
	total_step(p, s, p->month->month - 1, 0, m->before);
	/* The last row is of the electricity. */
	for (unsigned int i = 0; i + 1 < m->n; i++) {
		int64_t bytes = m->row[i].bytes;
		struct num n = num_bytes((uint64_t)size_of(bytes), p->lang);

		s->figure[s->n] =
			num_printf("%s%s", bytes < 0 ? MINUS : "+", n.s);
		step(s, m->row[i].name, at, at + bytes);
		at += bytes;
	}
	total_step(p, s, p->month->month, 1, m->after);
}

static void chart(struct page *p, const struct moved *m)
{
	struct steps s = { .n = 0 };
	struct bar_chart bars = {
		.id = "m",
		.title = PT(p, "From one month to the next, stored on average"),
		.table_id = "moved",
		.bar = s.bar,
	};

	fill_steps(p, m, &s);
	bars.n = s.n;
	bars.description =
		s.base > 0 ? PT(p, "Each bar begins where the one before ends; "
				   "hatched ones take away. The axis does not "
				   "begin at zero. The table that follows has "
				   "the figures.")
			   : PT(p, "Each bar begins where the one before ends; "
				   "hatched ones take away. The table that "
				   "follows has the figures.");
	page_raw(p, "<figure>\n");
	page_element(p, "figcaption", "%s", bars.title);
	page_element(p, "p", "%s", bars.description);
	page_bars(p, &bars);
	page_raw(p, "</figure>\n");
}

void page_moved(struct page *p)
{
	struct moved m;

	if (!moved_of(p, &m))
		return;
	page_element(p, "h2", "%s", PT(p, "Why it moved"));
	chart(p, &m);
	table(p, &m);
	page_element(
		p, "p", "%s",
		PT(p, "When another department comes to hold the same file, "
		      "the part of each falls; when one deletes its copy, that "
		      "of the others rises, and nothing is saved: this is "
		      "sharing. Electricity follows the bytes at this month's "
		      "rate; the last line is all that is not of bytes."));
}
