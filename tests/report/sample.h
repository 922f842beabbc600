/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_TESTS_REPORT_SAMPLE_H
#define SOBREFS_TESTS_REPORT_SAMPLE_H

/* Inputs of a report that are the same every time: for the golden pages, the
 * tests in a browser and those of the files. */

#include "tools/report/report.h"

#define SAMPLE_MONTH (12 * 2026 + 8) /* September 2026 */

struct sample {
	struct report_input in;
	struct coef_set coefs;
	struct report_department *department;
	struct report_month month[REPORT_MONTHS];
	struct report_rule *rule;
	struct report_survey survey;
	struct report_survey survey_before; /* of the month before */
	struct report_flows flows[2];	    /* of the last two months */
	struct report_year year;	    /* sample_year() */
	struct report_input year_in;
	struct report_month year_month[REPORT_YEAR_MONTHS];
	struct report_folders folders;
	char *texts[80]; /* owned */
	unsigned int n_texts;
};

/*
 * town: 12 departments, 13 months, rules; measured
 * crowd: 60 departments, 30 rules, everything as long as it gets
 * hostile: names and paths that try to break the page
 * part: a drive first seen on the 10th, the month not over
 * never, future: a month without figures
 * assessed: one month, estimated
 * oracle: the worked example of docs/design/footprint.md
 * NULL for another name.
 */
struct sample *sample_new(const char *name);
/* Fills `year`, of months that borrow from those of the sample. */
#define SAMPLE_YEAR 2026
void sample_year(struct sample *sample);
void sample_free(struct sample *sample);
/* Of the sample's departments: what files they have, and flows. */
void sample_stock(struct sample *sample, unsigned int departments);
extern const char *const sample_names[]; /* ends in NULL */

/* Of 2026; borrows from the sample. */
void sample_charter(const struct sample *sample,
		    struct report_charter *ret_charter);
/* Reports of several months, that are no reports. */
void sample_charter_reports(const char *dir);

#endif
