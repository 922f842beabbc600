/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/year.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANNEX_ENDING "-annex"

/* Contrast on white is 4.5:1 at least for text, 3:1 for what is drawn. */
static const char style[] =
	":root{color-scheme:light}"
	"*{box-sizing:border-box}"
	"body{margin:0;font:1rem/1.5 system-ui,\"Liberation Sans\",Arial,"
	"sans-serif;color:#161616;background:#fff;overflow-wrap:break-word}"
	"a{color:#000091}"
	"a:focus,div:focus{outline:3px solid #000091;outline-offset:2px}"
	".skip{position:absolute;left:-999em}"
	".skip:focus{left:.5rem;top:.5rem;padding:.5rem;background:#fff}"
	"header,main,footer{max-width:62rem;margin:0 auto;padding:0 1rem}"
	"header{padding-top:1rem;display:flex;flex-wrap:wrap;gap:0 1.5rem;"
	"justify-content:space-between;color:#3a3a3a}"
	"header p{margin:0}"
	"h1{font-size:1.9rem;line-height:1.2;margin:.6rem 0;color:#000091}"
	"h2{font-size:1.3rem;line-height:1.3;margin:2.4rem 0 .6rem;"
	"padding-top:.6rem;border-top:2px solid #000091}"
	"h3{font-size:1.05rem;margin:1.4rem 0 .4rem}"
	"p,ul{margin:.5rem 0;max-width:46rem}"
	".lead{font-size:1.2rem}"
	".note{padding:.5rem .8rem;border-left:5px solid #8d4b00;"
	"background:#fdf3e7}"
	"dl{display:grid;gap:.8rem;margin:1rem 0;"
	"grid-template-columns:repeat(auto-fit,minmax(13rem,1fr))}"
	"dl>div{border:1px solid #929292;border-top:5px solid #000091;"
	"padding:.6rem .8rem}"
	"dt{font-weight:700}"
	"dd{margin:.2rem 0 0;font-size:.9rem}"
	"dd:nth-of-type(1){font-size:1.5rem;line-height:1.2;font-weight:700;"
	"color:#000091}"
	".t{overflow-x:auto;margin:.8rem 0}"
	"table{border-collapse:collapse;min-width:100%;font-size:.92rem}"
	"caption{text-align:left;font-weight:700;padding:.2rem 0;"
	"max-width:calc(100vw - 2rem)}"
	"th,td{padding:.3rem .6rem;text-align:right;vertical-align:top;"
	"border-bottom:1px solid #ccc}"
	"thead th{border-bottom:2px solid #000091;vertical-align:bottom}"
	"th:first-child,.l td,.l th{text-align:left;font-weight:400}"
	"thead th,thead th:first-child,.l thead th{font-weight:700}"
	".l{overflow-wrap:anywhere}"
	".l table{min-width:34rem}"
	".l .n{text-align:right;white-space:nowrap}"
	".s{font-size:.92rem;columns:2 20rem;column-gap:2.5rem;max-width:none}"
	"tfoot td,tfoot th:first-child{font-weight:700;"
	"border-top:2px solid #161616}"
	"th:first-child{min-width:10.5rem;overflow-wrap:anywhere}"
	".l thead th{overflow-wrap:normal}"
	"td{font-variant-numeric:tabular-nums}"
	"figure{margin:1rem 0}"
	"figcaption{font-weight:700}"
	"svg{display:block;width:100%;height:auto;font-size:12px;"
	"overflow:visible}"
	".c{list-style:none;padding:0;display:flex;flex-wrap:wrap;"
	"gap:.2rem 1.4rem}"
	".c li:before{content:\"\";display:inline-block;width:1.1em;"
	"height:.9em;margin-right:.4em;border:1px solid #161616;"
	"print-color-adjust:exact;-webkit-print-color-adjust:exact}"
	".c1:before{background:#000091}"
	".c2:before{background:repeating-linear-gradient(45deg,#0072b2 0 3px,"
	"#fff 3px 5px)}"
	".c3:before{background:#d55e00}"
	".c4:before{background:#fff}"
	".w{display:none}"
	"@media(min-width:40rem){.w{display:inline}.m{display:none}}"
	".d a{display:list-item;margin-left:1.2rem}"
	"footer{margin-top:2.4rem;padding-bottom:2rem;font-size:.92rem;"
	"border-top:2px solid #000091}"
	"@media print{@page{margin:14mm}html{font-size:9.5pt}"
	".skip,nav{display:none}.t{overflow:visible}.w{display:inline}"
	".m{display:none}thead{display:table-header-group}"
	/* Else the total is repeated on every sheet, as if it were a part. */
	"tfoot{display:table-row-group}"
	"tr,figure,dl>div,li,h2,h3{break-inside:avoid}"
	"h2,h3,caption{break-after:avoid}"
	"dl{grid-template-columns:repeat(4,minmax(0,1fr))}h2{margin-top:1.6rem}"
	"}";

void page_raw(struct page *p, const char *markup)
{
	(void)buf_put_str(&p->out, markup);
}

void page_rawf(struct page *p, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	page_raw(p, text);
}

