/* SPDX-License-Identifier: EUPL-1.2 */
/* What files there are in samples, and why what is stored changed. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/report/sample.h"

#define DAY_S INT64_C(86400)

static void *zeroed(size_t n, size_t size)
{
	void *at = calloc(n, size);

	if (!at)
		abort();
	return at;
}

/* --- what files there are ---------------------------------------------------
 */

/* Thousandths of the bytes; the same of each department. */
static const unsigned int by_age[REPORT_AGES] = { 214, 168, 247, 152, 219 };
static const unsigned int by_kind[REPORT_KINDS] = { 121, 64, 52, 173, 188,
						    226, 71, 48, 19,  38 };

static void stock_sums(struct report_sum *sum, const unsigned int *parts,
		       unsigned int n, uint64_t bytes)
{
	for (unsigned int i = 0; i < n; i++) {
		uint64_t part = bytes / 1000 * parts[i];

		sum[i].packed_bytes = part / 100 * 17 * (i + 1) / n;
		sum[i].plain_bytes = part - sum[i].packed_bytes;
		sum[i].files = part / 900000 + 1;
	}
}

static void stock_gains(struct report_gain *gain, uint64_t bytes)
{
	static const unsigned int parts[REPORT_ACTIONS] = { 9, 180, 95, 31,
							    120 };

	for (unsigned int i = 0; i < REPORT_ACTIONS; i++)
		gain[i] = (struct report_gain){ bytes / 100000000 * parts[i],
						bytes / 1000 * parts[i] };
}

static void survey(struct sample *s, unsigned int departments)
{
	struct report_stock *stock = zeroed(departments, sizeof(*stock));
	const struct report_month *m = &s->month[s->in.months - 1];
	uint64_t all = 0;

	for (unsigned int i = 0; i < departments; i++) {
		const struct energy_line *e = &m->energy.department[i];
		uint64_t bytes = (uint64_t)((e->own_byte_s + e->shared_byte_s) /
					    (30 * DAY_S));

		all += bytes;
		stock_sums(stock[i].age, by_age, REPORT_AGES, bytes);
		stock_sums(stock[i].kind, by_kind, REPORT_KINDS, bytes);
		stock_gains(stock[i].action, bytes);
	}
	stock_sums(s->survey.city.age, by_age, REPORT_AGES, all);
	stock_sums(s->survey.city.kind, by_kind, REPORT_KINDS, all);
	stock_gains(s->survey.city.action, all);
	s->survey.taken_s = m->end_s + 5 * 3600;
	s->survey.departments = (uint16_t)departments;
	s->survey.department = stock;
	s->month[s->in.months - 1].survey = &s->survey;
}

/* A month ago there were a twentieth more of the first kind, and less of the
 * others. */
static void survey_before(struct sample *s)
{
	struct report_survey *to = &s->survey_before;
	const uint16_t n = s->survey.departments;

	*to = s->survey;
	to->taken_s -= 30 * DAY_S;
	to->department = zeroed(n, sizeof(*to->department));
	for (unsigned int i = 0; i < n; i++) {
		struct report_stock *was = &to->department[i];

		*was = s->survey.department[i];
		for (unsigned int k = 0; k < REPORT_ACTIONS; k++) {
			uint64_t part = was->action[k].gain_bytes / 20;

			was->action[k].gain_bytes += k == 0 ? part : -part;
		}
	}
	s->month[s->in.months - 2].survey = to;
}

/* --- why what is stored changed ---------------------------------------------
 */

static const int by_cause[REPORT_CAUSES] = { 1900, -520, -610, 90, 140 };

static void put_flow(struct report_flow *flow, int parts, uint128 byte_s)
{
	uint128 more = byte_s / 1000 * (unsigned int)abs(parts);

	if (parts < 0)
		flow->went_byte_s += more;
	else
		flow->came_byte_s += more;
}

static uint128 stored_of(const struct energy_line *e)
{
	return e->own_byte_s + e->shared_byte_s;
}

/* All that is stored once came; the causes differ as above, and by that much
 * the new ones differ from what is stored. */
static void flow_line(struct report_flow_line *line, uint128 byte_s)
{
	for (unsigned int i = 0; i < REPORT_CAUSES; i++)
		put_flow(&line->cause[i], by_cause[i], byte_s);
}

static void flows_of_month(struct sample *s, unsigned int at, unsigned int n)
{
	struct report_month *m = &s->month[s->in.months - 2 + at];
	struct report_flows *flows = &s->flows[at];

	*flows = (struct report_flows){ .since_s = s->month[0].start_s,
					.departments = (uint16_t)n };
	flows->department = zeroed(n, sizeof(*flows->department));
	for (unsigned int i = 0; i < n; i++) {
		uint128 byte_s = stored_of(&m->energy.department[i]);

		flow_line(&flows->department[i], byte_s);
		for (unsigned int k = 0; k < REPORT_CAUSES; k++) {
			const struct report_flow *f =
				&flows->department[i].cause[k];

			flows->city.cause[k].came_byte_s += f->came_byte_s;
			flows->city.cause[k].went_byte_s += f->went_byte_s;
		}
	}
	m->flows = flows;
}

/* --- the biggest folders -----------------------------------------------------
 */

static const char *const names[] = {
	"/PLU/2019 & <avant>",
	"/Photos a\xc3\xa9riennes",
	"/Permis de construire",
	"/Archives 2008-2014",
	"/\xe9t\xe9",
};
#define NAMES 5

static void folders(struct sample *s, unsigned int departments, unsigned int n)
{
	struct report_folders *to = &s->folders;

	to->folder = zeroed((size_t)departments * n, sizeof(*to->folder));
	to->taken_s = s->in.made_s;
	for (unsigned int i = 0; i < departments * n; i++) {
		struct report_folder *f = &to->folder[to->n++];

		*f = (struct report_folder){
			.department = (uint16_t)(i / n),
			.direct = i % 7 == 3,
			.files = 90210 / (i % n + 1),
			.stored_bytes = 2100000000000 / (i % n + 2),
			.exclusive_bytes = 1900000000000 / (i % n + 3),
		};
		if (asprintf(&f->path, "/Ville/%u%s", i / n, names[i % NAMES]) <
		    0)
			abort();
	}
	s->in.folders = to;
}

void sample_stock(struct sample *s, unsigned int departments)
{
	static const struct report_target year = { .mwh = 6000000000,
						   .ug = 500000000000 };

	s->in.target = &year;
	survey(s, departments);
	survey_before(s);
	flows_of_month(s, 0, departments);
	flows_of_month(s, 1, departments);
	folders(s, departments, departments > 12 ? REPORT_FOLDERS : 5);
}
