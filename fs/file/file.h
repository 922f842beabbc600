/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_FILE_FILE_H
#define SOBREFS_FILE_FILE_H

/*
 * A drive and the states of its files: plain and packed, and the way from
 * one to the other in the orders of DESIGN invariant 2 (docs/design/
 * states.md). The front asks here before it touches a regular file's data.
 *
 * Threads: everything may be called from any thread. A file has one lock;
 * a thread holds at most one file's lock. drive_pack() is for one thread at
 * a time (the packer's).
 *
 * File descriptors given as `fd` are O_PATH ones of the lower inode, borrowed
 * for the call.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "fs/base/clock.h"
#include "fs/base/error.h"
#include "fs/base/hash.h"
#include "fs/catalog/catalog.h"
#include "fs/ledger/ledger.h"
#include "fs/store/store.h"

/* --- the drive ---------------------------------------------------------- */

struct drive;

struct drive_options {
	bool readonly;	 /* write nothing, not to the lower, not to the state */
	bool must_exist; /* don't make a drive of a directory that isn't one */
	bool rebuild;	 /* store_rebuild() follows: as store_options */
	int64_t min_age_s;   /* without write, to be cold; default 86,400 */
	uint64_t pack_bytes; /* 0: the store's default */
	/* Whose what is, first match wins; borrowed until drive_close().
	 * NULL: as the last time. */
	const struct ledger_department *departments;
	unsigned int n_departments;
	/*
	 * Is the file of this name ("/a/b", from the root) never to be packed?
	 * Asked of all names there are when one is about to be packed, and by
	 * drive_explain(); of nothing else: what is packed already stays so.
	 * From any thread. NULL: none is.
	 */
	bool (*excluded)(void *ctx, const char *path);
	void *ctx; /* of excluded */
	struct clock clock;
};

/*
 * Makes a drive of the directory unless it is one, and gives its identity,
 * so that the caller can bind-mount the lower at a place named by it before
 * drive_open(): SQLite opens files by path at any time, and the path must not
 * be one that will be mounted over. Errors as drive_open()'s.
 */
int drive_prepare(int lower_fd, const char *state_path,
		  const struct drive_options *options, uint8_t ret_uuid[16],
		  struct error *err);

/*
 * `lower_fd`: the lower root, not O_PATH, kept by dup; opened by the path by
 * which it stays reachable (see drive_prepare()). `state_path`: where
 * the state is, NULL for .sobre in the lower (made 0700 when missing).
 * Takes the drive's lock. Errors, each naming the thing: -ENOTDIR; -EBUSY
 * (another sobre serves it); -EOPNOTSUPP (no trusted.* xattrs, no hole
 * punching, no file handles); -EROFS; -ENOSPC; -SOBRE_ESCHEMA;
 * -SOBRE_ECORRUPT; -ENOENT with must_exist.
 */
int drive_open(int lower_fd, const char *state_path,
	       const struct drive_options *options, struct drive **ret_drive,
	       struct error *err);
/* Commits what is queued. No file may be open. */
void drive_close(struct drive *drive);
DEFINE_CLEANUP(struct drive *, drive_close)

/* Borrowed, as long as the drive. */
struct catalog *drive_catalog(struct drive *drive);
struct store *drive_store(struct drive *drive);
const struct clock *drive_clock(const struct drive *drive);
struct ledger *drive_ledger(struct drive *drive); /* NULL: read-only */
int drive_lower_fd(const struct drive *drive);
const uint8_t *drive_uuid(const struct drive *drive); /* 16 bytes */
/* (device, inode) of the state directory: what the front must hide when it
 * is in the lower root. False when it lies elsewhere. */
bool drive_state_is_inside(const struct drive *drive);

/* What the state directory takes on disk: blocks of all in it. */
uint64_t drive_state_bytes(struct drive *drive);
/* The same, by what it is: blocks, x 512. */
struct state_use {
	uint64_t all_bytes;
	uint64_t pack_bytes;	/* packs/ */
	uint64_t vault_bytes;	/* vault/ */
	uint64_t catalog_bytes; /* catalog.db and what stands beside it */
	uint64_t pack_sizes;	/* st_size of all files in packs/ */
};
void drive_state_use(struct drive *drive, struct state_use *ret_use);
/*
 * What packing saves, by cause, in bytes: the packed files' sizes, less the
 * first three and `holes`, and `overhead` added, are what the packs take.
 */
