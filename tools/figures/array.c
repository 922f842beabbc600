/* SPDX-License-Identifier: EUPL-1.2 */
/* The arrays of drive.yaml as the energy model takes them, month by month. */
#include "tools/figures/internal.h"

#include <errno.h>
#include <string.h>

#include "fs/ledger/ledger.h"

#define YEAR_S INT64_C(31536000) /* of 365 days */
#define TIERS_ON_ARRAYS \
	(1u << TIER_HOT | 1u << TIER_PACKED | 1u << TIER_ARCHIVE)

/* What the array's meter says of the seconds counted, when it covers enough. */
static int measure(const struct figures_array *array,
		   const struct ledger_month *m, int64_t seconds,
		   struct energy_array *to, struct error *err)
{
	struct meter_measured it = { .mwh = 0 };
	uint128 stretched;
	int rc;

	to->meter.there = array->meter != NULL;
	if (!array->meter || seconds <= 0)
		return 0;
	rc = meter_measure(array->meter, counted_from(m), m->end_s, &it, err);
	if (rc < 0)
		return rc;
	to->meter.covered_s = it.covered_s;
	to->meter.readings = it.readings;
	to->meter.gaps = it.gaps;
	to->meter.longest_gap_s = it.longest_gap_s;
	to->meter.falls = it.falls;
	if (it.covered_s < seconds - seconds / 10)
		return 0;
	stretched = ((uint128)it.mwh * (uint128)seconds +
		     (uint128)it.covered_s / 2) /
		    (uint128)it.covered_s;
	to->measured_mwh =
		stretched > UINT64_MAX ? UINT64_MAX : (uint64_t)stretched;
	return 0;
}

/* As drive.yaml says it, else the coefficient's; 0 without one. */
static int64_t life_months(const struct figures_source *from,
			   const struct figures_array *array)
{
	if (array->life_years > 0)
		return (int64_t)array->life_years * 12;
	return from->coefs ? from->coefs->coef[COEF_LIFE].value * 12 / MICRO
			   : 0;
}

static struct energy_array describe(const struct figures_source *from,
				    const struct figures_array *array,
				    int32_t month)
{
	int64_t life = life_months(from, array);

	return (struct energy_array){
		.id = array->id,
		.tiers = array->tiers ? array->tiers : TIERS_ON_ARRAYS,
		.usable_bytes = array->usable_bytes,
		.fabrication_kg = array->fabrication_kg,
		.disks = array->disks,
		.disk_bytes = array->disk_bytes,
		.bought = array->bought,
		.life_s = array->life_years * YEAR_S,
		.flash = array->flash,
		.outlived = array->bought >= 0 && life > 0 &&
			    (int64_t)month - array->bought >= life,
	};
}

static bool was_there(const struct figures_array *array, int32_t month)
{
	return array->bought <= month;
}

/* Were those bought later left out: is there a place for all that is kept? */
static bool may_leave_out(const struct figures_source *from, int32_t month)
{
	const unsigned int needed = 1u << TIER_HOT | 1u << TIER_PACKED;
	unsigned int held = 0;

	for (unsigned int i = 0; i < from->arrays; i++)
		if (was_there(&from->array[i], month))
			held |= from->array[i].tiers ? from->array[i].tiers
						     : TIERS_ON_ARRAYS;
	return (held & needed) == needed;
}

int figures_arrays(const struct figures_source *from,
		   const struct ledger_month *m, int64_t seconds,
		   struct energy_array arrays[ENERGY_ARRAYS_MAX],
		   unsigned int *ret_n, struct error *err)
{
	bool leave_out = may_leave_out(from, m->month);
	unsigned int n = 0;

	if (from->arrays > ENERGY_ARRAYS_MAX)
		return error_set(err, -EINVAL, "%u arrays", from->arrays);
	for (unsigned int i = 0; i < from->arrays; i++) {
		const struct figures_array *array = &from->array[i];
		int rc;

		if (leave_out && !was_there(array, m->month))
			continue;
		arrays[n] = describe(from, array, m->month);
		rc = measure(array, m, seconds, &arrays[n++], err);
		if (rc < 0)
			return rc;
	}
	*ret_n = n;
	return 0;
}

/* What the last month that was measured says of a second. */
static void find_rate(const struct report_month *months, unsigned int n,
		      struct energy_array *array, int64_t seconds)
{
	for (unsigned int i = n; i-- > 0;) {
		const struct report_month *m = &months[i];
		int64_t all_s =
			m->end_s -
			(m->first_s > m->start_s ? m->first_s : m->start_s);

		for (unsigned int k = 0; m->known && k < m->energy.arrays;
		     k++) {
			const struct energy_array_month *a =
				&m->energy.array[k];

			if (!a->measured || all_s <= 0 ||
			    strcmp(a->id, array->id ? array->id : "") != 0)
				continue;
			array->measured_mwh =
				(uint64_t)((uint128)a->measured_mwh *
					   (uint128)seconds / (uint128)all_s);
			return;
		}
	}
}

struct energy_input
figures_rate(const struct figures_source *from,
	     const struct report_month *months, unsigned int n,
	     struct energy_array ret_arrays[ENERGY_ARRAYS_MAX])
{
	struct energy_input in = { .seconds = YEAR_S, .array = ret_arrays };

	if (from->arrays > ENERGY_ARRAYS_MAX)
		return in;
	in.arrays = from->arrays;
	for (unsigned int i = 0; i < in.arrays; i++) {
		ret_arrays[i] =
			describe(from, &from->array[i],
				 n > 0 ? months[n - 1].month : INT32_MIN / 2);
		find_rate(months, n, &ret_arrays[i], in.seconds);
	}
	return in;
}
