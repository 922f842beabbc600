/* SPDX-License-Identifier: EUPL-1.2 */
/* What a rule lacks, and where it contradicts itself. */
#include <string.h>

#include "policy/lang/internal.h"

/* --- what must be there --------------------------------------------------- */

static void check_there(struct yaml_doc *doc, const struct yaml_node *node,
			const struct rule *rule)
{
	if (!yaml_get(node, "id"))
		yaml_report(doc, node, N_("a rule without '%s'"), "id");
	if (!yaml_get(node, "source")) {
		yaml_hint(doc, N_("the law, decree or instruction that asks "
				  "for it"));
		yaml_report(doc, node, N_("a rule without '%s'"), "source");
	}
	if (!yaml_get(node, "then")) {
		yaml_hint(doc, N_("one of: %s"), "flag, keep, sort, eliminate");
		yaml_report(doc, node, N_("a rule without '%s'"), "then");
	}
	if (rule->personal != RULE_PERSONAL_NO && !yaml_get(node, "record")) {
		yaml_hint(doc, N_("its entry in the record of processing "
				  "activities (article 30)"));
		yaml_report(doc, yaml_get(node, "personal"),
			    N_("personal data, and no 'record'"));
	}
}

/* --- which files ---------------------------------------------------------- */

static bool says_which(const struct yaml_node *node)
{
	static const char *const keys[] = {
		"paths",	   "names",	   "departments", "size",
		"not_changed_for", "not_used_for", "duplicate",
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (yaml_get(node, keys[i]))
			return true;
	return false;
}

/* The node of the nth text of a list, or of the text alone. */
static const struct yaml_node *nth(const struct yaml_node *list, unsigned int n)
{
	if (!list || list->kind != YAML_LIST)
		return list;
	list = list->first;
	while (list && list->next && n--)
		list = list->next;
	return list;
}

static void check_root(struct yaml_doc *doc, const struct yaml_node *node,
		       const struct taking *taking)
{
	const struct yaml_node *paths = yaml_get(node, "paths");
	const struct rule *rule = taking->rule;
	unsigned int i = 0;

	if (!taking->has_then || rule->then == RULE_FLAG || rule->duplicate)
		return;
	if (!paths) {
		yaml_report(doc, yaml_get(node, "then"),
			    N_("without 'paths' a rule may only 'flag'"));
		return;
	}
	for (const struct yaml_node *at = nth(paths, 0); at;
	     at = paths->kind == YAML_LIST ? at->next : NULL, i++) {
		if (at->kind != YAML_SCALAR || !*at->text ||
		    !pattern_is_at_root(at->text))
			continue;
		yaml_hint(doc, N_("name a directory below, or write 'then: "
				  "flag'"));
		yaml_report(doc, at,
			    N_("'%s' is everything at a root: a rule may only "
			       "'flag' it"),
			    at->text);
	}
}

static void check_unit(struct yaml_doc *doc, const struct yaml_node *node,
		       const struct rule *rule)
{
	const struct yaml_node *paths = yaml_get(node, "paths");
	const struct yaml_node *start = yaml_get(node, "start");

	if (start && rule->start == RULE_START_CLOSED &&
	    rule->unit != RULE_DOSSIER) {
		if (!yaml_get(node, "unit"))
			yaml_hint(doc, N_("add 'unit: dossier'"));
		yaml_report(doc, start, N_("only a dossier is closed"));
	}
	if (rule->unit != RULE_DOSSIER)
		return;
	if (!paths) {
		yaml_report(doc, yaml_get(node, "unit"),
			    N_("'unit: dossier' needs 'paths' that end in "
			       "'/**'"));
		return;
	}
	for (const struct yaml_node *at = nth(paths, 0); at;
	     at = paths->kind == YAML_LIST ? at->next : NULL) {
		if (at->kind != YAML_SCALAR || !*at->text ||
		    pattern_is_of_directories(at->text))
			continue;
		if (!strpbrk(at->text, "*?."))
			yaml_hint(doc, N_("did you mean '%s/**'?"), at->text);
		yaml_report(doc, at, N_("a dossier's pattern ends in '/**'"));
	}
}

/* --- what of them --------------------------------------------------------- */

/* In days, whatever the month. */
static int32_t days_of(struct period period)
{
	return -period_before(0, period);
}

static void check_times(struct yaml_doc *doc, const struct yaml_node *node,
			const struct taking *taking)
{
	const struct rule *rule = taking->rule;
	const struct yaml_node *keep = yaml_get(node, "keep");
	const struct yaml_node *active = yaml_get(node, "keep_active");

	if (taking->has_keep && taking->has_keep_active &&
	    days_of(rule->keep_active) > days_of(rule->keep))
		yaml_report(doc, active,
			    N_("'keep_active' is longer than 'keep' in line "
			       "%u"),
			    keep->line);
	if (taking->has_start && !keep && !active)
		yaml_report(doc, yaml_get(node, "start"),
			    N_("'start' needs 'keep': for how long"));
	if (taking->has_then && !keep && rule->then >= RULE_SORT)
		yaml_report(doc, yaml_get(node, "then"),
			    N_("'%s' needs 'keep': after how long"),
			    yaml_get(node, "then")->text);
}

static void check_visa(struct yaml_doc *doc, const struct yaml_node *node,
		       const struct taking *taking)
{
	const struct rule *rule = taking->rule;
	const struct yaml_node *visa = yaml_get(node, "visa");
	const struct yaml_node *reference = yaml_get(node, "reference");

	if (taking->has_then && rule->then == RULE_ELIMINATE && !visa) {
		yaml_hint(doc, N_("one of: %s"), "slip, standing, none");
		yaml_report(doc, yaml_get(node, "then"),
			    N_("'eliminate' needs 'visa': the archives' "
			       "agreement"));
	}
	if (taking->has_then && rule->then < RULE_SORT && visa)
		yaml_report(doc, visa->key,
			    N_("'visa' goes with 'sort' and 'eliminate' only"));
	if (visa && taking->has_visa && rule->visa != RULE_VISA_SLIP &&
	    !reference)
		yaml_report(doc, visa,
			    N_("'visa: %s' needs 'reference': of what text"),
			    visa->text);
	if (reference && !visa)
		yaml_report(doc, reference->key,
			    N_("'reference' goes with 'visa' only"));
}

void rule_check(struct yaml_doc *doc, const struct yaml_node *node,
		const struct taking *taking)
{
	check_there(doc, node, taking->rule);
	if (says_which(node))
		check_root(doc, node, taking);
	else
		yaml_report(doc, node,
			    N_("a rule that does not say which files"));
	check_unit(doc, node, taking->rule);
	check_times(doc, node, taking);
	check_visa(doc, node, taking);
}
