/* SPDX-License-Identifier: EUPL-1.2 */
/* Ids, and numbers with a unit. */
#include <stdlib.h>
#include <string.h>

#include "fs/base/units.h"
#include "policy/yaml/internal.h"

#define ID_MAX 64

/* --- ids ------------------------------------------------------------------ */

static bool is_id(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return len > 0 && len <= ID_MAX && !text[len];
}

/* What could have been meant: "Voirie_Nord" is "voirie-nord". */
static void hint_id(struct yaml_doc *doc, const char *text)
{
	char id[ID_MAX + 1];
	size_t n = 0;

	for (; text[n] && n < ID_MAX; n++) {
		char c = text[n];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		else if (c == '_' || c == ' ' || c == '.')
			c = '-';
		id[n] = c;
	}
	id[n] = '\0';
	if (!text[n] && is_id(id))
		yaml_hint(doc, N_("did you mean '%s'?"), id);
}

bool yaml_id(struct yaml_doc *doc, const struct yaml_node *node, char **ret_id)
{
	const char *text = yaml_text(doc, node);

	if (!text)
		return false;
	if (is_id(text))
		return yaml_copy(doc, node, ret_id);
	hint_id(doc, text);
	yaml_report(doc, node,
		    N_("'%s' is no id: up to 64 of a-z, 0-9 and '-'"), text);
	return false;
}

/* --- numbers with a unit -------------------------------------------------- */

static bool is_space(const char *at)
{
	return *at == ' ' || *at == '\t';
}

void yaml_bad_measure(struct yaml_doc *doc, const struct yaml_node *node,
		      const char *text, const struct yaml_word *units,
		      const char *example)
{
	const char *at = text;
	const char *meant;

	while (is_space(at))
		at++;
	if (*at < '0' || *at > '9') {
		yaml_report(doc, node,
			    N_("'%s' is not a number and a unit, as '%s' is"),
			    text, example);
		return;
	}
	at += strspn(at, "0123456789.,");
	while (is_space(at))
		at++;
	meant = yaml_nearest(at, units);
	if (!*at) {
		yaml_hint(doc, N_("write it as '%s'"), example);
		yaml_report(doc, node, N_("'%s' has no unit"), text);
	} else if (meant && yaml_distance(at, meant) == 0) {
		yaml_report(doc, node, N_("'%s' is too big, or no number here"),
			    text);
	} else {
		if (!yaml_hint_nearest(doc, at, units))
			yaml_hint(doc, N_("write it as '%s'"), example);
		yaml_report(doc, node, N_("unknown unit '%s'"), at);
	}
}

bool yaml_duration(struct yaml_doc *doc, const struct yaml_node *node,
		   int64_t *ret_s)
{
	static const struct yaml_word units[] = {
		{ "s", NULL },	      { "min", NULL },	  { "minutes", NULL },
		{ "h", NULL },	      { "hours", NULL },  { "day", NULL },
		{ "days", NULL },     { "weeks", NULL },  { "months", NULL },
		{ "years", NULL },    { "heures", NULL }, { "jour", NULL },
		{ "jours", NULL },    { "mois", NULL },	  { "ans", NULL },
		{ "semaines", NULL }, { NULL, NULL },
	};
	const char *text = yaml_text(doc, node);
	struct error why = ERROR_INIT;

	if (!text)
		return false;
	if (units_parse_duration(text, ret_s, &why) == 0)
		return true;
	yaml_bad_measure(doc, node, text, units, "30 days");
	return false;
}

bool yaml_size(struct yaml_doc *doc, const struct yaml_node *node,
	       const char *text, uint64_t *ret_bytes)
{
	static const struct yaml_word units[] = {
		{ "B", NULL },	 { "kB", NULL },  { "MB", NULL },
		{ "GB", NULL },	 { "TB", NULL },  { "KiB", NULL },
		{ "MiB", NULL }, { "GiB", NULL }, { "TiB", NULL },
		{ "o", NULL },	 { "ko", NULL },  { "Mo", NULL },
		{ "Go", NULL },	 { "To", NULL },  { NULL, NULL },
	};
	struct error why = ERROR_INIT;

	if (units_parse_size(text, ret_bytes, &why) == 0)
		return true;
	yaml_bad_measure(doc, node, text, units, "10 GB");
	return false;
}
