/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/year.h"

#include <stdio.h>

/* The year as open data: what was, and what the targets say it should be. */

struct shown {
	enum figure figure;
	const char *name; /* a msgid */
	const char *unit, *type;
	unsigned int decimals;
};

static const struct shown shown[] = {
	{ FIGURE_ENERGY, N_("Electricity of the office files' storage"), "kWh",
	  "impact", 6 },
	{ FIGURE_COST,
	  N_("Cost of the electricity of the office files' storage"), "EUR",
	  "impact", 6 },
	{ FIGURE_CARBON, N_("Greenhouse gases of the office files' storage"),
	  "kgCO2e", "impact", 9 },
	{ FIGURE_KEPT, N_("Office files kept, on average"), "To", "usage", 12 },
};

static struct num comment_of(const struct balance *b, enum figure figure)
{
	uint64_t low;
	uint64_t high;
	struct num between = { .s = "" };

	if (figure_bounds(&b->now, figure, &low, &high))
		between = num_interval(figure == FIGURE_ENERGY ? Q_ENERGY
				       : figure == FIGURE_COST ? Q_MONEY
							       : Q_CARBON,
				       figure_of(&b->now, figure), low, high,
				       PO_FR);
	return num_printf("%s%s%u/12 %s", between.s, between.s[0] ? " ; " : "",
			  b->whole, TL(PO_FR, "months watched whole"));
}

static void put_rows(const struct balance *b, struct buf *out,
		     const struct shown *s)
{
	struct num comment = comment_of(b, s->figure);
	struct impact_row row = {
		.name = s->name,
		.unit = s->unit,
		.type = s->type,
		.often = "annuelle",
		.value = figure_of(&b->now, s->figure),
		.decimals = s->decimals,
		.from_s = date_month_start(12 * b->of->year),
		.to_s = date_month_start(12 * b->of->year + YEAR_MONTHS),
		.comment = comment.s,
	};

	if (b->now.months > 0)
		impact_row(out, b->of->in->organisation, &row);
	row.value = figure_target(&b->of->target, s->figure);
	row.target = true;
	row.comment = NULL;
	if (row.value > 0)
		impact_row(out, b->of->in->organisation, &row);
}

void year_impact(const struct balance *b, struct buf *out)
{
	(void)buf_put_str(out, IMPACT_COLUMNS "\r\n");
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		put_rows(b, out, &shown[i]);
}
