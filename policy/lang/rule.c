/* SPDX-License-Identifier: EUPL-1.2 */
/* The keys of a rule. */
#include <stdlib.h>
#include <string.h>

#include "policy/lang/internal.h"

static struct rule *rule_of(void *into)
{
	return ((struct taking *)into)->rule;
}

/* --- texts ---------------------------------------------------------------- */

static void take_id(struct yaml_doc *doc, const struct yaml_node *node,
		    void *into)
{
	struct taking *taking = into;
	const struct policy *policy = taking->reading->policy;
	struct rule *rule = taking->rule;

	rule->line = node->line;
	if (!yaml_id(doc, node, &rule->id))
		return;
	for (unsigned int i = 0; i < policy->n; i++) {
		const struct rule *first = &policy->rule[i];

		if (!first->id || strcmp(first->id, rule->id) != 0)
			continue;
		yaml_report(doc, node,
			    N_("'%s' is the id of two rules; the first in %s, "
			       "line %u"),
			    rule->id, first->file, first->line);
		return;
	}
}

static void take_label(struct yaml_doc *doc, const struct yaml_node *node,
		       void *into)
{
	(void)yaml_copy(doc, node, &rule_of(into)->label);
}

static void take_source(struct yaml_doc *doc, const struct yaml_node *node,
			void *into)
{
	(void)yaml_copy(doc, node, &rule_of(into)->source);
}

static void take_record(struct yaml_doc *doc, const struct yaml_node *node,
			void *into)
{
	(void)yaml_copy(doc, node, &rule_of(into)->record);
}

static void take_reference(struct yaml_doc *doc, const struct yaml_node *node,
			   void *into)
{
	(void)yaml_copy(doc, node, &rule_of(into)->visa_ref);
}

/* --- which files ---------------------------------------------------------- */

static void take_paths(struct yaml_doc *doc, const struct yaml_node *node,
		       void *into)
{
	(void)yaml_each(doc, node, pattern_add, &rule_of(into)->paths);
}

static void take_names(struct yaml_doc *doc, const struct yaml_node *node,
		       void *into)
{
	(void)yaml_each(doc, node, name_add, &rule_of(into)->names);
}

static void take_except(struct yaml_doc *doc, const struct yaml_node *node,
			void *into)
{
	(void)yaml_each(doc, node, pattern_add, &rule_of(into)->except);
}

static void hint_department(struct yaml_doc *doc, const char *text,
			    const struct strings *known)
{
	unsigned int nearest = UINT32_MAX;
	const char *meant = NULL;

	for (unsigned int i = 0; i < known->n; i++) {
		unsigned int distance = yaml_distance(text, known->item[i]);

		if (distance >= nearest)
			continue;
		nearest = distance;
		meant = known->item[i];
	}
	if (meant)
		yaml_hint(doc, N_("did you mean '%s'?"), meant);
}

static bool add_department(struct yaml_doc *doc, const struct yaml_node *node,
			   const char *text, void *into)
{
	const struct taking *taking = into;
	const struct strings *known = taking->reading->departments;
	bool found = known == NULL;

	for (unsigned int i = 0; !found && i < known->n; i++)
		found = !strcmp(known->item[i], text);
	if (found)
		return strings_add(doc, &taking->rule->departments, text);
	hint_department(doc, text, known);
	yaml_report(doc, node, N_("'%s' is no department of drive.yaml"), text);
	return false;
}

static void take_departments(struct yaml_doc *doc, const struct yaml_node *node,
			     void *into)
{
	(void)yaml_each(doc, node, add_department, into);
}

static void take_case(struct yaml_doc *doc, const struct yaml_node *node,
		      void *into)
{
	static const struct yaml_word words[] = {
		{ "folded", NULL },
		{ "exact", NULL },
		{ "exacte", "exact" },
		{ NULL, NULL },
	};
	unsigned int choice;

	if (yaml_choice(doc, node, words, &choice))
		rule_of(into)->case_exact = choice == 1;
}

static void take_size(struct yaml_doc *doc, const struct yaml_node *node,
		      void *into)
{
	size_take(doc, node, rule_of(into));
}

static void take_not_changed(struct yaml_doc *doc, const struct yaml_node *node,
			     void *into)
{
	period_take(doc, node, &rule_of(into)->not_changed_for, NULL);
}

static void take_not_used(struct yaml_doc *doc, const struct yaml_node *node,
			  void *into)
{
	period_take(doc, node, &rule_of(into)->not_used_for, NULL);
}

static void take_duplicate(struct yaml_doc *doc, const struct yaml_node *node,
			   void *into)
{
	static const struct yaml_word words[] = {
		{ "no", NULL },	   { "yes", NULL }, { "oui", "yes" },
		{ "true", "yes" }, { "non", "no" }, { "false", "no" },
		{ NULL, NULL },
	};
	unsigned int choice;

	if (yaml_choice(doc, node, words, &choice))
		rule_of(into)->duplicate = choice == 1;
}

