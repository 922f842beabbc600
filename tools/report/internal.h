/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_REPORT_INTERNAL_H
#define SOBREFS_REPORT_INTERNAL_H

#include <jansson.h>

#include <stdarg.h>
#include <stddef.h>

#include "fs/base/buf.h"
#include "fs/base/wide.h"
#include "tools/report/report.h"

#define REPORT_FILE_MAX (64u << 20) /* bytes of one file written */

/* --- text.c: any bytes as text that can't do harm ------------------------ */

/* Code points shown of what people named; the middle of longer ones is left
 * out. */
#define NAME_MAX_SHOWN 80
#define PATH_MAX_SHOWN 160
#define TEXT_MAX_SHOWN 240
#define TEXT_ALL       0

/*
 * As UTF-8: U+FFFD for each byte that isn't and for what would act on the
 * text around it (control characters, overrides of direction, invisible
 * ones). At most `max` code points, unless TEXT_ALL.
 */
void text_clean(struct buf *b, const char *s, size_t max);
/* UTF-8 with U+FFFD, nothing else replaced: for JSON, which escapes. */
void text_utf8(struct buf *b, const char *s);
/* Clean, and escaped for HTML, attributes included. */
void text_html(struct buf *b, const char *s, size_t max);
/* Clean, quoted, and no formula in any spreadsheet. */
void text_csv(struct buf *b, const char *s);

/* --- number.c: figures as people write them ------------------------------ */

