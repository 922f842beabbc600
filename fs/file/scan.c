/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A walk of the whole lower beside running work: the first import, and the
 * reconciling scan after an unclean stop. Repairs of stubs take a file's lock
 * and come before the transaction; rows are written in bounded transactions.
 */
#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "fs/base/log.h"
#include "fs/file/internal.h"

#define ROWS_A_TRANSACTION 500

struct scan {
	struct drive *drive;
	const bool *stop;
	unsigned int rows; /* in the open transaction */
	bool in_transaction;
	store_progress_fn *progress; /* may be NULL */
	void *ctx;
	uint64_t done;
	uint64_t total; /* about */
};

static void count(struct drive *drive, uint64_t inodes, uint64_t repaired,
		  uint64_t missing)
{
	(void)pthread_mutex_lock(&drive->scan_lock);
	drive->scan.inodes_done += inodes;
	drive->scan.repaired += repaired;
	drive->scan.missing += missing;
	(void)pthread_mutex_unlock(&drive->scan_lock);
}

void drive_scan_progress(struct drive *drive, struct scan_progress *ret)
{
	(void)pthread_mutex_lock(&drive->scan_lock);
	*ret = drive->scan;
	(void)pthread_mutex_unlock(&drive->scan_lock);
}

static int end_transaction(struct scan *s, struct error *err)
{
	if (!s->in_transaction)
		return 0;
	s->in_transaction = false;
	s->rows = 0;
	return catalog_commit(s->drive->catalog, err);
}

/* Nothing is to be repaired, as of nearly all stubs: for these neither a lock
 * is taken nor a transaction ended. */
static bool is_settled(const struct catalog_inode *inode,
		       const struct stub *stub)
{
	return inode->blocks == 0 && inode->size_bytes == stub->size_bytes &&
	       inode->mtime_ns == stub->mtime_ns;
}

static void check_stored(struct scan *s, const struct walk_entry *entry,
			 const struct stub *stub)
{
	struct error err = ERROR_INIT;

	if (store_content_check(s->drive->store, &stub->content,
				stub->size_bytes, &err) == 0)
		return;
	log_error("'/%s': %s", entry->path, err.text);
	count(s->drive, 0, 0, 1);
}

/* With nobody having it open: what a crash left is put right. */
static void repair(struct scan *s, const struct walk_entry *entry,
		   const struct catalog_inode *inode)
{
	struct error err = ERROR_INIT;
	struct file *file;
	bool repaired = false;
	int rc = 0;

	if (file_get(s->drive, inode->ino, inode->btime_ns, &file) < 0)
		return;
	(void)pthread_rwlock_wrlock(&file->lock);
	if (file->n_open == 0) {
		rc = file_load_state(file, entry->opath, &err);
		if (rc == 0 && file->packed)
			rc = store_content_check(s->drive->store,
						 &file->stub.content,
						 file->stub.size_bytes, &err);
		if (rc == 0 && file->packed)
			rc = file_settle(file, entry->opath, &repaired, &err);
		file_drop_fds(file);
	}
	(void)pthread_rwlock_unlock(&file->lock);
	file_put(file);
	if (rc < 0)
		log_error("'/%s': %s", entry->path, err.text);
	count(s->drive, 0, repaired, rc < 0);
}

/*
 * In the transaction, where no packer can commit: what the file is now. A
 * file between its commit and its stub keeps its reference.
 */
static int merge(struct scan *s, const struct walk_entry *entry,
		 struct catalog_inode *inode)
{
	struct error err = ERROR_INIT;
	struct catalog_inode old;
	struct stub stub;
	bool known = catalog_inode_get(s->drive->catalog, inode->ino,
				       inode->btime_ns, &old, &err) == 0;
	int rc = 0;

	if (S_ISREG(inode->mode))
		rc = stub_probe(entry->opath, &stub, &err);
	if (rc == 1) {
		inode->packed = true;
		inode->content = stub.content;
	}
	if (known && (rc < 0 ||
		      file_is_packing(s->drive, inode->ino, inode->btime_ns))) {
		inode->packed = old.packed;
		inode->content = old.content;
	}
	if (known) {
		inode->shown_ctime_ns = old.shown_ctime_ns;
		inode->packed_ctime_ns = old.packed_ctime_ns;
	}
	return 0;
}

static int put_rows(struct scan *s, const struct walk_entry *entry,
		    struct catalog_inode *inode, struct error *err)
{
	struct catalog *cat = s->drive->catalog;
	int rc = 0;

	if (!s->in_transaction) {
		rc = catalog_begin(cat, err);
		if (rc < 0)
			return rc;
		s->in_transaction = true;
	}
	rc = merge(s, entry, inode);
	if (rc == 0)
		rc = catalog_inode_put(cat, inode, err);
	if (rc == 0 && *entry->path)
		rc = catalog_name_put(cat, entry->parent_ino, entry->name,
				      inode->ino, err);
	if (rc < 0) {
		catalog_rollback(cat);
		s->in_transaction = false;
		return rc;
	}
	s->rows++;
	return 0;
}

/* What it is, and put right if it is a stub and that is needed. */
static int look(struct scan *s, const struct walk_entry *entry,
		struct catalog_inode *inode, struct error *err)
{
	struct error ignored = ERROR_INIT;
	struct stub stub;
	int rc = S_ISREG(inode->mode)
			 ? stub_probe(entry->opath, &stub, &ignored)
			 : 0;

