/* SPDX-License-Identifier: EUPL-1.2 */
/* What a copy-up leaves that did not get to its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "fs/base/io.h"
#include "fs/file/internal.h"
#include "tests/support/tmpdrive.h"

#define KIB 1024u

static int room_for; /* reservations that find room; -1: all */

int __real_io_fallocate(int fd, int mode, uint64_t off, uint64_t len);
int __wrap_io_fallocate(int fd, int mode, uint64_t off, uint64_t len);

int __wrap_io_fallocate(int fd, int mode, uint64_t off, uint64_t len)
{
	if (mode == FALLOC_FL_KEEP_SIZE && room_for == 0)
		return -ENOSPC;
	if (mode == FALLOC_FL_KEEP_SIZE && room_for > 0)
		room_for--;
	return __real_io_fallocate(fd, mode, off, len);
}

static int setup(void **state)
{
	static struct tmpdrive t;

	room_for = -1;
	tmpdrive_open(&t);
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	tmpdrive_remove(*state);
	return 0;
}

static struct stat stat_of(struct tmpdrive *t, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(t->lower_fd, name, &st, 0), 0);
	return st;
}

static struct stat shown_of(struct tmpdrive *t, const char *name)
{
	int fd = tmpdrive_opath(t, name);
	struct stat st;
	int64_t btime_ns;

	assert_int_equal(lower_stat(fd, &st, &btime_ns), 0);
	assert_true(file_show(t->drive, fd, btime_ns, &st) >= 0);
	(void)close(fd);
	return st;
}

/* Killed between the reservation and the data: SEEK_DATA finds nothing. */
static void room_reserved_by_one_cut_short_is_given_back(void **state)
{
	struct tmpdrive *t = *state;
	struct error err = ERROR_INIT;
	struct scan_progress progress;
	bool stop = false;
	int fd;

	tmpdrive_write(t, "a", 500 * KIB, 1);
	assert_int_equal(tmpdrive_pack(t, "a"), PACK_DONE);
	fd = openat(t->lower_fd, "a", O_RDWR);
	assert_int_equal(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 500 * KIB), 0);
	(void)close(fd);
	assert_true(stat_of(t, "a").st_blocks >= 1000);
	assert_int_equal(drive_scan(t->drive, &stop, &err), 0);
	assert_true(stat_of(t, "a").st_blocks <= 8);
	drive_scan_progress(t->drive, &progress);
	assert_int_equal(progress.repaired, 1);
	assert_true(tmpdrive_reads(t, "a", 500 * KIB, 1));
	/* and that was it */
	assert_int_equal(drive_scan(t->drive, &stop, &err), 0);
	drive_scan_progress(t->drive, &progress);
	assert_int_equal(progress.repaired, 0);
}

/* Two runs of data, so that the first reservation may succeed. */
static struct stat pack_two_runs(struct tmpdrive *t)
{
	int fd = openat(t->lower_fd, "s", O_RDWR | O_CREAT, 0644);
	struct stat before;

	assert_int_equal(pwrite(fd, "start", 5, 0), 5);
	assert_int_equal(pwrite(fd, "end", 3, 8 << 20), 3);
	(void)close(fd);
	before = stat_of(t, "s");
	assert_int_equal(tmpdrive_pack(t, "s"), PACK_DONE);
	return before;
}

static void fail_to_write(struct tmpdrive *t)
{
	struct error err = ERROR_INIT;
	bool packed;
	struct file *file = tmpdrive_file(t, "s", O_RDWR, &packed);

	room_for = 1;
	assert_int_equal(file_write(file, "x", 1, 0, false, &err), -ENOSPC);
	room_for = -1;
	file_close(file, O_RDWR);
}

static void one_without_room_shows_nothing_to_agents(void **state)
{
	struct tmpdrive *t = *state;
	struct stat before = pack_two_runs(t);
	struct stat packed = stat_of(t, "s");

	for (int i = 0; i < 2; i++) {
		struct stat shown;

		fail_to_write(t);
		assert_true(tmpdrive_is_stub(t, "s"));
		assert_int_equal(stat_of(t, "s").st_blocks, packed.st_blocks);
		assert_true(timespec_ns(stat_of(t, "s").st_ctim) !=
			    timespec_ns(packed.st_ctim));
		shown = shown_of(t, "s");
		assert_int_equal(timespec_ns(shown.st_ctim),
				 timespec_ns(before.st_ctim));
		assert_int_equal(timespec_ns(shown.st_mtim),
				 timespec_ns(before.st_mtim));
		tmpdrive_reopen(t); /* then from the catalog */
		assert_int_equal(timespec_ns(shown_of(t, "s").st_ctim),
				 timespec_ns(before.st_ctim));
	}
}

