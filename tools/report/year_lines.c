/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/year.h"

/* The year by department: what is shown adds up to the total shown. */

#define LINES_SHOWN 10
#define ROWS_MAX    (LINES_SHOWN + 5) /* others, former, drive, reserve */
#define COLUMNS	    3

struct rows {
	const char *name[ROWS_MAX]; /* of people: not cleaned */
	struct energy_line line[ROWS_MAX];
	unsigned int n;
};
struct column {
	const struct scale *scale;
	unsigned int decimals;
	uint64_t shown[ROWS_MAX];
	uint64_t total;
};

static void add(struct rows *rows, const char *name,
		const struct energy_line *line)
{
	rows->name[rows->n] = name;
	rows->line[rows->n++] = *line;
}

static void collect(const struct balance *b, struct page *p, struct rows *rows)
{
	struct energy_line rest = { .own_byte_s = 0 };
	unsigned int shown = b->lines.departments;

	if (shown > LINES_SHOWN + 1)
		shown = LINES_SHOWN;
	for (unsigned int i = 0; i < b->lines.n; i++) {
		const struct line *line = &b->lines.line[i];

		if (i >= shown && i < b->lines.departments)
			line_add(&rest, &line->energy);
		if (i + 1 == b->lines.departments && shown <= i)
			add(rows, PT(p, "All other departments"), &rest);
		if (i < shown || i >= b->lines.departments)
			add(rows, line_name(line, p->lang), &line->energy);
	}
}

static uint128 value_of(const struct energy_line *e, enum quantity q)
{
	switch (q) {
	case Q_ENERGY:
		return e->mwh.all;
	case Q_MONEY:
		return e->ueur.all;
	case Q_KEPT:
	case Q_CARBON:
		break;
	}
	return (uint128)e->use_ug.all + e->build_ug.all;
}

static uint128 power_of_10(unsigned int n)
{
	uint128 v = 1;

	while (n-- > 0)
		v *= 10;
	return v;
}

/* One unit, and as many decimals as show four digits of the total. */
static void scale_column(const struct rows *rows, enum quantity q,
			 struct column *to)
{
	uint128 part[ROWS_MAX];
	uint128 sum = 0;
	unsigned int decimals = q == Q_MONEY ? 2 : 0;

	for (unsigned int i = 0; i < rows->n; i++) {
		part[i] = value_of(&rows->line[i], q);
		sum += part[i];
	}
	to->scale = num_scale(q, sum);
	while (decimals < 6 && decimals < to->scale->power &&
	       sum < 1000 * power_of_10(to->scale->power - decimals))
		decimals++;
	to->decimals = decimals;
	to->total = num_apportion(part, rows->n,
				  power_of_10(to->scale->power - decimals),
				  to->shown);
}

static void head(struct page *p, const char *title, const struct column *column)
{
	page_raw(p, "<th scope=\"col\">");
	page_say(p, "%s (%s)", title, PT(p, column->scale->unit));
	page_raw(p, "</th>");
}

static void cell(struct page *p, const struct column *column, uint64_t v)
{
	struct num n = num_fixed(v, column->decimals, p->lang);

	page_td(p, n.s);
}

static void row(struct page *p, const struct rows *rows, unsigned int i,
		const struct column columns[COLUMNS])
{
	cleanup_buf struct buf name;

	buf_init(&name, REPORT_FILE_MAX);
	page_raw(p, "<tr>");
	page_th(p, "row", name_short(&name, rows->name[i], NAME_MAX_SHOWN));
	for (unsigned int c = 0; c < COLUMNS; c++)
		cell(p, &columns[c], columns[c].shown[i]);
	page_raw(p, "</tr>\n");
}

void year_lines(const struct balance *b, struct page *p)
{
	struct rows rows = { .n = 0 };
	struct column columns[COLUMNS];

	collect(b, p, &rows);
	scale_column(&rows, Q_ENERGY, &columns[0]);
	scale_column(&rows, Q_MONEY, &columns[1]);
	scale_column(&rows, Q_CARBON, &columns[2]);
	page_element(p, "h2", "%s", PT(p, "Department by department"));
	page_table(p, TABLE_FIGURES, "lines",
		   PT(p, "The year by department; the files have all, month "
			 "by month"));
	page_raw(p, "<thead><tr>");
	page_th(p, "col", PT(p, "Department"));
	head(p, PT(p, "Electricity"), &columns[0]);
	head(p, PT(p, "Cost"), &columns[1]);
	head(p, PT(p, "Carbon"), &columns[2]);
	page_raw(p, "</tr></thead>\n<tbody>\n");
	for (unsigned int i = 0; i < rows.n; i++)
		row(p, &rows, i, columns);
	page_raw(p, "</tbody>\n<tfoot><tr>");
	page_th(p, "row", PT(p, "Total"));
	for (unsigned int c = 0; c < COLUMNS; c++)
		cell(p, &columns[c], columns[c].total);
	page_raw(p, "</tr></tfoot>\n");
	page_table_end(p);
}
