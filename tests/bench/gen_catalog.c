/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The catalog of a drive that isn't there: directories, names, dates, sizes,
 * uses, departments with their charges, and some contents that are really in
 * packs, as a city's share has them; made through the modules themselves, so
 * that it is what they would have written. For measuring what reads catalogs.
 *
 *	gen_catalog LOWER [FILES [DAYS]]
 *
 * LOWER: an empty directory, which becomes a drive (as root); FILES: 1,000,000;
 * DAYS: how long ago it began, 40: every hour since then was observed.
 * Prints the inode number of the root. Don't mount it: its files would be
 * missed.
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
	struct ledger_department department[4]; /* the drive borrows them */
	struct error err;
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

static void batch(struct gen *g)
{
	if (++g->in_batch < BATCH)
		return;
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

static void put_contents(struct gen *g)
{
	g->contents = (unsigned int)(g->wanted / 50 + 1);
	if (g->contents > CONTENTS_MAX)
		g->contents = CONTENTS_MAX;
	g->content = calloc(g->contents, sizeof(*g->content));
	g->content_bytes = calloc(g->contents, sizeof(*g->content_bytes));
	if (g->content == NULL || g->content_bytes == NULL)
		must(g, error_set(&g->err, -ENOMEM, "out of memory"));
	must(g, catalog_begin(g->cat, &g->err));
	for (unsigned int i = 0; i < g->contents; i++)
		put_content(g, i);
	must(g, store_sync(drive_store(g->drive), &g->err));
	must(g, catalog_commit(g->cat, &g->err));
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

static uint64_t put_dir(struct gen *g, uint64_t parent, const char *name)
{
	struct catalog_inode dir = inode_of(g, S_IFDIR | 0750);

	must(g, catalog_inode_put(g->cat, &dir, &g->err));
	must(g, catalog_name_put(g->cat, parent, name, dir.ino, &g->err));
	batch(g);
	return dir.ino;
}

static void put_file(struct gen *g, uint64_t parent)
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
	struct catalog_inode file = inode_of(g, S_IFREG | 0640);
	struct catalog_event used = { .kind = CATALOG_EVENT_USED };
	char name[128];

	file.size_bytes = (UINT64_C(1) << pick(g, 22)) + pick(g, 100000);
	file.blocks = (file.size_bytes + 4095) / 4096 * 8;
	(void)snprintf(name, sizeof(name), "%s %06" PRIu64 ".%s",
		       stems[pick(g, COUNT(stems))], g->files,
		       ends[pick(g, COUNT(ends))]);
	if (pick(g, 10) == 0) {
		uint64_t c = pick(g, g->contents);

		file.size_bytes = g->content_bytes[c];
		file.blocks = 0;
		must(g, catalog_inode_pack(g->cat, &file, &g->content[c],
					   &g->err));
	} else {
		must(g, catalog_inode_put(g->cat, &file, &g->err));
	}
	must(g, catalog_name_put(g->cat, parent, name, file.ino, &g->err));
	used.inode = file;
	used.day = (int32_t)(g->now_ns / DAY_NS) - (int32_t)pick(g, 40);
	if (pick(g, 4) == 0)
		must(g, catalog_post(g->cat, &used));
	g->files++;
	batch(g);
}

static void put_dossiers(struct gen *g, uint64_t year, uint64_t files)
{
	uint64_t end = g->files + files;

	for (unsigned int d = 0; g->files < end && g->files < g->wanted; d++) {
		char name[64];
		uint64_t dir = 0;
		uint64_t n = 1 + pick(g, 19);

		(void)snprintf(name, sizeof(name), "%s %03u",
			       d % 7 == 0 ? "Contentieux" : "Dossier", d);
		dir = put_dir(g, year, name);
		while (n-- > 0 && g->files < g->wanted)
			put_file(g, dir);
	}
}

static const char *const homes[] = { "Urbanisme", "Finances",
				     "Ressources humaines", "Culture",
				     "March\xc3\xa9s publics" };

static void put_tree(struct gen *g, uint64_t root)
{
	uint64_t each = g->wanted / (COUNT(homes) * 10 * 16) + 1;
	struct catalog_inode top = inode_of(g, S_IFDIR | 0755);
	uint64_t city = 0;

	top.ino = root;
	must(g, catalog_inode_put(g->cat, &top, &g->err));
	city = put_dir(g, root, "Ville");
	for (size_t h = 0; h < COUNT(homes); h++) {
		uint64_t home = put_dir(g, city, homes[h]);

		for (int service = 0; service < 10; service++) {
			char name[32];
			uint64_t dir = 0;

			(void)snprintf(name, sizeof(name), "Service %d",
				       service);
			dir = put_dir(g, home, name);
			for (int year = 2010; year < 2026; year++) {
				(void)snprintf(name, sizeof(name), "%d", year);
				put_dossiers(g, put_dir(g, dir, name), each);
			}
		}
	}
}

/* --- the drive
 * ---------------------------------------------------------------- */

static void open_drive(struct gen *g, int lower, const struct clock *clock)
{
	static const char *const paths[][1] = {
		{ "/Ville/Urbanisme" },
		{ "/Ville/Finances" },
		{ "/Ville/Ressources humaines" },
		{ "/Ville/Culture" },
	};
	static const char *const ids[] = { "urb", "fin", "rh", "culture" };
	const bool stop = false;
	struct drive_options options = {
		.min_age_s = 86400,
		.departments = g->department,
		.n_departments = COUNT(ids),
		.clock = *clock,
	};

	for (size_t i = 0; i < COUNT(ids); i++)
		g->department[i] = (struct ledger_department){
			.id = ids[i],
			.name = homes[i],
			.paths = paths[i],
			.n_paths = 1,
		};
	must(g, drive_open(lower, NULL, &options, &g->drive, &g->err));
	g->cat = drive_catalog(g->drive);
	must(g, ledger_recharge(drive_ledger(g->drive), &stop, &g->err));
}

static void watch(struct gen *g, uint64_t hours)
{
	while (hours-- > 0) {
		g->now_ns += 3600 * NS_PER_S;
		must(g,
		     ledger_tick(drive_ledger(g->drive), 200000000, &g->err));
	}
}

static uint64_t number(const char *text)
{
	char *end = NULL;
	unsigned long long v = strtoull(text, &end, 10);

	if (*text == '\0' || *end != '\0' || v == 0) {
		(void)fprintf(stderr,
			      "usage: gen_catalog LOWER [FILES [DAYS]]\n");
		exit(2);
	}
	return v;
}

int main(int argc, char **argv)
{
	static struct gen g = { .seed = 1, .ino = FIRST_INO };
	struct clock clock = { .now_ns = gen_now, .ctx = &g };
	struct clock real = clock_real();
	uint64_t days = argc > 3 ? number(argv[3]) : 40;
	struct stat st;
	int lower = argc > 1 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC)
			     : -1;

	g.wanted = argc > 2 ? number(argv[2]) : 1000000;
	if (lower < 0 || fstat(lower, &st) < 0) {
		(void)fprintf(stderr,
			      "usage: gen_catalog LOWER [FILES [DAYS]]\n");
		return 2;
	}
	g.now_ns = clock_now_ns(&real) - (int64_t)days * DAY_NS;
	open_drive(&g, lower, &clock);
	put_contents(&g);
	must(&g, catalog_begin(g.cat, &g.err));
	put_tree(&g, st.st_ino);
	must(&g, catalog_commit(g.cat, &g.err));
	watch(&g, days * 24);
	drive_close(g.drive);
	free(g.content);
	free(g.content_bytes);
	(void)close(lower);
	(void)printf("%" PRIu64 "\n", (uint64_t)st.st_ino);
	return 0;
}