static void say(struct page *p, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
static void say(struct page *p, const char *fmt, va_list ap)
{
	cleanup_free char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0) {
		text = NULL;
		p->out.failure = -ENOMEM;
		return;
	}
	text_html(&p->out, text, TEXT_ALL);
}

void page_say(struct page *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(p, fmt, ap);
	va_end(ap);
}

void page_element(struct page *p, const char *tag, const char *fmt, ...)
{
	va_list ap;

	page_rawf(p, "<%s>", tag);
	va_start(ap, fmt);
	say(p, fmt, ap);
	va_end(ap);
	page_rawf(p, "</%.*s>\n", (int)strcspn(tag, " "), tag);
}

const char *name_short(struct buf *b, const char *name, size_t max)
{
	buf_clear(b);
	text_clean(b, name, max);
	(void)buf_put_u8(b, 0);
	return buf_error(b) ? "" : (const char *)b->data;
}

/* As a file of another's: urb-annex.html, urb-tableur.csv. */
static bool ends_as_ours(const char *id, size_t len)
{
	static const char *const endings[] = { ANNEX_ENDING, "-tableur",
					       "-impact" };

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		size_t n = strlen(endings[i]);

		if (len >= n && !strcmp(id + len - n, endings[i]))
			return true;
	}
	return false;
}

/* Other ids are kept out of paths, whoever let them in. */
static bool id_is_plain(const char *id)
{
	size_t n = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789._-");

	return n > 0 && n <= 64 && !id[n] && !strchr("._-", id[0]) &&
	       strcmp(id, "index") != 0 && strcmp(id, "departments") != 0 &&
	       !ends_as_ours(id, n);
}

struct num page_stem(const struct report_department *department)
{
	struct num stem = { .s = "index" };

	if (department && id_is_plain(department->id))
		stem = num_printf("%s", department->id);
	else if (department)
		stem = num_printf("_%u", department->number);
	return stem;
}

void page_table(struct page *p, const char *kind, const char *id,
		const char *caption)
{
	page_rawf(p,
		  "<div class=\"%s\" role=\"region\" tabindex=\"0\" "
		  "aria-labelledby=\"%s\">\n<table>\n"
		  "<caption id=\"%s\">",
		  kind, id, id);
	page_say(p, "%s", caption);
	page_raw(p, "</caption>\n");
}

void page_table_end(struct page *p)
{
	page_raw(p, "</table>\n</div>\n");
}

void page_th(struct page *p, const char *scope, const char *text)
{
	page_rawf(p, "<th scope=\"%s\">", scope);
	page_say(p, "%s", text);
	page_raw(p, "</th>");
}

void page_td(struct page *p, const char *text)
{
	page_raw(p, "<td>");
	page_say(p, "%s", text);
	page_raw(p, "</td>");
}

static struct num page_period(const struct page *p)
{
	struct num when = date_month(p->month->month, p->lang);
	struct num day = date_day(p->in->made_s, p->lang);
	struct num out = when;

	if (p->year)
		out = num_printf(PT(p, "balance of %d"), p->year);
	else if (p->in->assessed)
		out = num_printf(PT(p, "estimate of %s"), day.s);
	return out;
}

void page_top(struct page *p, const char *title)
{
	page_rawf(p,
		  "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n"
		  "<meta charset=\"utf-8\">\n<title>",
		  p->lang == PO_FR ? "fr" : "en");
	page_say(p, "%s", title);
	page_raw(p, "</title>\n<meta name=\"viewport\" content=\""
		    "width=device-width, initial-scale=1\">\n"
		    "<style>");
	page_raw(p, style);
	page_raw(p, "</style>\n</head>\n<body>\n"
		    "<a class=\"skip\" href=\"#main\">");
	page_say(p, "%s", PT(p, "Skip to content"));
	page_raw(p, "</a>\n<header>\n");
	page_element(p, "p", "%s", PT(p, "Footprint of the files kept"));
}

static void page_head(struct page *p, const char *subject)
{
	struct num period = page_period(p);
	cleanup_free char *title = NULL;

	if (asprintf(&title, PT(p, "%s, %s: footprint of files"), subject,
		     period.s) < 0)
		title = NULL;
	page_top(p, title ? title : "");
	if (!title)
		p->out.failure = -ENOMEM;
}

/* From the city's page nowhere. */
enum level {
	LEVEL_CITY,
	LEVEL_DEPARTMENT,
	LEVEL_ANNEX
};

static void page_nav(struct page *p, enum level level)
{
	struct num stem = page_stem(p->department);

	if (level == LEVEL_ANNEX) {
		page_rawf(p, "<nav><a href=\"%s.html\">", stem.s);
		page_say(p, "%s", PT(p, "Back to the report"));
		page_raw(p, "</a></nav>\n");
	} else if (p->links && level == LEVEL_DEPARTMENT) {
		page_raw(p, "<nav><a href=\"index.html\">");
		page_say(p, "%s", PT(p, "All departments"));
		page_raw(p, "</a></nav>\n");
	}
}

