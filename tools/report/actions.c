/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

#include <stdlib.h>

/* What would help: computed proposals, what each would avoid a year, what it
 * takes, and what became of last month's. */

#define YEAR_S INT64_C(31536000)

const char *report_action_id(enum report_action action)
{
	static const char *const ids[REPORT_ACTIONS] = {
		"temporary", "unused_5_years", "old_media", "old_compressed",
		"pack_cold"
	};

	return ids[action];
}

struct text {
	const char *what, *who, *tag;
	int32_t months; /* till when */
};

static const struct text texts[REPORT_ACTIONS] = {
	[ACTION_TEMPORARY] = { N_("Delete temporary files and backup copies "
				  "that programs left"),
			       N_("The department; little effort"),
			       N_("Duplicates and drafts: no visa"), 1 },
	[ACTION_UNUSED] = { N_("Sort what nobody has used for 5 years"),
			    N_("The department with the archives; great "
			       "effort"),
			    N_("Visa of the Archives required"), 6 },
	[ACTION_MEDIA] = { N_("Sort video and sound unused for a year"),
			   N_("The department; medium effort"),
			   N_("Visa of the Archives required, but for "
			      "duplicates and rushes"),
			   3 },
	[ACTION_ZIP] = { N_("Sort compressed files and disk images unused for "
			    "a year"),
			 N_("The department; medium effort"),
			 N_("Visa of the Archives required, but for "
			    "duplicates"),
			 3 },
	[ACTION_PACK] = { N_("Pack files not changed for a month"),
			  N_("The IT department; no effort for others"),
			  N_("Technical, without visa"), 1 },
};

struct proposal {
	enum report_action action;
	const struct report_gain *gain;
};

static int by_gain(const void *a, const void *b)
{
	const struct proposal *x = a;
	const struct proposal *y = b;

	if (x->gain->gain_bytes != y->gain->gain_bytes)
		return x->gain->gain_bytes > y->gain->gain_bytes ? -1 : 1;
	return (int)x->action - (int)y->action;
}

static unsigned int proposals(const struct report_stock *stock,
			      struct proposal to[REPORT_ACTIONS])
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < REPORT_ACTIONS; i++)
		if (stock->action[i].gain_bytes > 0)
			to[n++] = (struct proposal){ (enum report_action)i,
						     &stock->action[i] };
	qsort(to, n, sizeof(to[0]), by_gain);
	return n;
}

/* What so many bytes took in the month, for a year. */
static uint64_t a_year(const struct page *p, uint64_t amount, uint64_t bytes)
{
	struct energy_line line = line_for(p->month, p->department);
	uint128 stored = line.own_byte_s + line.shared_byte_s;

	if (!p->department)
		stored -= p->month->energy.reserve.own_byte_s;
	/* Of byte-seconds the first bits are enough, and then all fits. */
	stored /= 1u << 20;
	if (stored == 0)
		return 0;
	return (uint64_t)((uint128)(bytes >> 20) * amount * (uint128)YEAR_S /
			  stored);
}

static void cell_gain(struct page *p, const struct report_gain *gain)
{
	struct energy_line line = line_for(p->month, p->department);
	struct num bytes = num_bytes(gain->gain_bytes, p->lang);
	struct num files = num_count(gain->files, p->lang);
	uint64_t mwh = a_year(p, line.mwh.all, gain->gain_bytes);
	struct num kwh = num_quantity(Q_ENERGY, mwh, p->lang);
	struct num interval = num_interval(
		Q_ENERGY, mwh,
		num_low(mwh, p->month->energy.uncertainty_energy),
		num_high(mwh, p->month->energy.uncertainty_energy), p->lang);
	struct num cost = num_quantity(
		Q_MONEY, a_year(p, line.ueur.all, gain->gain_bytes), p->lang);
	struct num co2 =
		num_quantity(Q_CARBON,
			     a_year(p, line.use_ug.all + line.build_ug.all,
				    gain->gain_bytes),
			     p->lang);

	page_raw(p, "<td>");
	page_say(p,
		 TLN(p->lang, "%s a month in %s file: %s (%s), %s, %s a year",
		     "%s a month in %s files: %s (%s), %s, %s a year",
		     gain->files),
		 bytes.s, files.s, kwh.s, interval.s, cost.s, co2.s);
	page_raw(p, "</td>");
}

/* What there was to gain a month ago, and isn't any more. */
static void cell_status(struct page *p, const struct proposal *now)
{
	const struct report_month *then = month_find(p, p->month->month - 1);
	const struct report_stock *was = then ? stock_in(p, then) : NULL;
	uint64_t before = was ? was->action[now->action].gain_bytes : 0;
	struct num bytes;

	page_raw(p, "<td>");
	if (!was) {
		page_say(p, "%s", PT(p, "New"));
	} else if (before > now->gain->gain_bytes) {
		bytes = num_bytes(before - now->gain->gain_bytes, p->lang);
		page_say(p, PT(p, "Gained since last month: %s"), bytes.s);
	} else {
		bytes = num_bytes(now->gain->gain_bytes - before, p->lang);
		page_say(p, PT(p, "Nothing gained yet (%s more)"), bytes.s);
	}
	page_raw(p, "</td>");
}

static void row(struct page *p, const struct proposal *proposal)
{
	const struct text *text = &texts[proposal->action];
	struct num till =
		date_month(p->month->month + 1 + text->months, p->lang);

	page_raw(p, "<tr>");
	page_th(p, "row", PT(p, text->what));
	cell_gain(p, proposal->gain);
	page_raw(p, "<td>");
	page_say(p, PT(p, "%s; by %s"), PT(p, text->who), till.s);
	page_raw(p, "</td>");
	page_td(p, PT(p, text->tag));
	cell_status(p, proposal);
	page_raw(p, "</tr>\n");
}

static void table(struct page *p, const struct proposal *proposal,
		  unsigned int n)
{
	page_table(p, TABLE_TEXTS, "actions",
		   PT(p, "What would help, the most space first"));
	page_raw(p, "<thead><tr>");
	page_th(p, "col", PT(p, "Proposal"));
	page_th(p, "col", PT(p, "At most avoidable"));
	page_th(p, "col", PT(p, "Who, till when"));
	page_th(p, "col", PT(p, "Legal"));
	page_th(p, "col", PT(p, "Last month's"));
	page_raw(p, "</tr></thead>\n<tbody>\n");
	for (unsigned int i = 0; i < n; i++)
		row(p, &proposal[i]);
	page_raw(p, "</tbody>\n");
	page_table_end(p);
}

void page_actions(struct page *p)
{
	const struct report_stock *stock = stock_of(p);
	struct proposal proposal[REPORT_ACTIONS];
	unsigned int n =
		stock && p->department ? proposals(stock, proposal) : 0;

	if (n == 0)
		return;
	page_element(p, "h2", "%s", PT(p, "What would help"));
	table(p, proposal, n);
	page_element(
		p, "p", "%s",
		PT(p, "Space is what deleting these files alone would free: "
		      "what others hold, too, is left out, and no file counts "
		      "in two lines. Avoidable is not attributed: electricity "
		      "and carbon fall by this only once disks are switched "
		      "off or not bought."));
}
