/* SPDX-License-Identifier: EUPL-1.2 */
/* report: the month's pages and files. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/clock.h"
#include "tools/report/report.h"
#include "tools/sobre/internal.h"

/* The month before this one, UTC. */
static int32_t last_month(void)
{
	const struct clock clock = clock_real();
	time_t now = (time_t)clock_now_s(&clock);
	struct tm tm;

	return gmtime_r(&now, &tm) ? 12 * (tm.tm_year + 1900) + tm.tm_mon - 1
				   : -1;
}

bool month_parse(const char *text, int32_t *ret_month)
{
	int digit[6];
	int year;
	int month;
	size_t n = 0;

	if (!strcmp(text, "last")) {
		*ret_month = last_month();
		return true;
	}
	if (strlen(text) != 7 || text[4] != '-')
		return false;
	for (size_t i = 0; i < 7; i++) {
		if (i == 4)
			continue;
		if (text[i] < '0' || text[i] > '9')
			return false;
		digit[n++] = text[i] - '0';
	}
	year = 1000 * digit[0] + 100 * digit[1] + 10 * digit[2] + digit[3];
	month = 10 * digit[4] + digit[5];
	*ret_month = 12 * year + month - 1;
	return year >= 1970 && month >= 1 && month <= 12;
}

/* "html,csv,json,prom"; 0: one of them is none of these. */
static unsigned int parse_formats(const char *text)
{
	static const struct {
		const char *name;
		unsigned int bit;
	} known[] = { { "html", REPORT_HTML },
		      { "csv", REPORT_CSV },
		      { "json", REPORT_JSON },
		      { "prom", REPORT_PROM } };
	unsigned int formats = 0;

	for (const char *at = text; *at;) {
		size_t len = strcspn(at, ",");
		unsigned int bit = 0;

		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (strlen(known[i].name) == len &&
			    !strncmp(known[i].name, at, len))
				bit = known[i].bit;
		if (!bit)
			return 0;
		formats |= bit;
		at += len + (at[len] == ',');
	}
	return formats;
}

/* Files are made by a daemon, but for who calls it. */
static unsigned int current_umask(void)
{
	mode_t mask = umask(077);

	(void)umask(mask);
	return mask & 0777;
}

static int fill_request(const struct cli *cli, struct request *request,
			struct error *err)
{
	request->department = cli->department ? strdup(cli->department) : NULL;
	request->policies = cli->policies ? strdup(cli->policies) : NULL;
	request->apart = cli->per_department != NULL;
	request->mail = cli->mail;
	request->again = cli->again;
	request->masked = true;
	request->mask = current_umask();
	request->out = strdup(request->apart ? cli->per_department : cli->out);
	if (!request->out || (cli->department && !request->department) ||
	    (cli->policies && !request->policies))
		return error_set(err, -ENOMEM, "no memory for the request");
	return 0;
}

static bool parse_year(const char *text, int32_t *ret_year)
{
	int32_t year = 0;

	for (size_t i = 0; i < 4; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		year = 10 * year + text[i] - '0';
	}
	*ret_year = year;
	return !text[4] && year >= 1970;
}

/* Of a month, or of a year. */
static int parse_period(const struct cli *cli, struct request *request)
{
	if (cli->year && (cli->month || cli->department))
		return out_usage(T("--year takes neither --month nor "
				   "--department"));
	if (cli->year && !parse_year(cli->year, &request->year))
		return out_usage(T("--year takes a year: 2026"));
	if (!cli->year &&
	    (!cli->month || !month_parse(cli->month, &request->month)))
		return out_usage(T("--month takes a month: 2026-09, or last"));
	return EXIT_DONE;
}

