/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_LEDGER_INTERNAL_H
#define SOBREFS_LEDGER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "fs/ledger/ledger.h"

/* --- sets ---------------------------------------------------------------- */

/* As stored: 16 bits a member, little-endian. */
#define MEMBERS_BYTES_MAX (SET_MEMBERS_MAX * sizeof(uint16_t))

void dept_set_add(struct dept_set *set, uint16_t department);
bool dept_set_same(const struct dept_set *a, const struct dept_set *b);
int dept_set_compare(const struct dept_set *a, const struct dept_set *b);
/* What is in `a` and not in `b`. */
void dept_set_minus(const struct dept_set *a, const struct dept_set *b,
		    struct dept_set *ret_set);
void dept_set_bind(struct catalog_stmt *s, int at, const struct dept_set *set);
/* False: no set that this module wrote. */
bool dept_set_read(struct catalog_stmt *s, int col, struct dept_set *ret_set);

/* --- places --------------------------------------------------------------
 * Where a name stands in the tree of configured paths: at a node of it, or
 * somewhere below one off the configured paths.
 */

#define PLACE_NONE    0 /* of no directory */
#define PLACE_UNKNOWN (-1)
#define PLACE_ROOT    3

#define NO_DEPARTMENT (-1)

struct place_node {
	uint32_t parent;
	char *name;
	int32_t order; /* of the first department with this path */
	int32_t number;
};

struct places {
	struct place_node *node; /* [0] is not used, [1] is the root */
	uint32_t n;
	uint32_t *slot; /* hashed by parent and name; 0 is empty */
	uint32_t slots; /* a power of two */
};

/* `number`: of each department, in the order given. */
int places_build(const struct ledger_department *departments,
		 const uint16_t *number, unsigned int n,
		 struct places *ret_places, struct error *err);
void places_release(struct places *places);
int64_t place_below(const struct places *places, int64_t place,
		    const char *name);
/* A department's number, or NO_DEPARTMENT. */
int32_t place_department(const struct places *places, int64_t place);

struct group {
	uint32_t gid;
	uint16_t number;
};

/* --- months -------------------------------------------------------------- */

int32_t month_of(int64_t s);
int64_t month_start(int32_t month);

/* --- what changed, before it is written ---------------------------------- */

struct delta {
	bool used;
	enum tier tier;
	struct dept_set set;
	int64_t bytes;
};

struct deltas {
	struct delta *slot;
	size_t cap; /* a power of two */
	size_t n;
};

int deltas_add(struct deltas *deltas, enum tier tier,
	       const struct dept_set *set, int64_t bytes, struct error *err);
void deltas_release(struct deltas *deltas);

/* --- what changed of folders, before it is written ----------------------- */

struct charge;

struct folder_sums {
	int64_t files;
	int64_t packed; /* of them */
	int64_t blocks;
	int64_t logical_high; /* sums of size_bytes >> 20 and the rest */
	int64_t logical_low;
	int64_t own_high; /* as in struct charge */
	int64_t own_low;
	int64_t exclusive_bytes;
};

struct folder_change {
	uint64_t ino; /* 0: free */
	bool placed;  /* `parent` is told */
	bool less;    /* it may hold nothing any more */
	uint64_t parent;
	struct folder_sums sums; /* added to the row's */
};

struct folders {
	struct folder_change *slot; /* hashed by ino */
	size_t cap;		    /* a power of two */
	size_t n;
};

/* What the charge puts in its folder's sums, taken back when `sign` is -1. */
int folders_add(struct folders *folders, const struct charge *charge, int sign,
		struct error *err);
/* Where the directory is; 0: nowhere. */
int folders_place(struct folders *folders, uint64_t ino, uint64_t parent,
		  struct error *err);
/* Inside a transaction; once. */
int folders_write(struct catalog *cat, const struct folders *folders,
		  struct error *err);
void folders_release(struct folders *folders);
/* Inside a transaction: all rows again, from what is charged. */
int folders_again(struct catalog *cat, struct error *err);
/* As eight columns from `col` on; false when they can't be. */
bool folder_sums_read(struct catalog_stmt *s, int col,
		      struct folder_sums *ret_sums);

/* --- the ledger ---------------------------------------------------------- */

