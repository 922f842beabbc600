/* SPDX-License-Identifier: EUPL-1.2 */
/* Any bytes as a file of an administrator's; messages must be harmless. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "policy/yaml/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hear(void *ctx, const char *text)
{
	size_t len = strlen(text);

	assert(len > 0 && text[len - 1] == '\n');
	for (size_t i = 0; i < len; i++)
		assert(text[i] == '\n' ||
		       ((unsigned char)text[i] >= ' ' && text[i] != 0x7f));
	(*(unsigned int *)ctx)++;
}

/* Every node has its place, and text or children. */
static void look(struct yaml_doc *doc, const struct yaml_node *node,
		 unsigned int depth)
{
	unsigned int n = 0;

	assert(depth <= YAML_DEPTH_MAX);
	assert(node->line > 0 && node->column > 0 && node->width > 0);
	assert((node->kind == YAML_SCALAR) == (node->text != NULL));
	for (const struct yaml_node *at = node->first; at; at = at->next, n++) {
		assert((node->kind == YAML_MAP) == (at->key != NULL));
		look(doc, at, depth + 1);
	}
	assert(n == node->n);
	if (n == 0) {
		yaml_hint(doc, "a hint of %s", node->text ? node->text : "");
		yaml_report(doc, node, "here %s", node->text ? node->text : "");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int heard = 0;
	struct yaml_messages messages = { hear, &heard, NULL };
	struct yaml_diag diag;
	struct yaml_doc *doc = NULL;
	struct error err = ERROR_INIT;

	yaml_diag_init(&diag, &messages);
	if (yaml_parse("f", (const char *)data, size, &diag, &doc, &err) < 0)
		return 0;
	if (yaml_root(doc))
		look(doc, yaml_root(doc), 0);
	yaml_free(doc);
	assert(heard == diag.said && heard <= YAML_MESSAGES_MAX);
	return 0;
}
