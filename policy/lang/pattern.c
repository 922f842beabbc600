/* SPDX-License-Identifier: EUPL-1.2 */
/* Patterns and paths as they are written; what they fit is policy/eval's. */
#include <stdlib.h>
#include <string.h>

#include "policy/lang/internal.h"

bool strings_add(struct yaml_doc *doc, struct strings *strings,
		 const char *text)
{
	char **item = realloc(strings->item, (strings->n + 1U) * sizeof(*item));
	char *copy = strdup(text);

	if (item)
		strings->item = item;
	if (!item || !copy) {
		free(copy);
		yaml_no_memory(doc);
		return false;
	}
	item[strings->n++] = copy;
	return true;
}

void strings_free(struct strings *strings)
{
	for (unsigned int i = 0; i < strings->n; i++)
		free(strings->item[i]);
	free(strings->item);
	*strings = (struct strings){ .n = 0 };
}

/* The next component of a path, and how long it is; NULL: no more. */
static const char *component(const char **at, size_t *ret_len)
{
	const char *start = *at;

	if (!start)
		return NULL;
	*ret_len = strcspn(start, "/");
	*at = start[*ret_len] ? start + *ret_len + 1 : NULL;
	return start;
}

static bool is(const char *part, size_t len, const char *word)
{
	return strlen(word) == len && !strncmp(part, word, len);
}

static void hint_slashes(struct yaml_doc *doc, const char *text)
{
	cleanup_free char *copy = strdup(text);

	for (char *at = copy; at && *at; at++)
		if (*at == '\\')
			*at = '/';
	if (copy)
		yaml_hint(doc, N_("did you mean '%s'?"), copy);
}

/* Says what no path can be. */
static bool is_path(struct yaml_doc *doc, const struct yaml_node *node,
		    const char *text)
{
	const char *at = *text == '/' ? text + 1 : text;
	const char *part;
	size_t len;

	if (strchr(text, '\\')) {
		hint_slashes(doc, text);
		yaml_report(doc, node,
			    N_("'\\' in a path: directories are parted by "
			       "'/'"));
		return false;
	}
	while ((part = component(&at, &len))) {
		if (len > 0 && !is(part, len, ".") && !is(part, len, ".."))
			continue;
		if (len == 0 && !at && part > text + 1)
			yaml_hint(doc, N_("did you mean '%s**'?"), text);
		yaml_report(doc, node,
			    N_("'%s' has a part that is empty, '.' or '..'"),
			    text);
		return false;
	}
	return true;
}

/* "a**" looks as if it crossed directories. */
static bool has_loose_stars(const char *text)
{
	const char *at = text;
	const char *part;
	size_t len;

	while ((part = component(&at, &len)))
		if (len > 2 && memmem(part, len, "**", 2))
			return true;
	return false;
}

bool pattern_add(struct yaml_doc *doc, const struct yaml_node *node,
		 const char *text, void *into)
{
	if (!is_path(doc, node, text))
		return false;
	if (!has_loose_stars(text))
		return strings_add(doc, into, text);
	yaml_report(doc, node,
		    N_("'**' stands for whole directories: alone between two "
		       "'/'"));
	return false;
}

bool name_add(struct yaml_doc *doc, const struct yaml_node *node,
	      const char *text, void *into)
{
	if (!strchr(text, '/'))
		return strings_add(doc, into, text);
	yaml_report(doc, node,
		    N_("'%s' is no name: it has a '/', as 'paths' have"), text);
	return false;
}

bool example_add(struct yaml_doc *doc, const struct yaml_node *node,
		 const char *text, void *into)
{
	if (text[0] != '/') {
		yaml_report(doc, node,
			    N_("'%s' does not start with '/', the drive's "
			       "root"),
			    text);
		return false;
	}
	return is_path(doc, node, text) && strings_add(doc, into, text);
}

/* Without a "/" in front a pattern fits at any depth, as after a star. */
bool pattern_is_at_root(const char *pattern)
{
	bool absolute = *pattern == '/';
	const char *at = absolute ? pattern + 1 : pattern;
	unsigned int parts = 0;
	unsigned int named = 0;
	bool first_named = false;
	const char *part;
	size_t len;

	while ((part = component(&at, &len))) {
		bool has_name = strspn(part, "*?") < len;

		if (parts++ == 0)
			first_named = absolute && has_name;
		named += has_name;
	}
	return named == 0 || (named == 1 && first_named && parts > 1);
}

bool pattern_is_of_directories(const char *pattern)
{
	size_t len = strlen(pattern);

	return len > 3 && !strcmp(pattern + len - 3, "/**");
}
