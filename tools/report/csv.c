/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* docs/design/report.md, "CSV". */

static const char *const columns[] = {
	"BillingAccountId",    "BillingAccountName",
	"BillingCurrency",     "BillingPeriodStart",
	"BillingPeriodEnd",    "ChargeCategory",
	"ChargePeriodStart",   "ChargePeriodEnd",
	"ConsumedQuantity",    "ConsumedUnit",
	"BilledCost",	       "EffectiveCost",
	"ProviderName",	       "ServiceCategory",
	"ServiceName",	       "SubAccountId",
	"SubAccountName",      "ResourceId",
	"ResourceName",	       "Tags",
	"AllocatedMethodId",   "x_Tier",
	"x_ShareKind",	       "x_LogicalTbMonths",
	"x_StoredTbMonths",    "x_EnergyKwh",
	"x_EnergyKwhLow",      "x_EnergyKwhHigh",
	"x_OperationalKgCo2e", "x_EmbodiedKgCo2e",
	"x_CarbonMethod",      "x_Measured",
	"x_CoefficientSet",
};

static void put_number(struct buf *out, const char *separator, uint128 v,
		       unsigned int decimals, char point)
{
	(void)buf_put_str(out, separator);
	num_plain(out, v, decimals, point);
}

static void put_text(struct buf *out, const char *separator, const char *s)
{
	(void)buf_put_str(out, separator);
	text_csv(out, s);
}

/* What is ours and plain needs no quotes. */
static void put_word(struct buf *out, const char *separator, const char *s)
{
	(void)buf_put_str(out, separator);
	(void)buf_put_str(out, s);
}

static void put_period(struct buf *out, const struct report_month *m)
{
	struct num n = date_iso(m->start_s);

	put_word(out, ",EUR,", n.s);
	n = date_iso(date_month_start(m->month + 1));
	put_word(out, ",", n.s);
	n = date_iso(m->end_s - month_counted_s(m));
	put_word(out, ",Usage,", n.s);
	n = date_iso(m->end_s);
	put_word(out, ",", n.s);
}

static void put_amounts(struct buf *out, const struct page *p,
			const struct charge *c)
{
	micro u = p->month->energy.uncertainty_energy;

	put_word(out, ",", charge_kind_name(c->kind));
	if (c->has_logical)
		put_number(out, ",", c->logical, 9, '.');
	else
		put_word(out, ",", "");
	put_number(out, ",", c->stored, 9, '.');
	put_number(out, ",", c->mwh, 6, '.');
	put_number(out, ",", num_low(c->mwh, u), 6, '.');
	put_number(out, ",", num_high(c->mwh, u), 6, '.');
	put_number(out, ",", c->use_ug, 9, '.');
	put_number(out, ",", c->build_ug, 9, '.');
}

/* Who pays: the organisation, when it is said. */
static void put_account(struct buf *out, const struct page *p)
{
	const struct report_organisation *o = p->in->organisation;

	put_text(out, "", o && o->siren ? o->siren : p->in->drive);
	put_text(out, ",", o ? o->name : p->in->drive);
}

static void put_department(struct buf *out, const struct page *p,
			   const struct charge *c)
{
	if (charge_id(c))
		put_text(out, ",", charge_id(c));
	else
		put_word(out, ",", "");
	put_text(out, ",", line_name(c->line, p->lang));
	put_text(out, ",", p->in->drive);
	put_text(out, ",", p->in->drive);
}

/* As FOCUS has them: an object of JSON, or nothing. */
static void put_tags(struct buf *out, const struct charge *c)
{
	const struct report_department *d = c->line->department;
	bool has = c->line->kind == LINE_DEPARTMENT && d->entity;
	cleanup_buf struct buf tags;

	buf_init(&tags, REPORT_FILE_MAX);
	if (has)
		json_tags(&tags, "entity", d->entity);
	(void)buf_put_u8(&tags, 0);
	if (buf_error(&tags))
		out->failure = buf_error(&tags);
	else if (has)
		put_text(out, ",", (const char *)tags.data);
	else
		put_word(out, ",", "");
}

/* Of a line whose bytes are all in one; else nothing. */
static const char *tier_of(const struct line *line)
{
	static const char *const names[] = {
		[TIER_HOT] = "hot",
		[TIER_PACKED] = "packed",
		[TIER_ARCHIVE] = "archive",
		[TIER_STATE] = "state",
	};
	const char *found = "";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!names[i] || line->energy.tier_byte_s[i] == 0)
			continue;
		if (*found)
			return "";
		found = names[i];
	}
	return found;
}

