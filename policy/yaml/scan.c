/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A first look at the bytes, before libfyaml: what no such file has, and what
 * would let it look other than it is read (overrides of direction, zero-width
 * characters). Once a line is enough.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "policy/yaml/internal.h"

static void say_hidden(struct yaml_doc *doc, const char *at, uint32_t c)
{
	char code[SHOWN_MAX];

	if (c == CHAR_BAD) {
		yaml_hint(doc, N_("save the file as UTF-8"));
		doc_report(doc, (size_t)(at - doc->data), 1,
			   N_("this is not UTF-8"));
		return;
	}
	(void)snprintf(code, sizeof(code), "U+%04" PRIX32, c);
	doc_report(doc, (size_t)(at - doc->data), 1,
		   N_("the invisible character %s is not allowed"), code);
}

static bool scan_characters(struct yaml_doc *doc, const char *text, size_t len)
{
	const char *end = text + len;
	size_t bytes;

	for (const char *at = text; at < end; at += bytes) {
		uint32_t c = char_at(at, end, &bytes);

		if (c == '\t' || !char_is_hidden(c))
			continue;
		say_hidden(doc, at, c);
		return false;
	}
	return true;
}

static bool scan_indentation(struct yaml_doc *doc, const char *text, size_t len)
{
	size_t indent = 0;
	const char *tab;

	while (indent < len && (text[indent] == ' ' || text[indent] == '\t'))
		indent++;
	tab = memchr(text, '\t', indent);
	if (!tab || indent == len || text[indent] == '#')
		return true;
	yaml_hint(doc, N_("indent with spaces"));
	doc_report(doc, (size_t)(tab - doc->data), 1,
		   N_("a tab in the indentation"));
	return false;
}

static bool scan_line(struct yaml_doc *doc, unsigned int line)
{
	size_t len;
	const char *text = doc_line(doc, line, &len);

	if (!scan_characters(doc, text, len) ||
	    !scan_indentation(doc, text, len))
		return false;
	if (len > 0 && text[0] == '%') {
		doc_report(doc, (size_t)(text - doc->data), (unsigned int)len,
			   N_("directives (%%…) are not read"));
		return false;
	}
	return true;
}

bool doc_scan(struct yaml_doc *doc)
{
	bool clean = true;

	for (unsigned int line = 1; line <= doc->lines; line++)
		clean &= scan_line(doc, line);
	if (!clean)
		doc->cut_line = 1;
	return clean;
}
