/* SPDX-License-Identifier: EUPL-1.2 */
/* Decimal numbers with a unit, within bounds. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/config/internal.h"

#define MILLION	   UINT64_C(1000000)
#define DIGITS_MAX 9

/* "0.16" or "0,16", its text with a point; and in millionths, cut. */
struct decimal {
	char text[2 * DIGITS_MAX + 2];
	uint64_t millionths;
};

static bool read_decimal(const char **at, struct decimal *ret)
{
	size_t whole = strspn(*at, "0123456789");
	size_t parts = 0;
	uint64_t scale = MILLION;

	if (whole == 0 || whole > DIGITS_MAX)
		return false;
	if (strchr(".,", (*at)[whole]) && (*at)[whole]) {
		parts = strspn(*at + whole + 1, "0123456789");
		if (parts == 0 || parts > DIGITS_MAX)
			return false;
		parts++;
	}
	memcpy(ret->text, *at, whole + parts);
	ret->text[whole + parts] = '\0';
	if (parts)
		ret->text[whole] = '.';
	ret->millionths = 0;
	for (size_t i = 0; i < whole; i++)
		ret->millionths = ret->millionths * 10 +
				  (uint64_t)(ret->text[i] - '0') * MILLION;
	for (size_t i = whole + 1; i < whole + parts; i++) {
		scale /= 10;
		ret->millionths += (uint64_t)(ret->text[i] - '0') * scale;
	}
	*at += whole + parts;
	*at += strspn(*at, " ");
	return true;
}

bool is_unit(const char *text, const struct yaml_word *units)
{
	for (; units->word; units++)
		if (!units->means && !strcasecmp(units->word, text))
			return true;
	return false;
}

bool take_quantity(struct yaml_doc *doc, const struct yaml_node *node,
		   const struct quantity *q, char **ret_text,
		   uint64_t *ret_millionths)
{
	const char *text = yaml_text(doc, node);
	const char *at = text;
	struct decimal number;
	char *copy;

	if (!text)
		return false;
	if (!read_decimal(&at, &number) || (!q->units && *at)) {
		yaml_report(doc, node, N_("'%s' is no number like '%s'"), text,
			    q->example);
		return false;
	}
	if (q->units && !is_unit(at, q->units)) {
		yaml_bad_measure(doc, node, text, q->units, q->example);
		return false;
	}
	if (number.millionths < q->least * UINT64_C(1000) ||
	    number.millionths > q->most * UINT64_C(1000)) {
		yaml_report(doc, node, N_("'%s' is out of range: %s"), text,
			    q->range);
		return false;
	}
	if (ret_millionths)
		*ret_millionths = number.millionths;
	if (!ret_text)
		return true;
	copy = strdup(number.text);
	if (!copy)
		yaml_no_memory(doc);
	free(*ret_text);
	*ret_text = copy;
	return copy != NULL;
}
