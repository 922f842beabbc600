/* SPDX-License-Identifier: EUPL-1.2 */
/* policy check, policy plan */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/sobre/internal.h"

/* --- check -----------------------------------------------------------------
 */

/* With --json the messages are part of the object. */
static void keep_message(void *ctx, const char *text)
{
	(void)json_array_append_new(ctx, json_from_name(text));
}

static int check_json(const struct setup *setup, json_t *messages)
{
	cleanup_json json_t *result = json_pack(
		"{s:i, s:b, s:i, s:O}", "schema", PROTOCOL_SCHEMA, "good",
		setup != NULL, "rules", setup ? (int)setup->rules->policy.n : 0,
		"messages", messages);

	return out_json(result, setup ? EXIT_DONE : EXIT_REFUSED);
}

static int check(const struct cli *cli)
{
	cleanup_setup_paths struct setup_paths paths = { .config = NULL };
	CLEANUP(setup_free) struct setup *setup = NULL;
	cleanup_json json_t *messages = cli->json ? json_array() : NULL;
	struct error err = ERROR_INIT;
	unsigned int n;

	if (cli->n != 2)
		return out_usage(T("policy check takes one directory"));
	paths.policies = strdup(cli->operands[1]);
	paths.config = cli->config ? strdup(cli->config) : NULL;
	if (!paths.policies || (cli->config && !paths.config))
		(void)error_set(&err, -ENOMEM, "no memory for a path");
	else
		(void)setup_load(&paths, -1,
				 messages ? keep_message : setup_say, messages,
				 &setup, &err);
	if (messages && (setup || json_array_size(messages) > 0))
		return check_json(setup, messages);
	if (!setup)
		return out_error(&err);
	n = setup->rules->policy.n;
	(void)printf(
		TN("%u rule, nothing wrong\n", "%u rules, nothing wrong\n", n),
		n);
	return EXIT_DONE;
}

/* --- plan --------------------------------------------------------------------
 */

struct listing {
	bool csv;
	json_t *items; /* with --json */
	struct bar bar;
};

/* A cell of CSV: quoted, and no formula when a spreadsheet opens it. */
static void csv_cell(const char *text, bool last)
{
	bool formula = text[0] && strchr("=+-@\t\r", text[0]);

	(void)putchar('"');
	if (formula)
		(void)putchar('\'');
	for (; *text; text++) {
		if (*text == '"')
			(void)putchar('"');
		(void)putchar(*text);
	}
	(void)fputs(last ? "\"\r\n" : "\",", stdout);
}

/* Names may hold what a terminal would obey. */
static void print_safe(const char *text)
{
	for (; *text; text++)
		(void)putchar((unsigned char)*text < ' ' || *text == 127
				      ? '?'
				      : *text);
}

static void print_item(const struct listing *l, const json_t *item)
{
	cleanup_free char *path = json_name(item, "path");
	cleanup_free char *reason = json_name(item, "reason");

	if (l->csv) {
		csv_cell(path, false);
		(void)printf("%llu,", json_u64(item, "size_bytes"));
		csv_cell(json_text(item, "department"), false);
		csv_cell(json_text(item, "rule"), false);
		csv_cell(reason, true);
		return;
	}
	(void)printf("%10s  ", out_size(json_u64(item, "size_bytes")).text);
	print_safe(path);
	(void)putchar('\n');
	(void)printf(T("            %s: %s\n"), json_text(item, "rule"),
		     reason);
}

static void take_item(void *ctx, const json_t *progress)
{
	struct listing *l = ctx;
	json_t *note = json_object_get(progress, "note");

	if (!note) {
		bar_progress(&l->bar, progress);
		return;
	}
	bar_clear(&l->bar);
	if (l->items)
		(void)json_array_append(l->items, note);
	else
		print_item(l, note);
}

static void print_totals(const json_t *result)
{
	const unsigned long long uncompared =
		json_u64(result, "uncompared_files");
	const json_t *rule;
	size_t i;

	(void)putchar('\n');
	json_array_foreach(json_object_get(result, "rules"), i, rule)
	{
		cleanup_free char *label = json_name(rule, "label");

		(void)printf(T("%s (%s): files: %llu, %s\n"),
			     json_text(rule, "id"), label,
			     json_u64(rule, "files"),
			     out_size(json_u64(rule, "bytes")).text);
	}
	(void)printf(T("matched by no rule: files: %llu, %s\n"),
		     json_u64(result, "unmatched_files"),
		     out_size(json_u64(result, "unmatched_bytes")).text);
	if (uncompared > 0)
		(void)printf(
			TN("duplicates: %llu plain file was not compared, "
			   "packed ones are\n",
			   "duplicates: %llu plain files were not compared, "
			   "packed ones are\n",
			   uncompared),
			uncompared);
	(void)printf(T("a preview as of %s: nothing was done\n"),
		     json_text(result, "as_of"));
}

/* "2026-09-30" to days since 1970. */
static bool day_parse(const char *text, int32_t *ret_day)
{
	struct tm tm = { .tm_isdst = 0 };
	const char *end = strptime(text, "%Y-%m-%d", &tm);
	const int day = tm.tm_mday;

	if (!end || *end || strlen(text) != 10)
		return false;
	/* timegm() makes 2 March of 30 February, and says so in `tm`. */
	*ret_day = (int32_t)(timegm(&tm) / 86400);
	return tm.tm_mday == day;
}

static int plan_request(const struct cli *cli, struct request *request,
			struct error *err)
{
	request->rule = cli->n > 1 ? strdup(cli->operands[1]) : NULL;
	request->policies = cli->policies ? strdup(cli->policies) : NULL;
	if ((cli->n > 1 && !request->rule) ||
	    (cli->policies && !request->policies))
		return error_set(err, -ENOMEM, "no memory for the request");
	return 0;
}

static int plan(const struct cli *cli)
{
	cleanup_request struct request request = { .command = REQUEST_PLAN,
						   .as_of_day = INT32_MIN };
	cleanup_place struct place place = { .root = NULL };
	cleanup_json json_t *result = NULL;
	cleanup_json json_t *items = cli->json ? json_array() : NULL;
	struct listing listing = { .csv = cli->csv, .items = items };
	struct error err = ERROR_INIT;

	if (cli->n > 2)
		return out_usage(T("policy plan takes one rule at most"));
	if (cli->as_of && !day_parse(cli->as_of, &request.as_of_day))
		return out_usage(T("--as-of takes a day: 2026-09-30"));
	if (plan_request(cli, &request, &err) < 0 ||
	    place_choose(cli, &place, &err) < 0)
		return out_error(&err);
	bar_start(&listing.bar);
	if (cli->csv && !cli->json)
		(void)printf("path,size_bytes,department,rule,reason\r\n");
	result = client_call(cli, &place, &request, take_item, &listing, &err);
	bar_clear(&listing.bar);
	if (!result)
		return out_error(&err);
	if (cli->json) {
		(void)json_object_set(result, "items", items);
		return out_json(result, EXIT_DONE);
	}
	if (!cli->csv)
		print_totals(result);
	return EXIT_DONE;
}

int cmd_policy(const struct cli *cli)
{
	const char *what = cli->operands[0];

	if (!strcmp(what, "check"))
		return check(cli);
	if (!strcmp(what, "plan"))
		return plan(cli);
	return out_usage(T("policy '%s': there are check and plan"), what);
}
