/* SPDX-License-Identifier: EUPL-1.2 */
/* One file of the lower: its stub against the inode, catalog and store. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/fsck/internal.h"

struct look {
	int opath;
	const char *path;
	bool tell;     /* else only find out whether there is anything */
	bool doubtful; /* something looks wrong */
	struct stub stub;
	struct stat st;
	int64_t btime_ns;
};

#define found(f, l, kind, ...)                                      \
	do {                                                        \
		(l)->doubtful = true;                               \
		if ((l)->tell)                                      \
			fsck_tell(f, kind, (l)->path, __VA_ARGS__); \
	} while (0)

/* Blocks may be those of the xattr itself; opening breaks a packer's lease,
 * so it is done on the second look only. */
static void look_at_data(struct fsck *f, struct look *l)
{
	cleanup_fd int fd = -1;

	if (l->st.st_blocks == 0)
		return;
	if (!l->tell) {
		l->doubtful = true;
		return;
	}
	fd = fsck_reopen(l->opath, O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		found(f, l, FSCK_UNREADABLE, "cannot open: %s",
		      error_words(fd));
	else if (lseek(fd, 0, SEEK_DATA) >= 0)
		found(f, l, FSCK_STUB_DATA,
		      "packed, but %lld blocks are still there",
		      (long long)l->st.st_blocks);
}

static void look_at_inode(struct fsck *f, struct look *l)
{
	if ((uint64_t)l->st.st_size != l->stub.size_bytes)
		found(f, l, FSCK_STUB_SIZE,
		      "the stub says %llu bytes, the inode %lld",
		      (unsigned long long)l->stub.size_bytes,
		      (long long)l->st.st_size);
	if (timespec_ns(l->st.st_mtim) != l->stub.mtime_ns)
		found(f, l, FSCK_STUB_MTIME,
		      "the stub and the inode have other times of change");
	look_at_data(f, l);
}

static int look_at_store(struct fsck *f, struct look *l, struct error *err)
{
	char hex[HASH128_HEX_BYTES];
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_read_stmt(
		f->cat, "SELECT size_bytes FROM content WHERE id = ?1", err);
	int rc = 0;

	if (s == NULL)
		return err->code;
	hash128_hex(&l->stub.content, hex);
	stmt_bind_blob(s, 1, l->stub.content.bytes,
		       sizeof(l->stub.content.bytes));
	rc = stmt_step(s, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		found(f, l, FSCK_CONTENT_MISSING,
		      "its content %s is not in the store", hex);
	else if ((uint64_t)stmt_i64(s, 0) != l->stub.size_bytes)
		found(f, l, FSCK_CONTENT_MISSING,
		      "content %s has %lld bytes, the stub says %llu", hex,
		      (long long)stmt_i64(s, 0),
		      (unsigned long long)l->stub.size_bytes);
	return 0;
}

static int look_at_reference(struct fsck *f, struct look *l, struct error *err)
{
	struct catalog_inode row;
	int rc =
		catalog_inode_get(f->cat, l->st.st_ino, l->btime_ns, &row, err);

	if (rc < 0 && rc != -ENOENT && rc != -SOBRE_ECORRUPT)
		return rc;
	if (rc == -SOBRE_ECORRUPT)
		found(f, l, FSCK_CATALOG, "%s", err->text);
	else if (rc == -ENOENT || !row.packed ||
		 hash128_compare(&row.content, &l->stub.content) != 0)
		found(f, l, FSCK_REFERENCE_MISSING,
		      "the catalog doesn't know that it is packed%s",
		      catalog_needs_scan(f->cat) ? "; a scan is due" : "");
	return 0;
}

/* 1: a stub, looked at; 0: none (any more). */
static int look_at(struct fsck *f, struct look *l, struct error *err)
{
	struct error why = ERROR_INIT;
	int rc = fsck_probe(l->opath, &l->stub, &why);

	l->doubtful = false;
	if (rc == 0)
		return 0;
	if (rc < 0) {
		found(f, l, FSCK_STUB_DAMAGED, "%s", why.text);
		return 1;
	}
	rc = fsck_stat(l->opath, &l->st, &l->btime_ns);
	if (rc < 0)
		return error_set(err, rc, "cannot stat '%s': %s", l->path,
				 error_words(rc));
	look_at_inode(f, l);
	rc = look_at_store(f, l, err);
	if (rc == 0)
		rc = look_at_reference(f, l, err);
	return rc < 0 ? rc : 1;
}

/*
 * While it is counted as open the packer leaves it alone, and opening waits
 * for a copy-up to end. One of a damaged stub fails: then nobody else is at
 * it either.
 */
static int look_closely(struct fsck *f, struct look *l, struct error *err)
{
	struct error ignored = ERROR_INIT;
	struct file *file = NULL;
	struct lower_ref at;
	bool packed = false;
	int rc = fsck_stat(l->opath, &l->st, &l->btime_ns);

	if (rc < 0)
		return error_set(err, rc, "cannot stat '%s': %s", l->path,
				 error_words(rc));
	at = (struct lower_ref){ l->opath, l->st.st_ino, l->btime_ns, 0, NULL };
	if (file_open(f->drive, &at, O_RDONLY, &file, &packed, &ignored) < 0)
		file = NULL;
	rc = fsck_flush(f, err);
	if (rc == 0)
		rc = look_at(f, l, err);
	if (file != NULL)
		file_close(file, O_RDONLY);
	return rc;
}

int fsck_check_file(struct fsck *f, int opath, const char *path,
		    struct error *err)
{
	struct look l = { .opath = opath, .path = path };
	int rc = look_at(f, &l, err);

	if (rc < 0)
		return rc;
	if (rc == 1 && l.doubtful) {
		l.tell = true;
		rc = look_closely(f, &l, err);
	}
	if (rc < 0)
		return rc;
	f->report->files++;
	f->report->stubs += rc == 1;
	return fsck_advance(f, err);
}
