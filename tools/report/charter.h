/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_REPORT_CHARTER_H
#define SOBREFS_REPORT_CHARTER_H

/* Inside tools/report: the charter page's figures, and who writes them. */

#include "tools/report/internal.h"

enum charter_unit {
	CHARTER_GRAMS,	   /* of CO2e */
	CHARTER_KILOGRAMS, /* of CO2e */
	CHARTER_KWH,
	CHARTER_YEARS,
	CHARTER_MONTHS,
	CHARTER_BYTES,
	CHARTER_TB, /* 10^12 bytes */
	CHARTER_RATIO,
	CHARTER_PERCENT,
	CHARTER_SECONDS,
	CHARTER_COUNT
};

/* Where a figure is from. */
enum charter_source {
	CHARTER_FROM_MONTHS, /* closed */
	CHARTER_FROM_FILES,  /* reports beside the page */
	CHARTER_FROM_DRIVE,  /* as it was when the page was made */
	CHARTER_FROM_NOTHING /* nobody can tell yet */
};

struct charter_figure {
	bool known;
	micro value; /* 10^-6 of the unit */
	bool has_interval;
	micro low, high;
	bool has_before; /* the year before, when it can be compared */
	micro before;
	const char *why; /* a msgid: why it isn't known */
};

struct charter_indicator {
	unsigned int row; /* from 1 */
	const char *id;
	enum charter_unit unit;
	enum charter_source source;
	const char *label; /* a msgid */
};
extern const struct charter_indicator
	charter_indicators[REPORT_CHARTER_INDICATORS];

struct charter_row {
	const char *title; /* msgids */
	const char *does;
};
extern const struct charter_row charter_rows[REPORT_CHARTER_ROWS];

/* Reports of a year in the folder where the page goes. */
struct charter_files {
	unsigned int pages;	 /* annexes apart */
	uint64_t heaviest_bytes; /* of a page */
	unsigned int exports;	 /* CSV and JSON */
};
/* Names nobody gave are passed over. */
int charter_files(const struct folder *folder, int32_t year,
		  struct charter_files *ret_files, struct error *err);

/* What became of proposals, as the closed months of a year kept them. */
struct charter_gains {
	unsigned int proposed; /* by department and action */
	unsigned int done;     /* of them: nothing is left */
	uint128 gained_bytes;  /* less from month to month, added up */
};
/* False: no closed month of that year looked at the files. */
bool charter_gains(const struct report_charter *in, int32_t year,
		   struct charter_gains *ret_gains);

/* How many months of that year are closed. */
unsigned int charter_closed(const struct report_charter *in, int32_t year);
/* `files`: of the year and of the one before. */
void charter_figures(
	const struct report_charter *in, const struct charter_files files[2],
	struct charter_figure ret_figures[REPORT_CHARTER_INDICATORS]);

/* One page being written: what page.c needs, and the charter's. */
struct charter_page {
	struct page page;
	const struct report_charter *in;
	const struct charter_figure *figure;
	uint64_t json_bytes; /* beside it; 0: none */
};
int charter_html(struct charter_page *c, struct error *err);
int charter_json(const struct charter_page *c, struct buf *out,
		 struct error *err);
const char *charter_unit_name(enum charter_unit unit);	     /* in JSON */
const char *charter_source_name(enum charter_source source); /* in JSON */

#endif
