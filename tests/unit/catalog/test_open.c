/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/catalog/support.h"

#include <sqlite3.h>
#include <sys/wait.h>

static bool has_file(struct fixture *f, const char *name)
{
	char path[128];
	struct stat st;

	fixture_path(f, name, path, sizeof(path));
	return stat(path, &st) == 0;
}

static void write_file(struct fixture *f, const char *name, const void *data,
		       size_t len)
{
	char path[128];
	int fd = -1;

	fixture_path(f, name, path, sizeof(path));
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	assert_int_equal(close(fd), 0);
}

static void *read_file(struct fixture *f, const char *name, size_t *ret_len)
{
	char path[128];
	struct stat st;
	void *data = NULL;
	int fd = -1;

	fixture_path(f, name, path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	data = malloc((size_t)st.st_size + 1);
	assert_non_null(data);
	*ret_len = (size_t)st.st_size;
	assert_int_equal(read(fd, data, *ret_len), st.st_size);
	assert_int_equal(close(fd), 0);
	return data;
}

static void by_sqlite(struct fixture *f, const char *sql)
{
	char path[128];
	sqlite3 *db = NULL;

	fixture_path(f, "catalog.db", path, sizeof(path));
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Runs `work` in a process that dies without closing the catalog. */
static void crash_after(struct fixture *f, void (*work)(struct fixture *f))
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		fixture_open(f);
		work(f);
		_exit(42);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
}

static int open_code(struct fixture *f, enum catalog_mode mode)
{
	int rc = catalog_open(f->dir, mode, &f->clock, &f->cat, &f->err);

	if (rc < 0)
		assert_null(f->cat);
	return rc;
}

static void a_new_catalog_needs_a_scan_and_is_not_unclean(void **state)
{
	struct fixture *f = *state;

	assert_false(catalog_was_unclean(f->cat));
	assert_true(catalog_needs_scan(f->cat));
}

static void a_clean_stop_leaves_one_file_of_mode_0600(void **state)
{
	struct fixture *f = *state;
	char path[128];
	struct stat st;

	must(catalog_mark_reconciled(f->cat, &f->err));
	fixture_close(f);
	assert_false(has_file(f, "catalog.db-wal"));
	assert_false(has_file(f, "catalog.db-shm"));
	fixture_path(f, "catalog.db", path, sizeof(path));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	fixture_open(f);
	assert_false(catalog_was_unclean(f->cat));
	assert_false(catalog_needs_scan(f->cat));
}

static void a_scan_that_is_owed_is_owed_after_a_clean_stop_too(void **state)
{
	struct fixture *f = *state;

	fixture_close(f);
	fixture_open(f);
	assert_false(catalog_was_unclean(f->cat));
	assert_true(catalog_needs_scan(f->cat));
}

static void write_one(struct fixture *f)
{
	const struct catalog_inode inode = file_of(12);

	must(catalog_mark_reconciled(f->cat, &f->err));
	post(f, CATALOG_EVENT_INODE, &inode);
	flush(f);
}

static void a_crash_keeps_what_was_committed_and_asks_for_a_scan(void **state)
{
	struct fixture *f = *state;

	crash_after(f, write_one);
	fixture_open(f);
	assert_true(catalog_was_unclean(f->cat));
	assert_true(catalog_needs_scan(f->cat));
	assert_int_equal(get(f, 12).size_bytes, 4000);
	must(catalog_mark_reconciled(f->cat, &f->err));
	assert_false(catalog_needs_scan(f->cat));
}

static void begin_and_die(struct fixture *f)
{
	const struct catalog_inode inode = file_of(13);

	must(catalog_begin(f->cat, &f->err));
	must(catalog_inode_put(f->cat, &inode, &f->err));
}

static void a_crash_undoes_what_was_not_committed(void **state)
{
	struct fixture *f = *state;

	crash_after(f, begin_and_die);
	fixture_open(f);
	assert_false(knows(f, 13));
}

static void closing_writes_what_is_queued(void **state)
{
	struct fixture *f = *state;
	const struct catalog_inode inode = file_of(14);

	post(f, CATALOG_EVENT_INODE, &inode);
	fixture_close(f);
	fixture_open(f);
	assert_true(knows(f, 14));
}

static void a_newer_schema_is_refused_and_left_alone(void **state)
{
	struct fixture *f = *state;
	size_t len[2];
	cleanup_free void *before = NULL;
	cleanup_free void *after = NULL;

	fixture_close(f);
	by_sqlite(f, "PRAGMA user_version = 1234");
	before = read_file(f, "catalog.db", &len[0]);
	assert_int_equal(open_code(f, CATALOG_CREATE), -SOBRE_ESCHEMA);
	assert_non_null(strstr(f->err.text, "1234"));
	assert_non_null(strstr(f->err.text, "up to 5"));
	assert_non_null(strstr(f->err.text, "catalog.db"));
	assert_int_equal(open_code(f, CATALOG_READONLY), -SOBRE_ESCHEMA);
	after = read_file(f, "catalog.db", &len[1]);
	assert_int_equal(len[0], len[1]);
	assert_memory_equal(before, after, len[0]);
	assert_false(has_file(f, "catalog.db-wal"));
	assert_false(has_file(f, "catalog.db-shm"));
}

static void garbage_is_refused_and_left_alone(void **state)
{
	struct fixture *f = *state;
	char garbage[9000];
	cleanup_free char *after = NULL;
	size_t len = 0;

	memset(garbage, 'x', sizeof(garbage));
	write_file(f, "catalog.db", garbage, sizeof(garbage));
	assert_int_equal(open_code(f, CATALOG_CREATE), -SOBRE_ECORRUPT);
	assert_non_null(strstr(f->err.text, "catalog.db"));
	assert_int_equal(open_code(f, CATALOG_READONLY), -SOBRE_ECORRUPT);
	after = read_file(f, "catalog.db", &len);
	assert_int_equal(len, sizeof(garbage));
	assert_memory_equal(after, garbage, sizeof(garbage));
	assert_false(has_file(f, "catalog.db-wal"));
	assert_false(has_file(f, "catalog.db-shm"));
}

static void a_damaged_page_is_found_at_opening(void **state)
{
	struct fixture *f = *state;
	cleanup_free char *data = NULL;
	size_t len = 0;

	for (uint64_t ino = 1; ino < 400; ino++) {
		const struct catalog_inode inode = file_of(ino);

		post(f, CATALOG_EVENT_INODE, &inode);
	}
	fixture_close(f);
	data = read_file(f, "catalog.db", &len);
	assert_true(len > (size_t)20 * 4096);
	for (size_t page = 4; page < len / 4096; page++)
		memset(data + page * (size_t)4096, 0xa5, 4096);
	write_file(f, "catalog.db", data, len);
	assert_int_equal(open_code(f, CATALOG_CREATE), -SOBRE_ECORRUPT);
	assert_non_null(strstr(f->err.text, "catalog.db"));
}

static void the_database_of_another_program_is_refused(void **state)
{
	struct fixture *f = *state;

	by_sqlite(f, "CREATE TABLE t(x); INSERT INTO t VALUES(1)");
	assert_int_equal(open_code(f, CATALOG_CREATE), -SOBRE_ECORRUPT);
}

static void a_creation_cut_short_is_begun_again(void **state)
{
	struct fixture *f = *state;

	write_file(f, "catalog.db", "", 0);
	assert_int_equal(open_code(f, CATALOG_CREATE), 0);
	assert_false(catalog_was_unclean(f->cat));
	assert_true(catalog_needs_scan(f->cat));
}

static void a_link_in_its_place_is_refused(void **state)
{
	struct fixture *f = *state;
	char path[128];

	fixture_path(f, "catalog.db", path, sizeof(path));
	assert_int_equal(symlink("/tmp/sobre-nowhere", path), 0);
	assert_int_equal(open_code(f, CATALOG_CREATE), -SOBRE_ECORRUPT);
}

static void nothing_there_is_enoent_when_only_reading(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(open_code(f, CATALOG_READONLY), -ENOENT);
	assert_false(has_file(f, "catalog.db"));
	(void)rmdir(f->dir);
	assert_int_equal(open_code(f, CATALOG_CREATE), -ENOENT);
	assert_int_equal(mkdir(f->dir, 0700), 0);
}

/* Everything about the directory that a writer would change. */
struct picture {
	uint64_t sum;
	unsigned int files;
};

static struct picture picture_of(struct fixture *f)
{
	struct picture p = { 0 };
	DIR *dir = opendir(f->dir);
	const struct dirent *entry = NULL;

	assert_non_null(dir);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread has this one */
	while ((entry = readdir(dir)) != NULL) {
		cleanup_free void *data = NULL;
		size_t len = 0;

		if (entry->d_name[0] == '.')
			continue;
		data = read_file(f, entry->d_name, &len);
		p.files++;
		p.sum += hash64_two(entry->d_name, strlen(entry->d_name), data,
				    len);
	}
	assert_int_equal(closedir(dir), 0);
	return p;
}

static void read_only(struct fixture *f)
{
	const struct picture before = picture_of(f);
	const struct catalog_inode inode = file_of(99);
	const struct catalog_event ev = { .kind = CATALOG_EVENT_INODE,
					  .inode = inode };
	struct picture after;

	must(open_code(f, CATALOG_READONLY));
	assert_int_equal(get(f, 12).size_bytes, 4000);
	assert_int_equal(catalog_post(f->cat, &ev), -EROFS);
	assert_int_equal(catalog_begin(f->cat, &f->err), -EROFS);
	assert_int_equal(catalog_meta_set(f->cat, "x", 1, &f->err), -EROFS);
	assert_int_equal(catalog_flush(f->cat, &f->err), 0);
	fixture_close(f);
	after = picture_of(f);
	assert_int_equal(before.files, after.files);
	assert_true(before.sum == after.sum);
}

static void reading_only_writes_nothing(void **state)
{
	struct fixture *f = *state;

	write_one(f);
	fixture_close(f);
	read_only(f);
}

static void
reading_only_after_a_crash_sees_the_wal_and_writes_nothing(void **state)
{
	struct fixture *f = *state;
	char path[128];

	crash_after(f, write_one);
	assert_true(has_file(f, "catalog.db-wal"));
	read_only(f);
	/* As on a medium where the index can't be made. */
	fixture_path(f, "catalog.db-shm", path, sizeof(path));
	assert_int_equal(unlink(path), 0);
	read_only(f);
	must(open_code(f, CATALOG_READONLY));
	assert_true(catalog_was_unclean(f->cat));
}

static void it_still_opens_readers_when_something_is_mounted_over(void **state)
{
	struct fixture *f = *state;
	struct catalog_stmt *held[12];
	char moved[80];

	write_one(f);
	(void)snprintf(moved, sizeof(moved), "%s.below", f->dir);
	assert_int_equal(rename(f->dir, moved), 0);
	for (size_t i = 0; i < 12; i++) {
		held[i] = catalog_read_stmt(
			f->cat, "SELECT count(*) FROM inode", &f->err);
		assert_non_null(held[i]);
		assert_int_equal(stmt_step(held[i], &f->err), 1);
		assert_int_equal(stmt_i64(held[i], 0), 1);
	}
	for (size_t i = 0; i < 12; i++)
		stmt_done(held[i]);
	must(catalog_meta_set(f->cat, "still", 1, &f->err));
	fixture_close(f);
	assert_int_equal(rename(moved, f->dir), 0);
	assert_false(has_file(f, "catalog.db-wal"));
}

static void a_bad_catalog_is_set_aside_with_its_wal(void **state)
{
	static const char *const parts[] = { "", "-wal", "-shm" };
	struct fixture *f = *state;

	crash_after(f, write_one);
	must(catalog_set_aside(f->dir, 123, &f->err));
	assert_false(has_file(f, "catalog.db"));
	assert_false(has_file(f, "catalog.db-wal"));
	fixture_open(f);
	assert_false(knows(f, 12));
	assert_true(catalog_needs_scan(f->cat));
	for (size_t i = 0; i < 3; i++) {
		char name[64];
		char path[128];

		(void)snprintf(name, sizeof(name), "catalog.db.bad-123%s",
			       parts[i]);
		fixture_path(f, name, path, sizeof(path));
		assert_int_equal(unlink(path), 0);
	}
	fixture_close(f);
	must(catalog_set_aside(f->dir, 124, &f->err));
	must(catalog_set_aside(f->dir, 125, &f->err)); /* nothing there */
	fixture_path(f, "catalog.db.bad-124", f->err.text, 128);
	assert_int_equal(unlink(f->err.text), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENARIO(a_new_catalog_needs_a_scan_and_is_not_unclean),
		SCENARIO(a_clean_stop_leaves_one_file_of_mode_0600),
		SCENARIO(a_scan_that_is_owed_is_owed_after_a_clean_stop_too),
		SCENARIO_CLOSED(
			a_crash_keeps_what_was_committed_and_asks_for_a_scan),
		SCENARIO_CLOSED(a_crash_undoes_what_was_not_committed),
		SCENARIO(closing_writes_what_is_queued),
		SCENARIO(a_newer_schema_is_refused_and_left_alone),
		SCENARIO_CLOSED(garbage_is_refused_and_left_alone),
		SCENARIO(a_damaged_page_is_found_at_opening),
		SCENARIO_CLOSED(the_database_of_another_program_is_refused),
		SCENARIO_CLOSED(a_creation_cut_short_is_begun_again),
		SCENARIO_CLOSED(a_link_in_its_place_is_refused),
		SCENARIO_CLOSED(nothing_there_is_enoent_when_only_reading),
		SCENARIO(reading_only_writes_nothing),
		SCENARIO_CLOSED(
			reading_only_after_a_crash_sees_the_wal_and_writes_nothing),
		SCENARIO_CLOSED(a_bad_catalog_is_set_aside_with_its_wal),
		SCENARIO(it_still_opens_readers_when_something_is_mounted_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
