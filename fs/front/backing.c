/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/front/internal.h"

#include <stdlib.h>

/*
 * Registering a lower file for passthrough costs two system calls an open. An
 * inode keeps its id when it is closed: up to BACKING_CACHE_MAX of them, which
 * hold as many inodes in the kernel's memory (about 1 KiB each), and none of
 * our descriptors. Registered from O_PATH ones they deny nobody a lease, and
 * the inode stays the same when the file is packed and copied up.
 *
 * When a daemon dies, what it has registered lasts as long as somebody stands
 * in its mount, and with it the room of files removed since: so an id goes when
 * it has been idle for a minute or two.
 */

static void idle_locked(struct front *front, struct backing *b)
{
	b->used = false;
	b->idle_since = front->ticks;
	link_add(&front->idle_backings, &b->link);
	front->n_idle_backings++;
}

static void use_locked(struct front *front, struct backing *b)
{
	b->used = true;
	link_remove(&b->link);
	front->n_idle_backings--;
}

int backing_detach_locked(struct front *front, struct inode *inode)
{
	struct backing *b = take_ptr(&inode->backing);

	if (!b)
		return 0;

	int id = b->id;

	if (!b->used)
		use_locked(front, b); /* out of the list */
	free(b);
	return id;
}

static struct backing *oldest_locked(const struct front *front)
{
	return (struct backing *)(void *)front->idle_backings.prev;
}

/* The one that has been idle longest goes when there are too many. */
static int evict_locked(struct front *front)
{
	if (front->n_idle_backings <= BACKING_CACHE_MAX)
		return 0;
	return backing_detach_locked(front, oldest_locked(front)->inode);
}

bool backing_expire(struct front *front, uint32_t ticks)
{
	struct leftover left = LEFTOVER_NONE;

	(void)pthread_mutex_lock(&front->table_lock);
	if (front->n_idle_backings > 0 &&
	    front->ticks - oldest_locked(front)->idle_since >= ticks)
		left.backing_id = backing_detach_locked(
			front, oldest_locked(front)->inode);
	(void)pthread_mutex_unlock(&front->table_lock);
	leftover_close(front, &left);
	return left.backing_id > 0;
}

int backing_take(struct front *front, struct inode *inode)
{
	(void)pthread_mutex_lock(&front->table_lock);
	struct backing *b = inode->backing;

	if (b && !b->used)
		use_locked(front, b);
	(void)pthread_mutex_unlock(&front->table_lock);
	return b ? b->id : 0;
}

int backing_make(struct front *front, fuse_req_t req, struct inode *inode,
		 int fd)
{
	struct backing *b = calloc(1, sizeof(*b));

	if (!b)
		return 0;
	b->id = accel_backing_open(req, fd);
	if (b->id <= 0) {
		free(b);
		return 0;
	}
	b->inode = inode;
	b->used = true;
	(void)pthread_mutex_lock(&front->table_lock);
	inode->backing = b;
	(void)pthread_mutex_unlock(&front->table_lock);
	return b->id;
}

void backing_give(struct front *front, struct inode *inode)
{
	struct leftover left = LEFTOVER_NONE;

	(void)pthread_mutex_lock(&front->table_lock);
	if (inode->backing && inode->backing->used) {
		idle_locked(front, inode->backing);
		left.backing_id = evict_locked(front);
	}
	(void)pthread_mutex_unlock(&front->table_lock);
	leftover_close(front, &left);
}

bool backing_is_kept(struct front *front, const struct inode *inode)
{
	(void)pthread_mutex_lock(&front->table_lock);
	bool kept = inode->backing != NULL;
	(void)pthread_mutex_unlock(&front->table_lock);
	return kept;
}

void leftover_close(const struct front *front, struct leftover *left)
{
	close_at(&left->fd);
	accel_backing_close(front, left->backing_id);
}
