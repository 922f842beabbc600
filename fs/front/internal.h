/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_FRONT_INTERNAL_H
#define SOBREFS_FRONT_INTERNAL_H

/*
 * How the front is built: docs/design/front.md.
 *
 * Lock order, outermost first: opened.lock, front.table_lock. Neither is
 * held while fs/file or the kernel is asked for anything that may wait, save
 * registering a backing id under opened.lock.
 */

#define FUSE_USE_VERSION 317
#include <fuse_lowlevel.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "fs/base/cleanup.h"
#include "fs/base/handle.h"
#include "fs/front/front.h"
#include "fs/usage/usage.h"

#define FRONT_HAS_PASSTHROUGH (FUSE_VERSION >= FUSE_MAKE_VERSION(3, 17))
#define FRONT_HAS_TMPFILE     (FUSE_VERSION >= FUSE_MAKE_VERSION(3, 17))
#define FRONT_HAS_URING	      (FUSE_VERSION >= FUSE_MAKE_VERSION(3, 18))
#define FRONT_HAS_STATX	      (FUSE_VERSION >= FUSE_MAKE_VERSION(3, 18))
#define FRONT_HAS_KILLPRIV    (FUSE_VERSION >= FUSE_MAKE_VERSION(3, 17))
/* Requests of a ring may be answered by any thread: not by a libfuse 3.18 that
 * tools/setup hasn't mended (docs/design/decisions/libfuse.md). */
#ifdef SOBRE_RING_MENDED
#define FRONT_HAS_SAFE_RING FRONT_HAS_URING
#else
#define FRONT_HAS_SAFE_RING (FUSE_VERSION >= FUSE_MAKE_VERSION(3, 19))
#endif

/* Nothing bypasses us, so what the kernel knows stays true. */
#define LONG_TIMEOUT_S	    86400.0
#define FD_CACHE_MAX	    3584
#define BACKING_CACHE_MAX   16384
#define HANDLE_INLINE_BYTES 24
#define MAX_WRITE_BYTES	    (1u << 20)
#define SLOW_THREADS_MAX    64
#define PROC_PATH_MAX	    32
#define CAPABILITY_XATTR    "security.capability"

/* --- inodes: inode.c, pathfd.c ------------------------------------------- */

/* A ring; its head is one too. */
struct link {
	struct link *prev;
	struct link *next;
};

static inline void link_init(struct link *head)
{
	head->prev = head;
	head->next = head;
}

static inline void link_add(struct link *head, struct link *link)
{
	link->prev = head;
	link->next = head->next;
	link->next->prev = link;
	head->next = link;
}

static inline void link_remove(struct link *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
}

/* An O_PATH descriptor of a lower inode. Idle ones (users == 0) wait in the
 * LRU list to be used again or closed; those in use are never closed. */
struct path_fd {
	struct link link;
	int fd;
	unsigned int users;
	struct inode *inode; /* NULL: detached, the last user closes it */
};

/* The kernel's name of the lower file that serves a passthrough open, one for
 * an inode; no descriptor of ours. Idle ones wait like those above. */
struct backing {
	struct link link;
	int id;
	uint32_t idle_since; /* front.ticks */
	bool used;	     /* by the inode's `opened` */
	struct inode *inode;
};

/* What is left to close once table_lock is given up. */
struct leftover {
	int fd;		/* -1: none */
	int backing_id; /* 0: none */
};
/* clang-format off */
#define LEFTOVER_NONE { .fd = -1, .backing_id = 0 }
/* clang-format on */

enum inode_flag {
	/* The kernel's page cache of this inode, if it has one, is true. */
	INODE_PAGES_TRUE = 1,
	/* Its last name has gone: its descriptor is kept till it is
	 * forgotten, since no handle opens it any more. */
	INODE_DEAD = 2,
	/* It was seen without a security.capability, or made here, and nobody
	 * has given it one since. */
	INODE_NO_CAPABILITY = 4,
};

/* What the kernel knows, by node id. All under table_lock but what never
 * changes. A million of them must stay small. */
