/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_CATALOG_CATALOG_H
#define SOBREFS_CATALOG_CATALOG_H

/*
 * The SQLite database of a drive: `catalog.db`, WAL, synchronous=FULL. This
 * module gives the connection, transactions, numbered migrations, typed
 * statements, and the tables of the namespace (inode, name, meta); the
 * tables of packs, chunks and contents belong to fs/store, which keeps its
 * own SQL and runs it through the statements here. Format:
 * docs/format/catalog.md.
 *
 * Order (DESIGN invariant 2): the stub's xattr decides a file's state, the
 * catalog follows; a content's references are committed before the stub is
 * made. `inode.content` is the reference: it may be there for too long after
 * a crash, never too short.
 *
 * Threads: any thread may call anything. Readers use connections of their
 * own and see what is committed; the typed reads below (catalog_inode_get()
 * and so on), inside a transaction of this thread, see that transaction.
 * There is one writer at a time: catalog_begin() waits for it. A process that
 * forks must open the catalog in the child.
 *
 * `parent` of a name in the root is the root's lower inode number.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/base/clock.h"
#include "fs/base/error.h"
#include "fs/base/handle.h"
#include "fs/base/hash.h"

struct catalog;

enum catalog_mode {
	CATALOG_CREATE,	  /* open, create when there is none, migrate */
	CATALOG_READONLY, /* write nothing at all, not even a WAL: all that
			     writes fails with -EROFS */
};

/*
 * Opens `path`/catalog.db. Errors: -SOBRE_ESCHEMA when a newer sobrefs wrote
 * it (the text names both versions), -SOBRE_ECORRUPT when it is no database
 * or fails SQLite's quick_check, -ENOSPC, -EROFS. Nothing is changed then.
 * Starts the thread that writes events behind; catalog_close() commits what
 * is queued, marks the stop as clean and ends it.
 */
int catalog_open(const char *dir_path, enum catalog_mode mode,
		 const struct clock *clock, struct catalog **ret_cat,
		 struct error *err);
void catalog_close(struct catalog *cat);
DEFINE_CLEANUP(struct catalog *, catalog_close)

/*
 * For a rebuild, before catalog_open(): a catalog that can't be opened is
 * renamed to catalog.db.bad-<now_s>, its -wal and -shm too, so that a new one
 * is made. 0 too when there is none.
 */
int catalog_set_aside(const char *dir_path, int64_t now_s, struct error *err);

/*
 * On a full file system what gives room back needs some: a gc, and the events
 * of files that go. So the file catalog.room holds up to 4 MiB. Made, or filled
 * again, by catalog_open() and catalog_keep_room() when there is room to spare;
 * catalog_give_room() gives it to whoever is first: true when there was any.
 * Opening and writing events do that by themselves. Any thread.
 */
void catalog_keep_room(struct catalog *cat);
bool catalog_give_room(struct catalog *cat);

/* True when the last run didn't close it: a reconciling scan is due. */
bool catalog_was_unclean(const struct catalog *cat);
/* What a scan that came to its end says; durable. */
int catalog_mark_reconciled(struct catalog *cat, struct error *err);
/* True until a full scan of stubs has ended since the last unclean stop. */
bool catalog_needs_scan(const struct catalog *cat);

/* --- transactions ---------------------------------------------------- */

/* Takes the writer; events queued before now are written first, in the same
 * transaction. A thread must not nest them. */
int catalog_begin(struct catalog *cat, struct error *err);
/* On failure everything since catalog_begin() is undone. Either way the
 * writer is free again. */
int catalog_commit(struct catalog *cat, struct error *err);
void catalog_rollback(struct catalog *cat);

/*
 * `fn` is told, inside each transaction of this process, just before it is
 * committed, which inodes it touched: rows of inode that came or went, or
 * whose btime, mode, gid, nlink, size, blocks or content changed, and inodes
 * that gained or lost a name. Each is told once, in calls of some thousand;
 * not at all when there are none. `fn` may read and write, as in any
 * transaction, and may touch more, which it is told next. When it fails the
 * transaction does; a rollback leaves nothing touched. While it runs no event
 * is written.
 *
 * One hook at a time; `fn` NULL: none, and no cost any more. Not inside a
 * transaction: -EDEADLK; -EBUSY when there is one already.
 */