	if (rc == 0)
		return 0;
	if (rc == 1 && is_settled(inode, &stub)) {
		check_stored(s, entry, &stub);
		return 0;
	}
	rc = end_transaction(s, err);
	if (rc < 0)
		return rc;
	repair(s, entry, inode);
	return lower_inode(entry->opath, inode) < 0;
}

static int go_on(struct scan *s, struct error *err)
{
	s->done++;
	if (__atomic_load_n(s->stop, __ATOMIC_RELAXED) ||
	    (s->progress &&
	     !s->progress(s->ctx, s->done,
			  s->done < s->total ? s->total : s->done)))
		return error_set(err, -ECANCELED, "stopped");
	return 0;
}

static int scan_entry(void *ctx, const struct walk_entry *entry,
		      struct error *err)
{
	struct scan *s = ctx;
	struct catalog_inode inode;
	int rc = go_on(s, err);

	if (rc < 0)
		return rc;
	if (lower_inode(entry->opath, &inode) < 0)
		return 0; /* gone meanwhile */
	rc = look(s, entry, &inode, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = put_rows(s, entry, &inode, err);
	if (rc == 0 && s->rows >= ROWS_A_TRANSACTION)
		rc = end_transaction(s, err);
	count(s->drive, 1, 0, 0);
	return rc;
}

static int in_transaction(struct catalog *cat,
			  int (*fn)(struct catalog *cat, struct error *err),
			  struct error *err)
{
	int rc = catalog_begin(cat, err);

	if (rc < 0)
		return rc;
	rc = fn(cat, err);
	if (rc < 0) {
		catalog_rollback(cat);
		return rc;
	}
	return catalog_commit(cat, err);
}

/* A walk may have missed what was renamed meanwhile, with all below it. */
static int walk_again(struct scan *s, uint64_t ino, struct error *err)
{
	struct error ignored = ERROR_INIT;
	struct catalog_inode row;
	cleanup_fd int fd = -1;

	if (catalog_inode_get(s->drive->catalog, ino, 0, &row, &ignored) < 0)
		return 0;
	fd = handle_open(s->drive->lower_fd, &row.handle, O_PATH);
	if (fd < 0)
		return 0; /* gone meanwhile */
	return walk_tree(s->drive, fd, "", scan_entry, s, err);
}

static int follow_moved(struct scan *s, struct error *err)
{
	struct catalog *cat = s->drive->catalog;
	uint64_t moved[64];
	int n = 1;

	while (n > 0) {
		int rc = end_transaction(s, err);

		if (rc == 0)
			rc = catalog_flush(cat, err);
		if (rc < 0)
			return rc;
		n = catalog_scan_moved(cat, moved, 64);
		for (int i = 0; i < n && rc == 0; i++)
			rc = walk_again(s, moved[i], err);
		if (rc < 0)
			return rc;
	}
	return n < 0 ? error_set(err, n, "too much moved during the scan") : 0;
}

static int walk_all(struct scan *s, struct error *err)
{
	cleanup_fd int root = lower_open_path(s->drive, "", err);
	struct error ignored = ERROR_INIT;
	int rc;

	if (root < 0)
		return root;
	rc = walk_tree(s->drive, root, "", scan_entry, s, err);
	if (rc == 0)
		rc = follow_moved(s, err);
	if (rc < 0)
		(void)end_transaction(s, &ignored);
	return rc;
}

static int scan_all(struct scan *s, struct error *err)
{
	struct catalog *cat = s->drive->catalog;
	int rc = in_transaction(cat, catalog_scan_begin, err);

	if (rc == 0)
		rc = walk_all(s, err);
	if (rc == 0)
		rc = in_transaction(cat, catalog_scan_end, err);
	if (rc == 0)
		rc = catalog_mark_reconciled(cat, err);
	return rc;
}

/* One at a time: false when another runs. */
static bool begin(struct drive *drive)
{
	bool may;

	(void)pthread_mutex_lock(&drive->scan_lock);
	may = !drive->scan.running;
	if (may)
		drive->scan = (struct scan_progress){
			.running = true, .reconciling = drive->was_unclean
		};
	(void)pthread_mutex_unlock(&drive->scan_lock);
	return may;
}

static void end(struct drive *drive)
{
	(void)pthread_mutex_lock(&drive->scan_lock);
	drive->scan.running = false;
	(void)pthread_mutex_unlock(&drive->scan_lock);
}

static uint64_t used_inodes(int lower_fd)
{
	struct statvfs fs;

	return fstatvfs(lower_fd, &fs) < 0 ? 0 : fs.f_files - fs.f_ffree;
}

int drive_scan_told(struct drive *drive, const bool *stop,
		    store_progress_fn *progress, void *ctx, struct error *err)
{
	struct scan s = { .drive = drive,
			  .stop = stop,
			  .progress = progress,
			  .ctx = ctx,
			  .total = used_inodes(drive->lower_fd) };
	int rc;

	if (drive->options.readonly)
		return error_set(err, -EROFS, "the drive is read-only");
	if (!begin(drive))
		return error_set(err, -EBUSY, "a scan of the drive runs");
	rc = scan_all(&s, err);
	end(drive);
	return rc;
}

int drive_scan(struct drive *drive, const bool *stop, struct error *err)
{
	return drive_scan_told(drive, stop, NULL, NULL, err);
}