static void put_charge(struct buf *out, const struct page *p,
		       const struct charge *c, const char *version)
{
	bool measured = p->month->energy.measured;

	put_account(out, p);
	put_period(out, p->month);
	put_number(out, ",", c->byte_s, 9, '.');
	put_word(out, ",GB-Seconds,0", "");
	put_number(out, ",", c->ueur, 6, '.');
	put_word(out, ",sobrefs,Storage,sobrefs", "");
	put_department(out, p, c);
	put_tags(out, c);
	put_word(out, ",", "sobrefs-equal-split-1");
	put_word(out, ",", tier_of(c->line));
	put_amounts(out, p, c);
	put_word(out, ",location,", measured ? "true" : "false");
	put_word(out, ",", version);
	put_word(out, "\r\n", "");
}

static int finish(struct charges *charges, const struct buf *out,
		  struct error *err)
{
	int rc = buf_error(out);

	charge_list_release(charges);
	return rc < 0 ? error_set(err, rc, "cannot make the CSV: %s",
				  error_words(rc))
		      : 0;
}

int csv_write(const struct page *p, struct buf *out, struct error *err)
{
	char version[COEF_VERSION_BYTES];
	struct charges charges;
	int rc = charges_init(&charges, p);

	if (rc < 0)
		return error_set(err, rc, "%s", error_words(rc));
	coef_set_version(p->in->coefs, version);
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		put_word(out, i > 0 ? "," : "", columns[i]);
	put_word(out, "\r\n", "");
	for (unsigned int i = 0; i < charges.n; i++)
		put_charge(out, p, &charges.charge[i], version);
	return finish(&charges, out, err);
}

/* --- for people: a French spreadsheet ------------------------------------ */

static void put_row(struct buf *out, const struct page *p,
		    const struct charge *c, const char *name, const char *kind)
{
	struct num month = date_month_iso(p->month->month);
	micro u = p->month->energy.uncertainty_energy;

	put_word(out, "", month.s);
	put_text(out, ";", name);
	put_text(out, ";", kind);
	if (c->has_logical)
		put_number(out, ";", c->logical, 9, ',');
	else
		put_word(out, ";", "");
	put_number(out, ";", c->stored, 9, ',');
	put_number(out, ";", c->mwh, 6, ',');
	put_number(out, ";", num_low(c->mwh, u), 6, ',');
	put_number(out, ";", num_high(c->mwh, u), 6, ',');
	put_number(out, ";", c->ueur, 6, ',');
	put_number(out, ";", c->use_ug, 9, ',');
	put_number(out, ";", c->build_ug, 9, ',');
	put_word(out, "\r\n", "");
}

static void put_heads(struct buf *out)
{
	static const char *const heads[] = {
		N_("Month"),
		N_("Department"),
		N_("Kind"),
		N_("Files kept (TB.month)"),
		N_("Stored (TB.month)"),
		N_("Electricity (kWh)"),
		N_("Electricity, low (kWh)"),
		N_("Electricity, high (kWh)"),
		N_("Cost of the electricity (EUR)"),
		N_("Carbon of the electricity (kgCO₂e)"),
		N_("Carbon of the hardware (kgCO₂e)"),
	};

	(void)buf_put_str(out, "\xef\xbb\xbf"); /* else it is not UTF-8 there */
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		put_text(out, i > 0 ? ";" : "", TL(PO_FR, heads[i]));
	put_word(out, "\r\n", "");
}

static struct charge sum(const struct charges *charges)
{
	struct charge total = { .has_logical = true,
				.logical = charges->logical,
				.stored = charges->stored };

	for (unsigned int i = 0; i < charges->n; i++) {
		total.mwh += charges->charge[i].mwh;
		total.ueur += charges->charge[i].ueur;
		total.use_ug += charges->charge[i].use_ug;
		total.build_ug += charges->charge[i].build_ug;
	}
	return total;
}

int table_write(const struct page *p, struct buf *out, struct error *err)
{
	static const char *const words[] = {
		[CHARGE_OWN] = N_("own"),
		[CHARGE_SHARED] = N_("shared"),
		[CHARGE_IO] = N_("reading and writing"),
		[CHARGE_OVERHEAD] = N_("the drive's own"),
		[CHARGE_RESERVE] = N_("reserve"),
	};
	struct charges charges;
	struct charge total;
	int rc = charges_init(&charges, p);

	if (rc < 0)
		return error_set(err, rc, "%s", error_words(rc));
	put_heads(out);
	for (unsigned int i = 0; i < charges.n; i++) {
		const struct charge *c = &charges.charge[i];

		put_row(out, p, c, line_name(c->line, PO_FR),
			TL(PO_FR, words[c->kind]));
	}
	total = sum(&charges);
	put_row(out, p, &total, TL(PO_FR, "Total"), "");
	return finish(&charges, out, err);
}