typedef int catalog_commit_fn(void *ctx, const uint64_t *inos, size_t n,
			      struct error *err);
int catalog_on_commit(struct catalog *cat, catalog_commit_fn *fn, void *ctx,
		      struct error *err);
/* Inside a transaction, with a hook: as if these had been touched. */
int catalog_touch(struct catalog *cat, uint64_t ino, struct error *err);
/* All that have a name in the directory. */
int catalog_touch_children(struct catalog *cat, uint64_t dir_ino,
			   struct error *err);

/* --- statements, for the modules that own tables ---------------------- */

struct catalog_stmt;

/* Inside a transaction of this thread: on the writer. `sql` is a literal:
 * statements are cached by its address. */
struct catalog_stmt *catalog_write_stmt(struct catalog *cat, const char *sql,
					struct error *err);
/* Anywhere: on a reader of its own until stmt_done(). */
struct catalog_stmt *catalog_read_stmt(struct catalog *cat, const char *sql,
				       struct error *err);
/*
 * Until catalog_release() what this thread reads is of one moment, the first
 * read's; each statement alone would take and give SQLite's locks, and read
 * the pages that a commit changed anew. For a batch: meanwhile the WAL can't
 * be begun again. One thread at a time: -EBUSY, and then reads go on as ever.
 */
int catalog_hold(struct catalog *cat, struct error *err);
void catalog_release(struct catalog *cat);
/* The first of the two inside a transaction of this thread, else the second. */
struct catalog_stmt *catalog_stmt(struct catalog *cat, const char *sql,
				  struct error *err);
/* Gives it back; accepts NULL. Every statement taken must be given back. */
void stmt_done(struct catalog_stmt *s);
DEFINE_CLEANUP(struct catalog_stmt *, stmt_done)

/* Parameters count from 1. A failed bind shows at the next step. */
void stmt_bind_i64(struct catalog_stmt *s, int at, int64_t v);
void stmt_bind_blob(struct catalog_stmt *s, int at, const void *v, size_t len);
void stmt_bind_text(struct catalog_stmt *s, int at, const char *text);
void stmt_bind_null(struct catalog_stmt *s, int at);
/* 1: a row; 0: no more; negative: failed. */
int stmt_step(struct catalog_stmt *s, struct error *err);
/* Steps to the end, then resets for new binds. Returns rows changed or
 * negative. */
int64_t stmt_run(struct catalog_stmt *s, struct error *err);
/* Ready for new binds. */
void stmt_reset(struct catalog_stmt *s);
/* Columns count from 0. */
int64_t stmt_i64(struct catalog_stmt *s, int col);
bool stmt_is_null(struct catalog_stmt *s, int col);
/* Borrowed until the next step; NULL and 0 for NULL or empty. */
const void *stmt_blob(struct catalog_stmt *s, int col, size_t *ret_len);

/* --- meta: small named values, durable at once ------------------------ */
int catalog_meta_set(struct catalog *cat, const char *key, int64_t value,
		     struct error *err);
/* `fallback` when there is none. */
int catalog_meta_read(struct catalog *cat, const char *key, int64_t fallback,
		      int64_t *ret_value, struct error *err);
/* The same; `fallback` also when it can't be read: not for what data hangs
 * on. */
int64_t catalog_meta_get(struct catalog *cat, const char *key,
			 int64_t fallback);

/* --- inodes and names -------------------------------------------------- */

#define CATALOG_DAY_UNKNOWN INT32_MIN

/* What the catalog knows of one lower inode. Known by (ino, btime): a row
 * whose birth time differs is of a dead inode, and is replaced. */
struct catalog_inode {
	uint64_t ino;
	int64_t btime_ns;
	uint32_t mode; /* type and permissions */
	uint32_t uid;
	uint32_t gid;
	uint32_t nlink;
	uint64_t size_bytes;
	uint64_t blocks; /* of 512 B, on the lower file system */
	int64_t mtime_ns;
	int64_t ctime_ns;
	bool packed; /* then `content` is its content */
	struct hash128 content;
	/* The ctime to show while the lower's equals `packed_ctime_ns`. Both
	 * 0: none. */
	int64_t shown_ctime_ns;
	int64_t packed_ctime_ns;
	struct lower_handle handle; /* .len 0: unknown */
	/* Only read, never put: days since 1970 (CATALOG_EVENT_USED). */
	int32_t last_used_day;
};