/* --- what of them --------------------------------------------------------- */

static void take_personal(struct yaml_doc *doc, const struct yaml_node *node,
			  void *into)
{
	static const struct yaml_word words[] = {
		{ "no", NULL },	  { "yes", NULL }, { "sensitive", NULL },
		{ "oui", "yes" }, { "non", "no" }, { "sensibles", "sensitive" },
		{ NULL, NULL },
	};
	unsigned int choice;

	if (yaml_choice(doc, node, words, &choice))
		rule_of(into)->personal = (enum rule_personal)choice;
}

static void take_unit(struct yaml_doc *doc, const struct yaml_node *node,
		      void *into)
{
	static const struct yaml_word words[] = {
		{ "file", NULL },	    { "dossier", NULL },
		{ "fichier", "file" },	    { "folder", "dossier" },
		{ "directory", "dossier" }, { NULL, NULL },
	};
	unsigned int choice;

	if (yaml_choice(doc, node, words, &choice))
		rule_of(into)->unit = (enum rule_unit)choice;
}

static void take_start(struct yaml_doc *doc, const struct yaml_node *node,
		       void *into)
{
	static const struct yaml_word words[] = {
		{ "changed", NULL },
		{ "created", NULL },
		{ "used", NULL },
		{ "year-in-path", NULL },
		{ "closed", NULL },
		{ "owner-left", NULL },
		{ "derniere_modification", "changed" },
		{ "modification", "changed" },
		{ "creation", "created" },
		{ "dernier_usage", "used" },
		{ "annee_du_chemin", "year-in-path" },
		{ "cloture", "closed" },
		{ "depart_agent", "owner-left" },
		{ NULL, NULL },
	};
	struct taking *taking = into;
	unsigned int choice;

	if (!yaml_choice(doc, node, words, &choice))
		return;
	taking->rule->start = (enum rule_start)choice;
	taking->has_start = true;
}

static void take_keep(struct yaml_doc *doc, const struct yaml_node *node,
		      void *into)
{
	struct taking *taking = into;

	period_take(doc, node, &taking->rule->keep, &taking->has_keep);
}

static void take_keep_active(struct yaml_doc *doc, const struct yaml_node *node,
			     void *into)
{
	struct taking *taking = into;

	period_take(doc, node, &taking->rule->keep_active,
		    &taking->has_keep_active);
}

static bool is_later(const char *text)
{
	static const char *const later[] = { "archive", "pack", "restrict" };

	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
		if (!strcmp(text, later[i]))
			return true;
	return false;
}

static void take_then(struct yaml_doc *doc, const struct yaml_node *node,
		      void *into)
{
	static const struct yaml_word words[] = {
		{ "flag", NULL },
		{ "keep", NULL },
		{ "sort", NULL },
		{ "eliminate", NULL },
		{ "signaler", "flag" },
		{ "conserver", "keep" },
		{ "garder", "keep" },
		{ "trier", "sort" },
		{ "eliminer", "eliminate" },
		{ "detruire", "eliminate" },
		{ "delete", "eliminate" },
		{ "destroy", "eliminate" },
		{ NULL, NULL },
	};
	struct taking *taking = into;
	unsigned int choice;

	if (node->kind == YAML_SCALAR && is_later(node->text)) {
		yaml_report(doc, node, N_("'%s' is not in this version"),
			    node->text);
		return;
	}
	if (!yaml_choice(doc, node, words, &choice))
		return;
	taking->rule->then = (enum rule_then)choice;
	taking->has_then = true;
}

static void take_visa(struct yaml_doc *doc, const struct yaml_node *node,
		      void *into)
{
	static const struct yaml_word words[] = {
		{ "slip", NULL },
		{ "standing", NULL },
		{ "none", NULL },
		{ "bordereau", "slip" },
		{ "permanent", "standing" },
		{ "aucun", "none" },
		{ "hors_archives", "none" },
		{ NULL, NULL },
	};
	struct taking *taking = into;
	unsigned int choice;

	if (!yaml_choice(doc, node, words, &choice))
		return;
	taking->rule->visa = (enum rule_visa)(RULE_VISA_SLIP + choice);
	taking->has_visa = true;
}

static void take_mode(struct yaml_doc *doc, const struct yaml_node *node,
		      void *into)
{
	static const struct yaml_word words[] = {
		{ "simulation", NULL },
		{ "active", NULL },
		{ "actif", "active" },
		{ NULL, NULL },
	};
	unsigned int choice;

	if (yaml_choice(doc, node, words, &choice))
		rule_of(into)->mode = (enum rule_mode)choice;
}

/* --- examples ------------------------------------------------------------- */

