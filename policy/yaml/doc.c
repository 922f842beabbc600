/* SPDX-License-Identifier: EUPL-1.2 */
/* A document: its bytes, its lines, and the messages about it. */
#include <stdlib.h>
#include <string.h>

#include "policy/yaml/internal.h"

#define TEXT_MAX 65536 /* bytes of a message */
#define HINT_MAX 4096

const struct yaml_node *yaml_root(const struct yaml_doc *doc)
{
	return doc->root;
}

int yaml_failure(const struct yaml_doc *doc)
{
	return doc->no_memory ? -ENOMEM : 0;
}

void yaml_no_memory(struct yaml_doc *doc)
{
	doc->no_memory = true;
}

/* --- places --------------------------------------------------------------- */

static int find_lines(struct yaml_doc *doc)
{
	unsigned int lines = 1;

	for (size_t i = 0; i < doc->len; i++)
		lines += doc->data[i] == '\n';
	doc->start = calloc(lines, sizeof(*doc->start));
	if (!doc->start)
		return -ENOMEM;
	doc->lines = 1;
	for (size_t i = 0; i < doc->len; i++)
		if (doc->data[i] == '\n')
			doc->start[doc->lines++] = i + 1;
	return 0;
}

const char *doc_line(const struct yaml_doc *doc, unsigned int line,
		     size_t *ret_len)
{
	size_t from = doc->start[line - 1];
	size_t to = line < doc->lines ? doc->start[line] - 1 : doc->len;

	if (to > from && doc->data[to - 1] == '\r')
		to--;
	*ret_len = to - from;
	return doc->data + from;
}

/* How many characters from `at` to `end`. */
static unsigned int characters(const char *at, const char *end)
{
	unsigned int n = 0;
	size_t bytes;

	for (; at < end; at += bytes, n++)
		(void)char_at(at, end, &bytes);
	return n;
}

static unsigned int line_of(const struct yaml_doc *doc, size_t at)
{
	unsigned int low = 0;
	unsigned int high = doc->lines;

	while (high - low > 1) {
		unsigned int middle = low + (high - low) / 2;

		if (doc->start[middle] <= at)
			low = middle;
		else
			high = middle;
	}
	return low + 1;
}

void doc_place(struct yaml_doc *doc, size_t at, unsigned int *ret_line,
	       unsigned int *ret_column)
{
	unsigned int line;
	size_t from;

	if (at > doc->len)
		at = doc->len;
	line = line_of(doc, at);
	from = doc->start[line - 1];
	*ret_line = line;
	*ret_column = 1;
	if (doc->seen_line == line && doc->seen <= at) {
		from = doc->seen;
		*ret_column = doc->seen_column;
	}
	*ret_column += characters(doc->data + from, doc->data + at);
	doc->seen = at;
	doc->seen_line = line;
	doc->seen_column = *ret_column;
}

unsigned int doc_width(struct yaml_doc *doc, size_t at, size_t end)
{
	unsigned int line;
	unsigned int column;
	unsigned int width;
	size_t len;
	const char *text;

	if (at > doc->len)
		at = doc->len;
	doc_place(doc, at, &line, &column);
	text = doc_line(doc, line, &len);
	if (end > (size_t)(text - doc->data) + len)
		end = (size_t)(text - doc->data) + len;
	if (end <= at)
		return 1;
	width = characters(doc->data + at, doc->data + end);
	return width > 0 ? width : 1;
}

/* --- messages ------------------------------------------------------------- */

static void add_message(struct yaml_doc *doc, unsigned int line,
			unsigned int column, struct buf *text)
{
	struct message *m = &doc->message[doc->messages];

	doc->diag->said++; /* an error even when its words are lost */
	if (buf_put_u8(text, '\0') < 0) {
		doc->no_memory = true;
		return;
	}
	*m = (struct message){ line, column, doc->messages,
			       (char *)text->data };
	*text = (struct buf){ .data = NULL };
	doc->messages++;
}

static void report_at(struct yaml_doc *doc, unsigned int line,
		      unsigned int column, unsigned int width,
		      const char *msgid, va_list args)
{
	cleanup_free char *hint = take_ptr(&doc->hint);
	cleanup_buf struct buf text;

	buf_init(&text, TEXT_MAX);
	if (doc->diag->said >= YAML_MESSAGES_MAX) {
		doc->diag->left_out++;
		return;
	}
	put_shown(&text, doc->name, strlen(doc->name), SIZE_MAX);
	(void)buf_printf(&text, ":%u:%u: ", line, column);
	put_format(&text, doc->diag, msgid, args);
	(void)buf_put_u8(&text, '\n');
	put_quote(&text, doc, line, column, width);
	if (hint)
		(void)buf_printf(&text, "      | %s\n", hint);
	add_message(doc, line, column, &text);
}

