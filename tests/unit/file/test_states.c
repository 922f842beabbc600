/* SPDX-License-Identifier: EUPL-1.2 */
/* The states of a file and the ways between them, on a real directory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fs/file/internal.h"
#include "tests/support/tmpdrive.h"

#define KIB 1024u

static int setup(void **state)
{
	static struct tmpdrive t;

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

	assert_int_equal(fstatat(t->lower_fd, name, &st, AT_SYMLINK_NOFOLLOW),
			 0);
	return st;
}

static void a_packed_file_frees_its_blocks_and_reads_back(void **state)
{
	struct tmpdrive *t = *state;
	struct stat before, after;

	tmpdrive_write(t, "a", 300 * KIB, 1);
	before = stat_of(t, "a");
	assert_int_equal(tmpdrive_pack(t, "a"), PACK_DONE);
	after = stat_of(t, "a");
	assert_true(tmpdrive_is_stub(t, "a"));
	assert_int_equal(after.st_size, before.st_size);
	assert_true(after.st_blocks <= 8);
	assert_int_equal(timespec_ns(after.st_mtim),
			 timespec_ns(before.st_mtim));
	assert_true(tmpdrive_reads(t, "a", 300 * KIB, 1));
}

static void agents_see_the_attributes_from_before(void **state)
{
	struct tmpdrive *t = *state;
	struct stat before, seen;
	int fd;

	tmpdrive_write(t, "a", 100 * KIB, 1);
	before = stat_of(t, "a");
	assert_int_equal(tmpdrive_pack(t, "a"), PACK_DONE);
	for (int again = 0; again < 2; again++) {
		int64_t btime_ns;

		fd = tmpdrive_opath(t, "a");
		assert_int_equal(lower_stat(fd, &seen, &btime_ns), 0);
		assert_int_equal(file_show(t->drive, fd, btime_ns, &seen), 1);
		assert_int_equal(seen.st_blocks, before.st_blocks);
		assert_int_equal(timespec_ns(seen.st_ctim),
				 timespec_ns(before.st_ctim));
		assert_int_equal(timespec_ns(seen.st_mtim),
				 timespec_ns(before.st_mtim));
		(void)close(fd);
		tmpdrive_reopen(t); /* the second time from the catalog */
	}
}

static void the_first_write_copies_up(void **state)
{
	struct tmpdrive *t = *state;
	struct error err = ERROR_INIT;
	uint8_t want[100 * KIB], got[100 * KIB];
	struct file *f;
	bool packed;

	tmpdrive_write(t, "a", sizeof(want), 1);
	tmpdrive_fill(want, sizeof(want), 1);
	assert_int_equal(tmpdrive_pack(t, "a"), PACK_DONE);
	f = tmpdrive_file(t, "a", O_RDWR, &packed);
	assert_true(packed);
	assert_true(tmpdrive_is_stub(t, "a")); /* a look doesn't unpack */
	assert_int_equal(file_write(f, "xyz", 3, 5000, false, &err), 3);
	assert_false(tmpdrive_is_stub(t, "a"));
	memcpy(want + 5000, "xyz", 3);
	assert_int_equal(file_read(f, -1, got, sizeof(got), 0, &err),
			 sizeof(got));
	assert_memory_equal(got, want, sizeof(want));
	file_close(f, O_RDWR);
}

static void opening_for_writing_only_copies_up_at_once(void **state)
{
	struct tmpdrive *t = *state;
	struct stat before;
	bool packed;

	tmpdrive_write(t, "a", 50 * KIB, 1);
	before = stat_of(t, "a");
	assert_int_equal(tmpdrive_pack(t, "a"), PACK_DONE);
	file_close(tmpdrive_file(t, "a", O_WRONLY, &packed), O_WRONLY);
	assert_false(packed);
	assert_false(tmpdrive_is_stub(t, "a"));
	assert_int_equal(timespec_ns(stat_of(t, "a").st_mtim),
			 timespec_ns(before.st_mtim));
	assert_true(tmpdrive_reads(t, "a", 50 * KIB, 1));
}

