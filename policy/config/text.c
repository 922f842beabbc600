/* SPDX-License-Identifier: EUPL-1.2 */
/* Texts, lists of them, paths, groups. */
#include <stdlib.h>
#include <string.h>

#include "policy/config/internal.h"

#define GROUP_NAME_MAX 128

bool texts_add(struct yaml_doc *doc, const struct yaml_node *node,
	       const char *text, void *into)
{
	struct texts *texts = into;
	char **list = realloc(*texts->list, (texts->n + 2) * sizeof(*list));
	char *copy = strdup(text);

	(void)node;
	if (list)
		*texts->list = list;
	if (!list || !copy) {
		free(copy);
		yaml_no_memory(doc);
		return false;
	}
	list[texts->n++] = copy;
	list[texts->n] = NULL;
	return true;
}

void texts_take(struct yaml_doc *doc, const struct yaml_node *node,
		char ***ret_list)
{
	struct texts texts = { .list = ret_list };

	(void)yaml_each(doc, node, texts_add, &texts);
}

/* Directories of people allow blanks and backslashes ("CITY\\domain users"). */
static bool add_group(struct yaml_doc *doc, const struct yaml_node *node,
		      const char *text, void *into)
{
	size_t len = strlen(text);

	if (len <= GROUP_NAME_MAX && !strpbrk(text, ":,/") && text[0] != ' ' &&
	    text[0] != '-' && text[len - 1] != ' ')
		return texts_add(doc, node, text, into);
	yaml_report(doc, node, N_("'%s' is no name of a group"), text);
	return false;
}

void groups_take(struct yaml_doc *doc, const struct yaml_node *node,
		 char ***ret_list)
{
	struct texts texts = { .list = ret_list };

	(void)yaml_each(doc, node, add_group, &texts);
}

static bool goes_up(const char *path)
{
	for (const char *at = path; (at = strstr(at, "/..")); at += 3)
		if (at[3] == '/' || !at[3])
			return true;
	return false;
}

void path_take(struct yaml_doc *doc, const struct yaml_node *node,
	       char **ret_path)
{
	const char *text = yaml_text(doc, node);

	if (!text)
		return;
	if (text[0] == '/' && !goes_up(text))
		(void)yaml_copy(doc, node, ret_path);
	else
		yaml_report(doc, node,
			    N_("'%s' is no absolute path without '..'"), text);
}

void texts_free(char **list)
{
	for (char **at = list; at && *at; at++)
		free(*at);
	free(list);
}

bool read_count(const char **at, uint32_t max, uint32_t *ret_count)
{
	uint64_t count = 0;
	const char *start = *at;

	for (; **at >= '0' && **at <= '9'; (*at)++) {
		count = count * 10 + (uint64_t)(**at - '0');
		if (count > max)
			return false;
	}
	if (*at == start)
		return false;
	*at += strspn(*at, " ");
	*ret_count = (uint32_t)count;
	return true;
}
