/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

#include <stdio.h>
#include <string.h>

/* How it is counted, what it can't tell, and what it rests on. */

static bool some_measured(const struct energy_month *e)
{
	for (unsigned int i = 0; i < e->arrays; i++)
		if (e->array[i].measured)
			return true;
	return false;
}

static void measured(struct page *p)
{
	const struct report_month *m = p->month;

	if (month_seen(m, p->in->made_s) < SEEN_PART)
		return;
	if (m->energy.measured)
		page_element(
			p, "li", "%s",
			PT(p, "The electricity of the disks was measured, then "
			      "shared out among those whose bytes were kept."));
	else if (some_measured(&m->energy))
		page_element(p, "li", "%s",
			     PT(p, "Of some disk arrays the electricity was "
				   "measured, of others it is estimated by the "
				   "coefficients below; it is shared out among "
				   "those whose bytes were kept."));
	else
		page_element(p, "li", "%s",
			     PT(p, "The electricity was not measured: it is "
				   "estimated by the coefficients below. Real "
				   "disk arrays often draw several times as "
				   "much; a meter makes the figure sure."));
}

static void points(struct page *p)
{
	page_raw(p, "<ul>\n");
	page_element(
		p, "li", "%s",
		PT(p,
		   "Bytes are counted every second. 1 TB is a million million "
		   "bytes; 1 TB.month is 1 TB kept for 30 days. \"Files kept\" "
		   "is their size as people see it, \"stored\" what they take "
		   "on disk after sharing and packing."));
	measured(p);
	page_element(p, "li", "%s",
		     PT(p, "The intervals come from the bounds of the "
			   "coefficients. Figures in the text have two "
			   "significant digits because they know no more; the "
			   "tables have more digits so that they add up."));
	page_element(p, "li", "%s",
		     PT(p, "Carbon is that of the country's average "
			   "electricity, whatever the supply contract, plus "
			   "making the hardware, spread over its life."));
	page_element(p, "li", "%s",
		     PT(p, "This is a share of what the disks take, not what "
			   "deleting would save at once: disks turn all the "
			   "same. What deleting, sharing and packing bring is "
			   "a later purchase of disks."));
	page_raw(p, "</ul>\n");
}

/* "W/TB" is "W/To" in French. */
static struct num unit_text(const struct page *p, const char *unit)
{
	const char *at = p->lang == PO_FR ? strstr(unit, "TB") : NULL;

	if (at)
		return num_printf(NBSP "%.*sTo%s", (int)(at - unit), unit,
				  at + 2);
	if (!strcmp(unit, "years"))
		return num_printf(NBSP "%s", PT(p, "years"));
	return num_printf("%s%s", *unit ? NBSP : "", unit);
}

/* Sources are told in English, whatever the page's language. */
static void source(struct page *p, const struct coef *c)
{
	page_say(p, "%c. ", c->quality);
	if (p->lang != PO_EN)
		page_raw(p, "<span lang=\"en\">");
	page_say(p, "%s", c->source);
	if (p->lang != PO_EN)
		page_raw(p, "</span>");
	if (c->source_year)
		page_say(p, " (%u)", c->source_year);
	page_raw(p, ".");
}

static void coef_item(struct page *p, const struct coef *c)
{
	struct num mid = num_micro(c->value, p->lang);
	struct num low = num_micro(c->low, p->lang);
	struct num high = num_micro(c->high, p->lang);
	struct num unit = unit_text(p, c->unit);

	page_raw(p, "<li>");
	page_say(p, PT(p, "%s: %s%s"), TL(p->lang, c->label), mid.s, unit.s);
	if (c->low != c->high)
		page_say(p, PT(p, " (%s to %s)"), low.s, high.s);
	page_raw(p, ". ");
	if (c->configured)
		page_say(p, "%s", PT(p, "From the drive's configuration."));
	else if (!*c->source)
		page_say(p, "%c. %s", c->quality,
			 PT(p, "Expert judgement, no source."));
	else
		source(p, c);
	page_raw(p, "</li>\n");
}

/* A list: a table of it would be most of the page. */
void page_coefs(struct page *p)
{
	char version[COEF_VERSION_BYTES];

	coef_set_version(p->in->coefs, version);
	page_element(p, "h2", "%s", PT(p, "Coefficients and their sources"));
	page_element(
		p, "p",
		PT(p,
		   "Value (lowest to highest), quality, source (year). A: "
		   "official or measured; B: supplier or contract; C: "
		   "literature; E: expert judgement. Version of the set: %s."),
		version);
	page_raw(p, "<ul class=\"s\">\n");
	for (unsigned int i = 0; i < COEFS; i++)
		coef_item(p, &p->in->coefs->coef[i]);
	page_raw(p, "</ul>\n");
}

void page_method(struct page *p)
{
	char version[COEF_VERSION_BYTES];

	coef_set_version(p->in->coefs, version);
	page_element(p, "h2", "%s", PT(p, "How it is counted"));
	points(p);
	page_raw(p, "<p>");
	page_annex_link(p, PT(p, "Coefficients and their sources"));
	page_say(p, PT(p, " (version of the set: %s)."), version);
	page_raw(p, "</p>\n");
}
