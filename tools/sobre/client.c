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
		(void)error_set(err, rc, T("only root may ask the daemon"));
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
				       T("the daemon went away without an "
					 "answer"));
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
	       request->command == REQUEST_EXPLAIN;
}

static json_t *run_here(const struct place *place, const char *state,
			const struct request *request, struct sink *sink,
			struct error *err)
{
	const struct drive_options options = {
		.readonly = only_reads(request),
		.must_exist = true,
		.min_age_s = INT64_C(86400),
		.clock = clock_real(),
	};
	cleanup_fd int lower_fd =
		open(place->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(drive_close) struct drive *drive = NULL;
	struct command_env env = { .state_path = state,
				   .progress = local_progress,
				   .ctx = sink };

	if (lower_fd < 0) {
		(void)error_set(err, -errno, T("cannot open '%s': %s"),
				place->root, strerrordesc_np(errno));
		return NULL;
	}
	if (request->command == REQUEST_FSCK && request->rebuild)
		return command_rebuild(lower_fd, state, &env, err);
	if (drive_open(lower_fd, state, &options, &drive, err) < 0) {
		if (!strstr(err->text, place->root))
			(void)error_prefix(err, "'%s'", place->root);
		return NULL;
	}
	env.drive = drive;
	return command_run(&env, request, err);
}

json_t *client_call(const struct place *place, const char *state,
		    const struct request *request, client_progress_fn *progress,
		    void *ctx, struct error *err)
{
	struct sink sink = { .progress = progress, .ctx = ctx };

	/* Waiting in the lower would be another way into the drive. */
	if (chdir("/") < 0) {
		(void)error_set(err, -errno, "cannot go to '/': %s",
				strerrordesc_np(errno));
		return NULL;
	}
	if (place->dead) {
		(void)error_set(err, -ENOTCONN,
				T("the daemon of '%s' has died: sobre mount "
				  "starts another, sobre umount clears the "
				  "place"),
				place->root);
		return NULL;
	}
	if (place->served)
		return ask(place->uuid, request, &sink, err);
	return run_here(place, state, request, &sink, err);
}