static void truncating_to_nothing_restores_nothing(void **state)
{
	struct tmpdrive *t = *state;
	bool packed;

	tmpdrive_write(t, "a", 50 * KIB, 1);
	assert_int_equal(tmpdrive_pack(t, "a"), PACK_DONE);
	file_close(tmpdrive_file(t, "a", O_RDWR | O_TRUNC, &packed), O_RDWR);
	assert_false(packed);
	assert_false(tmpdrive_is_stub(t, "a"));
	assert_int_equal(stat_of(t, "a").st_size, 0);
}

static void truncating_keeps_what_is_before_the_cut(void **state)
{
	struct tmpdrive *t = *state;
	struct error err = ERROR_INIT;
	struct stat st;
	int fd;

	tmpdrive_write(t, "a", 50 * KIB, 1);
	assert_int_equal(tmpdrive_pack(t, "a"), PACK_DONE);
	fd = tmpdrive_opath(t, "a");
	st = stat_of(t, "a");
	assert_int_equal(file_truncate_path(t->drive,
					    &(struct lower_ref){ fd, st.st_ino,
								 0, 0, NULL },
					    10 * KIB, &err),
			 0);
	(void)close(fd);
	assert_int_equal(stat_of(t, "a").st_size, 10 * KIB);
	assert_true(tmpdrive_reads(t, "a", 10 * KIB, 1));
}

static bool opens_packed(struct tmpdrive *t, const struct lower_ref *at)
{
	struct error err = ERROR_INIT;
	struct file *file;
	bool packed;

	assert_int_equal(
		file_open(t->drive, at, O_RDONLY, &file, &packed, &err), 0);
	file_close(file, O_RDONLY);
	return packed;
}

static void a_file_known_as_plain_is_seen_once_it_is_a_stub(void **state)
{
	struct tmpdrive *t = *state;
	struct lower_ref at = { .plain_epoch = drive_stub_epoch(t->drive) };
	struct stat st;

	tmpdrive_write(t, "a", 50 * KIB, 1);
	tmpdrive_write(t, "b", 50 * KIB, 2);
	at.fd = tmpdrive_opath(t, "a");
	assert_int_equal(lower_stat(at.fd, &st, &at.btime_ns), 0);
	at.ino = st.st_ino;
	assert_false(opens_packed(t, &at));
	assert_int_equal(tmpdrive_pack(t, "b"), PACK_DONE);
	assert_false(opens_packed(t, &at));
	at.plain_epoch = drive_stub_epoch(t->drive);
	assert_int_equal(tmpdrive_pack(t, "a"), PACK_DONE);
	assert_true(opens_packed(t, &at));
	(void)close(at.fd);
}

static void holes_come_back_as_holes(void **state)
{
	struct tmpdrive *t = *state;
	struct error err = ERROR_INIT;
	struct unpack_report report = { 0 };
	int fd = openat(t->lower_fd, "s", O_RDWR | O_CREAT, 0644);
	struct stat before, after;
	struct file *f;
	bool packed;

	assert_int_equal(pwrite(fd, "start", 5, 0), 5);
	assert_int_equal(pwrite(fd, "end", 3, 8 << 20), 3);
	assert_int_equal(ftruncate(fd, 16 << 20), 0);
	(void)close(fd);
	before = stat_of(t, "s");
	assert_int_equal(tmpdrive_pack(t, "s"), PACK_DONE);
	f = tmpdrive_file(t, "s", O_RDONLY, &packed);
	assert_int_equal(file_seek(f, -1, 4096, SEEK_DATA), 8 << 20);
	assert_int_equal(file_seek(f, -1, 0, SEEK_HOLE), 4096);
	assert_int_equal(file_seek(f, -1, 9 << 20, SEEK_DATA), -ENXIO);
	file_close(f, O_RDONLY);
	assert_int_equal(drive_unpack(t->drive, "s", NULL, NULL, &report, &err),
			 0);
	after = stat_of(t, "s");
	assert_int_equal(report.unpacked, 1);
	assert_int_equal(after.st_blocks, before.st_blocks);
	assert_int_equal(after.st_size, before.st_size);
}

