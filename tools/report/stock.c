/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

/* What ages and kinds of files are called: in files, and on pages. */

const char *report_age_id(enum report_age age)
{
	static const char *const ids[REPORT_AGES] = {
		"under_3_months", "3_to_12_months", "1_to_3_years",
		"3_to_5_years",	  "over_5_years",
	};

	return ids[age];
}

const char *report_kind_id(enum report_kind kind)
{
	static const char *const ids[REPORT_KINDS] = {
		"text",	 "spreadsheet", "presentation", "pdf",	    "image",
		"media", "compressed",	"mail",		"database", "other",
	};

	return ids[kind];
}

const char *age_name(enum report_age age, enum po_lang lang)
{
	static const char *const names[REPORT_AGES] = {
		N_("Less than 3 months ago"), N_("3 to 12 months ago"),
		N_("1 to 3 years ago"),	      N_("3 to 5 years ago"),
		N_("More than 5 years ago"),
	};

	return TL(lang, names[age]);
}

const char *kind_name(enum report_kind kind, enum po_lang lang)
{
	static const char *const names[REPORT_KINDS] = {
		N_("Text documents"),
		N_("Spreadsheets"),
		N_("Presentations"),
		N_("PDF"),
		N_("Images and plans"),
		N_("Video and sound"),
		N_("Compressed files, disk images"),
		N_("Mail"),
		N_("Databases"),
		N_("Other kinds"),
	};

	return TL(lang, names[kind]);
}

/* NULL: none was taken. */
const struct report_stock *stock_in(const struct page *p,
				    const struct report_month *m)
{
	const struct report_survey *s = m->survey;

	if (!s || !p->department)
		return s ? &s->city : NULL;
	return p->department->number < s->departments
		       ? &s->department[p->department->number]
		       : NULL;
}

const struct report_stock *stock_of(const struct page *p)
{
	return stock_in(p, p->month);
}
