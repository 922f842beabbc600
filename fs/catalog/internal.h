/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_CATALOG_INTERNAL_H
#define SOBREFS_CATALOG_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "fs/catalog/catalog.h"

/* "SOBR": PRAGMA application_id, docs/format/catalog.md. */
#define CATALOG_APPLICATION_ID 0x534f4252
#define CATALOG_FILE	       "catalog.db"
#define QUEUE_MAX	       65536
#define QUEUE_BUCKETS	       4096 /* a power of two */
#define STMT_BUCKETS	       64   /* a power of two */
#define READERS_IDLE_MAX       8

/* --- connections ------------------------------------------------------- */

enum conn_kind {
	CONN_WRITER,
	CONN_READER,
	/* Of a file that nobody writes: takes no lock, makes no -shm, and
	 * still sees what a -wal holds. */
	CONN_FROZEN,
};

struct catalog_stmt {
	struct catalog_stmt *next; /* of its bucket */
	struct conn *conn;
	const char *sql;
	sqlite3_stmt *handle;
	int bind_rc; /* the first bind that failed since the reset */
	bool busy;
	bool done; /* stepped to the end */
};

/* Used by one thread at a time. */
struct conn {
	sqlite3 *db;
	struct catalog *cat;
	struct conn *next; /* among the idle readers */
	bool writer;
	struct catalog_stmt *stmts[STMT_BUCKETS];
};

/* `file`: the path to open by; `shown`: the one to name in messages. */
int conn_open(const char *file, const char *shown, enum conn_kind kind,
	      struct conn **ret_conn, struct error *err);
void conn_close(struct conn *conn);
DEFINE_CLEANUP(struct conn *, conn_close)
int conn_exec(struct conn *conn, const char *sql, struct error *err);
/* The first column of the first row. */
int conn_pragma(struct conn *conn, const char *sql, int64_t *ret_value,
		struct error *err);
/* quick_check; -SOBRE_ECORRUPT. */
int conn_check(struct conn *conn, struct error *err);
struct catalog_stmt *conn_stmt(struct conn *conn, const char *sql,
			       struct error *err);
/* Says what SQLite said; returns the code. */
int conn_error(struct conn *conn, int sqlite_rc, struct error *err);
int code_of_sqlite(int sqlite_rc, int system_errno);

/* SQLite resolves a path when it opens it and keeps the text; a drive is
 * mounted over the very directory. These leave "/proc/self/fd/N/x" alone. */
const char *vfs_name(enum conn_kind kind); /* NULL: no memory */

/* --- migrations ---------------------------------------------------------- */

struct migration {
	int64_t number;
	const char *name;
	const char *sql;
};
extern const struct migration catalog_migrations[];
extern const size_t catalog_migrations_count;

/* Runs those above the database's number, a transaction each. */
int migrate(struct conn *conn, const struct migration *list, size_t count,
	    struct error *err);

/* --- the queue -------------------------------------------------------------
 */

/* What a touch (INODE, CTIME and USED events of one inode) sets. */
enum touch_bits {
	TOUCH_ATTRS = 1,
	TOUCH_CTIMES = 2,
	TOUCH_DAY = 4
};

struct queued {
	struct queued *next;	   /* in the queue */
	struct queued *merge_next; /* in a bucket of `open_touches` */
	unsigned int touch;	   /* touch_bits; then `ev.kind` is INODE */
	struct catalog_event ev;   /* names point into `names` */
	char names[];
};

struct queue_list {
	struct queued *first;
	struct queued *last;
	uint64_t count;
};

struct queue {
	pthread_mutex_t mutex; /* guards all below; after writer_mutex */
	pthread_cond_t work;   /* the thread has something to look at */
	pthread_cond_t room;   /* the queue was taken */
	struct queue_list list;
	struct queued *open_touches[QUEUE_BUCKETS]; /* may still be merged */
	uint64_t taken; /* applied, not yet committed */
	bool stop;
	bool failing; /* the last try to write behind failed */
	bool lost;    /* an event was dropped: a scan must come */
	bool running; /* the thread is */
	pthread_t thread;
};

int queue_start(struct catalog *cat, struct error *err);
/* Ends the thread; does not write. */
void queue_stop(struct catalog *cat);
void queue_release(struct catalog *cat);
/* Takes all events; the caller holds the writer. */
struct queue_list queue_take(struct catalog *cat);
/* After a rollback: back in front of those that came since. */
void queue_put_back(struct catalog *cat, struct queue_list *list);
/* After a commit. */
void queue_written(struct catalog *cat, struct queue_list *list);
/* More than half full. */
bool queue_is_long(struct catalog *cat);
bool queue_lost(struct catalog *cat);
void queue_forget_lost(struct catalog *cat);

