/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

#include <stdint.h>
#include <string.h>

#define BAD_CODE_POINT 0xfffdu
#define REPLACEMENT    "\xef\xbf\xbd"
#define ELLIPSIS       "\xe2\x80\xa6"

struct utf8_form {
	unsigned char mask, lead;
	size_t len;
	uint32_t lowest; /* shorter forms of the same are refused */
};

static const struct utf8_form utf8_forms[] = {
	{ 0x80, 0x00, 1, 0 },
	{ 0xe0, 0xc0, 2, 0x80 },
	{ 0xf0, 0xe0, 3, 0x800 },
	{ 0xf8, 0xf0, 4, 0x10000 },
};

/* The code point at `s`, which isn't at its end, and its length; U+FFFD and 1
 * where there is none. */
static size_t utf8_next(const char *s, uint32_t *ret_code)
{
	const unsigned char *at = (const unsigned char *)s;

	*ret_code = BAD_CODE_POINT;
	for (size_t i = 0; i < sizeof(utf8_forms) / sizeof(utf8_forms[0]);
	     i++) {
		const struct utf8_form *f = &utf8_forms[i];
		uint32_t code = at[0] & (unsigned char)~f->mask;

		if ((at[0] & f->mask) != f->lead)
			continue;
		for (size_t k = 1; k < f->len; k++) {
			if ((at[k] & 0xc0) != 0x80) /* the NUL too */
				return 1;
			code = code << 6 | (at[k] & 0x3fu);
		}
		if (code < f->lowest || code > 0x10ffff ||
		    (code >= 0xd800 && code <= 0xdfff))
			return 1;
		*ret_code = code;
		return f->len;
	}
	return 1;
}

struct range {
	uint32_t first, last;
};

/* What is not seen but acts: controls, directions, separators of lines,
 * invisible characters, tags, what is no character. */
static const struct range acting[] = {
	{ 0x0000, 0x001f }, { 0x007f, 0x009f },	  { 0x00ad, 0x00ad },
	{ 0x061c, 0x061c }, { 0x180e, 0x180e },	  { 0x200b, 0x200b },
	{ 0x200e, 0x200f }, { 0x2028, 0x202e },	  { 0x2060, 0x206f },
	{ 0xfdd0, 0xfdef }, { 0xfeff, 0xfeff },	  { 0xfff0, 0xfffb },
	{ 0xfffe, 0xffff }, { 0xe0000, 0xe0fff },
};

static bool acts(uint32_t code)
{
	if ((code & 0xfffe) == 0xfffe)
		return true;
	for (size_t i = 0; i < sizeof(acting) / sizeof(acting[0]); i++) {
		if (code >= acting[i].first && code <= acting[i].last)
			return true;
	}
	return false;
}

static size_t count(const char *s)
{
	size_t n = 0;
	uint32_t code;

	for (; *s; n++)
		s += utf8_next(s, &code);
	return n;
}

typedef void put_fn(struct buf *b, const char *bytes, size_t len);

static void each_code_point(struct buf *b, const char *s, size_t max,
			    bool harmless, put_fn *put)
{
	size_t n = max == TEXT_ALL ? 0 : count(s);
	/* The end tells more of a path: two thirds are for it. */
	size_t head = n > max ? max / 3 : n;
	size_t tail = n > max ? n - (max - head - 1) : n;
	uint32_t code;

	for (size_t i = 0; *s; i++) {
		size_t len = utf8_next(s, &code);
		bool bad = code == BAD_CODE_POINT || (harmless && acts(code));

		if (n <= max || i < head || i >= tail)
			put(b, bad ? REPLACEMENT : s, bad ? 3 : len);
		else if (i == head)
			put(b, ELLIPSIS, 3);
		s += len;
	}
}

static void put_plain(struct buf *b, const char *bytes, size_t len)
{
	(void)buf_put(b, bytes, len);
}

static void put_html(struct buf *b, const char *bytes, size_t len)
{
	switch (*bytes) {
	case '&':
		(void)buf_put_str(b, "&amp;");
		break;
	case '<':
		(void)buf_put_str(b, "&lt;");
		break;
	case '>':
		(void)buf_put_str(b, "&gt;");
		break;
	case '"':
		(void)buf_put_str(b, "&quot;");
		break;
	case '\'':
		(void)buf_put_str(b, "&#39;");
		break;
	default:
		(void)buf_put(b, bytes, len);
	}
}

static void put_csv(struct buf *b, const char *bytes, size_t len)
{
	if (*bytes == '"')
		(void)buf_put_str(b, "\"");
	(void)buf_put(b, bytes, len);
}

void text_clean(struct buf *b, const char *s, size_t max)
{
	each_code_point(b, s, max, true, put_plain);
}

void text_utf8(struct buf *b, const char *s)
{
	each_code_point(b, s, TEXT_ALL, false, put_plain);
}

void text_html(struct buf *b, const char *s, size_t max)
{
	each_code_point(b, s, max, true, put_html);
}

/* Spreadsheets take a text that starts so for a formula, the full-width signs
 * of East Asia included, and some skip spaces first. */
static bool is_formula(const char *s)
{
	uint32_t code;

	while (*s == ' ')
		s++;
	if (!*s)
		return false;
	(void)utf8_next(s, &code);
	return code == '=' || code == '+' || code == '-' || code == '@' ||
	       code == '\t' || code == '\r' || code == 0x2212 ||
	       code == 0xff1d || code == 0xff0b || code == 0xff0d ||
	       code == 0xff20;
}

void text_csv(struct buf *b, const char *s)
{
	(void)buf_put_str(b, is_formula(s) ? "\"'" : "\"");
	each_code_point(b, s, TEXT_ALL, true, put_csv);
	(void)buf_put_str(b, "\"");
}
