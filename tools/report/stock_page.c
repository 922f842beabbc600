/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

#include <stdlib.h>
#include <string.h>

/* What files there are: by last use and by kind, each drawn and as a table. */

#define KINDS_SHOWN 6

struct row {
	const char *name;
	struct report_sum sum;
	struct num figure;
};
struct group {
	const char *id;	      /* of its chart */
	const char *table_id; /* of its table */
	const char *title;
	const char *head; /* of the first column */
	struct row row[REPORT_KINDS + 1];
	unsigned int n;
};

static uint64_t bytes_of(const struct report_sum *s)
{
	return s->plain_bytes + s->packed_bytes;
}

static struct report_sum sum_of(const struct report_sum *sum, unsigned int n)
{
	struct report_sum all = { 0, 0, 0 };

	for (unsigned int i = 0; i < n; i++) {
		all.files += sum[i].files;
		all.plain_bytes += sum[i].plain_bytes;
		all.packed_bytes += sum[i].packed_bytes;
	}
	return all;
}

/* Whole percents; "<1 %" of what is there. */
static struct num percent(uint64_t part, uint64_t all, enum po_lang lang)
{
	unsigned int v =
		all ? (unsigned int)(((uint128)part * 200 + all) / all / 2) : 0;
	const char *space = lang == PO_FR ? NBSP : "";

	if (v == 0 && part > 0)
		return num_printf("<1%s%%", space);
	return num_printf("%u%s%%", v, space);
}

static void cell(struct page *p, uint64_t bytes)
{
	struct num n = num_bytes(bytes, p->lang);

	page_td(p, n.s);
}

static void put_row(struct page *p, const char *name,
		    const struct report_sum *sum)
{
	struct num files = num_count(sum->files, p->lang);

	page_raw(p, "<tr>");
	page_th(p, "row", name);
	page_td(p, files.s);
	cell(p, sum->plain_bytes);
	cell(p, sum->packed_bytes);
	page_raw(p, "</tr>\n");
}

static void table(struct page *p, const struct group *g,
		  const struct report_sum *all)
{
	page_table(p, TABLE_FIGURES, g->table_id, g->title);
	page_raw(p, "<thead><tr>");
	page_th(p, "col", g->head);
	page_th(p, "col", PT(p, "Files"));
	page_th(p, "col", PT(p, "Not packed"));
	page_th(p, "col", PT(p, "Packed"));
	page_raw(p, "</tr></thead>\n<tbody>\n");
	for (unsigned int i = 0; i < g->n; i++)
		put_row(p, g->row[i].name, &g->row[i].sum);
	page_raw(p, "</tbody>\n<tfoot>");
	put_row(p, PT(p, "Total"), all);
	page_raw(p, "</tfoot>\n");
	page_table_end(p);
}

static void chart(struct page *p, struct group *g, const struct report_sum *all)
{
	struct bar bar[REPORT_KINDS + 1];
	const struct bar_chart bars = {
		.id = g->id,
		.title = g->title,
		.description = PT(p, "One bar each; the table that follows has "
				     "the figures."),
		.table_id = g->table_id,
		.bar = bar,
		.n = g->n,
	};

	for (unsigned int i = 0; i < g->n; i++) {
		struct row *row = &g->row[i];
		struct num bytes = num_bytes(bytes_of(&row->sum), p->lang);
		struct num part =
			percent(bytes_of(&row->sum), bytes_of(all), p->lang);

		row->figure = num_printf("%s (%s)", bytes.s, part.s);
		bar[i] = (struct bar){ .label = row->name,
				       .figure = row->figure.s,
				       .part = { row->sum.plain_bytes,
						 row->sum.packed_bytes } };
	}
	page_raw(p, "<figure>\n");
	page_element(p, "figcaption", "%s", g->title);
	page_bars(p, &bars);
	page_raw(p, "</figure>\n");
}

static void fill_ages(const struct page *p, const struct report_stock *stock,
		      struct group *g)
{
	g->n = REPORT_AGES;
	for (unsigned int i = 0; i < REPORT_AGES; i++)
		g->row[i] = (struct row){
			.name = age_name((enum report_age)i, p->lang),
			.sum = stock->age[i],
		};
}

