/* SPDX-License-Identifier: EUPL-1.2 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/base/hash.h"
#include "tools/figures/internal.h"

#define MONTH	   (12 * 2026 + 8)
#define FILE_NAME  "months/2026-09.1.json"
#define PETABYTE_S ((uint128)1000000000000000u * 2592000u)

struct place {
	char path[64];
	int fd;
	struct closing closing;
};

/* Two departments and a reserve; more byte-seconds than 64 bits hold. */
static void figures_of(struct report_month *m)
{
	static const struct tier_time rows[] = {
		{ .set = { .n = 1, .member = { 1 } },
		  .tier = TIER_HOT,
		  .byte_seconds = PETABYTE_S },
		{ .set = { .n = 2, .member = { 1, 2 } },
		  .tier = TIER_PACKED,
		  .byte_seconds = 7777777777777u },
		{ .set = { .n = 1, .member = { 2 } },
		  .tier = TIER_LOGICAL,
		  .byte_seconds = 5 },
	};
	static const struct energy_array arrays[] = {
		{ .id = "san",
		  .tiers = 1u << TIER_HOT | 1u << TIER_PACKED,
		  .usable_bytes = UINT64_C(2000000000000000),
		  .measured_mwh = 345600000,
		  .bought = -1 },
		{ .id = "bandes", .tiers = 1u << TIER_ARCHIVE, .disks = 3 },
	};
	const struct energy_input in = { .row = rows,
					 .rows = 3,
					 .seconds = 2592000,
					 .departments = 3,
					 .array = arrays,
					 .arrays = 2 };
	struct coef_set coefs;
	struct error err = ERROR_INIT;

	coef_set_default(&coefs);
	*m = (struct report_month){ .month = MONTH,
				    .known = true,
				    .over = true,
				    .start_s = 1788220800,
				    .end_s = 1790812800,
				    .first_s = -1,
				    .observed_s = 2592000,
				    .disk = { .known = true,
					      .pack_rest_bytes = 7,
					      .found_bytes = UINT64_MAX },
				    .supply = { .renewable_known = true,
						.renewable = 400000,
						.residual = 58700000 } };
	assert_int_equal(energy_month(&coefs, &in, &m->energy, &err), 0);
}

static int arrive(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	(void)snprintf(p->path, sizeof(p->path), "/tmp/sobre-closing-XXXXXX");
	assert_non_null(mkdtemp(p->path));
	p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p->closing = (struct closing){ .version = 1, .closed_s = 1790900000 };
	coef_set_default(&p->closing.coefs);
	figures_of(&p->closing.month);
	*state = p;
	return 0;
}

static int leave(void **state)
{
	struct place *p = *state;

	energy_month_release(&p->closing.month.energy);
	(void)unlinkat(p->fd, FILE_NAME, 0);
	(void)unlinkat(p->fd, "months/2026-09.2.json", 0);
	(void)unlinkat(p->fd, "months", AT_REMOVEDIR);
	(void)close(p->fd);
	(void)rmdir(p->path);
	free(p);
	return 0;
}

static void store(struct place *p)
{
	struct error err = ERROR_INIT;

	if (closing_store(p->fd, &p->closing, &err) < 0)
		fail_msg("%s", err.text);
}

static void a_closed_month_comes_back_to_the_last_unit(void **state)
{
	struct place *p = *state;
	const struct energy_month *was = &p->closing.month.energy;
	struct closing now;
	struct error err = ERROR_INIT;
	char version[2][COEF_VERSION_BYTES];

	assert_int_equal(closing_load(p->fd, MONTH, &now, &err), 0);
	p->closing.coefs.coef[COEF_PRICE].value = 987654;
	store(p);
	assert_int_equal(closing_load(p->fd, MONTH, &now, &err), 1);
	assert_int_equal(now.version, 1);
	assert_int_equal(now.closed_s, 1790900000);
	assert_int_equal(now.month.first_s, -1);
	assert_true(now.month.energy.measured);
	assert_int_equal(now.month.energy.departments, 3);
	for (int i = 0; i < 3; i++)
		assert_memory_equal(&now.month.energy.department[i],
				    &was->department[i],
				    sizeof(struct energy_line));
	assert_memory_equal(&now.month.energy.reserve, &was->reserve,
			    sizeof(struct energy_line));
	assert_memory_equal(&now.month.energy.total, &was->total,
			    sizeof(struct energy_line));
	assert_true(figures_balance(&now.month.energy));
	assert_memory_equal(&now.month.disk, &p->closing.month.disk,
			    sizeof(now.month.disk));
	assert_true(now.month.supply.renewable_known);
	assert_int_equal(now.month.supply.renewable, 400000);
	assert_false(now.month.supply.residual_known);
	assert_int_equal(now.month.energy.arrays, 2);
	assert_memory_equal(now.month.energy.array, was->array,
			    2 * sizeof(was->array[0]));
	coef_set_version(&p->closing.coefs, version[0]);
	coef_set_version(&now.coefs, version[1]);
	assert_string_equal(version[0], version[1]);
	assert_string_equal(now.coefs.coef[COEF_PUE].source,
			    p->closing.coefs.coef[COEF_PUE].source);
	closing_release(&now);
}

