/* SPDX-License-Identifier: EUPL-1.2 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lang/internal.h"

struct bounds {
	uint64_t min, max;
	bool none; /* no size at all */
};

static void narrow(struct bounds *b, const char *sign, uint64_t bytes)
{
	bool least = sign[0] == '>';
	bool itself = sign[1] == '=';

	if (!itself && bytes == (least ? UINT64_MAX : 0))
		b->none = true;
	else if (least && bytes + !itself > b->min)
		b->min = bytes + !itself;
	else if (!least && bytes - !itself < b->max)
		b->max = bytes - !itself;
}

/* One comparison; `text` is changed. */
static bool take_one(struct yaml_doc *doc, const struct yaml_node *node,
		     char *text, struct bounds *b)
{
	char *at = text + strspn(text, " ");
	const char *sign = at;
	uint64_t bytes;
	size_t len = strlen(at);

	while (len > 0 && at[len - 1] == ' ')
		at[--len] = '\0';
	at += *at == '>' || *at == '<';
	if (at == sign) {
		yaml_hint(doc, N_("write it as '%s'"), ">= 10 MB");
		yaml_report(doc, node,
			    N_("'%s' does not say whether '<', '<=', '>' or "
			       "'>='"),
			    text);
		return false;
	}
	at += *at == '=';
	at += strspn(at, " ");
	if (!yaml_size(doc, node, at, &bytes))
		return false;
	narrow(b, sign, bytes);
	return true;
}

void size_take(struct yaml_doc *doc, const struct yaml_node *node,
	       struct rule *rule)
{
	struct bounds b = { .min = 0, .max = UINT64_MAX };
	const char *text = yaml_text(doc, node);
	cleanup_free char *copy = text ? strdup(text) : NULL;
	char *second;
	size_t word = 5;

	if (!text)
		return;
	if (!copy) {
		yaml_no_memory(doc);
		return;
	}
	second = strstr(copy, " and ");
	if (!second) {
		second = strstr(copy, " et ");
		word = 4;
	}
	if (second)
		*second = '\0';
	if (!take_one(doc, node, copy, &b) ||
	    (second && !take_one(doc, node, second + word, &b)))
		return;
	if (b.none || b.min > b.max) {
		yaml_report(doc, node, N_("no file has the size '%s'"), text);
		return;
	}
	rule->size_min_bytes = b.min;
	rule->size_max_bytes = b.max;
}
