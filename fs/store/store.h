/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_STORE_STORE_H
#define SOBREFS_STORE_STORE_H

/*
 * Contents, deduplicated and compressed: chunks in groups (extents) in
 * append-only packs, a recipe for each content, reference counts in the
 * catalog's tables pack, chunk, content (this module's own). Formats:
 * docs/format/pack.md. DESIGN invariants 1, 3, 4, 5.
 *
 * A content is known by its XXH3-128, which covers the bytes and the holes,
 * and its size. A hash finds candidates; bytes are compared before anything
 * is shared. Every extent read is checked against its checksum: wrong bytes
 * are never returned.
 *
 * Threads: reads from any thread; puts, gc and scrub repair by one thread at
 * a time (they take the catalog's writer).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "fs/base/clock.h"
#include "fs/base/error.h"
#include "fs/base/hash.h"
#include "fs/base/tier.h"
#include "fs/catalog/catalog.h"

struct store;

struct store_options {
	uint8_t uuid[16];     /* the drive's; packs of another are refused */
	struct hash_key key;  /* likewise in every pack header */
	uint64_t pack_bytes;  /* a pack is sealed at this size; 0: 256 MiB */
	size_t cache_bytes;   /* decoded extents kept; 0: 8 MiB */
	uint64_t stage_bytes; /* store_put(); 0: STORE_STAGE_BYTES */
	size_t recipe_bytes;  /* recipes of open bodies kept; 0: 256 MiB */
	bool readonly;
	bool rebuild; /* store_rebuild() follows: what no row knows is left to
			 it, so that packs are read once */
	struct clock clock;
};

/*
 * `packs_fd`: the directory packs/, kept by dup. Catches up with what a crash
 * left, and with a catalog that was lost or restored from an older copy: sound
 * records that no row knows are taken in as contents nobody uses (gc collects
 * them, stubs that name them find them); torn ones at the end of the open pack
 * are cut off before the first append. Takes the catalog's writer, unless
 * `readonly`.
 */
int store_open(int packs_fd, struct catalog *cat,
	       const struct store_options *options, struct store **ret_store,
	       struct error *err);
void store_close(struct store *store);
DEFINE_CLEANUP(struct store *, store_close)

/* --- putting ----------------------------------------------------------- */

struct store_put_result {
	struct hash128 content;
	bool known;	    /* the content was there already */
	bool verified;	    /* it was committed, and read back for comparing:
			       store_verify() would do that again */
	uint64_t new_bytes; /* appended to packs for it, headers included */
};

#define STORE_STAGE_BYTES (UINT64_C(64) << 20)

/* How hard it tries to compress; what it writes is read as fast either way. */
enum store_effort {
	STORE_EFFORT_LOW,  /* somebody waits, or wants the CPU */
	STORE_EFFORT_HIGH, /* nobody does */
};

/* Of the puts to come; low at first. By the thread that puts. */
int store_set_effort(struct store *store, enum store_effort effort,
		     struct error *err);

/* Asked, at each STORE_ASK_BYTES that store_put() and store_verify() read of a
 * file, by the thread that puts; false ends them, with -ECANCELED. NULL: nobody
 * is asked, as at first. */
#define STORE_ASK_BYTES (UINT64_C(8) << 20)
typedef bool store_go_on_fn(void *ctx);
void store_set_go_on(struct store *store, store_go_on_fn *go_on, void *ctx);

/*
 * Stores what `fd` (readable, `size_bytes` long) holds, holes included.
 * Inside a catalog transaction of the caller; rows are in that transaction.
 * Nothing may rely on it before store_sync() and then catalog_commit().
 * A file of more than STORE_STAGE_BYTES is stored in stages: the caller's
 * transaction is committed and begun anew again and again, so that others may
 * write the catalog; chunks that no content counts are all that it leaves when
 * it fails. After a failure the transaction may have ended: catalog_rollback()
 * all the same.
 * Errors: -SOBRE_ECOLLISION (equal hash, other bytes: leave the file plain),
 * -SOBRE_ECHANGED (another length than `size_bytes`, or it changed while it
 * was read), -EFBIG (more than some 400 GiB of data, or
 * less than 1,536 bytes a chunk or hole), -ECANCELED, -ENOSPC, -EROFS; after
 * an error roll the transaction back and call store_abort(). Moves the offset
 * of `fd`. Needs 18 MiB of memory, whatever the size, and 20 bytes a chunk.
 */
