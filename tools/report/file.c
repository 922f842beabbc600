/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "fs/base/io.h"

/* Opened, and made first when it is missing. */
static int take_dir(int at, const char *name, int flags,
		    const struct report_access *access, struct error *err)
{
	/* Else the umask decides. */
	int made = io_mkdirat(at, name, access ? 0700 : 0777);
	cleanup_fd int fd = -1;
	int rc = 0;

	if (made < 0 && made != -EEXIST)
		return error_set(err, made, "cannot make '%s': %s", name,
				 error_words(made));
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
	if (fd < 0) {
		rc = -errno;
		return error_set(err, rc, "cannot open '%s': %s", name,
				 error_words(rc));
	}
	if (access && (made == 0 || access->restricted))
		rc = access_give(fd, access, true);
	if (rc < 0)
		return error_set(err, rc, "cannot set who may read '%s': %s",
				 name, error_words(rc));
	return take_fd(&fd);
}

/* Two runs at once would take each other's temporary files. */
static int lock(int fd, const char *name, struct error *err)
{
	int rc;

	do
		rc = flock(fd, LOCK_EX) < 0 ? -errno : 0;
	while (rc == -EINTR);
	if (rc == -ENOLCK || rc == -EOPNOTSUPP || rc == -EBADF)
		return 0; /* some network file systems lock no directory */
	if (rc < 0)
		return error_set(err, rc, "cannot lock '%s': %s", name,
				 error_words(rc));
	return 0;
}

int folder_open(const char *dir_path, const char *name,
		const struct report_access *access, struct folder *ret_folder,
		struct error *err)
{
	cleanup_fd int parent = -1;
	cleanup_fd int fd = -1;
	cleanup_free char *path = NULL;

	if (asprintf(&path, "%s%s%s", dir_path, name ? "/" : "",
		     name ? name : "") < 0) {
		path = NULL;
		return error_set(err, -ENOMEM, "%s", error_words(-ENOMEM));
	}
	parent = take_dir(AT_FDCWD, dir_path,
			  access && access->restricted ? O_NOFOLLOW : 0, access,
			  err);
	if (parent < 0)
		return parent;
	fd = name ? take_dir(parent, name, O_NOFOLLOW, access, err)
		  : take_fd(&parent);
	if (fd < 0 || lock(fd, path, err) < 0)
		return err->code;
	*ret_folder = (struct folder){ .fd = take_fd(&fd),
				       .path = take_ptr(&path),
				       .access = access };
	return 0;
}

int folder_make(const char *path, const struct report_access *access,
		struct error *err)
{
	cleanup_fd int fd = take_dir(AT_FDCWD, path, 0, access, err);

	return fd < 0 ? fd : 0;
}

void folder_release(struct folder *folder)
{
	close_at(&folder->fd);
	free(folder->path);
	*folder = (struct folder){ .fd = -1 };
}

static int write_temporary(const struct folder *folder, const char *name,
			   const struct buf *data)
{
	const int dir = folder->fd;
	cleanup_fd int fd = -1;
	int rc = io_unlinkat(dir, name, 0); /* of a run that died */

	if (rc < 0 && rc != -ENOENT)
		return rc;
	fd = io_openat_create(dir, name, O_WRONLY | O_EXCL,
			      folder->access ? 0600 : 0666);
	if (fd < 0)
		return fd;
	rc = folder->access ? access_give(fd, folder->access, false) : 0;
	if (rc < 0)
		return rc;
	rc = io_pwrite(fd, data->data, data->len, 0);
	return rc < 0 ? rc : io_fsync(fd);
}

static int put(const struct folder *folder, const char *name,
	       const struct buf *data, struct error *err)
{
	char temporary[160];
	int rc = buf_error(data);

	(void)snprintf(temporary, sizeof(temporary), ".%s.tmp", name);
	if (rc == 0)
		rc = write_temporary(folder, temporary, data);
	if (rc == 0)
		rc = io_renameat(folder->fd, temporary, folder->fd, name);
	if (rc < 0) {
		(void)io_unlinkat(folder->fd, temporary, 0);
		return error_set(err, rc, "cannot write '%s/%s': %s",
				 folder->path, name, error_words(rc));
	}
	return 0;
}

int folder_put(const struct folder *folder, const char *name,
	       const struct buf *data,
	       void (*each)(void *ctx, const char *path), void *ctx,
	       struct error *err)
{
	cleanup_free char *path = NULL;
	int rc = put(folder, name, data, err);

	if (rc < 0 || !each)
		return rc;
	if (asprintf(&path, "%s/%s", folder->path, name) < 0) {
		path = NULL;
		return error_set(err, -ENOMEM, "%s", error_words(-ENOMEM));
	}
	each(ctx, path);
	return 0;
}

int folder_sync(const struct folder *folder, struct error *err)
{
	int rc = io_fsync(folder->fd);

	if (rc < 0)
		return error_set(err, rc, "cannot write '%s': %s", folder->path,
				 error_words(rc));
	return 0;
}
