/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_BASE_TIER_H
#define SOBREFS_BASE_TIER_H

/*
 * What the ledger counts, and the energy model weighs. The numbers are on
 * disk (docs/format/catalog.md).
 */

#include <stdint.h>

#include "fs/base/wide.h"

enum tier {
	TIER_HOT = 0,	  /* st_blocks x 512 of lower inodes */
	TIER_PACKED = 1,  /* bytes of packs that live chunks take */
	TIER_ARCHIVE = 2, /* bytes in the vault */
	TIER_STATE = 3,	  /* all of the state directory, packs and vault
			     included: of no department. What is not PACKED
			     and not ARCHIVE of it is overhead: catalog, dead
			     space, journal */
	TIER_LOGICAL = 4, /* sizes of regular files: the service rendered */
	TIERS
};

/*
 * A department's number is given once, never again. A set of departments is
 * its numbers, ascending, each once; the empty set is the drive itself.
 */
#define DEPARTMENT_OTHER 0 /* what no department claims */
#define DEPARTMENTS_MAX	 4096
#define SET_MEMBERS_MAX	 64 /* beyond: the lowest 63 and "other" */

struct dept_set {
	uint16_t n;
	uint16_t member[SET_MEMBERS_MAX];
};

/* Bytes kept over time by a set of departments in a tier. */
struct tier_time {
	struct dept_set set;
	enum tier tier;
	uint128 byte_seconds;
};

#endif
