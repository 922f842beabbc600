/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_DAEMON_INTERNAL_H
#define SOBREFS_DAEMON_INTERNAL_H

/*
 * Threads of a daemon: main (signals, start, stop), front (the loop of
 * libfuse, which starts its own), packer, scan, one that accepts on the
 * control socket, and one a connection. Lock order: turn.lock and
 * daemon.lock are leaves, never held together.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "fs/front/front.h"
#include "tools/daemon/daemon.h"
#include "tools/po/po.h"

/* --- commands*.c -----------------------------------------------------------
 */

json_t *json_or_nomem(json_t *value, struct error *err);
bool command_tell(const struct command_env *env,
		  const struct command_progress *progress);
json_t *command_du(const struct command_env *env, const struct request *request,
		   struct error *err);
json_t *command_plan(const struct command_env *env,
		     const struct request *request, struct error *err);
json_t *command_report(const struct command_env *env,
		       const struct request *request, struct error *err);
/* report_readers.c: who may read a directory of their own. Borrows from
 * `setup`.
 */
struct readers {
	struct report_access *access; /* of each department, then the city */
	uint32_t *admin;
	unsigned int admins;
	json_t *unread; /* names of directories that only root may read */
};
int readers_find(const struct setup *setup,
		 const struct report_department *department, unsigned int n,
		 struct readers *ret_readers, struct error *err);
void readers_release(struct readers *readers);

/* Of the whole drive, now: notes in `checks` what doesn't add up, and where the
 * bytes are. Nothing can be said of a drive that changes meanwhile. */
struct report_checks;
struct report_disk;
int disk_check(const struct command_env *env, struct report_checks *checks,
	       struct report_disk *ret_disk, struct error *err);
/* The last month that was closed, and what failed then; null: none was. */
json_t *last_close_json(const struct command_env *env, bool french);
/* ["2026-08", ...]: over, known, and not closed. */
json_t *months_due_json(const struct command_env *env);
json_t *command_month(const struct command_env *env,
		      const struct request *request, struct error *err);
/* Accrues up to now, with what the state directory takes. */
int ledger_tick_now(const struct command_env *env, struct error *err);
/* 12 * year + month - 1, UTC. */
int32_t month_of_second(int64_t at_s);
/* --- commands_policy.c -------------------------------------------------------
 */

struct flagged;
/* Those of the request's directory, else those in force; NULL: none. Give
 * them back by rules_done(). */
int rules_for(const struct command_env *env, const struct request *request,
	      struct rules **ret_rules, struct error *err);
void rules_done(const struct command_env *env, const struct request *request,
		struct rules *rules);
/* Gathers what the rules flag now. */
int plan_flagged(const struct command_env *env, struct rules *rules,
		 enum po_lang lang,
		 const struct ledger_departments *departments,
		 struct flagged *ret_flagged, struct error *err);
/* What du says of one inode; -E2BIG when more directories are below it. */
json_t *footprint_json(const struct command_env *env, uint64_t ino,
		       uint64_t max_directories, struct error *err);
/* What an agent is told of a file, whoever else has its bytes: the most that it
 * can cost. */
json_t *footprint_alone_json(const struct command_env *env, uint64_t ino,
			     struct error *err);
/* `result` as it is, which a command gives that changed who holds what: shares
 * of packs are counted again, as long as few files are packed. */
json_t *shares_counted(const struct command_env *env, json_t *result);
/* The rules that match one inode, and why: "flags", an array, and "left_out",
 * how many more do. NULL and -ENOENT: none does. `copies_hidden`: as if no
 * other file had the same bytes. */
json_t *flags_json(const struct command_env *env, uint64_t ino,
		   bool copies_hidden, struct error *err);
/* Adds to what explain says: whose it is, last use, rules and why. */
int explain_more(const struct command_env *env, const char *path, uint64_t ino,
		 bool french, json_t *result, struct error *err);
json_t *command_fsck(const struct command_env *env,
		     const struct request *request, struct error *err);

/* --- idle.c: the scheduler's idle class ------------------------------------
 */

/* Of this thread and those it starts. NULL, or why not: static words. */
const char *idle_enter(void);
/* A line of /proc/self/cgroup, which it cuts up. False: not of the cpu
 * controller (of version 1), nor of the unified hierarchy. */
bool idle_parse_cgroup(char *line, const char **ret_path, bool *ret_unified);
/* For ioprio_set(2): the usual one, whatever the class. */
int idle_io_priority(void);

/* --- load.c: who else wants the CPU ----------------------------------------
 */

/* Times of all CPUs, in proc_stat(5)'s ticks. */
struct load {
	uint64_t busy;
	uint64_t idle;
};
void load_start(struct load *load);
/* Most of the machine's CPU time since load_start() was nobody's. */
bool load_was_low(const struct load *since);
bool load_is_low(const struct load *since, const struct load *now);

/* --- turn.c: who may pack, unpack, collect: one at a time, in order, and at
 * the least priority, so that agents go first -------------------------------
 */

struct turn {
	int nice;	      /* of the thread that made it: the usual one */
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t moved;
	uint64_t next;
	uint64_t serving;
	const char *running; /* the holder's name for it; NULL */
};

int turn_init(struct turn *turn);
void turn_release(struct turn *turn);
void turn_take(struct turn *turn, const char *what);
void turn_give(struct turn *turn);
/* By who has it: those that wait now go first. */
void turn_give_way(struct turn *turn);
/* `*ret_running` is a literal, or NULL. */
void turn_look(struct turn *turn, uint64_t *ret_waiting,
	       const char **ret_running);

