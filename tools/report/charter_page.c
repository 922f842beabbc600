/* SPDX-License-Identifier: EUPL-1.2 */
/* The charter's page: a table of eighteen rows, then each in words. */
#include "tools/report/charter.h"

#include <stdlib.h>

/* --- figures as people read them -------------------------------------------
 */

static uint128 magnitude(micro v)
{
	return v < 0 ? (uint128)-v : (uint128)v;
}

/* Two significant digits below 100; no fraction from there on. */
static struct num two_digits(micro v, const char *unit, enum po_lang lang)
{
	static const struct scale plain = { 6, "" };
	uint128 m = magnitude(v);
	struct num n = m < 100 * (uint128)MICRO
			       ? num_digits(m, &plain, 2, lang)
			       : num_fixed((m + MICRO / 2) / MICRO, 0, lang);

	return num_printf("%s%s%s%s", v < 0 ? MINUS : "", n.s,
			  *unit ? NBSP : "", unit);
}

static struct num bytes_of(micro v, unsigned int power, enum po_lang lang)
{
	struct num n;
	uint128 bytes = magnitude(v) / (uint128)MICRO;

	if (power > 0) /* of TB */
		bytes = magnitude(v) * 1000000;
	n = num_bytes(bytes < UINT64_MAX ? (uint64_t)bytes : UINT64_MAX, lang);
	return num_printf("%s%s", v < 0 ? MINUS : "", n.s);
}

static struct num value(enum charter_unit unit, micro v, enum po_lang lang)
{
	switch (unit) {
	case CHARTER_GRAMS:
		return num_quantity(Q_CARBON, magnitude(v), lang);
	case CHARTER_KILOGRAMS:
		return num_quantity(Q_CARBON, magnitude(v) * 1000, lang);
	case CHARTER_KWH:
		return num_quantity(Q_ENERGY, magnitude(v), lang);
	case CHARTER_YEARS:
		return two_digits(v, TL(lang, "years"), lang);
	case CHARTER_MONTHS:
		return two_digits(v, TL(lang, "months"), lang);
	case CHARTER_BYTES:
		return bytes_of(v, 0, lang);
	case CHARTER_TB:
		return bytes_of(v, 12, lang);
	case CHARTER_PERCENT:
		return lang == PO_FR
			       ? two_digits(v, "%", lang)
			       : num_printf("%s%%", two_digits(v, "", lang).s);
	case CHARTER_SECONDS:
		return two_digits(v, "s", lang);
	case CHARTER_COUNT:
		return num_count((uint64_t)(magnitude(v) / (uint128)MICRO),
				 lang);
	case CHARTER_RATIO:
		break;
	}
	return two_digits(v, "", lang);
}

/* "between 53 and 76 gCO₂e"; "" when it is exact. */
static struct num interval(enum charter_unit unit,
			   const struct charter_figure *f, enum po_lang lang)
{
	enum quantity q = unit == CHARTER_KWH ? Q_ENERGY : Q_CARBON;

	if (!f->known || !f->has_interval)
		return num_printf("%s", "");
	return num_interval(q, magnitude(f->value), magnitude(f->low),
			    magnitude(f->high), lang);
}

static struct num before(const struct charter_page *c, unsigned int i)
{
	const struct charter_figure *f = &c->figure[i];

	if (!f->has_before)
		return num_printf("–");
	return value(charter_indicators[i].unit, f->before, c->page.lang);
}

static bool has_target(const struct charter_page *c, unsigned int i)
{
	return c->in->target && c->in->target[i] >= 0;
}

static struct num target(const struct charter_page *c, unsigned int i)
{
	if (!has_target(c, i))
		return num_printf("–");
	return value(charter_indicators[i].unit, c->in->target[i],
		     c->page.lang);
}

/* A change in percent says something of amounts that are above zero. */
static struct num change(const struct charter_page *c, unsigned int i)
{
	const struct charter_figure *f = &c->figure[i];

