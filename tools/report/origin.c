/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

#include <errno.h>
#include <stdlib.h>

/* The table that adds up: own, shared, activity; or department by
 * department. */

enum column {
	COL_KEPT,
	COL_ENERGY,
	COL_MONEY,
	COL_USE,
	COL_BUILD,
	COL_CARBON, /* both */
	COL_SHARE,
	COLUMNS
};

struct row {
	const char *name;
	const struct report_department *link; /* to its page; or NULL */
	uint128 value[COLUMNS];
};
struct grid {
	struct row *row; /* owned */
	unsigned int n;
	uint128 *part;		  /* [n], owned: to compute with */
	uint64_t *shown[COLUMNS]; /* [n], owned; x 10^-decimals */
	uint64_t total[COLUMNS];
	unsigned int decimals[COLUMNS];
	const char *unit[COLUMNS];
	const enum column *col; /* those shown */
	unsigned int cols;
};

static const enum column all_columns[] = { COL_KEPT, COL_ENERGY, COL_MONEY,
					   COL_USE,  COL_BUILD,	 COL_SHARE };
/* The city's page has many lines. */
static const enum column few_columns[] = { COL_KEPT, COL_ENERGY, COL_MONEY,
					   COL_CARBON, COL_SHARE };

static void grid_release(struct grid *g)
{
	for (unsigned int c = 0; c < COLUMNS; c++)
		free(g->shown[c]);
	free(g->part);
	free(g->row);
}
static void grid_release_at(struct grid *g)
{
	grid_release(g);
}

static int grid_init(struct grid *g, unsigned int rows)
{
	*g = (struct grid){ .col = all_columns, .cols = 6 };
	g->row = calloc(rows, sizeof(*g->row));
	g->part = calloc(rows, sizeof(*g->part));
	if (!g->row || !g->part)
		return -ENOMEM;
	for (unsigned int c = 0; c < COLUMNS; c++) {
		g->shown[c] = calloc(rows, sizeof(*g->shown[c]));
		if (!g->shown[c])
			return -ENOMEM;
	}
	return 0;
}

static uint128 power_of_10(unsigned int n)
{
	uint128 v = 1;

	while (n-- > 0)
		v *= 10;
	return v;
}

static uint128 column_sum(const struct grid *g, enum column c)
{
	uint128 sum = 0;

	for (unsigned int i = 0; i < g->n; i++)
		sum += g->row[i].value[c];
	return sum;
}

/* A unit and as many decimals as show four digits of the total. */
static void scale_column(struct grid *g, enum column c, enum quantity q,
			 uint128 base)
{
	uint128 sum = column_sum(g, c);
	const struct scale *scale = num_scale(q, sum / base);
	unsigned int decimals = q == Q_MONEY ? 2 : 0;
	unsigned int most = scale->power < 6 ? scale->power : 6;

	while (decimals < most &&
	       sum < 1000 * base * power_of_10(scale->power - decimals))
		decimals++;
	for (unsigned int i = 0; i < g->n; i++)
		g->part[i] = g->row[i].value[c];
	g->decimals[c] = decimals;
	g->unit[c] = scale->unit;
	g->total[c] = num_apportion(g->part, g->n,
				    base * power_of_10(scale->power - decimals),
				    g->shown[c]);
}

/* Tenths of a percent of the electricity. */
static void share_column(struct grid *g)
{
	uint128 sum = column_sum(g, COL_ENERGY);

	g->decimals[COL_SHARE] = 1;
	g->unit[COL_SHARE] = "%";
	for (unsigned int i = 0; i < g->n; i++)
		g->part[i] = g->row[i].value[COL_ENERGY] * 1000;
	if (sum > 0)
		g->total[COL_SHARE] =
			num_apportion(g->part, g->n, sum, g->shown[COL_SHARE]);
}

static void grid_show(struct grid *g)
{
	scale_column(g, COL_KEPT, Q_KEPT, KEPT_UNIT);
	scale_column(g, COL_ENERGY, Q_ENERGY, 1);
	scale_column(g, COL_MONEY, Q_MONEY, 1);
	scale_column(g, COL_USE, Q_CARBON, 1);
	scale_column(g, COL_BUILD, Q_CARBON, 1);
	scale_column(g, COL_CARBON, Q_CARBON, 1);
	share_column(g);
}

