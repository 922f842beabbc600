/* SPDX-License-Identifier: EUPL-1.2 */
/* du: bytes, energy, money and carbon of files and directories. */
#include <stdio.h>
#include <string.h>

#include "tools/sobre/internal.h"

static double year_of(const json_t *one, const char *key)
{
	return json_real_value(
		json_object_get(json_object_get(one, "year"), key));
}

static void print_departments(const json_t *one)
{
	json_t *ids = json_object_get(one, "departments");
	const json_t *id;
	size_t i;

	(void)printf(T("  department: "));
	json_array_foreach(ids, i, id)(void)
		printf("%s%s", i ? ", " : "", json_string_value(id));
	(void)putchar('\n');
}

/* Of a directory whose packed files share what others have changed since. */
static void print_counted(const json_t *one)
{
	const char *at = json_text(one, "shares_counted");

	if (!json_is_false(json_object_get(one, "shares_current")))
		return;
	if (strlen(at) >= sizeof("2026-11-23T02:10") - 1)
		(void)printf(T("  packs as counted %.10s %.5s UTC\n"), at,
			     at + sizeof("2026-11-23T") - 1);
	else
		(void)printf(T("  packs not counted in full yet\n"));
}

static void print_one(const struct place *place, const json_t *one)
{
	cleanup_free char *path = json_name(one, "path");
	unsigned long long files = json_u64(one, "files");

	(void)printf("%s%s%s\n", place->root, path && *path ? "/" : "",
		     path ? path : "");
	(void)printf(TN("  files: %llu, %s\n", "  files: %llu, %s\n", files),
		     files, out_size(json_u64(one, "logical_bytes")).text);
	if (json_is_false(json_object_get(one, "scanned")))
		(void)printf(T("  not all of it yet: the scan of the drive has "
			       "not ended\n"));
	print_departments(one);
	(void)printf(T("  on disk, own share: %s (plain %s, packs %s)\n"),
		     out_size(json_u64(one, "share_bytes")).text,
		     out_size(json_u64(one, "hot_bytes")).text,
		     out_size(json_u64(one, "packed_bytes")).text);
	print_counted(one);
	(void)printf(T("  freed if deleted alone: %s\n"),
		     out_size(json_u64(one, "exclusive_bytes")).text);
	(void)printf(T("  a year of it: %s Wh, %s EUR, %s gCO2e\n"),
		     out_amount(year_of(one, "kwh") * 1000).text,
		     out_amount(year_of(one, "eur")).text,
		     out_amount(year_of(one, "gco2e")).text);
}

int cmd_du(const struct cli *cli)
{
	cleanup_request struct request request = { .command = REQUEST_DU };
	cleanup_place struct place place = { .root = NULL };
	cleanup_json json_t *result = NULL;
	struct error err = ERROR_INIT;
	const json_t *one;
	size_t i;

	if (take_paths(cli, &place, &request, &err) < 0)
		return out_error(&err);
	result = call_with_bar(cli, &place, &request, &err);
	if (!result)
		return out_error(&err);
	if (cli->json)
		return out_json(result, EXIT_DONE);
	json_array_foreach(json_object_get(result, "paths"), i, one)
		print_one(&place, one);
	return EXIT_DONE;
}