enum catalog_event_kind {
	CATALOG_EVENT_INODE,  /* attributes as observed. Of a row that is
				 there: its content is kept, the handle
				 too if handle.len is 0, the two ctimes if
				 packed_ctime_ns is 0 */
	CATALOG_EVENT_NAME,   /* `name` in `parent` is now `inode.ino` */
	CATALOG_EVENT_UNNAME, /* `name` in `parent` is gone */
	CATALOG_EVENT_MOVE,   /* `name` in `parent` became `new_name` in
				 `new_parent` (replacing); it is
				 `inode.ino`, 0: what `name` was */
	CATALOG_EVENT_GONE,   /* the inode is dead: row and content reference
				 go, if (ino, btime) still match */
	CATALOG_EVENT_PLAIN,  /* the file is plain: drop the reference to
				 `inode.content` if it is still that one,
				 set the two ctimes from `inode` */
	CATALOG_EVENT_CTIME,  /* record the two ctimes of `inode` */
	CATALOG_EVENT_USED,   /* last use was on `day` (days since 1970) */
};

struct catalog_event {
	enum catalog_event_kind kind;
	struct catalog_inode inode; /* ino and btime at least; mode for NAME
				       and MOVE if at hand */
	uint64_t parent;
	uint64_t new_parent;
	const char *name;     /* copied; any bytes but NUL and '/' */
	const char *new_name; /* copied */
	int32_t day;
};

/*
 * Queues an event; written within a second, in order, with those of the same
 * inode coalesced. Order holds against transactions too: what was posted
 * before catalog_begin() is written before what follows. Waits when the
 * queue is full (65,536), two seconds at most: a thread that holds what the
 * writer waits for can't hang here. -ENOMEM, -EINVAL (a name that can't be
 * one), -EROFS. While the catalog can't be written (no space), what doesn't
 * fit is dropped, and catalog_needs_scan() is true.
 */
int catalog_post(struct catalog *cat, const struct catalog_event *ev);
/* Writes and commits all that is queued now. Not inside a transaction:
 * -EDEADLK. */
int catalog_flush(struct catalog *cat, struct error *err);
/* Events not yet committed. */
uint64_t catalog_queue_length(struct catalog *cat);

/* Reads; -ENOENT when unknown or when btime differs (btime 0: any). */
int catalog_inode_get(struct catalog *cat, uint64_t ino, int64_t btime_ns,
		      struct catalog_inode *ret_inode, struct error *err);
/* Inside a transaction: the row as given, all of it, `seen` as of now. */
int catalog_inode_put(struct catalog *cat, const struct catalog_inode *inode,
		      struct error *err);
/* Inside a transaction: the file is about to become a stub of `content`.
 * Also ties the inode to the content for ever (table tie), so that gc can
 * look again by handle. */
int catalog_inode_pack(struct catalog *cat, const struct catalog_inode *inode,
		       const struct hash128 *content, struct error *err);
/* Inside a transaction, for scans. */
int catalog_name_put(struct catalog *cat, uint64_t parent, const char *name,
		     uint64_t ino, struct error *err);

/*
 * A scan of the lower tree: begin gives its number; every put while it runs
 * is marked with it; end deletes the rows of inodes and names that neither
 * the scan nor an event saw since. Inside a transaction each.
 */
int catalog_scan_begin(struct catalog *cat, struct error *err);
int catalog_scan_end(struct catalog *cat, struct error *err);
/*
 * Takes out up to `max` inodes that were renamed while the scan ran and that
 * it may therefore have missed (a directory: with all that is below it). The
 * scan visits them again, until this returns 0. What it doesn't take is kept
 * by catalog_scan_end(), whole directories with all below, for the next scan
 * to judge. Negative when they were too many to remember (-EOVERFLOW): the
 * next scan must come.
 */
int catalog_scan_moved(struct catalog *cat, uint64_t *ret_inos, int max);