struct inode {
	struct inode *next; /* in its bucket */
	uint64_t ino;	    /* the lower's */
	int64_t btime_ns;
	uint64_t nlookup;
	/* drive_stub_epoch() of when it was seen plain; 0: it wasn't. Atomic:
	 * who has it pinned sets it. */
	uint64_t plain_epoch;
	struct path_fd *path_fd; /* may be NULL */
	struct backing *backing; /* may be NULL */
	struct opened *opened;	 /* while open */
	uint32_t mode;		 /* its type */
	int32_t handle_type;
	uint8_t handle_len;
	uint8_t flags;
	uint16_t holds;	   /* besides nlookup */
	uint16_t used_day; /* of the last use noted, modulo 65,536 */
	uint8_t handle[HANDLE_INLINE_BYTES]; /* or a pointer to more */
};

/* An inode that somebody has open: the I/O mode is one for all its opens. */
struct opened {
	struct inode *inode;
	/* NULL until opened_fd() needs it, then pinned. Atomic. */
	struct path_fd *path_fd;
	unsigned int refs; /* under table_lock */

	pthread_mutex_t lock; /* guards the next four */
	unsigned int n_cached;
	unsigned int n_dirty; /* of them, could store through mmap */
	unsigned int n_passthrough;
	int backing_id; /* of its backing, which is then used; 0: none */

	/* These under table_lock: */
	unsigned int n_writers;
	unsigned int n_mappers; /* passthrough, could store through mmap */
	/* What the kernel was last told. */
	int64_t shown_size;
	int64_t shown_mtime_ns;
	int64_t shown_ctime_ns;
};

/* In the list of all that is open. */
struct open_link {
	struct link link;
	void (*release)(struct open_link *link); /* without a request */
};

/* fuse_file_info.fh of a regular file. */
struct open_file {
	struct open_link link;
	struct front *front;
	struct opened *opened;
	struct file *file;
	int flags;	    /* of its open(2) */
	uint64_t sync_told; /* file_fsync()'s */
	bool passthrough;
	bool maps;
	bool packed; /* when it was opened */
};

/* slow.c: threads beside those of the rings, and what they have to do. */
struct slow {
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t work;
	pthread_cond_t done;
	struct slow_job *first;
	struct slow_job *last;
	unsigned int n_jobs; /* in the list */
	unsigned int n_idle;
	unsigned int n_threads;
	pthread_t threads[SLOW_THREADS_MAX];
	bool stop;
	bool anywhere;	/* from here on never changed */
	cpu_set_t cpus; /* where the process may run */
};

struct front {
	struct drive *drive;
	struct front_options options;
	struct fuse_session *session;
	pthread_key_t worker_key;
	bool has_worker_key;
	int lower_fd; /* borrowed */
	uint64_t root_ino;
	dev_t dev;
	uint64_t lower_mnt_id; /* of lower_fd's mount; 0: unknown */
	bool hide_state;

	pthread_mutex_t table_lock; /* table, fd cache, counts */
	struct inode **buckets;
	size_t n_buckets; /* a power of two */
	uint64_t n_inodes;
	struct link idle_fds; /* list head: next is the newest */
	unsigned int n_idle_fds;
	unsigned int n_fds;
	struct link idle_backings; /* likewise */
	unsigned int n_idle_backings;
	uint32_t ticks;
	uint64_t capabilities;	/* times one was given; starts at 1 */
	struct link open_links; /* list head, of open_link */
	struct slow slow;

	atomic_bool ready;
	atomic_bool probed; /* the accelerators were tried */
	atomic_bool passthrough;
	atomic_bool uring;
	bool uring_wanted;
	atomic_uint_least64_t open_files;
	atomic_uint_least64_t passthrough_failures;
	pthread_mutex_t status_lock; /* the two reasons */
	char passthrough_why[128];
	char uring_why[128];

	int exit_fd; /* an eventfd: front_exit() writes */
	pthread_t loop_thread;
	pthread_t watch_thread;
	atomic_bool loop_done;
};

static inline uint64_t inode_plain_epoch(const struct inode *inode)
{
	return __atomic_load_n(&inode->plain_epoch, __ATOMIC_RELAXED);
}

static inline void inode_saw_plain(struct inode *inode, uint64_t epoch)
{
	__atomic_store_n(&inode->plain_epoch, epoch, __ATOMIC_RELAXED);
}

static inline struct front *front_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

struct looked;

int inode_table_init(struct front *front);
void inode_table_release(struct front *front);
/* The inode the kernel names; NULL when we don't know it (-ESTALE). Valid
 * during the request: the kernel holds it. */
