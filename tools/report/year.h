/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_REPORT_YEAR_H
#define SOBREFS_REPORT_YEAR_H

/* A year's balance: docs/design/report.md, "A year". */

#include "tools/report/internal.h"

#define YEAR_MONTHS 12

/* Of some months together. */
struct sums {
	unsigned int months;
	int64_t seconds; /* counted */
	uint128 kept_byte_s, stored_byte_s;
	uint64_t mwh, mwh_low, mwh_high;
	uint64_t ueur, ueur_low, ueur_high;
	uint64_t use_ug, use_low, use_high;
	uint64_t build_ug, build_low, build_high;
};

struct balance {
	const struct report_year *of;
	struct page *p; /* out, in, lang; the month is `whole` */
	/* Twelve months as if they were one: its energy is the sum. */
	struct report_month all;
	struct lines lines;
	struct sums now, before;       /* of all that is known of both years */
	struct sums like, like_before; /* of months that both have whole */
	unsigned int whole, closed;    /* months of the year */
};

/* balance.c */
int balance_init(struct balance *ret_balance, const struct report_year *of,
		 struct page *p, struct error *err);
void balance_release(struct balance *balance);
const struct report_month *balance_month(const struct balance *b,
					 unsigned int i);
const struct report_month *balance_month_before(const struct balance *b,
						unsigned int i);
bool balance_known(const struct balance *b, const struct report_month *m);
/* Mean bytes over the time counted. */
uint64_t sums_kept(const struct sums *sums);
uint64_t sums_stored(const struct sums *sums);
uint64_t sums_sci_ug(const struct sums *sums);

enum figure {
	FIGURE_KEPT,
	FIGURE_STORED,
	FIGURE_ENERGY,
	FIGURE_COST,
	FIGURE_USE,
	FIGURE_BUILD,
	FIGURE_CARBON,
	FIGURE_SCI,
	FIGURES
};
/* In the unit's integers: bytes, mWh, microeuro, microgram. */
uint64_t figure_of(const struct sums *sums, enum figure figure);
bool figure_bounds(const struct sums *sums, enum figure figure,
		   uint64_t *ret_low, uint64_t *ret_high);
uint64_t figure_target(const struct report_target *target,
		       enum figure figure);  /* 0: none */
const char *figure_name(enum figure figure); /* a msgid */
struct num figure_text(enum figure figure, uint64_t v, enum po_lang lang);

void year_page(const struct balance *b, struct page *p); /* year_page.c */
/* page.c: all of the page */
int page_write_year(const struct balance *b, struct page *p, struct error *err);
void year_chart(const struct balance *b, struct page *p); /* year_chart.c */
void year_lines(const struct balance *b, struct page *p); /* year_lines.c */
/* year_data.c */
void year_csv(const struct balance *b, struct buf *out);
void year_table(const struct balance *b, struct buf *out);
void year_impact(const struct balance *b, struct buf *out); /* year_impact.c */
int year_json(const struct balance *b, struct buf *out, struct error *err);

#endif