	if (!f->known || !f->has_before || f->before <= 0 || f->value < 0 ||
	    charter_indicators[i].unit == CHARTER_PERCENT ||
	    charter_indicators[i].unit == CHARTER_COUNT)
		return num_printf("%s", "");
	return num_change((uint64_t)f->before, (uint64_t)f->value,
			  c->page.lang);
}

/* --- the table ------------------------------------------------------------
 */

static unsigned int first_of(unsigned int row)
{
	unsigned int i = 0;

	while (i + 1 < REPORT_CHARTER_INDICATORS &&
	       charter_indicators[i].row != row)
		i++;
	return i;
}

/* Short: a figure and its unit stay on a line. */
static void cell(struct page *p, const char *tag, const char *text)
{
	page_rawf(p, "<%s class=\"n\">", tag);
	page_say(p, "%s", text);
	page_rawf(p, "</%.2s>", tag);
}

static void table_head(struct page *p, int32_t year)
{
	static const char col[] = "th scope=\"col\"";
	struct num this_year = num_printf("%04d", year);
	struct num last_year = num_printf("%04d", year - 1);

	page_raw(p, "<thead><tr>");
	page_th(p, "col", PT(p, "Commitment"));
	page_th(p, "col", PT(p, "Indicator"));
	cell(p, col, this_year.s);
	cell(p, col, last_year.s);
	cell(p, col, PT(p, "Change"));
	cell(p, col, PT(p, "Target"));
	page_raw(p, "</tr></thead>\n<tbody>\n");
}

static void table_row(struct charter_page *c, unsigned int row)
{
	struct page *p = &c->page;
	unsigned int i = first_of(row);
	const struct charter_figure *f = &c->figure[i];
	struct num now = value(charter_indicators[i].unit, f->value, p->lang);
	struct num changed = change(c, i);

	page_raw(p, "<tr><th scope=\"row\">");
	page_say(p, "%u. %s", row, PT(p, charter_rows[row - 1].title));
	page_raw(p, "</th>");
	page_td(p, PT(p, charter_indicators[i].label));
	cell(p, "td", f->known ? now.s : PT(p, "not known"));
	cell(p, "td", before(c, i).s);
	cell(p, "td", *changed.s ? changed.s : "–");
	cell(p, "td", target(c, i).s);
	page_raw(p, "</tr>\n");
}

static void table(struct charter_page *c)
{
	struct page *p = &c->page;

	page_table(p, TABLE_TEXTS, "charter",
		   PT(p, "The eighteen commitments, an indicator for each"));
	table_head(p, c->in->year);
	for (unsigned int row = 1; row <= REPORT_CHARTER_ROWS; row++)
		table_row(c, row);
	page_raw(p, "</tbody>\n");
	page_table_end(p);
}

/* --- in words --------------------------------------------------------------
 */

static void source(struct charter_page *c, enum charter_source from)
{
	struct page *p = &c->page;
	struct num day = date_day(c->in->made_s, p->lang);

	switch (from) {
	case CHARTER_FROM_MONTHS:
		page_say(p, PT(p, "Source: the closed months of %d."),
			 c->in->year);
		break;
	case CHARTER_FROM_FILES:
		page_say(p,
			 PT(p, "Source: the reports of %d that lie beside this "
			       "page."),
			 c->in->year);
		break;
	case CHARTER_FROM_DRIVE:
		page_say(p, PT(p, "Source: the drive on %s."), day.s);
		break;
	case CHARTER_FROM_NOTHING:
		break;
	}
}

