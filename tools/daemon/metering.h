/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_DAEMON_METERING_H
#define SOBREFS_DAEMON_METERING_H

/*
 * Reads the meters that drive.yaml gives a program for, as often as it says,
 * into the drive's state (meter_append()). A thread of its own: a program that
 * hangs holds up nothing else.
 */

#include <jansson.h>

#include "fs/base/clock.h"
#include "fs/base/error.h"
#include "policy/config/config.h"

struct metering;

/* Says what went wrong with the meter of an array, once until it changes. */
typedef void (*metering_say)(void *ctx, const char *array,
			     const struct error *err);

/* `config` and the descriptors are borrowed until metering_free(). 0 and NULL:
 * no array has a program. */
int metering_new(const struct config *config, int state_fd, int stop_fd,
		 const struct clock *clock, metering_say say, void *ctx,
		 struct metering **ret_metering, struct error *err);
/* After stop_fd became readable: waits for the thread. NULL: nothing. */
void metering_free(struct metering *metering);
/* [{"array", "unit", "every_s", "last": {"time", "value"} or null, "wrong":
 * text or null}]; of NULL an empty list. Any thread. */
json_t *metering_json(struct metering *metering);

/* Of one array, at once: what the thread does. -ECANCELED: stopped. */
int metering_read(const struct config_array *array, int state_fd, int stop_fd,
		  int64_t now_s, int64_t *ret_micro, struct error *err);

#endif
