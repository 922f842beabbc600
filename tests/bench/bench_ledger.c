/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What the ledger adds to an event: two catalogs of the same files, one with a
 * ledger of 40 departments, get the same events in turn, in transactions as the
 * catalog's thread makes them.
 *
 *	bench_ledger DIR [ROUNDS [FILES]]
 *
 * DIR: an empty directory, best on a tmpfs: a disk's syncs are not CPU time,
 * but disturb it. ROUNDS: 30; FILES: 200,000 that are there before.
 * Prints a table, medians of the rounds, microseconds an operation: CPU time of
 * the whole transaction without and with the ledger; of the hook before the
 * commit: all of it, what SQLite takes of it, the rest, and calls of SQLite's.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/cleanup.h"
#include "fs/ledger/ledger.h"
#include "tests/bench/spent.h"

#define DEPARTMENTS   40u
#define DIRS	      2000u /* 50 a department */
#define EVENTS	      1000u /* a transaction */
#define CONTENTS      16u
#define CONTENT_BYTES (256u << 10)
#define FIRST_FILE    1000000u
#define ROUNDS_MAX    1000u

enum kind {
	CREATE,
	WRITE,
	RENAME,
	UNLINK,
	COPY,
	DROP,
	KINDS
};
static const char *const kind_name[KINDS] = {
	"create",
	"write, close",
	"rename to another department",
	"unlink",
	"pack a copy of what three departments share",
	"unlink such a copy",
};

/* Of a round, a kind: ns an operation. */
struct figures {
	double without;
	double with;
	double hook;
	double sqlite;
	double calls;
};

struct side {
	struct catalog *cat;
	struct store *store;
	struct ledger *ledger; /* NULL: without */
};

struct bench {
	struct side side[2];
	struct clock clock;
	uint64_t seed;
	uint64_t files; /* there from the start */
	uint64_t next;	/* the next new file */
	unsigned int rounds;
	struct hash128 content[CONTENTS];
	double clock_ns;
	struct figures figures[KINDS][ROUNDS_MAX];
	struct error err;
};

static void must(struct bench *b, int rc)
{
	if (rc >= 0)
		return;
	(void)fprintf(stderr, "bench_ledger: %s\n", b->err.text);
	exit(1);
}

static uint64_t pick(struct bench *b, uint64_t n)
{
	b->seed = b->seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (b->seed >> 33) % n;
}

/* --- the two catalogs --------------------------------------------------------
 */

static void open_ledger(struct bench *b, struct side *s)
{
	static char name[DEPARTMENTS][8];
	static char path[DEPARTMENTS][16];
	static const char *paths[DEPARTMENTS][1];
	struct ledger_department department[DEPARTMENTS];

	for (unsigned int i = 0; i < DEPARTMENTS; i++) {
		(void)snprintf(name[i], sizeof(name[i]), "d%02u", i);
		(void)snprintf(path[i], sizeof(path[i]), "/d%02u", i);
		paths[i][0] = path[i];
		department[i] = (struct ledger_department){
			.id = name[i],
			.name = name[i],
			.paths = paths[i],
			.n_paths = 1,
		};
	}
	must(b, ledger_open(s->cat, s->store, department, DEPARTMENTS,
			    &b->clock, &s->ledger, &b->err));
}

static void open_side(struct bench *b, const char *top, const char *name,
		      struct side *s)
{
	const struct store_options options = { .clock = b->clock };
	cleanup_fd int packs = -1;
	char dir[4096];
	char sub[4104];

