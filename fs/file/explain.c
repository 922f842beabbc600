/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fs/file/internal.h"

static void count_one(void *ctx, uint64_t ino)
{
	(void)ino;
	++*(uint64_t *)ctx;
}

static int explain_stub(struct drive *drive, struct file_explanation *e,
			struct error *err)
{
	e->packed = true;
	e->would = PACK_ALREADY;
	e->size_bytes = e->stub.size_bytes;
	return catalog_content_inodes(drive->catalog, &e->stub.content,
				      count_one, &e->same_content, err);
}

/* The packer's own look, without what only the attempt can tell. */
static void explain_plain(struct drive *drive, int opath, const char *path,
			  struct file_explanation *e)
{
	struct pack_item item;
	int fd = fcntl(opath, F_DUPFD_CLOEXEC, 0);

	if (fd < 0) {
		e->would = PACK_ERROR;
		return;
	}
	pack_item_prepare(&item, drive, fd, path, false);
	e->would = item.outcome;
	pack_item_release(&item);
}

int drive_stat(struct drive *drive, const char *path, struct stat *ret_st,
	       struct error *err)
{
	cleanup_fd int fd = lower_open_path(drive, path, err);

	if (fd < 0)
		return fd;
	if (fstat(fd, ret_st) < 0)
		return error_set(err, -errno, "cannot stat '/%s'", path);
	return 0;
}

int drive_explain(struct drive *drive, const char *path,
		  struct file_explanation *ret_explanation, struct error *err)
{
	struct file_explanation e = { 0 };
	cleanup_fd int fd = lower_open_path(drive, path, err);
	struct stat st;
	int64_t newest;
	int rc;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return error_set(err, -errno, "cannot stat '/%s'", path);
	e.ino = st.st_ino;
	e.size_bytes = (uint64_t)st.st_size;
	e.regular = S_ISREG(st.st_mode);
	e.lower_blocks = (uint64_t)st.st_blocks;
	newest = timespec_ns(st.st_mtim) > timespec_ns(st.st_ctim)
			 ? timespec_ns(st.st_mtim)
			 : timespec_ns(st.st_ctim);
	e.cold_at_ns = newest + drive->options.min_age_s * NS_PER_S;
	if (e.regular) {
		rc = stub_probe(fd, &e.stub, err);
		if (rc < 0)
			return error_prefix(err, "'/%s'", path);
		if (rc == 1)
			rc = explain_stub(drive, &e, err);
		else
			explain_plain(drive, fd, path, &e);
		if (rc < 0)
			return rc;
	} else {
		e.would = PACK_NOT_FILE;
	}
	*ret_explanation = e;
	return 0;
}
