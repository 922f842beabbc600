/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/buf.h"
#include "tools/sobre/internal.h"

/* --- one drive, for people
 * ------------------------------------------------------ */

static void print_name(const char *label, const json_t *r, const char *key)
{
	cleanup_free char *name = json_name(r, key);

	if (name && *name)
		(void)printf(T("%s: %s\n"), label, name);
}

static void print_accelerator(const char *name, const json_t *front,
			      const char *key)
{
	const json_t *a = json_object_get(front, key);

	if (json_is_true(json_object_get(a, "on")))
		(void)printf(T("  %s: on\n"), name);
	else
		(void)printf(T("  %s: off: %s\n"), name, json_text(a, "why"));
}

static void print_front(const json_t *r)
{
	const json_t *front = json_object_get(r, "front");

	if (!front)
		return;
	(void)printf(T("accelerators (libfuse %s):\n"),
		     json_text(front, "libfuse"));
	print_accelerator("passthrough", front, "passthrough");
	print_accelerator("io_uring", front, "io_uring");
	print_accelerator(T("idle class"), front, "idle_class");
	(void)printf(T("open files: %llu\n"), json_u64(front, "open_files"));
}

static void print_cause(const json_t *by, const char *label, const char *key)
{
	if (json_u64(by, key) > 0)
		(void)printf(T("  %s: %s\n"), label,
			     out_size(json_u64(by, key)).text);
}

static void print_causes(const json_t *by)
{
	print_cause(by, T("copies of whole files"), "copies");
	print_cause(by, T("parts that files share"), "parts");
	print_cause(by, T("compression"), "compression");
	print_cause(by, T("holes, which took no room before"), "holes");
	print_cause(by, T("less what the packs need besides"), "overhead");
	print_cause(by, T("more: the unused rest of last blocks"), "blocks");
}

static void print_savings(const json_t *r)
{
	const json_t *store = json_object_get(r, "store");
	json_int_t saved =
		json_integer_value(json_object_get(r, "saved_bytes"));
	double percent = json_real_value(json_object_get(r, "saved_percent"));

	(void)printf(T("files: %llu, of them packed: %llu\n"),
		     json_u64(r, "files"), json_u64(r, "packed"));
	(void)printf(T("their sizes: %s, of them packed: %s\n"),
		     out_size(json_u64(r, "logical_bytes")).text,
		     out_size(json_u64(r, "packed_bytes")).text);
	(void)printf(T("stored in packs: %s\n"),
		     out_size(json_u64(store, "pack_bytes")).text);
	(void)printf(T("saved: %s%s (%.1f %%)\n"), saved < 0 ? "-" : "",
		     out_size((uint64_t)(saved < 0 ? -saved : saved)).text,
		     percent);
	print_causes(json_object_get(r, "saved_by"));
	if (json_u64(store, "bad_chunks") > 0)
		(void)printf(T("damaged chunks: %llu\n"),
			     json_u64(store, "bad_chunks"));
}

static void print_ways(const json_t *r)
{
	json_t *ways = json_object_get(r, "ways");
	bool open = false;
	json_t *way;
	size_t i;

	if (!ways)
		return;
	if (json_array_size(ways) == 0) {
		(void)printf(T("other ways in: none\n"));
		return;
	}
	(void)printf(T("other ways in:\n"));
	json_array_foreach(ways, i, way)
	{
		cleanup_free char *name = json_name(way, "name");
		bool accepted = json_is_true(json_object_get(way, "accepted"));

		(void)printf(accepted ? T("  %s (accepted)\n") : "  %s\n",
			     name ? name : "");
		open = open || !accepted;
	}
	if (open)
		(void)printf(T("nothing is packed until they have gone or are "
			       "accepted: sobre accept DRIVE NAME\n"));
}