int store_put(struct store *store, int fd, uint64_t size_bytes,
	      struct store_put_result *ret_result, struct error *err);
/* Packs durable; call before catalog_commit(). */
int store_sync(struct store *store, struct error *err);
/* After a rollback or a failed commit: packs are again what is committed. */
void store_abort(struct store *store);
/* Bytes appended since the store was opened, aborted ones included. */
uint64_t store_appended(const struct store *store);
/*
 * Reads the stored content back, decoding every extent afresh (no cache),
 * and compares it with `fd`, holes too. 0 equal; -SOBRE_ECHANGED when they
 * differ; other codes when it can't be read. For invariant 1.
 */
int store_verify(struct store *store, const struct hash128 *content, int fd,
		 uint64_t size_bytes, struct error *err);

/* --- reading ----------------------------------------------------------- */

/* One content, opened. Its recipe, 28 bytes a chunk or hole, goes from memory
 * when too much of it is others', and is read again at the next use. */
struct store_body;

/* -SOBRE_ENOCHUNK: not in the store, or its size isn't `size_bytes`. */
int store_body_open(struct store *store, const struct hash128 *content,
		    uint64_t size_bytes, struct store_body **ret_body,
		    struct error *err);
void store_body_close(struct store_body *body);
DEFINE_CLEANUP(struct store_body *, store_body_close)
/* Fills `buf` with up to `len` bytes at `off`, zeros for holes. Returns the
 * bytes read (short only at the end), or negative: -SOBRE_ECORRUPT,
 * -SOBRE_ENOCHUNK. Several threads may read one body. */
ssize_t store_body_read(struct store_body *body, void *buf, size_t len,
			uint64_t off, struct error *err);
/* lseek()'s SEEK_DATA and SEEK_HOLE, from the recipe; -ENXIO likewise. Other
 * codes: the recipe can't be read again. */
int64_t store_body_seek(struct store_body *body, int64_t off, int whence);

/* --- whose the stored bytes are ---------------------------------------- */

/*
 * For the ledger. An extent's bytes in its pack, header and padding included,
 * are its chunks' in proportion to their lengths, and add up to it exactly.
 * Each chunk knows how often the files of each department hold it; those that
 * do are its set. That is bookkeeping only: what is live is decided by
 * references (store_gc()).
 *
 * Recipes and what is dead are of nobody: overhead. A chunk in no file of any
 * department is of nobody either, so sets below are never empty.
 */

/* The stored bytes of a set's chunks became more, or less; `moved`: because
 * chunks went to another set, or came from one: both are told so. In a
 * transaction of the caller of what changed them; an error undoes that. It may
 * not call the store. A set may come several times. */
typedef int store_charge_fn(void *ctx, const struct dept_set *set,
			    int64_t delta_bytes, bool moved, struct error *err);
/* `fn` NULL: nobody any more; then what changes notes in the catalog's meta
 * that all is to be counted again (STORE_META_RECOUNT = 1). */
void store_on_charge(struct store *store, store_charge_fn *fn, void *ctx);
#define STORE_META_RECOUNT "ledger_recount"

/*
 * One more file of `gained` holds the content, one less of `lost` does; either
 * may be NULL. In a transaction, after store_sync(). A recipe that can't be
 * read, or uses that don't add up, are no error: that is logged, and the
 * recount noted.
 */
int store_use(struct store *store, const struct hash128 *content,
	      const struct dept_set *gained, const struct dept_set *lost,
	      struct error *err);
/* No file holds anything any more, and the charges are taken back: what a
 * recount begins with. In a transaction. */
int store_use_forget(struct store *store, struct error *err);

struct store_share {
	uint128 own_q64;	  /* in 2^-64 bytes: store_share_bytes() */
	uint64_t exclusive_bytes; /* of chunks that no other file holds */
	uint64_t stored_bytes;	  /* of its chunks, each once */
	bool complete;		  /* false: a chunk doesn't know of this file,
				     and isn't in the sums: recount */
	bool alone;		  /* no other file holds any of its chunks */
};
/* As store_use(), and what the file is charged then, one of `set` (which has
 * come to hold it, or goes on; empty: none does any more, and only `alone`
 * tells something): what no other file holds changes nobody else's share. */
