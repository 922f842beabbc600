/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct run {
	const struct report_input *in;
	unsigned int formats;
	struct folder folder;
	struct lines lines;
	void (*each)(void *ctx, const char *path);
	void *ctx;
};

typedef int write_fn(const struct page *p, struct buf *out, struct error *err);

static int put_named(const struct run *run, const char *name,
		     const struct buf *data, struct error *err)
{
	return folder_put(&run->folder, name, data, run->each, run->ctx, err);
}

static int put_file(const struct run *run, const struct page *p,
		    const char *ending, const struct buf *data,
		    struct error *err)
{
	struct num stem = page_stem(p->department);
	char name[128];

	(void)snprintf(name, sizeof(name), "%s%s", stem.s, ending);
	return put_named(run, name, data, err);
}

static int put_data(const struct run *run, const struct page *p,
		    const char *ending, write_fn *write, uint64_t *ret_bytes,
		    struct error *err)
{
	cleanup_buf struct buf out;
	int rc;

	buf_init(&out, REPORT_FILE_MAX);
	rc = write(p, &out, err);
	if (rc == 0)
		rc = put_file(run, p, ending, &out, err);
	if (rc == 0)
		*ret_bytes = out.len;
	return rc;
}

static int put_html(const struct run *run, struct page *p, struct error *err)
{
	int rc = page_write(p, err);

	if (rc == 0)
		rc = put_file(run, p, ".html", &p->out, err);
	buf_release(&p->out);
	return rc;
}

static int put_annex(const struct run *run, struct page *p, struct error *err)
{
	int rc = page_write_annex(p, err);

	if (rc == 0)
		rc = put_file(run, p, "-annex.html", &p->out, err);
	buf_release(&p->out);
	return rc;
}

/* All departments, when the city's page hasn't room for them. */
static int put_departments(const struct run *run, struct page *p,
			   struct error *err)
{
	int rc;

	if (p->department || run->lines.departments == 0 ||
	    month_seen(p->month, p->in->made_s) < SEEN_PART)
		return 0;
	rc = page_write_lines(p, err);
	if (rc == 0)
		rc = put_named(run, "departments.html", &p->out, err);
	buf_release(&p->out);
	return rc;
}

/* Open data: the city's alone. */
static int put_impact(const struct run *run, struct page *p, struct error *err)
{
	if (p->department || !run->in->organisation || run->in->assessed ||
	    month_seen(p->month, p->in->made_s) < SEEN_PART)
		return 0;
	return put_data(run, p, "-impact.csv", impact_write, &p->impact_bytes,
			err);
}

static int put_subject(const struct run *run,
		       const struct report_options *options,
		       const struct report_department *department,
		       struct error *err)
{
	struct page p = {
		.in = run->in,
		.month = &run->in->month[run->in->months - 1],
		.lang = po_has(options->lang) ? options->lang : PO_EN,
		.department = department,
		.lines = &run->lines,
		.links = !options->department && !options->city &&
			 (run->formats & REPORT_HTML) != 0,
		.table = !options->department &&
			 (run->formats & REPORT_HTML) != 0,
	};
	int rc = 0;

	buf_init(&p.out, REPORT_FILE_MAX);
	if (run->formats & REPORT_CSV)
		rc = put_data(run, &p, ".csv", csv_write, &p.csv_bytes, err);
	if (rc == 0 && (run->formats & REPORT_CSV))
		rc = put_data(run, &p, "-tableur.csv", table_write,
			      &p.table_bytes, err);
	if (rc == 0 && (run->formats & REPORT_CSV))
		rc = put_impact(run, &p, err);
	if (rc == 0 && (run->formats & REPORT_JSON))
		rc = put_data(run, &p, ".json", json_write, &p.json_bytes, err);
	if (rc == 0 && (run->formats & REPORT_HTML))
		rc = put_html(run, &p, err);
	if (rc == 0 && (run->formats & REPORT_HTML))
		rc = put_annex(run, &p, err);
	if (rc == 0 && p.table)
		rc = put_departments(run, &p, err);
	return rc;
}

static int put_all(const struct run *run, const struct report_options *options,
		   struct error *err)
{
	const char *only = options->department;
	int rc = only ? 0 : put_subject(run, options, NULL, err);

	for (unsigned int i = 0;
	     rc == 0 && !options->city && i < run->in->departments; i++) {
		const struct report_department *d = &run->in->department[i];

		if (only && strcmp(only, d->id) != 0)
			continue;
		rc = put_subject(run, options, d, err);
	}
	return rc < 0 ? rc : folder_sync(&run->folder, err);
}