struct savings {
	uint64_t copies;      /* files whose bytes another file has */
	uint64_t parts;	      /* chunks that other files have */
	uint64_t compression; /* of what is left */
	uint64_t blocks;      /* of the lower, that the files' last bytes did
				 not fill; not in their sizes */
	uint64_t holes;	      /* took nothing before either */
	uint64_t overhead;    /* recipes, headers, what gc has not collected */
};
/* Reads every row of files and chunks: some seconds for millions. What is
 * packed or removed meanwhile may be in one figure and not in another. */
int drive_savings(struct drive *drive, const struct catalog_totals *files,
		  const struct store_totals *store, struct savings *ret,
		  struct error *err);
/* Of the lower inode at `path` from the root, links not followed. */
int drive_stat(struct drive *drive, const char *path, struct stat *ret_st,
	       struct error *err);

/*
 * btrfs: an fsync makes the file's new names durable too, but those alone by
 * which its description was opened. So there what is opened for writing is
 * opened by a descriptor that came by a name, not by a handle; where that can't
 * be, everything is synced (sync.c).
 */
bool drive_syncs_by_name(const struct drive *drive);
/* The state directory; borrowed. */
int drive_state_fd(const struct drive *drive);
/* st_blocks x 512 of every inode of the lower, the state left out, each once:
 * by a walk. -ECANCELED when `stop` (read atomically; may be NULL) says so. */
int drive_lower_bytes(struct drive *drive, const bool *stop,
		      uint64_t *ret_bytes, struct error *err);

#define DRIVE_STATE_NAME ".sobre"
/* Names under these are ours, hidden from agents: *.sobre.* */
#define FILE_STUB_XATTR	 "trusted.sobre.content"
#define DRIVE_ROOT_XATTR "trusted.sobre.root"

/* --- what a regular file is ---------------------------------------------- */

/* The stub's xattr, decoded: docs/format/stub.md. */
struct stub {
	uint64_t size_bytes;
	struct hash128 content;
	int64_t mtime_ns;
	uint32_t blocks; /* of 512 B, before packing */
};

#define STUB_BYTES 48
void stub_encode(const struct stub *stub, uint8_t ret_bytes[STUB_BYTES]);
/* -SOBRE_ECORRUPT, -SOBRE_ESCHEMA. */
int stub_decode(const void *bytes, size_t len, struct stub *ret_stub,
		struct error *err);

/*
 * What agents shall see: puts into `st` (of the lower inode, regular) the
 * st_blocks and st_ctim from before packing when it is a stub. Returns 1 for
 * a stub, 0 for a plain file, negative when the xattr can't be read or is
 * damaged (the attributes are then the lower's; opening it gives EIO).
 */
int file_show(struct drive *drive, int fd, int64_t btime_ns, struct stat *st);

/*
 * Told each time something of ours moved an inode's attributes, its data being
 * the same: whoever was shown some before may have old ones. From any thread,
 * maybe with the file's lock held: it must not call back into here, nor wait
 * for who does.
 */
typedef void drive_watch_fn(void *ctx, uint64_t ino);
/* One a drive. NULL ends it: then no call of it is running any more. */
void drive_watch(struct drive *drive, drive_watch_fn *fn, void *ctx);

/* --- open files ------------------------------------------------------------
 */

/* A lower inode, held by an O_PATH descriptor. */
struct lower_ref {
	int fd; /* -1: see file_open() */
	uint64_t ino;
	int64_t btime_ns; /* as statx(2) gives it, 0 if it doesn't */
	/* What drive_stub_epoch() said before this inode was seen to be plain;
	 * 0: it wasn't looked at. */
	uint64_t plain_epoch;
	/* NULL: not known. What it opens for writing is opened by it, faster
	 * than through `fd`. */
	const struct lower_handle *handle;
};

/*
 * Moves on, by one or more, when a file becomes a stub. So whoever asks, then
 * sees that a file is none, need not look again while it stays. Never 0.
 */
uint64_t drive_stub_epoch(struct drive *drive);

/* A file is being copied up or frozen: who opens, closes or removes the same
 * one waits for it. */
bool drive_is_moving_data(const struct drive *drive);

struct file; /* an inode somebody has open, or that is being moved */

