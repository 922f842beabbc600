/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/io.h"
#include "fs/fsck/fsck.h"
#include "tools/daemon/internal.h"

static const char *const severity_names[] = {
	[FSCK_NOTE] = "note",
	[FSCK_REPAIRABLE] = "repairable",
	[FSCK_DAMAGE] = "damage",
};

static void tell_problem(void *ctx, enum fsck_kind kind, const char *path,
			 const char *text)
{
	cleanup_json json_t *note = json_pack(
		"{s:s, s:s, s:o, s:o}", "kind", fsck_kind_name(kind),
		"severity", severity_names[fsck_kind_severity(kind)], "path",
		json_from_name(path), "text", json_from_name(text));
	const struct command_progress p = { .note = note };

	if (note)
		(void)command_tell(ctx, &p);
}

static bool fsck_progress(void *ctx, uint64_t done, uint64_t total)
{
	const struct command_progress p = { .done = done, .total = total };

	return command_tell(ctx, &p);
}

static json_t *result_json(const struct fsck_report *r)
{
	json_t *found = json_object();
	json_t *result = json_pack(
		"{s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "schema",
		PROTOCOL_SCHEMA, "files", (json_int_t)r->files, "stubs",
		(json_int_t)r->stubs, "references", (json_int_t)r->references,
		"contents", (json_int_t)r->contents, "packs",
		(json_int_t)r->packs, "notes",
		(json_int_t)r->severity[FSCK_NOTE], "repairable",
		(json_int_t)r->severity[FSCK_REPAIRABLE], "damage",
		(json_int_t)r->severity[FSCK_DAMAGE], "found", found);

	for (int k = 0; result && k < FSCK_KINDS; k++)
		if (r->count[k] > 0)
			(void)json_object_set_new(
				found, fsck_kind_name((enum fsck_kind)k),
				json_integer((json_int_t)r->count[k]));
	return result;
}

static json_t *run_fsck(const struct command_env *env, bool rebuild,
			const char *state_path, struct error *err)
{
	struct command_env copy = *env;
	const struct fsck_options options = {
		.state_path = state_path,
		.rebuild = rebuild,
		.progress = fsck_progress,
		.ctx = &copy,
	};
	struct fsck_report report = { .files = 0 };

	if (fsck_run(env->drive, &options, tell_problem, &report, err) < 0)
		return NULL;
	return json_or_nomem(result_json(&report), err);
}

json_t *command_fsck(const struct command_env *env,
		     const struct request *request, struct error *err)
{
	if (request->rebuild) {
		(void)error_set(err, -EBUSY,
				"a mounted drive's catalog is not rebuilt: "
				"unmount it first");
		return NULL;
	}
	return run_fsck(env, false, env->state_path, err);
}

/* --- rebuilding ---------------------------------------------------------- */

static const char *const catalog_files[] = { "catalog.db", "catalog.db-wal",
					     "catalog.db-shm" };

/* Renames the catalog's files, to or from "NAME.damaged-WHEN". */
static int move_catalog(int state_fd, int64_t when_s, bool back)
{
	int moved = 0;

	for (size_t i = 0; i < sizeof(catalog_files) / sizeof(catalog_files[0]);
	     i++) {
		char aside[64];
		int rc;

		(void)snprintf(aside, sizeof(aside), "%s.damaged-%" PRId64,
			       catalog_files[i], when_s);
		rc = back ? io_renameat(state_fd, aside, state_fd,
					catalog_files[i])
			  : io_renameat(state_fd, catalog_files[i], state_fd,
					aside);
		if (rc < 0 && rc != -ENOENT)
			return rc;
		moved += rc == 0;
	}
	if (moved == 0)
		return -ENOENT;
	return io_fsync(state_fd);
}

/* A catalog that can't be opened, or used, is set aside, never deleted: packs
 * and stubs alone are enough to make another. */
static int open_with_new_catalog(int lower_fd, const char *state_path,
				 const struct drive_options *options,
				 struct drive **ret_drive, struct error *err)
{
	cleanup_fd int state_fd =
		openat(lower_fd, state_path ? state_path : DRIVE_STATE_NAME,
		       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int64_t now_s = clock_now_s(&options->clock);
	int rc;

	if (state_fd < 0)
		return err->code; /* of the first try */
	rc = move_catalog(state_fd, now_s, false);
	if (rc == -ENOENT)
		return err->code;
	if (rc < 0)
		return error_set(err, rc, "cannot set the catalog aside: %s",
				 strerrordesc_np(-rc));
	rc = drive_open(lower_fd, state_path, options, ret_drive, err);
	if (rc < 0) /* it wasn't the catalog */
		(void)move_catalog(state_fd, now_s, true);
	return rc;
}

json_t *command_rebuild(int lower_fd, const char *state_path,
			const struct command_env *env, struct error *err)
{
	const struct drive_options options = {
		.must_exist = true,
		.rebuild = true,
		.min_age_s = INT64_C(86400),
		.clock = clock_real(),
	};
	CLEANUP(drive_close) struct drive *drive = NULL;
	struct command_env mine = *env;
	json_t *result = NULL;
	int rc = drive_open(lower_fd, state_path, &options, &drive, err);

	if (rc == -SOBRE_ECORRUPT)
		rc = open_with_new_catalog(lower_fd, state_path, &options,
					   &drive, err);
	if (rc < 0)
		return NULL;
	mine.drive = drive;
	result = run_fsck(&mine, true, state_path, err);
	if (result || err->code != -SOBRE_ECORRUPT)
		return result;
	/* It could be opened, but not used: its tables can't be filled. */
	drive_close(take_ptr(&drive));
	rc = open_with_new_catalog(lower_fd, state_path, &options, &drive, err);
	mine.drive = drive;
	return rc < 0 ? NULL : run_fsck(&mine, true, state_path, err);
}
