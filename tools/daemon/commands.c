/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/commands.h"

#include <errno.h>
#include <string.h>

#include "tools/daemon/internal.h"
#include "tools/daemon/mountinfo.h"

static json_int_t i(uint64_t n)
{
	return (json_int_t)n;
}

json_t *json_or_nomem(json_t *value, struct error *err)
{
	if (!value)
		(void)error_set(err, -ENOMEM, "no memory for the answer");
	return value;
}

bool command_tell(const struct command_env *env,
		  const struct command_progress *progress)
{
	return !env->progress || env->progress(env->ctx, progress);
}

/* --- pack, unpack --------------------------------------------------------- */

/* What progress and go_on both get as their context. */
struct pack_command {
	const struct command_env *env;
	uint64_t done; /* files */
};

static bool pack_progress(void *ctx, const char *path,
			  enum pack_outcome outcome,
			  const struct pack_report *report)
{
	struct pack_command *pack = ctx;
	struct command_progress p = { .path = path };

	(void)outcome;
	for (int o = 0; o < PACK_OUTCOMES; o++)
		p.done += report->count[o];
	pack->done = p.done;
	return command_tell(pack->env, &p);
}

static bool pack_goes_on_within(void *ctx)
{
	const struct pack_command *pack = ctx;
	const struct command_progress p = { .done = pack->done };

	return command_tell(pack->env, &p);
}

static json_t *last_error(const struct error *err, const char *path)
{
	return json_pack("{s:o, s:s, s:o}", "path", json_from_name(path),
			 "code", errcode_name(err->code), "text",
			 json_from_name(err->text));
}

static json_t *pack_result(const struct pack_report *r)
{
	json_t *left_out = json_object();
	json_t *result = json_pack(
		"{s:i, s:I, s:I, s:I, s:I, s:o}", "schema", PROTOCOL_SCHEMA,
		"packed", i(r->count[PACK_DONE]), "logical_bytes",
		i(r->logical_bytes), "freed_bytes", i(r->freed_bytes),
		"stored_bytes", i(r->stored_bytes), "left_out", left_out);

	for (int o = PACK_DONE + 1; result && o < PACK_OUTCOMES; o++)
		if (r->count[o] > 0)
			(void)json_object_set_new(
				left_out,
				pack_outcome_name((enum pack_outcome)o),
				json_integer(i(r->count[o])));
	if (result && r->count[PACK_ERROR] > 0)
		(void)json_object_set_new(
			result, "error",
			last_error(&r->last_error, r->last_error_path));
	return result;
}

static json_t *command_pack(const struct command_env *env,
			    const struct request *request, struct error *err)
{
	struct pack_report report = { .last_error = ERROR_INIT };
	struct pack_command pack = { .env = env };
	const struct pack_options options = { .now = request->now,
					      .progress = pack_progress,
					      .go_on = pack_goes_on_within,
					      .ctx = &pack };

	for (size_t n = 0; n < request->n_paths; n++) {
		int rc = drive_pack(env->drive, request->paths[n], &options,
				    &report, err);

		if (rc < 0)
			return NULL;
	}
	return json_or_nomem(pack_result(&report), err);
}

static bool unpack_progress(void *ctx, uint64_t done, uint64_t total)
{
	const struct command_progress p = { .done = done,
					    .total = total,
					    .bytes = true };

	return command_tell(ctx, &p);
}

static json_t *command_unpack(const struct command_env *env,
			      const struct request *request, struct error *err)
{
	struct unpack_report r = { .last_error = ERROR_INIT };
	struct command_env copy = *env;
	json_t *result;

	for (size_t n = 0; n < request->n_paths; n++) {
		int rc = drive_unpack(env->drive, request->paths[n],
				      unpack_progress, &copy, &r, err);

		if (rc < 0)
			return NULL;
	}
	result = json_pack("{s:i, s:I, s:I, s:I, s:I}", "schema",
			   PROTOCOL_SCHEMA, "unpacked", i(r.unpacked), "plain",
			   i(r.plain), "failed", i(r.failed), "bytes",
			   i(r.bytes));
	if (result && r.failed > 0)
		(void)json_object_set_new(
			result, "error",
			last_error(&r.last_error, r.last_error_path));
	return json_or_nomem(result, err);
}

