/* SPDX-License-Identifier: EUPL-1.2 */
/* people, pack, roles. */
#include <stdio.h>
#include <string.h>

#include "policy/config/internal.h"

#define BURST_MAX 1000000

/* --- people --------------------------------------------------------------- */

/* The next word, lower case or not, past "/" and blanks; "" at the end. */
static const char *next_word(const char *at, char ret_word[16])
{
	size_t len;

	at += strspn(at, " /");
	len = strcspn(at, " /");
	(void)snprintf(ret_word, 16, "%.*s", (int)(len < 15 ? len : 15), at);
	return at + len;
}

static unsigned int one_of(const char *word, const struct yaml_word *words)
{
	unsigned int i = 0;

	while (words[i].word && strcmp(words[i].word, word) != 0)
		i++;
	return i;
}

static const char burst_example[] = "300 files per minute";

static bool burst_word(struct yaml_doc *doc, const struct yaml_node *node,
		       const char **at, const struct yaml_word *words,
		       unsigned int *ret_which)
{
	char word[16];

	*at = next_word(*at, word);
	*ret_which = one_of(word, words);
	if (words[*ret_which].word)
		return true;
	if (!yaml_hint_nearest(doc, word, words))
		yaml_hint(doc, N_("write it as '%s'"), burst_example);
	if (*word)
		yaml_report(doc, node, N_("unknown unit '%s'"), word);
	else
		yaml_report(doc, node, N_("'%s' has no unit"), node->text);
	return false;
}

static void take_burst(struct yaml_doc *doc, const struct yaml_node *node,
		       void *into)
{
	static const struct yaml_word things[] = {
		{ "files", NULL },   { "file", NULL }, { "fichiers", NULL },
		{ "fichier", NULL }, { NULL, NULL },
	};
	static const struct yaml_word times[] = {
		{ "second", NULL }, { "seconde", NULL }, { "s", NULL },
		{ "minute", NULL }, { "min", NULL },	 { "hour", NULL },
		{ "heure", NULL },  { "h", NULL },	 { NULL, NULL },
	};
	static const uint16_t seconds[] = { 1, 1, 1, 60, 60, 3600, 3600, 3600 };
	struct config *config = ((struct reading *)into)->config;
	const char *text = yaml_text(doc, node);
	const char *at = text;
	uint32_t files;
	unsigned int which;
	char word[16];
	const char *after;

	if (!text)
		return;
	if (!read_count(&at, BURST_MAX, &files) || files == 0) {
		yaml_hint(doc, N_("write it as '%s'"), burst_example);
		yaml_report(doc, node,
			    N_("'%s' does not start with a number from 1 to "
			       "%u"),
			    text, BURST_MAX);
		return;
	}
	if (!burst_word(doc, node, &at, things, &which))
		return;
	after = next_word(at, word);
	if (!strcmp(word, "per") || !strcmp(word, "par"))
		at = after;
	if (!burst_word(doc, node, &at, times, &which))
		return;
	at += strspn(at, " ");
	if (*at) {
		yaml_report(doc, node, N_("'%s' is too much here"), at);
		return;
	}
	config->burst_files = files;
	config->burst_s = seconds[which];
}

static void take_accounts(struct yaml_doc *doc, const struct yaml_node *node,
			  void *into)
{
	texts_take(doc, node,
		   &((struct reading *)into)->config->service_accounts);
}

void take_people(struct yaml_doc *doc, const struct yaml_node *node, void *into)
{
	static const struct yaml_key keys[] = {
		{ "service_accounts", take_accounts },
		{ "burst", take_burst },
		{ NULL, NULL },
	};
	static const struct yaml_word words[] = {
		{ "comptes_de_service", "service_accounts" },
		{ "comptes_ignores", "service_accounts" },
		{ "accounts", "service_accounts" },
		{ "rafale", "burst" },
		{ NULL, NULL },
	};
	static const struct yaml_schema schema = { keys, words };

	(void)yaml_map(doc, node, &schema, into);
}

