/* SPDX-License-Identifier: EUPL-1.2 */
/* What the bytes of an array cost, line by line. */
#include <stddef.h>

#include "fs/energy/internal.h"

#define AMOUNTS 4u
static const size_t amounts[AMOUNTS] = {
	offsetof(struct energy_line, mwh),
	offsetof(struct energy_line, ueur),
	offsetof(struct energy_line, use_ug),
	offsetof(struct energy_line, build_ug),
};

static struct energy_amount *amount_of(struct energy_line *line, unsigned int i)
{
	return (struct energy_amount *)((char *)line + amounts[i]);
}

static struct big activity_cost(const struct work *w, const struct rate *rate,
				unsigned int line)
{
	struct big cost = rate->per_activity;
	bool counted = w->in->activity_bytes && line < w->in->departments;

	big_scale(&cost, counted ? w->in->activity_bytes[line] : 0);
	return cost;
}

static struct big share_cost(const struct shares *s, const struct rate *rate,
			     unsigned int line)
{
	struct big cost = rate->per_share;

	big_mul(&cost, &s->all[line]);
	return cost;
}

static bool add_amount(uint64_t *to, uint128 n)
{
	return n <= UINT64_MAX && !__builtin_add_overflow(*to, (uint64_t)n, to);
}

/* A line's integer among its three parts. */
static int split_line(const struct work *w, const struct shares *s,
		      const struct rate *rate, unsigned int line,
		      struct energy_amount *amount, struct error *err)
{
	struct big num[3] = { rate->per_share, share_cost(s, rate, line),
			      activity_cost(w, rate, line) };
	uint128 part[3];
	int rc;

	big_mul(&num[0], &s->own[line]);
	big_sub(&num[1], &num[0]);
	rc = apportion(num, 3, &rate->den, &w->part[line], part, err);
	if (rc < 0)
		return rc;
	if (!add_amount(&amount->own, part[0]) ||
	    !add_amount(&amount->shared, part[1]) ||
	    !add_amount(&amount->activity, part[2]) ||
	    !add_amount(&amount->all, w->part[line]))
		return error_set(err, -EOVERFLOW,
				 "a month's figure has no room in 64 bits");
	return 0;
}

static const size_t sums[AMOUNTS] = {
	offsetof(struct energy_sum, mwh),
	offsetof(struct energy_sum, ueur),
	offsetof(struct energy_sum, use_ug),
	offsetof(struct energy_sum, build_ug),
};

/* What the lines' parts come to, for the array's own account. */
static int sum_parts(const struct work *w, unsigned int amount,
		     struct energy_array_month *to, struct error *err)
{
	uint64_t *all = (uint64_t *)((char *)&to->all + sums[amount]);
	uint64_t *reserve = (uint64_t *)((char *)&to->reserve + sums[amount]);
	bool fits = add_amount(reserve, w->part[w->reserve]);

	for (unsigned int i = 0; i < w->lines && fits; i++)
		fits = add_amount(all, w->part[i]);
	return fits ? 0
		    : error_set(err, -EOVERFLOW,
				"an array's month has no room in 64 bits");
}

static int add_amounts(struct work *w, const struct shares *s,
		       const struct rate *rate, unsigned int amount,
		       struct error *err)
{
	int rc;

	for (unsigned int i = 0; i < w->lines; i++) {
		struct big activity = activity_cost(w, rate, i);

		w->num[i] = share_cost(s, rate, i);
		big_add(&w->num[i], &activity);
	}
	rc = apportion(w->num, w->lines, &rate->den, NULL, w->part, err);
	for (unsigned int i = 0; i < w->lines && rc == 0; i++)
		rc = split_line(w, s, rate, i, amount_of(&w->line[i], amount),
				err);
	return rc;
}

static int add_modelled(const struct device *d, const struct shares *s,
			uint64_t *modelled_mwh, struct error *err)
{
	struct rate rate = rate_mwh_modelled(d);
	struct big num = rate.per_share;
	uint128 mwh;

	big_mul(&num, &s->whole);
	if (!big_round(&num, &rate.den, &mwh) || !add_amount(modelled_mwh, mwh))
		return error_set(err, -EOVERFLOW,
				 "a month's energy has no room in 64 bits");
	return 0;
}

/* All it takes to make it, rounded; 0 when its size isn't known. */
static uint64_t fabrication_ug(const struct device *d)
{
	struct big num;
	struct big den;
	uint128 ug;

	if (!device_build_ug(d, &num, &den))
		return 0;
	return big_round(&num, &den, &ug) && ug < UINT64_MAX ? (uint64_t)ug
							     : UINT64_MAX;
}

int add_device(struct work *w, const struct device *d, const struct shares *s,
	       struct energy_array_month *to, struct error *err)
{
	struct rate mwh = rate_mwh(d);
	struct rate rates[AMOUNTS] = {
		mwh,
		rate_times(&mwh, coef(w->coefs, COEF_PRICE)),
		rate_times(&mwh, coef(w->coefs, COEF_CARBON)),
		rate_build_ug(d),
	};
	int rc = 0;

	for (unsigned int i = 0; i < AMOUNTS && rc == 0; i++) {
		rc = add_amounts(w, s, &rates[i], i, err);
		if (rc == 0)
			rc = sum_parts(w, i, to, err);
	}
	if (rc == 0)
		rc = add_modelled(d, s, &to->modelled_mwh, err);
	to->te_ug = fabrication_ug(d);
	uncertainties(d, to);
	return rc;
}

static bool sum_amount(struct energy_amount *to, const struct energy_amount *a)
{
	return add_amount(&to->own, a->own) &&
	       add_amount(&to->shared, a->shared) &&
	       add_amount(&to->activity, a->activity) &&
	       add_amount(&to->all, a->all);
}

bool sum_line(struct energy_line *total, struct energy_line *line)
{
	if (__builtin_add_overflow(total->own_byte_s, line->own_byte_s,
				   &total->own_byte_s) ||
	    __builtin_add_overflow(total->shared_byte_s, line->shared_byte_s,
				   &total->shared_byte_s))
		return false;
	total->logical_byte_s += line->logical_byte_s;
	for (unsigned int i = 0; i < TIERS; i++)
		total->tier_byte_s[i] += line->tier_byte_s[i];
	for (unsigned int i = 0; i < AMOUNTS; i++)
		if (!sum_amount(amount_of(total, i), amount_of(line, i)))
			return false;
	return true;
}
