/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Many files at once share one catalog transaction and one sync of the packs:
 * packs synced → catalog committed → each read back and compared → each
 * frozen (freeze.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/file/internal.h"

#define BATCH_FILES  256
#define BATCH_BYTES  (UINT64_C(64) << 20)
#define FREEZE_FILES 32 /* leased at once */
#define WHOLE_TRIES  2

struct batch {
	struct drive *drive;
	struct pack_options options;
	struct pack_report *report;
	struct pack_item items[BATCH_FILES];
	unsigned int n;
	uint64_t bytes;
};

const char *pack_outcome_name(enum pack_outcome outcome)
{
	static const char *const names[PACK_OUTCOMES] = {
		[PACK_DONE] = "done",		[PACK_ALREADY] = "already",
		[PACK_EMPTY] = "empty",		[PACK_YOUNG] = "young",
		[PACK_EXCLUDED] = "excluded",	[PACK_IN_USE] = "in_use",
		[PACK_CHANGED] = "changed",	[PACK_FLAGS] = "flags",
		[PACK_NOT_FILE] = "not_file",	[PACK_NO_GAIN] = "no_gain",
		[PACK_COLLISION] = "collision", [PACK_ERROR] = "error",
	};

	return outcome < PACK_OUTCOMES ? names[outcome] : "unknown";
}

static bool goes_on(const struct batch *b)
{
	return !b->options.go_on || b->options.go_on(b->options.ctx);
}

static int tell(struct batch *b, struct pack_item *item, struct error *err)
{
	struct pack_report *r = b->report;
	bool go_on = goes_on(b);

	if (item->err.code == -ECANCELED) { /* as if it had not been tried */
		pack_item_release(item);
		return error_set(err, -ECANCELED, "stopped");
	}
	r->count[item->outcome]++;
	if (item->outcome == PACK_DONE) {
		r->logical_bytes += (uint64_t)item->st.st_size;
		r->freed_bytes += item->freed_bytes;
	}
	if (item->err.code < 0 &&
	    (item->outcome == PACK_ERROR || item->outcome == PACK_COLLISION)) {
		r->last_error = item->err;
		(void)snprintf(r->last_error_path, sizeof(r->last_error_path),
			       "/%s", item->path ? item->path : "");
	}
	if (b->options.progress && go_on)
		go_on = b->options.progress(b->options.ctx,
					    item->path ? item->path : "",
					    item->outcome, r);
	pack_item_release(item);
	return go_on ? 0 : error_set(err, -ECANCELED, "stopped");
}

/* What one item's failed put means: for it alone, or for all (negative). */
static int put_failed(struct pack_item *item, int rc, struct error *err)
{
	switch (rc) {
	case -SOBRE_ECOLLISION:
		item->outcome = PACK_COLLISION;
		vain_put(item->file->drive, &item->st, item->outcome);
		break;
	case -SOBRE_ECHANGED:
		item->outcome = PACK_CHANGED;
		break;
	case -EFBIG: /* more chunks than a recipe holds */
		item->outcome = PACK_ERROR;
		vain_put(item->file->drive, &item->st, item->outcome);
		break;
	case -EIO: /* of the file itself, or of the store: then again */
		item->outcome = PACK_ERROR;
		break;
	case -ECANCELED:
		*err = item->err;
		return rc;
	default:
		*err = item->err;
		return error_prefix(err, "'/%s'", item->path);
	}
	return 0;
}

static int put_item(struct batch *b, struct pack_item *item)
{
	struct store_put_result result;
	int rc = store_put(b->drive->store, item->rfd,
			   (uint64_t)item->st.st_size, &result, &item->err);

	if (rc < 0)
		return rc;
	item->content = result.content;
	item->verified = result.verified;
	return catalog_inode_pack(b->drive->catalog, &item->inode,
				  &item->content, &item->err);
}

/* One try with the items in [from, to[; 1: one of them fell out, and none is
 * committed. */
static int try_commit(struct batch *b, unsigned int from, unsigned int to,
		      struct error *err)
{
	struct drive *drive = b->drive;
	uint64_t before = store_appended(drive->store);
	int rc = catalog_begin(drive->catalog, err);

	if (rc < 0)
		return rc;
	for (unsigned int i = from; i < to; i++) {
		struct pack_item *item = &b->items[i];

		if (item->outcome != PACK_DONE)
			continue;
		rc = put_item(b, item);
		if (rc == 0)
			continue;
		catalog_rollback(drive->catalog);
		store_abort(drive->store);
		rc = put_failed(item, rc, err);
		return rc < 0 ? rc : 1;
	}
	rc = store_sync(drive->store, err);
	if (rc < 0) {
		catalog_rollback(drive->catalog);
		store_abort(drive->store);
		return rc;
	}
	rc = catalog_commit(drive->catalog, err);
	if (rc < 0) {
		store_abort(drive->store);
		return rc;
	}
	b->report->stored_bytes += store_appended(drive->store) - before;
	return 0;
}

/* Compares what the store gives back with the file, unless that was done:
 * invariant 1. */
static bool verify(struct batch *b, struct pack_item *item)
{
	struct stub stub = { .content = item->content };
	int rc;

	if (item->outcome != PACK_DONE)
		return false;
	if (item->verified)
		return true;
	rc = store_verify(b->drive->store, &item->content, item->rfd,
			  (uint64_t)item->st.st_size, &item->err);
	if (rc == 0)
		return true;
	item->outcome = rc == -SOBRE_ECHANGED ? PACK_CHANGED : PACK_ERROR;
	post_plain(item->file, &stub);
	return false;
}

/* In groups small enough for their leases to be short. */
static void verify_and_freeze(struct batch *b)
{
	struct pack_item *group[FREEZE_FILES];
	unsigned int n = 0;

	for (unsigned int i = 0; i < b->n; i++) {
		if (verify(b, &b->items[i]))
			group[n++] = &b->items[i];
		if (n == FREEZE_FILES || (n > 0 && i + 1 == b->n)) {
			pack_items_freeze(group, n);
			n = 0;
		}
	}
}

static void set_packing(struct batch *b, bool packing)
{
	for (unsigned int i = 0; i < b->n; i++)
		if (b->items[i].file)
			file_set_packing(b->items[i].file, packing);
}

static int fail_from(struct batch *b, unsigned int i, const struct error *err)
{
	for (; i < b->n; i++) {
		struct pack_item *item = &b->items[i];

		if (item->outcome != PACK_DONE)
			continue;
		item->outcome = PACK_ERROR;
		item->err = *err;
	}
	return err->code;
}

/*
 * A bad item costs the others another try, so at most WHOLE_TRIES of them;
 * then each is committed by itself, lest a tree full of bad ones be read as
 * often as it has files.
 */
static int commit_all(struct batch *b, struct error *err)
{
	int rc = 1;

	for (int tries = 0; rc == 1 && tries < WHOLE_TRIES; tries++)
		rc = try_commit(b, 0, b->n, err);
	if (rc < 0)
		return fail_from(b, 0, err);
	for (unsigned int i = 0; rc == 1 && i < b->n; i++) {
		if (b->items[i].outcome == PACK_DONE &&
		    try_commit(b, i, i + 1, err) < 0)
			return fail_from(b, i, err);
	}
	return 0;
}

/* Then it is a batch by itself: of others, rows would be committed before all
 * are put. */
static bool is_in_stages(const struct pack_item *item)
{
	return (uint64_t)item->st.st_size > STORE_STAGE_BYTES;
}

static int flush(struct batch *b, struct error *err)
{
	struct error ignored = ERROR_INIT;
	bool held;
	int rc;

	if (b->n == 0)
		return 0;
	set_packing(b, true);
	if (root_seal(b->drive, err) < 0)
		rc = fail_from(b, 0, err);
	else
		rc = commit_all(b, err);
	/* Reads of each chunk's row, as committed; the WAL grows meanwhile. */
	held = !is_in_stages(&b->items[0]) &&
	       catalog_hold(b->drive->catalog, &ignored) == 0;
	verify_and_freeze(b);
	if (held)
		catalog_release(b->drive->catalog);
	set_packing(b, false);
	for (unsigned int i = 0; i < b->n; i++) {
		struct error stop = ERROR_INIT;

		if (tell(b, &b->items[i], &stop) < 0 && rc == 0) {
			*err = stop;
			rc = stop.code;
		}
	}
	b->n = 0;
	b->bytes = 0;
	return rc;
}

/* Another name of an inode that is in already. */
static bool is_in(const struct batch *b, const struct pack_item *item)
{
	for (unsigned int i = 0; i < b->n; i++)
		if (b->items[i].file == item->file)
			return true;
	return false;
}

/* Takes opath over. `path` NULL: as pack_item_prepare(). */
static int add(struct batch *b, int opath, const char *path, struct error *err)
{
	struct pack_item *item = &b->items[b->n];
	int rc = 0;

	pack_item_prepare(item, b->drive, opath, path, b->options.now);
	if (item->outcome == PACK_DONE && is_in(b, item))
		item->outcome = PACK_ALREADY;
	if (item->outcome != PACK_DONE)
		return tell(b, item, err);
	if (b->n > 0 && is_in_stages(item)) {
		rc = flush(b, err);
		item = memmove(&b->items[0], item, sizeof(*item));
	}
	b->n++;
	b->bytes += (uint64_t)item->st.st_size;
	if (rc == 0 && (b->n == BATCH_FILES || b->bytes >= BATCH_BYTES))
		rc = flush(b, err);
	return rc;
}

static int add_entry(void *ctx, const struct walk_entry *entry,
		     struct error *err)
{
	struct batch *b = ctx;
	int fd;

	if (S_ISDIR(entry->st->st_mode))
		return 0;
	fd = fcntl(entry->opath, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return error_set(err, -errno, "too many open files");
	return add(b, fd, entry->path, err);
}

static struct batch *batch_new(struct drive *drive,
			       const struct pack_options *options,
			       struct pack_report *report)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (b) {
		b->drive = drive;
		b->options = *options;
		b->report = report;
		store_set_go_on(drive->store, options->go_on, options->ctx);
	}
	return b;
}

static void batch_free(struct batch *b)
{
	if (b)
		store_set_go_on(b->drive->store, NULL, NULL);
	free(b);
}
DEFINE_CLEANUP(struct batch *, batch_free)

int drive_pack(struct drive *drive, const char *path,
	       const struct pack_options *options, struct pack_report *report,
	       struct error *err)
{
	CLEANUP(batch_free)
	struct batch *b = batch_new(drive, options, report);
	cleanup_fd int fd = -1;
	struct error late = ERROR_INIT;
	int rc;

	if (drive->options.readonly)
		return error_set(err, -EROFS, "the drive is read-only");
	if (!b)
		return error_set(err, -ENOMEM, "out of memory");
	if (store_set_effort(drive->store, STORE_EFFORT_LOW, err) < 0)
		return err->code;
	/* For the other names of what has several. */
	if (drive->options.excluded && catalog_flush(drive->catalog, err) < 0)
		return err->code;
	fd = lower_open_path(drive, path, err);
	if (fd < 0)
		return fd;
	rc = walk_tree(drive, fd, path, add_entry, b, err);
	if (flush(b, &late) < 0 && rc == 0) {
		*err = late;
		rc = late.code;
	}
	return rc;
}

int drive_pack_cold(struct drive *drive, int max_files,
		    const struct pack_options *options,
		    struct pack_report *report, struct error *err)
{
	CLEANUP(batch_free)
	struct batch *b = batch_new(drive, options, report);
	cleanup_free struct catalog_inode *cold =
		calloc((size_t)max_files, sizeof(*cold));
	int64_t before = clock_now_ns(&drive->options.clock) -
			 drive->options.min_age_s * NS_PER_S;
	int n;
	int rc = 0;

	if (drive->options.readonly)
		return 0;
	if (!b || !cold)
		return error_set(err, -ENOMEM, "out of memory");
	if (store_set_effort(drive->store,
			     options->idle ? STORE_EFFORT_HIGH
					   : STORE_EFFORT_LOW,
			     err) < 0)
		return err->code;
	/* Names are the catalog's: as they are now. */
	if (drive->options.excluded && catalog_flush(drive->catalog, err) < 0)
		return err->code;
	n = catalog_cold(drive->catalog, before, drive->cold_cursor, cold,
			 max_files, err);
	for (int i = 0; i < n && rc == 0; i++) {
		int fd = handle_open(drive->lower_fd, &cold[i].handle, O_PATH);

		drive->cold_cursor = cold[i].ino;
		if (fd >= 0)
			rc = add(b, fd, NULL, err);
	}
	if (n < max_files)
		drive->cold_cursor = 0;
	if (rc == 0)
		rc = flush(b, err);
	else
		(void)flush(b, &report->last_error);
	return rc < 0 && rc != -ECANCELED ? rc : n;
}
