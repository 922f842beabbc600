/* SPDX-License-Identifier: EUPL-1.2 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tools/sobre/assess.h"

#define DEPTH_MAX  256 /* descriptors held */
#define PATH_BYTES 16384
#define DAY_S	   INT64_C(86400)

/* Inodes with several names, that were seen. */
struct seen {
	uint64_t *ino;
	size_t n;
	size_t cap; /* a power of two */
};

struct walk {
	struct assess *assess;
	struct seen seen;
	uint64_t dev;
	size_t len; /* of `path` */
	unsigned int depth;
	char path[PATH_BYTES];
};

static int no_memory(struct error *err)
{
	return error_set(err, -ENOMEM, "no memory for the list of files");
}

static void insert(struct seen *seen, uint64_t ino)
{
	size_t at =
		(size_t)(ino * UINT64_C(0x9e3779b97f4a7c15)) & (seen->cap - 1);

	while (seen->ino[at])
		at = (at + 1) & (seen->cap - 1);
	seen->ino[at] = ino;
	seen->n++;
}

static int grow(struct seen *seen, struct error *err)
{
	struct seen more = { .cap = seen->cap ? 2 * seen->cap : 1024 };

	more.ino = calloc(more.cap, sizeof(*more.ino));
	if (!more.ino)
		return no_memory(err);
	for (size_t i = 0; i < seen->cap; i++)
		if (seen->ino[i])
			insert(&more, seen->ino[i]);
	free(seen->ino);
	*seen = more;
	return 0;
}

/* 1 when it was there already. */
static int seen_before(struct seen *seen, uint64_t ino, struct error *err)
{
	size_t at;

	if (2 * seen->n >= seen->cap && grow(seen, err) < 0)
		return err->code;
	at = (size_t)(ino * UINT64_C(0x9e3779b97f4a7c15)) & (seen->cap - 1);
	for (; seen->ino[at]; at = (at + 1) & (seen->cap - 1))
		if (seen->ino[at] == ino)
			return 1;
	insert(seen, ino);
	return 0;
}

static void unreadable(struct walk *w)
{
	if (w->assess->unreadable++ == 0)
		w->assess->first_unreadable = strdup(w->path);
}

static int32_t day_of(struct statx_timestamp ts)
{
	return (int32_t)(ts.tv_sec / DAY_S);
}

static int add_file(struct walk *w, const struct statx *st, struct error *err)
{
	struct assess *a = w->assess;
	struct assess_file *f;
	int again = 0;

	if (a->files == a->cap) {
		size_t cap = a->cap ? 2 * a->cap : 4096;
		void *more = realloc(a->file, cap * sizeof(*a->file));

		if (!more)
			return no_memory(err);
		a->file = more;
		a->cap = cap;
	}
	if (st->stx_nlink > 1)
		again = seen_before(&w->seen, st->stx_ino, err);
	if (again < 0)
		return again;
	f = &a->file[a->files];
	*f = (struct assess_file){
		.path = strdup(w->path),
		.size_bytes = st->stx_size,
		.disk_bytes = again ? 0 : (uint64_t)st->stx_blocks * 512,
		.changed_day = day_of(st->stx_mtime),
		.used_day = day_of(st->stx_atime),
		.created_day = st->stx_mask & STATX_BTIME
				       ? day_of(st->stx_btime)
				       : DAY_UNKNOWN,
		.again = again == 1,
		.department = (uint16_t)setup_department(a->setup, w->path,
							 st->stx_gid),
	};
	if (!f->path)
		return no_memory(err);
	f->excluded = setup_excludes(a->setup, f->path);
	if (f->used_day < f->changed_day)
		f->used_day = f->changed_day;
	a->files++;
	if (again)
		return 0;
	a->all.files++;
	a->all.logical_bytes += f->size_bytes;
	a->all.disk_bytes += f->disk_bytes;
	return 0;
}

/* Without moving its time of last use where that is allowed. */
static int open_dir(int at, const char *path, int more)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | more;
	int fd = openat(at, path, flags | O_NOATIME);

	return fd < 0 && errno == EPERM ? openat(at, path, flags) : fd;
}

static int walk_dir(struct walk *w, int fd, struct error *err);

static int walk_entry(struct walk *w, int dir_fd, const char *name,
		      struct error *err)
{
	struct statx st;
	int fd;

	if (statx(dir_fd, name, AT_SYMLINK_NOFOLLOW,
		  STATX_BASIC_STATS | STATX_BTIME, &st) < 0) {
		unreadable(w);
		return 0;
	}
	if (S_ISREG(st.stx_mode))
		return add_file(w, &st, err);
	if (!S_ISDIR(st.stx_mode))
		return 0;
	if (makedev(st.stx_dev_major, st.stx_dev_minor) != w->dev) {
		w->assess->other_mounts++;
		return 0;
	}
	fd = open_dir(dir_fd, name, O_NOFOLLOW);
	if (fd < 0 || w->depth >= DEPTH_MAX) {
		unreadable(w);
		if (fd >= 0)
			(void)close(fd);
		return 0;
	}
	return walk_dir(w, fd, err);
}

static bool skipped(const struct walk *w, const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..") ||
	       (w->depth == 1 && !strcmp(name, DRIVE_STATE_NAME));
}

static bool push(struct walk *w, const char *name)
{
	size_t more = strlen(name) + 1;

	if (w->len + more >= sizeof(w->path))
		return false;
	w->path[w->len] = '/';
	memcpy(w->path + w->len + 1, name, more);
	w->len += more;
	return true;
}

/* Takes `fd`. */
static int walk_dir(struct walk *w, int fd, struct error *err)
{
	const size_t len = w->len;
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int rc = 0;

	if (!dir) {
		(void)close(fd);
		unreadable(w);
		return 0;
	}
	w->depth++;
	while (rc == 0) {
		errno = 0;
		/* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of its own */
		entry = readdir(dir);
		if (!entry)
			break;
		if (skipped(w, entry->d_name))
			continue;
		if (push(w, entry->d_name))
			rc = walk_entry(w, dirfd(dir), entry->d_name, err);
		else
			unreadable(w);
		w->len = len;
		w->path[len] = '\0';
	}
	if (rc == 0 && errno != 0)
		unreadable(w); /* from here on */
	w->depth--;
	(void)closedir(dir);
	return rc;
}

int assess_walk(struct assess *assess, const char *dir_path, struct error *err)
{
	cleanup_free struct walk *w = calloc(1, sizeof(*w));
	struct statx st;
	int fd = open_dir(AT_FDCWD, dir_path, 0);
	int rc;

	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st) < 0)
		rc = error_set(err, -errno,
			       "cannot read the directory '%s': "
			       "%s",
			       dir_path, strerrordesc_np(errno));
	else
		rc = w ? 0 : no_memory(err);
	if (rc < 0) {
		if (fd >= 0)
			(void)close(fd);
		return rc;
	}
	w->assess = assess;
	w->dev = makedev(st.stx_dev_major, st.stx_dev_minor);
	rc = walk_dir(w, fd, err);
	free(w->seen.ino);
	return rc;
}
