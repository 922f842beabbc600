/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_FIGURES_INTERNAL_H
#define SOBREFS_FIGURES_INTERNAL_H

#include "tools/figures/figures.h"

#define CLOSING_SCHEMA	 1
#define CLOSING_VERSIONS 999

/* NULL without memory. */
json_t *closing_out(const struct closing *closing);
/* Takes `root` over, also when it isn't one: closing_release(). */
bool closing_in(json_t *root, struct closing *ret_closing);

#endif
