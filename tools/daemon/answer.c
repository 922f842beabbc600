/* SPDX-License-Identifier: EUPL-1.2 */
/* What the daemon of a mounted drive answers to each command. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/log.h"
#include "tools/daemon/arrays.h"
#include "tools/daemon/internal.h"
#include "tools/daemon/metering.h"

static void utc_text(int64_t at_s, char text[32])
{
	time_t at = (time_t)at_s;
	struct tm tm;

	text[0] = '\0';
	if (gmtime_r(&at, &tm))
		(void)strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

void daemon_note_error(struct daemon *d, const char *what,
		       const struct error *err)
{
	struct past_error *e;

	log_error("%s: %s", what, err->text);
	(void)pthread_mutex_lock(&d->lock);
	e = &d->errors[d->n_errors++ % ERRORS_KEPT];
	e->at_s = clock_now_s(&d->options->clock);
	(void)snprintf(e->text, sizeof(e->text), "%.200s: %.300s", what,
		       err->text);
	(void)pthread_mutex_unlock(&d->lock);
}

static json_t *errors_json(struct daemon *d)
{
	json_t *array = json_array();
	unsigned int first;

	(void)pthread_mutex_lock(&d->lock);
	first = d->n_errors > ERRORS_KEPT ? d->n_errors - ERRORS_KEPT : 0;
	for (unsigned int n = first; array && n < d->n_errors; n++) {
		const struct past_error *e = &d->errors[n % ERRORS_KEPT];
		char when[32];

		utc_text(e->at_s, when);
		(void)json_array_append_new(
			array, json_pack("{s:s, s:o}", "time", when, "text",
					 json_from_name(e->text)));
	}
	(void)pthread_mutex_unlock(&d->lock);
	return array;
}

static json_t *ways_json(struct daemon *d)
{
	cleanup_ways struct way_list list = { .ways = NULL };
	struct error err = ERROR_INIT;
	json_t *array = json_array();

	if (daemon_ways(d, &list, &err) < 0)
		daemon_note_error(d, "other ways in", &err);
	for (size_t i = 0; array && i < list.n && i < 500; i++)
		(void)json_array_append_new(
			array, json_pack("{s:o, s:b}", "name",
					 json_from_name(list.ways[i].name),
					 "accepted", list.ways[i].accepted));
	return array;
}

static json_t *jobs_json(struct daemon *d)
{
	const char *running;
	uint64_t waiting;

	turn_look(&d->turn, &waiting, &running);
	return json_pack("{s:I, s:s?}", "waiting", (json_int_t)waiting,
			 "running", running);
}

static json_t *front_json(const struct daemon *d)
{
	struct front_status st = { .ready = false };
	const char *why = d->idle_why;

	front_status(d->front, &st);
	return json_pack("{s:{s:b, s:s}, s:{s:b, s:s}, s:{s:b, s:s},"
			 " s:s, s:I, s:I, s:I}",
			 "passthrough", "on", st.passthrough, "why",
			 st.passthrough_why, "io_uring", "on", st.uring, "why",
			 st.uring_why, "idle_class", "on", why == NULL, "why",
			 why ? why : "", "libfuse", st.libfuse, "inodes",
			 (json_int_t)st.inodes, "open_files",
			 (json_int_t)st.open_files, "lower_fds",
			 (json_int_t)st.lower_fds);
}

/* Null: at any time, or never. */
static json_t *window_json(const struct daemon *d)
{
	const struct setup *setup = d->options->setup;
	char from[8];
	char until[8];

	if (d->options->readonly || !setup_has_window(setup))
		return json_null();
	setup_time_text(setup->config.pack_from_min, from);
	setup_time_text(setup->config.pack_until_min, until);
	return json_pack(
		"{s:s, s:s, s:b}", "from", from, "until", until, "open",
		setup_in_window(setup, clock_now_s(&d->options->clock)));
}

/* Those that a program reads, then those that are files. */
static json_t *meters_json(const struct daemon *d)
{
	json_t *list = metering_json(d->metering);

	if (list)
		arrays_add_files(d->options->setup, list);
	return list;
}

