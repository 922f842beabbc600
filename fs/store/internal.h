/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_STORE_INTERNAL_H
#define SOBREFS_STORE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "fs/store/format.h"
#include "fs/store/store.h"

#define PACK_BYTES_DEFAULT  (UINT64_C(256) << 20)
#define CACHE_BYTES_DEFAULT ((size_t)8 << 20)
#define FRESH_BYTES	    ((size_t)8 << 20)
#define RECIPES_BYTES	    ((size_t)256 << 20)
#define FILES_MAX	    64
#define CACHE_SLOTS	    256
#define PACK_NAME_BYTES	    40
/* A content up to this size is read once; larger ones twice, through it. */
#define WINDOW_BYTES ((size_t)1 << 20)
/* Rows of chunks that are counted but not held; no pack has this number. */
#define PACK_NONE 0

/* Of the table pack. */
enum pack_state {
	PACK_OPEN = 0,	    /* appended to */
	PACK_SEALED = 1,    /* full */
	PACK_CONDEMNED = 2, /* nothing live in it; waits for its grace */
	PACK_EMPTIED = 3,   /* no row names it; to be unlinked */
};

/* --- pack files, open for reading (files.c) ------------------------------- */

struct pack_file {
	uint64_t id;
	uint64_t tick;
	unsigned int users;
	int fd; /* -1: slot is free */
	bool stale;
};

struct pack_files {
	pthread_mutex_t mutex; /* guards all below; taken alone */
	struct pack_file slot[FILES_MAX];
	uint64_t tick;
};

struct pack_ref {
	int fd;
	int slot; /* -1: fd is owned */
};

/* "xx/NNNN.pack" */
void pack_name(uint64_t id, char ret_name[PACK_NAME_BYTES]);
/* False when `name` in the directory `xx` is no pack's. */
bool pack_name_parse(const char *xx, const char *name, uint64_t *ret_id);
void files_init(struct pack_files *files);
void files_release(struct pack_files *files);
/* -SOBRE_ENOCHUNK when there is no such file. */
int pack_get(struct store *store, uint64_t id, struct pack_ref *ret_ref,
	     struct error *err);
void pack_put(struct store *store, struct pack_ref *ref);
/* Closes it once nobody uses it: it was unlinked or cut. */
void pack_forget(struct store *store, uint64_t id);

/* A record whose checksum holds; `*ret_body` is owned. `fresh`: drop it from
 * the page cache first. */
int record_read(struct store *store, uint64_t pack, uint64_t off, bool fresh,
		struct record *ret_record, uint8_t **ret_body,
		struct error *err);

/* --- decoded extents (cache.c) -----------------------------------------------
 */

struct cached {
	uint64_t pack;
	uint64_t off;
	uint64_t tick;
	unsigned int users; /* the cache is one */
	struct extent extent;
};

struct cache {
	pthread_mutex_t mutex; /* guards all below; taken alone */
	struct cached *slot[CACHE_SLOTS];
	size_t bytes;
	size_t max_bytes;
	uint64_t tick;
	bool fresh; /* what it loads comes from the disk */
};

void cache_init(struct cache *cache, size_t max_bytes, bool fresh);
void cache_release(struct cache *cache);
void cache_purge(struct cache *cache);
int cache_get(struct store *store, struct cache *cache, uint64_t pack,
	      uint64_t off, struct cached **ret_cached, struct error *err);
/* Accepts NULL. */
void cache_put(struct cache *cache, struct cached *cached);

/* --- rows (rows.c)
 * ------------------------------------------------------------- */

/* Inside the thread's transaction or beside it. */
enum view {
	VIEW_COMMITTED,
	VIEW_WRITER
};

struct chunk_row {
	struct hash128 id;
	uint64_t pack;
	uint64_t off; /* of its extent */
	uint32_t skip;
	uint32_t len;
	uint64_t stored_bytes; /* its part of its extent's span */
	uint64_t refs;
	bool bad;
};

/* Column `orphan` of the table content. */
enum content_use {
	CONTENT_USED = 0,   /* its chunks count it */
	CONTENT_ORPHAN = 1, /* nobody uses it: they don't */
	/* Nobody uses it, but its recipe couldn't be read when it was found
	 * out: its chunks still count it. */
	CONTENT_ORPHAN_COUNTED = 2,
};

struct content_row {
	struct hash128 id;
	uint64_t size_bytes;
	uint64_t pack;
	uint64_t off;
	enum content_use use;
	bool bad;
};

struct pack_row {
	uint64_t id;
	enum pack_state state;
	uint64_t size_bytes;
	int64_t condemned_s;
};