static void print_work(const json_t *r)
{
	const json_t *scan = json_object_get(r, "scan");
	const json_t *jobs = json_object_get(r, "jobs");
	const json_t *window = json_object_get(r, "pack_window");
	const char *running = json_text(jobs, "running");

	if (json_is_true(json_object_get(scan, "running")))
		(void)printf(!strcmp(json_text(scan, "kind"), "import")
				     ? T("import: %llu inodes so far\n")
				     : T("reconciling: %llu inodes so far\n"),
			     json_u64(scan, "inodes"));
	else if (json_is_true(json_object_get(r, "needs_scan")))
		(void)printf(T("the drive has not been scanned since it was "
			       "not closed\n"));
	if (json_u64(scan, "missing") > 0)
		(void)printf(T("packed files whose content is missing: %llu\n"),
			     json_u64(scan, "missing"));
	if (jobs)
		(void)printf(T("job: %s, waiting: %llu\n"),
			     *running ? running : T("none"),
			     json_u64(jobs, "waiting"));
	if (json_is_false(json_object_get(window, "open")))
		(void)printf(T("packing in the background waits for its hours: "
			       "%s to %s\n"),
			     json_text(window, "from"),
			     json_text(window, "until"));
	(void)printf(T("catalog queue: %llu\n"), json_u64(r, "queue"));
}

/* Of the meters that a program reads. */
static void print_meters(const json_t *r)
{
	json_t *meter;
	size_t i;

	json_array_foreach(json_object_get(r, "meters"), i, meter)
	{
		const json_t *last = json_object_get(meter, "last");
		cleanup_free char *wrong = json_name(meter, "wrong");

		if (json_is_object(last))
			(void)printf(T("meter of array '%s': %llu %s on %s\n"),
				     json_text(meter, "array"),
				     json_u64(last, "value_micro") / 1000000,
				     json_text(meter, "unit"),
				     json_text(last, "time"));
		else
			(void)printf(T("meter of array '%s': not read yet\n"),
				     json_text(meter, "array"));
		if (wrong && *wrong)
			(void)printf("  %s\n", wrong);
	}
}

static void print_errors(const json_t *r)
{
	json_t *errors = json_object_get(r, "errors");
	json_t *error;
	size_t i;

	if (json_array_size(errors) > 0)
		(void)printf(T("last errors:\n"));
	json_array_foreach(errors, i, error)
	{
		cleanup_free char *text = json_name(error, "text");

		(void)printf("  %s %s\n", json_text(error, "time"),
			     text ? text : "");
	}
}

static void print_last_close(const json_t *r)
{
	const json_t *last = json_object_get(r, "last_close");
	cleanup_free char *error = json_name(last, "error");

	if (!json_is_object(last))
		return;
	if (error && *error) {
		(void)printf(T("last closed month: %s\n"), error);
		return;
	}
	(void)printf(T("last closed month: %s, version %llu\n"),
		     json_text(last, "month"), json_u64(last, "version"));
	if (json_u64(last, "n_failed") > 0)
		(void)printf(T("its books did not balance: sobre month close "
			       "--correct makes the next version\n"));
	out_checks(stdout, "  ", last);
	out_texts(stdout, "  ", json_object_get(last, "warnings"));
}

/* "2026-07, 2026-08" */
static void print_due(const json_t *r)
{
	const json_t *due = json_object_get(r, "months_due");
	cleanup_buf struct buf list;
	const json_t *month;
	size_t i;

	buf_init(&list, 4096);
	json_array_foreach(due, i, month)(void) buf_printf(
		&list, "%s%s", i ? ", " : "", json_string_value(month));
	if (list.len > 0 && buf_put_u8(&list, 0) == 0)
		(void)printf(T("not closed yet: %s: sobre month close --due "
			       "closes them\n"),
			     (const char *)list.data);
}

static void print_status(const struct place *place, const json_t *r)
{
	if (place->served)
		print_name(T("drive"), r, "lower");
	else
		(void)printf(T("drive: %s\n"), place->root);
	(void)printf("uuid: %s\n", json_text(r, "uuid"));
	if (place->served) {
		print_name(T("mounted at"), r, "mountpoint");
		(void)printf(T("since: %s, pid %llu%s\n"),
			     json_text(r, "since"), json_u64(r, "pid"),
			     json_is_true(json_object_get(r, "read_only"))
				     ? T(", read-only")
				     : "");
		print_name(T("log"), r, "log");
	} else {
		(void)printf(T("not mounted\n"));
	}
	print_front(r);
	print_savings(r);
	print_last_close(r);
	print_due(r);
	print_ways(r);
	print_work(r);
	print_meters(r);
	print_errors(r);
}

