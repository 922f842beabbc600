/* SPDX-License-Identifier: EUPL-1.2 */
/* energy/arrays: the disks. */
#include <stdlib.h>
#include <string.h>

#include "policy/config/internal.h"

#define ARRAYS_MAX 64
#define DISKS_MAX  100000

static void take_array_id(struct yaml_doc *doc, const struct yaml_node *node,
			  void *into)
{
	(void)yaml_id(doc, node, &((struct config_array *)into)->id);
}

static void take_usable(struct yaml_doc *doc, const struct yaml_node *node,
			void *into)
{
	const char *text = yaml_text(doc, node);
	uint64_t bytes;

	if (!text || !yaml_size(doc, node, text, &bytes))
		return;
	if (bytes == 0)
		yaml_report(doc, node, N_("'%s' is nothing"), text);
	((struct config_array *)into)->usable_bytes = bytes;
}

static void take_bought(struct yaml_doc *doc, const struct yaml_node *node,
			void *into)
{
	const char *text = yaml_text(doc, node);
	const char *at = text;
	uint32_t year;
	uint32_t month;

	if (!text)
		return;
	if (strspn(text, "0123456789") == 4 && read_count(&at, 2199, &year) &&
	    year >= 1980 && *at++ == '-' && strspn(at, "0123456789") == 2 &&
	    read_count(&at, 12, &month) && month >= 1 && !*at)
		((struct config_array *)into)->bought =
			(int32_t)(12 * year + month - 1);
	else
		yaml_report(doc, node, N_("'%s' is no month like '2023-05'"),
			    text);
}

static void take_life(struct yaml_doc *doc, const struct yaml_node *node,
		      void *into)
{
	static const struct yaml_word units[] = {
		{ "years", NULL }, { "year", NULL },   { "ans", NULL },
		{ "an", NULL },	   { "années", NULL }, { "année", NULL },
		{ NULL, NULL },
	};
	const char *text = yaml_text(doc, node);
	const char *at = text;
	uint32_t years;

	if (!text)
		return;
	if (!read_count(&at, 100, &years) || !is_unit(at, units))
		yaml_bad_measure(doc, node, text, units, "5 years");
	else if (years < 1 || years > 30)
		yaml_report(doc, node, N_("'%s' is out of range: %s"), text,
			    "1 - 30");
	else
		((struct config_array *)into)->life_years = years;
}

/* --- what they are made of ------------------------------------------------ */

static void take_fabrication(struct yaml_doc *doc, const struct yaml_node *node,
			     void *into)
{
	static const struct yaml_word units[] = {
		{ "kg", NULL },
		{ "kgCO2e", NULL },
		{ NULL, NULL },
	};
	static const struct quantity fabrication = {
		units, "1746 kg", 1000, 1000000000, "1 - 1000000",
	};
	uint64_t millionths;

	if (take_quantity(doc, node, &fabrication, NULL, &millionths))
		((struct config_array *)into)->fabrication_mg =
			(int64_t)millionths;
}

static void take_count(struct yaml_doc *doc, const struct yaml_node *node,
		       void *into)
{
	const char *text = yaml_text(doc, node);
	const char *at = text;
	uint32_t n;

	if (!text)
		return;
	if (!read_count(&at, DISKS_MAX, &n) || n == 0 || *at)
		yaml_report(doc, node, N_("'%s' is no number from 1 to %u"),
			    text, DISKS_MAX);
	else
		((struct config_array *)into)->disks = n;
}

static void take_kind(struct yaml_doc *doc, const struct yaml_node *node,
		      void *into)
{
	static const struct yaml_word kinds[] = {
		{ "hdd", NULL },
		{ "ssd", NULL },
		{ "nvme", "ssd" },
		{ NULL, NULL },
	};
	unsigned int kind;

	if (yaml_choice(doc, node, kinds, &kind))
		((struct config_array *)into)->flash = kind == 1;
}

static void take_size(struct yaml_doc *doc, const struct yaml_node *node,
		      void *into)
{
	const char *text = yaml_text(doc, node);

	if (text)
		(void)yaml_size(doc, node, text,
				&((struct config_array *)into)->disk_bytes);
}