struct catalog_stmt *view_stmt(struct store *store, enum view view,
			       const char *sql, struct error *err);
/* False: the column holds no id, and *ret_id stays. */
bool read_id(struct catalog_stmt *s, int col, struct hash128 *ret_id);
/* Each: 1 found, 0 not, or negative. A chunk of PACK_NONE is not found. */
int chunk_row_get(struct store *store, enum view view, const struct hash128 *id,
		  struct chunk_row *ret_row, struct error *err);
int content_row_get(struct store *store, enum view view,
		    const struct hash128 *id, struct content_row *ret_row,
		    struct error *err);
int pack_row_get(struct store *store, enum view view, uint64_t id,
		 struct pack_row *ret_row, struct error *err);
/* 1: what is in it may be used anew; 0: it is condemned, or has no row. */
int pack_takes_uses(struct store *store, enum view view, uint64_t id,
		    struct error *err);
/* All packs by id; owned. Returns how many, or negative. */
int64_t pack_rows(struct store *store, enum view view,
		  struct pack_row **ret_rows, struct error *err);

/* All below inside a transaction. */
/* The row as given, location and `bad`; refs are added to those there are. */
int chunk_row_put(struct store *store, const struct chunk_row *row,
		  struct error *err);
/* A new row: 1; or 0 when there is one of that id, which stays. */
int chunk_row_add(struct store *store, const struct chunk_row *row,
		  struct error *err);
/* 1: it is of PACK_NONE; -SOBRE_ENOCHUNK when there is no such row. */
int chunk_row_count(struct store *store, const struct hash128 *id, int64_t more,
		    struct error *err);
int content_row_put(struct store *store, const struct content_row *row,
		    struct error *err);
int content_row_mark(struct store *store, const struct hash128 *id,
		     enum content_use use, bool bad, struct error *err);
int pack_row_put(struct store *store, const struct pack_row *row,
		 struct error *err);
/* `sql` with up to three integers; rows changed, or negative. */
int64_t store_run(struct store *store, const char *sql, const int64_t *binds,
		  int count, struct error *err);
/* The first column of the first row. */
int store_query(struct store *store, enum view view, const char *sql,
		int64_t bind, int64_t *ret_value, struct error *err);

struct ids {
	struct hash128 *id; /* owned */
	size_t n;
	size_t cap;
};
int ids_add(struct ids *ids, const struct hash128 *id, struct error *err);
void ids_release(struct ids *ids);
static inline void ids_release_at(struct ids *ids)
{
	ids_release(ids);
}
/* Adds the blobs that `sql` selects after `after`, `max` at most: ?1 and ?2. */
int ids_select(struct store *store, enum view view, const char *sql,
	       const struct hash128 *after, int max, struct ids *ids,
	       struct error *err);
/* Calls `page` for all that `sql` (likewise) selects from what is committed,
 * in pages of ascending ids, till it returns non-zero. */
typedef int ids_page_fn(struct store *store, const struct ids *ids, void *ctx,
			struct error *err);
int ids_for_pages(struct store *store, const char *sql, ids_page_fn *page,
		  void *ctx, struct error *err);

/* --- recipes of what is open (recipes.c)
 * ------------------------------------------------------------------------- */

/*
 * An agent can have files open whose recipes are 28 bytes for each of millions
 * of holes. So all together take `max_bytes`, or what is in use right now.
 */
struct held_recipe {
	struct hash128 content;
	uint64_t size_bytes;
	pthread_mutex_t load; /* while it is being read; before all below */
	/* By recipes.mutex: */
	struct recipe recipe;
	bool loaded;
	bool kept; /* for good, and not counted */
	unsigned int users;
	struct held_recipe *older;
	struct held_recipe *newer;
};

struct recipes {
	pthread_mutex_t big;   /* one big recipe is read at a time; before: */
	pthread_mutex_t mutex; /* guards all below; taken alone */
	struct held_recipe *oldest; /* of the loaded ones, by last use */
	struct held_recipe *newest;
	size_t bytes;
	size_t max_bytes;
};

void recipes_init(struct recipes *recipes, size_t max_bytes);
void recipes_release(struct recipes *recipes);
void held_init(struct held_recipe *held);
/* Takes the recipe over: held->recipe is there till the end. */
void held_keep(struct held_recipe *held, struct recipe *recipe);
/* held->recipe is there until held_put(). -SOBRE_ENOCHUNK: not in the store, or
 * of another size. */