static void grid_head(struct page *p, const struct grid *g, const char *what)
{
	static const char *const titles[COLUMNS] = {
		N_("Stored"),
		N_("Electricity"),
		N_("Cost"),
		N_("Carbon of the electricity"),
		N_("Carbon of the hardware"),
		N_("Carbon"),
		N_("Part"),
	};

	page_raw(p, "<thead><tr>");
	page_th(p, "col", what);
	for (unsigned int i = 0; i < g->cols; i++) {
		const enum column c = g->col[i];

		page_raw(p, "<th scope=\"col\">");
		page_say(p, "%s (%s)", PT(p, titles[c]), PT(p, g->unit[c]));
		page_raw(p, "</th>");
	}
	page_raw(p, "</tr></thead>\n<tbody>\n");
}

static void grid_cell(struct page *p, const struct grid *g, unsigned int c,
		      uint64_t value)
{
	struct num n = num_fixed(value, g->decimals[c], p->lang);

	page_td(p, n.s);
}

static void grid_row(struct page *p, const struct grid *g, unsigned int i)
{
	const struct row *row = &g->row[i];
	cleanup_buf struct buf name;
	struct num stem;

	buf_init(&name, REPORT_FILE_MAX);
	page_raw(p, "<tr><th scope=\"row\">");
	if (row->link) {
		stem = page_stem(row->link);
		page_rawf(p, "<a href=\"%s.html\">", stem.s);
	}
	page_say(p, "%s", name_short(&name, row->name, NAME_MAX_SHOWN));
	page_raw(p, row->link ? "</a></th>" : "</th>");
	for (unsigned int k = 0; k < g->cols; k++)
		grid_cell(p, g, g->col[k], g->shown[g->col[k]][i]);
	page_raw(p, "</tr>\n");
}

static void grid_table(struct page *p, const struct grid *g, const char *what,
		       const char *caption)
{
	page_table(p, TABLE_FIGURES, "origin", caption);
	grid_head(p, g, what);
	for (unsigned int i = 0; i < g->n; i++)
		grid_row(p, g, i);
	page_raw(p, "</tbody>\n<tfoot><tr>");
	page_th(p, "row", PT(p, "Total"));
	for (unsigned int k = 0; k < g->cols; k++)
		grid_cell(p, g, g->col[k], g->total[g->col[k]]);
	page_raw(p, "</tr></tfoot>\n");
	page_table_end(p);
}

/* The integers themselves, not what is shown of them. */
static void check(struct page *p, const struct grid *g,
		  const struct energy_line *total)
{
	uint128 want[COLUMNS] = {
		[COL_KEPT] = total->own_byte_s + total->shared_byte_s,
		[COL_ENERGY] = total->mwh.all,
		[COL_MONEY] = total->ueur.all,
		[COL_USE] = total->use_ug.all,
		[COL_BUILD] = total->build_ug.all,
		[COL_CARBON] = (uint128)total->use_ug.all + total->build_ug.all,
	};
	bool same = true;

	for (unsigned int c = 0; c < COL_SHARE; c++)
		same = same && column_sum(g, c) == want[c];
	page_element(
		p, same ? "p" : "p class=\"note\"", "%s",
		same ? PT(p, "Checked: the lines add up to the total exactly, "
			     "to the byte, the milliwatt-hour, the microeuro "
			     "and the microgram.")
		     : PT(p, "Attention: the lines do not add up to the total. "
			     "Do not use this table, and report it."));
}

static void put_row(struct grid *g, const char *name,
		    const struct report_department *link, uint128 bytes,
		    const uint64_t amount[4])
{
	g->row[g->n++] = (struct row){
		.name = name,
		.link = link,
		.value = { [COL_KEPT] = bytes,
			   [COL_ENERGY] = amount[0],
			   [COL_MONEY] = amount[1],
			   [COL_USE] = amount[2],
			   [COL_BUILD] = amount[3],
			   [COL_CARBON] = (uint128)amount[2] + amount[3] },
	};
}

static void put_line(struct grid *g, const char *name,
		     const struct report_department *link,
		     const struct energy_line *e)
{
	put_row(g, name, link, e->own_byte_s + e->shared_byte_s,
		(uint64_t[4]){ e->mwh.all, e->ueur.all, e->use_ug.all,
			       e->build_ug.all });
}

