/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/front/internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "fs/base/clock.h"

static struct opened *opened_new(struct inode *inode)
{
	struct opened *opened = calloc(1, sizeof(*opened));

	if (!opened)
		return NULL;
	opened->inode = inode;
	(void)pthread_mutex_init(&opened->lock, NULL);
	return opened;
}

static void opened_free(struct front *front, struct opened *opened)
{
	if (!opened)
		return;
	path_fd_put(front, opened->path_fd);
	(void)pthread_mutex_destroy(&opened->lock);
	free(opened);
}

/* With table_lock held. */
static struct opened *share_locked(struct inode *inode)
{
	if (inode->opened)
		inode->opened->refs++;
	return inode->opened;
}

struct opened *opened_get(struct front *front, struct inode *inode)
{
	struct opened *mine;

	(void)pthread_mutex_lock(&front->table_lock);
	struct opened *opened = share_locked(inode);
	(void)pthread_mutex_unlock(&front->table_lock);

	if (opened)
		return opened;
	mine = opened_new(inode);
	if (!mine)
		return NULL;
	(void)pthread_mutex_lock(&front->table_lock);
	opened = share_locked(inode);
	if (!opened) {
		opened = take_ptr(&mine);
		opened->refs = 1;
		inode->opened = opened;
		inode->holds++;
	}
	(void)pthread_mutex_unlock(&front->table_lock);
	opened_free(front, mine);
	return opened;
}

