/* SPDX-License-Identifier: EUPL-1.2 */
/* pack, unpack, explain */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/sobre/internal.h"

static void print_last_error(const json_t *result)
{
	const json_t *error = json_object_get(result, "error");
	cleanup_free char *path = NULL;
	cleanup_free char *text = NULL;

	if (!error)
		return;
	path = json_name(error, "path");
	text = json_name(error, "text");
	(void)fflush(stdout);
	(void)fprintf(stderr, T("sobre: last error: '%s': %s\n"),
		      path ? path : "", text ? text : "");
	out_advice(errcode_from_name(json_text(error, "code")));
}

/* --- pack
 * ---------------------------------------------------------------------- */

struct outcome_text {
	const char *name;
	const char *text;
};

static const struct outcome_text outcome_texts[] = {
	{ "already", N_("packed already") },
	{ "empty", N_("empty: no blocks to free") },
	{ "young", N_("written too recently (--now packs them all the same)") },
	{ "excluded", N_("excluded by the configuration (pack.exclude)") },
	{ "in_use", N_("open in a program") },
	{ "changed", N_("changed while being packed") },
	{ "flags", N_("kind of file that is not packed (immutable, "
		      "append-only, verity, encrypted, suid, capability, "
		      "preallocated)") },
	{ "not_file", N_("not regular files") },
	{ "no_gain", N_("would free no block") },
	{ "collision", N_("same hash as other content: left alone") },
	{ "error", N_("could not be packed") },
};

static const char *outcome_text(const char *name)
{
	for (size_t i = 0; i < sizeof(outcome_texts) / sizeof(outcome_texts[0]);
	     i++)
		if (!strcmp(outcome_texts[i].name, name))
			return outcome_texts[i].text;
	return name;
}

static void print_pack(const json_t *result)
{
	json_t *left_out = json_object_get(result, "left_out");
	unsigned long long packed = json_u64(result, "packed");
	const char *name;
	json_t *count;

	(void)printf(TN("packed: %llu file, %s\n", "packed: %llu files, %s\n",
			packed),
		     packed, out_size(json_u64(result, "logical_bytes")).text);
	(void)printf(T("on disk: %s before, %s after\n"),
		     out_size(json_u64(result, "freed_bytes")).text,
		     out_size(json_u64(result, "stored_bytes")).text);
	if (json_object_size(left_out) > 0)
		(void)printf("%s\n", T("left out:"));
	json_object_foreach(left_out, name, count)(void)
		printf("%10" JSON_INTEGER_FORMAT "  %s\n",
		       json_integer_value(count), po_text(outcome_text(name)));
	print_last_error(result);
}

int cmd_pack(const struct cli *cli)
{
	cleanup_request struct request request = { .command = REQUEST_PACK,
						   .now = cli->now };
	cleanup_place struct place place = { .root = NULL };
	cleanup_json json_t *result = NULL;
	struct error err = ERROR_INIT;
	int status;

	if (take_paths(cli, &place, &request, &err) < 0)
		return out_error(&err);
	if (!place.served && !place.dead) {
		(void)error_set(&err, -EINVAL,
				"'%s' is not mounted: packing needs the "
				"mount, which alone can read packed files",
				place.root);
		return out_error(&err);
	}
	result = call_with_bar(cli, &place, &request, &err);
	if (!result)
		return out_error(&err);
	status = json_object_get(result, "error") ? EXIT_REFUSED : EXIT_DONE;
	if (cli->json)
		return out_json(result, status);
	print_pack(result);
	return status;
}

/* --- unpack
 * -------------------------------------------------------------------- */

int cmd_unpack(const struct cli *cli)
{
	cleanup_request struct request request = { .command = REQUEST_UNPACK };
	cleanup_place struct place place = { .root = NULL };
	cleanup_json json_t *result = NULL;
	struct error err = ERROR_INIT;
	unsigned long long unpacked;
	int status;

	if (cli->all && cli->n != 1)
		return out_usage("%s", T("--all takes one DRIVE"));
	if (take_paths(cli, &place, &request, &err) < 0)
		return out_error(&err);
	if (cli->all) /* the drive, wherever in it the path is */
		request.paths[0][0] = '\0';
	result = call_with_bar(cli, &place, &request, &err);
	if (!result)
		return out_error(&err);
	status = json_u64(result, "failed") > 0 ? EXIT_REFUSED : EXIT_DONE;
	if (cli->json)
		return out_json(result, status);
	unpacked = json_u64(result, "unpacked");
	(void)printf(TN("unpacked: %llu file, %s\n",
			"unpacked: %llu files, %s\n", unpacked),
		     unpacked, out_size(json_u64(result, "bytes")).text);
	if (json_u64(result, "plain") > 0)
		(void)printf(T("plain already: %llu\n"),
			     json_u64(result, "plain"));
	if (json_u64(result, "failed") > 0)
		(void)printf(T("failed: %llu\n"), json_u64(result, "failed"));
	print_last_error(result);
	return status;
}

