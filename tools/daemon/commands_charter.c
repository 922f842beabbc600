/* SPDX-License-Identifier: EUPL-1.2 */
/* report --charter: the year's closed months, and what the drive is like. */
#include <errno.h>

#include "tools/daemon/reporting.h"

struct charter_run {
	struct reporting r;
	struct report_month month[REPORT_CHARTER_MONTHS]; /* owned */
	unsigned int months;
	micro target[REPORT_CHARTER_INDICATORS];
	struct report_charter charter;
};

static void charter_run_release_at(struct charter_run *run)
{
	for (unsigned int i = 0; i < run->months; i++)
		figures_month_release(&run->month[i]);
	reporting_release(&run->r);
}

static int load_months(struct charter_run *run, struct error *err)
{
	const int state_fd = drive_state_fd(run->r.env->drive);
	const int32_t year = run->r.request->charter;
	int rc = 0;

	for (int32_t m = 12 * (year - 1); rc >= 0 && m < 12 * (year + 1); m++) {
		rc = figures_closed(state_fd, m, &run->month[run->months], err);
		run->months += rc > 0;
	}
	return rc < 0 ? rc : 0;
}

/* How many files: the biggest, by name, are of no use here. */
static int ask_rules(struct charter_run *run, struct rules *rules,
		     struct error *err)
{
	struct report_charter *to = &run->charter;
	struct report_input counts = { .rules = 0 };
	int rc = plan_flagged(run->r.env, rules, PO_EN, &run->r.departments,
			      &run->r.flagged, err);

	if (rc < 0)
		return rc;
	flagged_into(&run->r.flagged, &counts);
	to->rules_known = counts.rules > 0;
	to->unmatched_files = counts.unmatched_files;
	for (unsigned int i = 0; i < counts.rules; i++)
		to->flagged_files += counts.rule[i].files;
	return 0;
}

/* What `targets` says of the year holds where `charter` says nothing. */
static void put_targets(struct charter_run *run)
{
	const struct setup *setup = run->r.env->setup;
	const struct config *config = &setup->config;
	micro *energy = &run->target[REPORT_CHARTER_ENERGY];

	for (unsigned int i = 0; i < REPORT_CHARTER_INDICATORS; i++)
		run->target[i] = setup->charter_target[i];
	for (unsigned int i = 0; *energy < 0 && i < config->targets; i++)
		if (config->target[i].year == run->r.request->charter &&
		    config->target[i].mwh > 0 &&
		    config->target[i].mwh < INT64_MAX)
			*energy = (micro)config->target[i].mwh;
	run->charter.target = run->target;
}

static int write_charter(struct charter_run *run, struct error *err)
{
	const struct report_options options = reporting_options(&run->r);
	const struct report_input input = reporting_input(&run->r);
	struct report_charter *charter = &run->charter;

	charter->drive = input.drive;
	charter->year = run->r.request->charter;
	charter->made_s = run->r.now_s;
	charter->month = run->month;
	charter->months = run->months;
	charter->coefs = input.coefs;
	charter->savings = &run->r.savings;
	put_targets(run);
	return report_charter_write(charter, &options, run->r.request->out,
				    reporting_written, &run->r, err);
}

json_t *command_charter(const struct command_env *env,
			const struct request *request, struct error *err)
{
	__attribute__((
		cleanup(charter_run_release_at))) struct charter_run run = {
		.r = { .env = env, .request = request, .files = json_array() },
	};
	struct rules *rules = NULL;
	int rc = rules_for(env, request, &rules, err);

	if (rc == 0)
		rc = reporting_start(&run.r, err);
	if (rc == 0)
		rc = load_months(&run, err);
	if (rc == 0)
		rc = reporting_savings(&run.r, err);
	if (rc == 0 && rules)
		rc = ask_rules(&run, rules, err);
	if (rc == 0)
		rc = write_charter(&run, err);
	rules_done(env, request, rules);
	return rc < 0 ? NULL : reporting_result(&run.r, err);
}
