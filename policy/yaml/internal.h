/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_YAML_INTERNAL_H
#define SOBREFS_YAML_INTERNAL_H

#include <stdarg.h>

#include "fs/base/buf.h"
#include "policy/yaml/yaml.h"

struct message {
	unsigned int line, column, order;
	char *text;
};

struct yaml_doc {
	char *name;
	char *data; /* without a byte order mark; a NUL behind */
	size_t len;
	size_t *start; /* of each line, in bytes */
	unsigned int lines;
	/* The last place asked for: libfyaml goes forward, and so a line as
	 * long as the file is counted once. */
	size_t seen;
	unsigned int seen_line, seen_column;
	struct yaml_diag *diag;
	struct yaml_node *root;
	struct yaml_node *all;
	unsigned int nodes;
	/* From this line on the text made no sense: what was read there is
	 * not to be complained about. */
	unsigned int cut_line;
	char *hint; /* for the next message */
	struct message message[YAML_MESSAGES_MAX];
	unsigned int messages;
	bool no_memory;
};

/* --- chars.c ------------------------------------------------------------ */

#define CHAR_BAD UINT32_MAX
/* The character at `at`, and how many bytes it has (1 when bad); at < end. */
uint32_t char_at(const char *at, const char *end, size_t *ret_bytes);
/* Would a terminal obey it, or hide it, or let it reorder the line? */
bool char_is_hidden(uint32_t c);
/* Columns on a terminal: 0, 1 or 2. */
unsigned int char_width(uint32_t c);
/* The character as shown: itself, or "\x1b". */
#define SHOWN_MAX 16
void char_show(const char *at, size_t bytes, uint32_t c, char ret[SHOWN_MAX]);
/* `text` with what is hidden made visible, cut after `max` characters. */
void put_shown(struct buf *out, const char *text, size_t len, size_t max);

/* --- say.c -------------------------------------------------------------- */

/* printf with %s, %u and %%, translated; texts shown and cut. */
void put_format(struct buf *out, const struct yaml_diag *diag,
		const char *msgid, va_list args);

/* --- quote.c ------------------------------------------------------------ */

/* The line with its number, and the caret below. */
void put_quote(struct buf *out, const struct yaml_doc *doc, unsigned int line,
	       unsigned int column, unsigned int width);

/* --- doc.c -------------------------------------------------------------- */

/* Line and column, from 1, of a byte. */
void doc_place(struct yaml_doc *doc, size_t at, unsigned int *ret_line,
	       unsigned int *ret_column);
/* Characters from one byte to another, of the first's line; at least 1. */
unsigned int doc_width(struct yaml_doc *doc, size_t at, size_t end);
/* The bytes of a line, without what ends it. */
const char *doc_line(const struct yaml_doc *doc, unsigned int line,
		     size_t *ret_len);
/* A message at a byte, with a caret of `width` characters. */
void doc_report(struct yaml_doc *doc, size_t at, unsigned int width,
		const char *msgid, ...) __attribute__((format(printf, 4, 5)));

/* The three where the msgid is no literal; the compiler can't check it. */
void doc_report_as(struct yaml_doc *doc, size_t at, const char *msgid);
void yaml_report_as(struct yaml_doc *doc, const struct yaml_node *at,
		    const char *msgid, ...);
void yaml_hint_as(struct yaml_doc *doc, const char *msgid, ...);

/* --- scan.c, tree.c, syntax.c ------------------------------------------- */

/* Says what libfyaml must not see; false if there was some. */
bool doc_scan(struct yaml_doc *doc);
int doc_build(struct yaml_doc *doc, struct error *err);
/* Says in our words what libfyaml found, at a place that it named. */
void doc_syntax_error(struct yaml_doc *doc, const char *words, int line,
		      int column);

#endif
