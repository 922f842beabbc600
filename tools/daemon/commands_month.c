/* SPDX-License-Identifier: EUPL-1.2 */
/* month: closes months, for good. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/daemon/arrays.h"
#include "tools/daemon/internal.h"
#include "tools/figures/figures.h"

#define MONTHS_BACK 120 /* that are looked for: ten years */

struct closing_run {
	const struct command_env *env;
	const struct request *request;
	struct arrays arrays;
	int64_t now_s;
	struct report_checks now; /* that failed, of how things are now */
	struct report_disk disk;
	struct report_checks all; /* and of the months that this run closes */
	json_t *closed;
	json_t *warnings; /* what the meters lack */
};

static void closing_run_release_at(struct closing_run *run)
{
	arrays_release(&run->arrays);
	json_decref(run->closed);
	json_decref(run->warnings);
}

/* --- checks ----------------------------------------------------------------
 */

static void ledger_differs(void *ctx, const char *text)
{
	checks_add(ctx, CHECK_LEDGER, text);
}

/* Once for all months of a run: they say how things are now. */
static int check_now(struct closing_run *run, struct error *err)
{
	struct drive *drive = run->env->drive;
	int rc;

	if (!drive_ledger(drive) || ledger_needs_recharge(drive_ledger(drive)))
		return error_set(err, -EAGAIN,
				 "the ledger is being charged anew: try again "
				 "later");
	rc = ledger_check(drive_catalog(drive), drive_store(drive),
			  ledger_differs, &run->now, err);
	if (rc >= 0)
		rc = disk_check(run->env, &run->now, &run->disk, err);
	run->all = run->now;
	return rc;
}

/* --- closing ---------------------------------------------------------------
 */

static const char *month_text(int32_t month, char text[16])
{
	(void)snprintf(text, 16, "%04d-%02d", month / 12, month % 12 + 1);
	return text;
}

/* Of the month asked for: may it be closed as asked, and as which version?
 * A correction keeps what files there were when it was closed first. */
static int next_version(const struct closing_run *run, int32_t month,
			unsigned int *ret_version,
			struct report_survey **ret_survey, struct error *err)
{
	struct closing there = { .version = 0 };
	char text[16];
	int rc = closing_load(drive_state_fd(run->env->drive), month, &there,
			      err);

	*ret_version = there.version + 1;
	*ret_survey = take_ptr(&there.month.survey);
	closing_release(&there);
	if (rc < 0)
		return rc;
	if (rc == 1 && !run->request->reason)
		return error_set(err, -EEXIST,
				 "%s is closed, as version %u: --correct "
				 "REASON closes it as the next",
				 month_text(month, text), *ret_version - 1);
	if (rc == 0 && run->request->reason)
		return error_set(
			err, -EINVAL,
			"%s is not closed: there is nothing to correct",
			month_text(month, text));
	return 0;
}

/* As it is now, when that says anything of the month. */
static int survey(const struct closing_run *run, struct report_month *month,
		  struct error *err)
{
	return survey_is_of(month, run->now_s)
		       ? survey_take(drive_catalog(run->env->drive), run->now_s,
				     &month->survey, err)
		       : 0;
}

static int work_out(const struct closing_run *run, int32_t month,
		    struct report_month *ret_month, struct error *err)
{
	const struct setup *setup = run->env->setup;
	const struct figures_source from = {
		.cat = drive_catalog(run->env->drive),
		.state_fd = -1,
		.coefs = &setup->coefs,
		.array = run->arrays.array,
		.arrays = run->arrays.n,
		.supply = run->arrays.supply,
		.now_s = run->now_s,
	};
	char text[16];
	int rc = figures_month(&from, month, ret_month, err);

	if (rc == -ENOENT)
		return error_set(err, rc, "the ledger knows nothing of %s",
				 month_text(month, text));
	if (rc < 0 || ret_month->over)
		return rc;
	figures_month_release(ret_month);
	return error_set(err, -EBUSY, "%s is not over",
			 month_text(month, text));
}

static json_t *closed_json(const struct closing *c)
{
	const struct energy_line *total = &c->month.energy.total;
	char text[16];

	return json_pack("{s:s, s:i, s:b, s:I, s:I, s:I, s:I}", "month",
			 month_text(c->month.month, text), "version",
			 (int)c->version, "measured", c->month.energy.measured,
			 "energy_mwh", (json_int_t)total->mwh.all, "cost_ueur",
			 (json_int_t)total->ueur.all, "use_ugco2e",
			 (json_int_t)total->use_ug.all, "build_ugco2e",
			 (json_int_t)total->build_ug.all);
}

/* Sentences about the meters of a month. */
static void add_warnings(json_t *list, const struct report_month *m,
			 enum po_lang lang)
{
	char text[REPORT_METER_MAX];
	char line[REPORT_METER_MAX + 24];
	char month[16];

	for (unsigned int i = 0; i < m->energy.arrays; i++) {
		if (!report_meter_say(&m->energy.array[i], lang, text))
			continue;
		(void)snprintf(line, sizeof(line), "%s: %s",
			       month_text(m->month, month), text);
		(void)json_array_append_new(list, json_from_name(line));
	}
}

