/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/front/internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BUCKETS 1024

static size_t bucket_of(const struct front *front, uint64_t nodeid)
{
	/* Fibonacci hashing: lower numbers come in runs. */
	return (size_t)((nodeid * UINT64_C(0x9E3779B97F4A7C15)) >> 32) &
	       (front->n_buckets - 1);
}

/* The kernel calls the root 1. A lower inode 1 that isn't the root (there are
 * file systems that have one) gets the number that the root left free. */
fuse_ino_t inode_nodeid(const struct front *front, uint64_t ino)
{
	if (ino == front->root_ino)
		return FUSE_ROOT_ID;
	return ino == FUSE_ROOT_ID ? front->root_ino : ino;
}

static void set_handle(struct inode *inode, uint8_t *room, int32_t type,
		       const uint8_t *bytes, uint8_t len)
{
	inode->handle_type = type;
	inode->handle_len = len;
	if (len <= HANDLE_INLINE_BYTES) {
		memcpy(inode->handle, bytes, len);
		return;
	}
	memcpy(room, bytes, len);
	memcpy(inode->handle, &room, sizeof(room));
}

static uint8_t *handle_room(const struct inode *inode)
{
	uint8_t *room = NULL;

	if (inode->handle_len > HANDLE_INLINE_BYTES)
		memcpy(&room, inode->handle, sizeof(room));
	return room;
}

static const uint8_t *handle_bytes(const struct inode *inode)
{
	const uint8_t *room = handle_room(inode);

	return room ? room : inode->handle;
}

void inode_get_handle_locked(const struct inode *inode,
			     struct lower_handle *ret_handle)
{
	ret_handle->type = inode->handle_type;
	ret_handle->len = inode->handle_len;
	memcpy(ret_handle->bytes, handle_bytes(inode), inode->handle_len);
}

static bool same_handle(const struct inode *inode,
			const struct lower_handle *handle)
{
	return inode->handle_type == handle->type &&
	       inode->handle_len == handle->len &&
	       memcmp(handle_bytes(inode), handle->bytes, handle->len) == 0;
}

int inode_table_init(struct front *front)
{
	front->n_buckets = FIRST_BUCKETS;
	front->capabilities = 1;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): of pointers */
	front->buckets = calloc(FIRST_BUCKETS, sizeof(*front->buckets));
	if (!front->buckets)
		return -ENOMEM;
	link_init(&front->idle_fds);
	link_init(&front->idle_backings);
	(void)pthread_mutex_init(&front->table_lock, NULL);
	return 0;
}

static void inode_free(struct inode *inode)
{
	free(handle_room(inode));
	free(inode);
}

void inode_table_release(struct front *front)
{
	if (!front->buckets)
		return;
	for (size_t at = 0; at < front->n_buckets; at++) {
		struct inode *inode = front->buckets[at];

		while (inode) {
			struct inode *next = inode->next;
			int fd = path_fd_detach_locked(front, inode);

			close_at(&fd);
			/* the kernel's end went with the session */
			(void)backing_detach_locked(front, inode);
			inode_free(inode);
			inode = next;
		}
	}
	free(front->buckets);
	front->buckets = NULL;
	(void)pthread_mutex_destroy(&front->table_lock);
}

static void grow(struct front *front)
{
	size_t was = front->n_buckets;
	struct inode **old = front->buckets;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): of pointers */
	struct inode **more = calloc(was * 2, sizeof(*more));

	if (!more)
		return; /* longer chains, nothing worse */
	front->buckets = more;
	front->n_buckets = was * 2;
	for (size_t at = 0; at < was; at++) {
		while (old[at]) {
			struct inode *inode = old[at];
			size_t to = bucket_of(front, inode->ino);

			old[at] = inode->next;
			inode->next = more[to];
			more[to] = inode;
		}
	}
	free(old);
}

static struct inode *find_locked(const struct front *front, uint64_t ino)
{
	struct inode *inode = front->buckets[bucket_of(front, ino)];

	while (inode && inode->ino != ino)
		inode = inode->next;
	return inode;
}

