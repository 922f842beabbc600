/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Characters as a terminal shows them. wcwidth() would ask a locale, and a
 * minimal server has none.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "policy/yaml/internal.h"

static bool is_tail(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* How many bytes a character has that starts so; 0: none does. */
static size_t length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

uint32_t char_at(const char *at, const char *end, size_t *ret_bytes)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = (unsigned char)*at;
	size_t bytes = length(first);
	uint32_t c = bytes < 2 ? first : first & (0x7fu >> bytes);

	*ret_bytes = 1;
	if (bytes == 0 || (size_t)(end - at) < bytes)
		return CHAR_BAD;
	for (size_t i = 1; i < bytes; i++) {
		if (!is_tail(at[i]))
			return CHAR_BAD;
		c = c << 6 | ((unsigned char)at[i] & 0x3fu);
	}
	if (c < least[bytes] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return CHAR_BAD;
	*ret_bytes = bytes;
	return c;
}

struct range {
	uint32_t first, last;
};

static bool is_in(uint32_t c, const struct range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}
#define IS_IN(c, ranges) is_in(c, ranges, sizeof(ranges) / sizeof((ranges)[0]))

bool char_is_hidden(uint32_t c)
{
	static const struct range hidden[] = {
		{ 0x00, 0x1f },
		{ 0x7f, 0x9f },
		{ 0x061c, 0x061c },
		{ 0x200b, 0x200f }, /* zero width, direction marks */
		{ 0x2028, 0x202e }, /* line separators, overrides */
		{ 0x2060, 0x2069 },
		{ 0xfeff, 0xfeff },
		{ 0xfff9, 0xfffb },
		{ 0xe0000, 0xe007f },
		{ CHAR_BAD, CHAR_BAD },
	};

	if (c >= ' ' && c < 0x7f)
		return false;
	return IS_IN(c, hidden);
}

unsigned int char_width(uint32_t c)
{
	static const struct range marks[] = {
		{ 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd },
		{ 0x064b, 0x065f }, { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff },
		{ 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f },
	};
	static const struct range wide[] = {
		{ 0x1100, 0x115f },   { 0x2e80, 0x303e },
		{ 0x3041, 0xa4cf },   { 0xac00, 0xd7a3 },
		{ 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },
		{ 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },
		{ 0x1f300, 0x1f64f }, { 0x1f680, 0x1f6ff },
		{ 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
	};

	if (c < 0x300)
		return 1;
	return IS_IN(c, marks) ? 0 : IS_IN(c, wide) ? 2 : 1;
}

void char_show(const char *at, size_t bytes, uint32_t c, char ret[SHOWN_MAX])
{
	if (!char_is_hidden(c)) {
		memcpy(ret, at, bytes);
		ret[bytes] = '\0';
		return;
	}
	if (c == CHAR_BAD || c < 0x80)
		(void)snprintf(ret, SHOWN_MAX, "\\x%02x", (unsigned char)*at);
	else
		(void)snprintf(ret, SHOWN_MAX,
			       c > 0xffff ? "\\U%08" PRIx32 : "\\u%04" PRIx32,
			       c);
}

void put_shown(struct buf *out, const char *text, size_t len, size_t max)
{
	const char *end = text + len;

	for (const char *at = text; at < end; max--) {
		char shown[SHOWN_MAX];
		size_t bytes;
		uint32_t c = char_at(at, end, &bytes);

		if (max == 0) {
			(void)buf_put_str(out, "…");
			return;
		}
		char_show(at, bytes, c, shown);
		(void)buf_put_str(out, shown);
		at += bytes;
	}
}