/* A month whose books didn't balance, or whose file can't be read, is wrong
 * until it is corrected. */
static int status_of(const json_t *r)
{
	const json_t *last = json_object_get(r, "last_close");

	return json_object_get(last, "error") || json_u64(last, "n_failed") > 0
		       ? EXIT_REFUSED
		       : EXIT_DONE;
}

static json_t *dead_status(const struct place *place)
{
	return json_pack("{s:i, s:s, s:o, s:b, s:b}", "schema", PROTOCOL_SCHEMA,
			 "uuid", place->uuid, "mountpoint",
			 json_from_name(place->root), "mounted", 0, "dead", 1);
}

/* --- all of them
 * ------------------------------------------------------------------ */

static json_t *ask_status(const struct cli *cli, const struct place *place,
			  struct error *err)
{
	const struct request request = { .command = REQUEST_STATUS,
					 .french = po_lang() == PO_FR };

	if (place->dead)
		return dead_status(place);
	return client_call(cli, place, &request, NULL, NULL, err);
}

static void print_one(const struct place *place, const json_t *r)
{
	if (place->dead)
		(void)printf(T("%s: its daemon has died: sobre mount starts "
			       "another, sobre umount clears the place\n"),
			     place->root);
	else
		print_status(place, r);
}

static int tell_one(const struct cli *cli, const struct place *place,
		    json_t *drives)
{
	struct error err = ERROR_INIT;
	json_t *r = ask_status(cli, place, &err);
	int status;

	if (!r)
		return out_error(&err);
	status = status_of(r);
	if (cli->json) {
		(void)json_array_append_new(drives, r);
		return status;
	}
	print_one(place, r);
	json_decref(r);
	return status;
}

static int status_of_all(const struct cli *cli)
{
	cleanup_mounts struct mount_table table = MOUNT_TABLE_INIT;
	cleanup_json json_t *drives = json_array();
	cleanup_json json_t *all = NULL;
	struct error err = ERROR_INIT;
	int status = EXIT_DONE;
	size_t n = 0;

	if (mount_table_read("/proc/self/mountinfo", &table, &err) < 0)
		return out_error(&err);
	for (size_t i = 0; i < table.n; i++) {
		cleanup_place struct place place = { .root = NULL };

		/* Once each, and not what is hidden below another mount. */
		if (!mount_sobre_uuid(&table.mounts[i]) ||
		    mount_table_at(&table, table.mounts[i].point) !=
			    &table.mounts[i])
			continue;
		if (n++ > 0 && !cli->json)
			(void)putchar('\n');
		if (place_find(table.mounts[i].point, false, NULL, &place,
			       &err) < 0)
			status = out_error(&err);
		else if (tell_one(cli, &place, drives) != EXIT_DONE)
			status = EXIT_REFUSED;
	}
	if (cli->json) {
		all = json_pack("{s:i, s:O}", "schema", PROTOCOL_SCHEMA,
				"drives", drives);
		return out_json(all, status);
	}
	if (n == 0)
		(void)printf(T("no drive is mounted\n"));
	return status;
}

int cmd_status(const struct cli *cli)
{
	cleanup_place struct place place = { .root = NULL };
	cleanup_json json_t *r = NULL;
	struct error err = ERROR_INIT;

	if (cli->n == 0)
		return status_of_all(cli);
	if (place_find(cli->operands[0], true, cli->state, &place, &err) < 0)
		return out_error(&err);
	r = ask_status(cli, &place, &err);
	if (!r)
		return out_error(&err);
	if (cli->json)
		return out_json(r, status_of(r));
	print_one(&place, r);
	return status_of(r);
}