static int put_month(struct run *run, const struct report_options *options,
		     const char *dir_path, struct error *err)
{
	const struct report_input *in = run->in;
	struct num name = date_month_iso(in->month[in->months - 1].month);
	int rc = folder_open(dir_path, name.s, options->access, &run->folder,
			     err);

	if (rc == 0)
		rc = put_all(run, options, err);
	folder_release(&run->folder);
	return rc;
}

/* Of the whole drive, in the directory itself; a collector reads as somebody
 * else. */
static int put_metrics(struct run *run, const char *dir_path, struct error *err)
{
	const struct report_input *in = run->in;
	const struct page p = { .in = in,
				.month = &in->month[in->months - 1],
				.lang = PO_EN,
				.lines = &run->lines };
	static const struct report_access all = { .mask = 022 };
	struct num name = prom_name(in->drive);
	cleanup_buf struct buf out;
	int rc;

	buf_init(&out, REPORT_FILE_MAX);
	rc = prom_write(&p, &out, err);
	if (rc == 0)
		rc = folder_open(dir_path, NULL, &all, &run->folder, err);
	if (rc == 0)
		rc = put_named(run, name.s, &out, err);
	if (rc == 0)
		rc = folder_sync(&run->folder, err);
	folder_release(&run->folder);
	return rc;
}

static int check_input(const struct report_input *in,
		       const struct report_options *options, struct error *err)
{
	if (in->months == 0 || in->months > REPORT_MONTHS)
		return error_set(err, -EINVAL, "a report is of 1 to %d months",
				 REPORT_MONTHS);
	for (unsigned int i = 0; options->department && i < in->departments;
	     i++) {
		if (!strcmp(options->department, in->department[i].id))
			return 0;
	}
	if (options->department)
		return error_set(err, -ENOENT, "no department '%s'",
				 options->department);
	return 0;
}

int report_write(const struct report_input *input,
		 const struct report_options *options, const char *dir_path,
		 void (*each)(void *ctx, const char *path), void *ctx,
		 struct error *err)
{
	cleanup_lines struct lines lines = { .n = 0 };
	const struct report_month *month;
	struct run run = { .in = input,
			   .formats = options->formats,
			   .folder = { .fd = -1 },
			   .each = each,
			   .ctx = ctx };
	int rc;

	if (check_input(input, options, err) < 0)
		return err->code;
	month = &input->month[input->months - 1];
	rc = lines_init(&lines, input, month, err);
	run.lines = lines;
	if (rc == 0 && (run.formats & REPORT_MONTHLY))
		rc = put_month(&run, options, dir_path, err);
	if (rc == 0 && (run.formats & REPORT_PROM))
		rc = put_metrics(&run, dir_path, err);
	return rc;
}

/* The city's for NULL. */
static int write_one(const struct report_input *input,
		     const struct report_options *options,
		     const struct report_department *department,
		     const char *path, struct run *run, struct error *err)
{
	struct report_options one = *options;

	one.formats &= REPORT_MONTHLY;
	one.department = department ? department->id : NULL;
	one.city = !department;
	return report_write(input, &one, path, run->each, run->ctx, err);
}

static int write_folder(const struct report_input *input,
			const struct report_options *options,
			const struct report_department *department,
			const char *dir_path, struct run *run,
			struct error *err)
{
	struct num stem = page_stem(department);
	cleanup_free char *path = NULL;

	if (asprintf(&path, "%s/%s", dir_path,
		     department ? stem.s : REPORT_CITY_FOLDER) < 0) {
		path = NULL;
		return error_set(err, -ENOMEM, "%s", error_words(-ENOMEM));
	}
	return write_one(input, options, department, path, run, err);
}

int report_make_place(const char *dir_path, const struct report_access *access,
		      struct error *err)
{
	return folder_make(dir_path, access, err);
}

int report_write_apart(const struct report_input *input,
		       const struct report_options *options,
		       const struct report_access *access, const char *dir_path,
		       void (*each)(void *ctx, const char *path), void *ctx,
		       struct error *err)
{
	struct run run = { .each = each, .ctx = ctx };
	struct report_options own = *options;
	int rc = folder_make(dir_path, options->access, err);

	for (unsigned int i = 0; rc == 0 && i <= input->departments; i++) {
		own.access = &access[i];
		rc = write_folder(input, &own,
				  i < input->departments ? &input->department[i]
							 : NULL,
				  dir_path, &run, err);
	}
	own = *options;
	own.formats &= REPORT_PROM;
	if (rc == 0 && own.formats)
		rc = report_write(input, &own, dir_path, each, ctx, err);
	return rc;
}
