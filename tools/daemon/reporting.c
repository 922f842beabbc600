/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/reporting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void reporting_release(struct reporting *r)
{
	figures_release(r->month);
	closing_release(&r->closed);
	ledger_departments_release(&r->departments);
	free(r->department);
	flagged_release(&r->flagged);
	figures_folders_release(&r->folders);
	arrays_release(&r->arrays);
	readers_release(&r->readers);
	json_decref(r->files);
	json_decref(r->mails);
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

void reporting_written(void *reporting, const char *path)
{
	struct reporting *r = reporting;

	(void)json_array_append_new(r->files, json_from_name(path));
}

/* As it is configured, else by its path. */
static const char *drive_name(const struct command_env *env, const char *uuid)
{
	if (env->setup->name)
		return env->setup->name;
	return env->name ? env->name : uuid;
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

int reporting_start(struct reporting *r, struct error *err)
{
	int rc = ledger_tick_now(r->env, err);

	r->now_s = clock_now_s(&r->env->clock);
	r->access = (struct report_access){ .mask = r->request->mask };
	uuid_text(drive_uuid(r->env->drive), r->uuid);
	if (rc == 0)
		rc = name_departments(r, err);
	if (rc == 0)
		rc = arrays_load(r->env->setup, drive_state_fd(r->env->drive),
				 &r->arrays, err);
	return rc;
}

struct report_input reporting_input(struct reporting *r)
{
	struct report_input input = {
		.drive = drive_name(r->env, r->uuid),
		.department = r->department,
		.departments = r->departments.n,
		.coefs = &r->env->setup->coefs,
		.made_s = r->now_s,
	};

	input.organisation = organisation(&r->env->setup->config, input.drive,
					  &r->publisher);
	return input;
}

struct report_options reporting_options(struct reporting *r)
{
	return (struct report_options){
		.lang = r->request->french ? PO_FR : PO_EN,
		.formats = r->request->formats,
		.department = r->request->department,
		.access = r->request->masked ? &r->access : NULL,
	};
}

struct figures_source reporting_source(const struct reporting *r)
{
	return (struct figures_source){
		.cat = drive_catalog(r->env->drive),
		.state_fd = drive_state_fd(r->env->drive),
		.coefs = &r->env->setup->coefs,
		.array = r->arrays.array,
		.arrays = r->arrays.n,
		.supply = r->arrays.supply,
		.now_s = r->now_s,
	};
}

json_t *reporting_result(const struct reporting *r, struct error *err)
{
	return json_or_nomem(json_pack("{s:i, s:O, s:O*, s:O*}", "schema",
				       PROTOCOL_SCHEMA, "files", r->files,
				       "unread", r->readers.unread, "mails",
				       r->mails),
			     err);
}

struct report_target reporting_target(const struct config *config, int32_t year)
{
	for (unsigned int i = 0; i < config->targets; i++) {
		const struct config_target *t = &config->target[i];

		if (t->year == year)
			return (struct report_target){ .mwh = t->mwh,
						       .ueur = t->ueur,
						       .ug = t->ug,
						       .bytes = t->bytes };
	}
	return (struct report_target){ .mwh = 0 };
}
