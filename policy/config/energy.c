/* SPDX-License-Identifier: EUPL-1.2 */
/* energy: what electricity costs, and the disks it drives. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/config/internal.h"

#define MILLION	   UINT64_C(1000000)
#define ARRAYS_MAX 64
#define DIGITS_MAX 9

/* --- decimal numbers ------------------------------------------------------ */

/* "0.16" or "0,16", its text with a point; and in millionths, cut. */
struct decimal {
	char text[2 * DIGITS_MAX + 2];
	uint64_t millionths;
};

static bool read_decimal(const char **at, struct decimal *ret)
{
	size_t whole = strspn(*at, "0123456789");
	size_t parts = 0;
	uint64_t scale = MILLION;

	if (whole == 0 || whole > DIGITS_MAX)
		return false;
	if (strchr(".,", (*at)[whole]) && (*at)[whole]) {
		parts = strspn(*at + whole + 1, "0123456789");
		if (parts == 0 || parts > DIGITS_MAX)
			return false;
		parts++;
	}
	memcpy(ret->text, *at, whole + parts);
	ret->text[whole + parts] = '\0';
	if (parts)
		ret->text[whole] = '.';
	ret->millionths = 0;
	for (size_t i = 0; i < whole; i++)
		ret->millionths = ret->millionths * 10 +
				  (uint64_t)(ret->text[i] - '0') * MILLION;
	for (size_t i = whole + 1; i < whole + parts; i++) {
		scale /= 10;
		ret->millionths += (uint64_t)(ret->text[i] - '0') * scale;
	}
	*at += whole + parts;
	*at += strspn(*at, " ");
	return true;
}

struct quantity {
	const struct yaml_word *units; /* NULL: a mere number */
	const char *example;
	unsigned int least, most; /* thousandths */
	const char *range;	  /* in words */
};

static bool is_unit(const char *text, const struct yaml_word *units)
{
	for (; units->word; units++)
		if (!units->means && !strcasecmp(units->word, text))
			return true;
	return false;
}

static void take_quantity(struct yaml_doc *doc, const struct yaml_node *node,
			  const struct quantity *q, char **ret_text)
{
	const char *text = yaml_text(doc, node);
	const char *at = text;
	struct decimal number;
	char *copy;

	if (!text)
		return;
	if (!read_decimal(&at, &number) || (!q->units && *at)) {
		yaml_report(doc, node, N_("'%s' is no number like '%s'"), text,
			    q->example);
		return;
	}
	if (q->units && !is_unit(at, q->units)) {
		yaml_bad_measure(doc, node, text, q->units, q->example);
		return;
	}
	if (number.millionths < q->least * UINT64_C(1000) ||
	    number.millionths > q->most * UINT64_C(1000)) {
		yaml_report(doc, node, N_("'%s' is out of range: %s"), text,
			    q->range);
		return;
	}
	copy = strdup(number.text);
	if (!copy)
		yaml_no_memory(doc);
	free(*ret_text);
	*ret_text = copy;
}

static void take_price(struct yaml_doc *doc, const struct yaml_node *node,
		       void *into)
{
	static const struct yaml_word units[] = {
		{ "EUR/kWh", NULL },
		{ "€/kWh", NULL },
		{ NULL, NULL },
	};
	static const struct quantity price = {
		units, "0.16 EUR/kWh", 0, 10000, "0 - 10",
	};

	take_quantity(doc, node, &price,
		      &((struct reading *)into)->config->price_eur_kwh);
}

static void take_carbon(struct yaml_doc *doc, const struct yaml_node *node,
			void *into)
{
	static const struct yaml_word units[] = {
		{ "g/kWh", NULL },
		{ "gCO2e/kWh", NULL },
		{ "gCO2/kWh", NULL },
		{ NULL, NULL },
	};
	static const struct quantity carbon = {
		units, "46.1 g/kWh", 0, 3000000, "0 - 3000",
	};

	take_quantity(doc, node, &carbon,
		      &((struct reading *)into)->config->carbon_g_kwh);
}

static void take_pue(struct yaml_doc *doc, const struct yaml_node *node,
		     void *into)
{
	static const struct quantity pue = {
		NULL, "1.75", 1000, 5000, "1 - 5",
	};

	take_quantity(doc, node, &pue, &((struct reading *)into)->config->pue);
}

/* --- arrays --------------------------------------------------------------- */

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

static void take_meter(struct yaml_doc *doc, const struct yaml_node *node,
		       void *into)
{
	path_take(doc, node, &((struct config_array *)into)->meter);
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
		{ "id", take_array_id }, { "usable", take_usable },
		{ "meter", take_meter }, { "bought", take_bought },
		{ "life", take_life },	 { NULL, NULL },
	};
	static const struct yaml_word words[] = {
		{ "capacity", "usable" }, { "capacite", "usable" },
		{ "utile", "usable" },	  { "compteur", "meter" },
		{ "achat", "bought" },	  { "duree_de_vie", "life" },
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
	if (array.id && has_array(config, array.id))
		yaml_report(doc, yaml_get(node, "id"),
			    N_("'%s' is the id of two arrays"), array.id);
	config->array[config->arrays++] = array;
}

static void take_arrays(struct yaml_doc *doc, const struct yaml_node *node,
			void *into)
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
}

void take_energy(struct yaml_doc *doc, const struct yaml_node *node, void *into)
{
	static const struct yaml_key keys[] = {
		{ "price", take_price }, { "carbon", take_carbon },
		{ "pue", take_pue },	 { "arrays", take_arrays },
		{ NULL, NULL },
	};
	static const struct yaml_word words[] = {
		{ "prix", "price" },
		{ "carbone", "carbon" },
		{ "baies", "arrays" },
		{ NULL, NULL },
	};
	static const struct yaml_schema schema = { keys, words };

	(void)yaml_map(doc, node, &schema, into);
}
