/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Directories wait in a list by their handles: neither depth nor breadth
 * costs descriptors, and one renamed meanwhile is still found.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/fsck/internal.h"

struct waiting {
	struct waiting *next;
	struct lower_handle handle;
	char path[]; /* "" is the root */
};

struct walk {
	struct fsck *f;
	fsck_visit_fn *visit;
	dev_t dev;
	struct waiting *list;
};

static bool vanished(int rc)
{
	return rc == -ENOENT || rc == -ESTALE || rc == -ENOTDIR;
}

static int cannot(struct walk *w, const char *path, int rc, struct error *err)
{
	if (rc == -ENOMEM || rc == -EMFILE || rc == -ENFILE)
		return error_set(err, rc, "'%s': %s", path, error_words(rc));
	if (!vanished(rc))
		fsck_tell(w->f, FSCK_UNREADABLE, path, "%s", error_words(rc));
	return 0;
}

static int remember(struct walk *w, int fd, const char *path, struct error *err)
{
	size_t len = strlen(path) + 1;
	struct waiting *dir = malloc(sizeof(*dir) + len);
	int rc = 0;

	if (dir == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	rc = handle_get(fd, "", &dir->handle);
	if (rc < 0) {
		free(dir);
		return cannot(w, path, rc, err);
	}
	memcpy(dir->path, path, len);
	dir->next = w->list;
	w->list = dir;
	return 0;
}

static int visit_entry(struct walk *w, int dirfd, const char *name,
		       const char *path, struct error *err)
{
	cleanup_fd int fd =
		openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return cannot(w, path, -errno, err);
	if (st.st_dev != w->dev) /* a mount of its own: not the drive's */
		return 0;
	if (S_ISDIR(st.st_mode))
		return remember(w, fd, path, err);
	return S_ISREG(st.st_mode) ? w->visit(w->f, fd, path, err) : 0;
}

static bool left_out(const struct walk *w, const char *parent, const char *name)
{
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return true;
	return *parent == '\0' && drive_state_is_inside(w->f->drive) &&
	       strcmp(name, DRIVE_STATE_NAME) == 0;
}

static int visit_names(struct walk *w, DIR *dir, const char *parent,
		       struct error *err)
{
	for (;;) {
		cleanup_free char *path = NULL;
		const struct dirent *entry = NULL;
		int rc = 0;

		errno = 0;
		entry = readdir(dir); /* NOLINT(concurrency-mt-unsafe): ours */
		if (entry == NULL)
			return errno == 0 ? 0 : cannot(w, parent, -errno, err);
		if (left_out(w, parent, entry->d_name))
			continue;
		if (asprintf(&path, "%s/%s", parent, entry->d_name) < 0) {
			path = NULL;
			return error_set(err, -ENOMEM, "out of memory");
		}
		rc = visit_entry(w, dirfd(dir), entry->d_name, path, err);
		if (rc < 0)
			return rc;
	}
}

static int visit_dir(struct walk *w, int fd, const char *path,
		     struct error *err)
{
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int rc = 0;

	if (dir == NULL) {
		rc = fd < 0 ? fd : -errno;
		if (fd >= 0)
			(void)close(fd);
		return cannot(w, path, rc, err);
	}
	rc = visit_names(w, dir, path, err);
	(void)closedir(dir);
	return rc;
}

int fsck_walk(struct fsck *f, fsck_visit_fn *visit, struct error *err)
{
	struct walk w = { .f = f, .visit = visit };
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	int root = openat(drive_lower_fd(f->drive), ".", flags);
	struct stat st;
	int rc = 0;

	if (root < 0 || fstat(root, &st) < 0) {
		rc = error_set(err, -errno, "cannot open the root: %s",
			       error_words(-errno));
		if (root >= 0)
			(void)close(root);
		return rc;
	}
	w.dev = st.st_dev;
	rc = visit_dir(&w, root, "", err);
	while (w.list != NULL) {
		struct waiting *dir = w.list;

		w.list = dir->next;
		if (rc == 0)
			rc = visit_dir(&w,
				       handle_open(drive_lower_fd(f->drive),
						   &dir->handle, flags),
				       dir->path, err);
		free(dir);
	}
	return rc;
}
