/* SPDX-License-Identifier: EUPL-1.2 */
/* A daemon's life: start, signals, stop. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fs/base/log.h"
#include "fs/usage/usage.h"
#include "tools/daemon/internal.h"
#include "tools/daemon/metering.h"
#include "tools/daemon/trusted.h"
#include "tools/po/po.h"

#define READY_TIMEOUT_MS 60000
#define FILES_LIMIT	 (1u << 20)

/* --- the process -----------------------------------------------------------
 */

/* The front keeps thousands of descriptors, and a drive must outlive most of
 * what a machine out of memory kills. Both may be refused. */
static void ask_for_resources(void)
{
	struct rlimit limit = { .rlim_cur = FILES_LIMIT,
				.rlim_max = FILES_LIMIT };
	struct rlimit old;
	cleanup_fd int fd = -1;

	if (getrlimit(RLIMIT_NOFILE, &old) == 0) {
		if (old.rlim_max > limit.rlim_max)
			limit.rlim_max = old.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0) {
			limit.rlim_cur = limit.rlim_max = old.rlim_max;
			(void)setrlimit(RLIMIT_NOFILE, &limit);
		}
	}
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "-900", 4) < 0)
		return;
}

/* With it quotas and reserved blocks would not bind agents (DESIGN §6). Of
 * this thread, so before there are others. */
static int drop_sys_resource(struct error *err)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0
	};
	struct __user_cap_data_struct data[2];
	const uint32_t bit = 1u << CAP_SYS_RESOURCE;

	if (syscall(SYS_capget, &head, data) == 0) {
		data[0].effective &= ~bit;
		data[0].permitted &= ~bit;
		data[0].inheritable &= ~bit;
		if (syscall(SYS_capset, &head, data) == 0)
			return 0;
	}
	return error_set(err, -errno, "cannot drop CAP_SYS_RESOURCE: %s",
			 strerrordesc_np(errno));
}

/* A broken lease sends SIGIO, whose default kills the holder. Returns a
 * signalfd for those that mean unmount. */
static int take_signals(struct error *err)
{
	static const int ignored[] = { SIGIO, SIGPIPE, SIGHUP };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t stop;
	int fd = -1;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		(void)sigaction(ignored[i], &ignore, NULL);
	(void)sigemptyset(&stop);
	(void)sigaddset(&stop, SIGTERM);
	(void)sigaddset(&stop, SIGINT);
	if (pthread_sigmask(SIG_BLOCK, &stop, NULL) == 0)
		fd = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return error_set(err, -errno, "cannot wait for signals: %s",
				 strerrordesc_np(errno));
	return fd;
}

/* --- start -------------------------------------------------------------------
 */

static void *loop_main(void *daemon)
{
	struct daemon *d = daemon;

	(void)front_loop(d->front, &d->loop_error);
	(void)eventfd_write(d->wake_fd, 1);
	return NULL;
}

static void scan(struct daemon *d)
{
	struct error err = ERROR_INIT;
	int rc = drive_scan(d->drive, &d->stop, &err);

	if (rc < 0 && rc != -ECANCELED && rc != -EBUSY && !daemon_stopping(d))
		daemon_note_error(d, "scan", &err);
}

/* Again when it failed, or when an event was lost since. */
static void *scan_main(void *daemon)
{
	struct daemon *d = daemon;
	struct pollfd stop = { .fd = d->stop_fd, .events = POLLIN };

	scan(d);
	daemon_tick(d);
	daemon_recharge(d);
	while (!daemon_stopping(d))
		if (poll(&stop, 1, SCAN_AGAIN_S * 1000) == 0 &&
		    catalog_needs_scan(drive_catalog(d->drive)))
			scan(d);
	return NULL;
}

static int start_thread(pthread_t *thread, bool *ret_started,
			void *(*run)(void *), struct daemon *d,
			struct error *err)
{
	int rc = pthread_create(thread, NULL, run, d);

