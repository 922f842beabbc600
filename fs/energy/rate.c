/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The formulas of docs/design/footprint.md. Bits, to see that 512 suffice:
 * a coefficient 40, byte-seconds 128, share_unit() 90, bytes and mWh 64, a
 * year in seconds 63; the longest product, money of measured energy, is
 * 40 + 64 + 20 + 76 + 218 + 40 = 458.
 */
#include <math.h>

#include "fs/energy/internal.h"

#define TB	     ((uint128)1000000000000)
#define YEAR_S	     ((uint128)365 * 24 * 3600)
#define UG_PER_MICRO ((uint128)1000) /* micrograms in 10^-6 kg */

static struct big product(uint128 a, uint128 b)
{
	struct big p = big_from(a);

	big_scale(&p, b);
	return p;
}

bool device_measured(const struct device *d)
{
	return d->array->measured_mwh > 0 && !d->vault;
}

/* PUE x E x [(1 - alpha) share / base + alpha activity / all activity] */
static struct rate measured_mwh(const struct device *d)
{
	bool active = d->activity > 0;
	uint128 alpha = active ? coef(d->coefs, COEF_ALPHA) : 0;
	struct big energy =
		product(coef(d->coefs, COEF_PUE), d->array->measured_mwh);
	struct rate rate = { .per_share = energy,
			     .per_activity = energy,
			     .den = product(d->base, share_unit()) };

	big_scale(&rate.per_share, (uint128)MICRO - alpha);
	big_scale(&rate.per_activity, alpha);
	big_mul(&rate.per_activity, &rate.den);
	if (active) {
		big_scale(&rate.per_share, d->activity);
		big_scale(&rate.den, d->activity);
	}
	big_scale(&rate.den, (uint128)MICRO * MICRO);
	return rate;
}

/* PUE x w x rho x kappa: W per TB stored; W.s / 3600 = Wh = 1000 mWh. */
struct rate rate_mwh_modelled(const struct device *d)
{
	enum coef_id w = d->array->flash ? COEF_W_SSD : COEF_W_HDD;
	struct rate rate = { .per_activity = big_from(0) };

	rate.per_share =
		product(coef(d->coefs, d->vault ? COEF_W_ARCHIVE : w),
			coef(d->coefs, d->vault ? COEF_RHO_ARCHIVE : COEF_RHO));
	big_scale(&rate.per_share,
		  coef(d->coefs, d->vault ? COEF_KAPPA_ARCHIVE : COEF_KAPPA));
	big_scale(&rate.per_share, coef(d->coefs, COEF_PUE));
	big_scale(&rate.per_share, 1000);
	rate.den = product((uint128)MICRO * MICRO, (uint128)MICRO * MICRO);
	big_scale(&rate.den, TB * 3600);
	big_scale(&rate.den, share_unit());
	return rate;
}

struct rate rate_mwh(const struct device *d)
{
	return device_measured(d) ? measured_mwh(d) : rate_mwh_modelled(d);
}

struct rate rate_times(const struct rate *mwh, uint128 micro_per_kwh)
{
	struct rate rate = *mwh;

	big_scale(&rate.per_share, micro_per_kwh);
	big_scale(&rate.per_activity, micro_per_kwh);
	big_scale(&rate.den, MICRO);
	return rate;
}

/* A drive's fabrication and size: an SSD's is said per TB. */
struct drive {
	uint128 te;
	uint128 tb;
};

static struct drive drive_of(const struct device *d)
{
	if (d->array->flash && !d->vault)
		return (struct drive){ .te = coef(d->coefs, COEF_TE_SSD),
				       .tb = MICRO };
	return (struct drive){ .te = coef(d->coefs, COEF_TE_HDD),
			       .tb = coef(d->coefs, COEF_DRIVE_TB) };
}

/* te / tb x rho: kg per TB stored. Which part of a chassis isn't known. */
static struct rate build_of_drives(const struct device *d)
{
	struct drive drive = drive_of(d);
	struct rate rate = { .per_activity = big_from(0) };