static void who_has_it_open_keeps_it_plain(void **state)
{
	struct tmpdrive *t = *state;
	bool packed;
	struct file *f;
	void *map;
	int fd;

	tmpdrive_write(t, "a", 50 * KIB, 1);
	f = tmpdrive_file(t, "a", O_RDONLY, &packed);
	assert_int_equal(tmpdrive_pack(t, "a"), PACK_IN_USE);
	file_close(f, O_RDONLY);
	/* and an fd of the lower that we never saw */
	fd = openat(t->lower_fd, "a", O_RDONLY);
	assert_int_equal(tmpdrive_pack(t, "a"), PACK_IN_USE);
	map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	(void)close(fd);
	assert_int_equal(tmpdrive_pack(t, "a"), PACK_IN_USE);
	assert_int_equal(munmap(map, 4096), 0);
	assert_int_equal(tmpdrive_pack(t, "a"), PACK_DONE);
}

static void young_files_wait_unless_asked(void **state)
{
	struct tmpdrive *t = *state;
	struct pack_report report = { 0 };
	struct error err = ERROR_INIT;

	tmpdrive_write(t, "a", 50 * KIB, 1);
	assert_int_equal(drive_pack(t->drive, "", &(struct pack_options){ 0 },
				    &report, &err),
			 0);
	assert_int_equal(report.count[PACK_YOUNG], 1);
	assert_false(tmpdrive_is_stub(t, "a"));
}

static void what_may_not_be_packed_is_left_out(void **state)
{
	struct tmpdrive *t = *state;

	tmpdrive_write(t, "suid", 50 * KIB, 1);
	assert_int_equal(fchmodat(t->lower_fd, "suid", 04755, 0), 0);
	assert_int_equal(tmpdrive_pack(t, "suid"), PACK_FLAGS);
	tmpdrive_write(t, "empty", 0, 1);
	assert_int_equal(tmpdrive_pack(t, "empty"), PACK_EMPTY);
	assert_int_equal(mkfifoat(t->lower_fd, "fifo", 0600), 0);
	assert_int_equal(tmpdrive_pack(t, "fifo"), PACK_NOT_FILE);
	assert_int_equal(symlinkat("/etc/passwd", t->lower_fd, "link"), 0);
	assert_int_equal(tmpdrive_pack(t, "link"), PACK_NOT_FILE);
}

static void set_flags(struct tmpdrive *t, const char *name, int flags)
{
	int fd = openat(t->lower_fd, name, O_RDONLY);
	int old = 0;

	assert_int_equal(ioctl(fd, FS_IOC_GETFLAGS, &old), 0);
	flags |= old & ~(FS_APPEND_FL | FS_IMMUTABLE_FL);
	assert_int_equal(ioctl(fd, FS_IOC_SETFLAGS, &flags), 0);
	(void)close(fd);
}

static int try_open(struct tmpdrive *t, const char *name, int flags)
{
	struct error err = ERROR_INIT;
	struct file *file;
	struct lower_ref at = { .fd = tmpdrive_opath(t, name) };
	struct stat st;
	bool packed;
	int rc;

	assert_int_equal(lower_stat(at.fd, &st, &at.btime_ns), 0);
	at.ino = st.st_ino;
	rc = file_open(t->drive, &at, flags, &file, &packed, &err);
	if (rc == 0)
		file_close(file, flags);
	(void)close(at.fd);
	return rc;
}

