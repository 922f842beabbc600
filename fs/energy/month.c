/* SPDX-License-Identifier: EUPL-1.2 */
#include <stdlib.h>

#include "fs/base/cleanup.h"
#include "fs/energy/internal.h"

/* What a month is computed in. Lines: the departments, then two more. */
struct work {
	const struct coef_set *coefs;
	const struct energy_input *in;
	unsigned int lines;
	unsigned int overhead;
	unsigned int reserve;
	struct shares tier[TIERS];
	struct shares array;	  /* what the array holds, and its reserve */
	struct energy_line *line; /* [lines], owned */
	struct big *num;	  /* [lines], owned */
	uint128 *part;		  /* [lines], owned */
};

static void work_release(struct work *w)
{
	for (unsigned int i = 0; i < TIERS; i++)
		shares_release(&w->tier[i]);
	shares_release(&w->array);
	free(w->line);
	free(w->num);
	free(w->part);
}

static int work_init(struct work *w, struct error *err)
{
	int rc = shares_init(&w->array, w->lines, err);

	for (unsigned int i = 0; i < TIERS && rc == 0; i++)
		rc = shares_init(&w->tier[i], w->lines, err);
	w->line = calloc(w->lines, sizeof(w->line[0]));
	w->num = calloc(w->lines, sizeof(w->num[0]));
	w->part = calloc(w->lines, sizeof(w->part[0]));
	if (rc == 0 && (!w->line || !w->num || !w->part))
		rc = error_set(err, -ENOMEM, "no memory for %u lines",
			       w->lines);
	return rc;
}

/* --- bytes --------------------------------------------------------------- */

static int add_rows(struct work *w, struct error *err)
{
	uint128 state = 0;

	for (unsigned int i = 0; i < w->in->rows; i++) {
		const struct tier_time *row = &w->in->row[i];
		int rc = 0;

		if ((unsigned int)row->tier >= TIERS)
			return error_set(err, -EINVAL, "no tier %d",
					 (int)row->tier);
		if (row->tier != TIER_STATE)
			rc = shares_add_row(&w->tier[row->tier], row,
					    w->overhead, err);
		else if (__builtin_add_overflow(state, row->byte_seconds,
						&state))
			rc = error_set(err, -EOVERFLOW,
				       "too many byte-seconds to add up");
		if (rc < 0)
			return rc;
	}
	/* The state directory was measured a little before the rest: what it
	 * seems to hold less than its parts is nobody's. */
	for (int i = TIER_PACKED; i <= TIER_ARCHIVE; i++)
		state -= state < w->tier[i].whole ? state : w->tier[i].whole;
	return shares_add_line(&w->tier[TIER_STATE], w->overhead, state, err);
}

static int byte_lines(struct work *w, enum tier tier, struct error *err)
{
	const struct shares *s = &w->tier[tier];
	struct big unit = big_from(share_unit());
	int rc = apportion(s->all, w->lines, &unit, &s->whole, w->part, err);

	if (rc < 0)
		return rc;
	for (unsigned int i = 0; i < w->lines; i++) {
		struct energy_line *line = &w->line[i];

		line->tier_byte_s[tier] = w->part[i];
		if (tier == TIER_LOGICAL) {
			line->logical_byte_s = w->part[i];
			continue;
		}
		line->own_byte_s += s->own[i];
		line->shared_byte_s += w->part[i] - s->own[i];
	}
	return 0;
}

/* Puts together what the array holds, and what it could. */
static int fill_array(struct work *w, uint128 *ret_base, struct error *err)
{
	uint128 usable = (uint128)w->in->usable_bytes * (uint128)w->in->seconds;
	uint128 spare;
	int rc = 0;

	for (unsigned int i = 0; i < TIERS && rc == 0; i++)
		if (i != TIER_LOGICAL &&
		    !(i == TIER_ARCHIVE && w->in->archive_apart))
			rc = shares_join(&w->array, &w->tier[i], err);
	if (rc < 0)
		return rc;
	spare = usable > w->array.whole ? usable - w->array.whole : 0;
	w->line[w->reserve].own_byte_s = spare;
	/* An array of which nothing else is known is all reserve. */
	if (w->array.whole == 0 && spare == 0)
		spare = 1;
	rc = shares_add_line(&w->array, w->reserve, spare, err);
	*ret_base = w->array.whole;
	return rc;
}

/* --- what bytes cost ----------------------------------------------------- */

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

	big_scale(&num[0], s->own[line]);
	big_scale(&num[0], share_unit());
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

	big_scale(&num, s->whole);
	big_scale(&num, share_unit());
	if (!big_round(&num, &rate.den, &mwh) || !add_amount(modelled_mwh, mwh))
		return error_set(err, -EOVERFLOW,
				 "a month's energy has no room in 64 bits");
	return 0;
}

