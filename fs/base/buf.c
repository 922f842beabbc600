/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t max_bytes)
{
	*b = (struct buf){ .max = max_bytes };
}

void buf_release(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ .max = b->max };
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failure = 0;
}

static int grow(struct buf *b, size_t len)
{
	size_t cap = b->cap ? b->cap : 64;
	uint8_t *data;

	if (len > b->max || b->len > b->max - len)
		return b->failure = -EFBIG;
	if (b->len + len <= b->cap)
		return 0;
	while (cap < b->len + len)
		cap = cap > b->max / 2 ? b->max : cap * 2;
	data = realloc(b->data, cap);
	if (!data)
		return b->failure = -ENOMEM;
	b->data = data;
	b->cap = cap;
	return 0;
}

uint8_t *buf_extend(struct buf *b, size_t len)
{
	uint8_t *at;

	if (b->failure || grow(b, len) < 0)
		return NULL;
	at = b->data + b->len;
	b->len += len;
	return at;
}

int buf_put(struct buf *b, const void *data, size_t len)
{
	uint8_t *at;

	if (len == 0)
		return b->failure;
	at = buf_extend(b, len);
	if (at)
		memcpy(at, data, len);
	return b->failure;
}

static int put_le(struct buf *b, uint64_t v, size_t n)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(v >> (8 * i));
	return buf_put(b, bytes, n);
}

int buf_put_u8(struct buf *b, uint8_t v)
{
	return put_le(b, v, 1);
}

int buf_put_u16(struct buf *b, uint16_t v)
{
	return put_le(b, v, 2);
}

int buf_put_u32(struct buf *b, uint32_t v)
{
	return put_le(b, v, 4);
}

int buf_put_u64(struct buf *b, uint64_t v)
{
	return put_le(b, v, 8);
}

int buf_put_str(struct buf *b, const char *s)
{
	return buf_put(b, s, strlen(s));
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
	cleanup_free char *text = NULL;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n < 0) {
		text = NULL;
		return b->failure = -ENOMEM;
	}
	return buf_put(b, text, (size_t)n);
}
