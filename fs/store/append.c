/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The open pack. What is true of it is in the catalog: each batch begins by
 * reading its row there, so that a batch that was rolled back leaves nothing
 * to undo in memory.
 */
#include "fs/store/internal.h"

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

static int of_pack(uint64_t pack, struct error *err)
{
	return error_prefix(err, "pack %llu", (unsigned long long)pack);
}

static void close_pack(struct writer *w)
{
	if (w->fd >= 0)
		(void)close(w->fd);
	w->fd = -1;
}

void writer_free(struct writer *writer)
{
	if (!writer)
		return;
	close_pack(writer);
	codec_free(writer->codec);
	identity_free(writer->identity);
	buf_release(&writer->recipe);
	free(writer->pending);
	free(writer->window);
	free(writer->touched);
	free(writer);
}
DEFINE_CLEANUP(struct writer *, writer_free)

int writer_get(struct store *store, struct writer **ret_writer,
	       struct error *err)
{
	CLEANUP(writer_free) struct writer *w = NULL;

	if (store->options.readonly)
		return error_set(err, -EROFS, "the store is read-only");
	if (!store->writer) {
		w = calloc(1, sizeof(*w));
		if (!w)
			return error_set(err, -ENOMEM, "no memory to write");
		w->fd = -1;
		buf_init(&w->recipe, RECIPE_RECORD_MAX);
		w->codec = codec_new();
		w->pending = calloc(1, sizeof(*w->pending));
		w->identity = identity_new(&store->options.key);
		w->window = malloc(WINDOW_BYTES);
		if (!w->codec || !w->pending || !w->identity || !w->window)
			return error_set(err, -ENOMEM, "no memory to write");
		store->writer = take_ptr(&w);
	}
	*ret_writer = store->writer;
	return 0;
}

/* Remembers, for store_abort(), that this batch writes to the pack. */
static int touch(struct writer *w, uint64_t pack, bool made, struct error *err)
{
	if (w->touched_n == w->touched_cap) {
		size_t cap = w->touched_cap ? 2 * w->touched_cap : 8;
		void *grown = realloc(w->touched, cap * sizeof(*w->touched));

		if (!grown)
			return error_set(err, -ENOMEM, "no memory to write");
		w->touched = grown;
		w->touched_cap = cap;
	}
	w->touched[w->touched_n++] = (struct touched){ pack, made };
	return 0;
}

static void dir_of(uint64_t pack, char ret_dir[3])
{
	(void)snprintf(ret_dir, 3, "%02x", (unsigned int)(pack & 0xff));
}