/* The file again, without what it says of arrays: as an older sobre did. */
static void forget_arrays(const struct place *p)
{
	char path[96];
	char check[17];
	char *text;
	json_t *root;

	(void)snprintf(path, sizeof(path), "%s/" FILE_NAME, p->path);
	root = json_load_file(path, 0, NULL);
	assert_non_null(root);
	(void)json_object_del(root, "check");
	assert_int_equal(json_object_del(root, "arrays"), 0);
	assert_int_equal(json_object_del(root, "renewable_known"), 0);
	assert_int_equal(json_object_del(root, "disk_known"), 0);
	text = json_dumps(root, JSON_SORT_KEYS | JSON_COMPACT);
	assert_non_null(text);
	(void)snprintf(check, sizeof(check), "%016" PRIx64,
		       hash64(text, strlen(text)));
	(void)json_object_set_new(root, "check", json_string(check));
	assert_int_equal(json_dump_file(root, path, 0), 0);
	json_decref(root);
	free(text);
}

static void a_month_closed_before_arrays_were_told_apart_is_read(void **state)
{
	struct place *p = *state;
	struct closing now;
	struct error err = ERROR_INIT;

	store(p);
	forget_arrays(p);
	if (closing_load(p->fd, MONTH, &now, &err) != 1)
		fail_msg("%s", err.text);
	assert_int_equal(now.month.energy.arrays, 0);
	assert_false(now.month.supply.renewable_known);
	assert_false(now.month.disk.known);
	closing_release(&now);
}

static void a_version_is_written_once(void **state)
{
	struct place *p = *state;
	struct closing now;
	struct error err = ERROR_INIT;

	store(p);
	assert_int_equal(closing_store(p->fd, &p->closing, &err), -EEXIST);
	p->closing.version = 2;
	(void)snprintf(p->closing.reason, sizeof(p->closing.reason),
		       "compteur relu \xc3\xa0 la main");
	store(p);
	assert_int_equal(closing_load(p->fd, MONTH, &now, &err), 1);
	assert_int_equal(now.version, 2);
	assert_string_equal(now.reason, p->closing.reason);
	closing_release(&now);
	assert_int_equal(closing_load_version(p->fd, MONTH, 1, &now, &err), 0);
	assert_string_equal(now.reason, "");
	closing_release(&now);
}

static void failed_checks_are_kept_with_their_numbers(void **state)
{
	struct place *p = *state;
	struct report_checks *failed = &p->closing.month.failed;
	struct closing now;
	struct error err = ERROR_INIT;
	char text[2 * REPORT_REASON_MAX];

	(void)memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	checks_add_numbers(failed, CHECK_DISK, "it differs", UINT64_MAX, 7);
	for (int i = 0; i < 1000; i++)
		checks_add(failed, CHECK_LEDGER, text);
	store(p);
	assert_int_equal(closing_load_last(p->fd, &now, &err), 1);
	assert_int_equal(now.month.failed.n, 1001);
	for (int i = 0; i < REPORT_CHECKS; i++)
		assert_memory_equal(&now.month.failed.check[i],
				    &failed->check[i],
				    sizeof(struct report_check));
	assert_true(now.month.failed.check[0].has_numbers);
	assert_int_equal(now.month.failed.check[0].counted, UINT64_MAX);
	assert_int_equal(now.month.failed.check[0].found, 7);
	closing_release(&now);
}

/* It says so, and is no reason to doubt the file. */
static void a_month_that_did_not_add_up_can_be_read(void **state)
{
	struct place *p = *state;
	struct closing now;
	struct error err = ERROR_INIT;

	p->closing.month.energy.total.mwh.all++;
	p->closing.month.energy.total.mwh.own++;
	store(p);
	assert_int_equal(closing_load(p->fd, MONTH, &now, &err),
			 -SOBRE_ECORRUPT);
	p->closing.version = 2;
	figures_check(&p->closing.month.energy, &p->closing.month.failed);
	assert_int_equal(p->closing.month.failed.n, 3);
	assert_non_null(strstr(p->closing.month.failed.check[0].text, "mWh"));
	store(p);
	assert_int_equal(closing_load(p->fd, MONTH, &now, &err), 1);
	closing_release(&now);
}

