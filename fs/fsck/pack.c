/* SPDX-License-Identifier: EUPL-1.2 */
/* The table pack against the files in packs/, docs/format/pack.md. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/fsck/internal.h"

#define PACK_STATE_EMPTIED 3 /* about to be unlinked */
#define NAME_BYTES	   48

static void name_of(uint64_t id, char ret_name[NAME_BYTES])
{
	(void)snprintf(ret_name, NAME_BYTES, "%02x/%04" PRIu64 ".pack",
		       (unsigned int)(id & 0xff), id);
}

static int open_packs(struct fsck *f, struct error *err)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	const char *state = f->options->state_path;
	cleanup_fd int dir =
		openat(drive_lower_fd(f->drive),
		       state != NULL ? state : DRIVE_STATE_NAME, flags);
	int fd = dir < 0 ? -1 : openat(dir, "packs", flags);

	return fd < 0 ? error_set(err, -errno, "cannot open the packs: %s",
				  error_words(-errno))
		      : fd;
}

struct pack {
	uint64_t id;
	int64_t state;
	uint64_t size_bytes;
};

/* 1 and the row; 0 when there is none. */
static int get_row(struct fsck *f, uint64_t id, struct pack *ret,
		   struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_read_stmt(
		f->cat, "SELECT state, size_bytes FROM pack WHERE id = ?1",
		err);
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, (int64_t)id);
	rc = stmt_step(s, err);
	if (rc == 1)
		*ret = (struct pack){ .id = id,
				      .state = stmt_i64(s, 0),
				      .size_bytes = (uint64_t)stmt_i64(s, 1) };
	return rc;
}

/* 1: the file is as the row says; 0 with the kind and the file's size. */
static int compare(int packs, const struct pack *pack, enum fsck_kind *ret_kind,
		   int64_t *ret_size)
{
	char name[NAME_BYTES];
	struct stat st;

	name_of(pack->id, name);
	*ret_kind = FSCK_PACK_MISSING;
	if (fstatat(packs, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode))
		return pack->state == PACK_STATE_EMPTIED;
	*ret_kind = FSCK_PACK_SHORT;
	*ret_size = st.st_size;
	return (uint64_t)st.st_size >= pack->size_bytes;
}

/* It may be collected, or rolled back, between two looks. */
static int check_row(struct fsck *f, int packs, struct pack *pack,
		     struct error *err)
{
	enum fsck_kind kind = FSCK_PACK_MISSING;
	char path[NAME_BYTES + 8];
	char name[NAME_BYTES];
	int64_t size = 0;
	int rc = 0;

	if (compare(packs, pack, &kind, &size))
		return 0;
	rc = get_row(f, pack->id, pack, err);
	if (rc <= 0 || compare(packs, pack, &kind, &size))
		return rc < 0 ? rc : 0;
	name_of(pack->id, name);
	(void)snprintf(path, sizeof(path), "packs/%s", name);
	if (kind == FSCK_PACK_MISSING)
		fsck_tell(f, kind, path, "it isn't there");
	else
		fsck_tell(f, kind, path, "it has %" PRId64 " bytes of %" PRIu64,
			  size, pack->size_bytes);
	return 0;
}

/* 1 and the next row above `after`. */
static int next_row(struct fsck *f, uint64_t after, struct pack *ret,
		    struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_read_stmt(
		f->cat,
		"SELECT id, state, size_bytes FROM pack WHERE id > ?1"
		" ORDER BY id LIMIT 1",
		err);
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, (int64_t)after);
	rc = stmt_step(s, err);
	if (rc == 1)
		*ret = (struct pack){ .id = (uint64_t)stmt_i64(s, 0),
				      .state = stmt_i64(s, 1),
				      .size_bytes = (uint64_t)stmt_i64(s, 2) };
	return rc;
}

static int check_rows(struct fsck *f, int packs, struct error *err)
{
	struct pack pack = { 0 };
	int rc = 0;

	while ((rc = next_row(f, pack.id, &pack, err)) == 1) {
		rc = check_row(f, packs, &pack, err);
		if (rc == 0)
			rc = fsck_advance(f, err);
		if (rc < 0)
			return rc;
		f->report->packs++;
	}
	return rc;
}

/* A pack that is being begun has its row when its transaction ends. */
static int wait_for_writer(struct fsck *f, struct error *err)
{
	int rc = catalog_begin(f->cat, err);

	if (rc == 0)
		return catalog_commit(f->cat, err);
	return rc == -EROFS ? 0 : rc;
}

/* 0, which no pack has, when it doesn't begin with a number. */
static uint64_t id_in(const char *name)
{
	uint64_t id = 0;

	for (; *name >= '0' && *name <= '9'; name++) {
		if (id > INT64_MAX / 10 - 1)
			return 0;
		id = id * 10 + (uint64_t)(*name - '0');
	}
	return id;
}

static int check_name(struct fsck *f, int packs, const char *xx,
		      const char *name, struct error *err)
{
	char path[2 * NAME_MAX + 16];
	char expected[NAME_BYTES];
	uint64_t id = id_in(name);
	struct pack pack;
	int rc = 0;

	(void)snprintf(path, sizeof(path), "packs/%s/%s", xx, name);
	name_of(id, expected);
	if (strcmp(path + strlen("packs/"), expected) == 0) {
		rc = get_row(f, id, &pack, err);
		if (rc != 0)
			return rc < 0 ? rc : 0;
		rc = wait_for_writer(f, err);
		if (rc == 0)
			rc = get_row(f, id, &pack, err);
		if (rc != 0)
			return rc < 0 ? rc : 0;
		if (faccessat(packs, expected, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			return 0;
	}
	fsck_tell(f, FSCK_PACK_FOREIGN, path, "the catalog knows no such pack");
	return 0;
}

static int check_dir(struct fsck *f, int packs, const char *xx,
		     struct error *err)
{
	int fd = openat(packs, xx,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry = NULL;
	int rc = 0;

	if (dir == NULL) {
		fsck_tell(f, FSCK_PACK_FOREIGN, "packs", "'%s': %s", xx,
			  error_words(-errno));
		if (fd >= 0)
			(void)close(fd);
		return 0;
	}
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): ours alone */
	while (rc == 0 && (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			rc = check_name(f, packs, xx, entry->d_name, err);
	}
	(void)closedir(dir);
	return rc;
}

static int check_files(struct fsck *f, int packs, struct error *err)
{
	int fd = openat(packs, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry = NULL;
	int rc = 0;

	if (dir == NULL) {
		rc = error_set(err, -errno, "cannot list the packs: %s",
			       error_words(-errno));
		if (fd >= 0)
			(void)close(fd);
		return rc;
	}
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): ours alone */
	while (rc == 0 && (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			rc = check_dir(f, packs, entry->d_name, err);
	}
	(void)closedir(dir);
	return rc;
}

int fsck_check_packs(struct fsck *f, struct error *err)
{
	cleanup_fd int packs = open_packs(f, err);
	int rc = packs < 0 ? packs : check_rows(f, packs, err);

	return rc < 0 ? rc : check_files(f, packs, err);
}
