/* SPDX-License-Identifier: EUPL-1.2 */
/* With folders of the test's own: linked in the place of the ledger's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/ledger/ledger.h"
#include "tools/figures/internal.h"

#define MANY 200

static struct ledger_folder folder[MANY];
static unsigned int n;

int ledger_folders(struct catalog *cat, ledger_folder_fn *each, void *ctx,
		   struct error *err)
{
	(void)cat;
	for (unsigned int i = 0; i < n; i++)
		if (each(ctx, &folder[i], err) < 0)
			return err->code;
	return 0;
}

int catalog_paths(struct catalog *cat, uint64_t ino, unsigned int max,
		  void (*each)(void *ctx, const char *path), void *ctx,
		  struct error *err)
{
	char path[32];

	(void)cat;
	(void)max;
	(void)err;
	(void)snprintf(path, sizeof(path), "/%u", (unsigned int)ino);
	each(ctx, path);
	return 0;
}

static void put(uint64_t ino, uint64_t parent, uint16_t department,
		uint64_t bytes)
{
	folder[n++] = (struct ledger_folder){ .ino = ino,
					      .parent = parent,
					      .set = { 1, { department } },
					      .files = 1,
					      .stored_bytes = bytes,
					      .exclusive_bytes = bytes / 2 };
}

static struct report_folders take(void)
{
	struct report_folders folders;
	struct error err = ERROR_INIT;

	assert_int_equal(figures_folders(NULL, 5, &folders, &err), 0);
	assert_int_equal(folders.taken_s, 5);
	return folders;
}

static uint64_t sum_of(const struct report_folders *f, uint16_t department)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < f->n; i++)
		if (f->folder[i].department == department)
			sum += f->folder[i].stored_bytes;
	return sum;
}

static void the_biggest_is_taken_apart_and_nothing_counts_twice(void **state)
{
	struct report_folders f;

	(void)state;
	n = 0;
	put(2, 0, 1, 10);
	put(3, 2, 1, 100); /* below it 4 and 5 */
	put(4, 3, 1, 300);
	put(5, 3, 1, 50);
	put(6, 2, 7, 1000); /* of another department */
	f = take();
	assert_int_equal(sum_of(&f, 1), 460);
	assert_int_equal(sum_of(&f, 7), 1000);
	assert_int_equal(f.n, 5);
	assert_string_equal(f.folder[0].path, "/4");
	assert_false(f.folder[0].direct);
	assert_int_equal(f.folder[0].exclusive_bytes, 150);
	assert_string_equal(f.folder[1].path, "/3");
	assert_true(f.folder[1].direct);
	assert_int_equal(f.folder[1].stored_bytes, 100);
	assert_string_equal(f.folder[4].path, "/6");
	figures_folders_release(&f);
}

static void there_are_twenty_at_most_and_the_biggest(void **state)
{
	struct report_folders f;

	(void)state;
	n = 0;
	put(2, 0, 1, 0);
	for (unsigned int i = 0; i < 60; i++)
		put(10 + i, 2, 1, 1000 + i);
	f = take();
	assert_int_equal(f.n, REPORT_FOLDERS);
	assert_string_equal(f.folder[0].path, "/69");
	assert_string_equal(f.folder[19].path, "/50");
	figures_folders_release(&f);
}

static void folders_below_themselves_end_nothing(void **state)
{
	struct report_folders f;

	(void)state;
	n = 0;
	put(2, 0, 1, 10);
	put(3, 4, 1, 100);
	put(4, 3, 1, 100);
	put(5, 5, 1, 7);
	f = take();
	assert_int_equal(sum_of(&f, 1), 17);
	figures_folders_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_biggest_is_taken_apart_and_nothing_counts_twice),
		cmocka_unit_test(there_are_twenty_at_most_and_the_biggest),
		cmocka_unit_test(folders_below_themselves_end_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
