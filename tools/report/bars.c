/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

/*
 * Positions across are percentages, heights are pixels: as in chart.c. The
 * label and the figure stand above their bar, so that neither is cut off on
 * a narrow screen.
 */

#define ROW_HEIGHT 36
#define BAR_TOP	   19
#define BAR_HEIGHT 11

static uint64_t most(const struct bar_chart *chart)
{
	uint64_t top = 1;

	for (unsigned int i = 0; i < chart->n; i++) {
		const struct bar *bar = &chart->bar[i];
		uint64_t sum = bar->skip + bar->part[0] + bar->part[1];

		top = sum > top ? sum : top;
	}
	return top;
}

/* Hundredths of a percent. */
static unsigned int width_of(uint64_t v, uint64_t top)
{
	return (unsigned int)((uint128)v * 9900 / top);
}

static void rect(struct page *p, const struct bar_chart *chart,
		 unsigned int part, unsigned int left, unsigned int width,
		 unsigned int y)
{
	page_rawf(p,
		  "<rect x=\"%u.%02u%%\" y=\"%u\" width=\"%u.%02u%%\" "
		  "height=\"%d\" stroke=\"#161616\" ",
		  left / 100, left % 100, y, width / 100, width % 100,
		  BAR_HEIGHT);
	if (part == 0)
		page_raw(p, "fill=\"#000091\"/>\n");
	else
		page_rawf(p, "fill=\"url(#%sh)\"/>\n", chart->id);
}

static void row(struct page *p, const struct bar_chart *chart, unsigned int i,
		uint64_t top)
{
	const struct bar *bar = &chart->bar[i];
	unsigned int y = i * ROW_HEIGHT;
	unsigned int left = width_of(bar->skip, top);

	page_rawf(p, "<text y=\"%u\">", y + 13);
	page_say(p, "%s", bar->label);
	page_rawf(p, "</text><text x=\"100%%\" y=\"%u\" text-anchor=\"end\">",
		  y + 13);
	page_say(p, "%s", bar->figure);
	page_raw(p, "</text>\n");
	for (unsigned int k = 0; k < BAR_PARTS; k++) {
		unsigned int width = width_of(bar->part[k], top);

		/* The least is still seen. */
		if (bar->part[k] > 0 && width < 20)
			width = 20;
		if (width > 0)
			rect(p, chart, k, left, width, y + BAR_TOP);
		left += width;
	}
}

void page_bars(struct page *p, const struct bar_chart *chart)
{
	const uint64_t top = most(chart);
	const char *id = chart->id;

	page_rawf(p,
		  "<svg role=\"img\" aria-labelledby=\"%st %sd\" "
		  "aria-describedby=\"%s\" height=\"%u\" "
		  "xmlns=\"http://www.w3.org/2000/svg\">\n<title id=\"%st\">",
		  id, id, chart->table_id, chart->n * ROW_HEIGHT, id);
	page_say(p, "%s", chart->title);
	page_rawf(p, "</title>\n<desc id=\"%sd\">", id);
	page_say(p, "%s", chart->description);
	page_rawf(p,
		  "</desc>\n<defs><pattern id=\"%sh\" width=\"5\" "
		  "height=\"5\" patternUnits=\"userSpaceOnUse\" "
		  "patternTransform=\"rotate(45)\">"
		  "<rect width=\"5\" height=\"5\" fill=\"#fff\"/>"
		  "<rect width=\"3\" height=\"5\" fill=\"#0072b2\"/>"
		  "</pattern></defs>\n",
		  id);
	for (unsigned int i = 0; i < chart->n; i++)
		row(p, chart, i, top);
	page_raw(p, "</svg>\n");
}
