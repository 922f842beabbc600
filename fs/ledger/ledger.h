/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_LEDGER_LEDGER_H
#define SOBREFS_LEDGER_LEDGER_H

/*
 * Who keeps how many bytes, for how long: exact integrals of bytes over time
 * (byte-seconds), per set of departments and tier, in calendar months (UTC).
 * DESIGN invariant 8 and section 9; reference: docs/design/footprint.md.
 *
 * The ledger follows the catalog: in every transaction that commits, just
 * before it does, the inodes touched by it are looked at again, what each was
 * charged with last is taken back, and what it holds now is charged (table
 * charge). So the ledger is exactly as old as the catalog, a crash leaves
 * both as they were, and the order of events doesn't matter. A chunk is
 * charged to the set of departments whose files hold it.
 *
 * Time is the clock's, whole seconds UTC; when it goes back, nothing accrues
 * until it has caught up.
 *
 * Threads: any; what writes takes the catalog's writer.
 */

#include <stdbool.h>
#include <stdint.h>

#include "fs/base/clock.h"
#include "fs/base/error.h"
#include "fs/base/tier.h"
#include "fs/catalog/catalog.h"
#include "fs/store/store.h"

struct ledger;

/* A department as configured; all borrowed. `paths`: "/Ville/Urbanisme",
 * normal form, from the root ("/" is the whole drive). */
struct ledger_department {
	const char *id;	  /* "urb"; "other" is taken */
	const char *name; /* "Urbanisme" */
	const char *const *paths;
	unsigned int n_paths;
	const uint32_t *gids;
	unsigned int n_gids;
};

/*
 * Hooks itself into the catalog's transactions and the store's charges. The
 * departments given are recorded with numbers of their own (table
 * department): an id keeps its number for ever; one no longer given ends.
 * When they differ from those of the last run, ledger_recharge() is due.
 * First match wins: by path, for all departments, in order; then by group.
 * `departments` NULL: those of the last time.
 */
int ledger_open(struct catalog *cat, struct store *store,
		const struct ledger_department *departments, unsigned int n,
		const struct clock *clock, struct ledger **ret_ledger,
		struct error *err);
/* Unhooks; accrues up to now. Before catalog_close(). */
void ledger_close(struct ledger *ledger);
DEFINE_CLEANUP(struct ledger *, ledger_close)

bool ledger_needs_recharge(const struct ledger *ledger);
/* Looks at every inode again, in transactions of some thousand. `stop` is
 * looked at between them: -ECANCELED, to go on at the next start. */
int ledger_recharge(struct ledger *ledger, const bool *stop, struct error *err);

/*
 * Now and then (every minute), and before a report: accrues up to now, says
 * that these seconds were observed, and takes `state_bytes` (st_blocks x 512
 * of all of the state directory; UINT64_MAX: as before).
 */
int ledger_tick(struct ledger *ledger, uint64_t state_bytes, struct error *err);

/* --- reading, with a catalog alone: nothing need run --------------------- */

struct ledger_department_row {
	uint16_t number;
	char *id;	   /* owned */
	char *name;	   /* owned */
	int32_t since_day; /* days since 1970 */
	int32_t until_day; /* INT32_MAX: still there */
};
struct ledger_departments {
	struct ledger_department_row *row; /* by number; [0] is "other" */
	unsigned int n;
};
int ledger_departments(struct catalog *cat,
		       struct ledger_departments *ret_departments,
		       struct error *err);
void ledger_departments_release(struct ledger_departments *departments);

/* Of one calendar month, UTC; `month` is 12 * year + (month - 1). */
struct ledger_month {
	int32_t month;
	int64_t start_s;    /* of the month */
	int64_t end_s;	    /* of it, or now when it is not over */
	int64_t first_s;    /* the first second the ledger knows anything of */
	int64_t observed_s; /* seconds in it that a daemon watched */
	struct tier_time *row; /* owned; by tier, then set */
	unsigned int n;
};
/* Exact up to `now_s`: what was not yet accrued is added, nothing is written.
 * -ENOENT when the ledger knows nothing of the month; -EINVAL when it lies
 * after `now_s`. */
int ledger_month_get(struct catalog *cat, int32_t month, int64_t now_s,
		     struct ledger_month *ret_month, struct error *err);
void ledger_month_release(struct ledger_month *month);

/* Why what is held changed. */
enum ledger_cause {
	CAUSE_NEW,    /* files that are new or grew */
	CAUSE_GONE,   /* removed, or shrank */
	CAUSE_PACKED, /* packed, or unpacked; packs written anew */
	CAUSE_MOVED,  /* from one department to another; or departments were
			 configured otherwise */
	CAUSE_SHARED, /* others came to hold what a set holds, or ceased to */
	LEDGER_CAUSES
};
/*
 * Running sums since `since_s` of what a cause added to what a set stores
 * (HOT and PACKED), or took from it, over time: as holdings are. So the
 * difference of their means over two months is what that cause changed of the
 * mean, and all causes together changed it by what the rows of tiers say, but
 * for what a recharge put right.
 */
