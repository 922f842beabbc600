/* SPDX-License-Identifier: EUPL-1.2 */
#include <stdio.h>
#include <stdlib.h>

#include "fs/base/cleanup.h"
#include "fs/energy/internal.h"

static void work_release(struct work *w)
{
	for (unsigned int i = 0; i < TIERS; i++)
		shares_release(&w->tier[i]);
	free(w->array);
	free(w->line);
	free(w->num);
	free(w->part);
}

static int work_init(struct work *w, struct error *err)
{
	int rc = 0;

	for (unsigned int i = 0; i < TIERS && rc == 0; i++)
		rc = shares_init(&w->tier[i], w->lines, err);
	w->array = calloc(w->arrays.n, sizeof(w->array[0]));
	w->line = calloc(w->lines, sizeof(w->line[0]));
	w->num = calloc(w->lines, sizeof(w->num[0]));
	w->part = calloc(w->lines, sizeof(w->part[0]));
	if (rc == 0 && (!w->array || !w->line || !w->num || !w->part))
		rc = error_set(err, -ENOMEM, "no memory for %u lines",
			       w->lines);
	return rc;
}

/* --- bytes --------------------------------------------------------------- */

/* The state directory was measured a little before the rest: what it seems to
 * hold less than its parts is nobody's. */
static int add_state(struct work *w, uint128 state, struct error *err)
{
	for (int i = TIER_PACKED; i <= TIER_ARCHIVE; i++) {
		uint128 part;
		int rc = shares_whole(&w->tier[i], &part, err);

		if (rc < 0)
			return rc;
		state -= state < part ? state : part;
	}
	shares_add_line(&w->tier[TIER_STATE], w->overhead, state);
	return 0;
}

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
	return add_state(w, state, err);
}

/* What a line keeps alone is a whole number. */
static uint128 own_bytes(const struct shares *s, unsigned int line)
{
	const struct big unit = big_from(share_unit());
	struct big rest;
	uint128 own = 0;

	(void)big_divide(&s->own[line], &unit, &own, &rest);
	return own;
}

static int byte_lines(struct work *w, enum tier tier, struct error *err)
{
	const struct shares *s = &w->tier[tier];
	struct big unit = big_from(share_unit());
	uint128 whole;
	int rc = shares_whole(s, &whole, err);

	if (rc == 0)
		rc = apportion(s->all, w->lines, &unit, &whole, w->part, err);
	if (rc < 0)
		return rc;
	for (unsigned int i = 0; i < w->lines; i++) {
		struct energy_line *line = &w->line[i];
		uint128 own = own_bytes(s, i);

		line->tier_byte_s[tier] = w->part[i];
		if (tier == TIER_LOGICAL) {
			line->logical_byte_s = w->part[i];
			continue;
		}
		line->own_byte_s += own;
		line->shared_byte_s += w->part[i] - own;
	}
	return 0;
}

/* Whole byte-seconds that lie on array `a`, and its reserve's. */
static int array_bytes(struct work *w, unsigned int a, struct error *err)
{
	struct energy_array_month *to = &w->array[a];
	uint128 usable = (uint128)to->usable_bytes * (uint128)w->in->seconds;
	struct slice slice;

	for (unsigned int i = 0; i < TIERS; i++) {
		uint128 whole;

		if (!arrays_slice(&w->arrays, a, (enum tier)i, &slice))
			continue;
		if (shares_whole(&w->tier[i], &whole, err) < 0)
			return err->code;
		if (__builtin_add_overflow(to->stored_byte_s,
					   slice_of(whole, &slice),
					   &to->stored_byte_s))
			return error_set(err, -EOVERFLOW,
					 "too many byte-seconds to add up");
	}
	if (usable > to->stored_byte_s)
		to->reserve_byte_s = usable - to->stored_byte_s;
	w->line[w->reserve].own_byte_s += to->reserve_byte_s;
	return 0;
}

/* Puts together what array `a` holds, and what it could. */
static void fill_array(const struct work *w, unsigned int a,
		       struct shares *array)
{
	struct big usable = big_from((uint128)w->array[a].usable_bytes *
				     (uint128)w->in->seconds);
	const struct big none = big_from(0);
	struct slice slice;

