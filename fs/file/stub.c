/* SPDX-License-Identifier: EUPL-1.2 */
/* docs/format/stub.md */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "fs/base/reader.h"
#include "fs/file/internal.h"

#define STUB_VERSION	1
#define STUB_SUM_OFFSET 4
#define STUB_BODY	8 /* what the checksum covers starts here */

static uint8_t *put_le(uint8_t *at, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*at++ = (uint8_t)(v >> (8 * i));
	return at;
}

void stub_encode(const struct stub *stub, uint8_t ret_bytes[STUB_BYTES])
{
	struct timespec mtime = timespec_from_ns(stub->mtime_ns);
	uint8_t *at = ret_bytes + STUB_BODY;

	at = put_le(at, stub->size_bytes, 8);
	memcpy(at, stub->content.bytes, sizeof(stub->content.bytes));
	at += sizeof(stub->content.bytes);
	at = put_le(at, (uint64_t)mtime.tv_sec, 8);
	at = put_le(at, (uint64_t)mtime.tv_nsec, 4);
	at = put_le(at, stub->blocks, 4);
	assert(at == ret_bytes + STUB_BYTES);
	(void)put_le(ret_bytes, STUB_VERSION, STUB_SUM_OFFSET);
	(void)put_le(ret_bytes + STUB_SUM_OFFSET,
		     hash32(ret_bytes + STUB_BODY, STUB_BYTES - STUB_BODY), 4);
}

static int check_head(struct reader *r, struct error *err)
{
	uint8_t version = reader_u8(r);
	uint8_t flags = reader_u8(r);
	uint16_t zero = reader_u16(r);
	uint32_t sum = reader_u32(r);

	if (version > STUB_VERSION)
		return error_set(err, -SOBRE_ESCHEMA,
				 "stub of format %u, this sobre knows %u",
				 version, STUB_VERSION);
	if (version != STUB_VERSION || flags != 0 || zero != 0 ||
	    sum != hash32(r->data + STUB_BODY, STUB_BYTES - STUB_BODY))
		return error_set(err, -SOBRE_ECORRUPT, "damaged stub");
	return 0;
}

int stub_decode(const void *bytes, size_t len, struct stub *ret_stub,
		struct error *err)
{
	struct stub s = { 0 };
	struct reader r;
	int64_t mtime_s;
	uint32_t mtime_ns;
	int rc;

	if (len != STUB_BYTES)
		return error_set(err, -SOBRE_ECORRUPT,
				 "stub of %zu bytes instead of %d", len,
				 STUB_BYTES);
	reader_init(&r, bytes, len);
	rc = check_head(&r, err);
	if (rc < 0)
		return rc;
	s.size_bytes = reader_u64(&r);
	reader_copy(&r, s.content.bytes, sizeof(s.content.bytes));
	mtime_s = (int64_t)reader_u64(&r);
	mtime_ns = reader_u32(&r);
	s.blocks = reader_u32(&r);
	if (!reader_done(&r) || s.size_bytes > INT64_MAX ||
	    mtime_ns >= NS_PER_S || mtime_s > INT64_MAX / NS_PER_S - 1 ||
	    mtime_s < INT64_MIN / NS_PER_S + 1)
		return error_set(err, -SOBRE_ECORRUPT, "damaged stub");
	s.mtime_ns = mtime_s * NS_PER_S + mtime_ns;
	*ret_stub = s;
	return 0;
}
