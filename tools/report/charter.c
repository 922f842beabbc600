/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/charter.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct run {
	struct folder folder;
	struct charter_page charter;
	struct charter_figure figures[REPORT_CHARTER_INDICATORS];
	void (*each)(void *ctx, const char *path);
	void *ctx;
};

/* charter-2026.html */
static int put(const struct run *run, const char *ending,
	       const struct buf *data, struct error *err)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "charter-%04d%s",
		       run->charter.in->year, ending);
	return folder_put(&run->folder, name, data, run->each, run->ctx, err);
}

static int put_json(struct run *run, struct error *err)
{
	cleanup_buf struct buf out;
	int rc;

	buf_init(&out, REPORT_FILE_MAX);
	rc = charter_json(&run->charter, &out, err);
	if (rc == 0)
		rc = put(run, ".json", &out, err);
	run->charter.json_bytes = out.len;
	return rc;
}

static int put_html(struct run *run, struct error *err)
{
	struct buf *out = &run->charter.page.out;
	int rc;

	buf_init(out, REPORT_FILE_MAX);
	rc = charter_html(&run->charter, err);
	if (rc == 0)
		rc = put(run, ".html", out, err);
	buf_release(out);
	return rc;
}

static int write_all(struct run *run, unsigned int formats, struct error *err)
{
	struct charter_files files[2];
	const struct report_charter *in = run->charter.in;
	int rc = charter_files(&run->folder, in->year, &files[0], err);

	if (rc == 0)
		rc = charter_files(&run->folder, in->year - 1, &files[1], err);
	if (rc < 0)
		return rc;
	charter_figures(in, files, run->figures);
	if (formats & REPORT_JSON)
		rc = put_json(run, err);
	if (rc == 0 && (formats & REPORT_HTML))
		rc = put_html(run, err);
	return rc < 0 ? rc : folder_sync(&run->folder, err);
}

int report_charter_write(const struct report_charter *charter,
			 const struct report_options *options,
			 const char *dir_path,
			 void (*each)(void *ctx, const char *path), void *ctx,
			 struct error *err)
{
	const struct report_input in = { .drive = charter->drive,
					 .made_s = charter->made_s };
	struct run run = {
		.folder = { .fd = -1 },
		.charter = { .page = { .in = &in,
				       .lang = po_has(options->lang)
						       ? options->lang
						       : PO_EN },
			     .in = charter },
		.each = each,
		.ctx = ctx,
	};
	int rc;

	run.charter.figure = run.figures;
	if (charter->months > REPORT_CHARTER_MONTHS)
		return error_set(err, -EINVAL, "a charter is of %d months",
				 REPORT_CHARTER_MONTHS);
	rc = folder_open(dir_path, NULL, options->access, &run.folder, err);
	if (rc == 0)
		rc = write_all(&run, options->formats, err);
	folder_release(&run.folder);
	return rc;
}
