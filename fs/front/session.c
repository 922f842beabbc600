/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/front/ops.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Few: threads of a session that is busy wake each other for nothing. */
#define MAX_THREADS 10
/* Each entry is MAX_WRITE_BYTES of address space, and for each CPU. A slow
 * request keeps its entry until it is answered. */
#define URING_DEPTH 8

/* --- what is open, so that an end in the middle leaves nothing -------------
 */

void open_link_add(struct front *front, struct open_link *link)
{
	(void)pthread_mutex_lock(&front->table_lock);
	link_add(&front->open_links, &link->link);
	(void)pthread_mutex_unlock(&front->table_lock);
}

void open_link_remove(struct front *front, struct open_link *link)
{
	(void)pthread_mutex_lock(&front->table_lock);
	link_remove(&link->link);
	(void)pthread_mutex_unlock(&front->table_lock);
}

/* After the threads have ended. */
static void release_open(struct front *front)
{
	while (front->open_links.next != &front->open_links) {
		struct open_link *link =
			(struct open_link *)(void *)front->open_links.next;

		open_link_remove(front, link);
		link->release(link);
	}
}

/* --- new, free
 * ---------------------------------------------------------------- */

static uint64_t mount_of(int fd)
{
	struct statx x;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &x) < 0 ||
	    !(x.stx_mask & STATX_MNT_ID))
		return 0;
	return x.stx_mnt_id;
}

static int learn_root(struct front *front, struct error *err)
{
	struct looked looked;
	struct inode *root;
	struct stat st;
	cleanup_fd int again = -1;
	cleanup_fd int fd =
		openat(front->lower_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set(err, -errno, "cannot open the lower root: %s",
				 error_words(-errno));
	front->dev = st.st_dev;
	front->root_ino = st.st_ino;
	if (!drive_syncs_by_name(front->drive))
		front->lower_mnt_id = mount_of(fd);

	int r = lower_observe(front, fd, &looked);

	if (r == 0)
		r = handle_get(fd, "", &looked.handle);
	if (r == 0) {
		again = handle_open(front->lower_fd, &looked.handle, O_PATH);
		r = again < 0 ? again : 0;
	}
	if (r < 0)
		return error_set(err, r,
				 "files of the lower directory cannot be "
				 "opened by handle: %s",
				 error_words(r));
	r = inode_learn(front, &fd, st.st_ino, looked.btime_ns, st.st_mode,
			&looked.handle, &root);
	return r < 0 ? error_set(err, r, "out of memory") : 0;
}

int front_new(struct drive *drive, const struct front_options *options,
	      struct front **ret_front, struct error *err)
{
	CLEANUP(front_free) struct front *front = calloc(1, sizeof(*front));

	if (!front)
		return error_set(err, -ENOMEM, "out of memory");
	front->exit_fd = -1;
	front->drive = drive;
	front->options = *options;
	front->lower_fd = drive_lower_fd(drive);
	front->hide_state = drive_state_is_inside(drive);
	link_init(&front->open_links);
	(void)pthread_mutex_init(&front->status_lock, NULL);
	slow_init(&front->slow);

	int r = worker_key_init(front);

	front->has_worker_key = r == 0;
	if (r == 0)
		r = inode_table_init(front);
	front->exit_fd = eventfd(0, EFD_CLOEXEC);
	if (r == 0 && front->exit_fd < 0)
		r = -errno;
	if (r < 0)
		return error_set(err, r, "cannot start: %s", error_words(r));
	r = learn_root(front, err);
	if (r < 0)
		return r;
	*ret_front = take_ptr(&front);
	return 0;
}

static void session_end(struct front *front)
{
	if (!front->session)
		return;
	/* It closes the descriptor that notifications go by. */
	drive_watch(front->drive, NULL, NULL);
	while (backing_expire(front, 0))
		continue; /* the lower must not wait for the kernel's end */
	fuse_session_unmount(front->session);
	release_open(front);
}

void front_free(struct front *front)
{
	if (!front)
		return;
	session_end(front);
	if (front->session)
		fuse_session_destroy(front->session);
	inode_table_release(front);
	close_at(&front->exit_fd);
	slow_stop(&front->slow);
	if (front->has_worker_key)
		(void)pthread_key_delete(front->worker_key);
	(void)pthread_mutex_destroy(&front->status_lock);
	free(front);
}

/* --- what the kernel was told and is no longer so
 * ------------------------------------------------------ */

/* Attributes alone: the data is what it was, and so are its pages. */
static void take_back_attributes(void *ctx, uint64_t ino)
{
	struct front *front = ctx;

	(void)fuse_lowlevel_notify_inval_inode(front->session,
					       inode_nodeid(front, ino), -1, 0);
}

/* --- mounting
 * --------------------------------------------------------------------- */

static const char *flag(const struct statvfs *st, unsigned long bit,
			const char *no, const char *yes)
{
	return st->f_flag & bit ? no : yes;
}

/* As root libfuse would add nosuid and nodev by itself. */
static int mount_options(struct front *front, char *buf, size_t cap)
{
	struct statvfs st;
	char uuid[33];
	const uint8_t *bytes = drive_uuid(front->drive);

	if (fstatvfs(front->lower_fd, &st) < 0)
		return -errno;
	for (size_t i = 0; i < 16; i++)
		(void)snprintf(uuid + 2 * i, 3, "%02x", bytes[i]);
	(void)snprintf(buf, cap,
		       "-ofsname=sobre#%.8s-%.4s-%.4s-%.4s-%.12s,subtype=sobre,"
		       "allow_other,default_permissions,%s,%s,%s%s%s",
		       uuid, uuid + 8, uuid + 12, uuid + 16, uuid + 20,
		       flag(&st, ST_NOSUID, "nosuid", "suid"),
		       flag(&st, ST_NODEV, "nodev", "dev"),
		       flag(&st, ST_NOEXEC, "noexec", "exec"),
		       flag(&st, ST_NOATIME, ",noatime", ""),
		       front->options.readonly || st.f_flag & ST_RDONLY ? ",ro"
									: "");
	return 0;
}

static int session_new(struct front *front, struct error *err)
{
	char options[256];
	char uring[64];
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	int r = mount_options(front, options, sizeof(options));

	if (r < 0)
		return error_set(err, r, "cannot read the lower's mount: %s",
				 error_words(r));
	front->uring_wanted = accel_uring_allowed(front);
	(void)snprintf(uring, sizeof(uring), "-oio_uring,io_uring_q_depth=%d",
		       URING_DEPTH);
	if (fuse_opt_add_arg(&args, "sobre") == 0 &&
	    fuse_opt_add_arg(&args, options) == 0 &&
	    (!front->options.debug || fuse_opt_add_arg(&args, "-d") == 0) &&
	    (!front->uring_wanted || fuse_opt_add_arg(&args, uring) == 0))
		front->session = fuse_session_new(&args, &front_ops,
						  sizeof(front_ops), front);
	fuse_opt_free_args(&args);
	if (!front->session)
		return error_set(err, -EINVAL,
				 "libfuse %s refuses to start a session",
				 fuse_pkgversion());
	return 0;
}

int front_mount(struct front *front, const char *mountpoint, struct error *err)
{
	int r = session_new(front, err);

	if (r < 0)
		return r;
	if (access("/dev/fuse", R_OK | W_OK) < 0)
		return error_set(err, -errno, "cannot use '/dev/fuse': %s",
				 error_words(-errno));
	errno = 0;
	if (fuse_session_mount(front->session, mountpoint) != 0)
		return error_set(err, errno ? -errno : -EIO,
				 "cannot mount on '%s'", mountpoint);
	drive_watch(front->drive, take_back_attributes, front);
	return 0;
}

/* --- the loop
 * ------------------------------------------------------------------------ */

#if FUSE_VERSION < FUSE_MAKE_VERSION(3, 18)
/*
 * There fuse_session_exit() only sets a flag, which the loop's thread sees
 * when a signal interrupts its wait. So one is sent, until it has seen it.
 */
static void ignore_signal(int signo)
{
	(void)signo;
}

static void *exit_watch(void *at)
{
	struct front *front = at;
	uint64_t n;

	if (read(front->exit_fd, &n, sizeof(n)) < 0)
		return NULL;
	while (!atomic_load(&front->loop_done)) {
		(void)pthread_kill(front->loop_thread, SIGURG);
		(void)poll(NULL, 0, 10);
	}
	return NULL;
}

static int watch_start(struct front *front)
{
	struct sigaction action = { .sa_handler = ignore_signal };

	(void)sigemptyset(&action.sa_mask);
	if (sigaction(SIGURG, &action, NULL) < 0)
		return -errno;
	front->loop_thread = pthread_self();
	return -pthread_create(&front->watch_thread, NULL, exit_watch, front);
}

static void watch_stop(struct front *front)
{
	const uint64_t one = 1;

	atomic_store(&front->loop_done, true);
	if (write(front->exit_fd, &one, sizeof(one)) == sizeof(one))
		(void)pthread_join(front->watch_thread, NULL);
}
#else
static int watch_start(struct front *front)
{
	(void)front;
	return 0;
}

static void watch_stop(struct front *front)
{
	(void)front;
}
#endif

int front_loop(struct front *front, struct error *err)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	int r = config ? watch_start(front) : -ENOMEM;

	if (r < 0) {
		fuse_loop_cfg_destroy(config);
		return error_set(err, r, "cannot start the loop: %s",
				 error_words(r));
	}
	fuse_loop_cfg_set_clone_fd(config, 1);
	fuse_loop_cfg_set_max_threads(config, MAX_THREADS);
	r = fuse_session_loop_mt(front->session, config);
	fuse_loop_cfg_destroy(config);
	watch_stop(front);
	session_end(front);
	return r < 0 ? error_set(err, r, "the FUSE session failed: %s",
				 error_words(r))
		     : 0;
}

