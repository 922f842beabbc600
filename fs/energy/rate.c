/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The formulas of docs/design/footprint.md. Bits, to see that 512 suffice:
 * a coefficient 40, byte-seconds 128, share_unit() 90, bytes and mWh 64, a
 * year in seconds 63; the longest product, money of measured energy, is
 * 40 + 64 + 20 + 76 + 218 + 40 = 458.
 */
#include "fs/energy/internal.h"

#define TB	     ((uint128)1000000000000)
#define UG_PER_MICRO ((uint128)1000) /* micrograms in 10^-6 kg */

static struct big product(uint128 a, uint128 b)
{
	struct big p = big_from(a);

	big_scale(&p, b);
	return p;
}

bool device_sleeps(const struct device *d)
{
	return d->array->tiers == 1u << TIER_ARCHIVE;
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
			     .den = d->base };

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
	bool sleeps = device_sleeps(d);
	enum coef_id w = d->array->flash ? COEF_W_SSD : COEF_W_HDD;
	struct rate rate = { .per_activity = big_from(0) };

	rate.per_share =
		product(coef(d->coefs, sleeps ? COEF_W_ARCHIVE : w),
			coef(d->coefs, sleeps ? COEF_RHO_ARCHIVE : COEF_RHO));
	big_scale(&rate.per_share,
		  coef(d->coefs, sleeps ? COEF_KAPPA_ARCHIVE : COEF_KAPPA));
	big_scale(&rate.per_share, coef(d->coefs, COEF_PUE));
	big_scale(&rate.per_share, 1000);
	rate.den = product((uint128)MICRO * MICRO, (uint128)MICRO * MICRO);
	big_scale(&rate.den, TB * 3600);
	big_scale(&rate.den, share_unit());
	return rate;
}

struct rate rate_mwh(const struct device *d)
{
	return d->array->measured_mwh > 0 ? measured_mwh(d)
					  : rate_mwh_modelled(d);
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
	if (d->array->flash)
		return (struct drive){ .te = coef(d->coefs, COEF_TE_SSD),
				       .tb = MICRO };
	return (struct drive){ .te = coef(d->coefs, COEF_TE_HDD),
			       .tb = coef(d->coefs, COEF_DRIVE_TB) };
}

static enum coef_id rho_of(const struct device *d)
{
	return device_sleeps(d) ? COEF_RHO_ARCHIVE : COEF_RHO;
}

/* te / tb x rho: kg per TB stored. Which part of a chassis isn't known. */
static struct rate build_of_drives(const struct device *d)
{
	struct drive drive = drive_of(d);
	struct rate rate = { .per_activity = big_from(0) };

	rate.per_share = product(drive.te, coef(d->coefs, rho_of(d)));
	rate.den = product(drive.tb, TB);
	big_scale(&rate.den, share_unit());
	return rate;
}

/* Millionths of a kg for its disks, over *ret_den: those that are known, or
 * te / tb x rho x usable. */
static struct big build_of_disks(const struct device *d, struct big *ret_den)
{
	const struct energy_array *a = d->array;
	struct drive drive = drive_of(d);
	struct big te;

	if (a->disks > 0) {
		te = product(drive.te, a->disks);
		big_scale(&te, a->flash ? a->disk_bytes : 1);
		*ret_den = big_from(a->flash ? TB : 1);
		return te;
	}
	te = product(drive.te, coef(d->coefs, rho_of(d)));
	big_scale(&te, a->usable_bytes);
	*ret_den = product(drive.tb, TB);
	return te;
}

static bool size_known(const struct energy_array *a)
{
	return a->fabrication_kg > 0 || a->disks > 0 || a->usable_bytes > 0;
}

/* What is known; else a chassis and its disks. */
bool device_build_ug(const struct device *d, struct big *ret_num,
		     struct big *ret_den)
{
	const struct energy_array *a = d->array;
	struct big chassis;

	if (!size_known(a))
		return false;
	if (a->fabrication_kg > 0) {
		*ret_num = big_from((uint128)a->fabrication_kg);
		*ret_den = big_from(1);
	} else {
		*ret_num = build_of_disks(d, ret_den);
		chassis = *ret_den;
		big_scale(&chassis, coef(d->coefs, COEF_TE_CHASSIS));
		big_add(ret_num, &chassis);
	}
	big_scale(ret_num, UG_PER_MICRO);
	return true;
}

static struct rate build_of_array(const struct device *d)
{
	struct rate rate = { .per_activity = big_from(0) };

	if (!device_build_ug(d, &rate.per_share, &rate.den)) {
		rate = build_of_drives(d);
		big_scale(&rate.per_share, UG_PER_MICRO);
		return rate;
	}
	big_mul(&rate.den, &d->base);
	big_scale(&rate.per_share, (uint128)d->seconds);
	return rate;
}

struct rate rate_build_ug(const struct device *d)
{
	struct rate rate = build_of_array(d);
	bool life_known = d->array->life_s > 0;

	if (d->array->outlived)
		rate.per_share = big_from(0);
	if (!life_known)
		big_scale(&rate.per_share, MICRO);
	big_scale(&rate.den,
		  life_known ? (uint128)d->array->life_s
			     : coef(d->coefs, COEF_LIFE) * (uint128)YEAR_S);
	return rate;
}
