/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_FIGURES_INTERNAL_H
#define SOBREFS_FIGURES_INTERNAL_H

#include "fs/base/wide.h"
#include "tools/figures/figures.h"

#define CLOSING_SCHEMA	 1
#define CLOSING_VERSIONS 999

/* NULL without memory. */
json_t *closing_out(const struct closing *closing);
/* Takes `root` over, also when it isn't one: closing_release(). */
bool closing_in(json_t *root, struct closing *ret_closing);
/* `n`: how many there were, more than are kept; NULL: those. False: it is no
 * list of checks. */
bool checks_in(const json_t *from, const json_t *n,
	       struct report_checks *ret_checks);
/* A decimal text. */
bool wide_in(const char *text, uint128 *ret_value);

#endif
