/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/front/ops.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#define ACL_ACCESS "system.posix_acl_access"

bool xattr_is_ours(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot && strncmp(dot + 1, "sobre.", strlen("sobre.")) == 0;
}

size_t xattr_filter(char *list, size_t len)
{
	size_t kept = 0;

	for (size_t at = 0; at < len;) {
		size_t n = strnlen(list + at, len - at) + 1;

		if (n > len - at)
			break; /* without its end: not from a kernel */
		if (!xattr_is_ours(list + at)) {
			memmove(list + kept, list + at, n);
			kept += n;
		}
		at += n;
	}
	return kept;
}

static bool is_root_acl(const struct pinned *at, const char *name)
{
	return at->inode->ino == at->front->root_ino &&
	       strcmp(name, ACL_ACCESS) == 0;
}

/* As listxattr(2) and getxattr(2) answer; `n` negative is a code. */
static void reply_sized(fuse_req_t req, const uint8_t *buf, ssize_t n,
			size_t size)
{
	if (n < 0)
		reply_code(req, (int)n);
	else if (size == 0)
		(void)fuse_reply_xattr(req, (size_t)n);
	else if ((size_t)n > size)
		reply_code(req, -ERANGE);
	else
		(void)fuse_reply_buf(req, (const char *)buf, (size_t)n);
}

static bool is_virtual(const char *name)
{
	return strcmp(name, FRONT_XATTR_FOOTPRINT) == 0 ||
	       strcmp(name, FRONT_XATTR_FLAG) == 0;
}

static void virtual_now(fuse_req_t req, const struct slow_args *args)
{
	struct front *front = front_of(req);
	const struct inode *inode = inode_find(front, args->ino);
	cleanup_free char *text = NULL;
	struct front_question question = { .name = args->name,
					   .uid = fuse_req_ctx(req)->uid };
	int r = inode ? -ENODATA : -ESTALE;

	if (inode && front->options.describe) {
		question.ino = inode->ino;
		question.directory = S_ISDIR(inode->mode);
		r = front->options.describe(front->options.ctx, &question,
					    &text);
	}
	if (r == 0 && strlen(text) > XATTR_SIZE_MAX)
		r = -E2BIG;
	reply_sized(req, (const uint8_t *)text,
		    r < 0 ? r : (ssize_t)strlen(text), args->size);
}

/* The kernel asks for it before the first write to each file. */
static bool is_known_absent(struct front *front, fuse_ino_t ino,
			    const char *name)
{
	struct inode *inode;

	if (strcmp(name, CAPABILITY_XATTR) != 0)
		return false;
	inode = inode_find(front, ino);
	return inode && inode_has_flag(front, inode, INODE_NO_CAPABILITY);
}

void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct front *front = front_of(req);
	cleanup_pin struct pinned at = PINNED_NONE;
	uint8_t *buf = worker_buffer(front);
	char path[PROC_PATH_MAX];
	ssize_t n = -ENODATA;

	if (is_virtual(name)) {
		const struct slow_args args = { .ino = ino,
						.name = name,
						.size = size };

		slow_run(req, virtual_now, &args);
		return;
	}
	if (!buf)
		n = -ENOMEM;
	else if (!xattr_is_ours(name) && !is_known_absent(front, ino, name))
		n = pin(front, ino, &at);
	if (n < 0) {
		reply_code(req, (int)n);
		return;
	}
	if (is_root_acl(&at, name)) {
		n = drive_root_acl_get(front->drive, name, buf, XATTR_SIZE_MAX);
	} else {
		lower_proc_path(at.fd, path);
		n = getxattr(path, name, buf, XATTR_SIZE_MAX);
		if (n < 0)
			n = -errno;
	}
	reply_sized(req, buf, n, size);
}