int pack_dir_sync(const struct store *store, uint64_t pack)
{
	cleanup_fd int fd = -1;
	char dir[3];

	dir_of(pack, dir);
	fd = openat(store->packs_fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : io_fsync(fd);
}

/* An empty pack file; the fd, or -EEXIST when there is one of that id. */
static int make_file(const struct store *store, uint64_t id)
{
	char name[PACK_NAME_BYTES];
	char dir[3];
	int rc;

	dir_of(id, dir);
	rc = io_mkdirat(store->packs_fd, dir, 0700);
	/* Whoever made it may have failed to sync it. */
	if (rc == 0 || rc == -EEXIST)
		rc = io_fsync(store->packs_fd);
	if (rc < 0)
		return rc;
	pack_name(id, name);
	return io_openat_create(store->packs_fd, name, O_RDWR | O_EXCL, 0600);
}

static int start_pack(struct store *store, struct writer *w, struct error *err)
{
	struct pack_row row = { .state = PACK_OPEN,
				.size_bytes = PACK_HEADER_BYTES };
	int64_t last;
	int fd;
	int rc = store_query(store, VIEW_WRITER,
			     "SELECT max(id) FROM pack WHERE id > ?1", 0, &last,
			     err);

	if (rc < 0)
		return rc;
	row.id = (uint64_t)last;
	/* A file without a row may hold what a lost catalog knew. */
	do
		fd = make_file(store, ++row.id);
	while (fd == -EEXIST);
	if (fd < 0) {
		(void)error_set(err, fd, "cannot make it: %s", error_words(fd));
		return of_pack(row.id, err);
	}
	close_pack(w);
	w->fd = fd;
	w->made = true;
	w->pack = row.id;
	w->end = PACK_HEADER_BYTES;
	w->appended += PACK_HEADER_BYTES;
	w->appended_ever += PACK_HEADER_BYTES;
	rc = touch(w, row.id, true, err);
	if (rc < 0)
		return rc;
	rc = pack_write_header(store, fd, row.id);
	if (rc < 0) {
		(void)error_set(err, rc, "cannot write: %s", error_words(rc));
		return of_pack(row.id, err);
	}
	return pack_row_put(store, &row, err);
}

/* The row ends here; data and names are durable first. */
static int settle(struct store *store, struct writer *w, enum pack_state state,
		  struct error *err)
{
	struct pack_row row = { .id = w->pack,
				.state = state,
				.size_bytes = w->end };
	int rc = io_fdatasync(w->fd);

	if (rc == 0 && w->made)
		rc = pack_dir_sync(store, w->pack);
	if (rc < 0) {
		(void)error_set(err, rc, "cannot sync: %s", error_words(rc));
		return of_pack(w->pack, err);
	}
	w->made = false;
	return pack_row_put(store, &row, err);
}

int append_seal(struct store *store, struct error *err)
{
	struct writer *w = store->writer;
	int rc = settle(store, w, PACK_SEALED, err);

	if (rc == 0)
		close_pack(w);
	return rc;
}

/* Opens the file of `row` for appending; 1 when nothing may be appended. */
static int resume_pack(struct store *store, struct writer *w,
		       const struct pack_row *row, struct error *err)
{
	char name[PACK_NAME_BYTES];
	struct stat st;
	int rc;

	if (w->fd < 0 || w->pack != row->id) {
		close_pack(w);
		pack_name(row->id, name);
		w->fd = openat(store->packs_fd, name,
			       O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (w->fd < 0 && errno == ENOENT)
			return 1;
		if (w->fd < 0) {
			(void)error_set(err, -errno, "cannot open: %s",
					error_words(-errno));
			return of_pack(row->id, err);
		}
	}
	if (fstat(w->fd, &st) < 0) {
		(void)error_set(err, -errno, "cannot stat: %s",
				error_words(-errno));
		return of_pack(row->id, err);
	}
	if ((uint64_t)st.st_size < row->size_bytes)
		return 1; /* it lost data: leave it as evidence */
	w->pack = row->id;
	w->end = row->size_bytes;
	rc = touch(w, row->id, false, err);
	if (rc == 0 && (uint64_t)st.st_size > row->size_bytes) {
		rc = io_ftruncate(w->fd, row->size_bytes);
		if (rc < 0) {
			(void)error_set(err, rc, "cannot truncate: %s",
					error_words(rc));
			return of_pack(row->id, err);
		}
		cache_purge(&store->cache);
		cache_purge(&store->fresh);
	}
	return rc;
}

static int resume_open(struct store *store, struct writer *w, struct error *err)
{
	struct pack_row row;
	int64_t id;
	int rc = store_query(store, VIEW_WRITER,
			     "SELECT max(id) FROM pack WHERE state = ?1",
			     PACK_OPEN, &id, err);

	if (rc < 0)
		return rc;
	if (id <= 0)
		return start_pack(store, w, err);
	rc = pack_row_get(store, VIEW_WRITER, (uint64_t)id, &row, err);
	if (rc <= 0)
		return rc < 0 ? rc : start_pack(store, w, err);
	rc = resume_pack(store, w, &row, err);
	if (rc <= 0)
		return rc;
	close_pack(w);
	row.state = PACK_SEALED;
	rc = pack_row_put(store, &row, err);
	return rc < 0 ? rc : start_pack(store, w, err);
}

static int make_ready(struct store *store, struct writer *w, uint64_t span,
		      struct error *err)
{
	int rc = 0;

	if (!w->in_batch) {
		w->touched_n = 0;
		rc = resume_open(store, w, err);
		w->in_batch = true;
		w->batch_pack = w->pack;
		w->batch_off = w->end;
	} else if (w->fd < 0) {
		rc = start_pack(store, w, err);
	}
	if (rc < 0 || !pack_is_full(w->end, span, store->options.pack_bytes))
		return rc;
	rc = append_seal(store, err);
	return rc < 0 ? rc : start_pack(store, w, err);
}

bool append_is_new(const struct writer *w, uint64_t pack, uint64_t off)
{
	return w->in_batch && (pack > w->batch_pack ||
			       (pack == w->batch_pack && off >= w->batch_off));
}

int append_record(struct store *store, const struct record *record,
		  uint8_t *bytes, uint64_t *ret_pack, uint64_t *ret_off,
		  struct error *err)
{
	struct writer *w = store->writer;
	uint64_t span = record_span(record->body_len);
	size_t used = RECORD_HEADER_BYTES + (size_t)record->body_len;
	int rc = make_ready(store, w, span, err);

	if (rc < 0)
		return rc;
	record_encode(record, bytes + RECORD_HEADER_BYTES, bytes);
	memset(bytes + used, 0, (size_t)span - used);
	rc = io_pwrite(w->fd, bytes, (size_t)span, w->end);
	if (rc < 0) {
		(void)error_set(err, rc, "cannot write: %s", error_words(rc));
		return of_pack(w->pack, err);
	}
	*ret_pack = w->pack;
	*ret_off = w->end;
	w->end += span;
	w->appended += span;
	w->appended_ever += span;
	return 0;
}

uint64_t store_appended(const struct store *store)
{
	return store->writer ? store->writer->appended_ever : 0;
}

int store_sync(struct store *store, struct error *err)
{
	struct writer *w = store->writer;
	int rc;

	if (!w)
		return 0;
	rc = pending_flush(store, err);
	if (rc == 0 && w->fd >= 0 && w->in_batch)
		rc = settle(store, w, PACK_OPEN, err);
	if (rc < 0)
		return rc;
	w->in_batch = false;
	w->appended = 0;
	cache_purge(&store->fresh);
	return 0;
}

/* Back to what the catalog says of this pack. */
static void undo(struct store *store, const struct touched *touched)
{
	uint64_t pack = touched->pack;
	struct error ignored = ERROR_INIT;
	char name[PACK_NAME_BYTES];
	cleanup_fd int fd = -1;
	struct pack_row row;
	struct stat st;
	int rc = pack_row_get(store, VIEW_COMMITTED, pack, &row, &ignored);

	pack_forget(store, pack);
	pack_name(pack, name);
	if (rc == 0 && touched->made)
		(void)io_unlinkat(store->packs_fd, name, 0);
	if (rc <= 0)
		return;
	fd = openat(store->packs_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && fstat(fd, &st) == 0 &&
	    (uint64_t)st.st_size > row.size_bytes)
		(void)io_ftruncate(fd, row.size_bytes);
}

void writer_reset(struct store *store)
{
	struct writer *w = store->writer;

	if (w) {
		close_pack(w);
		w->touched_n = 0;
		w->in_batch = false;
		w->appended = 0;
		pending_clear(w->pending);
	}
	cache_purge(&store->cache);
	cache_purge(&store->fresh);
	atomic_fetch_add(&store->generation, 1);
}

void store_abort(struct store *store)
{
	struct writer *w = store->writer;

	for (size_t i = 0; w && i < w->touched_n; i++)
		undo(store, &w->touched[i]);
	writer_reset(store);
}