void page_annex_link(struct page *p, const char *text)
{
	struct num stem = page_stem(p->department);

	page_rawf(p, "<a href=\"%s" ANNEX_ENDING ".html\">", stem.s);
	page_say(p, "%s", text);
	page_raw(p, "</a>");
}

static void page_start(struct page *p, const char *subject, enum level level)
{
	struct num period = page_period(p);

	page_head(p, subject);
	page_nav(p, level);
	page_raw(p, "</header>\n<main id=\"main\">\n");
	/* The department, and the month that it is about. */
	page_element(p, "h1", PT(p, "%s, %s"), subject, period.s);
}

static void download(struct page *p, const char *ending, uint64_t bytes,
		     const char *what)
{
	struct num stem = page_stem(p->department);
	struct num size = num_bytes(bytes, p->lang);

	if (bytes == 0)
		return;
	page_rawf(p, "<a href=\"%s%s\">", stem.s, ending);
	page_say(p, "%s (%s)", what, size.s);
	page_raw(p, "</a>\n");
}

static void page_downloads(struct page *p)
{
	if (!p->csv_bytes && !p->json_bytes)
		return;
	page_element(p, "h2", "%s", PT(p, "The same figures as files"));
	page_raw(p, "<p class=\"d\">\n");
	download(p, "-tableur.csv", p->table_bytes,
		 PT(p, "CSV for a French spreadsheet"));
	download(p, ".csv", p->csv_bytes, PT(p, "CSV for programs"));
	download(p, "-impact.csv", p->impact_bytes,
		 PT(p, "CSV of open data, in French"));
	download(p, ".json", p->json_bytes, PT(p, "JSON"));
	page_raw(p, "</p>\n");
}

void page_end(struct page *p)
{
	struct num made = date_minute(p->in->made_s, p->lang);
	struct num iso = date_iso(p->in->made_s);
	/* What follows is less than 2 kB. */
	struct num size = num_count((p->out.len + 2999) / 1000, p->lang);

	page_raw(p, "</main>\n<footer>\n");
	page_element(
		p, "p",
		PT(p, "Accessibility: checked by programs against WCAG 2.1 "
		      "level AA (axe-core), in part by hand against RGAA 4.1; "
		      "not audited. Each chart is followed by its figures in a "
		      "table. If something can't be read, ask your IT "
		      "department for the figures in another form."));
	page_raw(p, "<p>");
	page_say(p,
		 PT(p, "Weight: one request, at most %s kB, no script, no "
		       "cookie, nothing loaded from elsewhere."),
		 size.s);
	page_rawf(p, " <time datetime=\"%s\">", iso.s);
	page_say(p, PT(p, "Made by sobrefs on %s"), made.s);
	page_raw(p, "</time></p>\n</footer>\n</body>\n</html>\n");
}

int page_done(const struct page *p, struct error *err)
{
	int rc = buf_error(&p->out);

	return rc < 0 ? error_set(err, rc, "cannot make the page: %s",
				  error_words(rc))
		      : 0;
}

int page_write(struct page *p, struct error *err)
{
	cleanup_buf struct buf name;
	const char *subject;

	buf_init(&name, REPORT_FILE_MAX);
	subject = name_short(&name,
			     p->department ? p->department->name : p->in->drive,
			     NAME_MAX_SHOWN);
	page_start(p, subject, p->department ? LEVEL_DEPARTMENT : LEVEL_CITY);
	page_figures(p);
	page_origin(p);
	page_months(p);
	page_city(p);
	page_moved(p);
	page_stock(p);
	page_actions(p);
	page_rules(p);
	page_downloads(p);
	page_method(p);
	page_end(p);
	return page_done(p, err);
}

int page_write_annex(struct page *p, struct error *err)
{
	cleanup_buf struct buf name;

	buf_init(&name, REPORT_FILE_MAX);
	(void)buf_put_str(&name, PT(p, "Annex: "));
	text_clean(&name, p->department ? p->department->name : p->in->drive,
		   NAME_MAX_SHOWN);
	(void)buf_put_u8(&name, 0);
	if (buf_error(&name))
		return error_set(err, buf_error(&name), "cannot make the page");
	page_start(p, (const char *)name.data, LEVEL_ANNEX);
	page_folders(p);
	page_stock_annex(p);
	page_saved(p);
	page_rules_annex(p);
	page_coefs(p);
	page_end(p);
	return page_done(p, err);
}

int page_write_year(const struct balance *b, struct page *p, struct error *err)
{
	cleanup_buf struct buf name;

	buf_init(&name, REPORT_FILE_MAX);
	page_start(p, name_short(&name, p->in->drive, NAME_MAX_SHOWN),
		   LEVEL_CITY);
	year_page(b, p);
	page_downloads(p);
	page_end(p);
	return page_done(p, err);
}

int page_write_lines(struct page *p, struct error *err)
{
	cleanup_buf struct buf name;

	buf_init(&name, REPORT_FILE_MAX);
	page_start(p, name_short(&name, p->in->drive, NAME_MAX_SHOWN),
		   LEVEL_DEPARTMENT);
	page_origin_all(p);
	page_end(p);
	return page_done(p, err);
}
