/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/energy/internal.h"

#define YEAR_S	     (INT64_C(365) * 24 * 3600)
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

static void add_device(struct device *d, uint128 bytes,
		       struct energy_year *year)
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

/* What of it holds without rows: a measure is nothing without the size it
 * was spread over. */
static struct energy_input usable_part(const struct energy_input *array)
{
	struct energy_input in = { .seconds = 1 };

	if (!array)
		return in;
	in.flash = array->flash;
	in.archive_apart = array->archive_apart;
	in.outlived = array->outlived;
	in.life_s = array->life_s;
	if (array->usable_bytes == 0 || array->seconds <= 0)
		return in;
	in.usable_bytes = array->usable_bytes;
	in.seconds = array->seconds;
	in.measured_mwh = array->measured_mwh;
	in.fabrication_kg = array->fabrication_kg;
	return in;
}

void energy_year(const struct coef_set *coefs, const struct energy_input *array,
		 uint128 hot_bytes, uint128 archive_bytes,
		 struct energy_year *ret_year)
{
	struct energy_input in = usable_part(array);
	struct device d = { .coefs = coefs, .array = &in, .base = 1 };
	struct energy_year year = { .mwh = 0 };

	if (in.usable_bytes > 0)
		d.base = (uint128)in.usable_bytes * (uint128)in.seconds;
	if (!in.archive_apart)
		hot_bytes += archive_bytes;
	add_device(&d, hot_bytes, &year);
	d.vault = true;
	if (in.archive_apart)
		add_device(&d, archive_bytes, &year);
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
