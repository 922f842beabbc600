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
/* Rounded down; `by` > 0. */
void big_divide_word(struct big *a, uint64_t by);
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
	struct big *all;  /* [lines], owned */
	struct big *own;  /* [lines], owned; what one line alone keeps */
	struct big whole; /* the sum of `all` */
};
uint128 share_unit(void);
int shares_init(struct shares *ret_shares, unsigned int lines,
		struct error *err);
void shares_release(struct shares *shares);
/* The empty set's go to line `nobody`. -EINVAL. */
int shares_add_row(struct shares *shares, const struct tier_time *row,
		   unsigned int nobody, struct error *err);
void shares_add_line(struct shares *shares, unsigned int line,
		     uint128 byte_seconds);
/* Byte-seconds of all lines, rounded down. -EOVERFLOW. */
int shares_whole(const struct shares *shares, uint128 *ret_whole,
		 struct error *err);

/* From `low` to before `high`, of `of`. */
struct slice {
	uint64_t low;
	uint64_t high;
	uint64_t of; /* > 0 */
};
/* Adds that slice of each line: slices next to each other add up. */
void shares_join(struct shares *to, const struct shares *from,
		 const struct slice *slice);
uint128 slice_of(uint128 whole, const struct slice *slice);

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

/* An array, and what it is asked to carry. */
struct device {
	const struct coef_set *coefs;
	const struct energy_array *array;
	int64_t seconds;
	struct big base;  /* byte-seconds provisioned, over share_unit(); > 0 */
	uint128 activity; /* bytes; 0: not counted */
};

/* Of nothing but the archive. */
bool device_sleeps(const struct device *d);
struct rate rate_mwh(const struct device *d);
struct rate rate_mwh_modelled(const struct device *d);
struct rate rate_build_ug(const struct device *d);
/* Of milliwatt-hours, at so many per kWh. */
struct rate rate_times(const struct rate *mwh, uint128 micro_per_kwh);
/* Making all of it, in micrograms, over *ret_den; false: its size isn't
 * known. */
bool device_build_ug(const struct device *d, struct big *ret_num,
		     struct big *ret_den);

/* --- doubt.c ------------------------------------------------------------- */

/* Fills the three factors. */
void uncertainties(const struct device *d, struct energy_array_month *month);
/* Those of the month, of its arrays'. */
void mean_uncertainties(struct energy_month *month);

/* --- array.c: what lies where -------------------------------------------- */

struct arrays {
	struct energy_array array[ENERGY_ARRAYS_MAX + 1];
	unsigned int n;
};
/* Those of `in`, and disks that sleep when the archive lies on none. */
int arrays_from(const struct energy_input *in, struct arrays *ret_arrays,
		struct error *err);
/* False: nothing of it lies there. */
bool arrays_slice(const struct arrays *arrays, unsigned int i, enum tier tier,
		  struct slice *ret_slice);

/* --- month.c, cost.c ------------------------------------------------------ */

#define YEAR_S (INT64_C(365) * 24 * 3600)

/* What a month is computed in. Lines: the departments, then two more. */
struct work {
	const struct coef_set *coefs;
	const struct energy_input *in;
	struct arrays arrays;
	unsigned int lines;
	unsigned int overhead;
	unsigned int reserve;
	uint128 activity; /* of all departments */
	struct shares tier[TIERS];
	struct energy_array_month *array; /* [arrays.n], owned */
	struct energy_line *line;	  /* [lines], owned */
	struct big *num;		  /* [lines], owned */
	uint128 *part;			  /* [lines], owned */
};

/* What the lines have of array `d`, which holds `s`, and the array's own
 * account. Each array is rounded for itself: it has a meter of its own. */
int add_device(struct work *w, const struct device *d, const struct shares *s,
	       struct energy_array_month *to, struct error *err);
/* False: no room. */
bool sum_line(struct energy_line *total, struct energy_line *line);

#endif
