/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_DAEMON_RATE_H
#define SOBREFS_DAEMON_RATE_H

/* What a byte kept for a year costs: on the arrays of drive.yaml, at what they
 * were measured to draw in the last month that was closed. For du, explain
 * and user.sobre.footprint. */

#include "fs/energy/energy.h"
#include "tools/daemon/commands.h"

struct rate {
	struct energy_array array[ENERGY_ARRAYS_MAX]; /* ids are the setup's */
	unsigned int n;
	int64_t seconds;
};
/* What can't be read is not known. */
void rate_load(const struct command_env *env, struct rate *ret_rate);
/* At env->rate, or as it is now. */
void rate_year(const struct command_env *env, const uint128 bytes[TIERS],
	       struct energy_year *ret_year);

#endif
