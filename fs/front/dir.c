/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/front/ops.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/io.h"

#define DIR_BUFFER_BYTES 32768

/* fuse_file_info.fh of a directory. The lower's own cookies go to the kernel
 * (telldir), so entries that come or go between two calls change nothing for
 * the others. */
struct open_dir {
	struct open_link link;
	int fd;
	pthread_mutex_t lock; /* guards all below */
	off_t next_off;	      /* the cookie of what comes next */
	size_t len;
	size_t at;
	_Alignas(struct dirent64) char buf[DIR_BUFFER_BYTES];
};

static struct open_dir *open_dir_of(const struct fuse_file_info *fi)
{
	return (struct open_dir *)(uintptr_t)fi->fh; /* NOLINT */
}

static void open_dir_free(struct open_link *link)
{
	struct open_dir *dir = (struct open_dir *)(void *)link;

	close_at(&dir->fd);
	(void)pthread_mutex_destroy(&dir->lock);
	free(dir);
}

void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct front *front = front_of(req);
	cleanup_pin struct pinned at = PINNED_NONE;
	int r = pin(front, ino, &at);

	if (r == 0)
		r = lower_reopen(at.fd, O_RDONLY | O_DIRECTORY);
	if (r < 0) {
		reply_code(req, r);
		return;
	}

	struct open_dir *dir = malloc(sizeof(*dir));

	if (!dir) {
		(void)close(r);
		reply_code(req, -ENOMEM);
		return;
	}
	dir->fd = r;
	dir->next_off = 0;
	dir->len = 0;
	dir->at = 0;
	(void)pthread_mutex_init(&dir->lock, NULL);
	dir->link.release = open_dir_free;
	open_link_add(front, &dir->link);
	fi->fh = (uint64_t)(uintptr_t)dir;
	/* The kernel drops its copy whenever the directory changes, and all
	 * changes come by it. */
	fi->cache_readdir = 1;
	fi->keep_cache = 1;
	if (fuse_reply_open(req, fi) == -ENOENT) {
		open_link_remove(front, &dir->link);
		open_dir_free(&dir->link);
	}
}

void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct open_dir *dir = open_dir_of(fi);

	(void)ino;
	open_link_remove(front_of(req), &dir->link);
	open_dir_free(&dir->link);
	reply_code(req, 0);
}

static void fsyncdir_now(fuse_req_t req, const struct slow_args *args)
{
	int fd = open_dir_of(&args->fi)->fd;

	reply_code(req, args->flags ? io_fdatasync(fd) : io_fsync(fd));
}

void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync,
		 struct fuse_file_info *fi)
{
	const struct slow_args args = { .ino = ino,
					.fi = *fi,
					.flags = datasync };

	slow_run(req, fsyncdir_now, &args);
}

/* 1: *ret_entry is the next one; 0: the end; negative: failed. */
static int dir_peek(struct open_dir *dir, const struct dirent64 **ret_entry)
{
	if (dir->at == dir->len) {
		ssize_t n = getdents64(dir->fd, dir->buf, sizeof(dir->buf));

		if (n < 0)
			return error_negative(-errno);
		dir->len = (size_t)n;
		dir->at = 0;
		if (n == 0)
			return 0;
	}
	*ret_entry =
		(const struct dirent64 *)(const void *)(dir->buf + dir->at);
	return 1;
}

static void dir_advance(struct open_dir *dir, const struct dirent64 *entry)
{
	dir->next_off = entry->d_off;
	dir->at += entry->d_reclen;
}

static int dir_seek(struct open_dir *dir, off_t off)
{
	if (off == dir->next_off && off != 0)
		return 0;
	if (lseek(dir->fd, off, SEEK_SET) < 0)
		return -errno;
	dir->next_off = off;
	dir->len = 0;
	dir->at = 0;
	return 0;
}

/* Filling one reply. */
struct listing {
	fuse_req_t req;
	struct open_dir *dir;
	fuse_ino_t ino;
	bool plus;
	char *out;
	size_t size;
	size_t used;
};

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static void entry_bare(struct front *front, const struct dirent64 *entry,
		       struct fuse_entry_param *ret_e)
{
	(void)front;
	memset(ret_e, 0, sizeof(*ret_e));
	ret_e->attr.st_ino = entry->d_ino;
	ret_e->attr.st_mode = (mode_t)DTTOIF(entry->d_type);
}

/* False: it has gone meanwhile. */
static bool entry_full(struct listing *l, const struct dirent64 *entry,
		       struct fuse_entry_param *ret_e)
{
	struct front *front = front_of(l->req);
	struct looked looked;

	entry_bare(front, entry, ret_e);
	if (is_dot(entry->d_name))
		return true;
	/* another failure leaves the name without attributes */
	return entry_find(front, l->dir->fd, entry->d_name, entry->d_ino, ret_e,
			  &looked) != -ENOENT;
}

/* True: there was room for it. */
static bool add_entry(struct listing *l, const struct dirent64 *entry)
{
	struct fuse_entry_param e;
	char *at = l->out + l->used;
	size_t room = l->size - l->used;
	size_t need = l->plus ? fuse_add_direntry_plus(l->req, NULL, 0,
						       entry->d_name, NULL, 0)
			      : fuse_add_direntry(l->req, NULL, 0,
						  entry->d_name, NULL, 0);

	if (need > room)
		return false;
	if (l->plus) {
		if (!entry_full(l, entry, &e))
			return true;
		(void)fuse_add_direntry_plus(l->req, at, room, entry->d_name,
					     &e, entry->d_off);
	} else {
		entry_bare(front_of(l->req), entry, &e);
		(void)fuse_add_direntry(l->req, at, room, entry->d_name,
					&e.attr, entry->d_off);
	}
	l->used += need;
	return true;
}

static int list(struct listing *l, off_t off)
{
	const struct dirent64 *entry = NULL;
	int r = dir_seek(l->dir, off);

	while (r == 0 && (r = dir_peek(l->dir, &entry)) > 0) {
		if (!name_is_hidden(front_of(l->req), l->ino, entry->d_name) &&
		    !add_entry(l, entry))
			return 0;
		dir_advance(l->dir, entry);
		r = 0;
	}
	/* What was found before the failure is worth showing. */
	return l->used > 0 ? 0 : r;
}

static void reply_list(struct listing *l, off_t off, size_t size)
{
	int r;

	l->out = (char *)worker_buffer(front_of(l->req));
	if (!l->out) {
		reply_code(l->req, -ENOMEM);
		return;
	}
	l->size = size < MAX_WRITE_BYTES ? size : MAX_WRITE_BYTES;
	(void)pthread_mutex_lock(&l->dir->lock);
	r = list(l, off);
	(void)pthread_mutex_unlock(&l->dir->lock);
	if (r < 0)
		reply_code(l->req, r);
	else
		(void)fuse_reply_buf(l->req, l->out, l->used);
}

void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		struct fuse_file_info *fi)
{
	struct listing l = { .req = req, .dir = open_dir_of(fi), .ino = ino };

	reply_list(&l, off, size);
}

void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	struct listing l = {
		.req = req,
		.dir = open_dir_of(fi),
		.ino = ino,
		.plus = true,
	};

	reply_list(&l, off, size);
}
