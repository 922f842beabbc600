/* SPDX-License-Identifier: EUPL-1.2 */
/* fsck, gc, scrub, accept */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/sobre/internal.h"

#define GC_GRACE_S (INT64_C(30) * 86400)

/* Problems come as notes, beside progress. */
struct collector {
	struct bar bar;
	json_t *notes;
	bool json;
};

struct kind_text {
	const char *name;
	const char *text;
};

static const struct kind_text kind_texts[] = {
	{ "damaged", N_("cannot be read whole: a stored part is damaged") },
	{ "catalog", N_("the catalog is not whole") },
	{ "unreadable", N_("could not be looked at") },
	{ "stub_damaged", N_("the packed file's mark is damaged") },
	{ "stub_size", N_("the packed file's size is wrong") },
	{ "stub_mtime", N_("the packed file's date is wrong") },
	{ "stub_data", N_("data is left in a packed file") },
	{ "content_missing", N_("the packed file's content is not stored") },
	{ "content_damaged", N_("a part of the stored content is missing") },
	{ "reference_missing",
	  N_("the catalog does not know that the file needs its content") },
	{ "reference_stale",
	  N_("the catalog takes for packed a file that is not") },
	{ "pack_missing", N_("the pack is missing") },
	{ "pack_short", N_("the pack ends too early") },
	{ "content_left", N_("an unused content is incomplete") },
	{ "pack_foreign", N_("not a pack of this drive") },
	{ "root_open",
	  N_("the lower directory is open while files are packed") },
};

static const char *kind_text(const char *name)
{
	for (size_t i = 0; i < sizeof(kind_texts) / sizeof(kind_texts[0]); i++)
		if (!strcmp(kind_texts[i].name, name))
			return po_text(kind_texts[i].text);
	return name;
}

static void print_note(const json_t *note)
{
	cleanup_free char *path = json_name(note, "path");
	cleanup_free char *text = json_name(note, "text");

	if (path && *path)
		(void)printf("'%s': ", path);
	(void)printf("%s", kind_text(json_text(note, "kind")));
	if (text && *text)
		(void)printf(" (%s)", text);
	(void)putchar('\n');
	(void)fflush(stdout);
}

static void collect(void *ctx, const json_t *progress)
{
	struct collector *c = ctx;
	json_t *note = json_object_get(progress, "note");

	if (!note) {
		bar_progress(&c->bar, progress);
		return;
	}
	if (c->json) {
		(void)json_array_append(c->notes, note);
		return;
	}
	bar_clear(&c->bar);
	print_note(note);
}

/* Runs it on DRIVE; with --json notes go into the result's "problems". Fills
 * `*ret_result` with EXIT_DONE; else what went wrong has been said. */
static int run(const struct cli *cli, const struct request *request,
	       json_t **ret_result)
{
	cleanup_place struct place place = { .root = NULL };
	struct collector c = { .json = cli->json };
	struct error err = ERROR_INIT;
	json_t *result;

	if (place_find(cli->operands[0], true, cli->state, &place, &err) < 0)
		return out_error(&err);
	c.notes = json_array();
	bar_start(&c.bar);
	result = client_call(cli, &place, request, collect, &c, &err);
	bar_clear(&c.bar);
	if (result && json_array_size(c.notes) > 0)
		(void)json_object_set(result, "problems", c.notes);
	json_decref(c.notes);
	*ret_result = result;
	return result ? EXIT_DONE : out_error(&err);
}

static void print_count(const char *label, const json_t *result,
			const char *key)
{
	(void)printf(T("%s: %llu\n"), label, json_u64(result, key));
}

static void print_size(const char *label, const json_t *result, const char *key)
{
	(void)printf(T("%s: %s\n"), label,
		     out_size(json_u64(result, key)).text);
}

int cmd_gc(const struct cli *cli)
{
	struct request request = { .command = REQUEST_GC,
				   .grace_s = GC_GRACE_S };
	cleanup_json json_t *r = NULL;
	struct error err = ERROR_INIT;
	int status;

	if (cli->grace &&
	    units_parse_duration(cli->grace, &request.grace_s, &err) < 0)
		return out_usage("--grace: %s", err.text);
	status = run(cli, &request, &r);
	if (status != EXIT_DONE)
		return status;
	if (cli->json)
		return out_json(r, EXIT_DONE);
	print_count(T("contents dropped"), r, "contents_dropped");
	print_count(T("packs condemned"), r, "packs_condemned");
	print_count(T("packs removed"), r, "packs_unlinked");
	print_size(T("rewritten"), r, "bytes_rewritten");
	print_size(T("freed"), r, "bytes_freed");
	if (json_u64(r, "packs_condemned") > json_u64(r, "packs_unlinked"))
		(void)printf(T("condemned packs are removed after %s\n"),
			     out_duration(request.grace_s).text);
	return EXIT_DONE;
}

int cmd_scrub(const struct cli *cli)
{
	const struct request request = { .command = REQUEST_SCRUB };
	cleanup_json json_t *r = NULL;
	int status = run(cli, &request, &r);

	if (status != EXIT_DONE)
		return status;
	status = json_u64(r, "bad_records") > 0 ? EXIT_REFUSED : EXIT_DONE;
	if (cli->json)
		return out_json(r, status);
	print_count(T("records read"), r, "records");
	print_size(T("bytes read"), r, "bytes");
	print_count(T("bad records"), r, "bad_records");
	if (json_u64(r, "dead_records") > 0)
		print_count(T("damaged, but no longer of any file"), r,
			    "dead_records");
	if (status == EXIT_DONE)
		return status;
	print_count(T("chunks set aside"), r, "bad_chunks");
	print_count(T("files that cannot be read whole"), r, "bad_files");
	return status;
}

int cmd_fsck(const struct cli *cli)
{
	const struct request request = { .command = REQUEST_FSCK,
					 .rebuild = cli->rebuild };
	cleanup_json json_t *r = NULL;
	int status = run(cli, &request, &r);

	if (status != EXIT_DONE)
		return status;
	status = json_u64(r, "repairable") > 0 || json_u64(r, "damage") > 0
			 ? EXIT_REFUSED
			 : EXIT_DONE;
	if (cli->json)
		return out_json(r, status);
	print_count(T("files checked"), r, "files");
	print_count(T("of them packed"), r, "stubs");
	print_count(T("contents checked"), r, "contents");
	print_count(T("packs checked"), r, "packs");
	print_count(T("left over, harmless"), r, "notes");
	print_count(T("put right by the next scan"), r, "repairable");
	print_count(T("damage"), r, "damage");
	return status;
}

int cmd_accept(const struct cli *cli)
{
	struct request request = { .command = REQUEST_ACCEPT,
				   .way = cli->operands[1] };
	cleanup_json json_t *r = NULL;
	int status = run(cli, &request, &r);

	if (status != EXIT_DONE)
		return status;
	if (cli->json)
		return out_json(r, EXIT_DONE);
	(void)printf(T("accepted: %s\n"), cli->operands[1]);
	return EXIT_DONE;
}
