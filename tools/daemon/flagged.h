/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_DAEMON_FLAGGED_H
#define SOBREFS_DAEMON_FLAGGED_H

/*
 * What the rules flag, gathered for a report: counts by rule and department,
 * and the biggest files of each. Memory is bounded: FLAGGED_KEPT files a rule
 * and department. One thread.
 */

#include "tools/daemon/setup.h"
#include "tools/report/report.h"

#define FLAGGED_KEPT 20

struct flagged_file {
	const char *path;
	uint64_t size_bytes;
	uint16_t department; /* its number */
};

struct flagged_rule;
struct flagged {
	const struct rules *rules; /* borrowed until flagged_into(); NULL: none
				    */
	unsigned int n;		   /* rules */
	enum po_lang lang;
	unsigned int numbers;
	struct flagged_rule *of;  /* [rules], owned */
	struct report_rule *rule; /* [rules], owned: what the report gets */
	uint64_t unmatched_files;
	uint64_t unmatched_bytes;
	uint64_t *unmatched_files_of; /* [numbers], owned; NULL: not known */
	uint64_t *unmatched_bytes_of;
};

/* `numbers`: departments' numbers are below. */
int flagged_init(struct flagged *flagged, const struct rules *rules,
		 unsigned int numbers, enum po_lang lang, struct error *err);
void flagged_release(struct flagged *flagged);
/* `verdict`: the one that decides. */
int flagged_add(struct flagged *flagged, const struct flagged_file *file,
		const struct verdict *verdict, struct error *err);
/* Else set the two sums: they are then not known by department. */
int flagged_unmatched(struct flagged *flagged, const struct flagged_file *file,
		      struct error *err);
/* Fills rules and sums of the input; borrowed from `flagged`. */
void flagged_into(struct flagged *flagged, struct report_input *input);

#endif
