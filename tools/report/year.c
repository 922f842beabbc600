/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/year.h"

#include <errno.h>
#include <stdio.h>

struct writing {
	const struct balance *balance;
	struct folder folder;
	void (*each)(void *ctx, const char *path);
	void *ctx;
};

static int put_file(const struct writing *w, const char *ending,
		    const struct buf *out, struct error *err)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "index%s", ending);
	return folder_put(&w->folder, name, out, w->each, w->ctx, err);
}

static int put_csvs(const struct writing *w, struct error *err)
{
	struct page *p = w->balance->p;
	cleanup_buf struct buf csv;
	cleanup_buf struct buf table;
	int rc;

	buf_init(&csv, REPORT_FILE_MAX);
	buf_init(&table, REPORT_FILE_MAX);
	year_csv(w->balance, &csv);
	year_table(w->balance, &table);
	p->csv_bytes = csv.len;
	p->table_bytes = table.len;
	rc = put_file(w, ".csv", &csv, err);
	return rc < 0 ? rc : put_file(w, "-tableur.csv", &table, err);
}

/* Of an organisation that is said, and a year of which anything is. */
static int put_impact(const struct writing *w, struct error *err)
{
	const struct balance *b = w->balance;
	const struct report_target *t = &b->of->target;
	cleanup_buf struct buf out;

	buf_init(&out, REPORT_FILE_MAX);
	if (!b->of->in->organisation ||
	    (b->now.months == 0 && !t->mwh && !t->ueur && !t->ug && !t->bytes))
		return 0;
	year_impact(b, &out);
	b->p->impact_bytes = out.len;
	return put_file(w, "-impact.csv", &out, err);
}

static int put_json(const struct writing *w, struct error *err)
{
	cleanup_buf struct buf out;
	int rc;

	buf_init(&out, REPORT_FILE_MAX);
	rc = year_json(w->balance, &out, err);
	w->balance->p->json_bytes = out.len;
	return rc < 0 ? rc : put_file(w, ".json", &out, err);
}

static int put_page(const struct writing *w, struct error *err)
{
	int rc = page_write_year(w->balance, w->balance->p, err);

	return rc < 0 ? rc : put_file(w, ".html", &w->balance->p->out, err);
}

static int write_all(struct writing *w, const struct report_options *options,
		     const char *dir_path, struct error *err)
{
	struct num name = num_printf("%04d", w->balance->of->year);
	int rc =
		folder_open(dir_path, name.s, options->access, &w->folder, err);

	if (rc == 0 && (options->formats & REPORT_CSV))
		rc = put_csvs(w, err);
	if (rc == 0 && (options->formats & REPORT_CSV))
		rc = put_impact(w, err);
	if (rc == 0 && (options->formats & REPORT_JSON))
		rc = put_json(w, err);
	if (rc == 0 && (options->formats & REPORT_HTML))
		rc = put_page(w, err);
	if (rc == 0)
		rc = folder_sync(&w->folder, err);
	folder_release(&w->folder);
	return rc;
}

int report_write_year(const struct report_year *year,
		      const struct report_options *options,
		      const char *dir_path,
		      void (*each)(void *ctx, const char *path), void *ctx,
		      struct error *err)
{
	struct balance balance;
	struct page p = {
		.in = year->in,
		.year = year->year,
		.lang = po_has(options->lang) ? options->lang : PO_EN,
	};
	struct writing w = { .balance = &balance,
			     .folder = { .fd = -1 },
			     .each = each,
			     .ctx = ctx };
	int rc = balance_init(&balance, year, &p, err);

	if (rc < 0)
		return rc;
	buf_init(&p.out, REPORT_FILE_MAX);
	p.month = &balance.all;
	p.lines = &balance.lines;
	rc = write_all(&w, options, dir_path, err);
	buf_release(&p.out);
	balance_release(&balance);
	return rc;
}
