/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/tmpdrive.h"

#define BYTES 300000

static bool stop_now;

static json_t *run(struct tmpdrive *t, struct request *request, int expected)
{
	const struct setup_paths none = { .config = NULL };
	CLEANUP(setup_free) struct setup *setup = NULL;
	struct command_env env = { .drive = t->drive,
				   .clock = clock_real(),
				   .stop = &stop_now };
	struct error err = ERROR_INIT;
	json_t *result;

	assert_int_equal(setup_load(&none, -1, setup_say, NULL, &setup, &err),
			 0);
	env.setup = setup;
	result = command_run(&env, request, &err);

	assert_int_equal(err.code, expected);
	assert_true((result != NULL) == (expected == 0));
	if (result)
		assert_int_equal(
			json_integer_value(json_object_get(result, "schema")),
			1);
	return result;
}

/* The command on one path. */
static json_t *on(struct tmpdrive *t, enum request_command command,
		  const char *path, int expected)
{
	cleanup_request struct request request = { .command = command,
						   .now = true };
	struct error err = ERROR_INIT;

	assert_int_equal(request_add_path(&request, path, &err), 0);
	return run(t, &request, expected);
}

static json_int_t number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static void pack_tells_bytes_and_what_was_left_out(void **state)
{
	struct tmpdrive t;
	cleanup_json json_t *r = NULL;
	const json_t *left_out;

	(void)state;
	tmpdrive_open(&t);
	tmpdrive_write(&t, "a", BYTES, 1);
	tmpdrive_write(&t, "b", BYTES, 1);
	tmpdrive_write(&t, "empty", 0, 1);
	assert_int_equal(mkfifoat(t.lower_fd, "fifo", 0600), 0);
	r = on(&t, REQUEST_PACK, "", 0);
	assert_int_equal(number(r, "packed"), 2);
	assert_int_equal(number(r, "logical_bytes"), 2 * BYTES);
	assert_true(number(r, "freed_bytes") >= 2 * BYTES);
	assert_true(number(r, "stored_bytes") > 0);
	assert_true(number(r, "stored_bytes") < 2 * BYTES);
	left_out = json_object_get(r, "left_out");
	assert_int_equal(number(left_out, "empty"), 1);
	assert_int_equal(number(left_out, "not_file"), 1);
	assert_null(json_object_get(r, "error"));
	tmpdrive_remove(&t);
}

static void explain_tells_a_packed_file_from_a_plain_one(void **state)
{
	struct tmpdrive t;
	cleanup_json json_t *packed = NULL;
	cleanup_json json_t *plain = NULL;

	(void)state;
	tmpdrive_open(&t);
	tmpdrive_write(&t, "a", BYTES, 1);
	tmpdrive_write(&t, "b", BYTES, 2);
	json_decref(on(&t, REQUEST_PACK, "a", 0));
	packed = on(&t, REQUEST_EXPLAIN, "a", 0);
	assert_string_equal(text(packed, "state"), "packed");
	assert_int_equal(strlen(text(packed, "content")), 32);
	assert_int_equal(number(packed, "same_content"), 1);
	assert_int_equal(number(packed, "lower_bytes"), 0);
	plain = on(&t, REQUEST_EXPLAIN, "b", 0);
	assert_string_equal(text(plain, "state"), "plain");
	assert_string_equal(text(plain, "would"), "young");
	assert_true(number(plain, "cold_at_s") > 0);
	tmpdrive_remove(&t);
}

static void a_name_that_is_not_utf8_survives(void **state)
{
	struct tmpdrive t;
	cleanup_json json_t *r = NULL;
	cleanup_free char *name = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	tmpdrive_open(&t);
	tmpdrive_write(&t, "lat\xe9n", BYTES, 1);
	r = on(&t, REQUEST_EXPLAIN, "lat\xe9n", 0);
	assert_int_equal(
		json_to_name(json_object_get(r, "path"), 100, &name, &err), 0);
	assert_string_equal(name, "lat\xe9n");
	tmpdrive_remove(&t);
}

static void what_is_not_there_is_an_error(void **state)
{
	struct tmpdrive t;

	(void)state;
	tmpdrive_open(&t);
	assert_null(on(&t, REQUEST_EXPLAIN, "missing", -ENOENT));
	assert_null(on(&t, REQUEST_PACK, ".sobre", -ENOENT));
	assert_null(on(&t, REQUEST_UNPACK, ".sobre/drive", -ENOENT));
	assert_null(on(&t, REQUEST_EXPLAIN, ".sobre/drive", -ENOENT));
	tmpdrive_remove(&t);
}