	if (rc)
		return error_set(err, -rc, "cannot start a thread: %s",
				 strerrordesc_np(rc));
	*ret_started = true;
	return 0;
}

static int open_tree_root(const struct daemon *d, int tree_fd, int *ret_fd,
			  struct error *err)
{
	*ret_fd = openat(tree_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd >= 0
		       ? 0
		       : error_set(err, -errno, "cannot open '%s': %s",
				   d->options->lower, strerrordesc_np(errno));
}

/* A drive, its place in /run, and only then the catalog, through that place:
 * SQLite opens files by path, and the lower's own is about to be covered. */
static int open_drive(struct daemon *d, struct error *err)
{
	const struct drive_options options = {
		.readonly = d->options->readonly,
		.min_age_s = setup_min_age_s(d->options->setup),
		.clock = d->options->clock,
		.departments = d->options->setup->configured
				       ? d->options->setup->department
				       : NULL,
		.n_departments = d->options->setup->departments,
		.excluded = setup_excluded,
		.ctx = d->options->setup,
	};
	cleanup_fd int tree_fd = -1;
	cleanup_fd int direct_fd = -1;
	cleanup_fd int lower_fd = -1;
	uint8_t uuid[16];
	int rc = check_lower(d, &tree_fd, err);

	if (rc == 0)
		rc = open_tree_root(d, tree_fd, &direct_fd, err);
	if (rc == 0)
		rc = drive_prepare(direct_fd, d->options->state, &options, uuid,
				   err);
	if (rc < 0)
		return rc;
	uuid_text(uuid, d->uuid);
	(void)snprintf(d->source, sizeof(d->source), SOBRE_SOURCE_PREFIX "%s",
		       d->uuid);
	rc = rundir_make(d, tree_fd, &lower_fd, err);
	if (rc < 0)
		return rc;
	rundir_sweep();
	rc = drive_open(lower_fd, d->options->state, &options, &d->drive, err);
	if (rc == -EBUSY) /* another came between: it is its place now */
		d->run_dir[0] = '\0';
	return rc;
}

static int open_named_drive(struct daemon *d, struct error *err)
{
	const char *lower = d->options->lower;
	int rc = open_drive(d, err);

	if (rc < 0 && !strstr(err->text, lower))
		(void)error_prefix(err, "'%s'", lower);
	if (rc < 0)
		check_say_where(lower, err);
	return rc;
}

/* Is what is mounted at the mountpoint this drive? */
static bool is_mounted(const struct daemon *d)
{
	cleanup_mounts struct mount_table table = MOUNT_TABLE_INIT;
	const struct mount *m = NULL;
	struct error err = ERROR_INIT;

	if (mount_table_read("/proc/self/mountinfo", &table, &err) == 0)
		m = mount_table_at(&table, d->options->mountpoint);
	return m && !strcmp(m->source, d->source);
}

/* 1: somebody has unmounted it already, which is no error. */
static int ended_early(const struct daemon *d, struct error *err)
{
	if (d->loop_error.code < 0)
		return error_set(err, d->loop_error.code, "%s",
				 d->loop_error.text);
	if (!is_mounted(d))
		return 1;
	return error_set(err, -EPIPE, "the mount ended as soon as it began");
}

/* The kernel has been answered, and the mount answers. 1: and is gone. */
static int wait_ready(struct daemon *d, struct error *err)
{
	struct pollfd ended = { .fd = d->wake_fd, .events = POLLIN };
	struct front_status status = { .ready = false };
	struct stat st;

	for (int ms = 0; !status.ready; ms += 5) {
		if (poll(&ended, 1, 5) > 0)
			return ended_early(d, err);
		if (ms > READY_TIMEOUT_MS)
			return error_set(err, -ETIMEDOUT,
					 "the mount at '%s' does not answer",
					 d->options->mountpoint);
		front_status(d->front, &status);
	}
	if (stat(d->options->mountpoint, &st) < 0)
		return error_set(
			err, -errno, "the mount at '%s' does not answer: %s",
			d->options->mountpoint, strerrordesc_np(errno));
	return 0;
}

/* Dead mounts go at the last moment: without them, and until ours is there,
 * root sees what is below. */
static int cover_lower(struct daemon *d, struct error *err)
{
	const struct daemon_options *o = d->options;
	int rc = daemon_detach_dead(o->lower, d->uuid, err);

	if (rc == 0 && strcmp(o->lower, o->mountpoint) != 0)
		rc = daemon_detach_dead(o->mountpoint, d->uuid, err);
	return rc < 0 ? rc : front_mount(d->front, o->mountpoint, err);
}

/* 1: it was mounted, and has been unmounted. */
static int start_front(struct daemon *d, struct error *err)
{
	struct front_options options = {
		.readonly = d->options->readonly,
		.no_passthrough = d->options->no_passthrough,
		.no_uring = d->options->no_uring,
		.describe = daemon_describe,
		.ctx = d,
	};
	int rc = daemon_watch_use(d, err);

	options.usage = d->usage;
	if (rc == 0)
		rc = front_new(d->drive, &options, &d->front, err);
	if (rc == 0)
		rc = cover_lower(d, err);
	if (rc == 0)
		rc = start_thread(&d->loop_thread, &d->loop_started, loop_main,
				  d, err);
	return rc < 0 ? rc : wait_ready(d, err);
}

static void say_meter(void *daemon, const char *array, const struct error *err)
{
	char what[96];

	(void)snprintf(what, sizeof(what), "the meter of array '%s'", array);
	daemon_note_error(daemon, what, err);
}

static int start_workers(struct daemon *d, struct error *err)
{
	const struct config *config = &d->options->setup->config;
	int rc = 0;

	if (!d->options->readonly && config->mail_program)
		rc = trusted_file(config->file, err);
	/* Before those who may ask about it. */
	if (rc == 0 && !d->options->readonly)
		rc = metering_new(config, d->state_fd, d->stop_fd,
				  &d->options->clock, say_meter, d,
				  &d->metering, err);
	if (rc == 0)
		rc = start_thread(&d->accept_thread, &d->accept_started,
				  control_main, d, err);
	if (rc < 0 || d->options->readonly)
		return rc;
	rc = start_thread(&d->scan_thread, &d->scan_started, scan_main, d, err);
	if (rc == 0)
		rc = start_thread(&d->packer_thread, &d->packer_started,
				  packer_main, d, err);
	return rc;
}

/* At the mount, so that the administrator reads it while still there. */
static void tell_ways(struct daemon *d)
{
	cleanup_ways struct way_list list = { .ways = NULL };
	struct error err = ERROR_INIT;

	if (d->options->readonly)
		return;
	if (daemon_ways(d, &list, &err) < 0) {
		(void)fprintf(stderr, "sobre: %s\n", err.text);
		return;
	}
	for (size_t i = 0; i < list.n; i++)
		if (!list.ways[i].accepted)
			(void)fprintf(stderr,
				      T("sobre: another way into the drive; "
					"nothing is packed while it is there: "
					"%s\n"),
				      list.ways[i].name);
}

/* --- running
 * ------------------------------------------------------------------ */

static void log_holders(const struct daemon *d)
{
	cleanup_ways struct way_list list = { .ways = NULL };
	struct error err = ERROR_INIT;

	log_warn("cannot unmount '%s': it is in use; still serving",
		 d->options->mountpoint);
	if (daemon_holders(d->options->mountpoint, &list, &err) < 0)
		log_warn("%s", err.text);
	for (size_t i = 0; i < list.n && i < 20; i++)
		log_warn("in use by %s", list.ways[i].name);
}

static void unmount(struct daemon *d)
{
	if (!is_mounted(d)) {
		front_exit(d->front); /* it has gone, or lies under another */
		return;
	}
	if (umount2(d->options->mountpoint, UMOUNT_NOFOLLOW) == 0)
		return; /* the loop ends by itself */
	if (errno == EBUSY)
		log_holders(d);
	else
		log_error("cannot unmount '%s': %s", d->options->mountpoint,
			  strerrordesc_np(errno));
}

static void run(struct daemon *d, int signal_fd)
{
	struct pollfd fds[2] = { { .fd = d->wake_fd, .events = POLLIN },
				 { .fd = signal_fd, .events = POLLIN } };

	for (;;) {
		struct signalfd_siginfo info;

		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[0].revents)
			return;
		if (read(signal_fd, &info, sizeof(info)) == sizeof(info))
			unmount(d);
	}
}

