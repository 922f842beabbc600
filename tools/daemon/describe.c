/* SPDX-License-Identifier: EUPL-1.2 */
/* The virtual attributes of files. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/daemon/internal.h"

static struct command_env env_of(struct daemon *d)
{
	return (struct command_env){
		.drive = d->drive,
		.state_path = d->options->state,
		.served = true,
		.setup = d->options->setup,
		.clock = d->options->clock,
	};
}

static int take_text(json_t *value, char **ret_text)
{
	*ret_text =
		value ? json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(9))
		      : NULL;
	json_decref(value);
	return *ret_text ? 0 : -ENOMEM;
}

int daemon_describe(void *daemon, uint64_t ino, const char *name,
		    char **ret_text)
{
	struct daemon *d = daemon;
	const struct command_env env = env_of(d);
	struct error err = ERROR_INIT;
	json_t *value;

	if (!strcmp(name, FRONT_XATTR_FOOTPRINT))
		value = footprint_json(&env, ino, &err);
	else
		value = flags_json(&env, ino, &err);
	if (!value)
		return err.code == -ENOENT ? -ENODATA
		       : err.code < 0	   ? -error_to_errno(err.code)
					   : -ENODATA;
	return take_text(value, ret_text);
}
