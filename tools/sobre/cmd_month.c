/* SPDX-License-Identifier: EUPL-1.2 */
/* month close */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/sobre/internal.h"

static int print_result(const json_t *result)
{
	const json_t *closed = json_object_get(result, "closed");
	const json_t *one;
	size_t i;

	json_array_foreach(closed, i, one)(void) printf(
		T("%s closed, version %llu: %s Wh, %s EUR, %s gCO2e\n"),
		json_text(one, "month"),
		(unsigned long long)json_u64(one, "version"),
		out_amount((double)json_u64(one, "energy_mwh") / 1e3).text,
		out_amount((double)json_u64(one, "cost_ueur") / 1e6).text,
		out_amount((double)(json_u64(one, "use_ugco2e") +
				    json_u64(one, "build_ugco2e")) /
			   1e6)
			.text);
	if (json_array_size(closed) == 0)
		(void)printf(T("no month to close\n"));
	out_texts(stderr, "sobre: ", json_object_get(result, "warnings"));
	out_checks(stderr, T("sobre: the books don't balance: "), result);
	return json_u64(result, "n_failed") > 0 ? EXIT_REFUSED : EXIT_DONE;
}

static int check_usage(const struct cli *cli, struct request *request)
{
	if (strcmp(cli->operands[0], "close") != 0)
		return out_usage(T("sobre month close, nothing else"));
	if (cli->due && (cli->n > 1 || cli->correct))
		return out_usage(T("--due takes no month and corrects none"));
	if (!cli->due && cli->n < 2)
		return out_usage(T("which month? 2026-09, or --due"));
	if (!cli->due && !month_parse(cli->operands[1], &request->month))
		return out_usage(T("'%s' is no month: 2026-09, or last"),
				 cli->operands[1]);
	if (cli->correct && !*cli->correct)
		return out_usage(T("--correct takes the reason"));
	if (cli->correct && strlen(cli->correct) >= REPORT_REASON_MAX)
		return out_usage(T("the reason has %d bytes at most"),
				 REPORT_REASON_MAX - 1);
	return EXIT_DONE;
}

int cmd_month(const struct cli *cli)
{
	cleanup_request struct request request = { .command = REQUEST_MONTH };
	cleanup_place struct place place = { .root = NULL };
	cleanup_json json_t *result = NULL;
	struct error err = ERROR_INIT;
	int status = check_usage(cli, &request);

	if (status != EXIT_DONE)
		return status;
	request.french = po_lang() == PO_FR;
	request.reason = cli->correct ? strdup(cli->correct) : NULL;
	if (cli->correct && !request.reason)
		(void)error_set(&err, -ENOMEM, "no memory for the request");
	if (err.code < 0 || place_choose(cli, &place, &err) < 0)
		return out_error(&err);
	result = call_with_bar(cli, &place, &request, &err);
	if (!result)
		return out_error(&err);
	if (!cli->json)
		return print_result(result);
	return out_json(result, json_u64(result, "n_failed") > 0 ? EXIT_REFUSED
								 : EXIT_DONE);
}
