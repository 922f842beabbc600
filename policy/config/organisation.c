/* SPDX-License-Identifier: EUPL-1.2 */
/* organisation: who publishes the figures. */
#include <string.h>

#include "policy/config/internal.h"

#define SIREN_DIGITS 9
#define INSEE_MAX    6

static struct config_organisation *of(void *into)
{
	return &((struct reading *)into)->config->organisation;
}

static void take_name(struct yaml_doc *doc, const struct yaml_node *node,
		      void *into)
{
	(void)yaml_copy(doc, node, &of(into)->name);
}

static void take_service(struct yaml_doc *doc, const struct yaml_node *node,
			 void *into)
{
	(void)yaml_copy(doc, node, &of(into)->service);
}

/* The last digit makes Luhn's sum a multiple of ten. */
static bool is_siren(const char *text)
{
	unsigned int sum = 0;

	if (strlen(text) != SIREN_DIGITS ||
	    strspn(text, "0123456789") != SIREN_DIGITS)
		return false;
	for (unsigned int i = 0; i < SIREN_DIGITS; i++) {
		unsigned int digit = (unsigned int)(text[i] - '0') << (i % 2);

		sum += digit > 9 ? digit - 9 : digit;
	}
	return sum % 10 == 0;
}

static void take_siren(struct yaml_doc *doc, const struct yaml_node *node,
		       void *into)
{
	const char *text = yaml_text(doc, node);

	if (!text)
		return;
	if (is_siren(text))
		(void)yaml_copy(doc, node, &of(into)->siren);
	else
		yaml_report(doc, node,
			    N_("'%s' is no SIREN: nine digits, the last of "
			       "which fits the others"),
			    text);
}

/* INSEE's levels, as schema-impact-service-public-numerique has them. */
static void take_denom_insee(struct yaml_doc *doc, const struct yaml_node *node,
			     void *into)
{
	static const struct yaml_word levels[] = {
		{ "COM", NULL },   { "DEP", NULL },	  { "REG", NULL },
		{ "ARR", NULL },   { "CAN", NULL },	  { "CTCD", NULL },
		{ "COMER", NULL }, { "COM_COMER", NULL }, { "COG", NULL },
		{ NULL, NULL },
	};
	unsigned int which;

	if (yaml_choice(doc, node, levels, &which))
		(void)yaml_copy(doc, node, &of(into)->denom_insee);
}

static void take_code_insee(struct yaml_doc *doc, const struct yaml_node *node,
			    void *into)
{
	const char *text = yaml_text(doc, node);
	size_t len;

	if (!text)
		return;
	len = strlen(text);
	if (len <= INSEE_MAX &&
	    strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == len)
		(void)yaml_copy(doc, node, &of(into)->code_insee);
	else
		yaml_report(doc, node, N_("'%s' is no INSEE code like '35238'"),
			    text);
}

void take_organisation(struct yaml_doc *doc, const struct yaml_node *node,
		       void *into)
{
	static const struct yaml_key keys[] = {
		{ "name", take_name },
		{ "siren", take_siren },
		{ "service", take_service },
		{ "denom_insee", take_denom_insee },
		{ "code_insee", take_code_insee },
		{ NULL, NULL },
	};
	static const struct yaml_word words[] = {
		{ "nom", "name" },
		{ "insee", "code_insee" },
		{ "niveau", "denom_insee" },
		{ NULL, NULL },
	};
	static const struct yaml_schema schema = { keys, words };

	if (!yaml_map(doc, node, &schema, into) || node->cut)
		return;
	if (!yaml_get(node, "name"))
		yaml_report(doc, node, N_("an organisation without '%s'"),
			    "name");
	/* A code is one of a level. */
	if (yaml_get(node, "code_insee") && !yaml_get(node, "denom_insee"))
		yaml_report(doc, node, N_("'%s' without '%s'"), "code_insee",
			    "denom_insee");
}
