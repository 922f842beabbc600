/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_ENERGY_INTERNAL_H
#define SOBREFS_ENERGY_INTERNAL_H

#include "fs/energy/energy.h"

/* --- big.c: unsigned integers of 512 bits -------------------------------- */

#define BIG_LIMBS 8

struct big {
	uint64_t limb[BIG_LIMBS]; /* the lowest first */
};

struct big big_from(uint128 v);
void big_add(struct big *a, const struct big *b);
void big_sub(struct big *a, const struct big *b); /* a >= b */
/* More than 512 bits is our mistake: the factors' bounds exclude it. */
void big_mul(struct big *a, const struct big *b);
void big_scale(struct big *a, uint128 by);
int big_compare(const struct big *a, const struct big *b);
/* `den` > 0. False when the quotient has more than 128 bits. */
bool big_divide(const struct big *num, const struct big *den,
		uint128 *ret_quotient, struct big *ret_rest);
/* To the nearest, halves up. */
bool big_round(const struct big *num, const struct big *den, uint128 *ret_n);

/* --- coef.c -------------------------------------------------------------- */

/* -EINVAL when a coefficient is out of its range. */
int coef_set_check(const struct coef_set *set, struct error *err);
static inline uint128 coef(const struct coef_set *set, enum coef_id id)
{
	return (uint128)set->coef[id].value;
}

/* --- share.c: equal split, largest remainder ----------------------------- */

/*
 * Byte-seconds of each line, a rational: its numerator over share_unit(), the
 * least common multiple of all sizes a set can have (90 bits). A department
 * of a set of n has n-ths of it: the Shapley value of what a union of chunks
 * costs.
 */
struct shares {
	unsigned int lines;
	struct big *all; /* [lines], owned */
	uint128 *own;	 /* [lines], owned; not times share_unit() */
	uint128 whole;	 /* their sum, not times share_unit() */
};
uint128 share_unit(void);
int shares_init(struct shares *ret_shares, unsigned int lines,
		struct error *err);
void shares_release(struct shares *shares);
/* The empty set's go to line `nobody`. -EINVAL, -EOVERFLOW. */
int shares_add_row(struct shares *shares, const struct tier_time *row,
		   unsigned int nobody, struct error *err);
int shares_add_line(struct shares *shares, unsigned int line,
		    uint128 byte_seconds, struct error *err);
int shares_join(struct shares *to, const struct shares *from,
		struct error *err);

/*
 * Integers for the rationals num[i] / den, each rounded down or up, that add
 * up to `whole`; NULL: to their sum, rounded to the nearest. Those with the
 * largest remainder are rounded up, of equal ones the first.
 */
int apportion(const struct big *num, unsigned int n, const struct big *den,
	      const uint128 *whole, uint128 *ret_part, struct error *err);

/* --- rate.c -------------------------------------------------------------- */

/* What a line costs: (share x per_share + activity x per_activity) / den,
 * share and activity being integers. */
struct rate {
	struct big per_share;
	struct big per_activity;
	struct big den;
};

/* An array, or the disks of a vault apart, and what it is asked to carry. */
struct device {
	const struct coef_set *coefs;
	const struct energy_input *array;
	bool vault;	  /* apart */
	uint128 base;	  /* byte-seconds provisioned; > 0 */
	uint128 activity; /* bytes; 0: not counted */
};

bool device_measured(const struct device *d);
struct rate rate_mwh(const struct device *d);
struct rate rate_mwh_modelled(const struct device *d);
struct rate rate_build_ug(const struct device *d);
/* Of milliwatt-hours, at so many per kWh. */
struct rate rate_times(const struct rate *mwh, uint128 micro_per_kwh);

void uncertainties(const struct coef_set *coefs,
		   const struct energy_input *array,
		   struct energy_month *month);

#endif