/*
 * For each open(2). `flags`: those of open(2). O_TRUNC is done here, with
 * its xattr; O_WRONLY on a packed file copies it up; O_RDWR doesn't. While a
 * file is open the packer leaves it alone, from before the reply. On success
 * `*ret_packed` says that its data is not in the lower inode: then it must
 * not be opened in passthrough. Also waits for a pack in progress.
 * -ENOSPC: no room to copy up, the file stays packed. -EAGAIN: at->fd is -1,
 * as it may be without O_TRUNC of what at->plain_epoch says is plain, and is
 * needed.
 */
int file_open(struct drive *drive, const struct lower_ref *at, int flags,
	      struct file **ret_file, bool *ret_packed, struct error *err);
/* A new file (created, or O_TMPFILE): plain, no look at xattrs. `*wfd`: O_RDWR
 * of it, which a writer takes over (then -1). */
int file_open_new(struct drive *drive, const struct lower_ref *at, int flags,
		  int *wfd, struct file **ret_file, struct error *err);
/* Once for each open, with the flags of that open. Drops the content's
 * reference if the last name went meanwhile (file_unlinked()). */
void file_close(struct file *file, int flags);

/*
 * `opath` below: an O_PATH descriptor of the inode, used if the lower file has
 * to be opened first; a file opened for reading alone holds none of its own.
 */

/* Reads from the store or the lower. Bytes read, or negative. */
ssize_t file_read(struct file *file, int opath, void *buf, size_t len,
		  uint64_t off, struct error *err);
/* Copies up first. All of `len`, or negative (-ENOSPC: still packed).
 * `to_end`: append, whatever `off`. */
ssize_t file_write(struct file *file, const void *buf, size_t len, uint64_t off,
		   bool to_end, struct error *err);
int file_truncate(struct file *file, uint64_t size_bytes, struct error *err);
int file_fallocate(struct file *file, int mode, uint64_t off, uint64_t len,
		   struct error *err);
/* SEEK_DATA, SEEK_HOLE. */
int64_t file_seek(struct file *file, int opath, int64_t off, int whence);
/*
 * fsync(2), fdatasync(2). A failed one is told to every open of the inode
 * once, whichever asked, as the kernel does. `*told` belongs to the open and
 * starts as file_sync_failures() said when it was opened.
 */
int file_fsync(struct file *file, int opath, uint64_t *told, bool data_only,
	       struct error *err);
uint64_t file_sync_failures(struct file *file);
/* A descriptor of the lower file while it is plain (O_RDWR, or O_RDONLY when
 * it can't be), borrowed until file_close(); -1 while packed. */
int file_lower_fd(struct file *file, int opath);
/* Copies up if packed: before anything that writes by other ways. */
int file_make_plain(struct file *file, struct error *err);

/* Without an open file: truncate(2), utimensat(2) by path. */
int file_truncate_path(struct drive *drive, const struct lower_ref *at,
		       uint64_t size_bytes, struct error *err);
/* Sets times; a stub's xattr follows its mtime, first. */
int file_utimens(struct drive *drive, const struct lower_ref *at,
		 const struct timespec times[2], struct error *err);
/* The last name of the inode has gone (after the unlink or rename). */
void file_unlinked(struct drive *drive, uint64_t ino, int64_t btime_ns);

/* --- packing ---------------------------------------------------------------
 */

/* Why a file was left out; the order is that of `left_out` below. */
enum pack_outcome {
	PACK_DONE,
	PACK_ALREADY,	/* packed */
	PACK_EMPTY,	/* no blocks to free */
	PACK_YOUNG,	/* written less than min_age ago */
	PACK_EXCLUDED,	/* drive_options.excluded says so */
	PACK_IN_USE,	/* somebody has it open: no lease */
	PACK_CHANGED,	/* while being packed */
	PACK_FLAGS,	/* immutable, append-only, verity, encrypted, suid,
			   capability, preallocated */
	PACK_NOT_FILE,	/* directory, link, FIFO, socket, device */
	PACK_NO_GAIN,	/* would free no block */
	PACK_COLLISION, /* invariant 4 */
	PACK_ERROR,	/* see last_error */
	PACK_OUTCOMES,
};
const char *pack_outcome_name(enum pack_outcome outcome); /* "in_use", … */

struct pack_report {
	uint64_t count[PACK_OUTCOMES];
	uint64_t logical_bytes; /* sizes of the files packed */
	uint64_t freed_bytes;	/* lower blocks freed */
	uint64_t stored_bytes;	/* appended to packs */
	struct error last_error;
	char last_error_path[512];
};