/* The lower's own open is not called: O_PATH. */
static void append_only_and_immutable_hold_through_us(void **state)
{
	struct tmpdrive *t = *state;

	tmpdrive_write(t, "a", 50 * KIB, 1);
	tmpdrive_write(t, "i", 50 * KIB, 2);
	tmpdrive_write(t, "p", 50 * KIB, 3);
	assert_int_equal(tmpdrive_pack(t, "p"), PACK_DONE);
	set_flags(t, "a", FS_APPEND_FL);
	set_flags(t, "p", FS_APPEND_FL);
	set_flags(t, "i", FS_IMMUTABLE_FL);
	assert_int_equal(try_open(t, "a", O_WRONLY), -EPERM);
	assert_int_equal(try_open(t, "a", O_RDWR | O_APPEND | O_TRUNC), -EPERM);
	assert_int_equal(try_open(t, "a", O_WRONLY | O_APPEND), 0);
	assert_int_equal(try_open(t, "i", O_RDWR), -EPERM);
	assert_int_equal(try_open(t, "i", O_RDONLY), 0);
	/* refused before a byte is appended to the stub */
	assert_int_equal(try_open(t, "p", O_WRONLY | O_APPEND), -EPERM);
	assert_int_equal(stat_of(t, "p").st_size, 50 * KIB);
	assert_true(tmpdrive_reads(t, "p", 50 * KIB, 3));
	set_flags(t, "a", 0);
	set_flags(t, "p", 0);
	set_flags(t, "i", 0);
}

static void dates_that_a_stub_cannot_say_stay_plain(void **state)
{
	struct tmpdrive *t = *state;
	struct timespec far[2] = { { .tv_sec = INT64_C(13569465600) },
				   { .tv_sec = INT64_C(13569465600) } };

	tmpdrive_write(t, "a", 50 * KIB, 1);
	assert_int_equal(utimensat(t->lower_fd, "a", far, 0), 0);
	assert_int_equal(tmpdrive_pack(t, "a"), PACK_FLAGS);
	assert_int_equal(stat_of(t, "a").st_mtim.tv_sec, far[1].tv_sec);
}

static void times_set_by_agents_survive_a_repair(void **state)
{
	struct tmpdrive *t = *state;
	struct timespec times[2] = { { .tv_sec = 111 }, { .tv_sec = 222 } };
	struct error err = ERROR_INIT;
	bool stop = false;
	struct stat st;
	int fd;

	tmpdrive_write(t, "a", 50 * KIB, 1);
	assert_int_equal(tmpdrive_pack(t, "a"), PACK_DONE);
	fd = tmpdrive_opath(t, "a");
	st = stat_of(t, "a");
	assert_int_equal(
		file_utimens(t->drive,
			     &(struct lower_ref){ fd, st.st_ino, 0, 0, NULL },
			     times, &err),
		0);
	(void)close(fd);
	assert_true(tmpdrive_is_stub(t, "a"));
	assert_int_equal(drive_scan(t->drive, &stop, &err), 0);
	assert_int_equal(stat_of(t, "a").st_mtim.tv_sec, 222);
}

/* DESIGN invariant 2: an xattr whose size differs means the old file. */
static void a_truncation_cut_short_is_undone(void **state)
{
	struct tmpdrive *t = *state;
	struct error err = ERROR_INIT;
	struct scan_progress progress;
	bool stop = false;
	int fd;

	tmpdrive_write(t, "a", 50 * KIB, 1);
	assert_int_equal(tmpdrive_pack(t, "a"), PACK_DONE);
	fd = openat(t->lower_fd, "a", O_RDWR);
	assert_int_equal(ftruncate(fd, 0), 0);
	(void)close(fd);
	assert_true(tmpdrive_reads(t, "a", 50 * KIB, 1));
	assert_int_equal(drive_scan(t->drive, &stop, &err), 0);
	drive_scan_progress(t->drive, &progress);
	assert_int_equal(progress.repaired, 1);
	assert_int_equal(stat_of(t, "a").st_size, 50 * KIB);
	assert_true(tmpdrive_reads(t, "a", 50 * KIB, 1));
}

