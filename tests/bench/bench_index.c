/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The index of chunks as it grows: rows of chunks that are in no pack, put as
 * the packer puts them, and looked up at each step.
 *
 *	bench_index DIR [CHUNKS]
 *
 * DIR: an empty directory. CHUNKS: 50,000,000. Prints CSV: chunks, puts a
 * second since the last step, lookups a second of what is there and of what
 * isn't, seconds to go through all as gc does, bytes of catalog a chunk,
 * resident KiB.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/cleanup.h"
#include "fs/store/internal.h"

#define BATCH	    10000 /* chunks a transaction */
#define PACK_CHUNKS 12000 /* of 21 KiB on average */
#define LOOKUPS	    200000
#define STEPS	    10

struct bench {
	const char *dir;
	struct catalog *cat;
	struct store *store;
	struct hash_key key;
	uint64_t chunks;
	struct clock clock;
	struct error err;
};

static void must(struct bench *b, int rc)
{
	if (rc >= 0)
		return;
	(void)fprintf(stderr, "bench_index: %s\n", b->err.text);
	exit(1);
}

static double now_s(const struct bench *b)
{
	return (double)clock_now_ns(&b->clock) / 1e9;
}

static struct hash128 id_of(const struct bench *b, uint64_t n)
{
	struct hash128 id;

	hash128(&b->key, &n, sizeof(n), &id);
	return id;
}

/* The user's record is what one department's file leaves. */
static void put_chunk(struct bench *b, uint64_t n)
{
	const uint64_t at = n % PACK_CHUNKS;
	const struct chunk_row row = {
		.id = id_of(b, n),
		.pack = n / PACK_CHUNKS + 1,
		.off = 256 + at * 21000 / 262144 * 200000,
		.skip = (uint32_t)(at * 21000 % 262144),
		.len = (uint32_t)(8192 + n * 7919 % 28000),
		.stored_bytes = 6000 + n * 104729 % 20000,
		.refs = 1,
	};
	CLEANUP(stmt_done) struct catalog_stmt *s = NULL;

	must(b, chunk_row_put(b->store, &row, &b->err));
	s = catalog_write_stmt(b->cat,
			       "UPDATE chunk SET users = x'010001000000'"
			       " WHERE id = ?1",
			       &b->err);
	must(b, s ? 0 : b->err.code);
	stmt_bind_blob(s, 1, row.id.bytes, sizeof(row.id.bytes));
	must(b, stmt_run(s, &b->err) < 0 ? b->err.code : 0);
}

static void put_batch(struct bench *b, uint64_t upto)
{
	must(b, catalog_begin(b->cat, &b->err));
	for (uint64_t n = 0; n < BATCH && b->chunks < upto; n++) {
		const struct pack_row pack = {
			.id = b->chunks / PACK_CHUNKS + 1,
			.state = PACK_SEALED,
			.size_bytes = PACK_BYTES_DEFAULT,
		};

		if (b->chunks % PACK_CHUNKS == 0)
			must(b, pack_row_put(b->store, &pack, &b->err));
		put_chunk(b, b->chunks++);
	}
	must(b, catalog_commit(b->cat, &b->err));
}

/* A second, of numbers spread over all there are, from `first` on. */
static double lookups(struct bench *b, uint64_t first, int want)
{
	const double start = now_s(b);
	struct chunk_row row;

	for (uint64_t i = 0; i < LOOKUPS; i++) {
		const struct hash128 id =
			id_of(b, first + i * UINT64_C(2654435761) % b->chunks);
		int rc = chunk_row_get(b->store, VIEW_COMMITTED, &id, &row,
				       &b->err);

		must(b, rc);
		if (rc != want) {
			(void)fprintf(stderr, "bench_index: wrong answer\n");
			exit(1);
		}
	}
	return LOOKUPS / (now_s(b) - start);
}

static double lives_s(struct bench *b)
{
	cleanup_lives struct lives lives = { .n = 0 };
	const double start = now_s(b);

	must(b, lives_read(b->store, NULL, &lives, &b->err));
	return now_s(b) - start;
}

static long resident_kib(void)
{
	long kib = 0;
	char line[128];
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmRSS: %ld", &kib) == 1)
			break;
	if (f)
		(void)fclose(f);
	return kib;
}

static double bytes_a_chunk(const struct bench *b)
{
	char path[4096];
	struct stat st = { .st_size = 0 };

	(void)snprintf(path, sizeof(path), "%s/catalog.db", b->dir);
	(void)stat(path, &st);
	return (double)st.st_size / (double)b->chunks;
}

static void step(struct bench *b, uint64_t upto)
{
	const uint64_t before = b->chunks;
	double start = now_s(b);
	double puts;

	while (b->chunks < upto)
		put_batch(b, upto);
	puts = (double)(b->chunks - before) / (now_s(b) - start);
	(void)printf("%" PRIu64 ",%.0f,%.0f,%.0f,%.2f,%.1f,%ld\n", b->chunks,
		     puts, lookups(b, 0, 1), lookups(b, UINT64_C(1) << 40, 0),
		     lives_s(b), bytes_a_chunk(b), resident_kib());
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	struct bench b = { .clock = clock_real() };
	const struct store_options options = { .clock = b.clock };
	uint64_t chunks = argc > 2 ? strtoull(argv[2], NULL, 10) : 50000000;
	cleanup_fd int packs = -1;

	if (argc < 2 || argc > 3 || chunks < STEPS) {
		(void)fprintf(stderr, "usage: bench_index DIR [CHUNKS]\n");
		return 2;
	}
	b.dir = argv[1];
	for (size_t i = 0; i < sizeof(b.key.secret); i++)
		b.key.secret[i] = (uint8_t)(7 * i + 3);
	packs = open(b.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(&b, packs < 0
			 ? error_set(&b.err, -errno, "cannot open '%s'", b.dir)
			 : 0);
	must(&b, catalog_open(b.dir, CATALOG_CREATE, &b.clock, &b.cat, &b.err));
	must(&b, store_open(packs, b.cat, &options, &b.store, &b.err));
	(void)printf("chunks,puts_s,found_s,absent_s,all_s,bytes,rss_kib\n");
	for (uint64_t i = 1; i <= STEPS; i++)
		step(&b, chunks / STEPS * i);
	store_close(b.store);
	catalog_close(b.cat);
	return 0;
}