static void a_change_by_agents_before_it_stays_shown(void **state)
{
	struct tmpdrive *t = *state;
	struct stat before = pack_two_runs(t);

	tmpdrive_reopen(t); /* the catalog knows it now */
	assert_int_equal(fchmodat(t->lower_fd, "s", 0600, 0), 0);
	fail_to_write(t);
	assert_true(timespec_ns(shown_of(t, "s").st_ctim) >
		    timespec_ns(before.st_ctim));
}

/* How often a front would take back what it said, and of which inode. */
struct told {
	unsigned int times;
	uint64_t ino;
};

static void note_told(void *ctx, uint64_t ino)
{
	struct told *told = ctx;

	told->times++;
	told->ino = ino;
}

static void unpack(struct tmpdrive *t, const char *name)
{
	struct unpack_report report = { .unpacked = 0 };
	struct error err = ERROR_INIT;

	assert_int_equal(
		drive_unpack(t->drive, name, NULL, NULL, &report, &err), 0);
	assert_int_equal(report.failed, 0);
}

static void who_watches_is_told_of_each_copy_up(void **state)
{
	struct tmpdrive *t = *state;
	struct told told = { .times = 0 };
	bool packed;

	tmpdrive_write(t, "a", 300 * KIB, 1);
	drive_watch(t->drive, note_told, &told);
	assert_int_equal(tmpdrive_pack(t, "a"), PACK_DONE);
	assert_int_equal(told.times, 0); /* agents see none of it */
	unpack(t, "a");
	assert_true(told.times > 0);
	assert_int_equal(told.ino, stat_of(t, "a").st_ino);

	assert_int_equal(tmpdrive_pack(t, "a"), PACK_DONE);
	told.times = 0;
	file_close(tmpdrive_file(t, "a", O_WRONLY, &packed), O_WRONLY);
	assert_false(packed);
	assert_true(told.times > 0);

	assert_int_equal(tmpdrive_pack(t, "a"), PACK_DONE);
	told.times = 0;
	drive_watch(t->drive, NULL, NULL);
	unpack(t, "a");
	assert_int_equal(told.times, 0);
}

/* While it was tried the times were in motion. */
static void and_of_one_without_room(void **state)
{
	struct tmpdrive *t = *state;
	struct told told = { .times = 0 };

	(void)pack_two_runs(t);
	drive_watch(t->drive, note_told, &told);
	fail_to_write(t);
	assert_true(tmpdrive_is_stub(t, "s"));
	assert_true(told.times > 0);
	assert_int_equal(told.ino, stat_of(t, "s").st_ino);
}

static void and_of_what_a_scan_puts_right(void **state)
{
	struct tmpdrive *t = *state;
	struct told told = { .times = 0 };
	struct error err = ERROR_INIT;
	bool stop = false;
	const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };

	tmpdrive_write(t, "a", 300 * KIB, 1);
	assert_int_equal(tmpdrive_pack(t, "a"), PACK_DONE);
	drive_watch(t->drive, note_told, &told);
	assert_int_equal(drive_scan(t->drive, &stop, &err), 0);
	assert_int_equal(told.times, 0);
	assert_int_equal(utimensat(t->lower_fd, "a", times, 0), 0);
	assert_int_equal(drive_scan(t->drive, &stop, &err), 0);
	assert_int_equal(told.times, 1);
	assert_int_equal(told.ino, stat_of(t, "a").st_ino);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(room_reserved_by_one_cut_short_is_given_back),
		T(one_without_room_shows_nothing_to_agents),
		T(a_change_by_agents_before_it_stays_shown),
		T(who_watches_is_told_of_each_copy_up),
		T(and_of_one_without_room),
		T(and_of_what_a_scan_puts_right),
	};

	if (!tmpdrive_possible())
		return 77; /* ctest: skipped */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