/* Adds up into *report. Called once per file with its outcome; may be NULL;
 * false stops, with -ECANCELED. */
typedef bool pack_progress_fn(void *ctx, const char *path,
			      enum pack_outcome outcome,
			      const struct pack_report *report);

struct pack_options {
	bool now;  /* whatever its age; of drive_pack() */
	bool idle; /* nobody else wants the CPU: compress harder; of
		      drive_pack_cold() */
	pack_progress_fn *progress;
	/* Asked within a big file, too; may be NULL; false stops, and what was
	 * begun stays plain. */
	bool (*go_on)(void *ctx);
	void *ctx;
};

/*
 * Packs `path` (from the root, "a/b"; "" is the root), a file or a whole
 * tree. Errors of single files are counted, not returned; -ENOSPC and
 * failures of the store or catalog end it.
 */
int drive_pack(struct drive *drive, const char *path,
	       const struct pack_options *options, struct pack_report *report,
	       struct error *err);
/* One round of the background packer: cold files by the catalog, at most
 * `max_files`. Returns how many it tried, or negative. */
int drive_pack_cold(struct drive *drive, int max_files,
		    const struct pack_options *options,
		    struct pack_report *report, struct error *err);

struct unpack_report {
	uint64_t unpacked;
	uint64_t plain;	 /* were already */
	uint64_t failed; /* see last_error */
	uint64_t bytes;
	struct error last_error;
	char last_error_path[512];
};

/* Checks for room first: -ENOSPC, nothing done. "" unpacks all and gives the
 * root its owner, mode and ACL back (§5.14). */
int drive_unpack(struct drive *drive, const char *path,
		 bool (*progress)(void *ctx, uint64_t bytes_done,
				  uint64_t bytes_total),
		 void *ctx, struct unpack_report *report, struct error *err);

/* --- the sealed root (§5.14) ------------------------------------------------
 */

/* The root's owner and mode as agents shall see it. */
int drive_root_show(struct drive *drive, struct stat *st, struct error *err);
/* chmod, chown of the root by agents: in the record while it is sealed. -1:
 * leave. */
int drive_root_change(struct drive *drive, int64_t mode, int64_t uid,
		      int64_t gid, struct error *err);
/* The root's ACL (`name` is system.posix_acl_access), from the record while
 * sealed. Return as getxattr(2), -ENODATA; set with NULL removes. */
ssize_t drive_root_acl_get(struct drive *drive, const char *name, void *buf,
			   size_t len);
int drive_root_acl_set(struct drive *drive, const char *name, const void *value,
		       size_t len, struct error *err);

/* --- scans
 * -------------------------------------------------------------------- */

struct scan_progress {
	bool running;
	bool reconciling; /* else: the first import */
	uint64_t inodes_done;
	uint64_t repaired; /* sizes, times and punches that a crash left */
	uint64_t missing;  /* stubs whose content is not in the store */
};

/*
 * Walks the whole lower tree beside running work: imports names and inodes,
 * finishes what a crash left half done (invariant 2), then drops rows of what
 * is gone and marks the catalog reconciled. `stop` is looked at between
 * entries. -EBUSY while another runs.
 */
int drive_scan(struct drive *drive, const bool *stop, struct error *err);
/* As drive_scan(), and `progress` (may be NULL) hears how many inodes are done,
 * of those the lower file system has; false stops it. */
int drive_scan_told(struct drive *drive, const bool *stop,
		    store_progress_fn *progress, void *ctx, struct error *err);
void drive_scan_progress(struct drive *drive, struct scan_progress *ret);

/* gc's second look (store_gc_options.still_used; ctx is the drive). */
bool drive_still_used(void *ctx, const struct catalog_inode *tied,
		      const struct hash128 *content);

/* What `explain` says of one file; `path` from the root. */
struct file_explanation {
	uint64_t ino;
	uint64_t size_bytes;
	bool regular;
	bool packed;
	struct stub stub;
	uint64_t lower_blocks;
	uint64_t same_content; /* inodes with this content, this one included */
	enum pack_outcome would; /* what pack would say now; PACK_DONE: cold */
	int64_t cold_at_ns;	 /* when it becomes cold */
};
int drive_explain(struct drive *drive, const char *path,
		  struct file_explanation *ret_explanation, struct error *err);

#endif
