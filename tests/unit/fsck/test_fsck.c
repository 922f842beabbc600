/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/fsck/support.h"

#include <pthread.h>
#include <stdatomic.h>

static void a_sound_drive_has_nothing_to_tell(void **state)
{
	struct checked *c = *state;

	assert_sound(c);
	assert_int_equal(c->report.files, 3);
	assert_int_equal(c->report.stubs, 2);
	assert_int_equal(c->report.references, 2);
	assert_int_equal(c->report.contents, 1);
	assert_int_equal(c->report.packs, 1);
	tmpdrive_reopen(&c->t);
	assert_sound(c);
}

static void it_changes_nothing(void **state)
{
	struct checked *c = *state;
	int fd = open_lower(c, "copy", O_RDWR);
	struct stat before;
	struct stat after;

	set_mtime(fd, (struct timespec){ .tv_sec = 5 });
	assert_int_equal(fstat(fd, &before), 0);
	assert_only(c, FSCK_STUB_MTIME, "/copy");
	assert_only(c, FSCK_STUB_MTIME, "/copy");
	assert_int_equal(fstat(fd, &after), 0);
	assert_int_equal(close(fd), 0);
	assert_true(timespec_ns(before.st_ctim) == timespec_ns(after.st_ctim));
}

static void a_scan_repairs_what_is_repairable(void **state)
{
	static const bool never = false;
	struct checked *c = *state;
	int fd = open_lower(c, "copy", O_RDWR);

	set_mtime(fd, (struct timespec){ .tv_sec = 5 });
	assert_int_equal(close(fd), 0);
	by_sql(c, "UPDATE inode SET content = NULL");
	check(c);
	assert_int_equal(c->report.severity[FSCK_REPAIRABLE], 3);
	assert_int_equal(drive_scan(c->t.drive, &never, &c->err), 0);
	assert_sound(c);
}

static bool stop_at_once(void *ctx, uint64_t done, uint64_t total)
{
	(void)ctx;
	assert_true(done <= total);
	return false;
}

static void it_can_be_stopped(void **state)
{
	static const bool stop = true;
	struct checked *c = *state;
	struct fsck_options options = { .progress = stop_at_once };

	assert_int_equal(
		fsck_run(c->t.drive, &options, NULL, &c->report, &c->err),
		-ECANCELED);
	options = (struct fsck_options){ .stop = &stop };
	assert_int_equal(
		fsck_run(c->t.drive, &options, NULL, &c->report, &c->err),
		-ECANCELED);
}

static void a_lost_catalog_is_rebuilt_from_lower_and_packs(void **state)
{
	struct checked *c = *state;
	const struct fsck_options options = { .rebuild = true, .ctx = c };
	char state_path[512];

	(void)snprintf(state_path, sizeof(state_path), "%s/.sobre", c->t.path);
	drive_close(c->t.drive);
	c->t.drive = NULL;
	assert_int_equal(catalog_set_aside(state_path, 1, &c->err), 0);
	tmpdrive_reopen(&c->t);
	if (fsck_run(c->t.drive, &options, note_problem, &c->report, &c->err) <
	    0)
		fail_msg("fsck_run: %s", c->err.text);
	assert_int_equal(c->told, 0);
	assert_int_equal(c->report.stubs, 2);
	assert_int_equal(c->report.references, 2);
	assert_true(tmpdrive_reads(&c->t, "dir/a", FILE_BYTES, 1));
	assert_sound(c);
}

struct cut {
	int at;
	int calls;
};

static bool cut(void *ctx, uint64_t done, uint64_t total)
{
	struct cut *cut = ctx;

	assert_true(done <= total);
	return ++cut->calls != cut->at;
}

/* Packs, walk and checks tell how far they are, and end there when told. */
static void a_rebuild_cut_anywhere_begins_again(void **state)
{
	struct checked *c = *state;
	int at = 0;
	int rc;

	do {
		struct cut now = { .at = ++at };
		const struct fsck_options options = { .rebuild = true,
						      .progress = cut,
						      .ctx = &now };

		rc = fsck_run(c->t.drive, &options, NULL, &c->report, &c->err);
		assert_true(rc == 0 || rc == -ECANCELED);
		tmpdrive_reopen(&c->t); /* what it finds, it takes in */
		assert_true(tmpdrive_reads(&c->t, "dir/a", FILE_BYTES, 1));
	} while (rc != 0);
	/* One pack, the entries of the lower, all that is checked. */
	assert_true(at > 10);
	assert_sound(c);
}

struct churn {
	struct checked *c;
	atomic_bool stop;
};

/* Copies up and packs again, as agents and the packer do. */
static void *churn(void *arg)
{
	struct churn *churn = arg;
	struct tmpdrive *t = &churn->c->t;

	while (!atomic_load(&churn->stop)) {
		struct pack_report report = { 0 };
		struct error err = ERROR_INIT;
		bool packed = false;
		const struct pack_options now = { .now = true };
		struct file *file = tmpdrive_file(t, "copy", O_WRONLY, &packed);

		file_close(file, O_WRONLY);
		(void)drive_pack(t->drive, "copy", &now, &report, &err);
	}
	return NULL;
}

static void a_drive_in_use_is_not_told_as_broken(void **state)
{
	struct churn job = { .c = *state };
	struct checked *c = *state;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, churn, &job), 0);
	for (int i = 0; i < 15; i++) {
		check(c);
		for (unsigned int k = 0; k < c->told; k++)
			print_error("told: %s of '%s'\n",
				    fsck_kind_name(c->kind[k]), c->path[k]);
		assert_int_equal(c->report.severity[FSCK_DAMAGE], 0);
		assert_int_equal(c->report.severity[FSCK_REPAIRABLE], 0);
	}
	atomic_store(&job.stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_sound(c);
}

static void every_kind_has_a_name(void **state)
{
	(void)state;
	for (int i = 0; i < FSCK_KINDS; i++) {
		assert_non_null(fsck_kind_name((enum fsck_kind)i));
		assert_true(fsck_kind_severity((enum fsck_kind)i) <=
			    FSCK_DAMAGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_sound_drive_has_nothing_to_tell),
		CASE(it_changes_nothing),
		CASE(a_scan_repairs_what_is_repairable),
		CASE(it_can_be_stopped),
		CASE(a_lost_catalog_is_rebuilt_from_lower_and_packs),
		CASE(a_rebuild_cut_anywhere_begins_again),
		CASE(a_drive_in_use_is_not_told_as_broken),
		cmocka_unit_test(every_kind_has_a_name),
	};

	return RUN(tests);
}