/* --- explain ----------------------------------------------------------------
 */

static json_t *command_explain(const struct command_env *env,
			       const struct request *request, struct error *err)
{
	struct file_explanation e = { .ino = 0 };
	const char *path = request->paths[0];
	char hex[HASH128_HEX_BYTES];
	json_t *result;

	if (drive_explain(env->drive, path, &e, err) < 0)
		return NULL;
	result = json_pack("{s:i, s:o, s:I, s:b, s:s, s:I, s:I}", "schema",
			   PROTOCOL_SCHEMA, "path", json_from_name(path),
			   "inode", i(e.ino), "regular", e.regular, "state",
			   e.packed ? "packed" : "plain", "size_bytes",
			   i(e.size_bytes), "lower_bytes",
			   i(e.lower_blocks * 512));
	if (!result)
		return json_or_nomem(NULL, err);
	if (e.packed) {
		hash128_hex(&e.stub.content, hex);
		(void)json_object_update_new(
			result, json_pack("{s:s, s:I, s:I}", "content", hex,
					  "same_content", i(e.same_content),
					  "bytes_before",
					  i((uint64_t)e.stub.blocks * 512)));
	} else {
		(void)json_object_update_new(
			result,
			json_pack("{s:s, s:I}", "would",
				  pack_outcome_name(e.would), "cold_at_s",
				  (json_int_t)(e.cold_at_ns / NS_PER_S)));
	}
	if (explain_more(env, path, e.ino, request->french, result, err) < 0) {
		json_decref(result);
		return NULL;
	}
	return result;
}

/* --- status -----------------------------------------------------------------
 */

static json_t *scan_json(struct drive *drive)
{
	struct scan_progress scan = { .running = false };

	drive_scan_progress(drive, &scan);
	return json_pack("{s:b, s:s, s:I, s:I, s:I}", "running", scan.running,
			 "kind", scan.reconciling ? "reconcile" : "import",
			 "inodes", i(scan.inodes_done), "repaired",
			 i(scan.repaired), "missing", i(scan.missing));
}

static json_t *store_json(const struct store_totals *t)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "packs",
			 i(t->packs), "pack_bytes", i(t->pack_bytes),
			 "dead_bytes", i(t->dead_bytes), "contents",
			 i(t->contents), "content_bytes", i(t->content_bytes),
			 "chunks", i(t->chunks), "bad_chunks",
			 i(t->bad_chunks));
}

static json_t *savings_json(const struct savings *s)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "copies",
			 i(s->copies), "parts", i(s->parts), "compression",
			 i(s->compression), "blocks", i(s->blocks), "holes",
			 i(s->holes), "overhead", i(s->overhead));
}

static json_t *command_status(const struct command_env *env,
			      const struct request *request, struct error *err)
{
	struct catalog *cat = drive_catalog(env->drive);
	struct catalog_totals files = { .files = 0 };
	struct store_totals store = { .packs = 0 };
	struct savings savings = { .copies = 0 };
	char uuid[UUID_TEXT_BYTES];
	int64_t saved;
	double percent = 0;

	if (catalog_totals(cat, &files, err) < 0 ||
	    store_totals(drive_store(env->drive), &store, err) < 0 ||
	    drive_savings(env->drive, &files, &store, &savings, err) < 0)
		return NULL;
	uuid_text(drive_uuid(env->drive), uuid);
	saved = (int64_t)files.packed_bytes - (int64_t)store.pack_bytes;
	if (files.logical_bytes > 0)
		percent = 100.0 * (double)saved / (double)files.logical_bytes;
	return json_or_nomem(
		json_pack("{s:i, s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:f,"
			  " s:o, s:o, s:o, s:I, s:b, s:o?, s:o?}",
			  "schema", PROTOCOL_SCHEMA, "uuid", uuid, "mounted",
			  env->served, "files", i(files.files), "packed",
			  i(files.packed), "logical_bytes",
			  i(files.logical_bytes), "packed_bytes",
			  i(files.packed_bytes), "plain_bytes",
			  i(files.plain_blocks * 512), "saved_bytes",
			  (json_int_t)saved, "saved_percent", percent,
			  "saved_by", savings_json(&savings), "store",
			  store_json(&store), "scan", scan_json(env->drive),
			  "queue", i(catalog_queue_length(cat)), "needs_scan",
			  catalog_needs_scan(cat), "last_close",
			  last_close_json(env, request->french), "months_due",
			  months_due_json(env)),
		err);
}

