/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

/* The city's own figures: a list, for each is a sentence. */

/* Millionths as percents with one decimal; -1: not known. */
static struct num percent(const struct page *p, micro v)
{
	const char *space = p->lang == PO_FR ? NBSP : "";
	struct num n = num_fixed(((uint128)v + 500) / 1000, 1, p->lang);

	return num_printf("%s%s%%", n.s, space);
}

/* Two decimals of millionths. */
static struct num hundredths(const struct page *p, micro v)
{
	return num_fixed(((uint128)v + 5000) / 10000, 2, p->lang);
}

static void unknown(struct page *p, const char *what)
{
	page_element(p, "li", PT(p, "%s: not known."), what);
}

static void sci(struct page *p, const struct report_city *c)
{
	struct num n = num_quantity(Q_CARBON, c->sci_ug, p->lang);
	struct num interval = num_interval(Q_CARBON, c->sci_ug, c->sci_low_ug,
					   c->sci_high_ug, p->lang);

	if (c->sci_known)
		page_element(p, "li",
			     PT(p, "For each TB of files kept for a month: %s "
				   "(%s); reserve included (software carbon "
				   "intensity, ISO/IEC 21031)."),
			     n.s, interval.s);
}

static void building(struct page *p, const struct report_city *c)
{
	struct num pue = hundredths(p, c->pue);
	struct num ref = percent(p, c->ref);
	struct num market = num_quantity(Q_CARBON, c->market_ug, p->lang);

	page_element(p, "li",
		     PT(p, "Electricity of the building for that of the "
			   "machines (PUE): %s."),
		     pue.s);
	if (c->ref < 0)
		unknown(p, PT(p, "Renewable part of the electricity (REF)"));
	else if (!c->market_known)
		page_element(
			p, "li",
			PT(p, "Renewable part of the electricity (REF): %s."),
			ref.s);
	else
		page_element(p, "li",
			     PT(p,
				"Renewable part of the electricity (REF): "
				"%s. By the supply contract its carbon would "
				"be %s; figures above do not count so."),
			     ref.s, market.s);
}

static void filling(struct page *p, const struct report_city *c)
{
	struct num fill = percent(p, c->fill);
	struct num usable = num_bytes(c->usable_bytes, p->lang);
	struct num lambda = hundredths(p, c->lambda);

	if (c->fill < 0)
		unknown(p, PT(p, "How full the arrays are"));
	else
		page_element(p, "li",
			     PT(p, "The arrays are %s full, of %s in all."),
			     fill.s, usable.s);
	if (c->lambda >= 0)
		page_element(p, "li",
			     PT(p, "The meter says %s times what coefficients "
				   "would (λ; 1 to 10 is usual)."),
			     lambda.s);
}

static void array_age(struct page *p, const struct report_array *a)
{
	cleanup_buf struct buf name;

	buf_init(&name, REPORT_FILE_MAX);
	page_say(p, PT(p, "%s: %d months old, told over %d"),
		 name_short(&name, a->month->id, NAME_MAX_SHOWN),
		 (int)a->age_months, (int)a->life_months);
}

static void ages(struct page *p, const struct report_city *c)
{
	struct num gain = num_quantity(Q_CARBON, c->longer_gain_ug, p->lang);
	unsigned int told = 0;

	page_raw(p, "<li>");
	for (unsigned int i = 0; i < c->arrays; i++) {
		if (c->array[i].age_months < 0)
			continue;
		page_say(p, "%s", told++ ? "; " : PT(p, "Arrays: "));
		array_age(p, &c->array[i]);
	}
	if (told == 0)
		page_say(p, "%s", PT(p, "Age of the arrays: not known"));
	page_say(p, ". ");
	if (c->longer_gain_ug > 0)
		page_say(p,
			 PT(p, "Kept 3 years longer, they save %s of "
			       "fabrication each year."),
			 gain.s);
	page_raw(p, "</li>\n");
}

static void ahead(struct page *p, const struct report_city *c)
{
	int64_t grown = c->growth.bytes_month;
	struct num growth =
		num_bytes((uint64_t)(grown < 0 ? -grown : grown), p->lang);
	struct num full = date_month(c->full_month, p->lang);
	const char *sign = grown < 0 ? MINUS : "+";

	if (!c->growth.known)
		unknown(p, PT(p, "Growth (three whole months are needed)"));
	else if (c->full_month < 0)
		page_element(p, "li",
			     PT(p, "Growth: %s%s a month; no array is foreseen "
				   "to be full."),
			     sign, growth.s);
	else
		page_element(p, "li",
			     PT(p, "Growth: %s%s a month; at that rate the "
				   "first array is full in %s."),
			     sign, growth.s, full.s);
}

static void deferred(struct page *p, const struct report_city *c)
{
	struct num months = num_fixed(
		((uint128)c->deferred_months + 50000) / 100000, 1, p->lang);
	struct num freed = num_bytes(c->freed_bytes, p->lang);
	struct num ug = num_quantity(Q_CARBON, c->deferred_ug, p->lang);

	if (c->deferred_months >= 0)
		page_element(p, "li",
			     PT(p, "What packing saves (%s) puts the next "
				   "purchase off by %s months at that rate: %s "
				   "of fabrication."),
			     freed.s, months.s, ug.s);
}

static void target(struct page *p, const char *name, enum quantity q,
		   uint64_t now, uint64_t year)
{
	struct num is = num_quantity(q, now, p->lang);
	struct num wanted = num_quantity(q, year / 12, p->lang);

	if (year > 0)
		page_say(p, PT(p, " %s %s, at most %s wanted."), name, is.s,
			 wanted.s);
}

/* A twelfth of the year's. */
static void targets(struct page *p)
{
	const struct report_target *t = p->in->target;
	const struct energy_line *all = &p->month->energy.total;

	if (!t || (t->mwh | t->ueur | t->ug) == 0)
		return;
	page_raw(p, "<li>");
	page_say(p, PT(p, "Targets of %d, a twelfth for the month:"),
		 (int)(p->month->month / 12));
	target(p, PT(p, "Electricity"), Q_ENERGY, all->mwh.all, t->mwh);
	target(p, PT(p, "Cost"), Q_MONEY, all->ueur.all, t->ueur);
	target(p, PT(p, "Carbon"), Q_CARBON,
	       all->use_ug.all + all->build_ug.all, t->ug);
	page_raw(p, "</li>\n");
}

void page_city(struct page *p)
{
	struct report_city city;

	if (p->department || p->in->assessed ||
	    month_seen(p->month, p->in->made_s) < SEEN_PART ||
	    !report_city_of(p->in, &city))
		return;
	page_element(p, "h2", "%s", PT(p, "The city's own figures"));
	page_raw(p, "<ul>\n");
	sci(p, &city);
	targets(p);
	building(p, &city);
	filling(p, &city);
	ages(p, &city);
	ahead(p, &city);
	deferred(p, &city);
	page_raw(p, "</ul>\n");
}