static void unpack_gives_the_bytes_back(void **state)
{
	struct tmpdrive t;
	cleanup_json json_t *r = NULL;

	(void)state;
	tmpdrive_open(&t);
	tmpdrive_write(&t, "a", BYTES, 1);
	tmpdrive_write(&t, "b", BYTES, 2);
	json_decref(on(&t, REQUEST_PACK, "a", 0));
	assert_true(tmpdrive_is_stub(&t, "a"));
	r = on(&t, REQUEST_UNPACK, "", 0);
	assert_int_equal(number(r, "unpacked"), 1);
	assert_int_equal(number(r, "bytes"), BYTES);
	assert_int_equal(number(r, "failed"), 0);
	assert_false(tmpdrive_is_stub(&t, "a"));
	assert_true(tmpdrive_reads(&t, "a", BYTES, 1));
	tmpdrive_remove(&t);
}

static void status_counts_what_is_packed(void **state)
{
	struct request request = { .command = REQUEST_STATUS };
	struct error err = ERROR_INIT;
	cleanup_json json_t *r = NULL;
	struct tmpdrive t;

	(void)state;
	tmpdrive_open(&t);
	tmpdrive_write(&t, "a", BYTES, 1);
	json_decref(on(&t, REQUEST_PACK, "a", 0));
	assert_int_equal(catalog_flush(drive_catalog(t.drive), &err), 0);
	r = run(&t, &request, 0);
	assert_int_equal(number(r, "packed"), 1);
	assert_int_equal(number(r, "packed_bytes"), BYTES);
	assert_true(uuid_text_valid(text(r, "uuid")));
	assert_true(json_is_false(json_object_get(r, "mounted")));
	assert_int_equal(number(json_object_get(r, "store"), "contents"), 1);
	tmpdrive_remove(&t);
}

static void du_tells_each_path_and_can_be_stopped(void **state)
{
	struct tmpdrive t;
	cleanup_json json_t *r = NULL;
	const json_t *one;
	static const bool never = false;
	struct error err = ERROR_INIT;

	(void)state;
	tmpdrive_open(&t);
	tmpdrive_write(&t, "a", BYTES, 1);
	assert_null(on(&t, REQUEST_DU, "a", -ENOENT)); /* not scanned yet */
	assert_int_equal(drive_scan(t.drive, &never, &err), 0);
	r = on(&t, REQUEST_DU, "", 0);
	one = json_array_get(json_object_get(r, "paths"), 0);
	assert_int_equal(number(one, "files"), 1);
	assert_int_equal(number(one, "logical_bytes"), BYTES);
	stop_now = true;
	assert_null(on(&t, REQUEST_DU, "", -ECANCELED));
	stop_now = false;
	tmpdrive_remove(&t);
}

