/* SPDX-License-Identifier: EUPL-1.2 */
/* What the city's page says beside its lines: docs/design/footprint.md,
 * "For the city". */
#include <string.h>

#include "tools/report/internal.h"

#define LONGER_S   (INT64_C(3) * 365 * 24 * 3600)
#define YEAR_S	   (INT64_C(365) * 24 * 3600)
#define MONTHS_FAR 600 /* what lies further ahead is not foreseen */

static uint64_t fit(uint128 n)
{
	return n < UINT64_MAX ? (uint64_t)n : UINT64_MAX;
}

static micro fit_micro(uint128 n)
{
	return n < INT64_MAX ? (micro)n : INT64_MAX;
}

/* num / den in millionths, rounded down; -1 without den. Of byte-seconds only
 * the quotient's first bits are asked for. */
static micro ratio(uint128 num, uint128 den)
{
	while (num > ~(uint128)0 / MICRO) {
		num >>= 1;
		den >>= 1;
	}
	return den ? fit_micro(num * (uint128)MICRO / den) : -1;
}

/* --- growth ---------------------------------------------------------------
 */

/* Mean bytes of each month, where the whole of it was seen. */
struct levels {
	bool known[REPORT_MONTHS];
	int64_t bytes[REPORT_MONTHS];
};

static bool is_whole(const struct report_month *m)
{
	return m->known && m->over && m->first_s <= m->start_s &&
	       m->end_s > m->start_s;
}

static void put_level(struct levels *levels, unsigned int i,
		      const struct report_month *m, uint128 byte_s)
{
	uint128 mean = byte_s / (uint64_t)(m->end_s - m->start_s);

	levels->known[i] = true;
	levels->bytes[i] = mean < INT64_MAX / REPORT_MONTHS
				   ? (int64_t)mean
				   : INT64_MAX / REPORT_MONTHS;
}

static struct levels all_levels(const struct report_input *in)
{
	struct levels levels = { .known = { false } };

	for (unsigned int i = 0; i < in->months; i++) {
		const struct report_month *m = &in->month[i];
		const struct energy_month *e = &m->energy;

		if (is_whole(m))
			put_level(&levels, i, m,
				  e->total.own_byte_s + e->total.shared_byte_s -
					  e->reserve.own_byte_s);
	}
	return levels;
}

static struct levels array_levels(const struct report_input *in, const char *id)
{
	struct levels levels = { .known = { false } };

	for (unsigned int i = 0; i < in->months; i++) {
		const struct report_month *m = &in->month[i];

		for (unsigned int k = 0; is_whole(m) && k < m->energy.arrays;
		     k++) {
			const struct energy_array_month *a =
				&m->energy.array[k];

			if (!strcmp(a->id, id))
				put_level(&levels, i, m, a->stored_byte_s);
		}
	}
	return levels;
}

/* The slope of the straight line nearest to them all (least squares). */
static void fit_growth(const struct report_input *in,
		       const struct levels *levels, struct report_growth *to)
{
	int128 n = 0;
	int128 x = 0;
	int128 y = 0;
	int128 xx = 0;
	int128 xy = 0;
	int128 slope;
	int128 held;

	for (unsigned int i = 0; i < in->months; i++) {
		/* from the reported month, so that it is 0 there */
		int64_t at = (int64_t)in->month[i].month -
			     in->month[in->months - 1].month;

		if (!levels->known[i])
			continue;
		n++;
		x += at;
		y += levels->bytes[i];
		xx += (int128)at * at;
		xy += (int128)at * levels->bytes[i];
	}
	if (n < REPORT_GROWTH_MONTHS)
		return;
	to->known = true;
	slope = (n * xy - x * y) / (n * xx - x * x);
	to->bytes_month = (int64_t)slope;
	/* means are of the middle of a month, this of its end */
	held = (y - slope * x) / n + slope / 2;
	to->held_bytes = held > 0 ? (uint64_t)held : 0;
}

/* When what grows has no room any more; -1: not foreseen. */
static int32_t full_month(const struct report_growth *growth,
			  uint64_t usable_bytes, int32_t month)
{
	uint64_t left;
	uint64_t months;

	if (!growth->known || usable_bytes == 0)
		return -1;
	if (growth->held_bytes >= usable_bytes)
		return month;
	if (growth->bytes_month <= 0)
		return -1;
	left = usable_bytes - growth->held_bytes;
	months = left / (uint64_t)growth->bytes_month + 1;
	return months <= MONTHS_FAR ? month + (int32_t)months : -1;
}

static void look_ahead(struct report_growth *growth)
{
	for (unsigned int i = 0; growth->known && i < REPORT_AHEAD; i++) {
		int128 n = (int128)growth->held_bytes +
			   (int128)growth->bytes_month * 12 * (i + 1);

		growth->ahead_bytes[i] = n > 0 ? fit((uint128)n) : 0;
	}
}

/* --- arrays ---------------------------------------------------------------
 */

static uint64_t a_year_of(uint64_t te_ug, int64_t life_s)
{
	if (life_s <= 0)
		return 0;
	return fit(((uint128)te_ug * (uint128)YEAR_S + (uint128)life_s / 2) /
		   (uint128)life_s);
}

/* Past its life each further year is one that needs no other array. */
static void fill_life(const struct energy_array_month *a, int32_t month,
		      struct report_array *to)
{
	int64_t life_s = a->life_s < INT64_MAX - LONGER_S
				 ? a->life_s
				 : INT64_MAX - LONGER_S;
	uint64_t year_ug = a_year_of(a->te_ug, life_s);