/* "Age of the oldest array: 4.2 years (target: 8 years)." */
static void sentence(struct charter_page *c, unsigned int i)
{
	struct page *p = &c->page;
	const struct charter_indicator *of = &charter_indicators[i];
	const struct charter_figure *f = &c->figure[i];
	struct num range = interval(of->unit, f, p->lang);
	struct num last = before(c, i);
	struct num goal = target(c, i);

	if (f->known)
		page_say(p, PT(p, "%s: %s"), PT(p, of->label),
			 value(of->unit, f->value, p->lang).s);
	else
		page_say(p, PT(p, "%s: not known"), PT(p, of->label));
	if (*range.s)
		page_say(p, ", %s", range.s);
	if (f->has_before)
		page_say(p, PT(p, "; the year before: %s"), last.s);
	if (has_target(c, i))
		page_say(p, PT(p, "; target: %s"), goal.s);
	page_raw(p, ". ");
	if (!f->known && f->why)
		page_say(p, "%s ", PT(p, f->why));
}

static void details(struct charter_page *c, unsigned int row)
{
	struct page *p = &c->page;
	unsigned int first = first_of(row);
	unsigned int i = first;

	page_element(p, "h3", "%u. %s", row,
		     PT(p, charter_rows[row - 1].title));
	page_element(p, "p", "%s", PT(p, charter_rows[row - 1].does));
	page_raw(p, "<p>");
	for (;
	     i < REPORT_CHARTER_INDICATORS && charter_indicators[i].row == row;
	     i++)
		sentence(c, i);
	source(c, charter_indicators[first].source);
	page_raw(p, "</p>\n");
}

/* --- the page ---------------------------------------------------------------
 */

static unsigned int known_rows(const struct charter_page *c)
{
	unsigned int n = 0;

	for (unsigned int row = 1; row <= REPORT_CHARTER_ROWS; row++)
		n += c->figure[first_of(row)].known;
	return n;
}

static void lead(struct charter_page *c)
{
	struct page *p = &c->page;
	unsigned int closed = charter_closed(c->in, c->in->year);

	page_element(p, "p class=\"lead\"",
		     PT(p, "Of the eighteen commitments of the responsible "
			   "digital charter, %u have a figure for %d."),
		     known_rows(c), c->in->year);
	if (closed < 12)
		page_element(p, "p class=\"note\"",
			     PT(p, "Closed months of the year: %u of 12. "
				   "Figures are of these alone."),
			     closed);
}

static void open_page(struct charter_page *c)
{
	struct page *p = &c->page;
	cleanup_buf struct buf name;
	cleanup_buf struct buf title;
	const char *drive;
	char year[16];

	buf_init(&name, REPORT_FILE_MAX);
	buf_init(&title, REPORT_FILE_MAX);
	drive = name_short(&name, c->in->drive, NAME_MAX_SHOWN);
	(void)snprintf(year, sizeof(year), ", %04d: ", c->in->year);
	(void)buf_put_str(&title, drive);
	(void)buf_put_str(&title, year);
	(void)buf_put_str(&title, PT(p, "responsible digital charter"));
	(void)buf_put_u8(&title, 0);
	page_top(p, buf_error(&title) ? "" : (const char *)title.data);
	page_raw(p, "</header>\n<main id=\"main\">\n");
	page_element(p, "h1", PT(p, "%s, the charter in %d"), drive,
		     c->in->year);
}

static void download(struct charter_page *c)
{
	struct page *p = &c->page;
	struct num size = num_bytes(c->json_bytes, p->lang);

	if (c->json_bytes == 0)
		return;
	page_element(p, "h2", "%s", PT(p, "The same figures as files"));
	page_rawf(p, "<p><a href=\"charter-%04d.json\">", c->in->year);
	page_say(p, "%s (%s)", PT(p, "JSON"), size.s);
	page_raw(p, "</a></p>\n");
}

int charter_html(struct charter_page *c, struct error *err)
{
	struct page *p = &c->page;

	open_page(c);
	lead(c);
	table(c);
	page_element(p, "h2", "%s", PT(p, "What is done, and what is known"));
	for (unsigned int row = 1; row <= REPORT_CHARTER_ROWS; row++)
		details(c, row);
	download(c);
	page_end(p);
	return page_done(p, err);
}
