/* SPDX-License-Identifier: EUPL-1.2 */
/* report: the ledger's months, weighed, and what the rules flag, as pages. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/daemon/reporting.h"

int reporting_savings(struct reporting *r, struct error *err)
{
	struct drive *drive = r->env->drive;
	struct catalog_totals files;
	struct store_totals store;
	struct savings s;

	if (catalog_totals(drive_catalog(drive), &files, err) < 0 ||
	    store_totals(drive_store(drive), &store, err) < 0 ||
	    drive_savings(drive, &files, &store, &s, err) < 0)
		return err->code;
	r->savings = (struct report_savings){
		.copies = s.copies,
		.parts = s.parts,
		.compression = s.compression,
		.blocks = s.blocks,
		.overhead = s.overhead,
	};
	return 0;
}

/* A directory for each department. */
static int write_apart(struct reporting *r, const struct report_input *input,
		       const struct report_options *options, struct error *err)
{
	int rc = readers_find(r->env->setup, input->department,
			      input->departments, &r->readers, err);

	if (rc == 0)
		rc = report_write_apart(input, options, r->readers.access,
					r->request->out, reporting_written, r,
					err);
	if (rc == 0 && r->request->mail)
		mailing_run(r, input);
	return rc;
}

static int write_pages(struct reporting *r, const struct rules *rules,
		       struct error *err)
{
	const struct report_options options = reporting_options(r);
	struct report_input input = reporting_input(r);

	input.month = r->month;
	input.months = r->months;
	if (r->closed.version > 0)
		input.coefs = &r->closed.coefs;
	input.savings = &r->savings;
	input.folders = &r->folders;
	r->target = reporting_target(&r->env->setup->config,
				     r->request->month / 12);
	input.target = &r->target;
	if (rules)
		flagged_into(&r->flagged, &input);
	if (r->request->apart)
		return write_apart(r, &input, &options, err);
	return report_write(&input, &options, r->request->out,
			    reporting_written, r, err);
}

int ledger_tick_now(const struct command_env *env, struct error *err)
{
	struct ledger *ledger = drive_ledger(env->drive);
	int rc = catalog_flush(drive_catalog(env->drive), err);

	if (rc < 0 || !ledger)
		return rc;
	return ledger_tick(ledger, drive_state_bytes(env->drive), err);
}

/* 1970-01-01 is in month 12 * 1970. */
int32_t month_of_second(int64_t at_s)
{
	time_t at = (time_t)at_s;
	struct tm tm;

	return gmtime_r(&at, &tm) ? 12 * (tm.tm_year + 1900) + tm.tm_mon
				  : INT32_MAX;
}

static int64_t month_start_s(int32_t month)
{
	struct tm tm = { .tm_year = month / 12 - 1900,
			 .tm_mon = month % 12,
			 .tm_mday = 1 };

	return (int64_t)timegm(&tm);
}

/* Of a month that has not begun the page says so. */
static int fill_months(struct reporting *r, struct error *err)
{
	const int32_t month = r->request->month;
	const struct figures_source from = reporting_source(r);

	if (month > month_of_second(r->now_s)) {
		r->month[0] = (struct report_month){
			.month = month,
			.start_s = month_start_s(month),
			.end_s = month_start_s(month + 1),
		};
		r->months = 1;
		return 0;
	}
	r->months = REPORT_MONTHS;
	return figures_months(&from, month, r->month, &r->closed, err);
}

/* A closed month has the one that was taken then. */
static int fill_survey(struct reporting *r, struct error *err)
{
	struct report_month *m = &r->month[r->months - 1];
	int rc;

	if (!survey_is_of(m, r->now_s))
		return 0;
	rc = survey_take(drive_catalog(r->env->drive), r->now_s, &m->survey,
			 err);
	if (rc != -EAGAIN)
		return rc;
	*err = (struct error)ERROR_INIT; /* a page without it, then */
	return 0;
}

static int fill_folders(struct reporting *r, struct error *err)
{
	int rc;

	if (!now_is_of(&r->month[r->months - 1], r->now_s))
		return 0;
	rc = figures_folders(drive_catalog(r->env->drive), r->now_s,
			     &r->folders, err);
	if (rc != -EAGAIN)
		return rc;
	*err = (struct error)ERROR_INIT;
	return 0;
}

static int fill(struct reporting *r, struct rules *rules, struct error *err)
{
	int rc = reporting_start(r, err);

	if (rc == 0)
		rc = fill_months(r, err);
	if (rc == 0)
		rc = fill_survey(r, err);
	if (rc == 0)
		rc = fill_folders(r, err);
	if (rc == 0)
		rc = reporting_savings(r, err);
	if (rc == 0)
		rc = plan_flagged(r->env, rules,
				  r->request->french ? PO_FR : PO_EN,
				  &r->departments, &r->flagged, err);
	return rc;
}

json_t *command_report(const struct command_env *env,
		       const struct request *request, struct error *err)
{
	__attribute__((cleanup(reporting_release))) struct reporting r = {
		.env = env,
		.request = request,
		.files = json_array(),
		.mails = request->mail ? json_array() : NULL,
	};
	struct rules *rules = NULL;
	int rc;

	if (request->year)
		return command_year(env, request, err);
	if (request->charter)
		return command_charter(env, request, err);
	rc = rules_for(env, request, &rules, err);
	if (rc == 0)
		rc = fill(&r, rules, err);
	if (rc == 0)
		rc = write_pages(&r, rules, err);
	rules_done(env, request, rules);
	return rc < 0 ? NULL : reporting_result(&r, err);
}
