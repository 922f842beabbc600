/* SPDX-License-Identifier: EUPL-1.2 */
/* assess: what a directory costs and would save; nothing is changed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/sobre/assess.h"

/* "10", "10%", "0.5 %": to millionths. */
static bool sample_parse(const char *text, unsigned int *ret_ppm)
{
	unsigned int ppm = 0;
	unsigned int unit = 10000; /* of the next digit after the point */
	const char *at = text;

	for (; *at >= '0' && *at <= '9' && ppm <= 1000000; at++)
		ppm = 10 * ppm + 10000 * (unsigned int)(*at - '0');
	if (at == text)
		return false;
	if (*at == '.' || *at == ',')
		for (at++; *at >= '0' && *at <= '9'; at++)
			ppm += (unit /= 10) * (unsigned int)(*at - '0');
	while (*at == ' ')
		at++;
	if (*at == '%')
		at++;
	*ret_ppm = ppm;
	return *at == '\0' && ppm > 0 && ppm <= 1000000;
}

static struct setup *load(const struct cli *cli, const char *dir,
			  struct error *err)
{
	cleanup_setup_paths struct setup_paths paths = { .config = NULL };
	cleanup_fd int root_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct setup *setup = NULL;

	if (setup_paths_find(cli->config, cli->policies, dir, &paths, err) < 0)
		return NULL;
	(void)setup_load(&paths, root_fd, setup_say, NULL, &setup, err);
	return setup;
}

static int run(struct assess *a, const char *dir, struct error *err)
{
	struct bar bar;
	int rc = assess_walk(a, dir, err);

	bar_start(&bar);
	if (rc == 0)
		rc = assess_store(a, dir, &bar, err);
	bar_clear(&bar);
	return rc < 0 ? rc : assess_sum_up(a, err);
}

int cmd_assess(const struct cli *cli)
{
	__attribute__((cleanup(assess_release_at))) struct assess a = {
		.sample_ppm = 1000000,
	};
	CLEANUP(setup_free) struct setup *setup = NULL;
	cleanup_json json_t *json = NULL;
	cleanup_free char *dir = NULL;
	cleanup_free char *page = NULL;
	struct error err = ERROR_INIT;
	const struct clock clock = clock_real();

	if (cli->sample && !sample_parse(cli->sample, &a.sample_ppm))
		return out_usage(T("--sample takes a share: 10%%"));
	if (path_canonical(cli->operands[0], true, &dir, &err) < 0)
		return out_error(&err);
	setup = load(cli, dir, &err);
	if (!setup)
		return out_error(&err);
	a.setup = setup;
	a.today = (int32_t)(clock_now_s(&clock) / 86400);
	if (run(&a, dir, &err) < 0 ||
	    (cli->report &&
	     assess_report(&a, dir, cli->report, &page, &err) < 0))
		return out_error(&err);
	if (cli->json) {
		json = assess_json(&a, dir);
		return json ? out_json(json, EXIT_DONE) : EXIT_REFUSED;
	}
	assess_print(&a, dir);
	if (page)
		(void)printf(T("the report: %s\n"), page);
	return EXIT_DONE;
}
