/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The catalog of a drive that isn't there: directories, names, dates, sizes,
 * uses, departments with their charges, and some contents that are really in
 * packs, as a city's share has them; made through the modules themselves, so
 * that it is what they would have written. For measuring what reads catalogs.
 *
 *	gen_catalog [-c CHUNKS] [-d DEPARTMENTS] [-r] LOWER [FILES [DAYS]]
 *
 * LOWER: an empty directory, which becomes a drive (as root); FILES: 1,000,000;
 * DAYS: how long ago it began, 40: all of them were observed.
 * -c: half of the files are packed, not a tenth, into about so many chunks, of
 * which there are rows and recipes, but no data. -d: so many departments, not
 * 4; one folder more is nobody's. -r: the files are there, sparse, of a block
 * where they are plain. Prints the inode number of the root. Don't mount it:
 * what is packed has no stubs.
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

#include "fs/file/file.h"
#include "tests/bench/gen_chunks.h"

#define FIRST_INO    UINT64_C(100000000)
#define BATCH	     5000
#define CONTENTS_MAX 20000
#define DAY_NS	     (INT64_C(86400) * NS_PER_S)
#define COUNT(list)  (sizeof(list) / sizeof((list)[0]))

struct gen {
	struct drive *drive;
	struct catalog *cat;
	uint64_t seed;
	uint64_t ino; /* the last given */
	uint64_t files;
	uint64_t wanted;
	int64_t now_ns; /* of the drive's clock */
	unsigned int in_batch;
	struct hash128 *content;
	uint64_t *content_bytes;
	unsigned int contents;
	struct gen_chunks chunks; /* n_parts 0: none but those in packs */
	struct home *home;	  /* [homes] */
	unsigned int homes;	  /* the last is nobody's */
	unsigned int years;	  /* folders of a service */
	bool real;
	struct ledger_department *department; /* the drive borrows them */
	struct error err;
};

/* A department's folder. */
struct home {
	char name[64];
	char id[16];
	char path[80];
	const char *paths[1];
};

struct dir {
	uint64_t ino;
	int fd; /* -1: it isn't there */
};

static int64_t gen_now(void *ctx)
{
	return ((struct gen *)ctx)->now_ns;
}

static void must(struct gen *g, int rc)
{
	if (rc >= 0)
		return;
	(void)fprintf(stderr, "gen_catalog: %s\n", g->err.text);
	exit(1);
}

static uint64_t pick(struct gen *g, uint64_t n)
{
	g->seed = g->seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (g->seed >> 33) % n;
}

static uint64_t pick_for_chunks(void *ctx, uint64_t n)
{
	return pick(ctx, n);
}

static void batch(struct gen *g)
{
	if (++g->in_batch < BATCH)
		return;
	must(g, store_sync(drive_store(g->drive), &g->err));
	must(g, catalog_commit(g->cat, &g->err));
	must(g, catalog_begin(g->cat, &g->err));
	g->in_batch = 0;
}

/* --- contents ---------------------------------------------------------------
 */

static void put_content(struct gen *g, unsigned int i)
{
	cleanup_fd int fd = memfd_create("content", MFD_CLOEXEC);
	uint64_t words[1024];
	size_t len = 4096 + 8 * pick(g, 512);
	struct store_put_result result;

	for (size_t w = 0; w < COUNT(words); w++)
		words[w] = (uint64_t)i << 32 | pick(g, 1U << 20);
	if (fd < 0 || write(fd, words, len) != (ssize_t)len ||
	    lseek(fd, 0, SEEK_SET) != 0)
		must(g, error_set(&g->err, -errno, "cannot write a content"));
	must(g, store_put(drive_store(g->drive), fd, len, &result, &g->err));
	g->content[i] = result.content;
	g->content_bytes[i] = len;
}

static void *need(struct gen *g, size_t n, size_t each)
{
	void *at = calloc(n, each);

	if (at == NULL)
		must(g, error_set(&g->err, -ENOMEM, "out of memory"));
	return at;
}

