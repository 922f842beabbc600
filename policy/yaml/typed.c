/* SPDX-License-Identifier: EUPL-1.2 */
/* Nodes as the values that a schema wants. */
#include <stdlib.h>
#include <string.h>

#include "policy/yaml/internal.h"

/* What a value is called in a message. */
static void report_type(struct yaml_doc *doc, const struct yaml_node *node,
			const char *of_key, const char *of_item)
{
	if (node->key)
		yaml_report_as(doc, node, of_key, node->key->text);
	else
		yaml_report_as(doc, node, of_item);
}

/* Is there a value at all? Says so otherwise. */
static bool has_value(struct yaml_doc *doc, const struct yaml_node *node)
{
	if (node->kind != YAML_SCALAR || !node->empty || node->bad)
		return true;
	report_type(doc, node, N_("'%s' has no value"),
		    N_("a value is missing here"));
	return false;
}

/* What the value is of, where there is a key: lists of lists have none. */
static const char *name_of(const struct yaml_node *node)
{
	return node->key ? node->key->text : "-";
}

/* --- mappings ------------------------------------------------------------- */

/* The keys, as words to suggest. */
static const char *nearest_key(const char *word, const struct yaml_schema *s)
{
	unsigned int nearest = UINT32_MAX;
	const char *meant = NULL;

	for (const struct yaml_key *key = s->keys; key->name; key++) {
		unsigned int distance = yaml_distance(word, key->name);

		if (!key->take || distance >= nearest)
			continue;
		nearest = distance;
		meant = key->name;
	}
	for (const struct yaml_word *w = s->words; w && w->word; w++) {
		unsigned int distance = yaml_distance(word, w->word);

		if (distance >= nearest)
			continue;
		nearest = distance;
		meant = w->means ? w->means : w->word;
	}
	return meant;
}

static void take_child(struct yaml_doc *doc, const struct yaml_node *child,
		       const struct yaml_schema *schema, void *into)
{
	const char *word = child->key->text;
	const struct yaml_key *key = schema->keys;
	const char *meant;

	while (key->name && strcmp(key->name, word) != 0)
		key++;
	if (key->take) {
		key->take(doc, child, into);
		return;
	}
	if (key->name) {
		yaml_report(doc, child->key, N_("'%s' is not in this version"),
			    word);
		return;
	}
	meant = nearest_key(word, schema);
	if (meant)
		yaml_hint(doc, N_("did you mean '%s'?"), meant);
	yaml_report(doc, child->key, N_("unknown key '%s'"), word);
}

bool yaml_map(struct yaml_doc *doc, const struct yaml_node *map,
	      const struct yaml_schema *schema, void *into)
{
	if (!has_value(doc, map))
		return false;
	if (map->kind != YAML_MAP) {
		report_type(doc, map, N_("'%s' takes keys and values"),
			    N_("keys and values were expected here"));
		return false;
	}
	for (const struct yaml_node *child = map->first; child;
	     child = child->next)
		take_child(doc, child, schema, into);
	return true;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	const struct yaml_node *child =
		map->kind == YAML_MAP ? map->first : NULL;

	while (child && strcmp(child->key->text, key) != 0)
		child = child->next;
	return child;
}

/* --- lists, texts --------------------------------------------------------- */

bool yaml_list(struct yaml_doc *doc, const struct yaml_node *node)
{
	if (!has_value(doc, node))
		return false;
	if (node->kind == YAML_LIST)
		return true;
	yaml_report(doc, node, N_("'%s' must be a list"), name_of(node));
	return false;
}

const char *yaml_text(struct yaml_doc *doc, const struct yaml_node *node)
{
	if (node->kind != YAML_SCALAR) {
		report_type(doc, node, N_("'%s' must be a text"),
			    N_("a text was expected here"));
		return NULL;
	}
	if (node->bad || !has_value(doc, node))
		return NULL;
	if (!*node->text) {
		report_type(doc, node, N_("'%s' is empty"),
			    N_("this is empty"));
		return NULL;
	}
	return node->text;
}

bool yaml_copy(struct yaml_doc *doc, const struct yaml_node *node,
	       char **ret_text)
{
	const char *text = yaml_text(doc, node);
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		yaml_no_memory(doc);
	if (!copy)
		return false;
	free(*ret_text);
	*ret_text = copy;
	return true;
}

bool yaml_each(struct yaml_doc *doc, const struct yaml_node *node,
	       bool (*item)(struct yaml_doc *doc, const struct yaml_node *node,
			    const char *text, void *into),
	       void *into)
{
	const struct yaml_node *at = node;
	bool good = true;

	if (!has_value(doc, node))
		return false;
	if (node->kind == YAML_MAP) {
		report_type(doc, node,
			    N_("'%s' must be a text or a list of texts"),
			    N_("a text was expected here"));
		return false;
	}
	if (node->kind == YAML_LIST && node->n == 0) {
		yaml_report(doc, node, N_("'%s' is an empty list"),
			    name_of(node));
		return false;
	}
	if (node->kind == YAML_LIST)
		at = node->first;
	for (; at; at = node->kind == YAML_LIST ? at->next : NULL) {
		const char *text = yaml_text(doc, at);

		good &= text && item(doc, at, text, into);
	}
	return good;
}

/* --- choices -------------------------------------------------------------- */

static void hint_choices(struct yaml_doc *doc, const char *text,
			 const struct yaml_word *words)
{
	cleanup_buf struct buf all;

	buf_init(&all, 1024);
	if (yaml_hint_nearest(doc, text, words))
		return;
	for (const struct yaml_word *w = words; w->word; w++)
		if (!w->means)
			(void)buf_printf(&all, "%s%s", all.len ? ", " : "",
					 w->word);
	if (buf_put_u8(&all, '\0') == 0)
		yaml_hint(doc, N_("one of: %s"), (const char *)all.data);
}

bool yaml_choice(struct yaml_doc *doc, const struct yaml_node *node,
		 const struct yaml_word *words, unsigned int *ret_choice)
{
	const char *text = yaml_text(doc, node);

	if (!text)
		return false;
	for (unsigned int i = 0; words[i].word; i++) {
		if (words[i].means || strcmp(words[i].word, text) != 0)
			continue;
		*ret_choice = i;
		return true;
	}
	hint_choices(doc, text, words);
	yaml_report(doc, node, N_("'%s' is no value of '%s'"), text,
		    name_of(node));
	return false;
}
