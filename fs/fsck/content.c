/* SPDX-License-Identifier: EUPL-1.2 */
/* Every content's recipe against the chunks; names the files that need it. */
#include <string.h>

#include "fs/fsck/internal.h"

#define BATCH	  256
#define NAMES_MAX 8 /* of files, for each damaged content */

struct content {
	struct hash128 id;
	uint64_t size_bytes;
};

static int read_content(struct fsck *f, struct catalog_stmt *s,
			struct content *ret)
{
	size_t len = 0;
	const void *id = stmt_blob(s, 0, &len);

	if (len != sizeof(ret->id.bytes) || stmt_i64(s, 1) < 0) {
		fsck_tell(f, FSCK_CATALOG, "", "a row of content is bad");
		return 0;
	}
	memcpy(ret->id.bytes, id, len);
	ret->size_bytes = (uint64_t)stmt_i64(s, 1);
	return 1;
}

/* Goes on after `*after`, and moves it. */
static int next_batch(struct fsck *f, struct hash128 *after, bool first,
		      struct content batch[BATCH], struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_read_stmt(
		f->cat,
		"SELECT id, size_bytes FROM content WHERE id > ?1"
		" ORDER BY id LIMIT ?2",
		err);
	int n = 0;
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_blob(s, 1, after->bytes, first ? 0 : sizeof(after->bytes));
	stmt_bind_i64(s, 2, BATCH);
	while (n < BATCH && (rc = stmt_step(s, err)) == 1)
		n += read_content(f, s, &batch[n]);
	if (n > 0)
		*after = batch[n - 1].id;
	return rc < 0 ? rc : n;
}

struct needing {
	struct fsck *f;
	const char *hex;
	const char *why;
	unsigned int told;
	unsigned int inodes;
	struct error err;
};

static void tell_path(void *ctx, const char *path)
{
	struct needing *needing = ctx;

	needing->told++;
	fsck_tell(needing->f, FSCK_CONTENT_DAMAGED, path, "content %s: %s",
		  needing->hex, needing->why);
}

static void tell_inode(void *ctx, uint64_t ino)
{
	struct needing *needing = ctx;

	needing->inodes++;
	if (needing->told < NAMES_MAX)
		(void)catalog_paths(needing->f->cat, ino, 1, tell_path, needing,
				    &needing->err);
}

static int tell_damage(struct fsck *f, const struct hash128 *id,
		       const char *why, struct error *err)
{
	char hex[HASH128_HEX_BYTES];
	struct needing needing = { .f = f, .hex = hex, .why = why };
	int rc = 0;

	hash128_hex(id, hex);
	rc = catalog_content_inodes(f->cat, id, tell_inode, &needing, err);
	if (rc == 0 && needing.told == 0)
		fsck_tell(f,
			  needing.inodes ? FSCK_CONTENT_DAMAGED
					 : FSCK_CONTENT_LEFT,
			  "", "content %s: %s", hex, why);
	return rc;
}

/* Collected meanwhile: then it isn't damaged. */
static int still_there(struct fsck *f, const struct hash128 *id,
		       struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_read_stmt(
		f->cat, "SELECT 1 FROM content WHERE id = ?1", err);

	if (s == NULL)
		return err->code;
	stmt_bind_blob(s, 1, id->bytes, sizeof(id->bytes));
	return stmt_step(s, err);
}

static int check_content(struct fsck *f, const struct content *content,
			 struct error *err)
{
	struct error why = ERROR_INIT;
	int rc = store_content_check(drive_store(f->drive), &content->id,
				     content->size_bytes, &why);

	if (rc == -SOBRE_ENOCHUNK || rc == -SOBRE_ECORRUPT) {
		rc = still_there(f, &content->id, err);
		if (rc == 1)
			rc = tell_damage(f, &content->id, why.text, err);
	} else if (rc < 0) {
		rc = error_set(err, rc, "%s", why.text);
	}
	if (rc < 0)
		return rc;
	f->report->contents++;
	return fsck_advance(f, err);
}

int fsck_check_contents(struct fsck *f, struct error *err)
{
	struct content batch[BATCH] = { 0 };
	struct hash128 after = { 0 };
	bool first = true;
	int n = 0;

	while ((n = next_batch(f, &after, first, batch, err)) > 0) {
		first = false;
		for (int i = 0; i < n; i++) {
			int rc = check_content(f, &batch[i], err);

			if (rc < 0)
				return rc;
		}
	}
	return n;
}