	rate.per_share =
		product(drive.te,
			coef(d->coefs, d->vault ? COEF_RHO_ARCHIVE : COEF_RHO));
	rate.den = product(drive.tb, TB);
	big_scale(&rate.den, share_unit());
	return rate;
}

/* The array's: what is known; else chassis + te / tb x rho x usable. */
static struct rate build_of_array(const struct device *d)
{
	struct rate rate = { .den = product(d->base, share_unit()) };
	struct drive drive = drive_of(d);

	if (d->array->fabrication_kg > 0) {
		rate.per_share = big_from((uint128)d->array->fabrication_kg);
	} else {
		struct big chassis =
			product(coef(d->coefs, COEF_TE_CHASSIS), drive.tb);

		rate.per_share = product(drive.te, coef(d->coefs, COEF_RHO));
		big_scale(&rate.per_share, d->array->usable_bytes);
		big_scale(&chassis, TB);
		big_add(&rate.per_share, &chassis);
		big_scale(&rate.den, drive.tb);
		big_scale(&rate.den, TB);
	}
	big_scale(&rate.per_share, (uint128)d->array->seconds);
	return rate;
}

struct rate rate_build_ug(const struct device *d)
{
	const struct energy_input *in = d->array;
	bool array = !d->vault && (in->fabrication_kg > 0 || in->usable_bytes);
	struct rate rate = array ? build_of_array(d) : build_of_drives(d);
	bool life_known = in->life_s > 0 && !d->vault;
	uint128 life_s = life_known ? (uint128)in->life_s
				    : coef(d->coefs, COEF_LIFE) * YEAR_S;

	if (in->outlived && !d->vault)
		rate.per_share = big_from(0);
	big_scale(&rate.per_share, UG_PER_MICRO);
	if (!life_known)
		big_scale(&rate.per_share, MICRO);
	big_scale(&rate.den, life_s);
	return rate;
}

/* --- uncertainty --------------------------------------------------------- */

/* The square of ln(high / mid); `inverse`: of ln(mid / low), for what
 * divides. 0 when it is certain. */
static double doubt(const struct coef_set *set, enum coef_id id, bool inverse)
{
	const struct coef *c = &set->coef[id];
	micro over = inverse ? c->value : c->high;
	micro under = inverse ? c->low : c->value;
	double logarithm;

	if (under <= 0 || over <= under)
		return 0;
	logarithm = log((double)over / (double)under);
	return logarithm * logarithm;
}

static micro factor(double squares)
{
	return (micro)llround(exp(sqrt(squares)) * (double)MICRO);
}

static double doubt_of_energy(const struct coef_set *set,
			      const struct energy_input *array)
{
	if (array->measured_mwh > 0)
		return doubt(set, COEF_METER, false) +
		       doubt(set, COEF_PUE, false);
	return doubt(set, array->flash ? COEF_W_SSD : COEF_W_HDD, false) +
	       doubt(set, COEF_RHO, false) + doubt(set, COEF_KAPPA, false) +
	       doubt(set, COEF_PUE, false);
}

static double doubt_of_build(const struct coef_set *set,
			     const struct energy_input *array)
{
	double life = array->life_s > 0 ? 0 : doubt(set, COEF_LIFE, true);

	if (array->outlived)
		return 0;
	if (array->fabrication_kg > 0)
		return life;
	life += doubt(set, COEF_RHO, false);
	if (array->flash)
		return life + doubt(set, COEF_TE_SSD, false);
	return life + doubt(set, COEF_TE_HDD, false) +
	       doubt(set, COEF_DRIVE_TB, true);
}

void uncertainties(const struct coef_set *coefs,
		   const struct energy_input *array, struct energy_month *month)
{
	double energy = doubt_of_energy(coefs, array);

	month->uncertainty_energy = factor(energy);
	month->uncertainty = factor(energy + doubt(coefs, COEF_CARBON, false));
	month->uncertainty_build = factor(doubt_of_build(coefs, array));
}