/* --- upkeep -----------------------------------------------------------------
 */

static bool store_progress(void *ctx, uint64_t done, uint64_t total)
{
	const struct command_progress p = { .done = done,
					    .total = total,
					    .bytes = true };

	return command_tell(ctx, &p);
}

/* Counts can't be trusted until a scan has ended. That of a daemon may run, or
 * have failed: then it is done again here. */
static int scan_if_needed(const struct command_env *env, struct error *err)
{
	static const bool never = false;
	int rc = 0;

	if (catalog_needs_scan(drive_catalog(env->drive)))
		rc = drive_scan(env->drive, env->stop ? env->stop : &never,
				err);
	return rc == -EBUSY ? error_set(err, -EAGAIN,
					"the scan of the drive has not ended "
					"yet: try again later")
			    : rc;
}

/* What still_used and progress both get as their context. */
struct gc_ctx {
	const struct command_env *env;
	uint64_t done; /* as last told */
	uint64_t total;
};

/* Who waits for the catalog's writer gets it: a mutex is not fair to those that
 * sleep. */
#define GC_REST_US 500

/* Between transactions, and when nothing more is known (`total` 0). */
static bool gc_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct gc_ctx *gc = ctx;
	struct command_env copy = *gc->env;

	if (copy.give_way) {
		copy.give_way(copy.ctx);
		(void)usleep(GC_REST_US);
	}
	if (total > 0) {
		gc->done = done;
		gc->total = total;
	}
	return store_progress(&copy, gc->done, gc->total);
}

static bool gc_still_used(void *ctx, const struct catalog_inode *tied,
			  const struct hash128 *content)
{
	const struct gc_ctx *gc = ctx;

	return drive_still_used(gc->env->drive, tied, content);
}

/* What it gives back needs room first, the catalog's. */
static int gc_run(const struct command_env *env,
		  const struct store_gc_options *options,
		  struct store_gc_result *ret_result, struct error *err)
{
	struct store *store = drive_store(env->drive);
	int rc = store_gc(store, options, ret_result, err);

	if (rc == -ENOSPC && catalog_give_room(drive_catalog(env->drive)))
		rc = store_gc(store, options, ret_result, err);
	return rc;
}

#define LOOK_US 300000

/* Asked before it works: then it is busy itself. */
static enum store_effort effort_now(void)
{
	struct load before;

	load_start(&before);
	(void)usleep(LOOK_US);
	return load_was_low(&before) ? STORE_EFFORT_HIGH : STORE_EFFORT_LOW;
}

static json_t *command_gc(const struct command_env *env,
			  const struct request *request, struct error *err)
{
	struct gc_ctx ctx = { .env = env };
	const struct store_gc_options options = {
		.grace_s = request->grace_s,
		.effort = effort_now(),
		.sync_fd = drive_lower_fd(env->drive),
		.still_used = gc_still_used,
		.progress = gc_progress,
		.ctx = &ctx,
	};
	struct store_gc_result r = { .contents_dropped = 0 };

	if (scan_if_needed(env, err) < 0 || gc_run(env, &options, &r, err) < 0)
		return NULL;
	return json_or_nomem(
		json_pack("{s:i, s:I, s:I, s:I, s:I, s:I, s:I}", "schema",
			  PROTOCOL_SCHEMA, "contents_dropped",
			  i(r.contents_dropped), "packs_condemned",
			  i(r.packs_condemned), "packs_unlinked",
			  i(r.packs_unlinked), "bytes_rewritten",
			  i(r.bytes_rewritten), "bytes_live", i(r.bytes_live),
			  "bytes_freed", i(r.bytes_freed)),
		err);
}