static void put_contents(struct gen *g)
{
	uint64_t max = g->chunks.n_parts > 0 ? g->wanted : CONTENTS_MAX;

	if (g->chunks.n_parts == 0)
		g->contents = (unsigned int)(g->wanted / 50 + 1);
	if (g->contents > CONTENTS_MAX)
		g->contents = CONTENTS_MAX;
	g->content = need(g, max, sizeof(*g->content));
	g->content_bytes = need(g, max, sizeof(*g->content_bytes));
	must(g, catalog_begin(g->cat, &g->err));
	for (unsigned int i = 0; i < g->contents; i++)
		put_content(g, i);
	must(g, store_sync(drive_store(g->drive), &g->err));
	must(g, catalog_commit(g->cat, &g->err));
}

/* Five in six have a content of their own; with chunks they are made as they
 * are met. */
static uint64_t pick_content(struct gen *g)
{
	unsigned int c = g->contents;

	if (g->chunks.n_parts == 0 || (c > 0 && pick(g, 6) == 0))
		return pick(g, c);
	must(g, gen_chunks_put(&g->chunks, c, &g->content[c],
			       &g->content_bytes[c], &g->err));
	g->contents++;
	return c;
}

/* --- the tree ----------------------------------------------------------------
 */

static struct catalog_inode inode_of(struct gen *g, uint32_t mode)
{
	int64_t age_ns = (int64_t)pick(g, 3650) * DAY_NS;

	return (struct catalog_inode){
		.ino = ++g->ino,
		.btime_ns = g->now_ns - age_ns / 2,
		.mode = mode,
		.uid = 1000 + (uint32_t)pick(g, 400),
		.gid = 100,
		.nlink = S_ISDIR(mode) ? 2 : 1,
		.blocks = 8,
		.mtime_ns = g->now_ns - age_ns,
		.ctime_ns = g->now_ns - age_ns,
		.handle = { .len = 8, .type = 1 },
	};
}

/* What is there has a number of its own. */
static void make_real(struct gen *g, struct catalog_inode *inode, int fd)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		must(g, error_set(&g->err, -errno, "cannot make a file"));
	inode->ino = st.st_ino;
	inode->blocks = (uint64_t)st.st_blocks;
}