struct num {
	char s[96];
};
/* What doesn't fit is cut. */
struct num num_printf(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

enum quantity {
	Q_KEPT,	  /* B.month of 30 days */
	Q_ENERGY, /* mWh */
	Q_MONEY,  /* microeuro */
	Q_CARBON  /* microgram CO2e */
};
struct scale {
	unsigned int power; /* the unit is 10^power of the integer's */
	const char *unit;   /* a msgid */
};

#define MONTH_S	  INT64_C(2592000) /* 30 days: what "month" in TB.month is */
#define NBSP	  "\xc2\xa0"
#define MINUS	  "\xe2\x88\x92"
#define KEPT_UNIT ((uint128)MONTH_S)

/* v x 10^-decimals, thousands in groups: "1,234.5", "1 234,5". */
struct num num_fixed(uint128 v, unsigned int decimals, enum po_lang lang);
/* The unit in which `v` is read best. */
const struct scale *num_scale(enum quantity q, uint128 v);
/* `v` to so many significant digits, no unit. */
struct num num_digits(uint128 v, const struct scale *scale, unsigned int digits,
		      enum po_lang lang);
/* "63 Wh", two significant digits (three of bytes, which are counted). */
struct num num_quantity(enum quantity q, uint128 v, enum po_lang lang);
/* "between 53 and 76 Wh". */
struct num num_interval(enum quantity q, uint128 mid, uint128 low, uint128 high,
			enum po_lang lang);
/* v x 10^-decimals with all its digits, for programs. */
void num_plain(struct buf *out, uint128 v, unsigned int decimals, char point);
struct num num_count(uint64_t n, enum po_lang lang);
struct num num_bytes(uint64_t bytes, enum po_lang lang);
struct num num_micro(micro v, enum po_lang lang); /* a coefficient */
/* "+12 %" from `before` to `now`; before > 0. */
struct num num_change(uint64_t before, uint64_t now, enum po_lang lang);
struct num num_duration(int64_t seconds, enum po_lang lang);

/* What to multiply by 10^-decimals, so that the parts shown add up to the
 * total shown: largest remainder. Returns the total. */
uint64_t num_apportion(const uint128 *part, unsigned int n, uint128 quantum,
		       uint64_t *ret_shown);
/* mid / u and mid x u. */
uint64_t num_low(uint64_t mid, micro u);
uint64_t num_high(uint64_t mid, micro u);

/* --- date.c --------------------------------------------------------------- */

struct num date_month(int32_t month, enum po_lang lang); /* "September 2026" */
struct num date_month_short(int32_t month, enum po_lang lang); /* "Sep" */
struct num date_month_iso(int32_t month);		       /* "2026-09" */
struct num date_day(int64_t at_s, enum po_lang lang); /* "1 September 2026" */
struct num date_minute(int64_t at_s, enum po_lang lang);
struct num date_iso(int64_t at_s); /* "2026-09-01T00:00:00Z" */
int64_t date_month_start(int32_t month);

/* --- line.c: who the month's bytes belong to ----------------------------- */

enum line_kind {
	LINE_DEPARTMENT,
	LINE_FORMER, /* of departments no longer configured, together */
	LINE_OVERHEAD,
	LINE_RESERVE
};
struct line {
	enum line_kind kind;
	const struct report_department *department; /* of LINE_DEPARTMENT */
	struct energy_line energy;
};
struct lines {
	struct line *line; /* owned; departments by energy, the most first */
	unsigned int n;
	unsigned int departments; /* how many are at the start */
};
int lines_init(struct lines *ret_lines, const struct report_input *in,
	       const struct report_month *month, struct error *err);
void lines_release(struct lines *lines);
static inline void lines_release_at(struct lines *lines)
{
	lines_release(lines);
}
#define cleanup_lines __attribute__((cleanup(lines_release_at)))
const char *line_name(const struct line *line, enum po_lang lang);
/* The department's; NULL when it is of none. */
const char *line_id(const struct line *line);
/* Of one department; zeros when the month has none. */
struct energy_line line_of(const struct report_month *month, uint16_t number);
void line_add(struct energy_line *to, const struct energy_line *from);
/* Departments with a line of it, the city for NULL. */
struct energy_line line_for(const struct report_month *month,
			    const struct report_department *department);

struct json_t;
struct page;
/* --- stock.c: what files there are --- */
const char *age_name(enum report_age age, enum po_lang lang);
const char *kind_name(enum report_kind kind, enum po_lang lang);
/* The page's; NULL: not known. */
const struct report_stock *stock_of(const struct page *p);
const struct report_stock *stock_in(const struct page *p,
				    const struct report_month *m);

/* --- moved.c: from the month before to this one --- */
#define MOVED_ROWS (REPORT_CAUSES + 4)
struct moved_row {
	const char *name;
	int64_t bytes, mwh;
};
struct moved {
	int64_t before, after;	       /* bytes, on average */
	int64_t before_mwh, after_mwh; /* of the city without the reserve */
	/* What lies between, to the unit; the last is what is not of bytes. */
	struct moved_row row[MOVED_ROWS];
	unsigned int n;
	int64_t told, told_mwh; /* their sums */
};
/* False: it can't be told of both months. */
bool moved_of(const struct page *p, struct moved *ret_moved);
/* NULL: not counted. */
const struct report_flow_line *flows_of(const struct page *p,
					const struct report_month *m);
const char *cause_name(enum report_cause cause, enum po_lang lang);

/* --- one page ------------------------------------------------------------- */

struct page {
	struct buf out;
	const struct report_input *in;
	const struct report_month *month;
	enum po_lang lang;
	const struct report_department *department; /* NULL: the city */
	const struct lines *lines; /* of the month; none unless known */
	int32_t year; /* of which it is the balance; 0: it is a month's */
	bool links;   /* the other pages are written too */
	bool table;   /* so is departments.html */
	/* beside it; 0: none */
	uint64_t csv_bytes, table_bytes, json_bytes, impact_bytes;
};

/* How a month was seen; month.c. */
enum seen {
	SEEN_FUTURE,
	SEEN_NEVER,
	SEEN_PART,
	SEEN_WHOLE
};
enum seen month_seen(const struct report_month *month, int64_t made_s);
/* Of the input; NULL: it isn't there. */
const struct report_month *month_find(const struct page *p, int32_t number);
int64_t month_counted_s(const struct report_month *month);
int64_t month_unwatched_s(const struct report_month *month);

/* Markup of ours, as it is. */
void page_raw(struct page *p, const char *markup);
void page_rawf(struct page *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Text: cleaned and escaped. */
void page_say(struct page *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* <p>text</p> and the like. */
void page_element(struct page *p, const char *tag, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A name that lies in the buffer given, cleaned, at most `max` long. */
const char *name_short(struct buf *b, const char *name, size_t max);
/* ID.html without its ending: safe in a path and in a link. */
struct num page_stem(const struct report_department *department);

#define PT(p, msgid) TL((p)->lang, msgid)

/* A table in a region that scrolls. Of figures or of texts. */
#define TABLE_FIGURES "t"
#define TABLE_TEXTS   "t l"
void page_table(struct page *p, const char *kind, const char *id,
		const char *caption);
void page_table_end(struct page *p);
void page_th(struct page *p, const char *scope, const char *text);
void page_td(struct page *p, const char *text);

/* Thirteen stacked columns; chart.c. */
#define PARTS_MAX 3
struct chart_column {
	int32_t month;
	bool known, whole;
	uint64_t part[PARTS_MAX]; /* from the bottom */
};
struct column_chart {
	const char *title, *description;
	const char *table_id; /* what says the same */
	struct chart_column column[REPORT_MONTHS];
	unsigned int n;
	unsigned int power; /* of the unit of the axis */
};

/* Bars that lie one below the other, each with its label above; bars.c. */
#define BAR_PARTS 2
struct bar {
	const char *label;
	const char *figure; /* what it comes to, as text */
	uint64_t skip;	    /* before it */
	uint64_t part[BAR_PARTS];
};
struct bar_chart {
	const char *id; /* of it alone on the page */
	const char *title, *description;
	const char *table_id; /* what says the same */
	const struct bar *bar;
	unsigned int n;
};
void page_bars(struct page *p, const struct bar_chart *chart);
/* stock_page.c: what files there are; of the city by kind in the annex */
void page_city(struct page *p);	   /* city_page.c */
void page_actions(struct page *p); /* actions.c */
void page_stock(struct page *p);
void page_stock_annex(struct page *p);

void page_figures(struct page *p); /* figures.c */
/* checks.c: a sentence, when any failed */
void page_failed(struct page *p, const struct report_checks *checks);
void page_origin(struct page *p); /* origin.c */
/* Every department, however many. */
void page_origin_all(struct page *p);
void page_saved(struct page *p);  /* saved.c: what packing saves */
void page_moved(struct page *p);  /* moved_page.c */
void page_months(struct page *p); /* months.c: the chart and its table */
void page_chart(struct page *p, const struct column_chart *chart);
/* rules.c: a sentence, and in the annex which rules and files */
void page_rules(struct page *p);
void page_rules_annex(struct page *p);
void page_folders(struct page *p); /* folders.c; in the annex */
void page_method(struct page *p);  /* method.c */
void page_coefs(struct page *p);
/* The same page's annex. */
void page_annex_link(struct page *p, const char *text);
int page_write_annex(struct page *p, struct error *err);
/* Up to the header's end tag, which is the caller's; after <main>. */
void page_top(struct page *p, const char *title);
void page_end(struct page *p);
int page_done(const struct page *p, struct error *err);
int page_write(struct page *p, struct error *err); /* page.c */
/* More departments than that, and the city's page shows the first few alone:
 * all are on a page of their own. */
#define CITY_LINES_MAX	 12
#define CITY_LINES_SHOWN 8
int page_write_lines(struct page *p, struct error *err);

enum charge_kind {
	CHARGE_OWN,
	CHARGE_SHARED,
	CHARGE_IO,
	CHARGE_OVERHEAD,
	CHARGE_RESERVE
};
struct charge {
	const struct line *line;
	enum charge_kind kind;
	uint128 byte_s, logical_byte_s;
	uint64_t stored, logical; /* kB.month: TB.month to nine decimals */
	bool has_logical;
	uint64_t mwh, ueur, use_ug, build_ug;
};
struct charges {
	struct charge *charge; /* owned */
	unsigned int n;
	uint64_t stored, logical; /* the sums */
};
int charges_init(struct charges *ret_charges, const struct page *p);
void charge_list_release(struct charges *charges);
/* The department's; NULL when it is of none. */
const char *charge_id(const struct charge *c);
const char *charge_kind_name(enum charge_kind kind); /* "own" */

int csv_write(const struct page *p, struct buf *out, struct error *err);
int table_write(const struct page *p, struct buf *out, struct error *err);
/* What files there are: null when nobody looked. NULL without memory. */
struct json_t *stock_json(const struct page *p);
/* Of the city, once anything of the month is known; impact.c. */
#define IMPACT_COLUMNS                                                     \
	"administration_rattachement,nom_service_public_numerique,"        \
	"indicateur,valeur,unite_mesure,est_cible,type_indicateur,"        \
	"frequence_monitoring,date,est_periode,date_debut,est_automatise," \
	"source_collecte,denom_insee,code_insee,dataviz_wish,commentaires"
struct impact_row {
	const char *name;		 /* a msgid */
	const char *unit, *type, *often; /* as the schema has them */
	uint128 value;
	unsigned int decimals;
	bool target;	      /* not what was, but what should be */
	int64_t from_s, to_s; /* end exclusive */
	const char *comment;  /* NULL: none */
};
void impact_row(struct buf *out, const struct report_organisation *o,
		const struct impact_row *row);
int impact_write(const struct page *p, struct buf *out, struct error *err);
/* A string of any bytes; NULL without memory. */
struct json_t *json_utf8(const char *s);
/* {"key":"value"}; the value may be any bytes. */
void json_tags(struct buf *out, const char *key, const char *value);
/* Why what is stored changed; likewise. */
json_t *flows_json(const struct page *p);
int json_write(const struct page *p, struct buf *out, struct error *err);
/* Null: nothing is known of the month; NULL without memory. */
json_t *city_json(const struct report_input *in);
/* The city's. */
int prom_write(const struct page *p, struct buf *out, struct error *err);
struct num prom_name(const char *drive);

/* --- file.c ----------------------------------------------------------------
 */

struct folder {
	int fd;
	char *path; /* owned */
	const struct report_access *access;
};
/* DIR/name, or DIR for NULL, made when missing; one run at a time has it.
 * `access` (NULL: the umask's) is of what is made, and of directories that
 * were there when it is restricted. */
int folder_open(const char *dir_path, const char *name,
		const struct report_access *access, struct folder *ret_folder,
		struct error *err);
/* Made with that access, or given it. */
int folder_make(const char *path, const struct report_access *access,
		struct error *err);
void folder_release(struct folder *folder);
/* Whole or not at all; `each`, unless NULL, gets its path once it is there. */
int folder_put(const struct folder *folder, const char *name,
	       const struct buf *data,
	       void (*each)(void *ctx, const char *path), void *ctx,
	       struct error *err);
int folder_sync(const struct folder *folder, struct error *err);

/* access.c: of a file or directory of ours. */
int access_give(int fd, const struct report_access *access, bool directory);

#endif