static void department_origin(struct page *p, struct grid *g)
{
	struct energy_line e = line_for(p->month, p->department);

	put_row(g, PT(p, "Kept by this department alone"), NULL, e.own_byte_s,
		(uint64_t[4]){ e.mwh.own, e.ueur.own, e.use_ug.own,
			       e.build_ug.own });
	put_row(g, PT(p, "Its part of what several keep"), NULL,
		e.shared_byte_s,
		(uint64_t[4]){ e.mwh.shared, e.ueur.shared, e.use_ug.shared,
			       e.build_ug.shared });
	if (e.mwh.activity || e.build_ug.activity)
		put_row(g, PT(p, "Reading and writing"), NULL, 0,
			(uint64_t[4]){ e.mwh.activity, e.ueur.activity,
				       e.use_ug.activity,
				       e.build_ug.activity });
	grid_show(g);
	grid_table(p, g, PT(p, "Origin"),
		   PT(p, "What the department's footprint is made of"));
	check(p, g, &e);
	page_element(p, "p", "%s",
		     PT(p, "A file that several departments keep is stored "
			   "once, and each bears an equal part of it. When one "
			   "of them deletes its copy, the part of the others "
			   "grows and nothing is saved yet."));
}

static const struct report_department *link_of(const struct page *p,
					       const struct line *line)
{
	bool has_page = p->links && line->kind == LINE_DEPARTMENT &&
			line->department->name;

	return has_page ? line->department : NULL;
}

/* `shown` departments, the others in one line. */
static void city_origin(struct page *p, struct grid *g, unsigned int shown)
{
	const struct lines *lines = p->lines;
	uint128 bytes = 0;
	uint64_t rest[4] = { 0 };

	for (unsigned int i = 0; i < lines->n; i++) {
		const struct line *line = &lines->line[i];
		const struct energy_line *e = &line->energy;

		if (i < shown || i >= lines->departments) {
			put_line(g, line_name(line, p->lang), link_of(p, line),
				 e);
			continue;
		}
		bytes += e->own_byte_s + e->shared_byte_s;
		rest[0] += e->mwh.all;
		rest[1] += e->ueur.all;
		rest[2] += e->use_ug.all;
		rest[3] += e->build_ug.all;
		if (i + 1 == lines->departments)
			put_row(g, PT(p, "The other departments"), NULL, bytes,
				rest);
	}
	grid_show(g);
	grid_table(p, g, PT(p, "Department"),
		   PT(p, "Each department, the drive itself and the reserve"));
	check(p, g, &p->month->energy.total);
}

static void explain_lines(struct page *p)
{
	if (p->lines->departments > 0 && p->table) {
		page_raw(p, "<p><a href=\"departments.html\">");
		page_say(p,
			 PT(p, "All departments (%u), one by one, with the "
			       "carbon of the electricity and of the "
			       "hardware"),
			 p->lines->departments);
		page_raw(p, "</a></p>\n");
	}
	page_element(p, "p", "%s",
		     PT(p, "A file that several departments keep is stored "
			   "once, and each bears an equal part of it. The "
			   "drive itself: catalog, journal, space not yet "
			   "freed. Unused reserve: space bought and powered "
			   "but empty, for the IT department to decide on."));
}

static void origin(struct page *p, unsigned int shown, bool few)
{
	__attribute__((cleanup(grid_release_at))) struct grid g = { .n = 0 };
	int rc = grid_init(&g, (p->lines ? p->lines->n : 0) + 3);

	if (rc < 0) {
		p->out.failure = rc;
		return;
	}
	page_element(p, "h2", "%s",
		     p->department ? PT(p, "Where it comes from")
				   : PT(p, "Department by department"));
	if (p->department) {
		department_origin(p, &g);
	} else {
		if (few) {
			g.col = few_columns;
			g.cols = 5;
		}
		city_origin(p, &g, shown);
	}
}

void page_origin(struct page *p)
{
	unsigned int shown = CITY_LINES_SHOWN;

	if (month_seen(p->month, p->in->made_s) < SEEN_PART)
		return;
	/* One more line would be "the others". */
	if (p->lines->departments <= CITY_LINES_MAX)
		shown = p->lines->departments;
	origin(p, shown, true);
	if (!p->department)
		explain_lines(p);
}

void page_origin_all(struct page *p)
{
	origin(p, p->lines->departments, false);
}
