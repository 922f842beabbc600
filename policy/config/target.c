/* SPDX-License-Identifier: EUPL-1.2 */
/* targets: what a year's figures should not exceed. */
#include <stdlib.h>

#include "policy/config/internal.h"

#define TARGETS_MAX 50
#define TERA	    UINT64_C(1000000000000)

static void take_year(struct yaml_doc *doc, const struct yaml_node *node,
		      void *into)
{
	const char *text = yaml_text(doc, node);
	const char *at = text;
	uint32_t year;

	if (!text)
		return;
	if (read_count(&at, 9999, &year) && year >= 1970 && !*at)
		((struct config_target *)into)->year = (int32_t)year;
	else
		yaml_report(doc, node, N_("'%s' is no year like '2027'"), text);
}

static void take_kwh(struct yaml_doc *doc, const struct yaml_node *node,
		     void *into)
{
	static const struct yaml_word units[] = { { "kWh", NULL },
						  { NULL, NULL } };
	static const struct quantity kwh = {
		units, "5000 kWh", 1000, 4000000000, "1 - 4000000",
	};

	/* Millionths of a kWh. */
	(void)take_quantity(doc, node, &kwh, NULL,
			    &((struct config_target *)into)->mwh);
}

static void take_cost(struct yaml_doc *doc, const struct yaml_node *node,
		      void *into)
{
	static const struct yaml_word units[] = { { "EUR", NULL },
						  { "€", NULL },
						  { NULL, NULL } };
	static const struct quantity eur = {
		units, "800 EUR", 1000, 4000000000, "1 - 4000000",
	};

	(void)take_quantity(doc, node, &eur, NULL,
			    &((struct config_target *)into)->ueur);
}

static void take_kg(struct yaml_doc *doc, const struct yaml_node *node,
		    void *into)
{
	static const struct yaml_word units[] = { { "kg", NULL },
						  { "kgCO2e", NULL },
						  { NULL, NULL } };
	static const struct quantity kg = {
		units, "600 kgCO2e", 1000, 4000000000, "1 - 4000000",
	};
	struct config_target *target = into;
	uint64_t millionths;

	if (take_quantity(doc, node, &kg, NULL, &millionths))
		target->ug = millionths * 1000; /* 10^-6 kg is 1000 ug */
}

static void take_kept(struct yaml_doc *doc, const struct yaml_node *node,
		      void *into)
{
	const char *text = yaml_text(doc, node);
	uint64_t bytes;

	if (!text || !yaml_size(doc, node, text, &bytes))
		return;
	if (bytes > 0 && bytes <= 1000000 * TERA)
		((struct config_target *)into)->bytes = bytes;
	else
		yaml_report(doc, node, N_("'%s' is out of range: %s"), text,
			    "1 B - 1000000 TB");
}

static bool has_year(const struct config *config, int32_t year)
{
	for (unsigned int i = 0; i < config->targets; i++)
		if (config->target[i].year == year)
			return true;
	return false;
}

static void read_target(struct yaml_doc *doc, const struct yaml_node *node,
			struct config *config)
{
	static const struct yaml_key keys[] = {
		{ "year", take_year }, { "energy", take_kwh },
		{ "cost", take_cost }, { "carbon", take_kg },
		{ "kept", take_kept }, { NULL, NULL },
	};
	static const struct yaml_word words[] = {
		{ "annee", "year" },	 { "energie", "energy" },
		{ "cout", "cost" },	 { "carbone", "carbon" },
		{ "conserves", "kept" }, { NULL, NULL },
	};
	static const struct yaml_schema schema = { keys, words };
	struct config_target target = { .year = 0 };
	const struct yaml_node *year;

	if (!yaml_map(doc, node, &schema, &target))
		return;
	year = yaml_get(node, "year");
	if (!year && !node->cut)
		yaml_report(doc, node, N_("a target without '%s'"), "year");
	else if (year && target.year && has_year(config, target.year))
		yaml_report(doc, year, N_("two targets for %s"), year->text);
	config->target[config->targets++] = target;
}

void take_targets(struct yaml_doc *doc, const struct yaml_node *node,
		  void *into)
{
	struct config *config = ((struct reading *)into)->config;

	if (!yaml_list(doc, node))
		return;
	if (node->n > TARGETS_MAX) {
		yaml_report(doc, node, N_("more than %u targets"), TARGETS_MAX);
		return;
	}
	config->target = calloc(node->n + 1U, sizeof(*config->target));
	if (!config->target) {
		yaml_no_memory(doc);
		return;
	}
	for (const struct yaml_node *at = node->first; at; at = at->next)
		read_target(doc, at, config);
}