static int by_bytes(const void *a, const void *b)
{
	const struct row *x = a;
	const struct row *y = b;

	if (bytes_of(&x->sum) != bytes_of(&y->sum))
		return bytes_of(&x->sum) > bytes_of(&y->sum) ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* The most bytes first; the least together. */
static void fill_kinds(const struct page *p, const struct report_stock *stock,
		       struct group *g)
{
	struct report_sum rest[REPORT_KINDS + 1] = { { 0, 0, 0 } };

	for (unsigned int i = 0; i < KIND_OTHER; i++) {
		if (stock->kind[i].files > 0)
			g->row[g->n++] = (struct row){
				.name = kind_name((enum report_kind)i, p->lang),
				.sum = stock->kind[i],
			};
	}
	qsort(g->row, g->n, sizeof(g->row[0]), by_bytes);
	for (unsigned int i = KINDS_SHOWN; i < g->n; i++)
		rest[i] = g->row[i].sum;
	if (g->n > KINDS_SHOWN)
		g->n = KINDS_SHOWN;
	rest[REPORT_KINDS] = stock->kind[KIND_OTHER];
	g->row[g->n] = (struct row){
		.name = kind_name(KIND_OTHER, p->lang),
		.sum = sum_of(rest, REPORT_KINDS + 1),
	};
	if (g->row[g->n].sum.files > 0)
		g->n++;
}

/* What a reader should take away. */
static void sentence(struct page *p, const struct report_stock *stock,
		     const struct report_sum *all)
{
	struct report_sum old =
		sum_of(&stock->age[AGE_5_YEARS], REPORT_AGES - AGE_5_YEARS);
	struct num bytes = num_bytes(bytes_of(&old), p->lang);
	struct num part = percent(bytes_of(&old), bytes_of(all), p->lang);
	struct num day = date_day(p->month->survey->taken_s, p->lang);

	page_element(p, "p",
		     PT(p, "On %s, %s of the space (%s) was taken by files "
			   "that nobody had opened or changed for more than 3 "
			   "years. Who opened a file is never kept, only the "
			   "day; from before sobrefs, the day of the last "
			   "change."),
		     day.s, part.s, bytes.s);
}

static void legend(struct page *p)
{
	page_raw(p, "<ul class=\"c\">\n");
	page_element(p, "li class=\"c1\"", "%s", PT(p, "Not packed"));
	page_element(p, "li class=\"c2\"", "%s", PT(p, "Packed"));
	page_raw(p, "</ul>\n");
}

void page_stock(struct page *p)
{
	const struct report_stock *stock = stock_of(p);
	struct group ages = { .id = "a",
			      .table_id = "ages",
			      .title = PT(p, "Space, by last use"),
			      .head = PT(p, "Last used") };
	struct group kinds = { .id = "k",
			       .table_id = "kinds",
			       .title = PT(p, "Space, by kind of file"),
			       .head = PT(p, "Kind of file") };
	struct report_sum all;

	if (!stock)
		return;
	all = sum_of(stock->age, REPORT_AGES);
	if (all.files == 0)
		return;
	fill_ages(p, stock, &ages);
	fill_kinds(p, stock, &kinds);
	page_element(p, "h2", "%s",
		     PT(p, "What is kept, and since when unused"));
	sentence(p, stock, &all);
	legend(p);
	chart(p, &ages, &all);
	table(p, &ages, &all);
	if (p->department) {
		chart(p, &kinds, &all);
		table(p, &kinds, &all);
		return;
	}
	page_raw(p, "<p>");
	page_annex_link(p, PT(p, "The same by kind of file: the annex"));
	page_raw(p, "</p>\n");
}

void page_stock_annex(struct page *p)
{
	const struct report_stock *stock = p->department ? NULL : stock_of(p);
	struct group kinds = { .id = "k",
			       .table_id = "kinds",
			       .title = PT(p, "Space, by kind of file"),
			       .head = PT(p, "Kind of file") };
	struct report_sum all;

	if (!stock)
		return;
	all = sum_of(stock->kind, REPORT_KINDS);
	if (all.files == 0)
		return;
	fill_kinds(p, stock, &kinds);
	page_element(p, "h2", "%s", kinds.title);
	legend(p);
	chart(p, &kinds, &all);
	table(p, &kinds, &all);
}