	(void)snprintf(dir, sizeof(dir), "%s/%s", top, name);
	(void)snprintf(sub, sizeof(sub), "%s/packs", dir);
	if (mkdir(dir, 0700) < 0 || mkdir(sub, 0700) < 0)
		must(b, error_set(&b->err, -errno, "cannot make '%s'", dir));
	packs = open(sub, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(b, packs);
	must(b, catalog_open(dir, CATALOG_CREATE, &b->clock, &s->cat, &b->err));
	must(b, store_open(packs, s->cat, &options, &s->store, &b->err));
}

static void put_content(struct bench *b, struct side *s, unsigned int i)
{
	cleanup_fd int fd = memfd_create("content", MFD_CLOEXEC);
	static uint64_t words[CONTENT_BYTES / sizeof(uint64_t)];
	struct store_put_result result;

	b->seed = i + 1;
	for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++)
		words[w] = pick(b, UINT32_MAX) << 31 ^ pick(b, UINT32_MAX);
	if (fd < 0 || write(fd, words, sizeof(words)) != sizeof(words))
		must(b, error_set(&b->err, -errno, "cannot write a content"));
	must(b, store_put(s->store, fd, sizeof(words), &result, &b->err));
	b->content[i] = result.content;
}

static uint64_t dir_of(unsigned int department, uint64_t n)
{
	return 1000 + department * (DIRS / DEPARTMENTS) +
	       n % (DIRS / DEPARTMENTS);
}

static void name_of(uint64_t ino, char name[32])
{
	(void)snprintf(name, 32, "Document %" PRIu64 ".odt", ino);
}

static struct catalog_inode inode_of(uint64_t ino, uint32_t mode,
				     uint64_t size_bytes)
{
	return (struct catalog_inode){
		.ino = ino,
		.btime_ns = NS_PER_S,
		.mode = mode,
		.uid = 1000,
		.gid = 100,
		.nlink = 1,
		.size_bytes = size_bytes,
		.blocks = (size_bytes + 4095) / 4096 * 8,
		.mtime_ns = NS_PER_S,
		.ctime_ns = NS_PER_S,
		.handle = { .len = 8, .type = 1 },
	};
}

static void put(struct bench *b, struct side *s, uint64_t parent,
		const char *name, const struct catalog_inode *inode)
{
	must(b, catalog_inode_put(s->cat, inode, &b->err));
	must(b, catalog_name_put(s->cat, parent, name, inode->ino, &b->err));
}

/* /dNN/NNNN/Document N.odt */
static void put_dirs(struct bench *b, struct side *s)
{
	struct catalog_inode root = inode_of(1, S_IFDIR | 0755, 4096);

	must(b, catalog_inode_put(s->cat, &root, &b->err));
	for (unsigned int d = 0; d < DEPARTMENTS; d++) {
		struct catalog_inode top =
			inode_of(10 + d, S_IFDIR | 0755, 4096);
		char name[32];

		(void)snprintf(name, sizeof(name), "d%02u", d);
		put(b, s, 1, name, &top);
		for (unsigned int i = 0; i < DIRS / DEPARTMENTS; i++) {
			struct catalog_inode dir =
				inode_of(dir_of(d, i), S_IFDIR | 0755, 4096);

			(void)snprintf(name, sizeof(name), "%04u", i);
			put(b, s, top.ino, name, &dir);
		}
	}
}

static unsigned int department_of(uint64_t ino)
{
	return (unsigned int)(ino * 7919 % DEPARTMENTS);
}

/* The contents are each of three files, of three departments. */
static void put_files(struct bench *b, struct side *s)
{
	for (uint64_t i = 0; i < b->files; i++) {
		struct catalog_inode file = inode_of(
			FIRST_FILE + i, S_IFREG | 0640, 1000 + i % 300000);
		char name[32];

		if (i > 0 && i % 5000 == 0) {
			must(b, catalog_commit(s->cat, &b->err));
			must(b, catalog_begin(s->cat, &b->err));
		}
		name_of(file.ino, name);
		put(b, s, dir_of(department_of(file.ino), file.ino), name,
		    &file);
		if (i >= 3UL * CONTENTS)
			continue;
		file.blocks = 0;
		must(b, catalog_inode_pack(s->cat, &file,
					   &b->content[i % CONTENTS], &b->err));
	}
}

