/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * libfyaml says precisely where YAML's grammar was broken, in the words of
 * that grammar. Those who write rules don't know it: here in theirs.
 */
#include <string.h>

#include "policy/yaml/internal.h"

struct wording {
	const char *part; /* of libfyaml's */
	const char *what;
	const char *hint; /* NULL: none */
};

/* The first that fits. */
static const struct wording wordings[] = {
	/* those of a quote or a sign, BEHIND of them */
	{ "without closing quote", N_("this quote is not closed"), NULL },
	{ "wrongly indented double-quoted", N_("this quote is not closed"),
	  NULL },
	{ "wrongly indented single-quoted", N_("this quote is not closed"),
	  NULL },
	{ "marker in", N_("this quote is not closed"), NULL },
	{ "invalid alias", N_("a value that starts so must be in quotes"),
	  NULL },
	{ "invalid anchor", N_("a value that starts so must be in quotes"),
	  NULL },
	/* the others */
	{ "scalar cannot start with",
	  N_("a value that starts so must be in quotes"), NULL },
	{ "missing comma in flow", N_("a ',' is missing before this"), NULL },
	{ "extra closing", N_("this closes nothing"), NULL },
	{ "mismatched", N_("this closes something else than was opened"),
	  NULL },
	{ "could not find expected ':'", N_("a ':' is missing after this"),
	  NULL },
	{ "invalid value after mapping", N_("a ':' is missing after this"),
	  NULL },
	{ "plain multiline", N_("this runs on to a ':' in a line below"),
	  N_("is a ':' missing here, or the next line indented too far?") },
	{ "invalid multiline", N_("this runs on to a ':' in a line below"),
	  N_("is a ':' missing here, or the next line indented too far?") },
	{ "nested block mapping on the same line",
	  N_("a second ':' in the line"), N_("put the value in quotes") },
	{ "block sequence on the same line", N_("a list can't start here"),
	  N_("put '- ' on a line of its own, or write [a, b]") },
	{ "trailing content", N_("something follows the closing quote"), NULL },
	{ "escape", N_("no such escape after '\\'"),
	  N_("in 'single quotes' a \\ is just a \\") },
	{ "comment without whitespace",
	  N_("a comment needs a space before its '#'"), NULL },
	{ "indent", N_("the indentation fits no line above"), NULL },
	{ "indendation", N_("the indentation fits no line above"), NULL },
	{ "expected '-'", N_("the indentation fits no line above"), NULL },
	{ "end of block sequence", N_("a '-' was expected here"), NULL },
};
#define BEHIND	 6
#define WORDINGS (sizeof(wordings) / sizeof(wordings[0]))

/* The byte of a line and column as libfyaml counts, wherever they point. */
static size_t place_of(const struct yaml_doc *doc, int line, int column)
{
	unsigned int nth = line < 1 ? 1 : (unsigned int)line;
	size_t len;
	const char *text;
	const char *at;

	if (nth > doc->lines) {
		nth = doc->lines;
		column = YAML_FILE_MAX;
	}
	/* What is missing at the end is shown at the last line with text. */
	while (nth > 1 && (doc_line(doc, nth, &len), len == 0)) {
		nth--;
		column = YAML_FILE_MAX;
	}
	text = doc_line(doc, nth, &len);
	at = text;
	for (int i = 1; i < column && at < text + len; i++) {
		size_t bytes;

		(void)char_at(at, text + len, &bytes);
		at += bytes;
	}
	return (size_t)(at - doc->data);
}

/* libfyaml's place is behind some of what it complains about. */
static size_t step_back(const struct yaml_doc *doc, size_t at)
{
	const char *quote = "'\"*&";

	if (at > 0 && strchr(quote, doc->data[at - 1]) &&
	    (at == doc->len || !strchr(quote, doc->data[at])))
		return at - 1;
	return at;
}

void doc_syntax_error(struct yaml_doc *doc, const char *words, int line,
		      int column)
{
	const char *what = N_("this is no valid YAML");
	size_t at = place_of(doc, line, column);

	for (size_t i = 0; i < WORDINGS; i++) {
		if (!strstr(words, wordings[i].part))
			continue;
		what = wordings[i].what;
		if (i < BEHIND)
			at = step_back(doc, at);
		if (wordings[i].hint)
			yaml_hint_as(doc, wordings[i].hint);
		break;
	}
	doc_report_as(doc, at, what);
}
