/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_BASE_READER_H
#define SOBREFS_BASE_READER_H

/*
 * Bounded parsing of bytes that may be hostile. Integers are little-endian.
 * Reading past the end sets `failed`, which stays, and gives zeros, so a
 * parser checks once, before it uses what it read. Borrows the bytes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader {
	const uint8_t *data;
	size_t len;
	size_t pos;
	bool failed;
};

void reader_init(struct reader *r, const void *data, size_t len);
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);
/* `n` bytes, borrowed; NULL past the end. */
const uint8_t *reader_bytes(struct reader *r, size_t n);
/* Copies `n` bytes to `out`; zeros past the end. */
void reader_copy(struct reader *r, void *out, size_t n);

static inline size_t reader_left(const struct reader *r)
{
	return r->failed ? 0 : r->len - r->pos;
}

/* All read, and nothing past the end. */
static inline bool reader_done(const struct reader *r)
{
	return !r->failed && r->pos == r->len;
}

#endif