uint64_t inode_number(const struct front *front, fuse_ino_t nodeid)
{
	if (nodeid == FUSE_ROOT_ID)
		return front->root_ino;
	return nodeid == front->root_ino ? FUSE_ROOT_ID : nodeid;
}

struct inode *inode_find(struct front *front, fuse_ino_t nodeid)
{
	(void)pthread_mutex_lock(&front->table_lock);
	struct inode *inode = find_locked(front, inode_number(front, nodeid));
	(void)pthread_mutex_unlock(&front->table_lock);
	return inode;
}

void inode_get_handle(struct front *front, const struct inode *inode,
		      struct lower_handle *ret_handle)
{
	(void)pthread_mutex_lock(&front->table_lock);
	inode_get_handle_locked(inode, ret_handle);
	(void)pthread_mutex_unlock(&front->table_lock);
}

uint64_t inode_epoch(struct front *front, uint64_t ino)
{
	(void)pthread_mutex_lock(&front->table_lock);
	const struct inode *inode = find_locked(front, ino);
	uint64_t epoch = inode ? inode_plain_epoch(inode) : 0;
	(void)pthread_mutex_unlock(&front->table_lock);
	return epoch;
}

/* The number may have been used again, and the birth time tells. */
static bool is_same(const struct inode *inode, const struct looked *looked)
{
	return looked->btime_ns != 0 && inode->btime_ns == looked->btime_ns &&
	       inode->mode == (looked->lower.st_mode & S_IFMT) &&
	       !(inode->flags & INODE_DEAD);
}

struct inode *inode_relearn(struct front *front, const struct looked *looked,
			    uint64_t plain_epoch)
{
	bool plain = !S_ISREG(looked->lower.st_mode) ||
		     plain_epoch == drive_stub_epoch(front->drive);

	(void)pthread_mutex_lock(&front->table_lock);
	struct inode *inode = find_locked(front, looked->lower.st_ino);

	if (inode && (!plain || !is_same(inode, looked)))
		inode = NULL;
	if (inode)
		inode->nlookup++;
	(void)pthread_mutex_unlock(&front->table_lock);
	return inode;
}

static struct inode *insert_locked(struct front *front, uint64_t ino)
{
	struct inode *inode = calloc(1, sizeof(*inode));

	if (!inode)
		return NULL;
	if (front->n_inodes >= front->n_buckets)
		grow(front);
	inode->ino = ino;

	size_t at = bucket_of(front, ino);

	inode->next = front->buckets[at];
	front->buckets[at] = inode;
	front->n_inodes++;
	return inode;
}

/* Another file has the number now: what was known of the old one goes. */
static int renew_locked(struct front *front, struct inode *inode,
			const struct lower_handle *handle,
			struct leftover *ret_left)
{
	uint8_t *room = NULL;

	if (handle->len > HANDLE_INLINE_BYTES) {
		room = malloc(handle->len);
		if (!room)
			return -ENOMEM;
	}
	free(handle_room(inode));
	ret_left->fd = path_fd_detach_locked(front, inode);
	ret_left->backing_id = backing_detach_locked(front, inode);
	inode->flags = 0;
	set_handle(inode, room, handle->type, handle->bytes, handle->len);
	return 0;
}

static void remove_locked(struct front *front, struct inode *inode)
{
	struct inode **at = &front->buckets[bucket_of(front, inode->ino)];

	while (*at != inode)
		at = &(*at)->next;
	*at = inode->next;
	front->n_inodes--;
}

/* With the lock held. */
static struct leftover free_if_unused(struct front *front, struct inode *inode)
{
	struct leftover left = LEFTOVER_NONE;

	if (inode->nlookup > 0 || inode->holds > 0)
		return left;
	left.fd = path_fd_detach_locked(front, inode);
	left.backing_id = backing_detach_locked(front, inode);
	remove_locked(front, inode);
	inode_free(inode);
	return left;
}

int inode_learn(struct front *front, int *fd, uint64_t ino, int64_t btime_ns,
		uint32_t mode, const struct lower_handle *handle,
		struct inode **ret_inode)
{
	int r = 0;
	struct leftover stale = LEFTOVER_NONE;

