/* SPDX-License-Identifier: EUPL-1.2 */
/* Names as people take them for the same: one form of accents, no case. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "policy/eval/internal.h"

#define STACK_POINTS 512

static bool is_ascii(const char *text, size_t len)
{
	unsigned char all = 0;

	for (size_t i = 0; i < len; i++)
		all |= (unsigned char)text[i];
	return all < 0x80;
}

static int put_ascii(struct buf *out, const char *text, size_t len, bool exact)
{
	uint8_t *to = NULL;

	if (len == 0)
		return 0;
	if (exact)
		return buf_put(out, text, len);
	to = buf_extend(out, len);
	if (to == NULL)
		return buf_error(out);
	for (size_t i = 0; i < len; i++) {
		uint8_t c = (uint8_t)text[i];

		to[i] = (uint8_t)(c >= 'A' && c <= 'Z' ? c + 32 : c);
	}
	return 0;
}

/* `points`: room for `max` and one more, which the library writes into. Gives
 * the number there are, or that there should be room for; negative: not
 * UTF-8. */
static utf8proc_ssize_t decompose(const char *text, size_t len, bool exact,
				  utf8proc_int32_t *points, size_t max)
{
	int options = UTF8PROC_STABLE | UTF8PROC_COMPOSE;

	if (!exact)
		options |= UTF8PROC_CASEFOLD;
	return utf8proc_decompose(
		(const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len, points,
		(utf8proc_ssize_t)max, (utf8proc_option_t)options);
}

/* Turns the code points into UTF-8 where they are. */
static int put_points(struct buf *out, utf8proc_int32_t *points,
		      utf8proc_ssize_t n)
{
	utf8proc_ssize_t len = utf8proc_reencode(
		points, n,
		(utf8proc_option_t)(UTF8PROC_STABLE | UTF8PROC_COMPOSE));

	return len < 0 ? -ENOMEM : buf_put(out, points, (size_t)len);
}

static int fold_part(struct buf *out, struct piece part, bool exact)
{
	utf8proc_int32_t few[STACK_POINTS + 1];
	cleanup_free utf8proc_int32_t *many = NULL;
	utf8proc_ssize_t n = 0;

	if (is_ascii(part.text, part.len))
		return put_ascii(out, part.text, part.len, exact);
	n = decompose(part.text, part.len, exact, few, STACK_POINTS);
	if (n < 0)
		return put_ascii(out, part.text, part.len, exact);
	if (n <= STACK_POINTS)
		return put_points(out, few, n);
	many = malloc(((size_t)n + 1) * sizeof(*many));
	if (many == NULL)
		return -ENOMEM;
	if (decompose(part.text, part.len, exact, many, (size_t)n) != n)
		return put_ascii(out, part.text, part.len, exact);
	return put_points(out, many, n);
}

int fold_path(struct buf *out, const char *text, size_t len, bool exact)
{
	size_t at = 0;

	if (is_ascii(text, len))
		return put_ascii(out, text, len, exact);
	while (at < len) {
		const char *slash = memchr(text + at, '/', len - at);
		size_t part =
			slash == NULL ? len - at : (size_t)(slash - text) - at;
		int rc = fold_part(out, (struct piece){ text + at, part },
				   exact);

		if (rc == 0 && slash != NULL)
			rc = buf_put_u8(out, '/');
		if (rc < 0)
			return rc;
		at += part + (slash != NULL);
	}
	return 0;
}

bool piece_next(struct piece *rest, struct piece *ret_part)
{
	const char *slash = NULL;

	while (rest->len > 0 && *rest->text == '/') {
		rest->text++;
		rest->len--;
	}
	if (rest->len == 0)
		return false;
	slash = memchr(rest->text, '/', rest->len);
	*ret_part = (struct piece){ rest->text, rest->len };
	if (slash != NULL)
		ret_part->len = (size_t)(slash - rest->text);
	rest->text += ret_part->len;
	rest->len -= ret_part->len;
	return true;
}

struct piece piece_last(struct piece path)
{
	const char *slash =
		path.len == 0 ? NULL : memrchr(path.text, '/', path.len);

	if (slash == NULL)
		return path;
	return (struct piece){ slash + 1,
			       path.len - (size_t)(slash + 1 - path.text) };
}
