/* SPDX-License-Identifier: EUPL-1.2 */
/* A batch with files that can't be packed; store_put() is wrapped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "fs/file/internal.h"
#include "tests/support/tmpdrive.h"

#define FILES	   64
#define GOOD_BYTES 6000u
#define BAD_BYTES  5000u
#define BIG_ONE	   "big"
#define BIG_TWO	   "bigger"

static struct {
	int bad_code; /* for files of BAD_BYTES */
	unsigned int n;
	unsigned int dead_from; /* from this call on the store is full */
	const struct tmpdrive *drive;
	unsigned int stubs_before_big; /* of a file of more than a stage */
	unsigned int puts_before_big;
} puts_;

static const struct pack_options background = { .now = false };

static unsigned int stubs(const struct tmpdrive *t);

int __real_store_put(struct store *store, int fd, uint64_t size_bytes,
		     struct store_put_result *ret_result, struct error *err);
int __wrap_store_put(struct store *store, int fd, uint64_t size_bytes,
		     struct store_put_result *ret_result, struct error *err);

int __wrap_store_put(struct store *store, int fd, uint64_t size_bytes,
		     struct store_put_result *ret_result, struct error *err)
{
	puts_.n++;
	if (puts_.dead_from && puts_.n >= puts_.dead_from)
		return error_set(err, -ENOSPC, "full");
	if (size_bytes > STORE_STAGE_BYTES) {
		puts_.stubs_before_big =
			stubs(puts_.drive) +
			tmpdrive_is_stub(puts_.drive, BIG_ONE) +
			tmpdrive_is_stub(puts_.drive, BIG_TWO);
		puts_.puts_before_big = puts_.n - 1;
	}
	if (size_bytes == BAD_BYTES)
		return error_set(err, puts_.bad_code, "bad");
	return __real_store_put(store, fd, size_bytes, ret_result, err);
}

static int setup(void **state)
{
	static struct tmpdrive t;

	puts_.n = 0;
	puts_.dead_from = 0;
	puts_.bad_code = -EFBIG;
	puts_.drive = &t;
	tmpdrive_open(&t);
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	tmpdrive_remove(*state);
	return 0;
}

static void name_of(char name[16], unsigned int i)
{
	(void)snprintf(name, 16, "f%02u", i);
}

/* Every `nth` is bad. */
static void make(struct tmpdrive *t, unsigned int nth)
{
	for (unsigned int i = 0; i < FILES; i++) {
		char name[16];

		name_of(name, i);
		tmpdrive_write(t, name, i % nth ? GOOD_BYTES : BAD_BYTES,
			       i + 1);
	}
}

static int pack(struct tmpdrive *t, struct pack_report *ret_report)
{
	const struct pack_options now = { .now = true };
	struct error err = ERROR_INIT;

	*ret_report = (struct pack_report){ 0 };
	return drive_pack(t->drive, "", &now, ret_report, &err);
}

static void all_read_back(struct tmpdrive *t, unsigned int nth)
{
	for (unsigned int i = 0; i < FILES; i++) {
		char name[16];

		name_of(name, i);
		assert_true(tmpdrive_reads(
			t, name, i % nth ? GOOD_BYTES : BAD_BYTES, i + 1));
	}
}

static unsigned int stubs(const struct tmpdrive *t)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < FILES; i++) {
		char name[16];

		name_of(name, i);
		n += tmpdrive_is_stub(t, name);
	}
	return n;
}

static void many_bad_files_cost_no_more_than_three_tries(void **state)
{
	static const int codes[] = { -EFBIG, -SOBRE_ECHANGED, -EIO,
				     -SOBRE_ECOLLISION };
	static const enum pack_outcome outcomes[] = { PACK_ERROR, PACK_CHANGED,
						      PACK_ERROR,
						      PACK_COLLISION };
	struct tmpdrive *t = *state;
	struct pack_report report;

	make(t, 1);
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		puts_.n = 0;
		puts_.bad_code = codes[i];
		assert_int_equal(pack(t, &report), 0);
		assert_int_equal(report.count[outcomes[i]], FILES);
		assert_true(puts_.n <= 3 * FILES);
	}
	all_read_back(t, 1);
}

static void the_good_among_the_bad_are_packed(void **state)
{
	struct tmpdrive *t = *state;
	struct pack_report report;

	make(t, 2);
	assert_int_equal(pack(t, &report), 0);
	assert_int_equal(report.count[PACK_DONE], FILES / 2);
	assert_int_equal(report.count[PACK_ERROR], FILES / 2);
	assert_true(puts_.n <= 3 * FILES);
	assert_int_equal(stubs(t), FILES / 2);
	assert_true(report.stored_bytes >= FILES / 2 * GOOD_BYTES);
	all_read_back(t, 2);
	tmpdrive_reopen(t);
	all_read_back(t, 2);
}

static void one_bad_file_leaves_the_rest_one_transaction(void **state)
{
	struct tmpdrive *t = *state;
	struct pack_report report;

	make(t, FILES);
	assert_int_equal(pack(t, &report), 0);
	assert_int_equal(report.count[PACK_DONE], FILES - 1);
	assert_true(puts_.n <= 2 * FILES);
	all_read_back(t, FILES);
}