static void the_last_closed_month_is_found_among_other_files(void **state)
{
	static const char *const other[] = { "months/2027-13.1.json",
					     "months/2027-01.json",
					     "months/.2027-01.1.json.new",
					     "months/2027-1.1.json" };
	struct place *p = *state;
	struct closing now;
	struct error err = ERROR_INIT;

	assert_int_equal(closing_load_last(p->fd, &now, &err), 0);
	store(p);
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		(void)close(openat(p->fd, other[i], O_WRONLY | O_CREAT, 0600));
	assert_int_equal(closing_load_last(p->fd, &now, &err), 1);
	assert_int_equal(now.month.month, MONTH);
	closing_release(&now);
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		(void)unlinkat(p->fd, other[i], 0);
}

/* Replaces the first of `from`, of the same length. */
static void edit(struct place *p, const char *from, const char *to)
{
	static char text[1 << 20];
	int fd = openat(p->fd, FILE_NAME, O_RDWR | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	char *at;

	assert_true(n > 0);
	text[n] = '\0';
	at = strstr(text, from);
	assert_non_null(at);
	assert_int_equal(strlen(from), strlen(to));
	memcpy(at, to, strlen(to));
	assert_int_equal(pwrite(fd, text, (size_t)n, 0), n);
	(void)close(fd);
}

static void a_changed_file_is_named_and_not_believed(void **state)
{
	struct place *p = *state;
	struct closing now;
	struct error err = ERROR_INIT;

	store(p);
	edit(p, "\"observed_s\": \"2592000\"", "\"observed_s\": \"2592001\"");
	assert_int_equal(closing_load(p->fd, MONTH, &now, &err),
			 -SOBRE_ECORRUPT);
	assert_non_null(strstr(err.text, "2026-09.1.json"));
	edit(p, "\"observed_s\": \"2592001\"", "\"observed_s\": \"2592000\"");
	assert_int_equal(closing_load(p->fd, MONTH, &now, &err), 1);
	closing_release(&now);
	edit(p, "{", "[");
	assert_int_equal(closing_load(p->fd, MONTH, &now, &err),
			 -SOBRE_ECORRUPT);
}

static void what_files_there_were_comes_back(void **state)
{
	const struct report_sum films = { 7, 1, UINT64_C(1) << 60 };
	const struct report_sum old = { 3, 2, 5 };
	struct place *p = *state;
	struct report_survey *s = survey_new(3);
	struct error err = ERROR_INIT;
	struct closing now;

	assert_non_null(s);
	s->taken_s = 1790900000;
	s->city.kind[KIND_MEDIA] = films;
	s->department[2].age[AGE_OLDER] = old;
	p->closing.month.survey = s;
	store(p);
	p->closing.month.survey = NULL;
	assert_int_equal(closing_load(p->fd, MONTH, &now, &err), 1);
	assert_non_null(now.month.survey);
	assert_int_equal(now.month.survey->taken_s, 1790900000);
	assert_int_equal(now.month.survey->departments, 3);
	assert_memory_equal(&now.month.survey->city, &s->city, sizeof(s->city));
	assert_memory_equal(now.month.survey->department, s->department,
			    3 * sizeof(*s->department));
	closing_release(&now);
	survey_free(s);
	edit(p, "\"over_5_years\"", "\"over_6_years\"");
	assert_int_equal(closing_load(p->fd, MONTH, &now, &err),
			 -SOBRE_ECORRUPT);
}

static void lines_that_do_not_add_up_are_seen(void **state)
{
	struct place *p = *state;

	assert_true(figures_balance(&p->closing.month.energy));
	p->closing.month.energy.department[1].use_ug.shared++;
	assert_false(figures_balance(&p->closing.month.energy));
	p->closing.month.energy.department[1].use_ug.shared--;
	p->closing.month.energy.array[1].all.build_ug++;
	assert_false(figures_balance(&p->closing.month.energy));
	p->closing.month.energy.array[1].all.build_ug--;
	p->closing.month.energy.total.own_byte_s++;
	assert_false(figures_balance(&p->closing.month.energy));
}

#define closing_test(f) cmocka_unit_test_setup_teardown(f, arrive, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		closing_test(a_closed_month_comes_back_to_the_last_unit),
		closing_test(
			a_month_closed_before_arrays_were_told_apart_is_read),
		closing_test(a_version_is_written_once),
		closing_test(failed_checks_are_kept_with_their_numbers),
		closing_test(a_month_that_did_not_add_up_can_be_read),
		closing_test(the_last_closed_month_is_found_among_other_files),
		closing_test(a_changed_file_is_named_and_not_believed),
		closing_test(what_files_there_were_comes_back),
		closing_test(lines_that_do_not_add_up_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
