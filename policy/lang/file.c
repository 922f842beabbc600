/* SPDX-License-Identifier: EUPL-1.2 */
/* One file of rules. */
#include "policy/lang/internal.h"

struct filing {
	struct reading *reading;
	const char *name;
};

static void take_rules(struct yaml_doc *doc, const struct yaml_node *node,
		       void *into)
{
	const struct filing *filing = into;

	if (!yaml_list(doc, node))
		return;
	for (const struct yaml_node *at = node->first; at; at = at->next)
		rule_take(doc, at, filing->name, filing->reading);
}

int file_take(struct reading *reading, const char *name, const char *shown,
	      const char *data, size_t len, struct yaml_diag *diag,
	      struct error *err)
{
	static const struct yaml_key keys[] = {
		{ "rules", take_rules },
		{ NULL, NULL },
	};
	static const struct yaml_word words[] = {
		{ "regles", "rules" },
		{ "policies", "rules" },
		{ NULL, NULL },
	};
	static const struct yaml_schema schema = { keys, words };
	struct filing filing = { reading, name };
	CLEANUP(yaml_free) struct yaml_doc *doc = NULL;
	int rc = yaml_parse(shown, data, len, diag, &doc, err);

	if (rc < 0)
		return rc;
	if (yaml_root(doc))
		(void)yaml_map(doc, yaml_root(doc), &schema, &filing);
	if (yaml_failure(doc) < 0)
		return error_set(err, -ENOMEM, "no memory");
	return 0;
}