/* What was committed before goes its way; the rest stays plain. */
static void a_full_store_stops_a_batch_of_single_ones(void **state)
{
	struct tmpdrive *t = *state;
	struct pack_report report;
	uint64_t done;

	make(t, 2);
	puts_.dead_from = FILES / 2 + 10;
	assert_int_equal(pack(t, &report), -ENOSPC);
	done = report.count[PACK_DONE];
	assert_true(done > 0 && done < FILES / 2);
	assert_int_equal(report.count[PACK_ERROR], FILES - done);
	assert_int_equal(stubs(t), done);
	all_read_back(t, 2);
}

/* Sparse, so that it costs no time. */
static void make_big(struct tmpdrive *t, const char *name)
{
	int fd;

	tmpdrive_write(t, name, GOOD_BYTES, 99);
	fd = openat(t->lower_fd, name, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)STORE_STAGE_BYTES + 1), 0);
	(void)close(fd);
}

/* Whatever was put before it has become stubs: a stage commits. */
static void a_file_in_stages_is_a_batch_by_itself(void **state)
{
	struct tmpdrive *t = *state;
	struct pack_report report;

	for (unsigned int i = 0; i < FILES; i++) {
		char name[16];

		name_of(name, i);
		tmpdrive_write(t, name, GOOD_BYTES, i + 1);
	}
	make_big(t, BIG_ONE);
	make_big(t, BIG_TWO);
	assert_int_equal(pack(t, &report), 0);
	assert_int_equal(report.count[PACK_DONE], FILES + 2);
	assert_true(puts_.puts_before_big > 0); /* the last one is not first */
	assert_int_equal(puts_.stubs_before_big, puts_.puts_before_big);
	assert_true(tmpdrive_is_stub(t, BIG_ONE));
	assert_true(tmpdrive_is_stub(t, BIG_TWO));
}

static int pack_cold(struct tmpdrive *t, struct pack_report *ret_report)
{
	static const bool never = false;
	struct error err = ERROR_INIT;

	*ret_report = (struct pack_report){ 0 };
	assert_int_equal(drive_scan(t->drive, &never, &err), 0);
	return drive_pack_cold(t->drive, 2 * FILES, &background, ret_report,
			       &err);
}

/* As one that is read from end to end to find that it collides. */
static void the_background_tries_in_vain_once(void **state)
{
	static const int codes[] = { -SOBRE_ECOLLISION, -EFBIG };
	static const enum pack_outcome outcomes[] = { PACK_COLLISION,
						      PACK_ERROR };
	struct tmpdrive *t = *state;
	struct pack_report report;

	t->drive->options.min_age_s = 0;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		puts_.bad_code = codes[i];
		tmpdrive_write(t, "a", BAD_BYTES, 1);
		assert_int_equal(pack_cold(t, &report), 1);
		assert_int_equal(report.count[outcomes[i]], 1);
		assert_int_equal(report.last_error.code, codes[i]);
		puts_.n = 0;
		assert_int_equal(pack_cold(t, &report), 1);
		assert_int_equal(report.count[outcomes[i]], 1);
		assert_int_equal(report.last_error.code, 0);
		assert_int_equal(puts_.n, 0);
	}
	assert_int_equal(pack(t, &report), 0); /* by hand */
	assert_true(puts_.n > 0);
	tmpdrive_write(t, "a", GOOD_BYTES, 1); /* it has changed */
	assert_int_equal(pack_cold(t, &report), 1);
	assert_int_equal(report.count[PACK_DONE], 1);
}

struct patience {
	unsigned int left;
	unsigned int asked_in_vain;
};

static bool until_tired(void *ctx)
{
	struct patience *p = ctx;

	if (p->left > 0)
		return p->left-- > 0;
	p->asked_in_vain++;
	return false;
}

/* True when it was packed before they were tired. */
static bool pack_for(struct tmpdrive *t, unsigned int patience)
{
	struct patience p = { .left = patience };
	const struct pack_options options = { .go_on = until_tired, .ctx = &p };
	struct pack_report report = { 0 };
	struct error err = ERROR_INIT;
	unsigned int counted = 0;

	assert_int_equal(drive_pack_cold(t->drive, 10, &options, &report, &err),
			 1);
	for (int o = 0; o < PACK_OUTCOMES; o++)
		counted += (unsigned int)report.count[o];
	assert_int_equal(report.last_error.code, 0);
	assert_int_equal(counted, report.count[PACK_DONE]);
	assert_int_equal(tmpdrive_is_stub(t, BIG_ONE), counted == 1);
	assert_true(p.asked_in_vain < 4);
	assert_int_equal(catalog_flush(t->drive->catalog, &err), 0);
	return counted == 1;
}

/* While it is identified, stored and compared. */
static void who_is_asked_within_a_big_file_can_stop(void **state)
{
	static const bool never = false;
	struct tmpdrive *t = *state;
	struct error err = ERROR_INIT;
	unsigned int patience = 0;

	t->drive->options.min_age_s = 0;
	tmpdrive_write(t, BIG_ONE, STORE_STAGE_BYTES + 1, 1);
	assert_int_equal(drive_scan(t->drive, &never, &err), 0);
	while (!pack_for(t, patience))
		patience += 5;
	assert_true(patience > 2 * STORE_STAGE_BYTES / STORE_ASK_BYTES);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(who_is_asked_within_a_big_file_can_stop),
		T(the_background_tries_in_vain_once),
		T(a_file_in_stages_is_a_batch_by_itself),
		T(many_bad_files_cost_no_more_than_three_tries),
		T(the_good_among_the_bad_are_packed),
		T(one_bad_file_leaves_the_rest_one_transaction),
		T(a_full_store_stops_a_batch_of_single_ones),
	};

	if (!tmpdrive_possible())
		return 77; /* ctest: skipped */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