int held_get(struct store *store, struct held_recipe *held, struct error *err);
void held_put(struct store *store, struct held_recipe *held);
/* Nobody uses it any more. */
void held_release(struct store *store, struct held_recipe *held);

/* --- chunks and bodies (body.c)
 * -------------------------------------------------- */

struct chunk_ref {
	const uint8_t *data; /* of the chunk's length */
	struct cache *cache;
	struct cached *cached;
};
void chunk_ref_release(struct chunk_ref *ref);
static inline void chunk_ref_release_at(struct chunk_ref *ref)
{
	chunk_ref_release(ref);
}
/* Its data by where the row says it is; checked. */
int chunk_load(struct store *store, struct cache *cache,
	       const struct chunk_row *row, struct chunk_ref *ret_ref,
	       struct error *err);
/* Did loading fail because of what is stored? Then a fresh copy helps. It
 * doesn't when memory lacks, or when a newer sobrefs wrote it. */
bool is_damage(int code);

int recipe_load(struct store *store, const struct content_row *row,
		struct recipe *ret_recipe, struct error *err);

struct body_options {
	enum view view;
	struct cache *cache;
};
int body_open(struct store *store, const struct content_row *row,
	      const struct body_options *options, struct store_body **ret_body,
	      struct error *err);
/* Of a body_open(), or while it is held. */
const struct recipe *body_recipe(const struct store_body *body);
int body_hold(struct store_body *body, struct error *err);
void body_let_go(struct store_body *body);
/* Data of entry `i`, which is no hole. */
int body_chunk(struct store_body *body, uint32_t i, struct chunk_ref *ret_ref,
	       struct error *err);

/* --- what is to be stored (source.c)
 * ------------------------------------------------ */

struct source {
	int fd;
	uint64_t size_bytes;
	const uint8_t *whole;  /* all of it, or NULL */
	store_go_on_fn *go_on; /* store_set_go_on() */
	void *ctx;
};

/* -SOBRE_ECHANGED past the end; -ECANCELED. */
int source_read(const struct source *source, void *buf, size_t len,
		uint64_t off, struct error *err);
/* The next data at or after `off`, [start, end[; both the size when there is
 * no more. */
int source_data(const struct source *source, uint64_t off, uint64_t *ret_start,
		uint64_t *ret_end, struct error *err);
/* Has the file the size it should have? -SOBRE_ECHANGED. */
int source_check_size(const struct source *source, struct error *err);

struct identity; /* a content id, being computed */
struct identity *identity_new(const struct hash_key *key);
void identity_free(struct identity *identity);
DEFINE_CLEANUP(struct identity *, identity_free)
void identity_reset(struct identity *identity);
void identity_data(struct identity *identity, const void *data, size_t len);
void identity_hole(struct identity *identity, uint64_t off, uint64_t len);
void identity_get(const struct identity *identity, uint64_t size_bytes,
		  struct hash128 *ret_id);
/* Of a whole source, through `window` of WINDOW_BYTES. */
int source_identify(const struct source *source, struct identity *identity,
		    uint8_t *window, struct hash128 *ret_id, struct error *err);

/* 0 equal, 1 not; negative: one of them can't be read. */
int source_compare(const struct source *source, struct store_body *body,
		   struct error *err);

/* --- appending (append.c, pending.c)
 * -------------------------------------------------- */

struct pending_chunk {
	struct hash128 id;
	uint32_t skip;
	uint32_t len;
	uint64_t refs;
};

/* New chunks that wait for their extent to be full, of one file or several
 * of a batch. */
struct pending {
	uint32_t n;
	uint32_t len;
	struct pending_chunk chunk[EXTENT_COUNT_MAX];
	uint8_t data[EXTENT_RAW_MAX];
	uint8_t record[RECORD_HEADER_BYTES + EXTENT_BODY_MAX + RECORD_ALIGN];
};

/* A pack that a batch wrote to. */
struct touched {
	uint64_t pack;
	bool made; /* by it */
};

/* Exists from the first put on. */
struct writer {
	struct codec *codec;
	struct pending *pending;
	struct identity *identity;
	uint8_t *window; /* WINDOW_BYTES */
	struct buf recipe;

	bool in_batch;
	uint64_t batch_pack; /* in a batch: where it began */
	uint64_t batch_off;
	int fd;	   /* of the open pack; -1: none */
	bool made; /* its name is not yet durable */
	uint64_t pack;
	uint64_t end;	   /* where the next record goes */
	uint64_t appended; /* in this batch */
	uint64_t appended_ever;
	struct touched *touched; /* by this batch, or the one that ended */
	size_t touched_n;
	size_t touched_cap;
};