static struct dir put_dir(struct gen *g, const struct dir *parent,
			  const char *name)
{
	struct catalog_inode inode = inode_of(g, S_IFDIR | 0750);
	struct dir dir = { .fd = -1 };

	if (g->real) {
		if (mkdirat(parent->fd, name, 0750) == 0)
			dir.fd = openat(parent->fd, name,
					O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		make_real(g, &inode, dir.fd);
	}
	dir.ino = inode.ino;
	must(g, catalog_inode_put(g->cat, &inode, &g->err));
	must(g, catalog_name_put(g->cat, parent->ino, name, dir.ino, &g->err));
	batch(g);
	return dir;
}

/* The folder's own blocks may have grown by then. */
static void end_dir(struct gen *g, struct dir *dir)
{
	struct catalog_inode inode;

	if (!g->real)
		return;
	must(g, catalog_inode_get(g->cat, dir->ino, 0, &inode, &g->err));
	make_real(g, &inode, dir->fd);
	must(g, catalog_inode_put(g->cat, &inode, &g->err));
	(void)close(dir->fd);
}

static void make_file(struct gen *g, const struct dir *parent, const char *name,
		      struct catalog_inode *file)
{
	cleanup_fd int fd =
		openat(parent->fd, name,
		       O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

	if (fd >= 0 && ((file->blocks > 0 && pwrite(fd, "x", 1, 0) != 1) ||
			ftruncate(fd, (off_t)file->size_bytes) < 0))
		must(g, error_set(&g->err, -errno, "cannot write a file"));
	make_real(g, file, fd);
	/* What is not yet allocated will be: one block, as it was written. */
	file->blocks = file->size_bytes > 0 && !file->packed ? 8 : 0;
}

static void name_file(struct gen *g, char *name, size_t len)
{
	static const char *const stems[] = {
		"D\xc3\xa9lib\xc3\xa9ration",
		"Courrier",
		"Plan de situation",
		"Facture",
		"IMG",
		"Compte rendu",
		"March\xc3\xa9",
		"Copie de note",
		"Photo",
		"Annexe",
	};
	static const char *const ends[] = {
		"pdf", "PDF", "docx", "xlsx", "odt",
		"jpg", "msg", "tmp",  "dwg",  "zip"
	};

	(void)snprintf(name, len, "%s %06" PRIu64 ".%s",
		       stems[pick(g, COUNT(stems))], g->files,
		       ends[pick(g, COUNT(ends))]);
}

static void put_file(struct gen *g, const struct dir *parent)
{
	struct catalog_inode file = inode_of(g, S_IFREG | 0640);
	struct catalog_event used = { .kind = CATALOG_EVENT_USED };
	char name[128];
	uint64_t c = 0;

	file.size_bytes = (UINT64_C(1) << pick(g, 22)) + pick(g, 100000);
	file.blocks = (file.size_bytes + 4095) / 4096 * 8;
	name_file(g, name, sizeof(name));
	if (pick(g, g->chunks.n_parts > 0 ? 2 : 10) == 0) {
		c = pick_content(g);
		file.packed = true;
		file.size_bytes = g->content_bytes[c];
		file.blocks = 0;
	}
	if (g->real)
		make_file(g, parent, name, &file);
	must(g, file.packed ? catalog_inode_pack(g->cat, &file, &g->content[c],
						 &g->err)
			    : catalog_inode_put(g->cat, &file, &g->err));
	must(g, catalog_name_put(g->cat, parent->ino, name, file.ino, &g->err));
	used.inode = file;
	used.day = (int32_t)(g->now_ns / DAY_NS) - (int32_t)pick(g, 40);
	if (pick(g, 4) == 0)
		must(g, catalog_post(g->cat, &used));
	g->files++;
	batch(g);
}

static void put_dossiers(struct gen *g, const struct dir *year, uint64_t files)
{
	uint64_t end = g->files + files;

	for (unsigned int d = 0; g->files < end && g->files < g->wanted; d++) {
		char name[64];
		struct dir dir;
		uint64_t n = 1 + pick(g, 19);

		(void)snprintf(name, sizeof(name), "%s %03u",
			       d % 7 == 0 ? "Contentieux" : "Dossier", d);
		dir = put_dir(g, year, name);
		while (n-- > 0 && g->files < g->wanted)
			put_file(g, &dir);
		end_dir(g, &dir);
	}
}

static void put_service(struct gen *g, const struct dir *home, int service,
			uint64_t files_a_year)
{
	char name[32];
	struct dir dir;

	(void)snprintf(name, sizeof(name), "Service %d", service);
	dir = put_dir(g, home, name);
	for (unsigned int year = 0; year < g->years; year++) {
		struct dir there;

		(void)snprintf(name, sizeof(name), "%u",
			       2026 - g->years + year);
		there = put_dir(g, &dir, name);
		put_dossiers(g, &there, files_a_year);
		end_dir(g, &there);
	}
	end_dir(g, &dir);
}

#define SERVICES 10

static void put_tree(struct gen *g, struct dir *root)
{
	uint64_t each = g->wanted / (g->homes * SERVICES * g->years) + 1;
	struct catalog_inode top = inode_of(g, S_IFDIR | 0755);
	struct dir city;

	top.ino = root->ino;
	must(g, catalog_inode_put(g->cat, &top, &g->err));
	city = put_dir(g, root, "Ville");
	for (unsigned int h = 0; h < g->homes; h++) {
		struct dir home = put_dir(g, &city, g->home[h].name);

		for (int service = 0; service < SERVICES; service++)
			put_service(g, &home, service, each);
		end_dir(g, &home);
	}
	end_dir(g, &city);
	if (g->real)
		make_real(g, &top, root->fd);
	must(g, catalog_inode_put(g->cat, &top, &g->err));
}

/* --- the drive
 * ---------------------------------------------------------------- */

static void name_homes(struct gen *g)
{
	static const char *const known[][2] = {
		{ "urb", "Urbanisme" },
		{ "fin", "Finances" },
		{ "rh", "Ressources humaines" },
		{ "culture", "Culture" },
	};

	g->home = need(g, g->homes, sizeof(*g->home));
	for (unsigned int i = 0; i < g->homes; i++) {
		struct home *h = &g->home[i];

		(void)snprintf(h->id, sizeof(h->id), "d%02u", i + 1);
		(void)snprintf(h->name, sizeof(h->name), "Direction %02u",
			       i + 1);
		if (i < COUNT(known)) {
			(void)snprintf(h->id, sizeof(h->id), "%s", known[i][0]);
			(void)snprintf(h->name, sizeof(h->name), "%s",
				       known[i][1]);
		}
		if (i == g->homes - 1)
			(void)snprintf(h->name, sizeof(h->name),
				       "March\xc3\xa9s publics");
		(void)snprintf(h->path, sizeof(h->path), "/Ville/%s", h->name);
		h->paths[0] = h->path;
	}
}

static void open_drive(struct gen *g, int lower, const struct clock *clock)
{
	const bool stop = false;
	struct drive_options options = {
		.min_age_s = 86400,
		.n_departments = g->homes - 1,
		.clock = *clock,
	};

	name_homes(g);
	g->department = need(g, g->homes, sizeof(*g->department));
	for (unsigned int i = 0; i < g->homes - 1; i++)
		g->department[i] = (struct ledger_department){
			.id = g->home[i].id,
			.name = g->home[i].name,
			.paths = g->home[i].paths,
			.n_paths = 1,
		};
	options.departments = g->department;
	must(g, drive_open(lower, NULL, &options, &g->drive, &g->err));
	g->cat = drive_catalog(g->drive);
	g->chunks.store = drive_store(g->drive);
	must(g, ledger_recharge(drive_ledger(g->drive), &stop, &g->err));
}

/* A tick a day tells as much as one a minute. */
static void watch(struct gen *g, uint64_t days)
{
	while (days-- > 0) {
		g->now_ns += DAY_NS;
		must(g,
		     ledger_tick(drive_ledger(g->drive), 200000000, &g->err));
	}
}

static void usage(void)
{
	(void)fprintf(stderr,
		      "usage: gen_catalog [-c CHUNKS] [-d DEPARTMENTS] [-r] "
		      "LOWER [FILES [DAYS]]\n");
	exit(2);
}

static uint64_t number(const char *text)
{
	char *end = NULL;
	unsigned long long v = strtoull(text, &end, 10);

	if (*text == '\0' || *end != '\0' || v == 0)
		usage();
	return v;
}

/* The chunks wanted; the rest of the command line is from optind on. */
static uint64_t options(struct gen *g, int argc, char **argv)
{
	uint64_t chunks = 0;
	int option;

	while ((option = getopt(argc, argv, "c:d:r")) != -1) {
		if (option == 'c')
			chunks = number(optarg);
		else if (option == 'd')
			g->homes = 1 + (unsigned int)number(optarg);
		else if (option == 'r')
			g->real = true;
		else
			usage();
	}
	return chunks;
}

static void generate(struct gen *g, struct dir *root, uint64_t days)
{
	put_contents(g);
	must(g, catalog_begin(g->cat, &g->err));
	put_tree(g, root);
	must(g, store_sync(drive_store(g->drive), &g->err));
	must(g, catalog_commit(g->cat, &g->err));
	watch(g, days);
	if (g->chunks.made > 0)
		(void)fprintf(stderr, "%" PRIu64 " chunks, %u contents\n",
			      g->chunks.made, g->contents);
}

int main(int argc, char **argv)
{
	static struct gen g = {
		.seed = 1, .ino = FIRST_INO, .homes = 5, .years = 16
	};
	struct clock clock = { .now_ns = gen_now, .ctx = &g };
	struct clock real = clock_real();
	uint64_t chunks = options(&g, argc, argv);
	char **rest = argv + optind;
	int n = argc - optind;
	uint64_t days = n > 2 ? number(rest[2]) : 40;
	struct dir root = { .fd = -1 };
	struct stat st;

	if (n > 0)
		root.fd = open(rest[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g.wanted = n > 1 ? number(rest[1]) : 1000000;
	if (root.fd < 0 || fstat(root.fd, &st) < 0)
		usage();
	root.ino = st.st_ino;
	g.years = g.homes > 20 ? 4 : 16; /* dossiers of a dozen, or so */
	/* As many contents as 5 in 6 of half of the files; 15 in 16 new. */
	g.chunks = (struct gen_chunks){
		.n_parts = (chunks * 192 + 75 * g.wanted - 1) / (75 * g.wanted),
		.pick = pick_for_chunks,
		.ctx = &g,
	};
	g.now_ns = clock_now_ns(&real) - (int64_t)days * DAY_NS;
	open_drive(&g, root.fd, &clock);
	generate(&g, &root, days);
	drive_close(g.drive);
	free(g.department);
	free(g.home);
	free(g.content);
	free(g.content_bytes);
	(void)close(root.fd);
	(void)printf("%" PRIu64 "\n", root.ino);
	return 0;
}
