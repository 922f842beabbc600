/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "fs/fsck/internal.h"

#define TEXT_MAX 600

static const struct {
	const char *name;
	enum fsck_severity severity;
} kinds[FSCK_KINDS] = {
	[FSCK_CATALOG] = { "catalog", FSCK_DAMAGE },
	[FSCK_UNREADABLE] = { "unreadable", FSCK_DAMAGE },
	[FSCK_STUB_DAMAGED] = { "stub_damaged", FSCK_DAMAGE },
	[FSCK_STUB_SIZE] = { "stub_size", FSCK_REPAIRABLE },
	[FSCK_STUB_MTIME] = { "stub_mtime", FSCK_REPAIRABLE },
	[FSCK_STUB_DATA] = { "stub_data", FSCK_REPAIRABLE },
	[FSCK_CONTENT_MISSING] = { "content_missing", FSCK_DAMAGE },
	[FSCK_CONTENT_DAMAGED] = { "content_damaged", FSCK_DAMAGE },
	[FSCK_REFERENCE_MISSING] = { "reference_missing", FSCK_REPAIRABLE },
	[FSCK_REFERENCE_STALE] = { "reference_stale", FSCK_NOTE },
	[FSCK_PACK_MISSING] = { "pack_missing", FSCK_DAMAGE },
	[FSCK_PACK_SHORT] = { "pack_short", FSCK_DAMAGE },
	[FSCK_CONTENT_LEFT] = { "content_left", FSCK_NOTE },
	[FSCK_PACK_FOREIGN] = { "pack_foreign", FSCK_NOTE },
	[FSCK_ROOT_OPEN] = { "root_open", FSCK_DAMAGE },
};

const char *fsck_kind_name(enum fsck_kind kind)
{
	return kinds[kind].name;
}

enum fsck_severity fsck_kind_severity(enum fsck_kind kind)
{
	return kinds[kind].severity;
}

void fsck_tell(struct fsck *f, enum fsck_kind kind, const char *path,
	       const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list args;

	f->report->count[kind]++;
	f->report->severity[kinds[kind].severity]++;
	if (f->problem == NULL)
		return;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	f->problem(f->options->ctx, kind, path, text);
}

static bool stopped(const struct fsck *f)
{
	return f->options->stop != NULL &&
	       __atomic_load_n(f->options->stop, __ATOMIC_RELAXED);
}

int fsck_advance(struct fsck *f, struct error *err)
{
	f->done++;
	if (f->done > f->total)
		f->total = f->done;
	if (stopped(f) ||
	    (f->options->progress != NULL &&
	     !f->options->progress(f->options->ctx, f->done, f->total)))
		return error_set(err, -ECANCELED, "stopped");
	return 0;
}

int fsck_flush(struct fsck *f, struct error *err)
{
	return catalog_flush(f->cat, err);
}

static int rebuild(struct fsck *f, struct error *err)
{
	static const bool never = false;
	const bool *stop = f->options->stop != NULL ? f->options->stop : &never;
	int rc = store_rebuild(drive_store(f->drive), f->options->progress,
			       f->options->ctx, err);

	if (rc == 0)
		rc = drive_scan_told(f->drive, stop, f->options->progress,
				     f->options->ctx, err);
	return rc < 0 ? error_prefix(err, "rebuild") : 0;
}

/* What there is to look at, as far as the catalog knows. */
static uint64_t estimate(struct fsck *f)
{
	struct catalog_totals files = { 0 };
	struct store_totals stored = { 0 };
	struct error ignored = ERROR_INIT;

	(void)catalog_totals(f->cat, &files, &ignored);
	(void)store_totals(drive_store(f->drive), &stored, &ignored);
	return files.files + files.packed + stored.contents + stored.packs;
}

static int run(struct fsck *f, struct error *err)
{
	int rc = f->options->rebuild ? rebuild(f, err) : 0;

	if (rc == 0)
		rc = fsck_flush(f, err);
	f->total = estimate(f);
	if (rc == 0)
		rc = fsck_check_catalog(f, err);
	if (rc == 0)
		rc = fsck_check_packs(f, err);
	if (rc == 0)
		rc = fsck_check_contents(f, err);
	if (rc == 0)
		rc = fsck_check_references(f, err);
	if (rc == 0)
		rc = fsck_walk(f, fsck_check_file, err);
	if (rc == 0)
		rc = fsck_check_root(f, err);
	if (rc == 0)
		rc = fsck_check_doubts(f, err);
	return rc;
}

int fsck_run(struct drive *drive, const struct fsck_options *options,
	     fsck_problem_fn *problem, struct fsck_report *ret_report,
	     struct error *err)
{
	struct fsck_report report = { 0 };
	struct fsck f = { .drive = drive,
			  .cat = drive_catalog(drive),
			  .options = options,
			  .problem = problem,
			  .report = &report };
	int rc = 0;

	f.doubts = malloc(DOUBTS_MAX * sizeof(*f.doubts));
	if (f.doubts == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	rc = run(&f, err);
	free(f.doubts);
	if (rc == 0)
		*ret_report = report;
	return rc;
}
