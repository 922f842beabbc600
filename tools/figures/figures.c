/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/figures/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fs/ledger/ledger.h"

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

static int weigh(const struct figures_source *from,
		 const struct ledger_month *m, struct report_month *to,
		 struct error *err)
{
	struct energy_array arrays[ENERGY_ARRAYS_MAX];
	struct energy_input in = { .row = m->row,
				   .rows = m->n,
				   .seconds = m->end_s - counted_from(m),
				   .array = arrays };
	int rc = count_departments(from->cat, m, &in.departments, err);

	if (in.seconds < 0)
		in.seconds = 0;
	if (rc == 0)
		rc = figures_arrays(from, m, in.seconds, arrays, &in.arrays,
				    err);
	if (rc == 0)
		rc = energy_month(from->coefs, &in, &to->energy, err);
	if (rc < 0)
		return rc;
	to->known = true;
	to->start_s = m->start_s;
	to->end_s = m->end_s;
	to->first_s = m->first_s;
	to->observed_s = m->observed_s;
	to->supply = from->supply;
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

int figures_month(const struct figures_source *from, int32_t month,
		  struct report_month *ret_month, struct error *err)
{
	struct ledger_month m = { .month = month };
	struct report_month to = { .month = month };
	int rc = ledger_month_get(from->cat, month, from->now_s, &m, err);

	if (rc < 0)
		return rc;
	to.over = first_second(month + 1) <= from->now_s;
	rc = weigh(from, &m, &to, err);
	ledger_month_release(&m);
	if (rc == 0)
		rc = flows_take(from, &to, err);
	if (rc < 0)
		figures_month_release(&to);
	else
		*ret_month = to;
	return rc;
}

/* Of none that is known: when it was, and that is all. */
static int open_month(const struct figures_source *from,
		      struct report_month *to, struct error *err)
{
	int rc = figures_month(from, to->month, to, err);

	if (rc != -ENOENT)
		return rc;
	*err = (struct error)ERROR_INIT;
	to->start_s = first_second(to->month);
	to->end_s = first_second(to->month + 1);
	to->over = to->end_s <= from->now_s;
	return 0;
}

/* What a correction corrected. */
static int fill_before(int state_fd, const struct closing *closing,
		       struct report_month *to, struct error *err)
{
	struct closing before;
	int rc = 0;

	if (closing->version < 2)
		return 0;
	rc = closing_load_version(state_fd, to->month, closing->version - 1,
				  &before, err);
	if (rc < 0)
		return rc;
	to->before_mwh = before.month.energy.total.mwh.all;
	to->before_ueur = before.month.energy.total.ueur.all;
	to->before_use_ug = before.month.energy.total.use_ug.all;
	to->before_build_ug = before.month.energy.total.build_ug.all;
	closing_release(&before);
	return 0;
}

/* Moves the month out of the closing. */
static int closed_month(int state_fd, struct closing *closing,
			struct report_month *to, struct error *err)
{
	*to = closing->month;
	closing->month.known = false;
	closing->month.survey = NULL;
	closing->month.flows = NULL;
	to->version = closing->version;
	to->closed_s = closing->closed_s;
	memcpy(to->reason, closing->reason, sizeof(to->reason));
	return fill_before(state_fd, closing, to, err);
}

int figures_closed(int state_fd, int32_t month, struct report_month *ret_month,
		   struct error *err)
{
	struct closing closing = { .version = 0 };
	struct report_month to = { .month = month };
	int closed = closing_load(state_fd, month, &closing, err);
	int rc = closed > 0 ? closed_month(state_fd, &closing, &to, err) : 0;

	closing_release(&closing);
	if (closed < 0 || rc < 0) {
		figures_month_release(&to);
		return error_prefix(err, "the figures of a month");
	}
	if (closed > 0)
		*ret_month = to;
	return closed;
}

/* As it was closed, else as it would be now; `closing` has what was read. */
static int one_month(const struct figures_source *from, int32_t month,
		     struct report_month *to, struct closing *closing,
		     struct error *err)
{
	int rc;

	to->month = month;
	rc = closing_load(from->state_fd, month, closing, err);
	if (rc > 0)
		return closed_month(from->state_fd, closing, to, err);
	return rc < 0 ? rc : open_month(from, to, err);
}

int figures_months(const struct figures_source *from, int32_t month,
		   struct report_month ret_months[REPORT_MONTHS],
		   struct closing *ret_closed, struct error *err)
{
	struct report_month months[REPORT_MONTHS];
	struct closing closing = { .version = 0 };
	int rc = 0;

	memset(months, 0, sizeof(months));
	for (int32_t i = 0; i < REPORT_MONTHS && rc >= 0; i++) {
		closing_release(&closing);
		rc = one_month(from, month - (REPORT_MONTHS - 1) + i,
			       &months[i], &closing, err);
	}
	if (rc < 0) {
		closing_release(&closing);
		figures_release(months);
		return error_prefix(err, "the figures of a month");
	}
	memcpy(ret_months, months, sizeof(months));
	*ret_closed = closing;
	return 0;
}

/* Of one that has not begun there is nothing to ask. */
static int begun_month(const struct figures_source *from, int32_t month,
		       struct report_month *to, struct error *err)
{
	struct closing closing = { .version = 0 };
	int rc;

