/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Directories wait in a list by their file handles, so that neither depth nor
 * breadth costs descriptors, and a directory renamed meanwhile is still found.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/file/internal.h"

struct pending {
	struct pending *next;
	struct catalog_inode inode; /* its handle */
	char path[];
};

struct walk {
	struct drive *drive;
	walk_fn *each;
	void *ctx;
	bool stats; /* only directories are opened */
	struct pending *pending;
};

static int push(struct walk *w, int opath, const char *path)
{
	size_t len = strlen(path) + 1;
	struct pending *p = malloc(sizeof(*p) + len);
	int rc;

	if (!p)
		return -ENOMEM;
	rc = lower_inode(opath, &p->inode);
	if (rc < 0) {
		free(p);
		return rc;
	}
	memcpy(p->path, path, len);
	p->next = w->pending;
	w->pending = p;
	return 0;
}

static bool is_ours(const struct walk *w, const struct stat *st)
{
	return st->st_dev != w->drive->dev ||
	       (w->drive->state_ino != 0 && st->st_ino == w->drive->state_ino);
}

static bool vanished(int rc)
{
	return rc == -ENOENT || rc == -ESTALE || rc == -ENOTDIR;
}

/* One entry: tells it, and keeps a directory for later. */
static int visit(struct walk *w, struct walk_entry *entry, struct error *err)
{
	struct stat st;
	int rc;

	if (fstat(entry->opath, &st) < 0)
		return vanished(-errno) ? 0 : error_set(err, -errno, "stat");
	if (is_ours(w, &st))
		return 0;
	entry->st = &st;
	rc = w->each(w->ctx, entry, err);
	if (rc < 0 || !S_ISDIR(st.st_mode))
		return rc;
	rc = push(w, entry->opath, entry->path);
	return vanished(rc) || rc == 0 ? 0
				       : error_set(err, rc, "out of memory");
}

/* 1: it is a directory, to be opened. */
static int visit_stat(struct walk *w, int dirfd, const struct pending *dir,
		      const char *name, struct error *err)
{
	struct stat st;
	const struct walk_entry entry = { .opath = -1,
					  .st = &st,
					  .parent_ino = dir->inode.ino,
					  .name = name };

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return vanished(-errno)
			       ? 0
			       : error_set(err, -errno, "cannot stat '%s': %s",
					   name, error_words(-errno));
	if (S_ISDIR(st.st_mode))
		return 1;
	return is_ours(w, &st) ? 0 : w->each(w->ctx, &entry, err);
}

static int visit_name(struct walk *w, int dirfd, const struct pending *dir,
		      const char *name, struct error *err)
{
	cleanup_free char *path = NULL;
	cleanup_fd int fd =
		openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct walk_entry entry = { .opath = fd,
				    .parent_ino = dir->inode.ino,
				    .name = name };

	if (fd < 0)
		return vanished(-errno)
			       ? 0
			       : error_set(err, -errno, "cannot open '%s': %s",
					   name, error_words(-errno));
	if (asprintf(&path, "%s%s%s", dir->path, *dir->path ? "/" : "", name) <
	    0) {
		path = NULL;
		return error_set(err, -ENOMEM, "out of memory");
	}
	entry.path = path;
	return visit(w, &entry, err);
}

static int read_names(struct walk *w, DIR *dir, const struct pending *p,
		      struct error *err)
{
	for (;;) {
		const struct dirent *d;
		int rc;

		errno = 0;
		d = readdir(dir); /* NOLINT(concurrency-mt-unsafe): own DIR */
		if (!d)
			return errno ? error_set(err, -errno,
						 "cannot list '/%s': %s",
						 p->path, error_words(-errno))
				     : 0;
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		rc = w->stats ? visit_stat(w, dirfd(dir), p, d->d_name, err)
			      : 1;
		if (rc == 1)
			rc = visit_name(w, dirfd(dir), p, d->d_name, err);
		if (rc < 0)
			return rc;
	}
}

static int visit_dir(struct walk *w, const struct pending *p, struct error *err)
{
	int fd = handle_open(w->drive->lower_fd, &p->inode.handle,
			     O_RDONLY | O_DIRECTORY | O_NOATIME);
	DIR *dir;
	int rc;

	if (fd < 0)
		return vanished(fd)
			       ? 0
			       : error_set(err, fd, "cannot open '/%s': %s",
					   p->path, error_words(fd));
	dir = fdopendir(fd);
	if (!dir) {
		rc = error_set(err, -errno, "cannot list '/%s'", p->path);
		(void)close(fd);
		return rc;
	}
	rc = read_names(w, dir, p, err);
	(void)closedir(dir);
	return rc;
}

static int walk(struct walk *w, const struct walk_entry *start,
		struct error *err)
{
	struct walk_entry first = *start;
	int rc = visit(w, &first, err);

	while (w->pending) {
		struct pending *p = w->pending;

		w->pending = p->next;
		if (rc >= 0)
			rc = visit_dir(w, p, err);
		free(p);
	}
	return rc < 0 ? rc : 0;
}

int walk_tree(struct drive *drive, int opath, const char *path, walk_fn *each,
	      void *ctx, struct error *err)
{
	struct walk w = { .drive = drive, .each = each, .ctx = ctx };
	const struct walk_entry start = { .opath = opath,
					  .name = "",
					  .path = path };

	return walk(&w, &start, err);
}

int walk_stats(struct drive *drive, int opath, walk_fn *each, void *ctx,
	       struct error *err)
{
	struct walk w = {
		.drive = drive, .each = each, .ctx = ctx, .stats = true
	};
	const struct walk_entry start = { .opath = opath,
					  .name = "",
					  .path = "" };

	return walk(&w, &start, err);
}