void front_exit(struct front *front)
{
	const uint64_t one = 1;

	if (front->session)
		fuse_session_exit(front->session);
	if (write(front->exit_fd, &one, sizeof(one)) < 0)
		return; /* it has been told before */
}

void front_tick(struct front *front)
{
	(void)pthread_mutex_lock(&front->table_lock);
	front->ticks++;
	(void)pthread_mutex_unlock(&front->table_lock);
	while (backing_expire(front, 2))
		continue;
}

void front_status(struct front *front, struct front_status *ret_status)
{
	struct front_status *s = ret_status;

	memset(s, 0, sizeof(*s));
	s->ready = atomic_load(&front->ready);
	s->passthrough = atomic_load(&front->passthrough);
	s->uring = atomic_load(&front->uring);
	(void)pthread_mutex_lock(&front->status_lock);
	if (!s->passthrough)
		memcpy(s->passthrough_why, front->passthrough_why,
		       sizeof(s->passthrough_why));
	if (!s->uring)
		memcpy(s->uring_why, front->uring_why, sizeof(s->uring_why));
	(void)pthread_mutex_unlock(&front->status_lock);
	(void)snprintf(s->libfuse, sizeof(s->libfuse), "%s", fuse_pkgversion());
	s->open_files = atomic_load(&front->open_files);
	s->passthrough_failures = atomic_load(&front->passthrough_failures);
	(void)pthread_mutex_lock(&front->table_lock);
	s->inodes = front->n_inodes;
	s->lower_fds = front->n_fds;
	(void)pthread_mutex_unlock(&front->table_lock);
}
