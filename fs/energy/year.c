/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/energy/internal.h"

#define TB_MONTH_B_S (UINT64_C(1000000000000) * 720 * 3600)

static uint64_t nearest(const struct big *num, const struct big *den)
{
	uint128 n;

	return big_round(num, den, &n) && n < UINT64_MAX ? (uint64_t)n
							 : UINT64_MAX;
}

static void add(uint64_t *to, uint64_t n)
{
	if (__builtin_add_overflow(*to, n, to))
		*to = UINT64_MAX;
}

static uint64_t cost(const struct rate *rate, uint128 byte_seconds)
{
	struct big num = rate->per_share;

	big_scale(&num, byte_seconds);
	big_scale(&num, share_unit());
	return nearest(&num, &rate->den);
}

static void add_year(struct device *d, uint128 bytes, struct energy_year *year)
{
	struct rate mwh = rate_mwh(d);
	struct rate ueur = rate_times(&mwh, coef(d->coefs, COEF_PRICE));
	struct rate use = rate_times(&mwh, coef(d->coefs, COEF_CARBON));
	struct rate build = rate_build_ug(d);
	uint128 byte_seconds;

	if (__builtin_mul_overflow(bytes, (uint128)YEAR_S, &byte_seconds))
		byte_seconds = ~(uint128)0;
	add(&year->mwh, cost(&mwh, byte_seconds));
	add(&year->ueur, cost(&ueur, byte_seconds));
	add(&year->use_ug, cost(&use, byte_seconds));
	add(&year->build_ug, cost(&build, byte_seconds));
}

/* A measure is nothing without the size it was spread over. */
static struct energy_array usable_part(const struct energy_array *array,
				       int64_t seconds)
{
	struct energy_array a = *array;

	if (a.usable_bytes > 0 && seconds > 0)
		return a;
	a.usable_bytes = 0;
	a.measured_mwh = 0;
	a.fabrication_kg = 0;
	a.disks = 0;
	return a;
}

static void add_array(const struct coef_set *coefs, const struct arrays *arrays,
		      unsigned int i, int64_t seconds,
		      const uint128 bytes[TIERS], struct energy_year *year)
{
	struct energy_array a = usable_part(&arrays->array[i], seconds);
	struct device d = { .coefs = coefs,
			    .array = &a,
			    .seconds = seconds,
			    .base = big_from(share_unit()) };
	struct slice slice;
	uint128 held = 0;

	if (a.usable_bytes > 0)
		big_scale(&d.base, (uint128)a.usable_bytes * (uint128)seconds);
	for (unsigned int t = TIER_HOT; t <= TIER_ARCHIVE; t++) {
		uint128 part;

		if (!arrays_slice(arrays, i, (enum tier)t, &slice))
			continue;
		part = slice_of(bytes[t], &slice);
		if (__builtin_add_overflow(held, part, &held))
			held = ~(uint128)0;
	}
	add_year(&d, held, year);
}

void energy_year(const struct coef_set *coefs, const struct energy_input *in,
		 const uint128 bytes[TIERS], struct energy_year *ret_year)
{
	const struct energy_input nothing = { .seconds = 0 };
	struct energy_year year = { .mwh = 0 };
	struct error ignored = ERROR_INIT;
	struct arrays arrays;

	/* What no month could be worked out with is by coefficients. */
	if (!in || arrays_from(in, &arrays, &ignored) < 0) {
		in = &nothing;
		(void)arrays_from(in, &arrays, &ignored);
	}
	for (unsigned int i = 0; i < arrays.n; i++)
		add_array(coefs, &arrays, i, in->seconds, bytes, &year);
	*ret_year = year;
}

uint64_t energy_sci_ug(uint64_t use_ug, uint64_t build_ug,
		       uint128 logical_byte_s)
{
	struct big num = big_from((uint128)use_ug + build_ug);
	struct big den = big_from(logical_byte_s);

	if (logical_byte_s == 0)
		return 0;
	big_scale(&num, TB_MONTH_B_S);
	return nearest(&num, &den);
}