/* --- scrub.c: once a month, when nobody else wants the machine --------------
 */

struct daemon;
bool scrub_is_due(int64_t last_s, int64_t now_s);
/* After a minute in which the machine was idle; goes on for as long as it is.
 */
void daemon_scrub(struct daemon *d);

/* --- the daemon ------------------------------------------------------------
 */

#define ERRORS_KEPT	 8
#define CONNECTIONS_MAX	 32
#define PACK_ROUND_S	 60
#define SCAN_AGAIN_S	 60 /* after one that failed */
#define PACK_ROUND_FILES 256

struct past_error {
	int64_t at_s;
	char text[ERROR_TEXT_MAX];
};

struct daemon {
	const struct daemon_options *options;
	char uuid[UUID_TEXT_BYTES];
	char run_dir[64];
	char lower_root[4096]; /* the lower, from its file system's root */
	char source[64];       /* sobre#<uuid> */
	const char *idle_why;  /* static; NULL: of the idle class */
	int64_t since_s;
	dev_t dev;
	dev_t mount_dev;
	int state_fd; /* of the state directory */
	int run_fd;   /* of run_dir, locked for as long as we live */
	struct drive *drive;
	struct front *front;
	struct usage *usage;
	struct metering *metering; /* NULL: no meter is read by a program */
	struct turn turn;

	bool stop;   /* __atomic; drive_scan() wants a plain one */
	int wake_fd; /* eventfd: the loop has ended */
	int stop_fd; /* eventfd: readable from the stop on, never drained */

	pthread_t loop_thread;
	pthread_t packer_thread;
	pthread_t scan_thread;
	pthread_t accept_thread;
	bool loop_started;
	bool packer_started;
	bool scan_started;
	bool accept_started;
	struct error loop_error; /* written before wake_fd */
	int listen_fd;
	int spare_fd; /* of the control thread, for want of others */

	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t idle;  /* connections fell to 0 */
	unsigned int connections;
	bool describing;      /* a directory's footprint, for an agent */
	char rules_told[256]; /* why they stay as they were; "" */
	struct past_error errors[ERRORS_KEPT];
	unsigned int n_errors; /* ever */
	struct rate *rate;     /* owned, as of the last tick; NULL: not yet */
	bool ways_told;	       /* in the log, since they were last gone */
};

static inline bool daemon_stopping(const struct daemon *d)
{
	return __atomic_load_n(&d->stop, __ATOMIC_ACQUIRE);
}

/* Logged, and kept for status. */
void daemon_note_error(struct daemon *d, const char *what,
		       const struct error *err);

/* --- check.c ----------------------------------------------------------------
 */

/* Before the drive is opened: mounts, device. Fills what ways_find() must know
 * of the lower, and opens it, as daemon_open_below(). */
int check_lower(struct daemon *d, int *ret_tree_fd, struct error *err);
/* "already mounted at …" when it is, in place of `err`. */
void check_say_where(const char *lower, struct error *err);

/* --- notify.c ----------------------------------------------------------------
 */

/* To the socket that NOTIFY_SOCKET names, if it names one. */
void notify_ready(void);

/* --- rundir.c ----------------------------------------------------------------
 */

/* /run/sobre/<uuid>, and in it the lower (`tree_fd`, a detached mount); returns
 * it opened there. -EBUSY while another daemon holds the place. */
int rundir_make(struct daemon *d, int tree_fd, int *ret_lower_fd,
		struct error *err);
void rundir_remove(struct daemon *d);
/* Removes the places of daemons that were killed: nobody holds their lock,
 * nothing is mounted there, nobody answers. */
void rundir_sweep(void);

/* --- serve.c, control.c
 * ------------------------------------------------------- */

int control_listen(struct daemon *d, struct error *err);
void *control_main(void *daemon);
/* After d->stop: no connection is left when it returns. */
void control_stop(struct daemon *d);
/* Answers one request; the reply is a result or an error. */
json_t *daemon_answer(struct daemon *d, const struct request *request,
		      const struct command_env *env, uid_t uid,
		      struct error *err);

/* --- packer.c
 * ------------------------------------------------------------------ */

/* After a round of the background. `vain_ns`: spent on rounds that packed
 * nothing, one after the other; 0 at first. */
bool pack_goes_on(const struct pack_report *report, int tried, int64_t took_ns,
		  int64_t *vain_ns);
void *packer_main(void *daemon);
/* Looks for other ways in and marks the accepted ones. */
int daemon_ways(struct daemon *d, struct way_list *ret_list, struct error *err);
/* -EBUSY, naming them, when one is not accepted. */
int daemon_check_ways(struct daemon *d, struct error *err);

/* --- tick.c, describe.c
 * -------------------------------------------------------- */

/* The ledger up to now, and the rules as they are on disk. */
void daemon_tick(struct daemon *d);
/* A copy of the rate as of the last tick; false: there was none. */
bool daemon_rate(struct daemon *d, struct rate *ret_rate);
/* When the departments are others than the last time. */
void daemon_recharge(struct daemon *d);
/* Which opens are a person's use. */
int daemon_watch_use(struct daemon *d, struct error *err);
/* front_options.describe; `daemon` is one. */
int daemon_describe(void *daemon, const struct front_question *question,
		    char **ret_text);

/* --- start.c
 * ------------------------------------------------------------------- */

/* Opens, mounts, serves until unmounted. `ready_fd`: where to tell the parent
 * (-1: nobody). */
int daemon_serve(struct daemon *d, int ready_fd, struct error *err);

#endif