static void stop(struct daemon *d)
{
	__atomic_store_n(&d->stop, true, __ATOMIC_RELEASE);
	(void)eventfd_write(d->stop_fd, 1);
	control_stop(d);
	if (d->packer_started)
		(void)pthread_join(d->packer_thread, NULL);
	if (d->scan_started)
		(void)pthread_join(d->scan_thread, NULL);
	metering_free(take_ptr(&d->metering));
	if (d->front)
		front_exit(d->front);
	if (d->loop_started)
		(void)pthread_join(d->loop_thread, NULL);
	front_free(take_ptr(&d->front));
	daemon_tick(d);
	free(take_ptr(&d->rate));
	drive_close(d->drive);
	usage_free(d->usage);
	rundir_remove(d);
}

/* From now on what is logged goes to a file: the terminal is the parent's. */
static void leave_terminal(const struct daemon *d)
{
	char path[160];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int log;

	(void)snprintf(path, sizeof(path), "%s/log", d->run_dir);
	log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
		   0600);
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	(void)dup2(log >= 0 ? log : null, STDERR_FILENO);
	if (log > STDERR_FILENO)
		(void)close(log);
	if (null > STDERR_FILENO)
		(void)close(null);
}

static int tell_parent(const struct daemon *d, int ready_fd, struct error *err)
{
	if (ready_fd < 0) {
		notify_ready();
		return 0;
	}
	leave_terminal(d);
	/* A parent that was interrupted wants no mount. */
	if (write(ready_fd, "R", 1) != 1)
		return error_set(err, -ECANCELED, "interrupted");
	return 0;
}

