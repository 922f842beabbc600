/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_FILE_INTERNAL_H
#define SOBREFS_FILE_INTERNAL_H

/*
 * Lock order, outermost first: file.lock, drive.root_lock, the catalog's
 * writer, drive.table_lock and .watch_lock. A thread in a catalog transaction
 * takes no file.lock. Only the packer's thread holds several of them
 * (freeze.c); the others hold one and wait for none. file_sync.lock is taken
 * with none held.
 */

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "fs/base/cleanup.h"
#include "fs/file/file.h"

#define FILE_TABLE_BUCKETS 4096
#define COPY_BYTES	   (1u << 20)
#define PROC_FD_MAX	   32

/* What drive.c reads from the file `drive`: docs/format/drive.md. */
struct identity {
	uint8_t uuid[16];
	struct hash_key key;
};

#define RECENT_CTIMES 8192

/* What attr.c shows until the catalog knows it. */
struct recent_ctime {
	uint64_t ino;
	int64_t btime_ns;
	int64_t shown_ns;
	int64_t packed_ns;
};

/* The root's owner, mode and ACL while it is sealed. */
struct root_record {
	uint32_t mode; /* permission bits */
	uint32_t uid;
	uint32_t gid;
	size_t acl_len; /* 0: none */
	uint8_t acl[2048];
};

#define VAIN_TRIES 4096

/* vain.c */
struct vain_try {
	uint64_t ino;
	int64_t ctime_ns;
	enum pack_outcome outcome;
};

struct drive {
	struct drive_options options;
	struct identity identity;
	int lower_fd;
	int state_fd;
	int lock_fd;
	dev_t dev;
	bool syncs_by_name; /* the lower is btrfs */
	uint64_t root_ino;
	uint64_t state_ino; /* 0: not in the lower root */
	struct catalog *catalog;
	struct store *store;
	struct ledger *ledger; /* NULL: read-only */

	pthread_mutex_t table_lock; /* those of file.refs, .packing, and: */
	struct file *buckets[FILE_TABLE_BUCKETS];
	struct recent_ctime recent[RECENT_CTIMES];
	struct vain_try vain[VAIN_TRIES];

	atomic_uint_least64_t stub_epoch; /* less 1 */
	atomic_uint stubs_coming;	  /* xattrs being set */
	atomic_uint copying_up;

	pthread_mutex_t root_lock; /* sealed, root */
	bool sealed;
	struct root_record root;

	pthread_mutex_t scan_lock; /* scan */
	struct scan_progress scan;

	pthread_rwlock_t watch_lock; /* watch, watch_ctx; read: it is called */
	drive_watch_fn *watch;
	void *watch_ctx;

	/* Files of one block with so many bytes of attributes, less 1, gain
	 * nothing (gain.c); 0: not known of any. */
	atomic_uint no_gain_from;

	bool was_unclean;
	uint64_t cold_cursor; /* the packer's thread alone */
};

/* sync.c: what became of the syncs of an open file. */
struct file_sync {
	pthread_mutex_t lock; /* all below */
	pthread_cond_t round_done;
	bool running;
	bool whole;	   /* somebody waiting asked for more than data */
	uint64_t asked;	   /* tickets given out */
	uint64_t answered; /* the last of them that is done */
	uint64_t failures;
	int code; /* of the last failure */
};

struct file {
	struct drive *drive;
	uint64_t ino;
	int64_t btime_ns;
	struct file *next;
	unsigned int refs;
	bool packing; /* between the commit of its content and its stub */
	struct file_sync sync;

	pthread_rwlock_t lock; /* all below; write: to change state */
	unsigned int n_open;
	uint64_t opens; /* ever: the packer looks whether it moved */
	unsigned int n_writers;
	bool unlinked;
	bool packed;
	struct stub stub; /* while packed */
	struct store_body *body;
	int opath; /* pinned by what opens it packed, until its last close */
	int rfd;   /* O_RDONLY, opened at need, kept while open */
	int wfd;   /* O_RDWR, likewise; with the first writer of a plain file */
};

/* --- node.c: the table ---------------------------------------------------- */

/* -ENOMEM. Give it back with file_put(). */
int file_get(struct drive *drive, uint64_t ino, int64_t btime_ns,
	     struct file **ret_file);
/* NULL: nobody has it open. Give it back likewise. */
struct file *file_find(struct drive *drive, uint64_t ino, int64_t btime_ns);
void file_put(struct file *file);
DEFINE_CLEANUP(struct file *, file_put)
void file_set_packing(struct file *file, bool packing);
/* Is (ino, btime) between its commit and its stub? */
bool file_is_packing(struct drive *drive, uint64_t ino, int64_t btime_ns);
/* Closes what is held open; with the lock held, n_open being 0. */
void file_drop_fds(struct file *file);
/* Descriptors of the lower file; with the lock held for writing. Negative
 * codes. `opath` is used unless one is pinned. */
int file_need_rfd(struct file *file, int opath);
int file_need_wfd(struct file *file, int opath);

/* --- sync.c --- */

/* Where an fsync of `fd` would miss the file's names: makes them durable, with
 * all else. */
int sync_names(const struct drive *drive, int fd);

/* --- lower.c: lower inodes --------------------------------------------------
 */

/* "/proc/self/fd/N" */
void proc_fd_path(int fd, char ret_path[PROC_FD_MAX]);
int reopen(int opath, int flags);
/* 1: a stub; 0: none; negative: unreadable or damaged. Any kind of fd. */
int stub_probe(int fd, struct stub *ret_stub, struct error *err);
/* Birth time in ns, 0 when the file system keeps none. */
int lower_stat(int fd, struct stat *ret_st, int64_t *ret_btime_ns);
/* Fills all of `ret` but content and shown ctimes; handle included. */
int lower_inode(int fd, struct catalog_inode *ret_inode);
/* O_PATH of `path` ("" is the root), beneath the root, no links followed. */
int lower_open_path(const struct drive *drive, const char *path,
		    struct error *err);
