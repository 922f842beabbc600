/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/front/internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static void lru_remove(struct front *front, struct path_fd *pfd)
{
	link_remove(&pfd->link);
	front->n_idle_fds--;
}

static void lru_add(struct front *front, struct path_fd *pfd)
{
	link_add(&front->idle_fds, &pfd->link);
	front->n_idle_fds++;
}

static void use_locked(struct front *front, struct path_fd *pfd)
{
	if (pfd->users++ == 0)
		lru_remove(front, pfd);
}

void path_fd_pin_locked(struct front *front, struct path_fd *pfd)
{
	use_locked(front, pfd);
}

/* Not in the list, no user: its fd is the caller's to close. */
static int free_locked(struct front *front, struct path_fd *pfd)
{
	int fd = pfd->fd;

	front->n_fds--;
	free(pfd);
	return fd;
}

int path_fd_detach_locked(struct front *front, struct inode *inode)
{
	struct path_fd *pfd = take_ptr(&inode->path_fd);

	if (!pfd)
		return -1;
	pfd->inode = NULL;
	if (inode->flags & INODE_DEAD) {
		inode->flags &= (uint8_t)~INODE_DEAD;
		pfd->users--; /* the pin of inode_dead() */
	} else if (pfd->users == 0) {
		lru_remove(front, pfd);
	}
	return pfd->users == 0 ? free_locked(front, pfd) : -1;
}

/* The oldest idle one goes when there are too many. */
static int evict_locked(struct front *front)
{
	if (front->n_idle_fds <= FD_CACHE_MAX)
		return -1;

	struct path_fd *oldest = (struct path_fd *)(void *)front->idle_fds.prev;

	return path_fd_detach_locked(front, oldest->inode);
}

static struct path_fd *attach_locked(struct front *front, struct inode *inode,
				     int fd)
{
	struct path_fd *pfd = calloc(1, sizeof(*pfd));

	if (!pfd)
		return NULL;
	pfd->fd = fd;
	pfd->inode = inode;
	inode->path_fd = pfd;
	front->n_fds++;
	lru_add(front, pfd);
	return pfd;
}

void path_fd_adopt_locked(struct front *front, struct inode *inode, int *fd)
{
	if (inode->path_fd || *fd < 0)
		return;
	if (attach_locked(front, inode, *fd))
		*fd = evict_locked(front); /* the caller closes that one */
}

int path_fd_get(struct front *front, struct inode *inode,
		struct path_fd **ret_pfd)
{
	cleanup_fd int fd = -1;

	(void)pthread_mutex_lock(&front->table_lock);
	struct path_fd *pfd = inode->path_fd;

	if (!pfd) {
		struct lower_handle handle;

		inode_get_handle_locked(inode, &handle);
		(void)pthread_mutex_unlock(&front->table_lock);
		fd = handle_open(front->lower_fd, &handle, O_PATH);
		if (fd < 0)
			return fd;
		(void)pthread_mutex_lock(&front->table_lock);
		path_fd_adopt_locked(front, inode, &fd);
		pfd = inode->path_fd;
	}
	if (pfd)
		use_locked(front, pfd);
	(void)pthread_mutex_unlock(&front->table_lock);
	*ret_pfd = pfd;
	return pfd ? 0 : -ENOMEM;
}

void path_fd_put(struct front *front, struct path_fd *pfd)
{
	cleanup_fd int fd = -1;

	if (!pfd)
		return;
	(void)pthread_mutex_lock(&front->table_lock);
	assert(pfd->users > 0);
	if (--pfd->users == 0) {
		if (pfd->inode) {
			lru_add(front, pfd);
			fd = evict_locked(front);
		} else {
			fd = free_locked(front, pfd);
		}
	}
	(void)pthread_mutex_unlock(&front->table_lock);
}

int pin(struct front *front, fuse_ino_t nodeid, struct pinned *ret_pinned)
{
	struct inode *inode = inode_find(front, nodeid);

	if (!inode)
		return -ESTALE;

	int r = path_fd_get(front, inode, &ret_pinned->pfd);

	if (r < 0)
		return r;
	ret_pinned->front = front;
	ret_pinned->inode = inode;
	ret_pinned->fd = ret_pinned->pfd->fd;
	return 0;
}

void unpin(const struct pinned *pinned)
{
	if (pinned->pfd)
		path_fd_put(pinned->front, pinned->pfd);
}