/* From the mount to the unmount. */
static int serve(struct daemon *d, int ready_fd, int signal_fd,
		 struct error *err)
{
	int rc = start_front(d, err);

	if (rc == 0)
		rc = start_workers(d, err);
	if (rc == 0)
		tell_ways(d);
	if (rc >= 0)
		rc = tell_parent(d, ready_fd, err);
	if (rc < 0)
		return rc;
	error_speak(NULL); /* who started it has read what there was to say */
	log_info("serving '%s' at '%s' (%s)", d->options->lower,
		 d->options->mountpoint, d->uuid);
	run(d, signal_fd);
	log_info("unmounted '%s'", d->options->mountpoint);
	return 0;
}

int daemon_serve(struct daemon *d, int ready_fd, struct error *err)
{
	cleanup_fd int signal_fd = -1;
	int rc;

	(void)umask(077);
	ask_for_resources();
	d->idle_why =
		d->options->no_idle_class ? "disabled by option" : idle_enter();
	signal_fd = take_signals(err);
	rc = signal_fd < 0 ? signal_fd : drop_sys_resource(err);
	if (rc == 0)
		rc = open_named_drive(d, err);
	if (rc == 0)
		rc = control_listen(d, err);
	if (rc == 0)
		rc = serve(d, ready_fd, signal_fd, err);
	stop(d);
	if (rc == 0 && d->loop_error.code < 0)
		rc = error_set(err, d->loop_error.code, "%s",
			       d->loop_error.text);
	return rc;
}