int opened_fd(struct front *front, struct opened *opened)
{
	struct path_fd *pfd =
		__atomic_load_n(&opened->path_fd, __ATOMIC_ACQUIRE);
	struct path_fd *none = NULL;
	int r;

	if (pfd)
		return pfd->fd;
	r = path_fd_get(front, opened->inode, &pfd);
	if (r < 0)
		return r;
	if (!__atomic_compare_exchange_n(&opened->path_fd, &none, pfd, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		path_fd_put(front, pfd); /* another thread was faster */
		pfd = none;
	}
	return pfd->fd;
}

void opened_put(struct front *front, struct opened *opened)
{
	struct inode *inode = opened->inode;
	bool last;

	(void)pthread_mutex_lock(&front->table_lock);
	assert(opened->refs > 0);
	last = --opened->refs == 0;
	if (last)
		inode->opened = NULL;
	(void)pthread_mutex_unlock(&front->table_lock);
	if (!last)
		return;
	opened_free(front, opened);
	inode_drop(front, inode);
}

static bool writes(int flags)
{
	return (flags & O_ACCMODE) != O_RDONLY;
}

/* Could by a shared mapping, which keeps the file open. */
static bool stores(int flags)
{
	return (flags & O_ACCMODE) == O_RDWR;
}

/* One mode for all opens of an inode; which, is the first one's to say. */
static bool choose_passthrough(fuse_req_t req, const struct open_file *of,
			       bool packed)
{
	struct front *front = front_of(req);
	struct opened *opened = of->opened;

	if (opened->n_passthrough > 0)
		return true; /* then it is plain, whatever was seen before */
	if (opened->n_cached > 0 || packed ||
	    !atomic_load_explicit(&front->passthrough, memory_order_relaxed))
		return false;
	opened->backing_id = backing_take(front, opened->inode);
	if (opened->backing_id == 0) {
		int fd = opened_fd(front, opened);

		if (fd >= 0)
			opened->backing_id =
				backing_make(front, req, opened->inode, fd);
	}
	return opened->backing_id > 0;
}

/* Stores through a mapping change times without a word: from now on the
 * kernel has to ask. */
static void distrust_attributes(struct front *front, struct opened *opened)
{
	(void)fuse_lowlevel_notify_inval_inode(
		front->session, inode_nodeid(front, opened->inode->ino), -1, 0);
}

static void count_writer(struct front *front, const struct open_file *of,
			 bool fresh)
{
	struct opened *opened = of->opened;
	bool first_mapper = false;

	if (!writes(of->flags))
		return;
	(void)pthread_mutex_lock(&front->table_lock);
	opened->n_writers++;
	if (of->maps)
		first_mapper = opened->n_mappers++ == 0;
	(void)pthread_mutex_unlock(&front->table_lock);
	if (first_mapper && !fresh)
		distrust_attributes(front, opened);
}

void opened_add(fuse_req_t req, struct open_file *of, bool packed, bool fresh,
		struct fuse_file_info *fi)
{
	struct front *front = front_of(req);
	struct opened *opened = of->opened;

	(void)pthread_mutex_lock(&opened->lock);
	of->passthrough = choose_passthrough(req, of, packed);
	of->maps = of->passthrough && stores(of->flags);
	if (of->passthrough) {
		opened->n_passthrough++;
#if FRONT_HAS_PASSTHROUGH
		fi->backing_id = opened->backing_id;
#endif
	} else {
		opened->n_cached++;
		opened->n_dirty += stores(of->flags);
		/* Pages read or written through us stay true; those written
		 * in passthrough never get there. */
		fi->keep_cache =
			inode_has_flag(front, opened->inode, INODE_PAGES_TRUE);
	}
	inode_set_flag(front, opened->inode, INODE_PAGES_TRUE,
		       !of->passthrough);
	count_writer(front, of, fresh);
	(void)pthread_mutex_unlock(&opened->lock);
	fi->noflush = 1;
	fi->fh = (uint64_t)(uintptr_t)of;
	atomic_fetch_add(&front->open_files, 1);
}

void opened_remove(const struct open_file *of)
{
	struct front *front = of->front;
	struct opened *opened = of->opened;

	(void)pthread_mutex_lock(&opened->lock);
	if (!of->passthrough) {
		opened->n_cached--;
		opened->n_dirty -= stores(of->flags);
	} else if (--opened->n_passthrough == 0) {
		backing_give(front, opened->inode);
		opened->backing_id = 0;
	}
	(void)pthread_mutex_unlock(&opened->lock);
	if (writes(of->flags)) {
		(void)pthread_mutex_lock(&front->table_lock);
		opened->n_writers--;
		if (of->maps)
			opened->n_mappers--;
		(void)pthread_mutex_unlock(&front->table_lock);
	}
	atomic_fetch_sub(&front->open_files, 1);
}

bool opened_may_be_dirty(struct opened *opened)
{
	(void)pthread_mutex_lock(&opened->lock);
	bool dirty = opened->n_dirty > 0;
	(void)pthread_mutex_unlock(&opened->lock);
	return dirty;
}

static bool shown_differs(struct front *front, struct opened *opened,
			  const struct stat *st)
{
	int64_t mtime_ns = timespec_ns(st->st_mtim);
	int64_t ctime_ns = timespec_ns(st->st_ctim);

	(void)pthread_mutex_lock(&front->table_lock);
	bool differs =
		opened->n_mappers > 0 && (opened->shown_size != st->st_size ||
					  opened->shown_mtime_ns != mtime_ns ||
					  opened->shown_ctime_ns != ctime_ns);

	opened->shown_size = st->st_size;
	opened->shown_mtime_ns = mtime_ns;
	opened->shown_ctime_ns = ctime_ns;
	(void)pthread_mutex_unlock(&front->table_lock);
	return differs;
}

/* A writer has one of its own. */
static int fd_to_look(const struct open_file *of)
{
	int fd = of->packed ? -1 : file_lower_fd(of->file, -1);

	return fd < 0 ? opened_fd(of->front, of->opened) : fd;
}

void opened_refresh(const struct open_file *of, bool post)
{
	struct front *front = of->front;
	struct opened *opened = of->opened;
	struct looked looked;
	int fd = fd_to_look(of);

	if (fd < 0 || lower_observe(front, fd, &looked) < 0)
		return;
	if (shown_differs(front, opened, &looked.st))
		distrust_attributes(front, opened);
	if (post)
		event_inode(front, &looked, NULL);
}
