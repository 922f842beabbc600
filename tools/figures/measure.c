/* SPDX-License-Identifier: EUPL-1.2 */
/* What a meter's readings say of a time. */
#include <errno.h>

#include "fs/base/wide.h"
#include "tools/figures/figures.h"

#define DAY_S INT64_C(86400)

/* Between two readings: millionths of a mWh in `part_s` seconds of it, and
 * false when that isn't known. Bits: 63 + 34 + 20. */
static bool measured_between(const struct meter *meter,
			     const struct meter_reading *a, int64_t part_s,
			     uint128 *ret_energy)
{
	const struct meter_reading *b = a + 1;
	int64_t all_s = b->at_s - a->at_s;

	if (meter->kind == METER_W) {
		/* microwatts: 3,600,000 for a second are a mWh */
		*ret_energy = ((uint128)a->value + (uint128)b->value) *
			      (uint128)part_s * 10 / 72;
		return all_s <= DAY_S;
	}
	if (b->value < a->value)
		return false;
	*ret_energy = (uint128)(b->value - a->value) * (uint128)part_s *
		      (uint128)MICRO / (uint128)all_s;
	return true;
}

/* The last reading at or before `at_s`, or the first. */
static size_t reading_before(const struct meter *meter, int64_t at_s)
{
	size_t low = 0;
	size_t high = meter->n;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (meter->reading[mid].at_s <= at_s)
			low = mid;
		else
			high = mid;
	}
	return low;
}

/* From where the last ended, or the time asked for began, to `until_s`. */
static void note_gap(struct meter_measured *m, int64_t from_s, int64_t until_s)
{
	int64_t gap_s;

	if (until_s <= from_s)
		return;
	if (__builtin_sub_overflow(until_s, from_s, &gap_s))
		gap_s = INT64_MAX;
	m->gaps++;
	if (gap_s > m->longest_gap_s)
		m->longest_gap_s = gap_s;
}

struct span {
	int64_t from_s;
	int64_t to_s;
	int64_t known_s; /* looked at, up to here */
	uint128 energy;
};

static void add_between(const struct meter *meter,
			const struct meter_reading *a, struct span *span,
			struct meter_measured *m)
{
	int64_t start = a->at_s > span->from_s ? a->at_s : span->from_s;
	int64_t end = a[1].at_s < span->to_s ? a[1].at_s : span->to_s;
	uint128 part = 0;

	if (start >= end)
		return;
	if (meter->kind == METER_KWH && a[1].value < a->value)
		m->falls++;
	if (!measured_between(meter, a, end - start, &part))
		return;
	note_gap(m, span->known_s, start);
	span->known_s = end;
	m->covered_s += end - start;
	span->energy += part;
}

int meter_measure(const struct meter *meter, int64_t from_s, int64_t to_s,
		  struct meter_measured *ret_measured, struct error *err)
{
	struct meter_measured m = { .mwh = 0 };
	struct span span = { from_s, to_s, from_s, 0 };
	uint128 mwh;

	for (size_t i = meter->n ? reading_before(meter, from_s) : 0;
	     i < meter->n && meter->reading[i].at_s < to_s; i++) {
		m.readings += meter->reading[i].at_s >= from_s;
		if (i + 1 < meter->n)
			add_between(meter, &meter->reading[i], &span, &m);
	}
	note_gap(&m, span.known_s, to_s);
	mwh = (span.energy + MICRO / 2) / (uint128)MICRO;
	if (mwh > UINT64_MAX)
		return error_set(err, -EOVERFLOW,
				 "a meter measured more than can be");
	m.mwh = (uint64_t)mwh;
	*ret_measured = m;
	return 0;
}

/* --- what can't be -------------------------------------------------------- */

#define MW_IN_W	     (1000000 * MICRO)
#define STEP_KWH     (100 * MICRO)  /* of a coarse register, at once */
#define KWH_S_OF_1MW (1000 * MICRO) /* kWh an hour */

bool meter_is_absurd(enum meter_kind kind, const struct meter_reading *before,
		     const struct meter_reading *reading)
{
	int128 rise;
	int128 seconds;

	if (kind == METER_W)
		return reading->value > MW_IN_W;
	if (!before || reading->value <= before->value)
		return false;
	rise = (int128)reading->value - before->value - (int128)STEP_KWH;
	seconds = (int128)reading->at_s - before->at_s;
	return rise * 3600 > seconds * (int128)KWH_S_OF_1MW;
}
