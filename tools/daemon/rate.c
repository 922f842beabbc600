/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/rate.h"

#include "tools/daemon/arrays.h"
#include "tools/daemon/internal.h"

void rate_load(const struct command_env *env, struct rate *ret_rate)
{
	struct error ignored = ERROR_INIT;
	struct closing last = { .version = 0 };
	struct arrays arrays = { .n = 0 };
	struct energy_input in;

	ret_rate->n = 0;
	ret_rate->seconds = 0;
	if (arrays_describe(env->setup, &arrays, &ignored) < 0)
		return;
	if (arrays.n > 0 &&
	    closing_load_last(drive_state_fd(env->drive), &last, &ignored) <= 0)
		last = (struct closing){ .version = 0 };
	in = figures_rate(&(struct figures_source){ .array = arrays.array,
						    .arrays = arrays.n },
			  &last.month, last.version > 0 ? 1 : 0,
			  ret_rate->array);
	ret_rate->n = in.arrays;
	ret_rate->seconds = in.seconds;
	if (last.version > 0)
		closing_release(&last);
	arrays_release(&arrays);
}

void rate_year(const struct command_env *env, const uint128 bytes[TIERS],
	       struct energy_year *ret_year)
{
	const struct rate *rate = env->rate;
	struct rate now;

	if (!rate) {
		rate_load(env, &now);
		rate = &now;
	}
	energy_year(&env->setup->coefs,
		    &(struct energy_input){ .array = rate->array,
					    .arrays = rate->n,
					    .seconds = rate->seconds },
		    bytes, ret_year);
}