struct ledger_flow {
	struct dept_set set;
	enum ledger_cause cause;
	bool less; /* what it took */
	uint128 byte_seconds;
};
struct ledger_flows {
	int64_t since_s;
	struct ledger_flow *row; /* owned */
	unsigned int n;
};
/* As ledger_month_get(). */
int ledger_flows_get(struct catalog *cat, int32_t month, int64_t now_s,
		     struct ledger_flows *ret_flows, struct error *err);
void ledger_flows_release(struct ledger_flows *flows);

/* What is held now: tier_time.byte_seconds are bytes (times one second). */
int ledger_now(struct catalog *cat, struct tier_time **ret_rows,
	       unsigned int *ret_n, struct error *err);

/* Whose an inode is, as it was charged last. -ENOENT: it wasn't yet. */
int ledger_set(struct catalog *cat, uint64_t ino, struct dept_set *ret_set,
	       struct error *err);

/* The footprint of an inode, or of a directory and all below it. */
struct ledger_footprint {
	uint64_t files;
	uint64_t packed_files; /* of them */
	uint64_t logical_bytes;
	uint64_t hot_bytes;	  /* on the lower; a hard link counts once */
	uint64_t packed_bytes;	  /* own share of packs, rounded once */
	uint64_t exclusive_bytes; /* what deleting it alone would free; of a
				     directory: the sum over its files, a
				     lower bound */
	bool shares_current;	  /* false: packed and exclusive bytes of packed
				     files are as they were counted */
	struct dept_set set;	  /* whose it is; of a directory: its own */
};
/*
 * Of a file as it is now; `store` may be NULL: packed and exclusive bytes of
 * a packed file are then not known, 0. Of a directory by the rows of the
 * directories below it: shares as ledger_count_shares() left them.
 * -ENOENT: not charged yet; -EAGAIN: of a directory, while ledger_recharge()
 * is due.
 */
int ledger_footprint(struct catalog *cat, struct store *store, uint64_t ino,
		     struct ledger_footprint *ret_footprint, struct error *err);
/* The same; -E2BIG when there are more than so many directories below. */
int ledger_footprint_within(struct catalog *cat, struct store *store,
			    uint64_t ino, uint64_t max_directories,
			    struct ledger_footprint *ret_footprint,
			    struct error *err);

/* --- all files, in one pass ---------------------------------------------- */

#define LEDGER_NAME_BYTES 256

/* A regular file as it was charged last. */
struct ledger_file {
	uint64_t ino;
	uint64_t parent; /* the directory of its only name; 0: of several, or
			    of none */
	struct dept_set set;
	uint64_t size_bytes;
	uint64_t hot_bytes;
	uint64_t packed_bytes;	  /* own share of packs as counted last, rounded
				     down */
	uint64_t exclusive_bytes; /* what deleting it alone would free */
	bool packed;
	/* Days since 1970. `used`: a person's use, or its mtime when that is
	 * later. `changed`: the later of mtime and ctime. */
	int32_t used_day;
	int32_t changed_day;
	const char *name; /* one of its names, borrowed until `each` returns;
			     "": none */
};
/* One that returns other than 0 ends the pass, and that is returned. It may
 * read. */
typedef int ledger_file_fn(void *ctx, const struct ledger_file *file,
			   struct error *err);
/* By inode number, of one moment. -EAGAIN while ledger_recharge() is due. */
int ledger_files(struct catalog *cat, ledger_file_fn *each, void *ctx,
		 struct error *err);

/* A directory, and what lies directly in it, itself included. */
struct ledger_folder {
	uint64_t ino;
	uint64_t parent; /* the directory it is in; 0: none */
	struct dept_set set;
	uint64_t files;
	uint64_t stored_bytes;	  /* with shares of packs as counted last */
	uint64_t exclusive_bytes; /* a lower bound, as in a footprint */
};
typedef int ledger_folder_fn(void *ctx, const struct ledger_folder *folder,
			     struct error *err);
/* As ledger_files(). */
int ledger_folders(struct catalog *cat, ledger_folder_fn *each, void *ctx,
		   struct error *err);

/* --- counting shares ----------------------------------------------------- */

/*
 * A file's share of packs changes when other files come to hold its chunks,
 * or cease to. What is kept of it for sums over directories is counted when
 * the file itself changes, and by this pass over all packed files.
 */
struct ledger_shares {
	bool current; /* nothing has changed any since they were counted */
	bool counted; /* a pass has ever ended: */
	int64_t counted_s;
};
void ledger_shares(struct catalog *cat, struct ledger_shares *ret_shares);
/* Is a pass due: at once as long as few files are packed, else once a day, and
 * while one is under way? */
bool ledger_shares_due(struct ledger *ledger);
/*
 * Begins a pass, or goes on with the one under way; reads beside the writer
 * and takes it for short. `max_files`: to look at, now; 0: all.
 * `stop` may be NULL. 1: there are
 * more; 0: the pass has ended; -ECANCELED: stopped, to go on later. A
 * thread waits for another's.
 */
int ledger_count_shares(struct ledger *ledger, uint64_t max_files,
			const bool *stop, struct error *err);

/*
 * Invariant 8, from scratch: sums of charges against what is held and against
 * what folders hold, sums of chunks against PACKED. Calls `bad` with a sentence
 * for each difference, and returns how many, or negative.
 */
int ledger_check(struct catalog *cat, struct store *store,
		 void (*bad)(void *ctx, const char *text), void *ctx,
		 struct error *err);

#endif
