/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/front/ops.h"

#include <errno.h>
#include <linux/limits.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/hash.h"

/* The kernel keeps 32 bits of it, and takes another for another file. */
static uint32_t generation_of(const struct lower_handle *handle)
{
	uint32_t generation = hash32(handle->bytes, handle->len);

	return generation ? generation : 1;
}

static void fill(struct front *front, struct inode *inode, uint32_t generation,
		 const struct stat *st, struct fuse_entry_param *ret_e)
{
	memset(ret_e, 0, sizeof(*ret_e));
	ret_e->ino = inode_nodeid(front, inode->ino);
	ret_e->generation = generation;
	ret_e->attr = *st;
	ret_e->entry_timeout = LONG_TIMEOUT_S;
	ret_e->attr_timeout = attr_timeout(front, inode, st);
}

static int learn(struct front *front, int *fd, struct fuse_entry_param *ret_e,
		 const struct looked *looked)
{
	struct inode *inode = NULL;
	int r = inode_learn(front, fd, looked->st.st_ino, looked->btime_ns,
			    looked->st.st_mode, &looked->handle, &inode);

	if (r < 0)
		return r;
	inode_saw_plain(inode, looked->plain_epoch);
	if (looked->no_capability)
		inode_note_no_capability(front, inode, looked->no_capability);
	fill(front, inode, generation_of(&looked->handle), &looked->st, ret_e);
	return 0;
}

int entry_make(struct front *front, int *fd, struct fuse_entry_param *ret_e,
	       struct looked *ret_looked)
{
	int r = lower_look(front, *fd, ret_looked);

	if (r >= 0)
		r = handle_get(*fd, "", &ret_looked->handle);
	return r < 0 ? r : learn(front, fd, ret_e, ret_looked);
}

int entry_make_fresh(struct front *front, int *fd,
		     struct fuse_entry_param *ret_e, struct looked *ret_looked)
{
	/* empty, or without a name: nothing that the packer takes */
	const uint64_t epoch = drive_stub_epoch(front->drive);
	int r = lower_observe(front, *fd, ret_looked);

	if (r == 0)
		r = handle_get(*fd, "", &ret_looked->handle);
	if (r == 0) {
		ret_looked->plain_epoch = epoch;
		ret_looked->no_capability = inode_capabilities(front);
	}
	return r < 0 ? r : learn(front, fd, ret_e, ret_looked);
}

/* 1: found; 0: a descriptor is needed. */
static int find_by_name(struct front *front, int dir_fd, const char *name,
			uint64_t ino, struct fuse_entry_param *ret_e,
			struct looked *ret_looked)
{
	const uint64_t plain_epoch = ino ? inode_epoch(front, ino) : 0;
	struct inode *inode = NULL;
	int none = -1;
	int r = lower_observe_name(front, dir_fd, name, ret_looked);

	if (r < 0)
		return r == -EOPNOTSUPP ? 0 : r;
	if (ret_looked->lower.st_ino == ino)
		inode = inode_relearn(front, ret_looked, plain_epoch);
	if (inode) {
		inode_get_handle(front, inode, &ret_looked->handle);
		fill(front, inode, generation_of(&ret_looked->handle),
		     &ret_looked->st, ret_e);
		return 1;
	}
	if (!lower_look_name(front, dir_fd, name, ret_looked))
		return 0;
	r = learn(front, &none, ret_e, ret_looked);
	return r < 0 ? r : 1;
}

int entry_find(struct front *front, int dir_fd, const char *name, uint64_t ino,
	       struct fuse_entry_param *ret_e, struct looked *ret_looked)
{
	cleanup_fd int fd = -1;
	int r = find_by_name(front, dir_fd, name, ino, ret_e, ret_looked);

	if (r != 0)
		return r < 0 ? r : 0;
	fd = lower_open_child(dir_fd, name);
	return fd < 0 ? fd : entry_make(front, &fd, ret_e, ret_looked);
}

