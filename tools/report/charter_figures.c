/* SPDX-License-Identifier: EUPL-1.2 */
/* What the charter's indicators are, of closed months and of the drive. */
#include <stdlib.h>

#include "tools/report/charter.h"

#define N_FIGURES REPORT_CHARTER_INDICATORS
#define LINE_BITS 512000 /* a second: RGESN's slow line */

const struct charter_indicator charter_indicators[N_FIGURES] = {
#define COMMITMENT(title, does)
#define INDICATOR(id, row, name, unit, source, label)        \
	[REPORT_CHARTER_##id] = { row, name, CHARTER_##unit, \
				  CHARTER_FROM_##source, label },
#include "tools/report/charter.def"
#undef COMMITMENT
#undef INDICATOR
};

const struct charter_row charter_rows[REPORT_CHARTER_ROWS] = {
#define COMMITMENT(title, does) { title, does },
#define INDICATOR(id, row, name, unit, source, label)
#include "tools/report/charter.def"
#undef COMMITMENT
#undef INDICATOR
};

const char *report_charter_name(enum report_charter_indicator indicator)
{
	return charter_indicators[indicator].id;
}

/* --- one figure -------------------------------------------------------------
 */

static micro bounded(uint128 v)
{
	return v > INT64_MAX ? INT64_MAX : (micro)v;
}

static void tell(struct charter_figure *f, uint128 value)
{
	f->known = true;
	f->value = bounded(value);
}

static void tell_interval(struct charter_figure *f, uint128 low, uint128 high)
{
	f->has_interval = true;
	f->low = bounded(low);
	f->high = bounded(high);
}

/* part / all, to the nearest; `all` isn't 0. */
static uint128 share(uint128 part, uint128 all, uint128 of)
{
	return (part * of + all / 2) / all;
}

/* --- of closed months ----------------------------------------------------
 */

struct year {
	unsigned int closed;
	unsigned int corrected;
	uint128 mwh, mwh_low, mwh_high;
	uint128 measured_mwh;	      /* of mwh, by arrays with a meter */
	uint64_t ug, ug_low, ug_high; /* use and making */
	uint64_t use_ug;
	uint128 logical_byte_s;
	uint128 stored_byte_s;
	const struct report_month *last;
	const struct report_month *surveyed; /* the last that was */
};

static void add_measured(struct year *y, const struct energy_month *e)
{
	for (unsigned int i = 0; i < e->arrays; i++)
		if (e->array[i].measured)
			y->measured_mwh += e->array[i].all.mwh;
	if (e->arrays == 0 && e->measured)
		y->measured_mwh += e->total.mwh.all;
}

static void add_month(struct year *y, const struct report_month *m)
{
	const struct energy_month *e = &m->energy;
	const struct energy_line *t = &e->total;

	y->closed++;
	y->corrected += m->version > 1;
	y->mwh += t->mwh.all;
	y->mwh_low += num_low(t->mwh.all, e->uncertainty_energy);
	y->mwh_high += num_high(t->mwh.all, e->uncertainty_energy);
	y->use_ug += t->use_ug.all;
	y->ug += t->use_ug.all + t->build_ug.all;
	y->ug_low += num_low(t->use_ug.all, e->uncertainty) +
		     num_low(t->build_ug.all, e->uncertainty_build);
	y->ug_high += num_high(t->use_ug.all, e->uncertainty) +
		      num_high(t->build_ug.all, e->uncertainty_build);
	y->logical_byte_s += t->logical_byte_s;
	y->stored_byte_s +=
		t->own_byte_s + t->shared_byte_s - e->reserve.own_byte_s;
	add_measured(y, e);
	if (!y->last || m->month > y->last->month)
		y->last = m;
	if (m->survey && (!y->surveyed || m->month > y->surveyed->month))
		y->surveyed = m;
}

static bool counts(const struct report_month *m, int32_t year)
{
	return m->known && m->version > 0 && m->month / 12 == year;
}

static void add_year(const struct report_charter *in, int32_t year,
		     struct year *ret_year)
{
	*ret_year = (struct year){ .closed = 0 };
	for (unsigned int i = 0; i < in->months; i++)
		if (counts(&in->month[i], year))
			add_month(ret_year, &in->month[i]);
}

unsigned int charter_closed(const struct report_charter *in, int32_t year)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < in->months; i++)
		n += counts(&in->month[i], year);
	return n;
}