/* Writes one event; the caller holds the writer. */
int event_apply(struct catalog *cat, const struct queued *q, struct error *err);

/* --- the catalog -------------------------------------------------------------
 */

/* Inodes that moved while a scan runs. */
struct moved {
	uint64_t *inos;
	size_t count;
	size_t cap;
	bool overflow;
};

struct catalog {
	char *path; /* as named in messages */
	char *file; /* /proc/self/fd/N/catalog.db */
	int dir_fd; /* of the directory, for `file` */
	struct clock clock;
	bool readonly;
	bool was_unclean;
	atomic_bool needs_scan;

	pthread_mutex_t writer_mutex; /* guards what follows; taken first */
	struct conn *writer;
	struct queue_list applied; /* in the transaction that is open */
	bool draining;
	bool broken;	    /* not all of them are in it: it must not commit */
	int64_t generation; /* of scans: the mark that is put now */
	bool scanning;
	int64_t scan_start_ns;
	struct moved moved;
	catalog_commit_fn *on_commit;
	void *on_commit_ctx;
	bool touched_more;	     /* by the hook itself */
	_Atomic(const void *) owner; /* this_thread() in a transaction */

	pthread_mutex_t readers_mutex; /* guards what follows; taken last */
	struct conn *idle;
	unsigned int idle_count;
	struct conn *held; /* by catalog_hold(), of the thread `holder` */
	const void *holder;

	struct queue queue;
};

/* Of no other thread that runs. Asked at each event: gettid(2) would go to the
 * kernel. */
const void *this_thread(void);
bool catalog_owned(struct catalog *cat); /* by this thread */
/* Writes what is queued into the transaction that is open. */
int catalog_drain(struct catalog *cat, struct error *err);
void reader_give_back(struct conn *conn);
void readers_close(struct catalog *cat);

/* SQLite makes files of its own when it opens one. */
void room_for_opening(struct catalog *cat);

/* Tells the hook, if there is one. */
int touched_tell(struct catalog *cat, struct error *err);

/* Runs a statement with one i64 parameter or two; the writer's. */
int writer_run(struct catalog *cat, const char *sql, const int64_t *binds,
	       int count, struct error *err);

/* --- rows
 * ---------------------------------------------------------------------- */

#define INODE_COLUMNS                                                    \
	"ino, btime_ns, mode, uid, gid, nlink, size_bytes, blocks, "     \
	"mtime_ns, ctime_ns, content, shown_ctime_ns, packed_ctime_ns, " \
	"handle_type, handle"
#define INODE_COLUMNS_COUNT 15
/* What row_inode() reads. */
#define INODE_READ INODE_COLUMNS ", last_used_day"

/* What a new row, or one of the same number, takes over in any case; after
 * it comes the rest of the SET. Parameters 1 to 15, and 16: the mark. */
#define INODE_UPSERT                                                   \
	"INSERT INTO inode(" INODE_COLUMNS ", seen)"                   \
	" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"   \
	" ?13, ?14, ?15, ?16)"                                         \
	" ON CONFLICT(ino) DO UPDATE SET"                              \
	" last_used_day = iif(btime_ns = excluded.btime_ns,"           \
	" last_used_day, NULL), btime_ns = excluded.btime_ns,"         \
	" mode = excluded.mode, uid = excluded.uid,"                   \
	" gid = excluded.gid, nlink = excluded.nlink,"                 \
	" size_bytes = excluded.size_bytes, blocks = excluded.blocks," \
	" mtime_ns = excluded.mtime_ns, ctime_ns = excluded.ctime_ns,"

/* Parameters 1 to 15. */
void row_bind_inode(struct catalog_stmt *s, const struct catalog_inode *inode);
/* Columns 0 to 15; -SOBRE_ECORRUPT. */
int row_inode(struct catalog_stmt *s, struct catalog_inode *ret_inode,
	      struct error *err);
/* Runs `sql`, an INODE_UPSERT, and ties the inode to its content. */
int row_put_inode(struct catalog *cat, const char *sql,
		  const struct catalog_inode *inode, struct error *err);
int row_tie(struct catalog *cat, const struct catalog_inode *inode,
	    const struct hash128 *content, struct error *err);
/* Puts the mark of the present scan on an inode. */
int row_mark(struct catalog *cat, uint64_t ino, struct error *err);
/* Remembers, while a scan runs, an inode that it might miss. */
int scan_note_move(struct catalog *cat, const struct catalog_inode *inode,
		   struct error *err);
bool name_ok(const char *name);

#define NAME_BYTES_MAX 4096
/* A name from column `col`, with its NUL; false: it can't be one. */
bool row_name(struct catalog_stmt *s, int col, char ret_name[NAME_BYTES_MAX]);

#endif