static void report_byte(struct yaml_doc *doc, size_t at, unsigned int width,
			const char *msgid, va_list args)
{
	unsigned int line;
	unsigned int column;

	doc_place(doc, at, &line, &column);
	report_at(doc, line, column, width, msgid, args);
}

void doc_report(struct yaml_doc *doc, size_t at, unsigned int width,
		const char *msgid, ...)
{
	va_list args;

	va_start(args, msgid);
	report_byte(doc, at, width, msgid, args);
	va_end(args);
}

static void report_none(struct yaml_doc *doc, size_t at, const char *msgid, ...)
{
	va_list args;

	va_start(args, msgid);
	report_byte(doc, at, 1, msgid, args);
	va_end(args);
}

void doc_report_as(struct yaml_doc *doc, size_t at, const char *msgid)
{
	report_none(doc, at, msgid);
}

static void report_node(struct yaml_doc *doc, const struct yaml_node *at,
			const char *msgid, va_list args)
{
	static const struct yaml_node top = { .line = 1,
					      .column = 1,
					      .width = 1 };

	if (!at)
		at = &top;
	if (at->line >= doc->cut_line)
		free(take_ptr(&doc->hint));
	else
		report_at(doc, at->line, at->column, at->width, msgid, args);
}

void yaml_report(struct yaml_doc *doc, const struct yaml_node *at,
		 const char *msgid, ...)
{
	va_list args;

	va_start(args, msgid);
	report_node(doc, at, msgid, args);
	va_end(args);
}

void yaml_report_as(struct yaml_doc *doc, const struct yaml_node *at,
		    const char *msgid, ...)
{
	va_list args;

	va_start(args, msgid);
	report_node(doc, at, msgid, args);
	va_end(args);
}

static void set_hint(struct yaml_doc *doc, const char *msgid, va_list args)
{
	cleanup_buf struct buf text;

	buf_init(&text, HINT_MAX);
	put_format(&text, doc->diag, msgid, args);
	free(doc->hint);
	doc->hint = buf_put_u8(&text, '\0') == 0 ? (char *)take_ptr(&text.data)
						 : NULL;
}

void yaml_hint(struct yaml_doc *doc, const char *msgid, ...)
{
	va_list args;

	va_start(args, msgid);
	set_hint(doc, msgid, args);
	va_end(args);
}

void yaml_hint_as(struct yaml_doc *doc, const char *msgid, ...)
{
	va_list args;

	va_start(args, msgid);
	set_hint(doc, msgid, args);
	va_end(args);
}

static int by_place(const void *a, const void *b)
{
	const struct message *x = a;
	const struct message *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static void say_all(struct yaml_doc *doc)
{
	const struct yaml_messages *to = doc->diag->to;

	qsort(doc->message, doc->messages, sizeof(doc->message[0]), by_place);
	for (unsigned int i = 0; i < doc->messages; i++) {
		if (to->say)
			to->say(to->ctx, doc->message[i].text);
		free(doc->message[i].text);
	}
}

/* --- from bytes to nodes -------------------------------------------------- */

void yaml_free(struct yaml_doc *doc)
{
	if (!doc)
		return;
	say_all(doc);
	for (struct yaml_node *node = doc->all; node;) {
		struct yaml_node *next = node->all;

		free(node->text);
		free(node);
		node = next;
	}
	free(doc->hint);
	free(doc->start);
	free(doc->data);
	free(doc->name);
	free(doc);
}

int yaml_parse(const char *name, const char *data, size_t len,
	       struct yaml_diag *diag, struct yaml_doc **ret_doc,
	       struct error *err)
{
	static const char mark[] = "\xef\xbb\xbf";
	CLEANUP(yaml_free) struct yaml_doc *doc = calloc(1, sizeof(*doc));
	int rc = 0;

	if (!doc)
		return error_set(err, -ENOMEM, "no memory");
	doc->diag = diag;
	doc->cut_line = UINT32_MAX;
	if (len >= 3 && !memcmp(data, mark, 3)) {
		data += 3;
		len -= 3;
	}
	doc->name = strdup(name);
	doc->data = malloc(len + 1);
	if (!doc->name || !doc->data)
		return error_set(err, -ENOMEM, "no memory");
	memcpy(doc->data, data, len);
	doc->data[len] = '\0';
	doc->len = len;
	if (find_lines(doc) < 0)
		return error_set(err, -ENOMEM, "no memory");
	if (len > YAML_FILE_MAX)
		doc_report(doc, 0, 1, N_("the file is bigger than 1 MiB"));
	else if (doc_scan(doc))
		rc = doc_build(doc, err);
	if (rc < 0)
		return rc;
	*ret_doc = take_ptr(&doc);
	return 0;
}