int writer_get(struct store *store, struct writer **ret_writer,
	       struct error *err);
void writer_free(struct writer *writer);
/* Forgets what was begun; undoes nothing. */
void writer_reset(struct store *store);
/* `bytes`: space for the header, the body, padding. */
int append_record(struct store *store, const struct record *record,
		  uint8_t *bytes, uint64_t *ret_pack, uint64_t *ret_off,
		  struct error *err);
/* Did this batch write what is there? */
bool append_is_new(const struct writer *w, uint64_t pack, uint64_t off);
/* Does a record of `span` go to the next pack, this one ending at `end`? */
static inline bool pack_is_full(uint64_t end, uint64_t span,
				uint64_t pack_bytes)
{
	return end + span > pack_bytes && end != PACK_HEADER_BYTES;
}
/* Ends the open pack here; the next record starts another. */
int append_seal(struct store *store, struct error *err);

/* 0 or -Exxx. */
int pack_write_header(const struct store *store, int fd, uint64_t id);
/* Writes the header as it should be, durably; with `only_lost`, where there are
 * but zeros. 1 when it did, 0 or negative. */
int pack_mend_header(const struct store *store, uint64_t id, bool only_lost,
		     struct error *err);

/* After a pack was made or unlinked. 0 or -Exxx. */
int pack_dir_sync(const struct store *store, uint64_t pack);

/* NULL when it isn't there. */
struct pending_chunk *pending_find(struct pending *pending,
				   const struct hash128 *id);
int pending_add(struct store *store, const struct hash128 *id,
		const uint8_t *data, uint32_t len, uint64_t refs,
		struct error *err);
int pending_flush(struct store *store, struct error *err);
/* What pending_encode() gave. */
int pending_write(struct store *store, const struct record *record,
		  struct error *err);
/* What the two above are made of: no store is touched. */
bool pending_has_room(const struct pending *pending, uint32_t len);
void pending_append(struct pending *pending, const struct hash128 *id,
		    const uint8_t *data, uint32_t len, uint64_t refs);
/* Fills pending->record but for its header, which is as `ret_record`. */
void pending_encode(struct pending *pending, struct codec *codec,
		    struct record *ret_record);
void pending_clear(struct pending *pending);

/* --- counting (count.c), inside a transaction ---------------------------- */

/* Every chunk counts once more. 1: some are in no pack; they count too. */
int recipe_count(struct store *store, const struct recipe *recipe,
		 struct error *err);
int recipe_uncount(struct store *store, const struct recipe *recipe,
		   struct error *err);
/* By the recipe that the row names. */
int content_count(struct store *store, const struct content_row *row,
		  struct error *err);
/* Deletes rows of PACK_NONE that nobody counts any more. */
int missing_forget(struct store *store, struct error *err);

/* --- upkeep
 * ------------------------------------------------------------------------------
 */

/* Every record of a pack in turn. */
struct walk {
	struct store *store;
	struct pack_ref ref;
	uint64_t pack;
	uint64_t off; /* of the next */
	uint64_t end;
	bool fresh;	  /* set after walk_start(): read from the disk */
	uint64_t dropped; /* from the page cache, up to here */
};
struct walk_item {
	uint64_t off;
	uint64_t end;
	bool bad; /* [off, end[ is no sound record; then the rest isn't set */
	struct record record;
	uint8_t *body; /* owned */
};
/* From `off` to `end`; `end` 0: that of the file. */
int walk_start(struct walk *walk, struct store *store, uint64_t pack,
	       uint64_t off, uint64_t end, struct error *err);
/* 1 an item, 0 no more, or negative. Frees the item before. */
int walk_next(struct walk *walk, struct walk_item *item, struct error *err);
void walk_end(struct walk *walk, struct walk_item *item);

enum index_mode {
	INDEX_REBUILD, /* what comes later wins */
	INDEX_ADOPT,   /* what is known stays, what isn't has no user */
};
struct index_result {
	uint64_t end; /* after the last sound record */
	bool tail;    /* more bytes follow it */
	bool gap;     /* before it there are bytes that are no sound record */
};
/* Rows for all sound records of a pack from `from` on. Inside a
 * transaction. */
int index_pack(struct store *store, uint64_t pack, uint64_t from,
	       enum index_mode mode, struct index_result *ret_result,
	       struct error *err);
/* A recipe may be where a pack could not be read. Inside a transaction. */
int index_note_lost(struct store *store, struct error *err);
/* May a file use a content that nobody could count, for that? 1, 0, negative.
 */
