/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/figures/figures.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fs/ledger/ledger.h"

#define YEAR_S INT64_C(31536000) /* of 365 days */

static int64_t counted_from(const struct ledger_month *m)
{
	return m->first_s > m->start_s ? m->first_s : m->start_s;
}

/* Past every number a row has: rows may be newer than the list. */
static int count_departments(struct catalog *cat, const struct ledger_month *m,
			     uint16_t *ret_n, struct error *err)
{
	struct ledger_departments list = { .n = 0 };
	unsigned int n = 1;
	int rc = ledger_departments(cat, &list, err);

	if (rc < 0)
		return rc;
	for (unsigned int i = 0; i < list.n; i++)
		if (list.row[i].number >= n)
			n = list.row[i].number + 1u;
	ledger_departments_release(&list);
	for (unsigned int i = 0; i < m->n; i++) {
		const struct dept_set *set = &m->row[i].set;

		for (unsigned int k = 0; k < set->n && k < SET_MEMBERS_MAX; k++)
			if (set->member[k] >= n)
				n = set->member[k] + 1u;
	}
	/* What is more is refused by energy_month(). */
	*ret_n = n > DEPARTMENTS_MAX ? DEPARTMENTS_MAX : (uint16_t)n;
	return 0;
}

static int measure(const struct figures_array *array,
		   const struct ledger_month *m, struct energy_input *in,
		   struct error *err)
{
	uint64_t mwh = 0;
	int64_t covered_s = 0;
	uint128 stretched;
	int rc;

	if (!array->meter || in->seconds <= 0)
		return 0;
	rc = meter_measure(array->meter, counted_from(m), m->end_s, &mwh,
			   &covered_s, err);
	if (rc < 0)
		return rc;
	if (covered_s < in->seconds - in->seconds / 10)
		return 0;
	stretched =
		((uint128)mwh * (uint128)in->seconds + (uint128)covered_s / 2) /
		(uint128)covered_s;
	in->measured_mwh =
		stretched > UINT64_MAX ? UINT64_MAX : (uint64_t)stretched;
	return 0;
}

static void describe(const struct figures_array *array, int32_t month,
		     struct energy_input *in)
{
	in->usable_bytes = array->usable_bytes;
	in->fabrication_kg = array->fabrication_kg;
	in->life_s = array->life_years * YEAR_S;
	in->flash = array->flash;
	in->archive_apart = array->archive_apart;
	in->outlived = array->bought >= 0 && array->life_years > 0 &&
		       (int64_t)month - array->bought >=
			       (int64_t)array->life_years * 12;
}

static int weigh(struct catalog *cat, const struct coef_set *coefs,
		 const struct figures_array *array,
		 const struct ledger_month *m, struct report_month *to,
		 struct error *err)
{
	struct energy_input in = { .row = m->row,
				   .rows = m->n,
				   .seconds = m->end_s - counted_from(m) };
	int rc = count_departments(cat, m, &in.departments, err);

	if (in.seconds < 0)
		in.seconds = 0;
	if (rc == 0 && array) {
		describe(array, m->month, &in);
		rc = measure(array, m, &in, err);
	}
	if (rc == 0)
		rc = energy_month(coefs, &in, &to->energy, err);
	if (rc < 0)
		return rc;
	to->known = true;
	to->start_s = m->start_s;
	to->end_s = m->end_s;
	to->first_s = m->first_s;
	to->observed_s = m->observed_s;
	return 0;
}

/* The first second of a month, as <time.h> has it: only for those the ledger
 * knows nothing of. */
static int64_t first_second(int32_t month)
{
	struct tm tm = { .tm_year = month / 12 - 1900,
			 .tm_mon = month % 12,
			 .tm_mday = 1 };

	return (int64_t)timegm(&tm);
}

static int one_month(struct catalog *cat, const struct coef_set *coefs,
		     const struct figures_array *array, int64_t now_s,
		     struct report_month *to, struct error *err)
{
	struct ledger_month m = { .month = to->month };
	int rc;

	to->start_s = first_second(to->month);
	to->end_s = first_second(to->month + 1);
	to->over = to->end_s <= now_s;
	rc = ledger_month_get(cat, to->month, now_s, &m, err);
	if (rc == -ENOENT) {
		*err = (struct error)ERROR_INIT;
		return 0;
	}
	if (rc == 0)
		rc = weigh(cat, coefs, array, &m, to, err);
	ledger_month_release(&m);
	return rc;
}

int figures_months(struct catalog *cat, const struct coef_set *coefs,
		   const struct figures_array *array, int32_t month,
		   int64_t now_s, struct report_month ret_months[REPORT_MONTHS],
		   struct error *err)
{
	struct report_month months[REPORT_MONTHS];
	int rc = 0;

	memset(months, 0, sizeof(months));
	for (int32_t i = 0; i < REPORT_MONTHS && rc == 0; i++) {
		months[i].month = month - (REPORT_MONTHS - 1) + i;
		rc = one_month(cat, coefs, array, now_s, &months[i], err);
	}
	if (rc < 0) {
		figures_release(months);
		return error_prefix(err, "the figures of a month");
	}
	memcpy(ret_months, months, sizeof(months));
	return 0;
}

void figures_release(struct report_month months[REPORT_MONTHS])
{
	for (unsigned int i = 0; i < REPORT_MONTHS; i++)
		if (months[i].known) {
			energy_month_release(&months[i].energy);
			months[i].known = false;
		}
}

struct energy_input figures_rate(const struct figures_array *array,
				 const struct report_month *months,
				 unsigned int n)
{
	struct energy_input in = { .seconds = 1 };

	if (!array)
		return in;
	describe(array, n > 0 ? months[n - 1].month : INT32_MIN / 2, &in);
	for (unsigned int i = n; i-- > 0;) {
		const struct report_month *m = &months[i];
		int64_t from_s =
			m->first_s > m->start_s ? m->first_s : m->start_s;

		if (!m->known || !m->energy.measured)
			continue;
		in.seconds = m->end_s - from_s;
		in.measured_mwh = m->energy.measured_mwh;
		break;
	}
	return in;
}
