/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

#include <stdio.h>
#include <string.h>

/*
 * The city's month as open data: schema-impact-service-public-numerique
 * v0.5.0 of schema.data.gouv.fr, a row for each indicator. French always.
 * docs/design/report.md, "Open data".
 */

struct indicator {
	const char *name; /* a msgid */
	const char *unit;
	const char *type; /* "usage" or "impact" */
	uint128 value;
	unsigned int decimals;
	enum quantity quantity;
	micro u; /* 0: counted, no interval */
};

static void put_word(struct buf *out, const char *s)
{
	(void)buf_put_str(out, s);
	(void)buf_put_str(out, ",");
}

static void put_text(struct buf *out, const char *s)
{
	if (s && *s)
		text_csv(out, s);
	(void)buf_put_str(out, ",");
}

static void put_day(struct buf *out, int64_t at_s)
{
	struct num iso = date_iso(at_s);

	(void)snprintf(iso.s + strlen("YYYY-MM-DD"), 2, ",");
	(void)buf_put_str(out, iso.s);
}

void impact_row(struct buf *out, const struct report_organisation *o,
		const struct impact_row *row)
{
	put_text(out, o->name);
	put_text(out, o->service);
	put_text(out, TL(PO_FR, row->name));
	num_plain(out, row->value, row->decimals, '.');
	(void)buf_put_str(out, ",");
	put_text(out, row->unit);
	put_word(out, row->target ? "true" : "false");
	put_word(out, row->type);
	put_word(out, row->often);
	put_day(out, row->to_s - 1);
	put_word(out, "true");
	put_day(out, row->from_s);
	put_word(out, row->target ? "false" : "true");
	put_word(out, row->target ? "collecte manuelle" : "script");
	put_text(out, o->denom_insee);
	put_text(out, o->code_insee);
	put_word(out, "linechart");
	if (row->comment && *row->comment)
		text_csv(out, row->comment);
	(void)buf_put_str(out, "\r\n");
}

/* What a reader must know not to take a figure for more than it is. */
static void put_indicator(struct buf *out, const struct page *p,
			  const struct indicator *i)
{
	const struct report_month *m = p->month;
	struct num pue = num_micro(p->in->coefs->coef[COEF_PUE].value, PO_FR);
	uint64_t mid = (uint64_t)i->value;
	struct num between = num_interval(i->quantity, mid, num_low(mid, i->u),
					  num_high(mid, i->u), PO_FR);
	char comment[512] = "";
	const struct impact_row row = {
		.name = i->name,
		.unit = i->unit,
		.type = i->type,
		.often = "mensuelle",
		.value = i->value,
		.decimals = i->decimals,
		.from_s = m->end_s - month_counted_s(m),
		.to_s = m->end_s,
		.comment = comment,
	};

	if (i->u > 0)
		(void)snprintf(
			comment, sizeof(comment),
			TL(PO_FR, "%s; PUE %s; energy %s"), between.s, pue.s,
			m->energy.measured ? TL(PO_FR, "of the array's meter")
					   : TL(PO_FR, "by coefficients"));
	impact_row(out, p->in->organisation, &row);
}

/* kB.month: TB.month to nine decimals. */
static uint128 months_of(uint128 byte_s)
{
	return byte_s / (KEPT_UNIT * 1000);
}

int impact_write(const struct page *p, struct buf *out, struct error *err)
{
	const struct energy_month *e = &p->month->energy;
	const struct energy_line *t = &e->total;
	const struct indicator all[] = {
		{ N_("Electricity of the office files' storage"), "kWh",
		  "impact", t->mwh.all, 6, Q_ENERGY, e->uncertainty_energy },
		{ N_("Cost of the electricity of the office files' storage"),
		  "EUR", "impact", t->ueur.all, 6, Q_MONEY,
		  e->uncertainty_energy },
		{ N_("Greenhouse gases of the office files' storage: "
		     "electricity"),
		  "kgCO2e", "impact", t->use_ug.all, 9, Q_CARBON,
		  e->uncertainty },
		{ N_("Greenhouse gases of the office files' storage: making "
		     "of the hardware"),
		  "kgCO2e", "impact", t->build_ug.all, 9, Q_CARBON,
		  e->uncertainty_build },
		{ N_("Office files kept"), "To.mois", "usage",
		  months_of(t->logical_byte_s), 9, Q_KEPT, 0 },
		{ N_("Space used on the disks by office files"), "To.mois",
		  "usage",
		  months_of(t->own_byte_s + t->shared_byte_s -
			    e->reserve.own_byte_s - e->reserve.shared_byte_s),
		  9, Q_KEPT, 0 },
	};
	int rc;

	(void)buf_put_str(out, IMPACT_COLUMNS "\r\n");
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		put_indicator(out, p, &all[i]);
	rc = buf_error(out);
	return rc < 0 ? error_set(err, rc, "cannot make the CSV: %s",
				  error_words(rc))
		      : 0;
}
