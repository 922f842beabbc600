/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/ledger/support.h"

#define DAY_S 86400

struct seen {
	struct ledger_file file[8];
	char name[8][LEDGER_NAME_BYTES];
	unsigned int n;
	int answer;
};

static int keep(void *ctx, const struct ledger_file *file, struct error *err)
{
	struct seen *seen = ctx;

	(void)err;
	assert_true(seen->n < 8);
	(void)snprintf(seen->name[seen->n], LEDGER_NAME_BYTES, "%s",
		       file->name);
	seen->file[seen->n++] = *file;
	return seen->answer;
}

static struct seen all(struct world *w)
{
	struct seen seen = { .n = 0 };

	must(ledger_files(w->cat, keep, &seen, &w->err));
	return seen;
}

static void each_file_comes_once_with_what_it_was_charged(void **state)
{
	struct world *w = *state;
	struct catalog_inode linked = file_of(100, 1024);
	struct seen seen;

	linked.nlink = 2;
	post(w, CATALOG_EVENT_INODE, &linked);
	post_name(w, URBANISME, "a.pdf", 100);
	post_name(w, COMDIR, "a.pdf", 100);
	make_file(w, VILLE, "d.docx", 101, 512);
	flush(w);
	seen = all(w);
	assert_int_equal(seen.n, 2); /* no directory */
	assert_int_equal(seen.file[0].ino, 100);
	assert_string_equal(seen.name[0], "a.pdf");
	assert_int_equal(seen.file[0].set.n, 2);
	assert_int_equal(seen.file[0].parent, 0);
	assert_int_equal(seen.file[0].hot_bytes, 1024);
	assert_int_equal(seen.file[0].exclusive_bytes, 1024);
	assert_string_equal(seen.name[1], "d.docx");
	assert_int_equal(seen.file[1].parent, VILLE);
	assert_int_equal(seen.file[1].set.member[0], DEJ);
	assert_false(seen.file[1].packed);
}

static void a_packed_file_has_its_share(void **state)
{
	struct world *w = *state;
	struct seen seen;

	make_file(w, URBANISME, "a", 100, 512);
	make_file(w, COMDIR, "b", 101, 512);
	flush(w);
	(void)pack(w, 100, "x");
	(void)pack(w, 101, "xy");
	count(w);
	seen = all(w);
	assert_int_equal(seen.n, 2);
	assert_true(seen.file[0].packed);
	assert_int_equal(seen.file[0].hot_bytes, 0);
	assert_int_equal(seen.file[0].size_bytes, 300000);
	for (unsigned int i = 0; i < 2; i++) {
		struct ledger_footprint fp;

		must(ledger_footprint(w->cat, w->store, 100 + i, &fp, &w->err));
		/* A part of a byte is rounded down here. */
		assert_in_range(seen.file[i].packed_bytes, fp.packed_bytes - 1,
				fp.packed_bytes);
		assert_int_equal(seen.file[i].exclusive_bytes,
				 fp.exclusive_bytes);
	}
	assert_in_range(seen.file[0].packed_bytes, 100000, 299999);
}

static void the_last_use_is_a_person_s_or_the_last_change(void **state)
{
	const int64_t day_ns = DAY_S * NS_PER_S;
	struct world *w = *state;
	struct catalog_event used = { .kind = CATALOG_EVENT_USED };
	struct catalog_inode f = file_of(100, 512);
	struct seen seen;

	f.mtime_ns = 1000 * day_ns + 1;
	f.ctime_ns = 1010 * day_ns;
	post(w, CATALOG_EVENT_INODE, &f);
	post_name(w, URBANISME, "a", 100);
	f.ino = 101;
	f.mtime_ns = -1; /* the day before 1970 */
	post(w, CATALOG_EVENT_INODE, &f);
	post_name(w, URBANISME, "b", 101);
	flush(w);
	seen = all(w);
	assert_int_equal(seen.file[0].used_day, 1000);
	assert_int_equal(seen.file[0].changed_day, 1010);
	assert_int_equal(seen.file[1].used_day, -1);
	used.inode = file_of(100, 512);
	used.day = 900;
	must(catalog_post(w->cat, &used));
	flush(w);
	assert_int_equal(all(w).file[0].used_day, 1000);
	used.day = 1234;
	must(catalog_post(w->cat, &used));
	flush(w);
	assert_int_equal(all(w).file[0].used_day, 1234);
}

static void whoever_is_told_ends_the_pass(void **state)
{
	struct world *w = *state;
	struct seen seen = { .answer = 5 };

	make_file(w, VILLE, "a", 100, 512);
	make_file(w, VILLE, "b", 101, 512);
	flush(w);
	assert_int_equal(ledger_files(w->cat, keep, &seen, &w->err), 5);
	assert_int_equal(seen.n, 1);
}

static void there_is_no_pass_while_a_recharge_is_due(void **state)
{
	struct world *w = *state;
	struct seen seen = { .n = 0 };

	make_file(w, VILLE, "a", 100, 512);
	flush(w);
	must(catalog_begin(w->cat, &w->err));
	must(recharge_note(w->ledger, &w->err));
	must(catalog_commit(w->cat, &w->err));
	assert_int_equal(ledger_files(w->cat, keep, &seen, &w->err), -EAGAIN);
	assert_int_equal(seen.n, 0);
}

static int add_folder(void *ctx, const struct ledger_folder *folder,
		      struct error *err)
{
	struct ledger_folder *sums = ctx;

	(void)err;
	if (folder->ino == URBANISME) {
		assert_int_equal(folder->parent, VILLE);
		assert_int_equal(folder->set.member[0], URB);
	}
	sums->files += folder->files;
	sums->stored_bytes += folder->stored_bytes;
	sums->exclusive_bytes += folder->exclusive_bytes;
	return 0;
}

static void folders_add_up_to_the_root_s_footprint(void **state)
{
	struct world *w = *state;
	struct ledger_folder sums = { .files = 0 };
	struct ledger_footprint fp;

	make_file(w, URBANISME, "a", 100, 512);
	make_file(w, COMDIR, "b", 101, 4096);
	make_file(w, DIVERS, "c", 102, 1024);
	flush(w);
	(void)pack(w, 100, "x");
	(void)pack(w, 101, "xy");
	count(w);
	must(ledger_folders(w->cat, add_folder, &sums, &w->err));
	must(ledger_footprint(w->cat, w->store, ROOT_INO, &fp, &w->err));
	assert_int_equal(sums.files, 3);
	assert_in_range(sums.stored_bytes, fp.hot_bytes + fp.packed_bytes - 4,
			fp.hot_bytes + fp.packed_bytes + 4);
	assert_int_equal(sums.exclusive_bytes, fp.exclusive_bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(each_file_comes_once_with_what_it_was_charged),
		WORLD(a_packed_file_has_its_share),
		WORLD(the_last_use_is_a_person_s_or_the_last_change),
		WORLD(whoever_is_told_ends_the_pass),
		WORLD(folders_add_up_to_the_root_s_footprint),
		WORLD(there_is_no_pass_while_a_recharge_is_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