int store_use_share(struct store *store, const struct hash128 *content,
		    const struct dept_set *gained, const struct dept_set *lost,
		    const struct dept_set *set, struct store_share *ret_share,
		    struct error *err);
/*
 * What one of the files that hold the content, one of `set`, is charged: of
 * each chunk, for each of its departments, stored / (departments of the chunk
 * x times that department's files hold it), times how often it holds it. The
 * shares of all files add up to what is stored: sum them as they are, and
 * round once. As committed. -SOBRE_ENOCHUNK: not in the store.
 */
int store_share(struct store *store, const struct hash128 *content,
		const struct dept_set *set, struct store_share *ret_share,
		struct error *err);
/* Of one share, or a sum of them; to the nearest. */
uint64_t store_share_bytes(uint128 own_q64);

/* What the store holds for each set, from its rows, in no order. The charges
 * since store_use_forget() add up to the same. As committed. */
int store_set_sums(struct store *store,
		   int (*each)(void *ctx, const struct dept_set *set,
			       uint64_t bytes, struct error *err),
		   void *ctx, struct error *err);

/* --- what packing would give ------------------------------------------- */

/*
 * Without a store, a drive or a catalog, and writing nothing: files are read,
 * cut, compared by hash and compressed as store_put() would, in the order
 * given. Hashes stand for bytes here: that two of 100 million chunks are
 * taken for one has a chance below one in 100,000, and costs one chunk.
 *
 * Memory: 4 MiB, and 9 to 19 bytes for each different chunk and content
 * (32 KiB a chunk on average: some 0.5 GiB for 1 TiB of different data).
 * One thread.
 */
struct store_estimate;

struct store_estimate_options {
	uint64_t pack_bytes;	  /* 0: as store_options */
	unsigned int batch_files; /* then store_sync(); 0: as the packer */
	uint64_t batch_bytes;	  /* likewise */
};

int store_estimate_new(const struct store_estimate_options *options,
		       struct store_estimate **ret_estimate, struct error *err);
void store_estimate_free(struct store_estimate *estimate);
DEFINE_CLEANUP(struct store_estimate *, store_estimate_free)

struct store_estimate_result {
	struct hash128 content; /* by a key of this estimate */
	bool known;		/* an equal content came before: read once */
	uint64_t new_bytes;	/* of chunks that didn't come before, as they
				   are before compression */
};
/* As store_put() of a file; its errors but -SOBRE_ECOLLISION, and -EFBIG for
 * what is all parts. After one
 * (-SOBRE_ECHANGED: the file changed) what was read of it is counted, and the
 * next file may come. Moves the offset of `fd`. */
int store_estimate_add(struct store_estimate *estimate, int fd,
		       uint64_t size_bytes,
		       struct store_estimate_result *ret_result,
		       struct error *err);

struct store_estimate_totals {
	uint64_t files;
	uint64_t logical_bytes;
	uint64_t contents;	/* different ones */
	uint64_t content_bytes; /* their sizes */
	uint64_t data_bytes;	/* of them, without the holes */
	uint64_t chunks;	/* different ones */
	uint64_t chunk_bytes;	/* their lengths: deduplicated */
	uint64_t extent_bytes;	/* compressed, with headers, tables, padding */
	uint64_t recipe_bytes;	/* likewise */
	uint64_t packs;
	uint64_t stored_bytes; /* all of it, pack headers too */
};
/* Of all that was added, as if packing ended here; more may be added. */
void store_estimate_totals(struct store_estimate *estimate,
			   struct store_estimate_totals *ret_totals);
/*
 * When the files are a sample, each taken by itself with the same chance: how
 * far stored / logical bytes may be from that of other samples alike, one
 * standard deviation, in millionths (delete-a-group jackknife over 32 groups
 * of neighbours). It says nothing of copies and common chunks between what is
 * in the sample and what isn't: a sample of N % sees about N % of the pairs,
 * so scaling it up says too much will be stored, seldom too little.
 * UINT64_MAX when there is too little to tell: under 32 extents, or most of it
 * one file.
 */
