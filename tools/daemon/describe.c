/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The virtual attributes of files. Any agent may ask, in a thread that serves
 * others too: what is read is committed already (no writer is waited for),
 * and what it takes is bounded. Only root is told what depends on files that
 * others have: docs/design/threats.md.
 */
#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>

#include "tools/daemon/internal.h"
#include "tools/daemon/rate.h"

/* Below a directory: half a second of work. `sobre du` has no bound. */
#define MAX_DIRECTORIES 100000

static struct command_env env_of(struct daemon *d)
{
	return (struct command_env){
		.drive = d->drive,
		.state_path = d->options->state,
		.served = true,
		.setup = d->options->setup,
		.clock = d->options->clock,
		.stop = &d->stop,
	};
}

static bool set_describing(struct daemon *d, bool describing)
{
	bool was;

	(void)pthread_mutex_lock(&d->lock);
	was = d->describing;
	d->describing = describing;
	(void)pthread_mutex_unlock(&d->lock);
	return was;
}

/* A file's may be asked for by the thousand: at the last tick's rate. */
static json_t *footprint_alone(struct daemon *d, uint64_t ino,
			       struct error *err)
{
	struct command_env env = env_of(d);
	struct rate rate;

	if (daemon_rate(d, &rate))
		env.rate = &rate;
	return footprint_alone_json(&env, ino, err);
}

/* One directory at a time: the others' threads are for other agents. */
static json_t *footprint(struct daemon *d, uint64_t ino, bool directory,
			 struct error *err)
{
	struct command_env env = env_of(d);
	struct rate rate;
	json_t *value;

	if (daemon_rate(d, &rate))
		env.rate = &rate;
	if (directory && set_describing(d, true)) {
		(void)error_set(err, -EAGAIN, "another is being summed up");
		return NULL;
	}
	value = footprint_json(&env, ino, MAX_DIRECTORIES, err);
	if (directory)
		(void)set_describing(d, false);
	return value;
}

/* The text of an attribute; without its last flags when they are too many. */
static int take_text(json_t *value, char **ret_text)
{
	json_t *flags = json_object_get(value, "flags");
	json_int_t left_out =
		json_integer_value(json_object_get(value, "left_out"));
	char *text = json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(9));

	while (text && strlen(text) > XATTR_SIZE_MAX &&
	       json_array_size(flags) > 0) {
		free(text);
		(void)json_array_remove(flags, json_array_size(flags) - 1);
		(void)json_object_set_new(value, "left_out",
					  json_integer(++left_out));
		text = json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(9));
	}
	*ret_text = text;
	return text ? 0 : -ENOMEM;
}

static int code_of(const struct error *err)
{
	switch (err->code) {
	case 0:
	case -ENOENT: /* not in the catalog yet; no rule matches */
		return -ENODATA;
	case -E2BIG:
		return -EOPNOTSUPP;
	default:
		return err->code;
	}
}

static json_t *answer(struct daemon *d, const struct front_question *question,
		      struct error *err)
{
	const struct command_env env = env_of(d);
	const bool agent = question->uid != 0;

	if (strcmp(question->name, FRONT_XATTR_FOOTPRINT) != 0)
		return flags_json(&env, question->ino, agent, err);
	if (!agent)
		return footprint(d, question->ino, question->directory, err);
	if (!question->directory)
		return footprint_alone(d, question->ino, err);
	/* The sum of what the agent may not read, too. */
	(void)error_set(err, -EACCES, "only root is told of a directory");
	return NULL;
}

int daemon_describe(void *daemon, const struct front_question *question,
		    char **ret_text)
{
	struct error err = ERROR_INIT;
	cleanup_json json_t *value = answer(daemon, question, &err);

	return value ? take_text(value, ret_text) : code_of(&err);
}
