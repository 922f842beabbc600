/* SPDX-License-Identifier: EUPL-1.2 */
/* energy/coefficients: what a city knows better than fs/energy/coef.def. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/config/internal.h"

static enum coef_id id_of(const struct coef_set *set, const char *name)
{
	unsigned int i = 0;

	while (i < COEFS && strcmp(set->coef[i].id, name) != 0)
		i++;
	return (enum coef_id)i;
}

static void report_range(struct yaml_doc *doc, const struct yaml_node *node,
			 enum coef_id id)
{
	char range[64];
	micro least;
	micro most;

	coef_bounds(id, &least, &most);
	(void)snprintf(range, sizeof(range), "%.10g - %.10g",
		       (double)least / (double)MICRO,
		       (double)most / (double)MICRO);
	yaml_report(doc, node, N_("'%s' is out of range: %s"), node->text,
		    range);
}

/* Its key says which. */
static void take_one(struct yaml_doc *doc, const struct yaml_node *node,
		     void *into)
{
	char **all = ((struct reading *)into)->config->coefficient;
	const char *text = yaml_text(doc, node);
	struct error ignored = ERROR_INIT;
	struct coef_set set;
	micro ignored_value;
	enum coef_id id;
	int rc;

	coef_set_default(&set);
	id = id_of(&set, node->key->text);
	if (!text || id == COEFS)
		return;
	if (id == COEF_PRICE || id == COEF_CARBON || id == COEF_PUE) {
		yaml_report(doc, node->key,
			    N_("'%s' is a key of 'energy' itself"),
			    node->key->text);
		return;
	}
	rc = coef_set_put(&set, id, text, &ignored);
	if (rc == -EINVAL)
		yaml_report(doc, node, N_("'%s' is no number like '%s'"), text,
			    "1.5");
	else if (micro_parse(text, &ignored_value) < 0)
		yaml_report(doc, node,
			    N_("'%s' is too big, or has more than 6 decimals"),
			    text);
	else if (rc < 0)
		report_range(doc, node, id);
	else
		(void)yaml_copy(doc, node, &all[id]);
}

void take_coefficients(struct yaml_doc *doc, const struct yaml_node *node,
		       void *into)
{
	struct yaml_key keys[COEFS + 1];
	const struct yaml_schema schema = { keys, NULL };
	struct coef_set set;

	coef_set_default(&set);
	for (unsigned int i = 0; i < COEFS; i++)
		keys[i] = (struct yaml_key){ set.coef[i].id, take_one };
	keys[COEFS] = (struct yaml_key){ NULL, NULL };
	(void)yaml_map(doc, node, &schema, into);
}