bool is_stub_of(int fd, const struct hash128 *content);

/* --- attr.c --- */

/* Remembers both ctimes of a file just packed, and tells the catalog. */
void recent_put(struct drive *drive, const struct catalog_inode *inode);
/* What we did to a stub since `before` moved nothing but its ctime: agents go
 * on being shown what they were. With file->lock held, wfd open. */
void attr_keep_ctime(struct file *file, const struct stat *before);
/* Whatever was said of the inode's attributes before may be wrong now. */
void attr_moved(struct drive *drive, uint64_t ino);

/* --- open.c --- */

void post_gone(struct drive *drive, uint64_t ino, int64_t btime_ns);

/* --- copyup.c
 * ------------------------------------------------------------------ */

/* All with file->lock held for writing. `opath` as above. */
/* Reads the state from the xattr. */
int file_load_state(struct file *file, int opath, struct error *err);
int file_copy_up(struct file *file, int opath, struct error *err);
/* ftruncate(0) → removexattr → fsync. */
int file_cut_stub(struct file *file, int opath, struct error *err);
/* Any size, either state. */
int file_resize(struct file *file, int opath, uint64_t size_bytes,
		struct error *err);
/* Puts back size and times that a crash left, finishes a punch. `*repaired`
 * says if anything was. Only when nobody has it open. */
int file_settle(struct file *file, int opath, bool *ret_repaired,
		struct error *err);
int lower_punch(int fd, const struct stat *st);
int need_body(struct file *file, struct error *err);

/* --- freeze.c: one file to its stub
 * ---------------------------------------------- */

struct pack_item {
	struct file *file;
	int opath;
	int rfd; /* closed before the lease */
	char *path;
	struct stat st; /* before its bytes were read */
	struct catalog_inode inode;
	struct hash128 content;
	bool verified;	/* by store_put() */
	uint64_t opens; /* of the file, when it was looked at */
	enum pack_outcome outcome;
	uint64_t freed_bytes;
	unsigned int xattr_bytes; /* and 1; 0: not asked (gain.c) */
	struct error err;
};

/* Looks whether the file may be packed and opens it for reading. Takes the
 * fd over. `path` NULL: not known but to the catalog. */
void pack_item_prepare(struct pack_item *item, struct drive *drive, int opath,
		       const char *path, bool now);
void pack_item_release(struct pack_item *item);
/* The file could not be stored as it is now. */
void vain_put(struct drive *drive, const struct stat *st,
	      enum pack_outcome outcome);
/* Was it as it is now when that was told of it? */
bool vain_get(struct drive *drive, const struct stat *st,
	      enum pack_outcome *ret_outcome);
/* Can it be told, of a file that is open, that no block would be freed? */
bool gain_is_none(struct pack_item *item);
/* Fewer blocks than before, whatever they are counted twice for. */
bool gain_is_real(const struct stat *before, const struct stat *after);
/* No block was: others like it need not be tried. */
void gain_was_none(const struct pack_item *item);
/* Lease, checks, xattr, fsync, punch, times; no inode twice. Sets the
 * outcomes; `items` is used up. */
void pack_items_freeze(struct pack_item **items, unsigned int n);

/* --- exclude.c --- */

/* 1: one of its names is excluded. `path` is one of them, from the root;
 * NULL: only the catalog knows. -SOBRE_ECHANGED: that can't be said yet. */
int pack_is_excluded(struct drive *drive, const struct stat *st,
		     const char *path, struct error *err);

/* --- root.c
 * ------------------------------------------------------------------------ */

int root_load(struct drive *drive, struct error *err);
int root_seal(struct drive *drive, struct error *err);
int root_unseal(struct drive *drive, struct error *err);
int root_record_encode(const struct root_record *record, uint8_t *buf,
		       size_t cap, size_t *ret_len);
int root_record_decode(const void *bytes, size_t len,
		       struct root_record *ret_record, struct error *err);

/* --- identity.c
 * -------------------------------------------------------------------- */

int identity_load(int state_fd, struct identity *ret_identity,
		  struct error *err);
int identity_create(int state_fd, struct identity *ret_identity,
		    struct error *err);
int identity_decode(const char *text, size_t len, struct identity *ret_identity,
		    struct error *err);

/* --- walk.c: a tree of the lower
 * ------------------------------------------------------ */

struct walk_entry {
	int opath; /* borrowed */
	uint64_t parent_ino;
	const char *name; /* "" for the start */
	const char *path; /* from the root, "a/b" */
	const struct stat *st;
};

/* 0 goes on, negative stops. */
typedef int walk_fn(void *ctx, const struct walk_entry *entry,
		    struct error *err);

/* Calls `each` for what `opath` is and, if a directory, all beneath; parents
 * first, the drive's state left out. What vanishes meanwhile is passed over. */
int walk_tree(struct drive *drive, int opath, const char *path, walk_fn *each,
	      void *ctx, struct error *err);
/* The same from the root, for who needs no more than `st`, in a third of the
 * system calls: of what is no directory `opath` is -1, and `path` NULL. */
int walk_stats(struct drive *drive, int opath, walk_fn *each, void *ctx,
	       struct error *err);

static inline void post_plain(struct file *file, const struct stub *was)
{
	struct catalog_event ev = { .kind = CATALOG_EVENT_PLAIN };

	ev.inode.ino = file->ino;
	ev.inode.btime_ns = file->btime_ns;
	ev.inode.content = was->content;
	(void)catalog_post(file->drive->catalog, &ev);
}

#endif