/* --- as the city's page of the last of them has it -------------------------
 */

static int by_month(const void *a, const void *b)
{
	const struct report_month *x = a;
	const struct report_month *y = b;

	return (x->month > y->month) - (x->month < y->month);
}

/* The months up to the year's last, thirteen at most; how many. */
static unsigned int take_months(const struct report_charter *in,
				const struct year *y,
				struct report_month ret_months[REPORT_MONTHS])
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < in->months; i++) {
		const struct report_month *m = &in->month[i];

		if (m->known && m->version > 0 && n < REPORT_MONTHS &&
		    m->month <= y->last->month &&
		    m->month > y->last->month - REPORT_MONTHS)
			ret_months[n++] = *m;
	}
	qsort(ret_months, n, sizeof(*ret_months), by_month);
	return n;
}

static void tell_growth(struct charter_figure *figure,
			const struct report_city *city, int32_t month)
{
	struct charter_figure *f = &figure[REPORT_CHARTER_GROWTH];
	struct charter_figure *full = &figure[REPORT_CHARTER_FULL];

	f->why = full->why = N_("It takes three months watched whole.");
	for (unsigned int i = 0; i < REPORT_AHEAD; i++)
		figure[REPORT_CHARTER_AHEAD_1 + i].why = f->why;
	if (!city->growth.known)
		return;
	f->known = true;
	f->value = city->growth.bytes_month / MICRO; /* of 10^12 */
	for (unsigned int i = 0; i < REPORT_AHEAD; i++)
		tell(&figure[REPORT_CHARTER_AHEAD_1 + i],
		     city->growth.ahead_bytes[i] / (uint64_t)MICRO);
	full->why = city->usable_bytes == 0
			    ? N_("drive.yaml does not say what the arrays "
				 "hold.")
			    : N_("None is foreseen to be full.");
	if (city->full_month >= month)
		tell(full, (uint128)(city->full_month - month) * MICRO);
}

static void tell_life(struct charter_figure *figure,
		      const struct report_city *city)
{
	struct charter_figure *age = &figure[REPORT_CHARTER_AGE];
	struct charter_figure *longer = &figure[REPORT_CHARTER_LONGER];
	struct charter_figure *put_off = &figure[REPORT_CHARTER_DEFERRED];
	int32_t oldest = -1;

	for (unsigned int i = 0; i < city->arrays; i++)
		if (city->array[i].age_months > oldest)
			oldest = city->array[i].age_months;
	age->why = N_("drive.yaml does not say when the arrays were bought.");
	if (oldest >= 0)
		tell(age, share((uint128)oldest, 12, (uint128)MICRO));
	longer->why = N_("drive.yaml does not say what the arrays hold.");
	if (city->longer_gain_ug > 0) /* micrograms are 10^-9 kg */
		tell(longer, city->longer_gain_ug / 1000);
	put_off->why = city->growth.known
			       ? N_("The drive does not grow.")
			       : N_("It takes three months watched whole.");
	if (city->deferred_months >= 0)
		tell(put_off, (uint128)city->deferred_months);
}

static void tell_city(struct charter_figure *figure,
		      const struct report_charter *in, const struct year *y,
		      bool now)
{
	struct report_month months[REPORT_MONTHS];
	struct charter_figure *supply = &figure[REPORT_CHARTER_RENEWABLE];
	const struct report_input last = {
		.month = months,
		.months = take_months(in, y, months),
		.coefs = in->coefs,
		.savings = now ? in->savings : NULL,
	};
	struct report_city city;

	if (!report_city_of(&last, &city))
		return;
	tell_growth(figure, &city, y->last->month);
	tell_life(figure, &city);
	supply->why = N_("drive.yaml does not say which part is renewable.");
	if (city.ref >= 0)
		tell(supply, (uint128)city.ref * 100);
}

