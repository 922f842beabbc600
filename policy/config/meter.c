/* SPDX-License-Identifier: EUPL-1.2 */
/* energy/arrays/meter: a file of readings, or the program that reads. */
#include <stdlib.h>
#include <string.h>

#include "policy/config/internal.h"

#define ARGUMENTS_MAX 64
#define EVERY_LEAST_S INT64_C(300) /* METER_MAX_READINGS last 19 years */
#define EVERY_MOST_S  INT64_C(86400)

static void take_command(struct yaml_doc *doc, const struct yaml_node *node,
			 void *into)
{
	struct config_array *array = into;
	const struct yaml_node *first = node;

	texts_take(doc, node, &array->meter_command);
	if (!array->meter_command)
		return;
	if (node->kind == YAML_LIST)
		first = node->first;
	if (node->n > ARGUMENTS_MAX)
		yaml_report(doc, node, N_("more than %u arguments"),
			    ARGUMENTS_MAX);
	if (array->meter_command[0][0] != '/') {
		yaml_hint(doc, N_("there is no shell: a list of the program's "
				  "path and its arguments"));
		yaml_report(doc, first,
			    N_("'%s' is no absolute path of a program"),
			    array->meter_command[0]);
	}
}

static void take_unit(struct yaml_doc *doc, const struct yaml_node *node,
		      void *into)
{
	static const struct yaml_word units[] = {
		{ "W", NULL },
		{ "kWh", NULL },
		{ "watts", "W" },
		{ NULL, NULL },
	};
	unsigned int unit;

	if (yaml_choice(doc, node, units, &unit))
		((struct config_array *)into)->meter_kwh = unit == 1;
}

static void take_every(struct yaml_doc *doc, const struct yaml_node *node,
		       void *into)
{
	int64_t every_s;

	if (!yaml_duration(doc, node, &every_s))
		return;
	if (every_s < EVERY_LEAST_S || every_s > EVERY_MOST_S)
		yaml_report(doc, node, N_("'%s' is out of range: %s"),
			    node->text, "5 min - 1 day");
	else
		((struct config_array *)into)->meter_every_s = every_s;
}

static void take_after(struct yaml_doc *doc, const struct yaml_node *node,
		       void *into)
{
	(void)yaml_copy(doc, node, &((struct config_array *)into)->meter_after);
}

static void take_times(struct yaml_doc *doc, const struct yaml_node *node,
		       void *into)
{
	static const struct quantity times = {
		NULL, "0.1", 0, 1000000000, "0.001 - 1000000",
	};
	uint64_t millionths;
	struct config_array *array = into;

	if (take_quantity(doc, node, &times, &array->meter_times,
			  &millionths) &&
	    millionths < 1000)
		yaml_report(doc, node, N_("'%s' is out of range: %s"),
			    node->text, times.range);
}

static void take_map(struct yaml_doc *doc, const struct yaml_node *node,
		     struct config_array *array)
{
	static const struct yaml_key keys[] = {
		{ "command", take_command }, { "unit", take_unit },
		{ "every", take_every },     { "after", take_after },
		{ "times", take_times },     { NULL, NULL },
	};
	static const struct yaml_word words[] = {
		{ "commande", "command" }, { "unite", "unit" },
		{ "toutes_les", "every" }, { "apres", "after" },
		{ "fois", "times" },	   { NULL, NULL },
	};
	static const struct yaml_schema schema = { keys, words };

	array->meter_every_s = EVERY_LEAST_S;
	if (!yaml_map(doc, node, &schema, array) || node->cut)
		return;
	if (!yaml_get(node, "command"))
		yaml_report(doc, node, N_("a meter without '%s'"), "command");
	if (!yaml_get(node, "unit"))
		yaml_report(doc, node, N_("a meter without '%s'"), "unit");
}

void meter_take(struct yaml_doc *doc, const struct yaml_node *node, void *into)
{
	struct config_array *array = into;

	if (node->kind == YAML_MAP)
		take_map(doc, node, array);
	else
		path_take(doc, node, &array->meter);
}