struct inode *inode_find(struct front *front, fuse_ino_t nodeid);
/* Counts one lookup; makes the entry, or gives it a new handle when the
 * number has been used again. Takes `*fd` over, sets it to -1; on -ENOMEM
 * not. */
int inode_learn(struct front *front, int *fd, uint64_t ino, int64_t btime_ns,
		uint32_t mode, const struct lower_handle *handle,
		struct inode **ret_inode);
/* The same of one that is known and hasn't changed since: the entry of
 * `looked`, known as plain if a regular file; else NULL. `plain_epoch`: what
 * inode_epoch() said before it was looked at. */
struct inode *inode_relearn(struct front *front, const struct looked *looked,
			    uint64_t plain_epoch);
/* inode_plain_epoch() of a number; 0: it isn't known. */
uint64_t inode_epoch(struct front *front, uint64_t ino);
void inode_forget(struct front *front, fuse_ino_t nodeid, uint64_t n);
/* Keeps the entry beyond its lookups. */
void inode_hold(struct front *front, struct inode *inode);
void inode_drop(struct front *front, struct inode *inode);
/* The last name has gone: `*fd` is kept for what still refers to it. */
void inode_dead(struct front *front, uint64_t ino, int *fd);
void inode_set_flag(struct front *front, struct inode *inode,
		    enum inode_flag flag, bool on);
bool inode_has_flag(struct front *front, struct inode *inode,
		    enum inode_flag flag);
/* Moves on whenever an inode is given a security.capability. Never 0. */
uint64_t inode_capabilities(struct front *front);
/* It has none, if none was given to any since inode_capabilities(). */
void inode_note_no_capability(struct front *front, struct inode *inode,
			      uint64_t capabilities);
/* After it was. */
void inode_note_capability(struct front *front, struct inode *inode);
fuse_ino_t inode_nodeid(const struct front *front, uint64_t ino);
/* The way back. */
uint64_t inode_number(const struct front *front, fuse_ino_t nodeid);
void inode_get_handle(struct front *front, const struct inode *inode,
		      struct lower_handle *ret_handle);
void inode_get_handle_locked(const struct inode *inode,
			     struct lower_handle *ret_handle);

/* A descriptor, opened by handle when none is cached. -ESTALE when the inode
 * is gone. Give it back. */
int path_fd_get(struct front *front, struct inode *inode,
		struct path_fd **ret_pfd);
void path_fd_put(struct front *front, struct path_fd *pfd);
/* With table_lock held: give `*fd` to the inode if it has none (then -1). */
void path_fd_adopt_locked(struct front *front, struct inode *inode, int *fd);
/* With table_lock held: the inode lets go of it. Returns an fd to close
 * after unlocking, or -1. */
int path_fd_detach_locked(struct front *front, struct inode *inode);
/* Pins for good, with table_lock held. */
void path_fd_pin_locked(struct front *front, struct path_fd *pfd);

/* --- backing.c: ids for passthrough -------------------------------------- */

/* The inode's id, kept from an earlier open; in use from here to
 * backing_give(). 0: there is none. */
int backing_take(struct front *front, struct inode *inode);
/* The same, registering `fd` of the inode (O_PATH: it blocks no lease). One
 * thread an inode. 0: the kernel refuses. */
int backing_make(struct front *front, fuse_req_t req, struct inode *inode,
		 int fd);
void backing_give(struct front *front, struct inode *inode);
bool backing_is_kept(struct front *front, const struct inode *inode);
/* Closes the oldest one that has been idle for `ticks` or more. False: none. */
bool backing_expire(struct front *front, uint32_t ticks);
/* With table_lock held: the inode lets go of it; 0, or an id to close. */
int backing_detach_locked(struct front *front, struct inode *inode);
/* Without table_lock: the last use of an unlinked file may free it. */
void leftover_close(const struct front *front, struct leftover *left);

/* A path_fd and its inode for the time of a block. */
struct pinned {
	struct front *front;
	struct inode *inode;
	struct path_fd *pfd;
	int fd; /* borrowed from pfd */
};
/* -ESTALE when the kernel names what we don't know. */
int pin(struct front *front, fuse_ino_t nodeid, struct pinned *ret_pinned);
void unpin(const struct pinned *pinned);
#define cleanup_pin __attribute__((cleanup(unpin)))
/* clang-format off */
#define PINNED_NONE { .front = NULL, .inode = NULL, .pfd = NULL, .fd = -1 }
/* clang-format on */