/* Of the last month that was surveyed: not used since more than so long. */
static void tell_ages(struct charter_figure *figure,
		      const struct report_survey *survey)
{
	uint128 bytes[REPORT_AGES];
	uint128 all = 0;
	uint128 old = 0;

	for (unsigned int i = 0; i < REPORT_AGES; i++) {
		bytes[i] = (uint128)survey->city.age[i].plain_bytes +
			   survey->city.age[i].packed_bytes;
		all += bytes[i];
	}
	if (all == 0)
		return;
	for (int i = REPORT_AGES - 1; i >= AGE_3_YEARS; i--) {
		old += bytes[i];
		tell(&figure[REPORT_CHARTER_UNUSED_1 + i - AGE_3_YEARS],
		     share(old, all, 100 * (uint128)MICRO));
	}
}

static void tell_gains(struct charter_figure *figure,
		       const struct report_charter *in, int32_t year)
{
	struct charter_gains gains;

	if (!charter_gains(in, year, &gains))
		return;
	tell(&figure[REPORT_CHARTER_PROPOSED], gains.proposed * (uint128)MICRO);
	tell(&figure[REPORT_CHARTER_DONE], gains.done * (uint128)MICRO);
	tell(&figure[REPORT_CHARTER_GAINED],
	     gains.gained_bytes / (uint128)MICRO);
}

static void tell_energy(struct charter_figure *figure, const struct year *y)
{
	struct charter_figure *sci = &figure[REPORT_CHARTER_SCI];
	struct charter_figure *kwh = &figure[REPORT_CHARTER_ENERGY];
	struct charter_figure *ratio = &figure[REPORT_CHARTER_RATIO];
	struct charter_figure *measured = &figure[REPORT_CHARTER_MEASURED];

	sci->why = ratio->why = measured->why = N_("Nothing was kept.");
	tell(kwh, y->mwh); /* milliwatt-hours are 10^-6 kWh */
	tell_interval(kwh, y->mwh_low, y->mwh_high);
	if (y->logical_byte_s > 0) {
		tell(sci, energy_sci_ug(y->use_ug, y->ug - y->use_ug,
					y->logical_byte_s));
		tell_interval(sci,
			      energy_sci_ug(y->ug_low, 0, y->logical_byte_s),
			      energy_sci_ug(y->ug_high, 0, y->logical_byte_s));
	}
	if (y->stored_byte_s > 0)
		tell(ratio, y->logical_byte_s /
				    (y->stored_byte_s / (uint128)MICRO + 1));
	if (y->mwh > 0)
		tell(measured,
		     share(y->measured_mwh, y->mwh, 100 * (uint128)MICRO));
}

static void tell_months(struct charter_figure *figure,
			const struct report_charter *in, const struct year *y,
			bool now)
{
	static const enum report_charter_indicator all[] = {
		REPORT_CHARTER_SCI,	  REPORT_CHARTER_DEFERRED,
		REPORT_CHARTER_AGE,	  REPORT_CHARTER_LONGER,
		REPORT_CHARTER_RATIO,	  REPORT_CHARTER_ENERGY,
		REPORT_CHARTER_RENEWABLE, REPORT_CHARTER_GROWTH,
		REPORT_CHARTER_FULL,	  REPORT_CHARTER_MEASURED,
		REPORT_CHARTER_UNUSED_1,  REPORT_CHARTER_UNUSED_3,
		REPORT_CHARTER_UNUSED_5,  REPORT_CHARTER_AHEAD_1,
		REPORT_CHARTER_AHEAD_2,	  REPORT_CHARTER_AHEAD_3,
		REPORT_CHARTER_PROPOSED,  REPORT_CHARTER_DONE,
		REPORT_CHARTER_GAINED,
	};

	tell(&figure[REPORT_CHARTER_CLOSED], y->closed * (uint128)MICRO);
	tell(&figure[REPORT_CHARTER_CORRECTED], y->corrected * (uint128)MICRO);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		figure[all[i]].why = N_("No month of the year is closed.");
	if (y->closed == 0)
		return;
	for (unsigned int i = 0; i < 3; i++)
		figure[REPORT_CHARTER_UNUSED_1 + i].why =
			N_("Files were not counted by age when the months "
			   "were closed.");
	for (unsigned int i = 0; i < 3; i++)
		figure[REPORT_CHARTER_PROPOSED + i].why =
			figure[REPORT_CHARTER_UNUSED_1].why;
	tell_energy(figure, y);
	tell_city(figure, in, y, now);
	if (y->surveyed)
		tell_ages(figure, y->surveyed->survey);
	tell_gains(figure, in, y->last->month / 12);
}

