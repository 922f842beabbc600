/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_DAEMON_REPORTING_H
#define SOBREFS_DAEMON_REPORTING_H

/* What reports are made of: of a month, and of a year. */

#include "tools/daemon/arrays.h"
#include "tools/daemon/flagged.h"
#include "tools/daemon/internal.h"
#include "tools/figures/figures.h"

struct reporting {
	const struct command_env *env;
	const struct request *request;
	int64_t now_s;
	struct report_month month[REPORT_MONTHS];
	unsigned int months;
	struct ledger_departments departments;
	struct report_department *department; /* owned; borrows from above */
	struct flagged flagged;
	struct arrays arrays;
	struct report_savings savings;
	struct report_folders folders;
	struct report_target target;
	struct closing closed;	/* the month asked for, when it is */
	struct readers readers; /* of directories of their own */
	char uuid[UUID_TEXT_BYTES];
	struct report_organisation publisher;
	struct report_access access; /* by the umask of who asks */
	json_t *files;		     /* written */
	json_t *mails;		     /* what became of each; or NULL */
};
void reporting_release(struct reporting *r);
/* The ledger up to now, departments and arrays. */
int reporting_start(struct reporting *r, struct error *err);
/* A report_write()'s `each`. */
void reporting_written(void *reporting, const char *path);
/* Drive, organisation, departments, coefficients. */
struct report_input reporting_input(struct reporting *r);
struct report_options reporting_options(struct reporting *r);
struct figures_source reporting_source(const struct reporting *r);
/* mailing.c: sends what report_write_apart() wrote, and notes what became of
 * it. Nothing when drive.yaml names no sender. */
void mailing_run(struct reporting *r, const struct report_input *in);
/* Of the year; zeros when there is none. */
struct report_target reporting_target(const struct config *config,
				      int32_t year);
/* The answer; NULL without memory. */
json_t *reporting_result(const struct reporting *r, struct error *err);

/* What packing saves, now; commands_report.c. */
int reporting_savings(struct reporting *r, struct error *err);

/* commands_charter.c */
json_t *command_charter(const struct command_env *env,
			const struct request *request, struct error *err);
/* commands_year.c */
json_t *command_year(const struct command_env *env,
		     const struct request *request, struct error *err);

#endif
