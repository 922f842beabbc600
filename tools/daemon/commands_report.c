/* SPDX-License-Identifier: EUPL-1.2 */
/* report: the ledger's months, weighed, and what the rules flag, as pages. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/daemon/arrays.h"
#include "tools/daemon/flagged.h"
#include "tools/daemon/internal.h"
#include "tools/figures/figures.h"

struct reporting {
	const struct command_env *env;
	const struct request *request;
	struct report_month month[REPORT_MONTHS];
	unsigned int months;
	struct ledger_departments departments;
	struct report_department *department; /* owned; borrows from above */
	struct flagged flagged;
	struct arrays arrays;
	struct report_savings savings;
	struct closing closed;	/* the month asked for, when it is */
	struct readers readers; /* of directories of their own */
	json_t *files;		/* written */
};

static void reporting_release_at(struct reporting *r)
{
	figures_release(r->month);
	closing_release(&r->closed);
	ledger_departments_release(&r->departments);
	free(r->department);
	flagged_release(&r->flagged);
	arrays_release(&r->arrays);
	readers_release(&r->readers);
	json_decref(r->files);
}

static const char *entity_of(const struct config *config, const char *id)
{
	for (unsigned int i = 0; i < config->departments; i++)
		if (!strcmp(config->department[i].id, id))
			return config->department[i].entity;
	return NULL;
}

static int name_departments(struct reporting *r, struct error *err)
{
	struct catalog *cat = drive_catalog(r->env->drive);
	int rc = ledger_departments(cat, &r->departments, err);

	if (rc < 0)
		return rc;
	r->department = calloc(r->departments.n + 1U, sizeof(*r->department));
	if (!r->department)
		return error_set(err, -ENOMEM, "no memory for the report");
	/* "other" last: it is row 0. */
	for (unsigned int i = 0; i < r->departments.n; i++) {
		const struct ledger_department_row *row =
			&r->departments.row[(i + 1) % r->departments.n];

		r->department[i] = (struct report_department){
			.number = row->number,
			.id = row->id,
			.name = row->number == DEPARTMENT_OTHER
					? po_text_in(r->request->french ? PO_FR
									: PO_EN,
						     N_("Other"))
					: row->name,
			.entity = entity_of(&r->env->setup->config, row->id),
		};
	}
	return 0;
}

static void written(void *ctx, const char *path)
{
	struct reporting *r = ctx;

	(void)json_array_append_new(r->files, json_from_name(path));
}

/* As it is configured, else by its path. */
static const char *drive_name(const struct command_env *env, const char *uuid)
{
	if (env->setup->name)
		return env->setup->name;
	return env->name ? env->name : uuid;
}

static int fill_savings(struct reporting *r, struct error *err)
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

static const struct report_organisation *
organisation(const struct config *config, const char *drive,
	     struct report_organisation *to)
{
	const struct config_organisation *from = &config->organisation;

	*to = (struct report_organisation){
		.name = from->name,
		.siren = from->siren,
		.service = from->service ? from->service : drive,
		.denom_insee = from->denom_insee,
		.code_insee = from->code_insee,
	};
	return from->name ? to : NULL;
}

/* A directory for each department. */
static int write_apart(struct reporting *r, const struct report_input *input,
		       const struct report_options *options, struct error *err)
{
	int rc = readers_find(r->env->setup, input->department,
			      input->departments, &r->readers, err);

	return rc < 0 ? rc
		      : report_write_apart(input, options, r->readers.access,
					   r->request->out, written, r, err);
}

static int write_pages(struct reporting *r, const struct rules *rules,
		       int64_t now_s, struct error *err)
{
	const struct report_access access = { .mask = r->request->mask };
	const struct report_options options = {
		.lang = r->request->french ? PO_FR : PO_EN,
		.formats = r->request->formats,
		.department = r->request->department,
		.access = r->request->masked ? &access : NULL,
	};
	char uuid[UUID_TEXT_BYTES] = "";
	struct report_organisation publisher;
	struct report_input input = {
		.drive = drive_name(r->env, uuid),
		.department = r->department,
		.departments = r->departments.n,
		.month = r->month,
		.months = r->months,
		.coefs = r->closed.version > 0 ? &r->closed.coefs
					       : &r->env->setup->coefs,
		.made_s = now_s,
		.savings = &r->savings,
	};

	uuid_text(drive_uuid(r->env->drive), uuid);
	input.organisation =
		organisation(&r->env->setup->config, input.drive, &publisher);
	if (rules)
		flagged_into(&r->flagged, &input);
	if (r->request->apart)
		return write_apart(r, &input, &options, err);
	return report_write(&input, &options, r->request->out, written, r, err);
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
static int fill_months(struct reporting *r, int64_t now_s, struct error *err)
{
	const struct command_env *env = r->env;
	const int32_t month = r->request->month;
	const struct figures_source from = {
		.cat = drive_catalog(env->drive),
		.state_fd = drive_state_fd(env->drive),
		.coefs = &env->setup->coefs,
		.array = r->arrays.array,
		.arrays = r->arrays.n,
		.supply = r->arrays.supply,
		.now_s = now_s,
	};

	if (month > month_of_second(now_s)) {
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
static int fill_survey(struct reporting *r, int64_t now_s, struct error *err)
{
	struct report_month *m = &r->month[r->months - 1];
	int rc;

	if (!survey_is_of(m, now_s))
		return 0;
	rc = survey_take(drive_catalog(r->env->drive), now_s, &m->survey, err);
	if (rc != -EAGAIN)
		return rc;
	*err = (struct error)ERROR_INIT; /* a page without it, then */
	return 0;
}

static int fill(struct reporting *r, struct rules *rules, int64_t now_s,
		struct error *err)
{
	const struct command_env *env = r->env;
	int rc = ledger_tick_now(env, err);

	if (rc == 0)
		rc = name_departments(r, err);
	if (rc == 0)
		rc = arrays_load(env->setup, drive_state_fd(env->drive),
				 &r->arrays, err);
	if (rc == 0)
		rc = fill_months(r, now_s, err);
	if (rc == 0)
		rc = fill_survey(r, now_s, err);
	if (rc == 0)
		rc = fill_savings(r, err);
	if (rc == 0)
		rc = plan_flagged(env, rules,
				  r->request->french ? PO_FR : PO_EN,
				  &r->departments, &r->flagged, err);
	return rc;
}

json_t *command_report(const struct command_env *env,
		       const struct request *request, struct error *err)
{
	__attribute__((cleanup(reporting_release_at))) struct reporting r = {
		.env = env,
		.request = request,
		.files = json_array(),
	};
	const int64_t now_s = clock_now_s(&env->clock);
	struct rules *rules = NULL;
	int rc = rules_for(env, request, &rules, err);

	if (rc == 0)
		rc = fill(&r, rules, now_s, err);
	if (rc == 0)
		rc = write_pages(&r, rules, now_s, err);
	rules_done(env, request, rules);
	if (rc < 0)
		return NULL;
	return json_or_nomem(json_pack("{s:i, s:O, s:O*}", "schema",
				       PROTOCOL_SCHEMA, "files", r.files,
				       "unread", r.readers.unread),
			     err);
}