int index_misses_used(struct store *store, struct error *err);
/* All packs are to be read again. */
int index_forget_lost(struct store *store, struct error *err);
/* All pack files there are, ascending; owned. How many, or negative. */
int64_t packs_list(struct store *store, uint64_t **ret_ids, struct error *err);
/* Packs, and ends of packs, that no row knows: left by a crash, or by a
 * catalog restored from an older copy. */
int store_adopt(struct store *store, struct error *err);

/* Rows of schema 1 don't say how much of a pack a chunk takes: once, reads the
 * headers of all extents. */
int store_fill_spans(struct store *store, struct error *err);

/* --- here.c: what is in a pack ----------------------------------------------
 */

struct here_chunk {
	struct hash128 id;
	uint64_t off; /* of its extent there */
};
struct here {
	struct here_chunk *chunk; /* owned */
	size_t n;
	size_t cap;
};
void here_release(struct here *here);
static inline void here_release_at(struct here *here)
{
	here_release(here);
}
/* All chunks whose rows may name the pack, and others, in its order: of its
 * records only the tables are read. To a pack that takes no more records no row
 * comes later. Outside a transaction. */
int here_list(struct store *store, uint64_t pack, struct here *ret_here,
	      struct error *err);
/* Exactly those whose rows name it: goes through all rows. */
int here_scan(struct store *store, uint64_t pack, struct here *ret_here,
	      struct error *err);

/* Of the chunks whose rows name a pack. */
struct pack_life {
	uint64_t pack;
	uint64_t all_bytes; /* before compression */
	uint64_t live_bytes;
	uint64_t live_chunks;
	uint64_t chunks;
	bool damaged; /* one that lives is bad */
};
struct lives {
	struct pack_life *life; /* owned; by pack, ascending */
	size_t n;
};
/* As committed; goes through all rows, in pages; between them `options` (may be
 * NULL) are asked whether to go on. */
int lives_read(struct store *store, const struct store_gc_options *options,
	       struct lives *ret_lives, struct error *err);
struct pack_life lives_of(const struct lives *lives, uint64_t pack);
static inline void lives_release_at(struct lives *lives)
{
	free(lives->life);
}
#define cleanup_lives __attribute__((cleanup(lives_release_at)))

/* While rows are incomplete: nothing may be collected. */
int store_is_rebuilding(struct store *store, struct error *err);

/* --- step.c: what a pass of gc is made of -----------------------------------
 */

/* Nothing is begun: others may have their turn. 0, or -ECANCELED. */
int gc_go_on(const struct store_gc_options *options, struct error *err);
/* Calls `page` for contents, in ascending pages, till it returns non-zero, and
 * gc_go_on(). `sql` selects, as committed, ids and whether each is wanted, from
 * after ?1 on, ?2 rows. */
#define CONTENTS_THAT(wanted)                                             \
	"SELECT id, " wanted " FROM content WHERE id > ?1 AND length(id)" \
	" = 16 ORDER BY id LIMIT ?2"
int gc_for_contents(struct store *store, const struct store_gc_options *options,
		    const char *sql, ids_page_fn *page, void *ctx,
		    struct error *err);

/* Copies what is live in the pack elsewhere, some MiB a transaction; then, if
 * nothing live is left, condemns it (unless it is condemned). Not the open
 * one. After each transaction `options` are asked whether to go on. */
int pack_rewrite(struct store *store, uint64_t pack,
		 const struct store_gc_options *options,
		 struct store_gc_result *result, struct error *err);
/* Drops packs whose grace is over. */
int gc_drop(struct store *store, const struct store_gc_options *options,
	    struct store_gc_result *result, struct error *err);
/* An orphan is used again: counts its chunks. In a transaction of its own.
 * Damage to its recipe is an error, and it stays an orphan: nothing may be
 * dropped until it can be counted. */
int content_revive(struct store *store, const struct hash128 *id,
		   struct error *err);
/* Does an inode the catalog ever tied to it still say so? 1, 0, negative. */
int ties_used(struct store *store, const struct store_gc_options *options,
	      const struct hash128 *id, struct error *err);

struct store {
	int packs_fd;
	struct catalog *cat;
	struct store_options options;
	struct pack_files files;
	struct cache cache;
	struct cache fresh;
	struct recipes recipes;
	/* Goes up when rows were moved or deleted: bodies look again. */
	atomic_uint_fast64_t generation;
	struct writer *writer;
	store_charge_fn *on_charge; /* may be NULL */
	void *charge_ctx;
	store_go_on_fn *go_on; /* may be NULL */
	void *go_on_ctx;
};

#endif