/* --- pack ----------------------------------------------------------------- */

static void take_min_age(struct yaml_doc *doc, const struct yaml_node *node,
			 void *into)
{
	(void)yaml_duration(doc, node,
			    &((struct reading *)into)->config->pack_min_age_s);
}

static void take_exclude(struct yaml_doc *doc, const struct yaml_node *node,
			 void *into)
{
	texts_take(doc, node, &((struct reading *)into)->config->pack_exclude);
}

/* "20:00", "20h", "20h30": minutes since midnight. */
static bool read_time(const char **at, uint16_t *ret_min)
{
	uint32_t hours;
	uint32_t minutes = 0;
	size_t digits = strspn(*at, "0123456789");
	bool french;

	if (digits > 2 || !read_count(at, 24, &hours) || !strchr(":hH", **at) ||
	    !**at)
		return false;
	french = **at != ':';
	(*at)++;
	digits = strspn(*at, "0123456789");
	if (digits == 2 ? !read_count(at, 59, &minutes)
			: digits != 0 || !french)
		return false;
	if (hours * 60 + minutes > 24 * 60)
		return false;
	*at += strspn(*at, " ");
	*ret_min = (uint16_t)((hours * 60 + minutes) % (24 * 60));
	return true;
}

static void take_window(struct yaml_doc *doc, const struct yaml_node *node,
			void *into)
{
	struct config *config = ((struct reading *)into)->config;
	const char *text = yaml_text(doc, node);
	const char *at = text;
	uint16_t from;
	uint16_t until;

	if (!text)
		return;
	if (read_time(&at, &from) && *at == '-') {
		at++;
		at += strspn(at, " ");
		if (read_time(&at, &until) && !*at) {
			config->pack_from_min = from;
			config->pack_until_min = until;
			return;
		}
	}
	yaml_report(doc, node, N_("'%s' is no time of day like '20:00-06:00'"),
		    text);
}

void take_pack(struct yaml_doc *doc, const struct yaml_node *node, void *into)
{
	static const struct yaml_key keys[] = {
		{ "min_age", take_min_age },
		{ "exclude", take_exclude },
		{ "window", take_window },
		{ NULL, NULL },
	};
	static const struct yaml_word words[] = {
		{ "age_min", "min_age" }, { "age", "min_age" },
		{ "exclure", "exclude" }, { "except", "exclude" },
		{ "sauf", "exclude" },	  { "fenetre", "window" },
		{ "horaires", "window" }, { NULL, NULL },
	};
	static const struct yaml_schema schema = { keys, words };

	(void)yaml_map(doc, node, &schema, into);
}

/* --- roles ---------------------------------------------------------------- */

static void take_admin(struct yaml_doc *doc, const struct yaml_node *node,
		       void *into)
{
	groups_take(doc, node, &((struct reading *)into)->config->roles_admin);
}

static void take_archivist(struct yaml_doc *doc, const struct yaml_node *node,
			   void *into)
{
	groups_take(doc, node,
		    &((struct reading *)into)->config->roles_archivist);
}

static void take_dpo(struct yaml_doc *doc, const struct yaml_node *node,
		     void *into)
{
	groups_take(doc, node, &((struct reading *)into)->config->roles_dpo);
}

void take_roles(struct yaml_doc *doc, const struct yaml_node *node, void *into)
{
	static const struct yaml_key keys[] = {
		{ "admin", take_admin },
		{ "archivist", take_archivist },
		{ "dpo", take_dpo },
		{ NULL, NULL },
	};
	static const struct yaml_word words[] = {
		{ "administrateur", "admin" },
		{ "administrator", "admin" },
		{ "archiviste", "archivist" },
		{ "archives", "archivist" },
		{ "dpd", "dpo" },
		{ NULL, NULL },
	};
	static const struct yaml_schema schema = { keys, words };

	(void)yaml_map(doc, node, &schema, into);
}
