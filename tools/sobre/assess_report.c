/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/report/report.h"
#include "tools/sobre/assess.h"

#define MONTH_S INT64_C(2592000) /* 30 days */

/* Departments are numbered from 1 in the order of the configuration; 0 is
 * "other". */
static uint16_t number_of(const struct assess *a, unsigned int department)
{
	return department + 1 < a->departments ? (uint16_t)(department + 1) : 0;
}

struct pages {
	struct report_department *department; /* owned */
	struct tier_time *row;		      /* owned */
	struct report_month month;
	struct flagged flagged;
};

static void pages_release_at(struct pages *p)
{
	free(p->department);
	free(p->row);
	flagged_release(&p->flagged);
	energy_month_release(&p->month.energy);
}

static int no_memory(struct error *err)
{
	return error_set(err, -ENOMEM, "no memory for the report");
}

static int fill_departments(const struct assess *a, struct pages *p,
			    struct error *err)
{
	p->department = calloc(a->departments, sizeof(*p->department));
	p->row = calloc(2UL * a->departments, sizeof(*p->row));
	if (!p->department || !p->row)
		return no_memory(err);
	for (unsigned int i = 0; i < a->departments; i++) {
		struct tier_time *row = &p->row[2UL * i];
		const uint16_t number = number_of(a, i);

		p->department[i] = (struct report_department){
			.number = number,
			.id = assess_department_id(a, i),
			.name = assess_department_name(a, i),
		};
		row[0] = (struct tier_time){
			.set = { .n = 1, .member = { number } },
			.tier = TIER_HOT,
			.byte_seconds = (uint128)a->department[i].disk_bytes *
					(uint128)MONTH_S,
		};
		row[1] = row[0];
		row[1].tier = TIER_LOGICAL;
		row[1].byte_seconds = (uint128)a->department[i].logical_bytes *
				      (uint128)MONTH_S;
	}
	return 0;
}

static int fill_month(const struct assess *a, struct pages *p, int64_t now_s,
		      struct error *err)
{
	const struct energy_input input = {
		.row = p->row,
		.rows = 2 * a->departments,
		.seconds = MONTH_S,
		.departments = (uint16_t)a->departments,
	};
	time_t at = (time_t)now_s;
	struct tm tm;

	if (!gmtime_r(&at, &tm))
		return error_set(err, -ERANGE, "the clock is out of range");
	p->month = (struct report_month){
		.month = 12 * (tm.tm_year + 1900) + tm.tm_mon,
		.known = true,
		.start_s = now_s - MONTH_S,
		.end_s = now_s,
		.first_s = now_s - MONTH_S,
		.observed_s = MONTH_S,
		.over = true,
	};
	return energy_month(&a->setup->coefs, &input, &p->month.energy, err);
}

static int fill_flagged(const struct assess *a, struct pages *p,
			struct error *err)
{
	int rc = flagged_init(&p->flagged, a->setup->rules, a->departments,
			      po_lang(), err);

	for (size_t i = 0; rc == 0 && i < a->files; i++) {
		const struct assess_file *f = &a->file[i];
		struct verdict verdict;
		const struct flagged_file file = {
			.path = f->path,
			.size_bytes = f->size_bytes,
			.department = number_of(a, f->department),
		};

		if (f->again)
			continue;
		if (assess_verdicts(a, f, &verdict) > 0)
			rc = flagged_add(&p->flagged, &file, &verdict, err);
		else
			rc = flagged_unmatched(&p->flagged, &file, err);
	}
	return rc;
}

/* Of the files written, the page that leads to all others. */
static void keep_page(void *ctx, const char *path)
{
	char **page = ctx;
	const char *name = strrchr(path, '/');

	if (!*page && name && !strcmp(name, "/index.html"))
		*page = strdup(path);
}

int assess_report(const struct assess *assess, const char *dir_path,
		  const char *out_path, char **ret_page, struct error *err)
{
	__attribute__((cleanup(
		pages_release_at))) struct pages p = { .department = NULL };
	const struct clock clock = clock_real();
	const struct report_options options = {
		.lang = po_lang(),
		.formats = REPORT_HTML | REPORT_CSV | REPORT_JSON,
	};
	struct report_input input = {
		.drive = dir_path,
		.months = 1,
		.coefs = &assess->setup->coefs,
		.assessed = true,
		.made_s = clock_now_s(&clock),
	};
	int rc = fill_departments(assess, &p, err);

	if (rc == 0)
		rc = fill_month(assess, &p, input.made_s, err);
	if (rc == 0)
		rc = fill_flagged(assess, &p, err);
	if (rc < 0)
		return rc;
	input.department = p.department;
	input.departments = assess->departments;
	input.month = &p.month;
	flagged_into(&p.flagged, &input);
	return report_write(&input, &options, out_path, keep_page, ret_page,
			    err);
}