/* --- the lower: lower.c ----------------------------------------------------
 */

/* What one look at a lower inode gives. */
struct looked {
	struct stat st;		    /* as agents shall see it */
	struct stat lower;	    /* as it is */
	int64_t btime_ns;	    /* 0: the file system keeps none */
	struct lower_handle handle; /* for entry_make() and entry_find() */
	uint64_t plain_epoch;	    /* as inode.plain_epoch */
	/* What inode_capabilities() said before it was seen to have none; 0:
	 * it may have one. */
	uint64_t no_capability;
};

int lower_look(struct front *front, int fd, struct looked *ret_looked);
/* The same of a known inode, by statx(2) with `flags` and `mask`, whose answer
 * it gives too; a file that is plain since it was last looked at isn't asked.
 */
int lower_look_again(const struct pinned *at, int flags, unsigned int mask,
		     struct statx *ret_x, struct looked *ret_looked);
/* The same without asking fs/file: `st` is as the lower has it. */
int lower_observe(struct front *front, int fd, struct looked *ret_looked);
/* Of `name` in the directory, a link itself; never out of the lower file
 * system. -EOPNOTSUPP: only a descriptor can tell. */
int lower_observe_name(const struct front *front, int dir_fd, const char *name,
		       struct looked *ret_looked);
/* After lower_observe_name(): the handle too; false: what is no plain file, or
 * is being changed, is to be looked at by a descriptor. */
bool lower_look_name(struct front *front, int dir_fd, const char *name,
		     struct looked *looked);
/* O_PATH, one component, never out of the lower file system. */
int lower_open_child(int parent_fd, const char *name);
/* Makes a regular file: O_RDWR. */
int lower_create(int parent_fd, const char *name, mode_t mode);
/* Reopened through /proc/self/fd. */
int lower_reopen(int fd, int flags);
/* Takes back a name just made: told of a failure the kernel goes on taking it
 * for absent, and would answer the next one who makes it with EEXIST. */
void lower_unmake(int parent_fd, const char *name);
void lower_proc_path(int fd, char ret_path[PROC_PATH_MAX]);
/* Is it the state's name, in the root? */
bool name_is_hidden(const struct front *front, fuse_ino_t parent,
		    const char *name);

/* --- replies: attr.c, name.c
 * -------------------------------------------------- */

/* Logs what an administrator must know, answers with its errno. */
void reply_error(fuse_req_t req, const struct error *err);
void reply_code(fuse_req_t req, int code); /* 0 or negative */
double attr_timeout(struct front *front, struct inode *inode,
		    const struct stat *st);
/* Looks at `*fd`, learns it (one lookup counted), fills `e`. Takes the fd
 * over on success. */
int entry_make(struct front *front, int *fd, struct fuse_entry_param *ret_e,
	       struct looked *ret_looked);
/* The same for what we have just made, which can't be a stub. */
int entry_make_fresh(struct front *front, int *fd,
		     struct fuse_entry_param *ret_e, struct looked *ret_looked);
/* The same of `name` in the directory, with no descriptor where that will do.
 * `ino`: what the directory says its number is, 0: not known. */
int entry_find(struct front *front, int dir_fd, const char *name, uint64_t ino,
	       struct fuse_entry_param *ret_e, struct looked *ret_looked);
/* Takes suid, sgid and security.capability away, as a write does. */
int attr_kill_priv(fuse_req_t req, int fd, const struct stat *st);

/* --- what a thread keeps: worker.c ---------------------------------------- */

int worker_key_init(struct front *front);
/* MAX_WRITE_BYTES, this thread's; NULL: no memory. */
uint8_t *worker_buffer(struct front *front);
/* Of this thread alone. */
int worker_umask(struct front *front, mode_t mask);
/* This thread is a ring's. Where it counts what slow.c does for it; NULL: no
 * memory. */
unsigned int *worker_ring(struct front *front);

/* --- what may take long: slow.c ------------------------------------------- */

