/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_BASE_BUF_H
#define SOBREFS_BASE_BUF_H

/*
 * A growing byte buffer with a ceiling: made with the size that is too much,
 * so that hostile input is bounded by construction. Integers are put
 * little-endian, as every format of ours has them.
 *
 * The first failure sticks: later puts do nothing and return the same code,
 * so a writer checks once, at the end (buf_error). Not thread-safe.
 */

#include <stddef.h>
#include <stdint.h>

#include "fs/base/cleanup.h"

struct buf {
	uint8_t *data; /* owned; NULL while empty */
	size_t len;
	size_t cap;
	size_t max;  /* bytes; more is -EFBIG */
	int failure; /* 0, or the first negative code */
};

void buf_init(struct buf *b, size_t max_bytes);
/* Frees the bytes; the struct may be used again. */
void buf_release(struct buf *b);
/* Keeps the memory, forgets the bytes and the failure. */
void buf_clear(struct buf *b);

/* Each returns 0, -ENOMEM or -EFBIG. */
int buf_put(struct buf *b, const void *data, size_t len);
int buf_put_u8(struct buf *b, uint8_t v);
int buf_put_u16(struct buf *b, uint16_t v);
int buf_put_u32(struct buf *b, uint32_t v);
int buf_put_u64(struct buf *b, uint64_t v);
int buf_put_str(struct buf *b, const char *s); /* without its NUL */
int buf_printf(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* `len` more bytes to be filled by the caller; NULL on failure. */
uint8_t *buf_extend(struct buf *b, size_t len);

static inline int buf_error(const struct buf *b)
{
	return b->failure;
}

static inline void buf_release_at(struct buf *b)
{
	buf_release(b);
}

#define cleanup_buf __attribute__((cleanup(buf_release_at)))

#endif
