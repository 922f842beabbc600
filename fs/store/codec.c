/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/store/format.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define LEVEL	      3
#define CODEC_VERSION 1u /* of both: raw bytes; one zstd frame, RFC 8878 */

/* Less than this saved isn't worth decoding for ever. */
#define LEAST_GAIN_PERCENT 3u

/*
 * Pictures, videos and archives don't shrink, and trying costs more than all
 * the rest of packing: three samples at the fastest setting tell.
 */
#define SAMPLE_BYTES	 (8u << 10)
#define SAMPLE_LEVEL	 (-1)
#define SAMPLED_FROM	 (64u << 10)
#define SAMPLE_OUT_BYTES (16u << 10)

struct codec {
	ZSTD_CCtx *zstd;
	uint8_t sample[SAMPLE_OUT_BYTES];
};

struct codec *codec_new(void)
{
	struct codec *codec = calloc(1, sizeof(*codec));

	if (!codec)
		return NULL;
	codec->zstd = ZSTD_createCCtx();
	if (!codec->zstd) {
		free(codec);
		return NULL;
	}
	return codec;
}

void codec_free(struct codec *codec)
{
	if (!codec)
		return;
	(void)ZSTD_freeCCtx(codec->zstd);
	free(codec);
}

static bool worth_trying(struct codec *codec, const uint8_t *data, size_t len)
{
	size_t step = (len - SAMPLE_BYTES) / 2;

	for (size_t at = 0; at + SAMPLE_BYTES <= len; at += step) {
		size_t n = ZSTD_compressCCtx(codec->zstd, codec->sample,
					     sizeof(codec->sample), data + at,
					     SAMPLE_BYTES, SAMPLE_LEVEL);

		if (ZSTD_isError(n) || n < SAMPLE_BYTES)
			return true;
	}
	return false;
}

size_t codec_encode(struct codec *codec, const uint8_t *data, size_t len,
		    uint8_t *out, size_t out_max, uint8_t *ret_codec)
{
	size_t limit = len - len * LEAST_GAIN_PERCENT / 100;
	size_t n;

	if (len < SAMPLED_FROM || worth_trying(codec, data, len)) {
		n = ZSTD_compressCCtx(codec->zstd, out,
				      limit < out_max ? limit : out_max, data,
				      len, LEVEL);
		if (!ZSTD_isError(n)) {
			*ret_codec = CODEC_ZSTD;
			return n;
		}
	}
	*ret_codec = CODEC_RAW;
	memcpy(out, data, len);
	return len;
}

int codec_decode(uint8_t codec, uint8_t version, const uint8_t *data,
		 size_t len, uint8_t *out, size_t raw_len, struct error *err)
{
	if (codec > CODEC_ZSTD || version != CODEC_VERSION)
		return error_set(err, -SOBRE_ESCHEMA,
				 "codec %u.%u, unknown to this sobre", codec,
				 version);
	if (codec == CODEC_ZSTD) {
		size_t n = ZSTD_decompress(out, raw_len, data, len);

		if (!ZSTD_isError(n) && n == raw_len)
			return 0;
	} else if (len == raw_len) {
		memcpy(out, data, len);
		return 0;
	}
	return error_set(err, -SOBRE_ECORRUPT, "an extent does not decode");
}
