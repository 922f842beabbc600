/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tools/sobre/internal.h"

struct sink {
	client_progress_fn *progress;
	void *ctx;
};

/* --- through the daemon -----------------------------------------------------
 */

/* 1 when it was the last one. */
static int take_reply(const json_t *reply, const struct sink *sink,
		      json_t **ret_result, struct error *err)
{
	const json_t *progress = json_object_get(reply, "progress");
	json_t *result = json_object_get(reply, "result");

	if (progress) {
		if (sink->progress)
			sink->progress(sink->ctx, progress);
		return 0;
	}
	if (!json_is_object(result))
		return reply_to_error(json_object_get(reply, "error"), err);
	*ret_result = json_incref(result);
	return 1;
}

static json_t *ask(const char *uuid, const struct request *request,
		   const struct sink *sink, struct error *err)
{
	cleanup_fd int sock = daemon_connect(uuid, err);
	cleanup_json json_t *message = request_encode(request);
	json_t *result = NULL;
	int rc = sock;

	if (rc == -EACCES)
		(void)error_set(err, rc, "only root may ask the daemon");
	if (rc >= 0 && !message)
		rc = error_set(err, -ENOMEM, "no memory for the request");
	if (rc >= 0)
		rc = frame_send(sock, message, err);
	if (rc == -EPIPE)
		rc = 0; /* it may have said why before it closed */
	while (rc == 0) {
		cleanup_json json_t *reply = NULL;

		rc = frame_receive(sock, &reply, err);
		if (rc == 0)
			rc = error_set(err, -EPIPE,
				       "the daemon went away without an "
				       "answer");
		else if (rc > 0)
			rc = take_reply(reply, sink, &result, err);
	}
	return result;
}

/* --- in this process ---------------------------------------------------------
 */

static bool local_progress(void *ctx, const struct command_progress *p)
{
	const struct sink *sink = ctx;
	cleanup_json json_t *value = NULL;

	if (!sink->progress)
		return true;
	value = json_pack("{s:I, s:I, s:s}", "done", (json_int_t)p->done,
			  "total", (json_int_t)p->total, "unit",
			  p->bytes ? "bytes" : "files");
	if (value && p->path)
		(void)json_object_set_new(value, "path",
					  json_from_name(p->path));
	if (value && p->note)
		(void)json_object_set_new(value, "note",
					  json_deep_copy(p->note));
	if (value)
		sink->progress(sink->ctx, value);
	return true;
}

static bool only_reads(const struct request *request)
{
	return request->command == REQUEST_STATUS ||
	       request->command == REQUEST_EXPLAIN ||
	       request->command == REQUEST_DU ||
	       request->command == REQUEST_PLAN ||
	       (request->command == REQUEST_REPORT && !request->mail);
}

static struct setup *load_setup(const struct cli *cli,
				const struct place *place, struct error *err)
{
	cleanup_setup_paths struct setup_paths paths = { .config = NULL };
	struct setup *setup = NULL;

	if (setup_paths_find(cli->config, cli->policies, place->root, &paths,
			     err) < 0 ||
	    setup_load(&paths, -1, setup_say, NULL, &setup, err) < 0)
		return NULL;
	return setup;
}

static json_t *run_here(const struct cli *cli, const struct place *place,
			const struct request *request, struct sink *sink,
			struct error *err)
{
	CLEANUP(setup_free) struct setup *setup = load_setup(cli, place, err);
	const struct drive_options options = {
		.readonly = only_reads(request),
		.must_exist = true,
		.min_age_s = setup ? setup_min_age_s(setup) : 0,
		.clock = clock_real(),
		.departments =
			setup && setup->configured ? setup->department : NULL,
		.n_departments = setup ? setup->departments : 0,
		.excluded = setup_excluded,
		.ctx = setup,
	};
	cleanup_fd int lower_fd =
		open(place->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(drive_close) struct drive *drive = NULL;
	struct command_env env = { .state_path = cli->state,
				   .setup = setup,
				   .clock = clock_real(),
				   .name = place->root,
				   .progress = local_progress,
				   .ctx = sink };

	if (!setup)
		return NULL;
	if (lower_fd < 0) {
		(void)error_set(err, -errno, "cannot open '%s': %s",
				place->root, strerrordesc_np(errno));
		return NULL;
	}
	if (request->command == REQUEST_FSCK && request->rebuild)
		return command_rebuild(lower_fd, cli->state, &env, err);
	if (drive_open(lower_fd, cli->state, &options, &drive, err) < 0) {
		if (!strstr(err->text, place->root))
			(void)error_prefix(err, "'%s'", place->root);
		return NULL;
	}
	env.drive = drive;
	return command_run(&env, request, err);
}

json_t *client_call(const struct cli *cli, const struct place *place,
		    const struct request *request, client_progress_fn *progress,
		    void *ctx, struct error *err)
{
	struct sink sink = { .progress = progress, .ctx = ctx };
	struct request spoken = *request; /* shallow: borrowed */

	spoken.french = po_lang() == PO_FR;
	/* Waiting in the lower would be another way into the drive. */
	if (chdir("/") < 0) {
		(void)error_set(err, -errno, "cannot go to '/': %s",
				strerrordesc_np(errno));
		return NULL;
	}
	if (place->dead) {
		(void)error_set(err, -ENOTCONN,
				"the daemon of '%s' has died: sobre mount "
				"starts another, sobre umount clears the "
				"place",
				place->root);
		return NULL;
	}
	if (place->served)
		return ask(place->uuid, &spoken, &sink, err);
	return run_here(cli, place, &spoken, &sink, err);
}

/* --- what commands share ----------------------------------------------------
 */

int take_paths(const struct cli *cli, struct place *ret_place,
	       struct request *request, struct error *err)
{
	cleanup_place struct place first = { .root = NULL };

	for (size_t i = 0; i < cli->n; i++) {
		cleanup_place struct place place = { .root = NULL };
		int rc = place_find(cli->operands[i], false, cli->state, &place,
				    err);

		if (rc == 0 && first.root &&
		    strcmp(first.root, place.root) != 0)
			rc = error_set(err, -EXDEV,
				       "'%s' is of another drive than '%s'",
				       cli->operands[i], cli->operands[0]);
		if (rc == 0)
			rc = request_add_path(request, place.rel, err);
		if (rc < 0)
			return rc;
		if (!first.root) {
			first = place;
			place = (struct place){ .root = NULL };
		}
	}
	*ret_place = first;
	first = (struct place){ .root = NULL };
	return 0;
}

json_t *call_with_bar(const struct cli *cli, const struct place *place,
		      const struct request *request, struct error *err)
{
	struct bar bar;
	json_t *result;

	bar_start(&bar);
	result = client_call(cli, place, request, bar_progress, &bar, err);
	bar_clear(&bar);
	return result;
}
