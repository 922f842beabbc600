/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

#include <stdio.h>

/*
 * Positions across are percentages, so that the drawing takes any width
 * without its letters shrinking; heights are pixels.
 */

#define TOP    16
#define BOTTOM 176
#define HEIGHT 214
#define GUTTER 11 /* percent, for the figures of the axis */

/* 1, 2 or 5 times a power of ten, not below `v`. */
static uint64_t round_top(uint64_t v)
{
	static const uint64_t steps[] = { 1, 2, 5 };
	uint64_t unit = 1;

	for (;;) {
		for (unsigned int i = 0; i < 3; i++) {
			if (unit * steps[i] >= v || unit > UINT64_MAX / 50)
				return unit * steps[i];
		}
		unit *= 10;
	}
}

static uint64_t column_sum(const struct chart_column *c)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < PARTS_MAX; i++)
		sum += c->part[i];
	return sum;
}

static uint64_t chart_top(const struct column_chart *chart)
{
	uint64_t most = 1;

	for (unsigned int i = 0; i < chart->n; i++) {
		uint64_t sum = column_sum(&chart->column[i]);

		if (chart->column[i].known && sum > most)
			most = sum;
	}
	return round_top(most);
}

/* Tenths of a pixel. */
static unsigned int height_of(uint64_t v, uint64_t top)
{
	return (unsigned int)((uint128)v * (unsigned int)((BOTTOM - TOP) * 10) /
			      top);
}

static void axis(struct page *p, const struct column_chart *chart, uint64_t top)
{
	const struct scale scale = { chart->power, "" };

	for (unsigned int i = 0; i <= 2; i++) {
		unsigned int y = BOTTOM - i * (BOTTOM - TOP) / 2;
		struct num n =
			num_digits((uint128)(top / 2) * i, &scale, 2, p->lang);

		if (top == 1 && i == 1)
			continue;
		page_rawf(p,
			  "<line x1=\"%d%%\" x2=\"100%%\" "
			  "y1=\"%u\" y2=\"%u\" stroke=\"#767676\"/>"
			  "<text x=\"%d%%\" y=\"%u\" text-anchor=\"end\">",
			  GUTTER, y, y, GUTTER - 1, y + 4);
		page_say(p, "%s", n.s);
		page_raw(p, "</text>\n");
	}
}

/* Hundredths of a percent. */
static unsigned int slot_left(const struct column_chart *chart, unsigned int i)
{
	return GUTTER * 100 + (100 - GUTTER) * 100 * i / chart->n;
}

static void bar(struct page *p, const struct column_chart *chart,
		unsigned int i, uint64_t top)
{
	static const char *const fills[PARTS_MAX] = { "#000091", "url(#h)",
						      "#d55e00" };
	const struct chart_column *c = &chart->column[i];
	unsigned int width = (100 - GUTTER) * 70 / chart->n;
	unsigned int left = slot_left(chart, i) + width * 15 / 70;
	unsigned int y = BOTTOM * 10;

	for (unsigned int k = 0; k < PARTS_MAX; k++) {
		unsigned int h = height_of(c->part[k], top);

		if (c->part[k] == 0)
			continue;
		y -= h;
		page_rawf(p,
			  "<rect x=\"%u.%02u%%\" y=\"%u.%u\" "
			  "width=\"%u.%02u%%\" height=\"%u.%u\" fill=\"%s\" "
			  "stroke=\"#161616\"%s/>\n",
			  left / 100, left % 100, y / 10, y % 10, width / 100,
			  width % 100, h / 10, h % 10, fills[k],
			  c->whole ? "" : " stroke-dasharray=\"3 3\"");
	}
}

static void label(struct page *p, const struct column_chart *chart,
		  unsigned int i)
{
	const struct chart_column *c = &chart->column[i];
	unsigned int middle =
		slot_left(chart, i) + (100 - GUTTER) * 50 / chart->n;
	struct num name = date_month_short(c->month, p->lang);
	int month = c->month % 12 + 1;

	if (!c->known) {
		page_rawf(p,
			  "<text x=\"%u.%02u%%\" y=\"%u\" "
			  "text-anchor=\"middle\">?</text>",
			  middle / 100, middle % 100, BOTTOM - 4);
	}
	page_rawf(p,
		  "<text x=\"%u.%02u%%\" y=\"%u\" text-anchor=\"middle\">"
		  "<tspan class=\"w\">",
		  middle / 100, middle % 100, BOTTOM + 16);
	page_say(p, "%s", name.s);
	page_rawf(p, "</tspan><tspan class=\"m\">%d</tspan></text>\n", month);
	if (i == 0 || month == 1)
		page_rawf(p,
			  "<text x=\"%u.%02u%%\" y=\"%u\" "
			  "text-anchor=\"middle\">%d</text>\n",
			  middle / 100, middle % 100, BOTTOM + 32,
			  c->month / 12);
}

void page_chart(struct page *p, const struct column_chart *chart)
{
	uint64_t top = chart_top(chart);

	page_rawf(p,
		  "<svg role=\"img\" aria-labelledby=\"ct cd\" "
		  "aria-describedby=\"%s\" height=\"%d\" "
		  "xmlns=\"http://www.w3.org/2000/svg\">\n<title id=\"ct\">",
		  chart->table_id, HEIGHT);
	page_say(p, "%s", chart->title);
	page_raw(p, "</title>\n<desc id=\"cd\">");
	page_say(p, "%s", chart->description);
	page_raw(p, "</desc>\n<defs><pattern id=\"h\" width=\"5\" height=\"5\" "
		    "patternUnits=\"userSpaceOnUse\" "
		    "patternTransform=\"rotate(45)\">"
		    "<rect width=\"5\" height=\"5\" fill=\"#fff\"/>"
		    "<rect width=\"3\" height=\"5\" fill=\"#0072b2\"/>"
		    "</pattern></defs>\n");
	axis(p, chart, top);
	for (unsigned int i = 0; i < chart->n; i++) {
		if (chart->column[i].known)
			bar(p, chart, i, top);
		label(p, chart, i);
	}
	page_raw(p, "</svg>\n");
}
