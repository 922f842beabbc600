/* SPDX-License-Identifier: EUPL-1.2 */
/* The city's own figures in its JSON: docs/design/report.md. */
#include <stdlib.h>

#include "fs/base/cleanup.h"
#include "tools/report/internal.h"

/* -1 is not known: null. */
static json_t *known(int64_t n)
{
	return n < 0 ? json_null() : json_integer(n);
}

static json_t *unsigned_of(uint64_t n)
{
	return json_integer(n < INT64_MAX ? (json_int_t)n : INT64_MAX);
}

static json_t *month_of(int32_t month)
{
	return month < 0 ? json_null() : json_string(date_month_iso(month).s);
}

static json_t *growth_json(const struct report_growth *g)
{
	if (!g->known)
		return json_null();
	return json_pack("{s:I, s:o, s:[o, o, o]}", "bytes_month",
			 (json_int_t)g->bytes_month, "held_bytes",
			 unsigned_of(g->held_bytes), "ahead_bytes",
			 unsigned_of(g->ahead_bytes[0]),
			 unsigned_of(g->ahead_bytes[1]),
			 unsigned_of(g->ahead_bytes[2]));
}

static json_t *sum_json(const struct energy_sum *s)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "energy_mwh",
			 unsigned_of(s->mwh), "cost_ueur", unsigned_of(s->ueur),
			 "use_ugco2e", unsigned_of(s->use_ug), "build_ugco2e",
			 unsigned_of(s->build_ug));
}

static void put_bytes(json_t *to, const struct energy_array_month *m)
{
	char wide[WIDE_TEXT_MAX];

	(void)json_object_set_new(
		to, "stored_byte_s",
		json_string(wide_text(m->stored_byte_s, wide)));
	(void)json_object_set_new(
		to, "reserve_byte_s",
		json_string(wide_text(m->reserve_byte_s, wide)));
}

static json_t *held_json(unsigned int tiers)
{
	static const char *const names[] = { "hot", "packed", "archive" };
	json_t *list = json_array();

	for (unsigned int i = 0; i < 3; i++)
		if (tiers & 1u << i)
			(void)json_array_append_new(list,
						    json_string(names[i]));
	return list;
}

/* Null: there is none. */
static json_t *meter_json(const struct energy_array_month *m)
{
	if (!m->meter.there)
		return json_null();
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "is",
			 report_meter_name(report_meter_of(m)), "seconds",
			 (json_int_t)m->seconds, "covered_s",
			 (json_int_t)m->meter.covered_s, "readings",
			 (json_int_t)m->meter.readings, "gaps",
			 (json_int_t)m->meter.gaps, "longest_gap_s",
			 (json_int_t)m->meter.longest_gap_s, "falls",
			 (json_int_t)m->meter.falls);
}

static json_t *array_json(const struct report_array *a)
{
	const struct energy_array_month *m = a->month;
	json_t *to = json_pack(
		"{s:s, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "id",
		m->id, "holds", held_json(m->tiers), "usable_bytes",
		unsigned_of(m->usable_bytes), "measured", m->measured,
		"measured_mwh", unsigned_of(m->measured_mwh), "modelled_mwh",
		unsigned_of(m->modelled_mwh), "total", sum_json(&m->all),
		"reserve", sum_json(&m->reserve), "fabrication_ugco2e",
		unsigned_of(m->te_ug), "bought", month_of(m->bought));
	json_t *more = json_pack(
		"{s:o, s:o, s:o, s:o, s:i, s:b, s:o, s:i, s:o, s:o, s:o, s:I, "
		"s:I, s:I}",
		"meter", meter_json(m), "fill_micro", known(a->fill),
		"lambda_micro", known(a->lambda), "age_months",
		known(a->age_months), "life_months", (int)a->life_months,
		"outlived", m->outlived, "build_year_ugco2e",
		unsigned_of(a->build_year_ug), "longer_years",
		(int)a->longer_years, "longer_gain_ugco2e",
		unsigned_of(a->longer_gain_ug), "growth",
		growth_json(&a->growth), "full", month_of(a->full_month),
		"uncertainty_energy_micro", (json_int_t)m->uncertainty_energy,
		"uncertainty_use_micro", (json_int_t)m->uncertainty,
		"uncertainty_build_micro", (json_int_t)m->uncertainty_build);

	if (to && more && json_object_update(to, more) == 0)
		put_bytes(to, m);
	else
		json_decref(take_ptr(&to));
	json_decref(more);
	return to;
}

static json_t *sci_json(const struct report_city *c)
{
	if (!c->sci_known)
		return json_null();
	return json_pack("{s:o, s:o, s:o}", "ugco2e", unsigned_of(c->sci_ug),
			 "low_ugco2e", unsigned_of(c->sci_low_ug),
			 "high_ugco2e", unsigned_of(c->sci_high_ug));
}

static json_t *deferral_json(const struct report_city *c)
{
	if (c->deferred_months < 0)
		return json_null();
	return json_pack("{s:o, s:I, s:o}", "freed_bytes",
			 unsigned_of(c->freed_bytes), "months_micro",
			 (json_int_t)c->deferred_months, "saved_ugco2e",
			 unsigned_of(c->deferred_ug));
}

static json_t *disk_json(const struct report_disk *d)
{
	if (!d->known)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "files_bytes",
			 unsigned_of(d->files_bytes), "packed_bytes",
			 unsigned_of(d->packed_bytes), "archive_bytes",
			 unsigned_of(d->archive_bytes), "pack_rest_bytes",
			 unsigned_of(d->pack_rest_bytes), "catalog_bytes",
			 unsigned_of(d->catalog_bytes), "other_bytes",
			 unsigned_of(d->other_bytes), "found_bytes",
			 unsigned_of(d->found_bytes));
}

json_t *city_json(const struct report_input *in)
{
	struct report_city *c = calloc(1, sizeof(*c));
	json_t *arrays = json_array();
	json_t *to = NULL;

	if (!c || !arrays) {
		json_decref(arrays);
		free(c);
		return NULL;
	}
	if (!report_city_of(in, c)) {
		json_decref(arrays);
		free(c);
		return json_null();
	}
	for (unsigned int i = 0; i < c->arrays; i++)
		(void)json_array_append_new(arrays, array_json(&c->array[i]));
	to = json_pack(
		"{s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
		"s:o, s:o, s:o, s:o}",
		"sci", sci_json(c), "pue_micro", (json_int_t)c->pue,
		"renewable_micro", known(c->ref), "use_market_ugco2e",
		c->market_known ? unsigned_of(c->market_ug) : json_null(),
		"fill_micro", known(c->fill), "lambda_micro", known(c->lambda),
		"usable_bytes", unsigned_of(c->usable_bytes),
		"build_year_ugco2e", unsigned_of(c->build_year_ug),
		"longer_gain_ugco2e", unsigned_of(c->longer_gain_ug), "growth",
		growth_json(&c->growth), "full", month_of(c->full_month),
		"deferral", deferral_json(c), "arrays", arrays, "disk",
		disk_json(&in->month[in->months - 1].disk));
	free(c);
	return to;
}