	for (unsigned int i = 0; i < TIERS; i++)
		if (arrays_slice(&w->arrays, a, (enum tier)i, &slice))
			shares_join(array, &w->tier[i], &slice);
	big_scale(&usable, share_unit());
	if (big_compare(&usable, &array->whole) > 0) {
		struct big spare = usable;

		big_sub(&spare, &array->whole);
		array->own[w->reserve] = spare;
		array->all[w->reserve] = spare;
		array->whole = usable;
	}
	/* An array of which nothing else is known is all reserve. */
	if (big_compare(&array->whole, &none) == 0)
		shares_add_line(array, w->reserve, 1);
}

/* --- arrays ------------------------------------------------------------- */

static void describe(const struct work *w, unsigned int a)
{
	const struct energy_array *from = &w->arrays.array[a];
	struct energy_array_month *to = &w->array[a];

	(void)snprintf(to->id, sizeof(to->id), "%s", from->id ? from->id : "");
	to->tiers = from->tiers;
	to->usable_bytes = from->usable_bytes;
	to->bought = from->bought;
	to->life_s = from->life_s > 0
			     ? from->life_s
			     : w->coefs->coef[COEF_LIFE].value * YEAR_S / MICRO;
	to->outlived = from->outlived;
	to->meter = from->meter;
	to->seconds = w->in->seconds;
	to->measured = from->measured_mwh > 0;
	to->measured_mwh = from->measured_mwh;
	to->build_known = from->fabrication_kg > 0 || from->outlived;
}

static int add_array(struct work *w, unsigned int a, struct error *err)
{
	struct device d = { .coefs = w->coefs,
			    .array = &w->arrays.array[a],
			    .seconds = w->in->seconds };
	struct shares held;
	int rc = shares_init(&held, w->lines, err);

	describe(w, a);
	if (rc == 0)
		rc = array_bytes(w, a, err);
	if (rc == 0) {
		fill_array(w, a, &held);
		d.base = held.whole;
		/* Nobody reads what sleeps. */
		d.activity = device_sleeps(&d) ? 0 : w->activity;
		rc = add_device(w, &d, &held, &w->array[a], err);
	}
	shares_release(&held);
	return rc;
}

static int add_arrays(struct work *w, struct error *err)
{
	int rc = 0;

	for (unsigned int i = 0; w->in->activity_bytes && i < w->overhead; i++)
		w->activity += w->in->activity_bytes[i];
	for (unsigned int i = 0; i < w->arrays.n && rc == 0; i++)
		rc = add_array(w, i, err);
	return rc;
}

static int check_input(const struct coef_set *coefs,
		       const struct energy_input *in, struct error *err)
{
	if (in->departments > DEPARTMENTS_MAX)
		return error_set(err, -EINVAL, "%u departments",
				 in->departments);
	if (in->seconds < 0)
		return error_set(err, -EINVAL, "a month of negative length");
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
		rc = add_arrays(w, err);
	for (unsigned int i = 0; i < w->lines && rc == 0; i++)
		if (!sum_line(&month->total, &w->line[i]))
			rc = error_set(err, -EOVERFLOW,
				       "a month's sum has no room in 64 bits");
	return rc;
}

/* Of what the arrays say. */
static void sum_arrays(struct energy_month *month)
{
	month->measured = true;
	month->build_known = true;
	for (unsigned int i = 0; i < month->arrays; i++) {
		const struct energy_array_month *a = &month->array[i];

		month->modelled_mwh += a->modelled_mwh;
		month->measured_mwh += a->measured_mwh;
		if (a->tiers == 1u << TIER_ARCHIVE)
			continue;
		month->measured = month->measured && a->measured;
		month->build_known = month->build_known && a->build_known;
	}
	mean_uncertainties(month);
}

int energy_month(const struct coef_set *coefs, const struct energy_input *input,
		 struct energy_month *ret_month, struct error *err)
{
	struct energy_month month = { .departments = input->departments };
	struct work w = {
		.coefs = coefs,
		.in = input,
		.lines = input->departments + 2u,
		.overhead = input->departments,
		.reserve = input->departments + 1u,
	};
	int rc = check_input(coefs, input, err);

	if (rc == 0)
		rc = arrays_from(input, &w.arrays, err);
	if (rc < 0)
		return rc;
	rc = compute(&w, &month, err);
	if (rc == 0) {
		month.overhead = w.line[w.overhead];
		month.reserve = w.line[w.reserve];
		month.department = take_ptr(&w.line);
		month.array = take_ptr(&w.array);
		month.arrays = w.arrays.n;
		sum_arrays(&month);
		*ret_month = month;
	}
	work_release(&w);
	return rc;
}

void energy_month_release(struct energy_month *month)
{
	free(month->department);
	free(month->array);
	month->department = NULL;
	month->array = NULL;
}
