/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_DAEMON_ARRAYS_H
#define SOBREFS_DAEMON_ARRAYS_H

/* The arrays of drive.yaml with what their meters say, for tools/figures. */

#include "tools/daemon/setup.h"
#include "tools/figures/figures.h"

struct arrays {
	struct figures_array *array; /* [n], owned; borrows from the setup */
	struct meter *meter;	     /* [n], owned */
	unsigned int n;
	struct report_supply supply; /* of the electricity bought */
};
/* -SOBRE_ECONFIG: what a meter's file says is wrong, or why it can't be
 * read. A program's that was not read yet has no reading. */
int arrays_load(const struct setup *setup, int state_fd,
		struct arrays *ret_arrays, struct error *err);
/* Appends to `list` what status says of each meter that is a file: as
 * metering_json(), without `every_s`. */
void arrays_add_files(const struct setup *setup, json_t *list);
/* Without their meters. -ENOMEM. */
int arrays_describe(const struct setup *setup, struct arrays *ret_arrays,
		    struct error *err);
/* Of a zeroed struct, too. */
void arrays_release(struct arrays *arrays);

#endif