struct damage {
	const struct command_env *env;
	uint64_t contents;
	uint64_t files;
};

struct damaged_content {
	struct damage *damage;
	struct catalog *cat;
	const char *hex;
};

static void tell_damaged_path(void *ctx, const char *path)
{
	const struct damaged_content *d = ctx;
	cleanup_json json_t *note =
		json_pack("{s:s, s:o, s:s}", "kind", "damaged", "path",
			  json_from_name(path), "content", d->hex);
	const struct command_progress p = { .note = note };

	d->damage->files++;
	(void)command_tell(d->damage->env, &p);
}

static void tell_damaged_inode(void *ctx, uint64_t ino)
{
	const struct damaged_content *d = ctx;
	struct error ignored = ERROR_INIT;

	(void)catalog_paths(d->cat, ino, 1, tell_damaged_path, ctx, &ignored);
}

static void damaged(void *ctx, const struct hash128 *content)
{
	struct damage *damage = ctx;
	char hex[HASH128_HEX_BYTES];
	struct damaged_content d = {
		.damage = damage,
		.cat = drive_catalog(damage->env->drive),
		.hex = hex,
	};
	struct error ignored = ERROR_INIT;

	hash128_hex(content, hex);
	damage->contents++;
	(void)catalog_content_inodes(d.cat, content, tell_damaged_inode, &d,
				     &ignored);
}

static bool scrub_progress(void *ctx, uint64_t done, uint64_t total)
{
	const struct damage *damage = ctx;
	struct command_env copy = *damage->env;

	if (copy.give_way)
		copy.give_way(copy.ctx);
	return store_progress(&copy, done, total);
}

static json_t *command_scrub(const struct command_env *env, struct error *err)
{
	struct damage damage = { .env = env };
	struct store_scrub_result r = { .records = 0 };

	if (store_scrub(drive_store(env->drive), scrub_progress, damaged,
			&damage, &r, err) < 0)
		return NULL;
	return json_or_nomem(
		json_pack("{s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "schema",
			  PROTOCOL_SCHEMA, "records", i(r.records), "bytes",
			  i(r.bytes), "bad_records", i(r.bad_records),
			  "dead_records", i(r.dead_records), "bad_chunks",
			  i(r.bad_chunks), "bad_contents", i(damage.contents),
			  "bad_files", i(damage.files)),
		err);
}

/* What the mount hides isn't there for commands either. */
static int check_paths(const struct command_env *env,
		       const struct request *request, struct error *err)
{
	const size_t len = strlen(DRIVE_STATE_NAME);

	for (size_t n = 0; n < request->n_paths; n++) {
		const char *path = request->paths[n];

		if (drive_state_is_inside(env->drive) &&
		    !strncmp(path, DRIVE_STATE_NAME, len) &&
		    (path[len] == '/' || path[len] == '\0'))
			return error_set(err, -ENOENT,
					 "'%s' is the drive's own", path);
	}
	return 0;
}

json_t *command_run(const struct command_env *env,
		    const struct request *request, struct error *err)
{
	if (check_paths(env, request, err) < 0)
		return NULL;
	switch (request->command) {
	case REQUEST_STATUS:
		return command_status(env, request, err);
	case REQUEST_EXPLAIN:
		return command_explain(env, request, err);
	case REQUEST_PACK:
		return shares_counted(env, command_pack(env, request, err));
	case REQUEST_UNPACK:
		return shares_counted(env, command_unpack(env, request, err));
	case REQUEST_FSCK:
		return command_fsck(env, request, err);
	case REQUEST_GC:
		return shares_counted(env, command_gc(env, request, err));
	case REQUEST_SCRUB:
		return command_scrub(env, err);
	case REQUEST_DU:
		return command_du(env, request, err);
	case REQUEST_PLAN:
		return command_plan(env, request, err);
	case REQUEST_REPORT:
		return command_report(env, request, err);
	case REQUEST_MONTH:
		return command_month(env, request, err);
	case REQUEST_ACCEPT:
	case REQUEST_COMMANDS:
		break;
	}
	(void)error_set(err, -EINVAL, "the drive is not mounted");
	return NULL;
}
