/* SPDX-License-Identifier: EUPL-1.2 */
/* The charter of a sample: its closed months, beside reports that are always
 * as heavy. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/report/sample.h"

static micro targets[REPORT_CHARTER_INDICATORS];

static void set_targets(void)
{
	for (unsigned int i = 0; i < REPORT_CHARTER_INDICATORS; i++)
		targets[i] = -1;
	targets[REPORT_CHARTER_SCI] = 900 * MICRO;
	targets[REPORT_CHARTER_PAGE] = 60000 * MICRO;
	targets[REPORT_CHARTER_MEASURED] = 100 * MICRO;
	targets[REPORT_CHARTER_CLOSED] = 12 * MICRO;
}

void sample_charter(const struct sample *s, struct report_charter *ret_charter)
{
	const struct report_input *in = &s->in;

	set_targets();
	*ret_charter = (struct report_charter){
		.drive = in->drive,
		.year = 2026,
		.made_s = in->made_s,
		.month = in->month,
		.months = in->months,
		.coefs = in->coefs,
		.savings = in->savings,
		.rules_known = in->rules > 0,
		.unmatched_files = in->unmatched_files,
		.target = in->rules > 0 ? targets : NULL,
	};
	for (unsigned int i = 0; i < in->rules; i++)
		ret_charter->flagged_files += in->rule[i].files;
}

static void put_file(const char *dir, const char *name, size_t bytes)
{
	char path[4096];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	for (size_t i = 0; f && i < bytes; i++)
		(void)fputc('x', f);
	if (!f || fclose(f) != 0) {
		(void)fprintf(stderr, "sample: cannot write '%s'\n", path);
		exit(1);
	}
}

/* What is counted, and what isn't: annexes, other years, other names. */
void sample_charter_reports(const char *dir)
{
	static const char *const months[] = { "2025-12", "2026-01", "2026-08",
					      "2027-01", "backup" };
	char path[4096];

	for (size_t i = 0; i < sizeof(months) / sizeof(months[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, months[i]);
		(void)mkdir(path, 0755);
		put_file(path, "index.html", 40000 + 1000 * i);
		put_file(path, "urb.html", 2000);
		put_file(path, "index-annex.html", 90000);
		put_file(path, "index.json", 10);
		put_file(path, "index.csv", 10);
		put_file(path, ".index.html.tmp", 70000);
	}
}
