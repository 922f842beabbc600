/* SPDX-License-Identifier: EUPL-1.2 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "policy/config/internal.h"

void config_init(struct config *config)
{
	*config = (struct config){ .pack_min_age_s = -1 };
}

static void release_department(struct config_department *department)
{
	free(department->id);
	free(department->name);
	free(department->entity);
	texts_free(department->paths);
	texts_free(department->groups);
	texts_free(department->mail);
}

static void release_array(struct config_array *array)
{
	free(array->id);
	free(array->meter);
	texts_free(array->meter_command);
	free(array->meter_after);
	free(array->meter_times);
}

static void release_organisation(struct config_organisation *organisation)
{
	free(organisation->name);
	free(organisation->siren);
	free(organisation->service);
	free(organisation->denom_insee);
	free(organisation->code_insee);
}

void config_release(struct config *config)
{
	for (unsigned int i = 0; i < config->departments; i++)
		release_department(&config->department[i]);
	for (unsigned int i = 0; i < config->arrays; i++)
		release_array(&config->array[i]);
	release_organisation(&config->organisation);
	free(config->department);
	free(config->target);
	free(config->mail_from);
	free(config->mail_program);
	texts_free(config->mail_to);
	free(config->array);
	free(config->file);
	free(config->lower);
	free(config->price_eur_kwh);
	free(config->carbon_g_kwh);
	free(config->pue);
	for (unsigned int i = 0; i < COEFS; i++)
		free(config->coefficient[i]);
	free(config->renewable_percent);
	free(config->residual_g_kwh);
	free(config->supplier_g_kwh);
	texts_free(config->service_accounts);
	texts_free(config->pack_exclude);
	texts_free(config->roles_admin);
	texts_free(config->roles_archivist);
	texts_free(config->roles_dpo);
	config_init(config);
}

static void take_lower(struct yaml_doc *doc, const struct yaml_node *node,
		       void *into)
{
	path_take(doc, node, &((struct reading *)into)->config->lower);
}

static const struct yaml_key keys[] = {
	{ "lower", take_lower },
	{ "organisation", take_organisation },
	{ "departments", take_departments },
	{ "people", take_people },
	{ "pack", take_pack },
	{ "energy", take_energy },
	{ "targets", take_targets },
	{ "mail", take_mail },
	{ "roles", take_roles },
	{ "charter", take_charter },
	{ NULL, NULL },
};
static const struct yaml_word words[] = {
	{ "organization", "organisation" },
	{ "collectivite", "organisation" },
	{ "ville", "organisation" },
	{ "services", "departments" },
	{ "directions", "departments" },
	{ "department", "departments" },
	{ "personnes", "people" },
	{ "packing", "pack" },
	{ "compactage", "pack" },
	{ "energie", "energy" },
	{ "objectifs", "targets" },
	{ "cibles", "targets" },
	{ "courriel", "mail" },
	{ "droits", "roles" },
	{ "charte", "charter" },
	{ NULL, NULL },
};
static const struct yaml_schema schema = { keys, words };

static int read_doc(struct reading *reading, const char *data, size_t len,
		    struct yaml_diag *diag, struct error *err)
{
	CLEANUP(yaml_free) struct yaml_doc *doc = NULL;
	const struct yaml_node *root;
	int rc = yaml_parse(reading->config->file, data, len, diag, &doc, err);

	if (rc < 0)
		return rc;
	root = yaml_root(doc);
	if (root)
		(void)yaml_map(doc, root, &schema, reading);
	free(reading->claim);
	if (yaml_failure(doc) < 0)
		return error_set(err, -ENOMEM, "no memory");
	return 0;
}

int config_load(const char *path, int root_fd,
		const struct yaml_messages *messages, struct config *ret_config,
		struct error *err)
{
	struct config config;
	struct reading reading = { .config = &config, .root_fd = root_fd };
	cleanup_free char *data = NULL;
	struct yaml_diag diag;
	size_t len;
	int rc = yaml_read(AT_FDCWD, path, true, &data, &len, err);

	if (rc < 0)
		return rc;
	yaml_diag_init(&diag, messages);
	config_init(&config);
	config.file = strdup(path);
	if (!config.file)
		return error_set(err, -ENOMEM, "no memory");
	rc = read_doc(&reading, data, len, &diag, err);
	yaml_diag_finish(&diag);
	if (rc == 0 && yaml_diag_count(&diag) > 0)
		rc = error_set(err, -SOBRE_ECONFIG, "'%s' is wrong", path);
	if (rc < 0) {
		config_release(&config);
		return rc;
	}
	*ret_config = config;
	return 0;
}