/* Paths of `ino` from the root ("/a/b"), at most `max`; each call of `each`
 * borrows its path. For messages and explain. */
int catalog_paths(struct catalog *cat, uint64_t ino, unsigned int max,
		  void (*each)(void *ctx, const char *path), void *ctx,
		  struct error *err);
/*
 * Streams, in one view of the catalog: what the callbacks borrow is theirs
 * until they return. One that returns other than 0 ends the stream, and that
 * is returned; negative: it filled `err`. They may read; inside a transaction
 * of this thread they see it.
 */
typedef int catalog_name_fn(void *ctx, uint64_t parent, const char *name,
			    uint64_t ino, struct error *err);
/* Of one directory, by name. */
int catalog_children(struct catalog *cat, uint64_t dir_ino,
		     catalog_name_fn *each, void *ctx, struct error *err);
/* All names of one inode. */
int catalog_names(struct catalog *cat, uint64_t ino, catalog_name_fn *each,
		  void *ctx, struct error *err);
typedef int catalog_inode_fn(void *ctx, const struct catalog_inode *inode,
			     struct error *err);
/* All inodes above `after_ino`, by number as a signed one: with 0, all that
 * are usual; with 1 << 63, all there are. */
int catalog_inodes(struct catalog *cat, uint64_t after_ino,
		   catalog_inode_fn *each, void *ctx, struct error *err);

/* Inode numbers, each once. All zero is empty; 0 is no inode. */
struct ino_set {
	uint64_t *slot;
	size_t cap; /* a power of two */
	size_t n;
};
/* 1: it is new; 0: it was there; -ENOMEM. */
int ino_set_add(struct ino_set *set, uint64_t ino, struct error *err);
void ino_set_release(struct ino_set *set);

struct catalog_walk_entry {
	struct catalog_inode inode;
	uint64_t parent;
	const char *name;
	const char *path; /* from the start: "b/c" */
};
#define CATALOG_WALK_PRUNE 1 /* not below this directory; the walk goes on */
typedef int catalog_walk_fn(void *ctx, const struct catalog_walk_entry *entry,
			    struct error *err);
/*
 * Everything below a directory that has a row: a directory before what is in
 * it, each once; other inodes once for each of their names there.
 * -SOBRE_ECORRUPT: a path beyond 64 KiB.
 */
int catalog_walk(struct catalog *cat, uint64_t dir_ino, catalog_walk_fn *each,
		 void *ctx, struct error *err);

/* Calls `each` for inodes whose content is `content`; it may not write. Inside
 * a transaction of this thread it sees that transaction. */
int catalog_content_inodes(struct catalog *cat, const struct hash128 *content,
			   void (*each)(void *ctx, uint64_t ino), void *ctx,
			   struct error *err);
/* Calls `each` for every inode that was ever tied to `content`: ino, btime_ns
 * and handle are set, nothing else. It may not write. */
int catalog_ties(struct catalog *cat, const struct hash128 *content,
		 void (*each)(void *ctx, const struct catalog_inode *tied),
		 void *ctx, struct error *err);
/* Inside a transaction: the content is gone for good, and its ties with it. */
int catalog_ties_drop(struct catalog *cat, const struct hash128 *content,
		      struct error *err);
/*
 * Up to `max` plain regular files with blocks, whose mtime and ctime are both
 * before `before_ns`, by ascending ino above `after_ino`. Returns how many,
 * or negative.
 */
int catalog_cold(struct catalog *cat, int64_t before_ns, uint64_t after_ino,
		 struct catalog_inode *ret_inodes, int max, struct error *err);

/* What the last blocks of packed files, of `block_bytes` (a power of two), had
 * room left for. Reads every inode's row. */
int catalog_tails(struct catalog *cat, uint32_t block_bytes,
		  uint64_t *ret_bytes, struct error *err);

struct catalog_totals {
	uint64_t files;		/* regular */
	uint64_t packed;	/* of them */
	uint64_t logical_bytes; /* sizes of regular files */
	uint64_t packed_bytes;	/* sizes of the packed ones */
	uint64_t plain_blocks;	/* of 512 B, of all inodes */
};
int catalog_totals(struct catalog *cat, struct catalog_totals *ret_totals,
		   struct error *err);

#endif
