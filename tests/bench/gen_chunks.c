/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/bench/gen_chunks.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/cleanup.h"
#include "fs/store/internal.h"

#define PACK_CHUNKS 12000 /* of 21 KiB on average */
#define SHARED_ONE  16

static struct hash128 id_of(const struct gen_chunks *g, char kind,
			    uint64_t number)
{
	const uint64_t words[2] = { (uint64_t)kind, number };
	struct hash128 id;

	hash128(&g->store->options.key, words, sizeof(words), &id);
	return id;
}

static uint32_t len_of(uint64_t number)
{
	return (uint32_t)(8192 + number * 7919 % 28000);
}

/* Sparse, but for its header: who compares sizes finds it. */
static int make_pack(struct gen_chunks *g, uint64_t id, struct error *err)
{
	char name[PACK_NAME_BYTES];
	cleanup_fd int fd = -1;

	pack_name(id, name);
	name[2] = '\0'; /* "xx/NNNN.pack" */
	(void)mkdirat(g->store->packs_fd, name, 0700);
	name[2] = '/';
	fd = openat(g->store->packs_fd, name,
		    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, PACK_BYTES_DEFAULT) < 0)
		return error_set(err, -errno, "cannot make pack '%s'", name);
	return pack_write_header(g->store, fd, id) < 0
		       ? error_set(err, -EIO, "cannot write pack '%s'", name)
		       : 0;
}

/* The number after all there are, the store's own among them. */
static int start_pack(struct gen_chunks *g, struct error *err)
{
	struct pack_row pack = {
		.state = PACK_SEALED,
		.size_bytes = PACK_BYTES_DEFAULT,
	};
	int64_t last = 0;
	int rc = store_query(g->store, VIEW_WRITER,
			     "SELECT max(id) FROM pack WHERE id > ?1", 0, &last,
			     err);

	if (rc < 0)
		return rc;
	pack.id = (uint64_t)last + 1;
	g->pack = pack.id;
	g->in_pack = 0;
	rc = make_pack(g, pack.id, err);
	return rc < 0 ? rc : pack_row_put(g->store, &pack, err);
}

static int put_chunk(struct gen_chunks *g, uint64_t number, struct error *err)
{
	const uint32_t len = len_of(number);
	const struct chunk_row row = {
		.id = id_of(g, 'c', number),
		.pack = g->pack,
		.off = 256 + g->in_pack * 21000 / 262144 * 200000,
		.skip = (uint32_t)(g->in_pack * 21000 % 262144),
		.len = len,
		.stored_bytes = len / 2 + number % 512,
		.refs = 1,
	};

	g->in_pack++;
	return chunk_row_put(g->store, &row, err);
}

/* A new one, or one that there is. */
static int add_chunk(struct gen_chunks *g, struct buf *recipe,
		     uint64_t *size_bytes, struct error *err)
{
	bool old = g->made > 0 && g->pick(g->ctx, SHARED_ONE) == 0;
	uint64_t number = old ? g->pick(g->ctx, g->made) : g->made++;
	struct hash128 id = id_of(g, 'c', number);
	int rc = 0;

	if (g->pack == 0 || g->in_pack == PACK_CHUNKS)
		rc = start_pack(g, err);
	if (rc == 0)
		rc = old ? chunk_row_count(g->store, &id, 1, err)
			 : put_chunk(g, number, err);
	recipe_add_chunk(recipe, &id, len_of(number));
	*size_bytes += len_of(number);
	return rc;
}

int gen_chunks_put(struct gen_chunks *g, uint64_t number,
		   struct hash128 *ret_id, uint64_t *ret_bytes,
		   struct error *err)
{
	struct content_row row = { .id = id_of(g, 'f', number) };
	struct record record;
	struct writer *w;
	int rc = writer_get(g->store, &w, err);

	if (rc < 0)
		return rc;
	recipe_begin(&w->recipe);
	for (uint64_t n = 1 + g->pick(g->ctx, 2 * g->n_parts - 1);
	     rc == 0 && n > 0; n--)
		rc = add_chunk(g, &w->recipe, &row.size_bytes, err);
	if (rc == 0 &&
	    recipe_end(&w->recipe, &row.id, row.size_bytes, &record) < 0)
		rc = error_set(err, -1, "a recipe is too long");
	if (rc == 0)
		rc = append_record(g->store, &record, w->recipe.data, &row.pack,
				   &row.off, err);
	if (rc == 0)
		rc = content_row_put(g->store, &row, err);
	*ret_id = row.id;
	*ret_bytes = row.size_bytes;
	return rc;
}