static void put_rules(const char *dir, char path[512])
{
	FILE *f;

	(void)snprintf(path, 512, "%s/10-a.yaml", dir);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs("rules:\n"
			  "  - { id: tmp, label: Temporary, source: S,\n"
			  "      personal: no, names: [\"*.tmp\"],\n"
			  "      then: flag, mode: simulation }\n",
			  f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* The rules end before what was gathered with them does. */
static void a_report_takes_rules_of_its_own(void **state)
{
	struct request request = { .command = REQUEST_REPORT, .formats = 4 };
	static const bool never = false;
	char dir[] = "/tmp/sobre-rules-XXXXXX";
	char rule[512];
	char out[512];
	struct error err = ERROR_INIT;
	cleanup_json json_t *r = NULL;
	time_t now = time(NULL);
	struct tmpdrive t;
	struct tm tm;

	(void)state;
	assert_non_null(mkdtemp(dir));
	put_rules(dir, rule);
	tmpdrive_open(&t);
	tmpdrive_write(&t, "a.tmp", BYTES, 1);
	assert_int_equal(drive_scan(t.drive, &never, &err), 0);
	assert_non_null(gmtime_r(&now, &tm));
	request.month = 12 * (tm.tm_year + 1900) + tm.tm_mon;
	request.policies = dir;
	(void)snprintf(out, sizeof(out), "%s/out", t.path);
	request.out = out;
	r = run(&t, &request, 0);
	assert_true(json_array_size(json_object_get(r, "files")) > 0);
	assert_int_equal(unlink(rule), 0);
	assert_int_equal(rmdir(dir), 0);
	tmpdrive_remove(&t);
}

static void upkeep_of_a_sound_drive_finds_nothing(void **state)
{
	struct request fsck = { .command = REQUEST_FSCK };
	struct request scrub = { .command = REQUEST_SCRUB };
	struct request gc = { .command = REQUEST_GC };
	cleanup_json json_t *checked = NULL;
	cleanup_json json_t *scrubbed = NULL;
	cleanup_json json_t *collected = NULL;
	struct tmpdrive t;

	(void)state;
	tmpdrive_open(&t);
	tmpdrive_write(&t, "a", BYTES, 1);
	json_decref(on(&t, REQUEST_PACK, "a", 0));
	checked = run(&t, &fsck, 0);
	assert_int_equal(number(checked, "stubs"), 1);
	assert_int_equal(number(checked, "damage"), 0);
	assert_int_equal(number(checked, "repairable"), 0);
	scrubbed = run(&t, &scrub, 0);
	assert_true(number(scrubbed, "records") > 0);
	assert_int_equal(number(scrubbed, "bad_records"), 0);
	collected = run(&t, &gc, 0);
	assert_int_equal(number(collected, "contents_dropped"), 0);
	assert_true(tmpdrive_reads(&t, "a", BYTES, 1));
	tmpdrive_remove(&t);
}

static bool refuse(void *ctx, const struct command_progress *p)
{
	(void)p;
	++*(int *)ctx;
	return false;
}

static void progress_that_refuses_stops_the_command(void **state)
{
	cleanup_request struct request request = { .command = REQUEST_PACK,
						   .now = true };
	struct error err = ERROR_INIT;
	struct tmpdrive t;
	int calls = 0;
	struct command_env env = { .progress = refuse, .ctx = &calls };

	(void)state;
	tmpdrive_open(&t);
	tmpdrive_write(&t, "a", BYTES, 1);
	tmpdrive_write(&t, "b", BYTES, 2);
	env.drive = t.drive;
	assert_int_equal(request_add_path(&request, "", &err), 0);
	assert_null(command_run(&env, &request, &err));
	assert_int_equal(err.code, -ECANCELED);
	assert_true(calls > 0); /* a batch may tell of more than one */
	tmpdrive_remove(&t);
}

static void rebuild_sets_a_broken_catalog_aside(void **state)
{
	struct command_env env = { .drive = NULL };
	struct error err = ERROR_INIT;
	cleanup_json json_t *r = NULL;
	struct tmpdrive t;
	cleanup_fd int db = -1;

	(void)state;
	tmpdrive_open(&t);
	tmpdrive_write(&t, "a", BYTES, 1);
	json_decref(on(&t, REQUEST_PACK, "a", 0));
	drive_close(take_ptr(&t.drive));
	(void)unlinkat(t.lower_fd, ".sobre/catalog.db-wal", 0);
	db = openat(t.lower_fd, ".sobre/catalog.db", O_WRONLY | O_TRUNC);
	assert_true(db >= 0);
	assert_int_equal(write(db, "this is no database, not at all", 31), 31);
	r = command_rebuild(t.lower_fd, NULL, &env, &err);
	assert_non_null(r);
	assert_int_equal(number(r, "stubs"), 1);
	assert_int_equal(number(r, "damage"), 0);
	tmpdrive_reopen(&t);
	assert_true(tmpdrive_reads(&t, "a", BYTES, 1));
	tmpdrive_remove(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pack_tells_bytes_and_what_was_left_out),
		cmocka_unit_test(explain_tells_a_packed_file_from_a_plain_one),
		cmocka_unit_test(a_name_that_is_not_utf8_survives),
		cmocka_unit_test(what_is_not_there_is_an_error),
		cmocka_unit_test(unpack_gives_the_bytes_back),
		cmocka_unit_test(status_counts_what_is_packed),
		cmocka_unit_test(du_tells_each_path_and_can_be_stopped),
		cmocka_unit_test(a_report_takes_rules_of_its_own),
		cmocka_unit_test(upkeep_of_a_sound_drive_finds_nothing),
		cmocka_unit_test(progress_that_refuses_stops_the_command),
		cmocka_unit_test(rebuild_sets_a_broken_catalog_aside),
	};

	if (!tmpdrive_possible())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
