/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/front/internal.h"

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

static int learn(struct front *front, int *fd, struct fuse_entry_param *ret_e,
		 struct looked *ret_looked)
{
	struct inode *inode = NULL;
	int r = lower_look_handle(*fd, &ret_looked->handle);

	if (r >= 0)
		r = inode_learn(front, fd, ret_looked->st.st_ino,
				ret_looked->btime_ns, ret_looked->st.st_mode,
				&ret_looked->handle, &inode);
	if (r < 0)
		return r;
	inode_saw_plain(inode, ret_looked->plain_epoch);
	memset(ret_e, 0, sizeof(*ret_e));
	ret_e->ino = inode_nodeid(front, inode->ino);
	ret_e->generation = generation_of(&ret_looked->handle);
	ret_e->attr = ret_looked->st;
	ret_e->entry_timeout = LONG_TIMEOUT_S;
	ret_e->attr_timeout = attr_timeout(front, inode, &ret_looked->st);
	return 0;
}

void reply_entry(fuse_req_t req, int *fd)
{
	struct front *front = front_of(req);
	struct fuse_entry_param e;
	struct looked looked;
	int r = entry_make(front, fd, &e, &looked);

	if (r < 0)
		reply_code(req, r);
	else if (fuse_reply_entry(req, &e) == -ENOENT)
		inode_forget(front, e.ino, 1); /* interrupted */
}

int entry_make(struct front *front, int *fd, struct fuse_entry_param *ret_e,
	       struct looked *ret_looked)
{
	int r = lower_look(front, *fd, ret_looked);

	return r < 0 ? r : learn(front, fd, ret_e, ret_looked);
}

int entry_make_fresh(struct front *front, int *fd,
		     struct fuse_entry_param *ret_e, struct looked *ret_looked)
{
	/* empty, or without a name: nothing that the packer takes */
	const uint64_t epoch = drive_stub_epoch(front->drive);
	int r = lower_observe(front, *fd, ret_looked);

	if (r == 0)
		ret_looked->plain_epoch = epoch;
	return r < 0 ? r : learn(front, fd, ret_e, ret_looked);
}

static void reply_none(fuse_req_t req)
{
	const struct fuse_entry_param e = { .entry_timeout = LONG_TIMEOUT_S };

	(void)fuse_reply_entry(req, &e);
}

void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct front *front = front_of(req);
	cleanup_pin struct pinned dir = PINNED_NONE;
	cleanup_fd int fd = -1;

	front_noted(front, req);
	if (name_is_hidden(front, parent, name)) {
		reply_none(req);
		return;
	}

	int r = pin(front, parent, &dir);

	if (r == 0) {
		fd = lower_open_child(dir.fd, name);
		r = fd < 0 ? fd : 0;
	}
	if (r == -ENOENT)
		reply_none(req);
	else if (r < 0)
		reply_code(req, r);
	else
		reply_entry(req, &fd);
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
