/* SPDX-License-Identifier: EUPL-1.2 */
/* The line that a message is about, and the caret below it. */
#include <string.h>

#include "policy/yaml/internal.h"

#define QUOTE_COLUMNS  70 /* and 8 for the number: fits 80 */
#define BEFORE_CARET   30 /* of a line that is cut */
#define CARETS_MAX     40
#define TAB_COLUMNS    8
#define GUTTER	       "      | "
#define COLUMN_NOWHERE UINT32_MAX

/* A character of the line, as shown: columns from `from` to `to`. */
struct cell {
	char shown[SHOWN_MAX];
	size_t from, to;
};

static const char *next_cell(const char *at, const char *end, struct cell *cell)
{
	size_t bytes;
	uint32_t c = char_at(at, end, &bytes);

	cell->from = cell->to;
	if (c == '\t') {
		size_t columns = TAB_COLUMNS - cell->from % TAB_COLUMNS;

		memset(cell->shown, ' ', columns);
		cell->shown[columns] = '\0';
		cell->to += columns;
		return at + 1;
	}
	char_show(at, bytes, c, cell->shown);
	cell->to += char_is_hidden(c) ? strlen(cell->shown) : char_width(c);
	return at + bytes;
}

/* What of the line is shown, and where the caret stands in it. */
struct view {
	size_t from, to; /* columns; the last is not in it */
	size_t all;
	size_t caret, caret_end;
};

static struct view view_of(const char *text, size_t len, unsigned int column,
			   unsigned int width)
{
	const char *end = text + len;
	struct view view = { .caret = COLUMN_NOWHERE };
	struct cell cell = { .to = 0 };
	unsigned int nth = 1;

	for (const char *at = text; at < end; nth++) {
		at = next_cell(at, end, &cell);
		if (nth == column)
			view.caret = cell.from;
		if (nth >= column && nth - column < width)
			view.caret_end = cell.to;
	}
	view.all = cell.to;
	if (view.caret == COLUMN_NOWHERE) /* behind the end */
		view.caret = view.all;
	view.to = view.all;
	if (view.all > QUOTE_COLUMNS) {
		if (view.caret > BEFORE_CARET)
			view.from = view.caret - BEFORE_CARET;
		if (view.from > view.all - QUOTE_COLUMNS)
			view.from = view.all - QUOTE_COLUMNS;
		view.to = view.from + QUOTE_COLUMNS;
	}
	if (view.caret_end <= view.caret)
		view.caret_end = view.caret + 1;
	return view;
}

/* Cut ends are "…", in the column of the character it stands for. */
static void put_line(struct buf *out, const struct view *view, const char *text,
		     size_t len)
{
	size_t from = view->from > 0 ? view->from + 1 : 0;
	size_t to = view->to < view->all ? view->to - 1 : view->to;
	const char *end = text + len;
	struct cell cell = { .to = 0 };
	size_t column = from;

	if (view->from > 0)
		(void)buf_put_str(out, "…");
	for (const char *at = text; at < end && cell.to <= to;) {
		at = next_cell(at, end, &cell);
		if (cell.from < from || cell.to > to)
			continue;
		for (; column < cell.from; column++)
			(void)buf_put_u8(out, ' ');
		(void)buf_put_str(out, cell.shown);
		column = cell.to;
	}
	if (view->to < view->all)
		(void)buf_put_str(out, "…");
	(void)buf_put_u8(out, '\n');
}

void put_quote(struct buf *out, const struct yaml_doc *doc, unsigned int line,
	       unsigned int column, unsigned int width)
{
	size_t len;
	const char *text = doc_line(doc, line, &len);
	struct view view = view_of(text, len, column, width);

	(void)buf_printf(out, "%5u | ", line);
	put_line(out, &view, text, len);
	(void)buf_put_str(out, GUTTER);
	for (size_t i = view.from; i < view.caret; i++)
		(void)buf_put_u8(out, ' ');
	for (size_t i = view.caret;
	     i < view.caret_end && i < view.caret + CARETS_MAX; i++)
		if (i < view.to || i == view.caret)
			(void)buf_put_u8(out, '^');
	(void)buf_put_u8(out, '\n');
}
