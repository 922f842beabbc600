/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/front/internal.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Passthrough and io_uring: detected, tried, and said in status. */

/* FUSE_DEV_IOC_BACKING_CLOSE of <linux/fuse.h> since Linux 6.9. */
#define BACKING_CLOSE _IOW(229, 2, uint32_t)

static void why(struct front *front, char field[128], const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void why(struct front *front, char field[128], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)pthread_mutex_lock(&front->status_lock);
	(void)vsnprintf(field, 128, fmt, ap);
	(void)pthread_mutex_unlock(&front->status_lock);
	va_end(ap);
}

#if FRONT_HAS_KILLPRIV
static bool want(struct fuse_conn_info *conn, uint64_t cap)
{
	return fuse_set_feature_flag(conn, cap);
}

static void want_not(struct fuse_conn_info *conn, uint64_t cap)
{
	fuse_unset_feature_flag(conn, cap);
}
#else
static bool want(struct fuse_conn_info *conn, unsigned int cap)
{
	conn->want |= conn->capable & cap;
	return (conn->capable & cap) != 0;
}

static void want_not(struct fuse_conn_info *conn, unsigned int cap)
{
	conn->want &= ~cap;
}
#endif

#if FRONT_HAS_PASSTHROUGH
static bool may_passthrough(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct caps[2];

	return syscall(SYS_capget, &head, caps) == 0 &&
	       (caps[0].effective & 1u << CAP_SYS_ADMIN) != 0;
}

static void init_passthrough(struct front *front, struct fuse_conn_info *conn)
{
	bool on = false;

	if (front->options.no_passthrough)
		why(front, front->passthrough_why, "disabled by option");
	else if (!may_passthrough())
		why(front, front->passthrough_why, "no CAP_SYS_ADMIN");
	else if (!want(conn, FUSE_CAP_PASSTHROUGH))
		why(front, front->passthrough_why,
		    "the kernel does not offer it (needs Linux 6.9)");
	else
		on = true;
	atomic_store(&front->passthrough, on);
}
#else
static void init_passthrough(struct front *front, struct fuse_conn_info *conn)
{
	(void)conn;
	why(front, front->passthrough_why, "libfuse %s < 3.17",
	    fuse_pkgversion());
}
#endif

void accel_init(struct front *front, struct fuse_conn_info *conn)
{
	conn->max_write = MAX_WRITE_BYTES;
	(void)want(conn, FUSE_CAP_DONT_MASK);
	(void)want(conn, FUSE_CAP_POSIX_ACL);
	(void)want(conn, FUSE_CAP_PARALLEL_DIROPS);
	(void)want(conn, FUSE_CAP_ASYNC_READ);
	(void)want(conn, FUSE_CAP_SPLICE_WRITE);
	(void)want(conn, FUSE_CAP_CACHE_SYMLINKS);
	(void)want(conn, FUSE_CAP_EXPORT_SUPPORT);
	/* It costs two more system calls for every request, of any kind. */
	want_not(conn, FUSE_CAP_SPLICE_READ);
	/* It turns passthrough off without a word, and hides sizes. */
	want_not(conn, FUSE_CAP_WRITEBACK_CACHE);
#if FRONT_HAS_KILLPRIV
	(void)want(conn, FUSE_CAP_HANDLE_KILLPRIV_V2);
#endif
	init_passthrough(front, conn);
	if (!atomic_load(&front->passthrough))
		atomic_store(&front->probed, true);
	atomic_store(&front->ready, true);
}

int accel_backing_open(fuse_req_t req, int fd)
{
#if FRONT_HAS_PASSTHROUGH
	int id = fuse_passthrough_open(req, fd);

	if (id <= 0)
		atomic_fetch_add(&front_of(req)->passthrough_failures, 1);
	return id > 0 ? id : 0;
#else
	(void)req;
	(void)fd;
	return 0;
#endif
}

/* Not by fuse_passthrough_close(), which wants a request: what is forgotten at
 * a thread's leisure has none. */
void accel_backing_close(const struct front *front, int id)
{
	const uint32_t number = (uint32_t)id;

	if (id > 0)
		(void)ioctl(fuse_session_fd(front->session), BACKING_CLOSE,
			    &number);
}

#if FRONT_HAS_PASSTHROUGH
/* A file of the lower file system; any other tells at least if the kernel
 * does it at all. */
static int probe_file(const struct front *front)
{
	int fd = -1;

	if (front->hide_state) {
		cleanup_fd int state =
			lower_open_child(front->lower_fd, DRIVE_STATE_NAME);

		if (state >= 0)
			fd = lower_open_child(state, "drive");
	}
	return fd >= 0 ? fd : memfd_create("sobre", MFD_CLOEXEC);
}

void accel_probe(struct front *front, fuse_req_t req)
{
	cleanup_fd int fd = probe_file(front);
	int id = 0;
	int saved = 0;

	if (atomic_exchange(&front->probed, true))
		return; /* another thread was faster */
	if (fd >= 0) {
		id = fuse_passthrough_open(req, fd);
		saved = errno;
	}
	if (id > 0) {
		accel_backing_close(front, id);
		return;
	}
	atomic_store(&front->passthrough, false);
	if (saved == ELOOP)
		why(front, front->passthrough_why,
		    "the lower file system is a stacked one");
	else
		why(front, front->passthrough_why,
		    "the kernel refused a trial: %s", error_words(-saved));
}
#else
void accel_probe(struct front *front, fuse_req_t req)
{
	(void)req;
	atomic_store(&front->probed, true);
}
#endif

#if FRONT_HAS_URING
#define URING_SWITCH "/sys/module/fuse/parameters/enable_uring"

bool accel_uring_allowed(struct front *front)
{
	char c = 'N';
	cleanup_fd int fd = open(URING_SWITCH, O_RDONLY | O_CLOEXEC);

	if (front->options.no_uring) {
		why(front, front->uring_why, "disabled by option");
		return false;
	}
	if (fd < 0) {
		why(front, front->uring_why,
		    "the kernel does not offer it (needs Linux 6.14)");
		return false;
	}
	if (read(fd, &c, 1) != 1 || c != 'Y') {
		why(front, front->uring_why, "%s is N", URING_SWITCH);
		return false;
	}
	why(front, front->uring_why, "the kernel has not used it yet");
	return true;
}
#else
bool accel_uring_allowed(struct front *front)
{
	why(front, front->uring_why, "libfuse %s < 3.18", fuse_pkgversion());
	return false;
}
#endif