	if (first_second(month) > from->now_s) {
		to->month = month;
		to->start_s = first_second(month);
		to->end_s = first_second(month + 1);
		return 0;
	}
	rc = one_month(from, month, to, &closing, err);
	closing_release(&closing);
	return rc;
}

int figures_span(const struct figures_source *from, int32_t first,
		 unsigned int n, struct report_month *ret_months,
		 struct error *err)
{
	memset(ret_months, 0, n * sizeof(*ret_months));
	for (unsigned int i = 0; i < n; i++) {
		if (begun_month(from, first + (int32_t)i, &ret_months[i],
				err) >= 0)
			continue;
		figures_release_span(ret_months, n);
		return error_prefix(err, "the figures of a month");
	}
	return 0;
}

static void add_amount(struct energy_amount *to, const struct energy_amount *a)
{
	to->own += a->own;
	to->shared += a->shared;
	to->activity += a->activity;
	to->all += a->all;
}

static void add_line(struct energy_line *to, const struct energy_line *line)
{
	to->own_byte_s += line->own_byte_s;
	to->shared_byte_s += line->shared_byte_s;
	to->logical_byte_s += line->logical_byte_s;
	add_amount(&to->mwh, &line->mwh);
	add_amount(&to->ueur, &line->ueur);
	add_amount(&to->use_ug, &line->use_ug);
	add_amount(&to->build_ug, &line->build_ug);
}

static struct energy_line sum_of(const struct energy_month *energy)
{
	struct energy_line sum = { .own_byte_s = 0 };

	for (uint16_t i = 0; i < energy->departments; i++)
		add_line(&sum, &energy->department[i]);
	add_line(&sum, &energy->overhead);
	add_line(&sum, &energy->reserve);
	return sum;
}

static void check_sum(struct report_checks *checks, const char *unit,
		      uint128 total, uint128 sum)
{
	char wide[2][WIDE_TEXT_MAX];
	char text[REPORT_REASON_MAX];

	if (sum == total)
		return;
	(void)snprintf(text, sizeof(text),
		       "the lines of the month add up to %s %s, its total is "
		       "%s",
		       wide_text(sum, wide[0]), unit,
		       wide_text(total, wide[1]));
	checks_add(checks, CHECK_MONTH, text);
}

static void check_amount(struct report_checks *checks, const char *unit,
			 const struct energy_amount *total,
			 const struct energy_amount *sum)
{
	check_sum(checks, unit, total->all, sum->all);
	check_sum(checks, unit, total->all,
		  (uint128)sum->own + sum->shared + sum->activity);
	check_sum(checks, unit, total->all,
		  (uint128)total->own + total->shared + total->activity);
}

/* Those of a month that was closed before arrays were told apart: none. */
static void check_arrays(struct report_checks *checks,
			 const struct energy_month *energy)
{
	const struct energy_line *total = &energy->total;
	struct energy_array_month sum = { .stored_byte_s = 0 };

	for (unsigned int i = 0; i < energy->arrays; i++) {
		const struct energy_array_month *a = &energy->array[i];

		sum.stored_byte_s += a->stored_byte_s;
		sum.reserve_byte_s += a->reserve_byte_s;
		sum.all.mwh += a->all.mwh;
		sum.all.ueur += a->all.ueur;
		sum.all.use_ug += a->all.use_ug;
		sum.all.build_ug += a->all.build_ug;
	}
	if (energy->arrays == 0)
		return;
	check_sum(checks, "byte-seconds of arrays' reserves",
		  energy->reserve.own_byte_s, sum.reserve_byte_s);
	check_sum(checks, "byte-seconds of arrays",
		  total->own_byte_s + total->shared_byte_s,
		  sum.stored_byte_s + sum.reserve_byte_s);
	check_sum(checks, "mWh of arrays", total->mwh.all, sum.all.mwh);
	check_sum(checks, "microeuros of arrays", total->ueur.all,
		  sum.all.ueur);
	check_sum(checks, "microgrammes of CO2e of arrays' use",
		  total->use_ug.all, sum.all.use_ug);
	check_sum(checks, "microgrammes of CO2e of arrays' making",
		  total->build_ug.all, sum.all.build_ug);
}

void figures_check(const struct energy_month *energy,
		   struct report_checks *checks)
{
	const struct energy_line *total = &energy->total;
	const struct energy_line sum = sum_of(energy);

	check_sum(checks, "byte-seconds",
		  total->own_byte_s + total->shared_byte_s,
		  sum.own_byte_s + sum.shared_byte_s);
	check_sum(checks, "byte-seconds seen by people", total->logical_byte_s,
		  sum.logical_byte_s);
	check_amount(checks, "mWh", &total->mwh, &sum.mwh);
	check_amount(checks, "microeuros", &total->ueur, &sum.ueur);
	check_amount(checks, "microgrammes of CO2e of use", &total->use_ug,
		     &sum.use_ug);
	check_amount(checks, "microgrammes of CO2e of making", &total->build_ug,
		     &sum.build_ug);
	check_arrays(checks, energy);
}

bool figures_balance(const struct energy_month *energy)
{
	struct report_checks checks = { .n = 0 };

	figures_check(energy, &checks);
	return checks.n == 0;
}

void figures_month_release(struct report_month *month)
{
	if (month->known)
		energy_month_release(&month->energy);
	month->known = false;
	survey_free(month->survey);
	month->survey = NULL;
	flows_free(month->flows);
	month->flows = NULL;
}

void figures_release_span(struct report_month *months, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		figures_month_release(&months[i]);
}

void figures_release(struct report_month months[REPORT_MONTHS])
{
	figures_release_span(months, REPORT_MONTHS);
}