uint64_t store_estimate_scatter_ppm(struct store_estimate *estimate);

/* --- upkeep ------------------------------------------------------------ */

/* Called now and then by long work; false: stop, with -ECANCELED. */
typedef bool store_progress_fn(void *ctx, uint64_t done, uint64_t total);

struct store_gc_options {
	int64_t grace_s;	       /* between condemning and unlinking */
	unsigned int min_live_percent; /* below: rewritten; 0: 50 */
	enum store_effort effort;      /* of what is rewritten; high only makes
					  it smaller */
	int sync_fd; /* of the lower, for syncfs(2) before unlinking */
	/* Looks at the inode again, by handle: is it a stub of `content`? */
	bool (*still_used)(void *ctx, const struct catalog_inode *tied,
			   const struct hash128 *content);
	store_progress_fn *progress; /* may be NULL */
	void *ctx;
};

struct store_gc_result {
	uint64_t contents_dropped;
	uint64_t packs_condemned;
	uint64_t packs_unlinked;
	uint64_t bytes_rewritten; /* written to packs */
	uint64_t bytes_live;	  /* what of them was live took before */
	uint64_t bytes_freed;
};

/* One pass. -EAGAIN while catalog_needs_scan(), or after a rebuild that did
 * not end: counts can't be trusted. -ECANCELED: what is done is done, the next
 * pass goes on. -SOBRE_ECORRUPT, -SOBRE_ENOCHUNK, -EIO: a content that is in
 * use can't be counted; nothing was dropped. -ENOSPC: nothing was freed; what
 * is wholly dead goes before room is missed. Not inside a transaction. Whenever
 * `progress` is called nothing is begun, and others may put. */
int store_gc(struct store *store, const struct store_gc_options *options,
	     struct store_gc_result *ret_result, struct error *err);

struct store_scrub_result {
	uint64_t records;
	uint64_t bytes;
	uint64_t bad_records;
	uint64_t dead_records; /* damaged where nothing is stored any more, or
				  was never committed: no file is hurt */
	uint64_t bad_chunks;   /* quarantined: equal new data is stored
				  afresh and heals the files */
};

/* Reads and checks every record of every pack, and mends their headers.
 * `bad` is called for each content that can't be read whole any more; may be
 * NULL. What was marked bad and reads well again is good again. */
int store_scrub(struct store *store, store_progress_fn *progress,
		void (*bad)(void *ctx, const struct hash128 *content),
		void *ctx, struct store_scrub_result *ret_result,
		struct error *err);

/* A part of it, for who has time now and then: the next pack after `*after`,
 * which becomes that one. 1; 0: there is none, and `bad` was called as above.
 */
int store_scrub_next(struct store *store, uint64_t *after,
		     store_progress_fn *progress,
		     void (*bad)(void *ctx, const struct hash128 *content),
		     void *ctx, struct error *err);

/* Packs alone to tables: empties pack, chunk and content, then reads every
 * pack. Counts are those of the contents found; gc finds out which of them
 * nobody uses. A pack of another drive ends it, -SOBRE_ECORRUPT. */
int store_rebuild(struct store *store, store_progress_fn *progress, void *ctx,
		  struct error *err);

struct store_totals {
	uint64_t packs;
	uint64_t pack_bytes; /* on disk */
	uint64_t dead_bytes; /* of them, of no live content */
	uint64_t contents;
	uint64_t content_bytes; /* sizes of the unique contents */
	uint64_t chunks;
	uint64_t bad_chunks;
	/* Of chunks that contents use: their bytes, each once; what those after
	 * the first use would have taken again; what they take, compressed. */
	uint64_t chunk_bytes;
	uint64_t shared_bytes;
	uint64_t stored_bytes;
};
int store_totals(struct store *store, struct store_totals *ret_totals,
		 struct error *err);

/* Does the recipe name only chunks that the catalog knows and packs hold?
 * 0, -SOBRE_ENOCHUNK or -SOBRE_ECORRUPT. For fsck. */
int store_content_check(struct store *store, const struct hash128 *content,
			uint64_t size_bytes, struct error *err);

#endif