/* --- of files, and of the drive --------------------------------------------
 */

static void tell_files(struct charter_figure *figure,
		       const struct charter_files *files)
{
	struct charter_figure *page = &figure[REPORT_CHARTER_PAGE];
	struct charter_figure *load = &figure[REPORT_CHARTER_LOAD];
	struct charter_figure *exports = &figure[REPORT_CHARTER_EXPORTS];
	uint128 bytes = files->heaviest_bytes;

	page->why = load->why = exports->why =
		N_("No report of the year lies beside this page.");
	if (files->pages > 0) {
		tell(page, bytes * (uint128)MICRO);
		tell(load, share(bytes * 8, LINE_BITS, (uint128)MICRO));
	}
	if (files->exports > 0)
		tell(exports, files->exports * (uint128)MICRO);
}

static void tell_drive(struct charter_figure *figure,
		       const struct report_charter *in)
{
	figure[REPORT_CHARTER_FLAGGED].why =
		figure[REPORT_CHARTER_UNMATCHED].why =
			N_("The drive has no rules.");
	if (!in->rules_known)
		return;
	tell(&figure[REPORT_CHARTER_FLAGGED],
	     in->flagged_files * (uint128)MICRO);
	tell(&figure[REPORT_CHARTER_UNMATCHED],
	     in->unmatched_files * (uint128)MICRO);
}

static void say_why(struct charter_figure *figure)
{
	figure[REPORT_CHARTER_EMPTIED].why =
		N_("sobrefs cannot tell yet which array could be emptied.");
	figure[REPORT_CHARTER_KEPT].why = N_("Agents cannot ask for that yet.");
	figure[REPORT_CHARTER_UNDONE].why =
		N_("Rules take no action yet: they point at files.");
	figure[REPORT_CHARTER_PRECISION].why =
		N_("sobrefs does not look into documents yet.");
	figure[REPORT_CHARTER_HOURS].why =
		N_("Nothing is asked of agents, and nobody counts their "
		   "hours.");
}

/* --- all -------------------------------------------------------------------
 */

/* Sums of years with more months, and fewer, are no trend. */
static bool is_comparable(enum report_charter_indicator i,
			  const struct year *now, const struct year *before)
{
	if (i == REPORT_CHARTER_ENERGY || i == REPORT_CHARTER_CORRECTED ||
	    i == REPORT_CHARTER_PROPOSED || i == REPORT_CHARTER_DONE ||
	    i == REPORT_CHARTER_GAINED)
		return now->closed == before->closed;
	return i == REPORT_CHARTER_CLOSED || before->closed > 0 ||
	       charter_indicators[i].source != CHARTER_FROM_MONTHS;
}

void charter_figures(const struct report_charter *in,
		     const struct charter_files files[2],
		     struct charter_figure ret_figures[N_FIGURES])
{
	struct charter_figure before[N_FIGURES] = { { .known = false } };
	struct year now_year;
	struct year last_year;

	for (unsigned int i = 0; i < N_FIGURES; i++)
		ret_figures[i] = (struct charter_figure){ .known = false };
	add_year(in, in->year, &now_year);
	add_year(in, in->year - 1, &last_year);
	tell_months(before, in, &last_year, false);
	tell_files(before, &files[1]);
	tell_months(ret_figures, in, &now_year, true);
	tell_files(ret_figures, &files[0]);
	tell_drive(ret_figures, in);
	say_why(ret_figures);
	for (unsigned int i = 0; i < N_FIGURES; i++) {
		ret_figures[i].has_before =
			before[i].known &&
			is_comparable(i, &now_year, &last_year);
		ret_figures[i].before = before[i].value;
	}
}
