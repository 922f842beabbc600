/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What files there are on a drive of gen_catalog's, and how long it took.
 *
 *	bench_survey STATE
 *
 * STATE: its LOWER/.sobre.
 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

#include "tools/figures/figures.h"

static int folders(struct catalog *cat, const struct clock *clock,
		   struct error *err)
{
	struct report_folders found;
	int64_t start_ns = clock_now_ns(clock);
	int rc = figures_folders(cat, clock_now_s(clock), &found, err);

	if (rc < 0)
		return rc;
	(void)printf("%u folders told: %.2f s\n", found.n,
		     (double)(clock_now_ns(clock) - start_ns) / 1e9);
	figures_folders_release(&found);
	return 0;
}

static void say(const struct report_survey *s, double seconds)
{
	uint64_t files = 0;
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	for (unsigned int i = 0; i < REPORT_KINDS; i++) {
		(void)printf("%-14s %9" PRIu64 "\n",
			     report_kind_id((enum report_kind)i),
			     s->city.kind[i].files);
		files += s->city.kind[i].files;
	}
	(void)printf("%" PRIu64 " files: %.2f s, %ld MiB\n", files, seconds,
		     usage.ru_maxrss / 1024);
}

int main(int argc, char **argv)
{
	CLEANUP(catalog_close) struct catalog *cat = NULL;
	struct report_survey *survey = NULL;
	struct clock clock = clock_real();
	struct error err = ERROR_INIT;
	int64_t start_ns = clock_now_ns(&clock);
	int64_t end_ns = start_ns;
	int rc;

	if (argc != 2)
		return 2;
	rc = catalog_open(argv[1], CATALOG_READONLY, &clock, &cat, &err);
	if (rc == 0)
		start_ns = clock_now_ns(&clock);
	if (rc == 0)
		rc = survey_take(cat, clock_now_s(&clock), &survey, &err);
	end_ns = clock_now_ns(&clock);
	if (rc == 0)
		rc = folders(cat, &clock, &err);
	if (rc < 0) {
		(void)fprintf(stderr, "bench_survey: %s\n", err.text);
		return 1;
	}
	say(survey, (double)(end_ns - start_ns) / 1e9);
	survey_free(survey);
	return 0;
}