static void reply_entry(fuse_req_t req, const struct fuse_entry_param *e)
{
	if (fuse_reply_entry(req, e) == -ENOENT)
		inode_forget(front_of(req), e->ino, 1); /* interrupted */
}

static void reply_none(fuse_req_t req)
{
	const struct fuse_entry_param e = { .entry_timeout = LONG_TIMEOUT_S };

	(void)fuse_reply_entry(req, &e);
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int open_recorded(struct front *front, uint64_t ino)
{
	struct catalog_inode row;
	struct error ignored = ERROR_INIT;

	if (catalog_inode_get(drive_catalog(front->drive), ino, 0, &row,
			      &ignored) < 0 ||
	    row.handle.len == 0)
		return -ESTALE;
	return handle_open(front->lower_fd, &row.handle, O_PATH);
}

/* A node of which the kernel has kept nothing but its number in a handle. Of
 * one made a moment ago the catalog may still have the number's last owner,
 * or nothing. */
static int open_forgotten(struct front *front, uint64_t ino)
{
	struct error ignored = ERROR_INIT;
	int fd = open_recorded(front, ino);

	if (fd == -ESTALE &&
	    catalog_flush(drive_catalog(front->drive), &ignored) == 0)
		fd = open_recorded(front, ino);
	return fd;
}

/* "." and ".." are asked for by those who come by handle (NFS,
 * open_by_handle_at), never by a path. The kernel compares the generation. */
static int open_dots(struct front *front, fuse_ino_t nodeid, const char *name)
{
	cleanup_pin struct pinned at = PINNED_NONE;
	int fd;

	if (!inode_find(front, nodeid))
		return name[1] ? -ESTALE
			       : open_forgotten(front,
						inode_number(front, nodeid));

	int r = pin(front, nodeid, &at);

	if (r < 0)
		return r;
	if (name[1] && nodeid != FUSE_ROOT_ID)
		fd = openat(at.fd, "..", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	else
		fd = fcntl(at.fd, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

static void lookup_dots(fuse_req_t req, fuse_ino_t nodeid, const char *name)
{
	struct front *front = front_of(req);
	struct fuse_entry_param e;
	struct looked looked;
	cleanup_fd int fd = open_dots(front, nodeid, name);
	int r = fd < 0 ? fd : entry_make(front, &fd, &e, &looked);

	if (r < 0)
		reply_code(req, r);
	else
		reply_entry(req, &e);
}

void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct front *front = front_of(req);
	cleanup_pin struct pinned dir = PINNED_NONE;
	struct fuse_entry_param e = { .ino = 0 };
	struct looked looked;

	front_noted(front, req);
	if (name_is_hidden(front, parent, name)) {
		reply_none(req);
		return;
	}
	if (is_dots(name)) {
		lookup_dots(req, parent, name);
		return;
	}

	int r = pin(front, parent, &dir);

	if (r == 0)
		r = entry_find(front, dir.fd, name, 0, &e, &looked);
	if (r == -ENOENT)
		reply_none(req);
	else if (r < 0)
		reply_code(req, r);
	else
		reply_entry(req, &e);
}

void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n)
{
	inode_forget(front_of(req), ino, n);
	fuse_reply_none(req);
}

void op_forget_multi(fuse_req_t req, size_t count,
		     struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		inode_forget(front_of(req), forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}

void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	cleanup_pin struct pinned at = PINNED_NONE;
	char target[PATH_MAX + 1];
	int r = pin(front_of(req), ino, &at);

	if (r < 0) {
		reply_code(req, r);
		return;
	}

	ssize_t n = readlinkat(at.fd, "", target, sizeof(target));

	if (n < 0 || n == (ssize_t)sizeof(target)) {
		reply_code(req, n < 0 ? -errno : -ENAMETOOLONG);
		return;
	}
	target[n] = '\0';
	(void)fuse_reply_readlink(req, target);
}