	(void)pthread_mutex_lock(&front->table_lock);
	struct inode *inode = find_locked(front, ino);

	if (!inode)
		inode = insert_locked(front, ino);
	if (!inode)
		r = -ENOMEM;
	else if (!same_handle(inode, handle))
		r = renew_locked(front, inode, handle, &stale);
	if (r == 0) {
		inode->nlookup++;
		/* read without the lock, and the same for a file's life */
		if (inode->btime_ns != btime_ns)
			inode->btime_ns = btime_ns;
		if (inode->mode != (mode & S_IFMT))
			inode->mode = mode & S_IFMT;
		path_fd_adopt_locked(front, inode, fd);
		*ret_inode = inode;
	} else if (inode) {
		(void)free_if_unused(front, inode);
	}
	(void)pthread_mutex_unlock(&front->table_lock);
	leftover_close(front, &stale);
	if (r == 0)
		close_at(fd);
	*fd = r == 0 ? -1 : *fd;
	return r;
}

void inode_forget(struct front *front, fuse_ino_t nodeid, uint64_t n)
{
	struct leftover left = LEFTOVER_NONE;

	(void)pthread_mutex_lock(&front->table_lock);
	struct inode *inode = find_locked(front, inode_number(front, nodeid));

	if (inode) {
		inode->nlookup -= n < inode->nlookup ? n : inode->nlookup;
		left = free_if_unused(front, inode);
	}
	(void)pthread_mutex_unlock(&front->table_lock);
	leftover_close(front, &left);
}

void inode_hold(struct front *front, struct inode *inode)
{
	(void)pthread_mutex_lock(&front->table_lock);
	inode->holds++;
	(void)pthread_mutex_unlock(&front->table_lock);
}

void inode_drop(struct front *front, struct inode *inode)
{
	(void)pthread_mutex_lock(&front->table_lock);
	assert(inode->holds > 0);
	inode->holds--;
	struct leftover left = free_if_unused(front, inode);
	(void)pthread_mutex_unlock(&front->table_lock);
	leftover_close(front, &left);
}

void inode_dead(struct front *front, uint64_t ino, int *fd)
{
	(void)pthread_mutex_lock(&front->table_lock);
	struct inode *inode = find_locked(front, ino);

	if (inode && !(inode->flags & INODE_DEAD)) {
		path_fd_adopt_locked(front, inode, fd);
		if (inode->path_fd) {
			path_fd_pin_locked(front, inode->path_fd);
			inode->flags |= INODE_DEAD;
		}
	}
	(void)pthread_mutex_unlock(&front->table_lock);
}

void inode_set_flag(struct front *front, struct inode *inode,
		    enum inode_flag flag, bool on)
{
	(void)pthread_mutex_lock(&front->table_lock);
	if (on)
		inode->flags |= (uint8_t)flag;
	else
		inode->flags &= (uint8_t) ~(unsigned int)flag;
	(void)pthread_mutex_unlock(&front->table_lock);
}

bool inode_has_flag(struct front *front, struct inode *inode,
		    enum inode_flag flag)
{
	(void)pthread_mutex_lock(&front->table_lock);
	bool on = (inode->flags & (unsigned int)flag) != 0;
	(void)pthread_mutex_unlock(&front->table_lock);
	return on;
}

uint64_t inode_capabilities(struct front *front)
{
	(void)pthread_mutex_lock(&front->table_lock);
	uint64_t capabilities = front->capabilities;
	(void)pthread_mutex_unlock(&front->table_lock);
	return capabilities;
}

void inode_note_no_capability(struct front *front, struct inode *inode,
			      uint64_t capabilities)
{
	(void)pthread_mutex_lock(&front->table_lock);
	if (front->capabilities == capabilities)
		inode->flags |= INODE_NO_CAPABILITY;
	(void)pthread_mutex_unlock(&front->table_lock);
}

void inode_note_capability(struct front *front, struct inode *inode)
{
	(void)pthread_mutex_lock(&front->table_lock);
	front->capabilities++;
	inode->flags &= (uint8_t)~INODE_NO_CAPABILITY;
	(void)pthread_mutex_unlock(&front->table_lock);
}