/* The sealed root's ACL is in its record, not on the lower. */
static ssize_t list_root_acl(struct front *front, char *list, size_t len)
{
	if (drive_root_acl_get(front->drive, ACL_ACCESS, NULL, 0) < 0)
		return (ssize_t)len;
	for (size_t at = 0; at < len; at += strlen(list + at) + 1)
		if (strcmp(list + at, ACL_ACCESS) == 0)
			return (ssize_t)len;
	memcpy(list + len, ACL_ACCESS, sizeof(ACL_ACCESS));
	return (ssize_t)(len + sizeof(ACL_ACCESS));
}

static ssize_t list_shown(struct front *front, const struct pinned *at,
			  char *list)
{
	char path[PROC_PATH_MAX];
	ssize_t n;

	lower_proc_path(at->fd, path);
	n = listxattr(path, list, XATTR_LIST_MAX);
	if (n < 0)
		return -errno;
	n = (ssize_t)xattr_filter(list, (size_t)n);
	if (at->inode->ino == front->root_ino)
		n = list_root_acl(front, list, (size_t)n);
	return n;
}

void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct front *front = front_of(req);
	cleanup_pin struct pinned at = PINNED_NONE;
	uint8_t *buf = worker_buffer(front);
	ssize_t n = buf ? pin(front, ino, &at) : -ENOMEM;

	if (n == 0)
		n = list_shown(front, &at, (char *)buf);
	reply_sized(req, buf, n, size);
}

/* Attributes change blocks and ctime, and an ACL the mode. */
static int observe(const struct pinned *at, struct looked *ret_looked)
{
	int r = lower_observe(at->front, at->fd, ret_looked);

	if (r == 0)
		event_inode(at->front, ret_looked, NULL);
	return r;
}

/* Who is neither privileged nor of the group loses the setgid bit by setting
 * an ACL, which the lower spares us for being privileged. */
static int follow_acl(fuse_req_t req, const struct pinned *at)
{
	struct looked looked;
	char path[PROC_PATH_MAX];
	int r = observe(at, &looked);

	if (r < 0)
		return r;
	if (!(looked.lower.st_mode & S_ISGID) || fuse_req_ctx(req)->uid == 0 ||
	    caller_in_group(req, looked.lower.st_gid))
		return 0;
	lower_proc_path(at->fd, path);
	if (chmod(path, looked.lower.st_mode & 05777) < 0)
		return -errno;
	return observe(at, &looked);
}

static int set_lower(fuse_req_t req, const struct pinned *at, const char *name,
		     const char *value, size_t size, int flags)
{
	struct looked looked;
	char path[PROC_PATH_MAX];

	lower_proc_path(at->fd, path);
	if (setxattr(path, name, value, size, flags) < 0)
		return -errno;
	if (strcmp(name, CAPABILITY_XATTR) == 0)
		inode_note_capability(at->front, at->inode);
	return strcmp(name, ACL_ACCESS) == 0 ? follow_acl(req, at)
					     : observe(at, &looked);
}

void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
		 const char *value, size_t size, int flags)
{
	struct front *front = front_of(req);
	cleanup_pin struct pinned at = PINNED_NONE;
	struct error err = ERROR_INIT;
	int r = xattr_is_ours(name) ? -EPERM : pin(front, ino, &at);

	if (r == 0 && is_root_acl(&at, name))
		r = drive_root_acl_set(front->drive, name, value, size, &err);
	else if (r == 0)
		r = set_lower(req, &at, name, value, size, flags);
	reply_code(req, r);
}

void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct front *front = front_of(req);
	cleanup_pin struct pinned at = PINNED_NONE;
	struct error err = ERROR_INIT;
	struct looked looked;
	char path[PROC_PATH_MAX];
	int r = xattr_is_ours(name) ? -ENODATA : pin(front, ino, &at);

	if (r == 0 && is_root_acl(&at, name)) {
		r = drive_root_acl_set(front->drive, name, NULL, 0, &err);
	} else if (r == 0) {
		lower_proc_path(at.fd, path);
		r = removexattr(path, name) < 0 ? -errno
						: observe(&at, &looked);
	}
	reply_code(req, r);
}
