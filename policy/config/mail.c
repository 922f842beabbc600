/* SPDX-License-Identifier: EUPL-1.2 */
/* mail: who sends the reports, and to whom. */
#include <string.h>

#include "policy/config/internal.h"

#define LOCAL_MAX   64
#define ADDRESS_MAX 254
#define LABEL_MAX   63

static const char lower[] = "abcdefghijklmnopqrstuvwxyz";
static const char upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

static bool is_of(char c, const char *more)
{
	return c && (strchr(lower, c) || strchr(upper, c) || strchr(more, c));
}

/* Words of letters and what mailboxes have besides, joined by single dots.
 * What needs quotes or is a route ("!", "%") is left out: no mailbox of an
 * office has it. */
static size_t local_len(const char *s)
{
	size_t n = 0;

	while (is_of(s[n], "0123456789'+=_-.")) {
		if (s[n] == '.' && (n == 0 || s[n - 1] == '.'))
			return 0;
		n++;
	}
	return n > 0 && n <= LOCAL_MAX && s[n - 1] != '.' && s[0] != '-' ? n
									 : 0;
}

/* Two labels at least. */
static bool is_domain(const char *s)
{
	unsigned int labels = 0;

	for (;;) {
		size_t n = 0;

		while (is_of(s[n], "0123456789-"))
			n++;
		if (n == 0 || n > LABEL_MAX || s[0] == '-' || s[n - 1] == '-')
			return false;
		labels++;
		if (!s[n])
			return labels > 1;
		if (s[n] != '.')
			return false;
		s += n + 1;
	}
}

static bool is_address(const char *text)
{
	size_t n = local_len(text);

	return n > 0 && text[n] == '@' && strlen(text) <= ADDRESS_MAX &&
	       is_domain(text + n + 1);
}

static bool check(struct yaml_doc *doc, const struct yaml_node *node,
		  const char *text)
{
	if (is_address(text))
		return true;
	yaml_report(doc, node, N_("'%s' is no address like 'name@town.fr'"),
		    text);
	return false;
}

static bool add_address(struct yaml_doc *doc, const struct yaml_node *node,
			const char *text, void *into)
{
	return check(doc, node, text) && texts_add(doc, node, text, into);
}

void addresses_take(struct yaml_doc *doc, const struct yaml_node *node,
		    char ***ret_list)
{
	struct texts texts = { .list = ret_list };

	(void)yaml_each(doc, node, add_address, &texts);
}

static void take_from(struct yaml_doc *doc, const struct yaml_node *node,
		      void *into)
{
	const char *text = yaml_text(doc, node);

	if (text && check(doc, node, text))
		(void)yaml_copy(doc, node,
				&((struct reading *)into)->config->mail_from);
}

static void take_to(struct yaml_doc *doc, const struct yaml_node *node,
		    void *into)
{
	addresses_take(doc, node, &((struct reading *)into)->config->mail_to);
}

static void take_program(struct yaml_doc *doc, const struct yaml_node *node,
			 void *into)
{
	path_take(doc, node, &((struct reading *)into)->config->mail_program);
}

void take_mail(struct yaml_doc *doc, const struct yaml_node *node, void *into)
{
	static const struct yaml_key keys[] = {
		{ "from", take_from },
		{ "to", take_to },
		{ "program", take_program },
		{ NULL, NULL },
	};
	static const struct yaml_word words[] = {
		{ "de", "from" },
		{ "a", "to" },
		{ "programme", "program" },
		{ "sendmail", "program" },
		{ NULL, NULL },
	};
	static const struct yaml_schema schema = { keys, words };

	if (yaml_map(doc, node, &schema, into) && !node->cut &&
	    !yaml_get(node, "from"))
		yaml_report(doc, node, N_("a sender without '%s'"), "from");
}