static json_t *answer_status(struct daemon *d, const struct request *request,
			     const struct command_env *env, struct error *err)
{
	json_t *result = command_run(env, request, err);
	char since[32];
	char log[160];

	if (!result)
		return NULL;
	utc_text(d->since_s, since);
	(void)snprintf(log, sizeof(log), "%s/log", d->run_dir);
	(void)json_object_update_new(
		result,
		json_pack("{s:o, s:o, s:s, s:i, s:b, s:o, s:o, s:o, s:o, s:o,"
			  " s:o, s:s?}",
			  "lower", json_from_name(d->options->lower),
			  "mountpoint", json_from_name(d->options->mountpoint),
			  "since", since, "pid", (int)getpid(), "read_only",
			  d->options->readonly, "front", front_json(d), "ways",
			  ways_json(d), "jobs", jobs_json(d), "pack_window",
			  window_json(d), "meters", meters_json(d), "errors",
			  errors_json(d), "log",
			  d->options->foreground ? NULL : log));
	return result;
}

static json_t *answer_accept(struct daemon *d, const struct request *request,
			     uid_t uid, struct error *err)
{
	cleanup_ways struct way_list list = { .ways = NULL };
	int64_t now_s = clock_now_s(&d->options->clock);

	if (d->options->readonly) {
		(void)error_set(err, -EROFS,
				"the drive is mounted read-only: nothing is "
				"packed, nothing is to be accepted");
		return NULL;
	}
	if (daemon_ways(d, &list, err) < 0)
		return NULL;
	for (size_t i = 0; i < list.n; i++) {
		const struct way *way = &list.ways[i];

		if (strcmp(way->name, request->way) != 0)
			continue;
		if (!way->accepted &&
		    ways_accept(d->state_fd, now_s, uid, way, err) < 0)
			return NULL;
		log_info("uid %u accepted the other way in: %s",
			 (unsigned int)uid, way->name);
		return json_or_nomem(json_pack("{s:i, s:o}", "schema",
					       PROTOCOL_SCHEMA, "accepted",
					       json_from_name(way->name)),
				     err);
	}
	(void)error_set(err, -ENOENT,
			"there is no other way in named '%.300s': sobre status "
			"lists them",
			request->way);
	return NULL;
}

/* The one who asked has gone, or reads this when the drive is unmounted. */
static int say_interrupted(const struct daemon *d, struct error *err)
{
	return error_set(err, -ECANCELED,
			 daemon_stopping(d)
				 ? "interrupted: the drive is being unmounted"
				 : "interrupted");
}

/* Those that write take turns; a drive mounted read-only has none. */
static json_t *answer_job(struct daemon *d, const struct request *request,
			  const struct command_env *env, struct error *err)
{
	const struct command_progress started = { .done = 0 };
	json_t *result = NULL;

	if (d->options->readonly) {
		(void)error_set(err, -EROFS, "the drive is mounted read-only");
		return NULL;
	}
	turn_take(&d->turn, request_command_name(request->command));
	if (!command_tell(env, &started))
		(void)say_interrupted(d, err);
	else if (request->command != REQUEST_PACK ||
		 daemon_check_ways(d, err) == 0)
		result = command_run(env, request, err);
	turn_give(&d->turn);
	if (!result && err->code == -ECANCELED)
		(void)say_interrupted(d, err);
	return result;
}

json_t *daemon_answer(struct daemon *d, const struct request *request,
		      const struct command_env *env, uid_t uid,
		      struct error *err)
{
	json_t *result;

	switch (request->command) {
	case REQUEST_STATUS:
		return answer_status(d, request, env, err);
	case REQUEST_ACCEPT:
		return answer_accept(d, request, uid, err);
	case REQUEST_PACK:
	case REQUEST_UNPACK:
	case REQUEST_GC:
	case REQUEST_SCRUB:
	case REQUEST_MONTH:
		return answer_job(d, request, env, err);
	case REQUEST_EXPLAIN:
	case REQUEST_DU:
	case REQUEST_PLAN:
	case REQUEST_REPORT:
	case REQUEST_FSCK:
	case REQUEST_COMMANDS:
		break;
	}
	result = command_run(env, request, err);
	if (!result && err->code == -ECANCELED)
		(void)say_interrupted(d, err);
	return result;
}