/* An SSD's fabrication follows its size, a hard disk's hardly does. */
static void take_disks(struct yaml_doc *doc, const struct yaml_node *node,
		       void *into)
{
	static const struct yaml_key keys[] = {
		{ "count", take_count },
		{ "kind", take_kind },
		{ "size", take_size },
		{ NULL, NULL },
	};
	static const struct yaml_word words[] = {
		{ "nombre", "count" },
		{ "type", "kind" },
		{ "taille", "size" },
		{ NULL, NULL },
	};
	static const struct yaml_schema schema = { keys, words };
	const struct config_array *array = into;

	if (!yaml_map(doc, node, &schema, into) || node->cut)
		return;
	if (!yaml_get(node, "count"))
		yaml_report(doc, node, N_("disks without '%s'"), "count");
	if (!yaml_get(node, "kind"))
		yaml_report(doc, node, N_("disks without '%s'"), "kind");
	if (array->flash && !yaml_get(node, "size"))
		yaml_report(doc, node, N_("disks without '%s'"), "size");
}

/* --- what lies on them ---------------------------------------------------- */

static const struct yaml_word tiers[] = {
	{ "hot", NULL },       { "packed", NULL },     { "archive", NULL },
	{ "chaud", "hot" },    { "plain", "hot" },     { "compact", "packed" },
	{ "packs", "packed" }, { "vault", "archive" }, { NULL, NULL },
};

static bool take_tier(struct yaml_doc *doc, const struct yaml_node *node,
		      const char *text, void *into)
{
	unsigned int tier;

	(void)text;
	if (!yaml_choice(doc, node, tiers, &tier))
		return false;
	((struct config_array *)into)->holds |= 1u << tier;
	return true;
}

static void take_holds(struct yaml_doc *doc, const struct yaml_node *node,
		       void *into)
{
	(void)yaml_each(doc, node, take_tier, into);
}

/* Hot and packed bytes are somewhere; the archive may be elsewhere. */
static void check_held(struct yaml_doc *doc, const struct yaml_node *node,
		       const struct config *config)
{
	unsigned int held = 0;

	for (unsigned int i = 0; i < config->arrays; i++) {
		if (!config->array[i].holds)
			return; /* was said */
		held |= config->array[i].holds;
	}
	for (unsigned int t = 0; t < 2 && config->arrays > 0; t++)
		if (!(held & 1u << t))
			yaml_report(doc, node, N_("no array holds '%s'"),
				    tiers[t].word);
}

/* --- the list ------------------------------------------------------------- */

static bool has_array(const struct config *config, const char *id)
{
	for (unsigned int i = 0; i < config->arrays; i++)
		if (config->array[i].id && !strcmp(config->array[i].id, id))
			return true;
	return false;
}

static void read_array(struct yaml_doc *doc, const struct yaml_node *node,
		       struct config *config)
{
	static const struct yaml_key keys[] = {
		{ "id", take_array_id },
		{ "usable", take_usable },
		{ "holds", take_holds },
		{ "meter", meter_take },
		{ "bought", take_bought },
		{ "life", take_life },
		{ "fabrication", take_fabrication },
		{ "disks", take_disks },
		{ NULL, NULL },
	};
	static const struct yaml_word words[] = {
		{ "capacity", "usable" }, { "capacite", "usable" },
		{ "utile", "usable" },	  { "compteur", "meter" },
		{ "achat", "bought" },	  { "duree_de_vie", "life" },
		{ "contient", "holds" },  { "disques", "disks" },
		{ NULL, NULL },
	};
	static const struct yaml_schema schema = { keys, words };
	struct config_array array = { .bought = -1 };

	if (yaml_map(doc, node, &schema, &array) && !node->cut) {
		if (!yaml_get(node, "id"))
			yaml_report(doc, node, N_("an array without '%s'"),
				    "id");
		if (!yaml_get(node, "usable"))
			yaml_report(doc, node, N_("an array without '%s'"),
				    "usable");
	}
	if (!yaml_get(node, "holds"))
		array.holds = CONFIG_HOLDS_ALL;
	if (array.id && has_array(config, array.id))
		yaml_report(doc, yaml_get(node, "id"),
			    N_("'%s' is the id of two arrays"), array.id);
	config->array[config->arrays++] = array;
}

void take_arrays(struct yaml_doc *doc, const struct yaml_node *node, void *into)
{
	struct config *config = ((struct reading *)into)->config;

	if (!yaml_list(doc, node))
		return;
	if (node->n > ARRAYS_MAX) {
		yaml_report(doc, node, N_("more than %u arrays"), ARRAYS_MAX);
		return;
	}
	config->array = calloc(node->n + 1U, sizeof(*config->array));
	if (!config->array) {
		yaml_no_memory(doc);
		return;
	}
	for (const struct yaml_node *at = node->first; at; at = at->next)
		read_array(doc, at, config);
	check_held(doc, node, config);
}
