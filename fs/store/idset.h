/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_STORE_IDSET_H
#define SOBREFS_STORE_IDSET_H

/* Keyed hashes seen so far, 72 bits of each: 9 to 18 bytes an id. */

#include <stdbool.h>

#include "fs/base/cleanup.h"
#include "fs/base/hash.h"

struct idset;

struct idset *idset_new(void); /* or NULL */
void idset_free(struct idset *set);
DEFINE_CLEANUP(struct idset *, idset_free)
bool idset_has(const struct idset *set, const struct hash128 *id);
/* 1 new, 0 known, or -ENOMEM. */
int idset_add(struct idset *set, const struct hash128 *id);

#endif