struct ledger {
	struct catalog *cat;
	struct store *store; /* may be NULL */
	struct clock clock;
	struct places places;
	struct group *group; /* by gid */
	unsigned int groups;
	atomic_bool recharge_due;
	pthread_mutex_t count_lock; /* one pass at a time; before the writer */

	/* Guarded by the catalog's writer. */
	int64_t now_s;	   /* the latest that was ever accrued to */
	int64_t watched_s; /* observed up to then */
	bool in_hook;
	/* Of the hook that runs: */
	struct deltas deltas;
	struct folders folders;
	bool others;		 /* shares of other files changed */
	enum ledger_cause cause; /* of what the store tells */
};

/* The clock's, but never before what it once was. Inside a transaction. */
int64_t ledger_clock(struct ledger *ledger);

#define META_FIRST	 "ledger_first_s"
#define META_FLOWS	 "ledger_flows_s"
#define META_NOW	 "ledger_now_s"
#define META_CONFIG	 "ledger_config"
#define META_RECHARGE	 "ledger_recharge"
#define META_RECHARGE_AT "ledger_recharge_at"
enum recharge {
	RECHARGE_NONE = 0,
	RECHARGE_DUE = 1,
	RECHARGE_RUNS = 2
};
/* Inside a transaction: what was charged can't be trusted. */
int recharge_note(struct ledger *ledger, struct error *err);
/* Inside a transaction: where directories are is to be found out afresh. */
int places_forget(struct ledger *ledger, struct error *err);

/* What departments claim, as configured last. */
struct claim {
	char *id;
	char *name;
	char **path;
	uint32_t *gid;
	unsigned int paths;
	unsigned int gids;
};
struct claims {
	struct claim *claim;		      /* owned */
	struct ledger_department *department; /* [n], owned; borrows */
	unsigned int n;
};
/* All three inside a transaction. */
int claims_save(struct catalog *cat,
		const struct ledger_department *departments, unsigned int n,
		struct error *err);
int claims_load(struct catalog *cat, struct claims *ret_claims,
		struct error *err);
void claims_release(struct claims *claims);

/* All inside a transaction of this thread. */
int departments_record(struct catalog *cat,
		       const struct ledger_department *departments,
		       unsigned int n, int32_t today, uint16_t *ret_number,
		       struct error *err);
/* Adds to a holding, having accrued what it was up to now. */
int holding_add(struct ledger *ledger, enum tier tier,
		const struct dept_set *set, int64_t bytes, struct error *err);
/* Makes it `bytes`. */
int holding_put(struct ledger *ledger, enum tier tier,
		const struct dept_set *set, int64_t bytes, struct error *err);
/* Each that is held, with 0 bytes. */
int holdings_list(struct ledger *ledger, struct deltas *keys,
		  struct error *err);
int holdings_accrue(struct ledger *ledger, struct error *err);
int deltas_write(struct ledger *ledger, struct error *err);
int observed_add(struct ledger *ledger, int64_t from_s, int64_t to_s,
		 struct error *err);

/* --- charges ------------------------------------------------------------- */

/* Sums must not overflow, whatever a sparse file says: more counts as this. */
#define CHARGE_BYTES_MAX (INT64_C(1) << 46) /* 64 TiB */

struct charge {
	int64_t btime_ns;
	int64_t place; /* of a directory, else PLACE_NONE */
	struct dept_set set;
	int64_t blocks;
	int64_t size_bytes; /* of a regular file, else 0 */
	bool regular;
	bool packed; /* and the store was told of `content` */
	struct hash128 content;
	/* The directory whose folder row counts it: of a directory itself; 0:
	 * none, as it has several names, or no name. */
	uint64_t parent;
	/* Its share of packs as counted last: bytes, and 2^-32 of them. */
	int64_t own_high;
	int64_t own_low;
	int64_t exclusive_bytes;
};

/* A share as a charge keeps it, rounded down; and sums of such, in 2^-64. */
void charge_share(struct charge *charge, const struct store_share *share);
static inline uint128 own_join(int64_t high, int64_t low)
{
	return ((uint128)high << 64) + ((uint128)low << 32);
}

/* 1, 0: there is none. */
int charge_get(struct catalog *cat, uint64_t ino, struct charge *ret_charge,
	       struct error *err);