static int close_one(struct closing_run *run, int32_t month, struct error *err)
{
	const char *reason = run->request->reason;
	struct closing c = { .closed_s = run->now_s,
			     .coefs = run->env->setup->coefs };
	struct report_survey *kept = NULL;
	int rc = next_version(run, month, &c.version, &kept, err);

	if (rc == 0)
		rc = work_out(run, month, &c.month, err);
	if (rc == 0)
		c.month.survey = take_ptr(&kept);
	survey_free(kept);
	if (rc == 0 && c.version == 1)
		rc = survey(run, &c.month, err);
	if (rc < 0) {
		figures_month_release(&c.month);
		return rc;
	}
	(void)snprintf(c.reason, sizeof(c.reason), "%s", reason ? reason : "");
	c.month.failed = run->now;
	c.month.disk = run->disk;
	figures_check(&c.month.energy, &c.month.failed);
	figures_check(&c.month.energy, &run->all);
	rc = closing_store(drive_state_fd(run->env->drive), &c, err);
	if (rc == 0 && json_array_append_new(run->closed, closed_json(&c)) < 0)
		rc = error_set(err, -ENOMEM, "out of memory");
	add_warnings(run->warnings, &c.month,
		     run->request->french ? PO_FR : PO_EN);
	figures_month_release(&c.month);
	return rc;
}

/* Those that are over, known and not closed, the oldest first. */
static int close_due(struct closing_run *run, struct error *err)
{
	const int state_fd = drive_state_fd(run->env->drive);
	const int32_t now = month_of_second(run->now_s);
	int rc = 0;

	for (int32_t m = now - MONTHS_BACK; rc == 0 && m < now; m++) {
		struct ledger_month known;
		struct closing there = { .version = 0 };

		rc = ledger_month_get(drive_catalog(run->env->drive), m,
				      run->now_s, &known, err);
		if (rc == -ENOENT) {
			*err = (struct error)ERROR_INIT;
			rc = 0;
			continue;
		}
		if (rc < 0)
			break;
		ledger_month_release(&known);
		rc = closing_load(state_fd, m, &there, err);
		closing_release(&there);
		if (rc >= 0)
			rc = rc == 1 ? 0 : close_one(run, m, err);
	}
	return rc;
}

json_t *command_month(const struct command_env *env,
		      const struct request *request, struct error *err)
{
	__attribute__((
		cleanup(closing_run_release_at))) struct closing_run run = {
		.env = env,
		.request = request,
		.now_s = clock_now_s(&env->clock),
		.closed = json_array(),
		.warnings = json_array()
	};
	int rc = run.closed && run.warnings
			 ? ledger_tick_now(env, err)
			 : error_set(err, -ENOMEM, "out of memory");

	if (rc == 0)
		rc = arrays_load(env->setup, drive_state_fd(env->drive),
				 &run.arrays, err);
	if (rc == 0)
		rc = check_now(&run, err);
	if (rc == 0)
		rc = request->month ? close_one(&run, request->month, err)
				    : close_due(&run, err);
	if (rc < 0)
		return NULL;
	return json_or_nomem(json_pack("{s:i, s:O, s:O, s:o?, s:i}", "schema",
				       PROTOCOL_SCHEMA, "closed", run.closed,
				       "warnings", run.warnings,
				       "failed_checks", checks_json(&run.all),
				       "n_failed", (int)run.all.n),
			     err);
}

/* Those of the last ten years that are over, known and not closed. */
json_t *months_due_json(const struct command_env *env)
{
	const int64_t now_s = clock_now_s(&env->clock);
	const int32_t now = month_of_second(now_s);
	struct ledger_month known;
	struct error ignored = ERROR_INIT;
	json_t *due = json_array();
	int32_t m;

	if (!due || ledger_month_get(drive_catalog(env->drive), now, now_s,
				     &known, &ignored) < 0)
		return due;
	m = month_of_second(known.first_s);
	ledger_month_release(&known);
	if (m < now - MONTHS_BACK)
		m = now - MONTHS_BACK;
	for (; m < now; m++) {
		char text[16];

		if (closing_versions(drive_state_fd(env->drive), m) == 0)
			(void)json_array_append_new(
				due, json_string(month_text(m, text)));
	}
	return due;
}

json_t *last_close_json(const struct command_env *env, bool french)
{
	struct error err = ERROR_INIT;
	struct closing last;
	json_t *warnings = json_array();
	char text[16];
	json_t *result;
	int rc = closing_load_last(drive_state_fd(env->drive), &last, &err);

	if (rc <= 0)
		json_decref(warnings);
	if (rc < 0)
		return json_pack("{s:o}", "error", json_from_name(err.text));
	if (rc == 0)
		return json_null();
	add_warnings(warnings, &last.month, french ? PO_FR : PO_EN);
	result = json_pack("{s:s, s:i, s:o?, s:o?, s:i}", "month",
			   month_text(last.month.month, text), "version",
			   (int)last.version, "warnings", warnings,
			   "failed_checks", checks_json(&last.month.failed),
			   "n_failed", (int)last.month.failed.n);
	closing_release(&last);
	return result;
}
