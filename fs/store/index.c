/* SPDX-License-Identifier: EUPL-1.2 */
/* From packs to rows. */
#include "fs/store/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/cleanup.h"
#include "fs/base/io.h"
#include "fs/store/users.h"

/* Set: bytes were passed over that may have been a recipe. */
#define META_LOST "store_lost"

struct index {
	struct store *store;
	uint64_t pack;
	enum index_mode mode;
	struct charges charges;
};

/* 1: there is a row, not bad, of a pack that is not emptied. */
static int is_good(struct store *store, const struct hash128 *id,
		   struct error *err)
{
	struct chunk_row chunk;
	struct pack_row pack;
	int rc = chunk_row_get(store, VIEW_WRITER, id, &chunk, err);

	if (rc <= 0 || chunk.bad)
		return rc < 0 ? rc : 0;
	rc = pack_row_get(store, VIEW_WRITER, chunk.pack, &pack, err);
	return rc > 0 ? pack.state <= PACK_CONDEMNED : rc;
}

/* When adopting, a row that is good stays; a bad one is healed. */
static int index_chunk(struct index *x, const struct chunk_row *row,
		       struct error *err)
{
	int rc = x->mode == INDEX_ADOPT ? is_good(x->store, &row->id, err) : 0;

	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = charges_add_move(&x->charges, x->store, row, err);
	return rc < 0 ? rc : chunk_row_put(x->store, row, err);
}

static int index_extent(struct index *x, const struct walk_item *item,
			struct error *err)
{
	uint64_t span = record_span(item->record.body_len);
	struct extent extent;
	int rc = extent_decode(&item->record, item->body, &extent, err);

	if (rc < 0)
		return is_damage(rc) ? 0 : rc;
	for (uint32_t i = 0; rc == 0 && i < extent.n; i++) {
		struct chunk_row row = {
			.id = extent.entry[i].id,
			.pack = x->pack,
			.off = item->off,
			.skip = extent.entry[i].skip,
			.len = extent.entry[i].len,
			.stored_bytes = extent_part(span, extent.raw_len,
						    extent.entry[i].skip,
						    extent.entry[i].len),
		};

		rc = index_chunk(x, &row, err);
	}
	extent_release(&extent);
	return rc;
}

static int index_recipe(const struct index *x, const struct walk_item *item,
			struct error *err)
{
	struct content_row old;
	struct content_row row = { .pack = x->pack,
				   .off = item->off,
				   .use = x->mode == INDEX_ADOPT
						  ? CONTENT_ORPHAN
						  : CONTENT_USED };
	struct recipe recipe;
	int rc = recipe_decode(&item->record, item->body, &recipe, err);

	if (rc < 0)
		return is_damage(rc) ? 0 : rc;
	row.id = recipe.content;
	row.size_bytes = recipe.size_bytes;
	recipe_release(&recipe);
	rc = content_row_get(x->store, VIEW_WRITER, &row.id, &old, err);
	if (rc < 0 || (rc > 0 && x->mode == INDEX_ADOPT))
		return rc < 0 ? rc : 0;
	return content_row_put(x->store, &row, err);
}

/* A process that was killed may have left what no sync made sure. Rows may
 * name only what is durable. */
static int make_sure(const struct store *store, const struct walk *walk,
		     struct error *err)
{
	int rc = io_fdatasync(walk->ref.fd);

	if (rc == 0)
		rc = pack_dir_sync(store, walk->pack);
	if (rc < 0)
		return error_set(err, rc, "cannot sync pack %llu: %s",
				 (unsigned long long)walk->pack,
				 error_words(rc));
	return 0;
}

int index_pack(struct store *store, uint64_t pack, uint64_t from,
	       enum index_mode mode, struct index_result *ret_result,
	       struct error *err)
{
	struct index x = { .store = store, .pack = pack, .mode = mode };
	struct index_result result = { .end = from };
	struct walk_item item = { .body = NULL };
	struct walk walk;
	int rc = walk_start(&walk, store, pack, from, 0, err);

	if (rc < 0)
		return rc;
	rc = make_sure(store, &walk, err);
	while (rc >= 0 && (rc = walk_next(&walk, &item, err)) > 0) {
		result.gap |= result.tail && !item.bad;
		result.tail = item.bad;
		if (item.bad)
			continue;
		result.end = item.end;
		rc = item.record.type == RECORD_EXTENT
			     ? index_extent(&x, &item, err)
			     : index_recipe(&x, &item, err);
		if (rc < 0)
			break;
	}
	walk_end(&walk, &item);
	if (rc == 0)
		rc = charges_tell(store, &x.charges, err);
	charges_release(&x.charges);
	if (rc == 0)
		*ret_result = result;
	return rc;
}

int index_note_lost(struct store *store, struct error *err)
{
	return catalog_meta_set(store->cat, META_LOST, 1, err);
}

int index_forget_lost(struct store *store, struct error *err)
{
	return catalog_meta_set(store->cat, META_LOST, 0, err);
}

int index_misses_used(struct store *store, struct error *err)
{
	int64_t missing = 0;
	int64_t lost = 0;
	int rc = catalog_meta_read(store->cat, META_LOST, 0, &lost, err);

	if (rc == 0 && lost)
		rc = store_query(store, VIEW_COMMITTED,
				 "SELECT EXISTS(SELECT 1 FROM inode"
				 " WHERE content IS NOT NULL AND content"
				 " NOT IN (SELECT id FROM content)) AND ?1",
				 1, &missing, err);
	return rc < 0 ? rc : missing != 0;
}

