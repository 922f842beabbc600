/* SPDX-License-Identifier: EUPL-1.2 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/file/internal.h"
#include "tests/support/tmpdrive.h"

#define BYTES 20000

static const struct pack_options background = { .now = false };

static struct {
	unsigned int asked;
	char last[64];
} saw;

/* All whose path has "kept" in it. */
static bool is_kept(void *ctx, const char *path)
{
	assert_ptr_equal(ctx, &saw);
	saw.asked++;
	(void)snprintf(saw.last, sizeof(saw.last), "%s", path);
	return strstr(path, "kept") != NULL;
}

static int64_t tomorrow(void *ctx)
{
	const struct clock real = clock_real();

	(void)ctx;
	return clock_now_ns(&real) + 90000 * NS_PER_S;
}

static int setup(void **state)
{
	const struct drive_options options = { .min_age_s = 86400,
					       .excluded = is_kept,
					       .ctx = &saw,
					       .clock = { .now_ns =
								  tomorrow } };
	static struct tmpdrive t;
	struct error err = ERROR_INIT;

	tmpdrive_open(&t);
	drive_close(t.drive);
	t.drive = NULL;
	assert_int_equal(drive_open(t.lower_fd, NULL, &options, &t.drive, &err),
			 0);
	memset(&saw, 0, sizeof(saw));
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	tmpdrive_remove(*state);
	return 0;
}

static void scan(struct tmpdrive *t)
{
	static const bool never = false;
	struct error err = ERROR_INIT;

	if (drive_scan(t->drive, &never, &err) < 0)
		fail_msg("%s", err.text);
}

static void pack_by_hand_leaves_out_what_is_excluded(void **state)
{
	const struct pack_options now = { .now = true };
	struct pack_report report = { 0 };
	struct error err = ERROR_INIT;
	struct tmpdrive *t = *state;

	assert_int_equal(mkdirat(t->lower_fd, "kept", 0755), 0);
	tmpdrive_write(t, "kept/a", BYTES, 1);
	tmpdrive_write(t, "b", BYTES, 2);
	assert_int_equal(drive_pack(t->drive, "", &now, &report, &err), 0);
	assert_int_equal(report.count[PACK_EXCLUDED], 1);
	assert_int_equal(report.count[PACK_DONE], 1);
	assert_false(tmpdrive_is_stub(t, "kept/a"));
	assert_true(tmpdrive_is_stub(t, "b"));
	assert_string_equal(pack_outcome_name(PACK_EXCLUDED), "excluded");
}

static void the_background_asks_by_the_catalogs_paths(void **state)
{
	struct pack_report report = { 0 };
	struct error err = ERROR_INIT;
	struct tmpdrive *t = *state;

	assert_int_equal(mkdirat(t->lower_fd, "kept", 0755), 0);
	tmpdrive_write(t, "kept/a", BYTES, 1);
	tmpdrive_write(t, "b", BYTES, 2);
	scan(t);
	assert_int_equal(
		drive_pack_cold(t->drive, 100, &background, &report, &err), 2);
	assert_int_equal(report.count[PACK_EXCLUDED], 1);
	assert_int_equal(report.count[PACK_DONE], 1);
	assert_false(tmpdrive_is_stub(t, "kept/a"));
	assert_true(tmpdrive_is_stub(t, "b"));
}

static void any_of_its_names_excludes_a_file(void **state)
{
	struct pack_report report = { 0 };
	const struct pack_options now = { .now = true };
	struct error err = ERROR_INIT;
	struct tmpdrive *t = *state;

	tmpdrive_write(t, "a", BYTES, 1);
	assert_int_equal(linkat(t->lower_fd, "a", t->lower_fd, "kept", 0), 0);
	scan(t);
	assert_int_equal(drive_pack(t->drive, "a", &now, &report, &err), 0);
	assert_int_equal(report.count[PACK_EXCLUDED], 1);
	assert_true(drive_pack_cold(t->drive, 100, &background, &report, &err) >
		    0);
	assert_int_equal(report.count[PACK_EXCLUDED], 2);
	assert_false(tmpdrive_is_stub(t, "a"));
}

static void what_has_no_name_yet_waits(void **state)
{
	struct catalog_inode inode;
	struct pack_report report = { 0 };
	struct error err = ERROR_INIT;
	struct tmpdrive *t = *state;
	int fd;

	tmpdrive_write(t, "b", BYTES, 1);
	fd = tmpdrive_opath(t, "b");
	assert_int_equal(lower_inode(fd, &inode), 0);
	(void)close(fd);
	assert_int_equal(catalog_begin(drive_catalog(t->drive), &err), 0);
	assert_int_equal(
		catalog_inode_put(drive_catalog(t->drive), &inode, &err), 0);
	assert_int_equal(catalog_commit(drive_catalog(t->drive), &err), 0);
	assert_int_equal(
		drive_pack_cold(t->drive, 100, &background, &report, &err), 1);
	assert_int_equal(report.count[PACK_CHANGED], 1);
	assert_int_equal(saw.asked, 0);
	assert_false(tmpdrive_is_stub(t, "b"));
}

static void explain_says_so(void **state)
{
	struct file_explanation e;
	struct error err = ERROR_INIT;
	struct tmpdrive *t = *state;

	tmpdrive_write(t, "kept", BYTES, 1);
	assert_int_equal(drive_explain(t->drive, "kept", &e, &err), 0);
	assert_int_equal(e.would, PACK_EXCLUDED);
	assert_string_equal(saw.last, "/kept");
}

static void only_packing_asks(void **state)
{
	const struct pack_options now = { .now = true };
	struct pack_report report = { 0 };
	struct unpack_report unpacked = { 0 };
	struct error err = ERROR_INIT;
	struct tmpdrive *t = *state;

	tmpdrive_write(t, "b", BYTES, 1);
	tmpdrive_write(t, "empty", 0, 1);
	assert_int_equal(drive_pack(t->drive, "", &now, &report, &err), 0);
	assert_true(saw.asked > 0);
	saw.asked = 0;
	scan(t);
	assert_true(tmpdrive_reads(t, "b", BYTES, 1));
	assert_int_equal(drive_pack(t->drive, "b", &now, &report, &err), 0);
	assert_int_equal(report.count[PACK_ALREADY], 1);
	assert_int_equal(
		drive_unpack(t->drive, "b", NULL, NULL, &unpacked, &err), 0);
	assert_int_equal(unpacked.unpacked, 1);
	assert_int_equal(saw.asked, 0);
}

int main(void)
{
#define ON(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		ON(pack_by_hand_leaves_out_what_is_excluded),
		ON(the_background_asks_by_the_catalogs_paths),
		ON(any_of_its_names_excludes_a_file),
		ON(what_has_no_name_yet_waits),
		ON(explain_says_so),
		ON(only_packing_asks),
	};

	if (!tmpdrive_possible())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