static void prepare(struct bench *b, const char *top)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct side *s = &b->side[i];

		open_side(b, top, i == 0 ? "without" : "with", s);
		if (i == 1)
			open_ledger(b, s);
		must(b, catalog_begin(s->cat, &b->err));
		for (unsigned int c = 0; c < CONTENTS; c++)
			put_content(b, s, c);
		must(b, store_sync(s->store, &b->err));
		put_dirs(b, s);
		put_files(b, s);
		must(b, catalog_commit(s->cat, &b->err));
	}
}

/* --- operations --------------------------------------------------------------
 */

static void post(struct bench *b, struct side *s,
		 const struct catalog_event *ev)
{
	must(b, catalog_post(s->cat, ev));
}

static void post_inode(struct bench *b, struct side *s, uint64_t ino,
		       uint64_t size_bytes)
{
	const struct catalog_event ev = {
		.kind = CATALOG_EVENT_INODE,
		.inode = inode_of(ino, S_IFREG | 0640, size_bytes),
	};

	post(b, s, &ev);
}

static void post_name(struct bench *b, struct side *s,
		      enum catalog_event_kind kind, uint64_t ino,
		      unsigned int department)
{
	char name[32];
	const struct catalog_event ev = {
		.kind = kind,
		.inode = { .ino = ino },
		.parent = dir_of(department, ino),
		.name = name,
		.new_parent = dir_of((department + 1) % DEPARTMENTS, ino),
		.new_name = name,
	};

	name_of(ino, name);
	post(b, s, &ev);
}

static void post_gone(struct bench *b, struct side *s, uint64_t ino)
{
	const struct catalog_event ev = {
		.kind = CATALOG_EVENT_GONE,
		.inode = { .ino = ino, .btime_ns = NS_PER_S },
	};

	post(b, s, &ev);
}

/* The number of the file is the same for both sides. */
static void post_one(struct bench *b, struct side *s, enum kind kind,
		     uint64_t i)
{
	uint64_t ino = b->next + i;
	unsigned int d = department_of(ino);

	switch (kind) {
	case CREATE:
		post_name(b, s, CATALOG_EVENT_NAME, ino, d);
		post_inode(b, s, ino, 0);
		break;
	case WRITE:
		ino = FIRST_FILE + 3UL * CONTENTS +
		      pick(b, b->files - 3UL * CONTENTS);
		post_inode(b, s, ino, 1000 + pick(b, 1000000));
		break;
	case RENAME:
		post_name(b, s, CATALOG_EVENT_MOVE, ino, d);
		break;
	case UNLINK:
		post_name(b, s, CATALOG_EVENT_UNNAME, ino,
			  (d + 1) % DEPARTMENTS);
		post_gone(b, s, ino);
		break;
	case COPY:
	case DROP:
		post_name(b, s,
			  kind == COPY ? CATALOG_EVENT_NAME
				       : CATALOG_EVENT_UNNAME,
			  ino, d);
		if (kind == DROP)
			post_gone(b, s, ino);
		break;
	case KINDS:
		break;
	}
}

/* As the packer does, in its transaction. */
static void pack_copies(struct bench *b, struct side *s)
{
	for (uint64_t i = 0; i < EVENTS; i++) {
		struct catalog_inode file =
			inode_of(b->next + i, S_IFREG | 0640, CONTENT_BYTES);

		file.blocks = 0;
		must(b, catalog_inode_pack(s->cat, &file,
					   &b->content[i % CONTENTS], &b->err));
	}
}

static double run(struct bench *b, struct side *s, enum kind kind)
{
	int64_t start;

	for (uint64_t i = 0; i < EVENTS; i++)
		post_one(b, s, kind, i);
	start = spent_cpu_ns();
	must(b, catalog_begin(s->cat, &b->err));
	if (kind == COPY)
		pack_copies(b, s);
	must(b, catalog_commit(s->cat, &b->err));
	return (double)(spent_cpu_ns() - start) / EVENTS;
}

