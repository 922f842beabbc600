/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The chaos mode of sobre-fault: `mount --chaos`. What production does at its
 * own time is done at random moments here, by the same code, without pause:
 *
 *	the packer	packs cold files (minimum age 0), single files and whole
 *			trees, unpacks them, collects with no grace
 *	a writer	opens packed files for writing, as an agent would
 *	open(2)		waits now and then till the packer has tried the file,
 *			and mostly while it does
 *	durable writes,	take a little longer now and then, so that others come
 *	open and close	between
 *
 * SOBRE_CHAOS_SEED=N makes the dice the same (what threads make of them isn't).
 * Counts go to the log once a minute and at the end.
 *
 * All of it is in functions that the linker puts in the place of others
 * (--wrap, tests/CMakeLists.txt); the program has no hook for it. They have no
 * context, so there is one state for the process.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "fs/base/log.h"
#include "tests/support/chaos.h"
#include "tools/daemon/internal.h"
#include "tools/sobre/internal.h"

#define TICK_S	    60
#define FD_PATH_MAX 32

static struct {
	bool on;
	struct daemon *daemon; /* set before the first FUSE request */
	uint64_t seed;
	atomic_uint_least64_t rolled;
	atomic_uint_least64_t wanted; /* the inode that is being packed */
	atomic_uint_least64_t packed;
	atomic_uint_least64_t at_open; /* of them, while an open waited */
	atomic_uint_least64_t copied_up;
	atomic_uint_least64_t collected;
	atomic_uint_least64_t failed;
} chaos;

/* --- dice ------------------------------------------------------------------
 */

/* splitmix64 of the seed and how many were rolled before. */
uint64_t chaos_roll(uint64_t sides)
{
	uint64_t x = chaos.seed + UINT64_C(0x9e3779b97f4a7c15) *
					  atomic_fetch_add(&chaos.rolled, 1);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return (x ^ x >> 31) % sides;
}

static void take_seed(void)
{
	const char *text = getenv("SOBRE_CHAOS_SEED");
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	chaos.seed = text ? strtoull(text, NULL, 10) : (uint64_t)ts.tv_nsec;
}

void chaos_linger(unsigned int one_in)
{
	struct timespec ts = { .tv_sec = 0 };

	if (!chaos.on || chaos_roll(one_in) != 0)
		return;
	ts.tv_nsec = (long)chaos_roll(3000000);
	(void)nanosleep(&ts, NULL);
}

/* False when the drive is being unmounted. */
static bool rest(uint64_t most_ms)
{
	struct pollfd stop = { .fd = chaos.daemon->stop_fd, .events = POLLIN };

	(void)poll(&stop, 1, (int)chaos_roll(most_ms + 1));
	return !daemon_stopping(chaos.daemon);
}

/* --- what the packer does --------------------------------------------------
 */

static bool is_stub(int opath)
{
	char path[FD_PATH_MAX];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", opath);
	return getxattr(path, FILE_STUB_XATTR, NULL, 0) > 0;
}

static bool make_ref(int opath, struct lower_ref *ret_at)
{
	struct statx stx;

	if (statx(opath, "", AT_EMPTY_PATH,
		  STATX_INO | STATX_TYPE | STATX_BTIME, &stx) < 0 ||
	    !S_ISREG(stx.stx_mode))
		return false;
	*ret_at = (struct lower_ref){
		.fd = opath,
		.ino = stx.stx_ino,
		.btime_ns =
			stx.stx_btime.tv_sec * NS_PER_S + stx.stx_btime.tv_nsec,
	};
	return true;
}

/* What goes away meanwhile is no failure. */
static void note(const char *what, int rc, const struct error *err)
{
	if (rc >= 0 || rc == -ENOENT || rc == -ENOTDIR || rc == -ESTALE ||
	    rc == -ENOSPC || rc == -ECANCELED || rc == -EAGAIN)
		return;
	atomic_fetch_add(&chaos.failed, 1);
	daemon_note_error(chaos.daemon, what, err);
}

static void note_report(const struct pack_report *report)
{
	atomic_fetch_add(&chaos.packed, report->count[PACK_DONE]);
	if (report->count[PACK_ERROR] > 0)
		note(report->last_error_path, report->last_error.code,
		     &report->last_error);
}

static bool go_on(void *ctx, const char *path, enum pack_outcome outcome,
		  const struct pack_report *report)
{
	(void)ctx;
	(void)path;
	(void)outcome;
	(void)report;
	return !daemon_stopping(chaos.daemon);
}

static uint64_t pack_path(const char *path)
{
	struct pack_report report = { .last_error = ERROR_INIT };
	const struct pack_options options = { .now = true, .progress = go_on };
	struct error err = ERROR_INIT;
	struct stat st;

	if (fstatat(drive_lower_fd(chaos.daemon->drive), path, &st,
		    AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) == 0)
		atomic_store(&chaos.wanted, st.st_ino);
	note("chaos: pack",
	     drive_pack(chaos.daemon->drive, path, &options, &report, &err),
	     &err);
	atomic_store(&chaos.wanted, 0);
	note_report(&report);
	return report.count[PACK_DONE];
}

static void pack_cold(void)
{
	struct pack_report report = { .last_error = ERROR_INIT };
	struct error err = ERROR_INIT;
	const struct pack_options options = { .idle = chaos_roll(2) == 0 };

	note("chaos: pack",
	     drive_pack_cold(chaos.daemon->drive, 1 + (int)chaos_roll(64),
			     &options, &report, &err),
	     &err);
	note_report(&report);
}

static void unpack_path(const char *path)
{
	struct unpack_report report = { .last_error = ERROR_INIT };
	struct error err = ERROR_INIT;

	note("chaos: unpack",
	     drive_unpack(chaos.daemon->drive, path, NULL, NULL, &report, &err),
	     &err);
	if (report.failed > 0)
		note(report.last_error_path, report.last_error.code,
		     &report.last_error);
}

static void collect(void)
{
	const struct store_gc_options options = {
		.grace_s = 0,
		.sync_fd = drive_lower_fd(chaos.daemon->drive),
		.still_used = drive_still_used,
		.ctx = chaos.daemon->drive,
	};
	struct store_gc_result result;
	struct error err = ERROR_INIT;
	int rc = store_gc(drive_store(chaos.daemon->drive), &options, &result,
			  &err);

	note("chaos: gc", rc, &err);
	if (rc == 0)
		atomic_fetch_add(&chaos.collected, 1);
}

static void upkeep(void)
{
	struct chaos_place found = { .path = "" };
	uint64_t what = chaos_roll(1000);

	turn_take(&chaos.daemon->turn, "chaos");
	if (what < 350)
		pack_cold();
	else if (what < 370)
		collect();
	else if (what < 371)
		(void)pack_path("");
	else if (what < 372)
		unpack_path("");
	else if (chaos_pick(chaos.daemon->drive, &found) && what < 900)
		(void)pack_path(found.path);
	else if (*found.path)
		unpack_path(found.path);
	turn_give(&chaos.daemon->turn);
}

static void tell(void)
{
	log_info("chaos: packed %llu (%llu at open), copied up %llu, "
		 "collected %llu, failed %llu",
		 (unsigned long long)atomic_load(&chaos.packed),
		 (unsigned long long)atomic_load(&chaos.at_open),
		 (unsigned long long)atomic_load(&chaos.copied_up),
		 (unsigned long long)atomic_load(&chaos.collected),
		 (unsigned long long)atomic_load(&chaos.failed));
}

/* --- the writer ------------------------------------------------------------
 */

/* As a writer's open that writes nothing: copies up what is packed. */
static void open_for_writing(int opath)
{
	const int how = chaos_roll(2) ? O_WRONLY : O_RDWR;
	struct error err = ERROR_INIT;
	struct lower_ref at;
	struct file *file;
	bool packed;
	int rc;

	if (!make_ref(opath, &at))
		return;
	rc = __real_file_open(chaos.daemon->drive, &at, how, &file, &packed,
			      &err);
	if (rc < 0) {
		if (rc != -EPERM) /* chattr +i */
			note("chaos: open", rc, &err);
		return;
	}
	if (packed)
		note("chaos: copy up", file_make_plain(file, &err), &err);
	chaos_linger(2);
	__real_file_close(file, how);
}

static void *writer_main(void *unused)
{
	(void)unused;
	while (rest(40)) {
		struct chaos_place found;
		int fd = chaos_pick(chaos.daemon->drive, &found) &&
					 !found.directory
				 ? chaos_open(chaos.daemon->drive, &found)
				 : -1;

		if (fd >= 0 && is_stub(fd))
			open_for_writing(fd);
		if (fd >= 0)
			(void)close(fd);
	}
	return NULL;
}

/* --- in the place of ... ---------------------------------------------------
 */

int __wrap_args_parse(char **argv, const struct arg_option *options, size_t n,
		      struct error *err)
{
	char **to = argv;
	bool mount = false;

	for (size_t i = 0; i < n; i++)
		mount |= !strcmp(options[i].name, "--foreground");
	for (char **at = argv; *at; at++) {
		if (mount && !strcmp(*at, "--chaos"))
			chaos.on = true;
		else
			*to++ = *at;
	}
	*to = NULL;
	if (chaos.on)
		take_seed();
	return __real_args_parse(argv, options, n, err);
}

int64_t __wrap_setup_min_age_s(const struct setup *setup)
{
	return chaos.on ? 0 : __real_setup_min_age_s(setup);
}

int __wrap_daemon_watch_use(struct daemon *d, struct error *err)
{
	chaos.daemon = d;
	return __real_daemon_watch_use(d, err);
}

void *__wrap_packer_main(void *daemon)
{
	struct daemon *d = daemon;
	int64_t told_s = clock_now_s(&d->options->clock);
	struct error err = ERROR_INIT;
	pthread_t writer;

	if (!chaos.on)
		return __real_packer_main(daemon);
	log_info("chaos: seed %llu", (unsigned long long)chaos.seed);
	if (daemon_check_ways(d, &err) < 0 ||
	    pthread_create(&writer, NULL, writer_main, NULL) != 0) {
		note("chaos: not begun", -EIO, &err);
		return NULL;
	}
	while (rest(30)) {
		int64_t now_s = clock_now_s(&d->options->clock);

		upkeep();
		if (now_s - told_s < TICK_S)
			continue;
		told_s = now_s;
		daemon_tick(d);
		tell();
	}
	(void)pthread_join(writer, NULL);
	tell();
	return NULL;
}

static bool turn_is_free(void)
{
	const char *running;
	uint64_t waiting;

	turn_look(&chaos.daemon->turn, &waiting, &running);
	return !running && waiting == 0;
}

/* Agents at work would starve it. */
int __wrap_setpriority(int which, unsigned int who, int value)
{
	return chaos.on ? 0 : __real_setpriority(which, who, value);
}

/* What waits at open(2) has been closed: the packer may have it. */
static void pack_first(const struct lower_ref *at)
{
	char link[FD_PATH_MAX];
	char path[4096];
	const char *rel;
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", at->fd);
	n = readlink(link, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	rel = strstr(path, "/lower/");
	if (!rel)
		return;
	turn_take(&chaos.daemon->turn, "chaos");
	if (!daemon_stopping(chaos.daemon))
		atomic_fetch_add(&chaos.at_open,
				 pack_path(rel + strlen("/lower/")));
	turn_give(&chaos.daemon->turn);
}

/* Agents that open a file all the time would never let it be packed. */
static void wait_for_packer(const struct lower_ref *at)
{
	const struct timespec ms = { .tv_nsec = 1000000 };

	if (chaos_roll(8) == 0)
		return;
	for (int n = 0; n < 300 && atomic_load(&chaos.wanted) == at->ino; n++)
		(void)nanosleep(&ms, NULL);
}

int __wrap_file_open(struct drive *drive, const struct lower_ref *at, int flags,
		     struct file **ret_file, bool *ret_packed,
		     struct error *err)
{
	int rc;

	if (chaos.on && !chaos.daemon->options->readonly) {
		wait_for_packer(at);
		if (chaos_roll(4) == 0 && turn_is_free())
			pack_first(at);
	}
	rc = __real_file_open(drive, at, flags, ret_file, ret_packed, err);
	chaos_linger(32);
	return rc;
}

void __wrap_file_close(struct file *file, int flags)
{
	chaos_linger(32);
	__real_file_close(file, flags);
}

int __wrap_file_copy_up(struct file *file, int opath, struct error *err)
{
	int rc = __real_file_copy_up(file, opath, err);

	if (rc == 0)
		atomic_fetch_add(&chaos.copied_up, 1);
	return rc;
}

int __wrap_io_fsetxattr(int fd, const char *name, const void *value, size_t len)
{
	chaos_linger(2);
	return __real_io_fsetxattr(fd, name, value, len);
}

int __wrap_io_fremovexattr(int fd, const char *name)
{
	chaos_linger(4);
	return __real_io_fremovexattr(fd, name);
}

int __wrap_io_fallocate(int fd, int mode, uint64_t off, uint64_t len)
{
	chaos_linger(16);
	return __real_io_fallocate(fd, mode, off, len);
}