/* The arguments of an operation, those it has. */
struct slow_args {
	fuse_ino_t ino;
	fuse_ino_t ino_out;
	const char *name;
	const char *new_name;
	bool has_fi;
	struct fuse_file_info fi;
	struct fuse_file_info fi_out;
	struct stat attr;
	struct fuse_bufvec bufv;
	int flags; /* or mode, whence, … */
	size_t size;
	off_t off;
	off_t off_out;
};
typedef void slow_fn(fuse_req_t req, const struct slow_args *args);

void slow_init(struct slow *slow);
/* No request may be left. */
void slow_stop(struct slow *slow);
/* Calls `run`, which answers; by another thread when this one is a ring's. */
void slow_run(fuse_req_t req, slow_fn *run, const struct slow_args *args);
/* Until `*n_slow` is 0. */
void slow_wait(struct front *front, const unsigned int *n_slow);

/* --- acting as the caller: creds.c
 * ----------------------------------------------- */

struct caller {
	bool changed;
	uid_t uid;
	gid_t gid;
};
/* Files made from here to caller_leave() are the caller's. `mask`: its umask
 * too. */
int caller_enter(fuse_req_t req, bool mask, struct caller *ret_caller);
void caller_leave(const struct caller *caller);
/* By any of its groups, which /proc tells. */
bool caller_in_group(fuse_req_t req, gid_t gid);
#define cleanup_caller __attribute__((cleanup(caller_leave)))

/* --- events: event.c
 * ----------------------------------------------------------------- */

void event_inode(struct front *front, const struct looked *looked,
		 const struct lower_handle *handle);
/* Last used on `day`, since 1970. */
void event_used(struct front *front, const struct inode *inode, int32_t day);
void event_name(struct front *front, uint64_t parent, const char *name,
		uint64_t ino);
void event_unname(struct front *front, uint64_t parent, const char *name);
void event_move(struct front *front, uint64_t parent, const char *name,
		uint64_t new_parent, const char *new_name);
/* The last name has gone: the catalog, fs/file and our table are told. */
void event_gone(struct front *front, int *fd, const struct looked *looked);

/* --- open files: opened.c
 * ---------------------------------------------------------------- */

struct opened *opened_get(struct front *front, struct inode *inode);
/* O_PATH, as long as `opened`; negative: -ESTALE, -ENOMEM, … */
int opened_fd(struct front *front, struct opened *opened);
void opened_put(struct front *front, struct opened *opened);
/* Chooses the mode of one more open and counts it; fills fi. */
void opened_add(fuse_req_t req, struct open_file *of, bool packed, bool fresh,
		struct fuse_file_info *fi);
void opened_remove(const struct open_file *of);
/* May the kernel hold stores through a mapping that haven't come to us? */
bool opened_may_be_dirty(struct opened *opened);
/* After a change the kernel may not know of. */
void opened_refresh(const struct open_file *of, bool post);

void open_link_add(struct front *front, struct open_link *link);
void open_link_remove(struct front *front, struct open_link *link);

static inline struct open_file *open_file_of(const struct fuse_file_info *fi)
{
	return (struct open_file *)(uintptr_t)fi->fh; /* NOLINT */
}

/* --- accelerators: accel.c
 * ------------------------------------------------------------------ */

/* In the init operation: asks for what there is. */
void accel_init(struct front *front, struct fuse_conn_info *conn);
/* At the first request: a real trial. */
void accel_probe(struct front *front, fuse_req_t req);
bool accel_uring_allowed(struct front *front);
/* 0: none could be had. */
int accel_backing_open(fuse_req_t req, int fd);
void accel_backing_close(const struct front *front, int id);

static inline void front_noted(struct front *front, fuse_req_t req)
{
	if (!atomic_load_explicit(&front->probed, memory_order_relaxed))
		accel_probe(front, req);
#if FRONT_HAS_URING
	if (front->uring_wanted && fuse_req_is_uring(req)) {
		atomic_store_explicit(&front->uring, true,
				      memory_order_relaxed);
		(void)worker_ring(front);
	}
#endif
}

/* --- xattr.c ------------------------------------------------------------- */

/* Names of ours among extended attributes: *.sobre.* */
bool xattr_is_ours(const char *name);
/* Leaves ours out of a listxattr() list, in place; the new length. */
size_t xattr_filter(char *list, size_t len);

#endif