static void take_match(struct yaml_doc *doc, const struct yaml_node *node,
		       void *into)
{
	(void)yaml_each(doc, node, example_add, &rule_of(into)->match);
}

static void take_not_match(struct yaml_doc *doc, const struct yaml_node *node,
			   void *into)
{
	(void)yaml_each(doc, node, example_add, &rule_of(into)->not_match);
}

static void take_examples(struct yaml_doc *doc, const struct yaml_node *node,
			  void *into)
{
	static const struct yaml_key keys[] = {
		{ "match", take_match },
		{ "not_match", take_not_match },
		{ NULL, NULL },
	};
	static const struct yaml_word words[] = {
		{ "oui", "match" },
		{ "non", "not_match" },
		{ "matches", "match" },
		{ NULL, NULL },
	};
	static const struct yaml_schema schema = { keys, words };

	(void)yaml_map(doc, node, &schema, into);
}

/* --- the rule ------------------------------------------------------------- */

static const struct yaml_key keys[] = {
	{ "id", take_id },
	{ "label", take_label },
	{ "source", take_source },
	{ "record", take_record },
	{ "personal", take_personal },
	{ "paths", take_paths },
	{ "names", take_names },
	{ "except", take_except },
	{ "departments", take_departments },
	{ "case", take_case },
	{ "size", take_size },
	{ "not_changed_for", take_not_changed },
	{ "not_used_for", take_not_used },
	{ "duplicate", take_duplicate },
	{ "unit", take_unit },
	{ "start", take_start },
	{ "keep_active", take_keep_active },
	{ "keep", take_keep },
	{ "then", take_then },
	{ "visa", take_visa },
	{ "reference", take_reference },
	{ "mode", take_mode },
	{ "examples", take_examples },
	/* later versions' */
	{ "findings", NULL },
	{ "restrict", NULL },
	{ "archive", NULL },
	{ "pack", NULL },
	{ "type", NULL },
	{ "state", NULL },
	{ NULL, NULL },
};
static const struct yaml_word words[] = {
	{ "libelle", "label" },
	{ "nom", "label" },
	{ "registre", "record" },
	{ "personnelles", "personal" },
	{ "chemins", "paths" },
	{ "noms", "names" },
	{ "sauf", "except" },
	{ "services", "departments" },
	{ "casse", "case" },
	{ "taille", "size" },
	{ "not_modified_for", "not_changed_for" },
	{ "non_modifie_depuis", "not_changed_for" },
	{ "not_opened_for", "not_used_for" },
	{ "non_utilise_depuis", "not_used_for" },
	{ "duplicates", "duplicate" },
	{ "doublon", "duplicate" },
	{ "unite", "unit" },
	{ "depart", "start" },
	{ "duree_active", "keep_active" },
	{ "duree", "keep" },
	{ "action", "then" },
	{ "alors", "then" },
	{ "sort_final", "then" },
	{ "ref_visa", "reference" },
	{ "visa_ref", "reference" },
	{ "exemples", "examples" },
	{ NULL, NULL },
};
static const struct yaml_schema schema = { keys, words };

void rule_release(struct rule *rule)
{
	free(rule->file);
	free(rule->id);
	free(rule->label);
	free(rule->source);
	free(rule->record);
	free(rule->visa_ref);
	strings_free(&rule->paths);
	strings_free(&rule->names);
	strings_free(&rule->except);
	strings_free(&rule->departments);
	strings_free(&rule->match);
	strings_free(&rule->not_match);
}

static bool has_room(struct yaml_doc *doc, const struct yaml_node *node,
		     struct reading *reading)
{
	struct policy *policy = reading->policy;
	unsigned int room = reading->room * 2 + 8;
	struct rule *rule;

	if (policy->n == RULES_MAX) {
		yaml_report(doc, node, N_("more than %u rules"), RULES_MAX);
		return false;
	}
	if (policy->n < reading->room)
		return true;
	rule = realloc(policy->rule, room * sizeof(*rule));
	if (!rule) {
		yaml_no_memory(doc);
		return false;
	}
	policy->rule = rule;
	reading->room = room;
	return true;
}

void rule_take(struct yaml_doc *doc, const struct yaml_node *node,
	       const char *file, struct reading *reading)
{
	struct rule rule = { .line = node->line, .size_max_bytes = UINT64_MAX };
	struct taking taking = { .reading = reading, .rule = &rule };

	if (!has_room(doc, node, reading))
		return;
	rule.file = strdup(file);
	if (!rule.file)
		yaml_no_memory(doc);
	if (yaml_map(doc, node, &schema, &taking) && !node->cut)
		rule_check(doc, node, &taking);
	if (!rule.label && rule.id) {
		rule.label = strdup(rule.id);
		if (!rule.label)
			yaml_no_memory(doc);
	}
	reading->policy->rule[reading->policy->n++] = rule;
}