static void run_with(struct bench *b, enum kind kind, bool inside,
		     struct figures *f)
{
	struct spent spent;
	double calls;
	double with;

	spent_begin(inside);
	with = run(b, &b->side[1], kind);
	spent = spent_end();
	calls = (double)spent.calls;
	if (!inside) {
		f->with = with;
		f->hook = (double)spent.hook_ns / EVENTS;
	}
	f->calls = calls / EVENTS;
	f->sqlite =
		((double)spent.sqlite_ns - calls * b->clock_ns / 2) / EVENTS;
}

/* SQLite's part is measured in every other round, and nothing else: that
 * costs. Each side is the first in half of them. */
static void measure(struct bench *b, enum kind kind, unsigned int round)
{
	struct figures *f = &b->figures[kind][round / 2];
	const bool inside = round % 2 == 1;
	const bool first = round / 2 % 2 == 1;
	const uint64_t seed = b->seed;

	if (first)
		run_with(b, kind, inside, f);
	b->seed = seed;
	f->without = run(b, &b->side[0], kind);
	b->seed = seed;
	if (!first)
		run_with(b, kind, inside, f);
}

/* --- what came of it ---------------------------------------------------------
 */

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median_us(const struct bench *b, enum kind kind, size_t offset)
{
	double value[ROUNDS_MAX];
	const unsigned int n = b->rounds / 2;

	for (unsigned int i = 0; i < n; i++)
		memcpy(&value[i], (const char *)&b->figures[kind][i] + offset,
		       sizeof(value[i]));
	qsort(value, n, sizeof(value[0]), ascending);
	return value[n / 2] / 1000;
}

#define MEDIAN(b, kind, what) median_us(b, kind, offsetof(struct figures, what))

static void print(const struct bench *b)
{
	(void)printf("| µs an operation | without | with | ledger's part |"
		     " hook | SQLite in it | the rest | calls of SQLite |\n"
		     "|---|---|---|---|---|---|---|---|\n");
	for (unsigned int k = 0; k < KINDS; k++) {
		double without = MEDIAN(b, k, without);
		double with = MEDIAN(b, k, with);
		double hook = MEDIAN(b, k, hook);
		double sqlite = MEDIAN(b, k, sqlite);

		(void)printf("| %s | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f |"
			     " %.1f |\n",
			     kind_name[k], without, with, with - without, hook,
			     sqlite, hook - sqlite, MEDIAN(b, k, calls) * 1000);
	}
}

static unsigned int number(const char *text, unsigned int max)
{
	unsigned long v = strtoul(text, NULL, 10);

	if (v < 2 || v > max) {
		(void)fprintf(stderr,
			      "usage: bench_ledger DIR [ROUNDS [FILES]]\n");
		exit(2);
	}
	return (unsigned int)v;
}

int main(int argc, char **argv)
{
	static struct bench b = { .seed = 1, .files = 200000, .rounds = 30 };

	b.clock = clock_real();
	if (argc < 2 || argc > 4)
		(void)number("", 0);
	if (argc > 2)
		b.rounds = number(argv[2], 2 * ROUNDS_MAX);
	if (argc > 3)
		b.files = number(argv[3], 100000000);
	b.next = FIRST_FILE + b.files;
	b.clock_ns = spent_clock_costs_ns();
	prepare(&b, argv[1]);
	for (unsigned int round = 0; round < b.rounds; round++) {
		for (unsigned int kind = 0; kind < KINDS; kind++) {
			measure(&b, kind, round);
			if (kind == UNLINK || kind == DROP)
				b.next += EVENTS;
		}
	}
	print(&b);
	for (unsigned int i = 0; i < 2; i++) {
		ledger_close(b.side[i].ledger);
		store_close(b.side[i].store);
		catalog_close(b.side[i].cat);
	}
	return 0;
}