	to->age_months = a->bought >= 0 ? month + 1 - a->bought : -1;
	to->life_months = (int32_t)(life_s / (YEAR_S / 12));
	to->build_year_ug = a->outlived ? 0 : year_ug;
	to->longer_years = (unsigned int)((life_s + LONGER_S) / YEAR_S);
	to->longer_gain_ug =
		a->outlived
			? year_ug
			: year_ug - a_year_of(a->te_ug, a->life_s + LONGER_S);
}

static void fill_array(const struct report_input *in,
		       const struct energy_array_month *a,
		       struct report_array *to)
{
	const struct report_month *m = &in->month[in->months - 1];
	const struct levels levels = array_levels(in, a->id);

	*to = (struct report_array){ .month = a, .fill = -1, .lambda = -1 };
	if (a->usable_bytes > 0)
		to->fill = ratio(a->stored_byte_s,
				 (uint128)a->usable_bytes *
					 (uint128)month_counted_s(m));
	if (a->measured)
		to->lambda = ratio(a->all.mwh, a->modelled_mwh);
	fill_life(a, m->month, to);
	fit_growth(in, &levels, &to->growth);
	look_ahead(&to->growth);
	to->full_month = full_month(&to->growth, a->usable_bytes, m->month);
}

/* Disks of which nothing is said are no array people know of. */
static bool is_declared(const struct energy_array_month *a)
{
	return a->id[0] || a->usable_bytes > 0 || a->measured;
}

static void fill_arrays(const struct report_input *in, struct report_city *to)
{
	const struct report_month *m = &in->month[in->months - 1];
	const struct energy_month *e = &m->energy;
	uint128 usable = 0;
	uint128 stored = 0;
	uint64_t mwh = 0;
	uint64_t modelled = 0;

	to->full_month = -1;
	for (unsigned int i = 0; i < e->arrays; i++) {
		const struct energy_array_month *a = &e->array[i];
		struct report_array *array = &to->array[to->arrays];

		if (!is_declared(a) || to->arrays == ENERGY_ARRAYS_MAX)
			continue;
		to->arrays++;
		fill_array(in, a, array);
		usable += a->usable_bytes;
		stored += a->usable_bytes > 0 ? a->stored_byte_s : 0;
		mwh += a->measured ? a->all.mwh : 0;
		modelled += a->measured ? a->modelled_mwh : 0;
		to->build_year_ug += array->build_year_ug;
		to->longer_gain_ug += array->longer_gain_ug;
		if (array->full_month >= 0 &&
		    (to->full_month < 0 || array->full_month < to->full_month))
			to->full_month = array->full_month;
	}
	to->usable_bytes = fit(usable);
	to->fill = ratio(stored, usable * (uint64_t)month_counted_s(m));
	to->lambda = ratio(mwh, modelled);
}

/* --- the city -------------------------------------------------------------
 */

/* [low; high] of what is the sum of use and fabrication. */
static void fill_sci(const struct energy_month *e, struct report_city *to)
{
	const struct energy_line *t = &e->total;
	uint128 logical = t->logical_byte_s;

	to->sci_known = logical > 0;
	to->sci_ug = energy_sci_ug(t->use_ug.all, t->build_ug.all, logical);
	to->sci_low_ug = energy_sci_ug(
		num_low(t->use_ug.all, e->uncertainty),
		num_low(t->build_ug.all, e->uncertainty_build), logical);
	to->sci_high_ug = energy_sci_ug(
		num_high(t->use_ug.all, e->uncertainty),
		num_high(t->build_ug.all, e->uncertainty_build), logical);
}

/* E x [(1 - g) residual + g supplier]: a mWh at 1 g/kWh is a microgram. */
static void fill_market(const struct report_month *m, struct report_city *to)
{
	const struct report_supply *s = &m->supply;
	uint128 mix;

	to->ref = s->renewable_known ? s->renewable : -1;
	to->market_known = s->renewable_known && s->residual_known &&
			   s->renewable >= 0 && s->renewable <= MICRO &&
			   s->residual >= 0 && s->supplier >= 0;
	if (!to->market_known)
		return;
	mix = (uint128)(MICRO - s->renewable) * (uint128)s->residual +
	      (uint128)s->renewable * (uint128)s->supplier;
	to->market_ug = fit(
		(mix / (uint128)MICRO * m->energy.total.mwh.all + MICRO / 2) /
		MICRO);
}

/* The next array is taken to be as this one is: TE / life a month. */
static void fill_deferral(const struct report_savings *s,
			  struct report_city *to)
{
	uint128 freed;
	uint64_t year_ug = 0;

	to->deferred_months = -1;
	for (unsigned int i = 0; i < to->arrays; i++)
		year_ug += a_year_of(to->array[i].month->te_ug,
				     to->array[i].month->life_s);
	if (!s || !to->growth.known || to->growth.bytes_month <= 0)
		return;
	freed = (uint128)s->copies + s->parts + s->compression + s->blocks;
	freed -= freed < s->overhead ? freed : s->overhead;
	to->freed_bytes = fit(freed);
	to->deferred_months = ratio(freed, (uint128)to->growth.bytes_month);
	to->deferred_ug = fit((uint128)to->deferred_months * year_ug / 12 /
			      (uint128)MICRO);
}

bool report_city_of(const struct report_input *in, struct report_city *ret_city)
{
	const struct levels levels = all_levels(in);
	const struct report_month *m;

	if (in->months == 0)
		return false;
	m = &in->month[in->months - 1];
	if (!m->known || month_counted_s(m) <= 0)
		return false;
	*ret_city = (struct report_city){ .arrays = 0 };
	fill_sci(&m->energy, ret_city);
	ret_city->pue = in->coefs->coef[COEF_PUE].value;
	fill_market(m, ret_city);
	fill_arrays(in, ret_city);
	fit_growth(in, &levels, &ret_city->growth);
	look_ahead(&ret_city->growth);
	fill_deferral(in->savings, ret_city);
	return true;
}