int charge_put(struct ledger *ledger, uint64_t ino, const struct charge *charge,
	       struct error *err);
int charge_delete(struct ledger *ledger, uint64_t ino, struct error *err);
/* Runs what takes an inode alone, within the writer's transaction. */
int write_ino(struct catalog *cat, const char *sql, uint64_t ino,
	      struct error *err);

/* --- counting shares ----------------------------------------------------- */

#define META_SHARES_DIRTY "ledger_shares_dirty"
#define META_SHARES_RUNS  "ledger_shares_runs"
#define META_SHARES_AT	  "ledger_shares_at"
#define META_SHARES_S	  "ledger_shares_s"
/* Inside a transaction: not all shares are as they were counted. */
int shares_note(struct ledger *ledger, struct error *err);

/* --- checking ------------------------------------------------------------ */

struct check {
	struct catalog *cat;
	struct store *store;
	void (*bad)(void *ctx, const char *text);
	void *ctx;
	int differences;
	struct deltas sums; /* found, less what is held */
};
void check_differs(struct check *check, const char *text);
/* Of each inode number that the statement gives: "inode N " and `what`. */
int check_inos(struct check *check, struct catalog_stmt *s, const char *what,
	       struct error *err);
int check_folders(struct check *check, struct error *err);

/* --- flow.c --- */

/* Tiers of running sums, by cause: what it added, then what it took. On disk:
 * docs/format/catalog.md. */
#define TIER_FLOWS     16
#define TIER_FLOWS_END (TIER_FLOWS + 2 * LEDGER_CAUSES)

/* Inside a transaction: `bytes` came to the set, or went when negative. */
int flow_add(struct ledger *ledger, enum ledger_cause cause,
	     const struct dept_set *set, int64_t bytes, struct error *err);
/* Of an inode's blocks. */
int flow_blocks(struct ledger *ledger, const struct charge *old,
		const struct charge *charge, struct error *err);
/* ret_month with `month` set: its rows of tiers, or of flows. */
int month_rows(struct catalog *cat, bool flows, int64_t now_s,
	       struct ledger_month *ret_month, struct error *err);

/* Of catalog_on_commit(), and of store_on_charge(). */
int ledger_commit(void *ctx, const uint64_t *inos, size_t n, struct error *err);
int ledger_charged(void *ctx, const struct dept_set *set, int64_t delta_bytes,
		   bool moved, struct error *err);

/* Where the directories are, as far as a hook's call met them. */
struct known_place {
	uint64_t ino;
	uint64_t parent; /* 0: none */
	int64_t place;
};
struct look {
	struct ledger *ledger;
	struct known_place *known; /* hashed; place PLACE_NONE is empty */
	size_t cap;
	size_t n;
};
void look_release(struct look *look);
/*
 * Looks at an inode again. Directories above it that are not charged yet are
 * too: what is charged has a parent that is, so that a directory that moves
 * and has no charge has nothing below it to look at.
 */
int look_at(struct look *look, uint64_t ino, struct error *err);

/* --- where.c --- */

/* As charge_get(); a row that can't be is taken for none, and all is charged
 * again. */
int charge_get_sound(struct ledger *ledger, uint64_t ino,
		     struct charge *ret_charge, struct error *err);
bool ledger_is_place(const struct ledger *ledger, int64_t place);
/* Of a directory. `self`: the inode that is looked at, and charged by who does
 * so; or 0. */
int look_place(struct look *look, uint64_t ino, uint64_t self,
	       int64_t *ret_place, struct error *err);
/* Says in which directory it is, in its row. Its place is known. */
int look_folder(struct look *look, uint64_t ino, struct error *err);

/* --- whose.c --- */

/* What it is to be charged with. The set stays empty when nothing says where it
 * is; the share of packs is 0. */
int look_charge(struct look *look, const struct catalog_inode *inode,
		struct charge *charge, struct error *err);
/* What holds of the old charge: an inode without a name stays whose it was, and
 * what it was counted to share holds as long as its content does. */
void look_keep_set(struct look *look, uint32_t gid, struct charge *charge,
		   const struct charge *old);
void charge_keep_share(struct charge *charge, const struct charge *old);
bool charge_same_content(const struct charge *a, const struct charge *b);

#endif