static int parse_charter(const struct cli *cli, struct request *request)
{
	if (!parse_year(cli->charter, &request->charter))
		return out_usage(T("--charter takes a year: 2026"));
	if (cli->month || cli->year || cli->department || cli->per_department)
		return out_usage(
			T("--charter is of the city and a year: without "
			  "--month, --year, --department, --per-department"));
	if (cli->mail || cli->again)
		return out_usage(T("--mail goes with --month and "
				   "--per-department"));
	if (!cli->out)
		return out_usage(T("-o DIR is missing: where the report goes"));
	request->formats =
		parse_formats(cli->format ? cli->format : "html,json");
	if (request->formats == 0 ||
	    (request->formats & ~(unsigned int)(REPORT_HTML | REPORT_JSON)))
		return out_usage(T("--charter is written as html and json"));
	return EXIT_DONE;
}

static int parse_all(const struct cli *cli, struct request *request)
{
	int status = parse_period(cli, request);

	if (status != EXIT_DONE)
		return status;
	if (!cli->out && !cli->per_department)
		return out_usage(T("-o DIR is missing: where the report goes"));
	if (cli->per_department && (cli->out || cli->department))
		return out_usage(T("--per-department takes the place of -o and "
				   "--department"));
	if (cli->mail && (!cli->per_department || cli->year))
		return out_usage(T("--mail goes with --month and "
				   "--per-department"));
	if (cli->again && !cli->mail)
		return out_usage(T("--again goes with --mail"));
	request->formats =
		parse_formats(cli->format ? cli->format : "html,csv,json");
	if (request->formats == 0)
		return out_usage(
			T("unknown format in '%s': html, csv, json, prom"),
			cli->format);
	if (cli->year && (request->formats & REPORT_PROM))
		return out_usage(T("--year has no metrics"));
	return EXIT_DONE;
}

static void print_files(const struct cli *cli, const json_t *result)
{
	struct error err = ERROR_INIT;
	const json_t *path;
	size_t i;

	json_array_foreach(json_object_get(result, "unread"), i, path)(void)
		fprintf(stderr,
			T("sobre: only root may read %s/%s: it has no group\n"),
			cli->per_department, json_string_value(path));
	json_array_foreach(json_object_get(result, "files"), i, path)
	{
		cleanup_free char *name = NULL;

		if (json_to_name(path, FRAME_MAX_BYTES, &name, &err) == 0)
			(void)printf("%s\n", name);
	}
}

/* --- mail ------------------------------------------------------------------
 */

static int mail_status(const json_t *result)
{
	const json_t *mail;
	size_t i;

	json_array_foreach(
		json_object_get(result, "mails"), i,
		mail) if (json_object_get(mail, "error")) return EXIT_REFUSED;
	return EXIT_DONE;
}

static void print_mail(const json_t *mail)
{
	const json_t *list = json_object_get(mail, "to");
	const char *name = json_text(mail, "department");
	const json_t *to;
	size_t i;

	if (json_object_get(mail, "error")) {
		cleanup_free char *text = json_name(mail, "error");

		(void)fprintf(stderr, T("sobre: not sent: %s: %s\n"), name,
			      text ? text : "");
		return;
	}
	(void)printf(json_is_true(json_object_get(mail, "before"))
			     ? T("sent before: %s\n")
			     : T("sent: %s\n"),
		     name);
	json_array_foreach(list, i, to)(void)
		printf("  %s\n", json_string_value(to));
}

static int print_mails(const json_t *result)
{
	const json_t *mail;
	size_t i;

	json_array_foreach(json_object_get(result, "mails"), i, mail)
		print_mail(mail);
	return mail_status(result);
}

/* From now on relative paths mean nothing: done by the caller. */
int cmd_report(const struct cli *cli)
{
	cleanup_request struct request request = { .command = REQUEST_REPORT };
	cleanup_place struct place place = { .root = NULL };
	cleanup_json json_t *result = NULL;
	struct error err = ERROR_INIT;
	int status = cli->charter ? parse_charter(cli, &request)
				  : parse_all(cli, &request);

	if (status != EXIT_DONE)
		return status;
	if (fill_request(cli, &request, &err) < 0 ||
	    place_choose(cli, &place, &err) < 0)
		return out_error(&err);
	result = call_with_bar(cli, &place, &request, &err);
	if (!result)
		return out_error(&err);
	if (cli->json)
		return out_json(result, mail_status(result));
	print_files(cli, result);
	return print_mails(result);
}