static void a_copy_up_cut_short_is_still_packed(void **state)
{
	struct tmpdrive *t = *state;
	struct error err = ERROR_INIT;
	bool stop = false;
	int fd;

	tmpdrive_write(t, "a", 50 * KIB, 1);
	assert_int_equal(tmpdrive_pack(t, "a"), PACK_DONE);
	fd = openat(t->lower_fd, "a", O_RDWR);
	assert_int_equal(fallocate(fd, 0, 0, 50 * KIB), 0);
	assert_int_equal(pwrite(fd, "half", 4, 0), 4);
	(void)close(fd);
	assert_true(tmpdrive_reads(t, "a", 50 * KIB, 1));
	assert_int_equal(drive_scan(t->drive, &stop, &err), 0);
	assert_true(stat_of(t, "a").st_blocks <= 8);
	assert_true(tmpdrive_reads(t, "a", 50 * KIB, 1));
}

static void a_damaged_stub_is_an_error_not_zeros(void **state)
{
	struct tmpdrive *t = *state;
	struct error err = ERROR_INIT;
	struct file *file;
	struct stat st;
	bool packed;
	int fd;

	tmpdrive_write(t, "a", 50 * KIB, 1);
	assert_int_equal(tmpdrive_pack(t, "a"), PACK_DONE);
	fd = openat(t->lower_fd, "a", O_RDWR);
	assert_int_equal(fsetxattr(fd, FILE_STUB_XATTR, "junk", 4, 0), 0);
	st = stat_of(t, "a");
	assert_int_equal(
		file_open(t->drive,
			  &(struct lower_ref){ fd, st.st_ino, 0, 0, NULL },
			  O_RDONLY, &file, &packed, &err),
		-SOBRE_ECORRUPT);
	(void)close(fd);
}

static void an_unlinked_packed_file_reads_until_its_close(void **state)
{
	struct tmpdrive *t = *state;
	struct catalog_inode row;
	struct error err = ERROR_INIT;
	uint8_t want[50 * KIB], got[50 * KIB];
	struct stat st;
	struct file *f;
	int64_t btime_ns;
	bool packed;
	int fd;

	tmpdrive_write(t, "a", sizeof(want), 7);
	tmpdrive_fill(want, sizeof(want), 7);
	assert_int_equal(tmpdrive_pack(t, "a"), PACK_DONE);
	fd = tmpdrive_opath(t, "a");
	assert_int_equal(lower_stat(fd, &st, &btime_ns), 0);
	assert_int_equal(file_open(t->drive,
				   &(struct lower_ref){ fd, st.st_ino, btime_ns,
							0, NULL },
				   O_RDONLY, &f, &packed, &err),
			 0);
	(void)close(fd);
	assert_int_equal(unlinkat(t->lower_fd, "a", 0), 0);
	file_unlinked(t->drive, st.st_ino, btime_ns);
	assert_int_equal(catalog_flush(drive_catalog(t->drive), &err), 0);
	assert_int_equal(catalog_inode_get(drive_catalog(t->drive), st.st_ino,
					   btime_ns, &row, &err),
			 0);
	assert_true(row.packed);
	assert_int_equal(file_read(f, -1, got, sizeof(got), 0, &err),
			 sizeof(got));
	assert_memory_equal(got, want, sizeof(want));
	file_close(f, O_RDONLY);
	assert_int_equal(catalog_flush(drive_catalog(t->drive), &err), 0);
	assert_int_equal(catalog_inode_get(drive_catalog(t->drive), st.st_ino,
					   btime_ns, &row, &err),
			 -ENOENT);
}

