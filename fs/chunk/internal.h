/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_CHUNK_INTERNAL_H
#define SOBREFS_CHUNK_INTERNAL_H

#include <stdint.h>

/* Random words, one a byte value, frozen: docs/format/pack.md. */
extern const uint64_t chunk_gear[256];

#endif