/* Each device is rounded for itself: it may have a meter of its own. */
static int add_device(struct work *w, const struct device *d,
		      const struct shares *s, uint64_t *modelled_mwh,
		      struct error *err)
{
	struct rate mwh = rate_mwh(d);
	struct rate rates[AMOUNTS] = {
		mwh,
		rate_times(&mwh, coef(w->coefs, COEF_PRICE)),
		rate_times(&mwh, coef(w->coefs, COEF_CARBON)),
		rate_build_ug(d),
	};
	int rc = 0;

	for (unsigned int i = 0; i < AMOUNTS && rc == 0; i++)
		rc = add_amounts(w, s, &rates[i], i, err);
	return rc < 0 ? rc : add_modelled(d, s, modelled_mwh, err);
}

static int add_devices(struct work *w, uint64_t *modelled_mwh,
		       struct error *err)
{
	struct device d = { .coefs = w->coefs, .array = w->in };
	int rc = fill_array(w, &d.base, err);

	if (rc < 0)
		return rc;
	for (unsigned int i = 0; w->in->activity_bytes && i < w->overhead; i++)
		d.activity += w->in->activity_bytes[i];
	rc = add_device(w, &d, &w->array, modelled_mwh, err);
	if (rc < 0 || !w->in->archive_apart)
		return rc;
	d.vault = true;
	return add_device(w, &d, &w->tier[TIER_ARCHIVE], modelled_mwh, err);
}

/* --- the month ----------------------------------------------------------- */

static bool sum_amount(struct energy_amount *to, const struct energy_amount *a)
{
	return add_amount(&to->own, a->own) &&
	       add_amount(&to->shared, a->shared) &&
	       add_amount(&to->activity, a->activity) &&
	       add_amount(&to->all, a->all);
}

static bool sum_line(struct energy_line *total, struct energy_line *line)
{
	total->own_byte_s += line->own_byte_s;
	total->shared_byte_s += line->shared_byte_s;
	total->logical_byte_s += line->logical_byte_s;
	for (unsigned int i = 0; i < TIERS; i++)
		total->tier_byte_s[i] += line->tier_byte_s[i];
	for (unsigned int i = 0; i < AMOUNTS; i++)
		if (!sum_amount(amount_of(total, i), amount_of(line, i)))
			return false;
	return true;
}

static int check_input(const struct coef_set *coefs,
		       const struct energy_input *in, struct error *err)
{
	if (in->departments > DEPARTMENTS_MAX)
		return error_set(err, -EINVAL, "%u departments",
				 in->departments);
	if (in->seconds < 0 || in->fabrication_kg < 0 || in->life_s < 0)
		return error_set(err, -EINVAL,
				 "negative time or fabrication of an array");
	return coef_set_check(coefs, err);
}

static int compute(struct work *w, struct energy_month *month,
		   struct error *err)
{
	int rc = work_init(w, err);

	if (rc == 0)
		rc = add_rows(w, err);
	for (unsigned int i = 0; i < TIERS && rc == 0; i++)
		rc = byte_lines(w, (enum tier)i, err);
	if (rc == 0)
		rc = add_devices(w, &month->modelled_mwh, err);
	for (unsigned int i = 0; i < w->lines && rc == 0; i++)
		if (!sum_line(&month->total, &w->line[i]))
			rc = error_set(err, -EOVERFLOW,
				       "a month's sum has no room in 64 bits");
	return rc;
}

int energy_month(const struct coef_set *coefs, const struct energy_input *input,
		 struct energy_month *ret_month, struct error *err)
{
	struct energy_month month = {
		.departments = input->departments,
		.measured = input->measured_mwh > 0,
		.measured_mwh = input->measured_mwh,
		.build_known = input->fabrication_kg > 0 || input->outlived,
	};
	struct work w = {
		.coefs = coefs,
		.in = input,
		.lines = input->departments + 2u,
		.overhead = input->departments,
		.reserve = input->departments + 1u,
	};
	int rc = check_input(coefs, input, err);

	if (rc < 0)
		return rc;
	rc = compute(&w, &month, err);
	if (rc == 0) {
		uncertainties(coefs, input, &month);
		month.overhead = w.line[w.overhead];
		month.reserve = w.line[w.reserve];
		month.department = take_ptr(&w.line);
		*ret_month = month;
	}
	work_release(&w);
	return rc;
}

void energy_month_release(struct energy_month *month)
{
	free(month->department);
	month->department = NULL;
}