static int by_id(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

struct list {
	uint64_t *id;
	size_t n;
	size_t cap;
};

static int list_add(struct list *list, uint64_t id, struct error *err)
{
	if (list->n == list->cap) {
		size_t cap = list->cap ? 2 * list->cap : 64;
		void *grown = realloc(list->id, cap * sizeof(*list->id));

		if (!grown)
			return error_set(err, -ENOMEM, "no memory for packs");
		list->id = grown;
		list->cap = cap;
	}
	list->id[list->n++] = id;
	return 0;
}

static int list_dir(const struct store *store, unsigned int number,
		    struct list *list, struct error *err)
{
	struct dirent *entry;
	char xx[12];
	uint64_t id;
	int rc = 0;
	DIR *dir;
	int fd;

	(void)snprintf(xx, sizeof(xx), "%02x", number);
	fd = openat(store->packs_fd, xx,
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0
				       : error_set(err, -errno,
						   "cannot open packs/%s", xx);
	dir = fdopendir(fd);
	if (!dir) {
		(void)close(fd);
		return error_set(err, -ENOMEM, "cannot list packs/%s", xx);
	}
	errno = 0;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): its own stream */
	while (rc == 0 && (entry = readdir(dir))) {
		if (pack_name_parse(xx, entry->d_name, &id))
			rc = list_add(list, id, err);
		errno = 0;
	}
	if (rc == 0 && errno)
		rc = error_set(err, -errno, "cannot list packs/%s: %s", xx,
			       error_words(-errno));
	(void)closedir(dir);
	return rc;
}

int64_t packs_list(struct store *store, uint64_t **ret_ids, struct error *err)
{
	struct list list = { .n = 0 };
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < 256; i++)
		rc = list_dir(store, i, &list, err);
	if (rc < 0) {
		free(list.id);
		return rc;
	}
	if (list.n)
		qsort(list.id, list.n, sizeof(*list.id), by_id);
	*ret_ids = list.id;
	return (int64_t)list.n;
}

/* One pack without a row, or with more bytes than its row says. */
static int adopt_pack(struct store *store, uint64_t id, struct error *err)
{
	struct pack_row row = { .id = id, .state = PACK_SEALED };
	struct index_result found = { .end = PACK_HEADER_BYTES };
	bool known;
	int rc = pack_row_get(store, VIEW_WRITER, id, &row, err);

	if (rc < 0)
		return rc;
	known = rc > 0;
	if (known)
		found.end = row.size_bytes;
	/* A power cut may have kept records and lost what is before them. */
	rc = known ? 0 : pack_mend_header(store, id, true, err);
	/* Its chunks may be looked up while it is read. */
	if (rc >= 0)
		rc = pack_row_put(store, &row, err);
	if (rc == 0)
		rc = index_pack(store, id, found.end, INDEX_ADOPT, &found, err);
	/* What a crash cut off at the end of a pack was of no file yet. */
	if (rc == 0 && (found.gap || (found.tail && !known)))
		rc = index_note_lost(store, err);
	row.size_bytes = found.end;
	return rc < 0 ? rc : pack_row_put(store, &row, err);
}

/* Does a row know all of the pack? 1, 0 or negative. */
static int is_known(struct store *store, uint64_t id, struct error *err)
{
	char name[PACK_NAME_BYTES];
	struct pack_row row;
	struct stat st;
	int rc = pack_row_get(store, VIEW_COMMITTED, id, &row, err);

	if (rc <= 0 || row.state != PACK_OPEN)
		return rc;
	pack_name(id, name);
	if (fstatat(store->packs_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 1;
	return (uint64_t)st.st_size <= row.size_bytes;
}

static int adopt_one(struct store *store, uint64_t id, struct error *err)
{
	int rc = catalog_begin(store->cat, err);

	if (rc < 0)
		return rc;
	rc = adopt_pack(store, id, err);
	if (rc == 0)
		return catalog_commit(store->cat, err);
	catalog_rollback(store->cat);
	return rc;
}

/* Made, and cut off before its header was written: holds nothing. 1 when it
 * was that and is gone. */
static int drop_debris(struct store *store, uint64_t id, struct error *err)
{
	char name[PACK_NAME_BYTES];
	struct pack_row row;
	struct stat st;
	int rc = pack_row_get(store, VIEW_COMMITTED, id, &row, err);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	pack_name(id, name);
	if (fstatat(store->packs_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    (uint64_t)st.st_size >= PACK_HEADER_BYTES)
		return 0;
	rc = io_unlinkat(store->packs_fd, name, 0);
	return rc < 0 ? error_set(err, rc, "cannot remove packs/%s: %s", name,
				  error_words(rc))
		      : 1;
}

/* What a crash, or a lost catalog, left that no row knows. */
static int adopt_unknown(struct store *store, uint64_t id, struct error *err)
{
	int rc = drop_debris(store, id, err);

	if (rc == 0)
		rc = is_known(store, id, err);
	if (rc == 0)
		rc = adopt_one(store, id, err);
	return rc < 0 ? rc : 0;
}

int store_adopt(struct store *store, struct error *err)
{
	cleanup_free uint64_t *ids = NULL;
	int64_t n = packs_list(store, &ids, err);
	int rc = n < 0 ? (int)n : 0;

	for (int64_t i = 0; rc == 0 && i < n; i++)
		rc = adopt_unknown(store, ids[i], err);
	return rc;
}