/* --- explain
 * ------------------------------------------------------------------- */

static void print_packed(const json_t *r)
{
	unsigned long long same = json_u64(r, "same_content");

	(void)printf(T("state: packed\n"));
	(void)printf(T("on disk before packing: %s\n"),
		     out_size(json_u64(r, "bytes_before")).text);
	(void)printf(T("content: %s\n"), json_text(r, "content"));
	if (same > 1)
		(void)printf(TN("the same content: %llu other file\n",
				"the same content: %llu other files\n",
				same - 1),
			     same - 1);
}

static void print_plain(const json_t *r)
{
	const char *would = json_text(r, "would");
	time_t cold = (time_t)json_u64(r, "cold_at_s");
	char when[64] = "";
	struct tm tm;

	(void)printf(T("state: plain\n"));
	if (!strcmp(would, "done")) {
		(void)printf(T("cold: the next round packs it\n"));
		return;
	}
	(void)printf(T("not packed: %s\n"),
		     !strcmp(would, "young") ? T("written too recently")
					     : po_text(outcome_text(would)));
	if (!strcmp(would, "young") && localtime_r(&cold, &tm) &&
	    strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &tm) > 0)
		(void)printf(T("cold from: %s\n"), when);
}

static void print_share(const json_t *r)
{
	const json_t *f = json_object_get(r, "footprint");
	json_t *ids = json_object_get(f, "departments");
	const char *used = json_text(r, "last_used");
	const json_t *id;
	size_t i;

	if (!f)
		return;
	(void)printf(T("department: "));
	json_array_foreach(ids, i, id)(void)
		printf("%s%s", i ? ", " : "", json_string_value(id));
	(void)putchar('\n');
	(void)printf(T("own share: %s, freed if deleted alone: %s\n"),
		     out_size(json_u64(f, "share_bytes")).text,
		     out_size(json_u64(f, "exclusive_bytes")).text);
	(void)printf(T("last used: %s\n"), *used ? used : T("not seen yet"));
}

static void print_rules(const json_t *r)
{
	const json_t *rules = json_object_get(r, "rules");
	const json_t *rule;
	size_t i;

	if (!rules)
		return;
	if (json_array_size(rules) == 0)
		(void)printf(T("rules: none matches\n"));
	json_array_foreach(rules, i, rule)
	{
		cleanup_free char *label = json_name(rule, "label");
		cleanup_free char *reason = json_name(rule, "reason");

		(void)printf(T("rule %s (%s): %s\n"), json_text(rule, "rule"),
			     label, reason);
	}
}

int cmd_explain(const struct cli *cli)
{
	cleanup_request struct request request = { .command = REQUEST_EXPLAIN };
	cleanup_place struct place place = { .root = NULL };
	cleanup_json json_t *result = NULL;
	struct error err = ERROR_INIT;

	if (take_paths(cli, &place, &request, &err) < 0)
		return out_error(&err);
	result = client_call(cli, &place, &request, NULL, NULL, &err);
	if (!result)
		return out_error(&err);
	if (cli->json)
		return out_json(result, EXIT_DONE);
	(void)printf(T("drive: %s\n"), place.root);
	(void)printf(T("size: %s\n"),
		     out_size(json_u64(result, "size_bytes")).text);
	(void)printf(T("on disk in the lower: %s\n"),
		     out_size(json_u64(result, "lower_bytes")).text);
	if (!json_is_true(json_object_get(result, "regular")))
		(void)printf(T("not a regular file: never packed\n"));
	else if (!strcmp(json_text(result, "state"), "packed"))
		print_packed(result);
	else
		print_plain(result);
	print_share(result);
	print_rules(result);
	return EXIT_DONE;
}