/* Copies, a hole, a part of a block; and what is left adds up. */
static void savings_have_causes(void **state)
{
	struct tmpdrive *t = *state;
	struct catalog_totals files;
	struct store_totals store;
	struct savings s;
	struct error err = ERROR_INIT;
	int fd = openat(t->lower_fd, "holes", O_CREAT | O_WRONLY, 0600);

	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	assert_int_equal(pwrite(fd, "x", 1, 0), 1);
	assert_int_equal(close(fd), 0);
	tmpdrive_write(t, "a", 200 * KIB, 3);
	tmpdrive_write(t, "b", 200 * KIB, 3);
	tmpdrive_write(t, "c", 5 * 4096 + 500, 4);
	(void)tmpdrive_pack(t, "");
	assert_int_equal(catalog_flush(drive_catalog(t->drive), &err), 0);
	assert_int_equal(catalog_totals(drive_catalog(t->drive), &files, &err),
			 0);
	assert_int_equal(store_totals(drive_store(t->drive), &store, &err), 0);
	assert_int_equal(drive_savings(t->drive, &files, &store, &s, &err), 0);
	assert_int_equal(files.packed, 4);
	assert_int_equal(s.copies, 200 * KIB);
	assert_int_equal(s.parts, 0);
	assert_int_equal(s.holes, (1 << 20) - 4096);
	assert_int_equal(s.blocks, 4096 - 500);
	assert_int_equal(files.packed_bytes - s.copies - s.parts -
				 s.compression - s.holes + s.overhead,
			 store.pack_bytes);
}

static void copies_share_what_is_stored(void **state)
{
	struct tmpdrive *t = *state;
	struct store_totals totals;
	struct error err = ERROR_INIT;

	for (int i = 0; i < 5; i++) {
		char name[8];

		(void)snprintf(name, sizeof(name), "c%d", i);
		tmpdrive_write(t, name, 200 * KIB, 3);
	}
	assert_int_equal(tmpdrive_pack(t, ""), PACK_DONE);
	assert_int_equal(store_totals(drive_store(t->drive), &totals, &err), 0);
	assert_int_equal(totals.contents, 1);
	assert_true(totals.pack_bytes < 250 * KIB);
	for (int i = 0; i < 5; i++) {
		char name[8];

		(void)snprintf(name, sizeof(name), "c%d", i);
		assert_true(tmpdrive_reads(t, name, 200 * KIB, 3));
	}
}

static void a_second_sobre_is_refused(void **state)
{
	struct tmpdrive *t = *state;
	struct drive_options options = { .clock = clock_real() };
	struct error err = ERROR_INIT;
	struct drive *second;

	assert_int_equal(drive_open(t->lower_fd, NULL, &options, &second, &err),
			 -EBUSY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(a_packed_file_frees_its_blocks_and_reads_back),
		T(agents_see_the_attributes_from_before),
		T(the_first_write_copies_up),
		T(opening_for_writing_only_copies_up_at_once),
		T(truncating_to_nothing_restores_nothing),
		T(truncating_keeps_what_is_before_the_cut),
		T(a_file_known_as_plain_is_seen_once_it_is_a_stub),
		T(holes_come_back_as_holes),
		T(who_has_it_open_keeps_it_plain),
		T(young_files_wait_unless_asked),
		T(what_may_not_be_packed_is_left_out),
		T(append_only_and_immutable_hold_through_us),
		T(dates_that_a_stub_cannot_say_stay_plain),
		T(times_set_by_agents_survive_a_repair),
		T(a_truncation_cut_short_is_undone),
		T(a_copy_up_cut_short_is_still_packed),
		T(a_damaged_stub_is_an_error_not_zeros),
		T(an_unlinked_packed_file_reads_until_its_close),
		T(savings_have_causes),
		T(copies_share_what_is_stored),
		T(a_second_sobre_is_refused),
#undef T
	};

	if (!tmpdrive_possible())
		return 77; /* ctest: skipped */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
