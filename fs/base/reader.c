/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/base/reader.h"

#include <string.h>

void reader_init(struct reader *r, const void *data, size_t len)
{
	*r = (struct reader){ .data = data, .len = len };
}

const uint8_t *reader_bytes(struct reader *r, size_t n)
{
	const uint8_t *at;

	if (r->failed || n > r->len - r->pos) {
		r->failed = true;
		return NULL;
	}
	at = r->data + r->pos;
	r->pos += n;
	return at;
}

static uint64_t get_le(struct reader *r, size_t n)
{
	const uint8_t *at = reader_bytes(r, n);
	uint64_t v = 0;

	if (!at)
		return 0;
	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)at[i] << (8 * i);
	return v;
}

uint8_t reader_u8(struct reader *r)
{
	return (uint8_t)get_le(r, 1);
}

uint16_t reader_u16(struct reader *r)
{
	return (uint16_t)get_le(r, 2);
}

uint32_t reader_u32(struct reader *r)
{
	return (uint32_t)get_le(r, 4);
}

uint64_t reader_u64(struct reader *r)
{
	return get_le(r, 8);
}

void reader_copy(struct reader *r, void *out, size_t n)
{
	const uint8_t *at = reader_bytes(r, n);

	if (at)
		memcpy(out, at, n);
	else
		memset(out, 0, n);
}
