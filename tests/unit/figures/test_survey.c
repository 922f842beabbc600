/* SPDX-License-Identifier: EUPL-1.2 */
/* With files of the test's own: linked in the place of the ledger's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/ledger/ledger.h"
#include "tools/figures/internal.h"

#define TODAY 20000
#define NOW_S (TODAY * INT64_C(86400) + 5)

static const struct ledger_file files[] = {
	{ .set = { 1, { 1 } },
	  .hot_bytes = 4096,
	  .used_day = TODAY,
	  .name = "Note.DOCX" },
	{ .set = { 3, { 1, 2, 3 } },
	  .hot_bytes = 512,
	  .used_day = TODAY - 365,
	  .name = "plan.pdf" },
	{ .set = { 2, { 2, 3 } },
	  .packed_bytes = 1001,
	  .exclusive_bytes = 1001,
	  .packed = true,
	  .used_day = TODAY - 4000,
	  .name = "vieux.mov" },
};
static int answer;
static bool more; /* files, too */

static const struct ledger_file others[] = {
	{ .set = { 1, { 3 } },
	  .exclusive_bytes = 11,
	  .used_day = TODAY - 4000,
	  .name = "old.tmp" },
	{ .set = { 1, { 3 } },
	  .exclusive_bytes = 100,
	  .used_day = TODAY - 4000,
	  .name = "old.mov" },
	{ .set = { 1, { 1 } },
	  .exclusive_bytes = 7000,
	  .used_day = TODAY - 400,
	  .name = "a.mov" },
	{ .set = { 1, { 1 } },
	  .hot_bytes = 80000000,
	  .exclusive_bytes = 80000000,
	  .used_day = TODAY,
	  .changed_day = TODAY - 31,
	  .name = "a.docx" },
	{ .set = { 1, { 1 } },
	  .hot_bytes = 80000000,
	  .exclusive_bytes = 80000000,
	  .used_day = TODAY,
	  .changed_day = TODAY - 30,
	  .name = "b.docx" },
};
static const struct ledger_file stub = { .set = { 1, { 2 } },
					 .size_bytes = 4000000,
					 .packed_bytes = 1000000,
					 .packed = true,
					 .used_day = TODAY,
					 .name = "p.pdf" };

int ledger_departments(struct catalog *cat,
		       struct ledger_departments *ret_departments,
		       struct error *err)
{
	(void)cat;
	(void)err;
	*ret_departments = (struct ledger_departments){
		.row = calloc(2, sizeof(struct ledger_department_row)), .n = 2
	};
	assert_non_null(ret_departments->row);
	ret_departments->row[1].number = 3;
	return 0;
}

void ledger_departments_release(struct ledger_departments *departments)
{
	free(departments->row);
}

int ledger_files(struct catalog *cat, ledger_file_fn *each, void *ctx,
		 struct error *err)
{
	(void)cat;
	if (answer < 0)
		return error_set(err, answer, "broken");
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		assert_int_equal(each(ctx, &files[i], err), 0);
	for (size_t i = 0; more && i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(each(ctx, &others[i], err), 0);
	for (int i = 0; more && i < 1000; i++)
		assert_int_equal(each(ctx, &stub, err), 0);
	return 0;
}

static struct report_survey *take(void)
{
	struct report_survey *survey = NULL;
	struct error err = ERROR_INIT;

	assert_int_equal(survey_take(NULL, NOW_S, &survey, &err), 0);
	return survey;
}

static void a_shared_file_counts_in_each_and_its_bytes_once(void **state)
{
	struct report_survey *s = take();
	uint64_t plain = 0;
	uint64_t packed = 0;

	(void)state;
	assert_int_equal(s->taken_s, NOW_S);
	assert_int_equal(s->departments, 4);
	for (uint16_t i = 0; i < s->departments; i++) {
		for (int k = 0; k < REPORT_KINDS; k++) {
			plain += s->department[i].kind[k].plain_bytes;
			packed += s->department[i].kind[k].packed_bytes;
		}
		assert_int_equal(s->department[i].kind[KIND_PDF].files, i > 0);
	}
	assert_int_equal(plain, 4096 + 512);
	assert_int_equal(packed, 1001);
	assert_int_equal(s->city.kind[KIND_PDF].files, 1);
	assert_int_equal(s->city.kind[KIND_PDF].plain_bytes, 512);
	assert_int_equal(s->department[1].kind[KIND_PDF].plain_bytes, 170);
	assert_int_equal(s->department[2].age[AGE_OLDER].packed_bytes, 500);
	assert_int_equal(s->department[3].age[AGE_OLDER].packed_bytes, 501);
	assert_int_equal(s->city.age[AGE_3_YEARS].plain_bytes, 512);
	survey_free(s);
}

static void ages_have_these_bounds(void **state)
{
	(void)state;
	assert_int_equal(age_of(TODAY + 30, TODAY), AGE_3_MONTHS);
	assert_int_equal(age_of(TODAY - 90, TODAY), AGE_3_MONTHS);
	assert_int_equal(age_of(TODAY - 91, TODAY), AGE_12_MONTHS);
	assert_int_equal(age_of(TODAY - 364, TODAY), AGE_12_MONTHS);
	assert_int_equal(age_of(TODAY - 365, TODAY), AGE_3_YEARS);
	assert_int_equal(age_of(TODAY - 1095, TODAY), AGE_3_YEARS);
	assert_int_equal(age_of(TODAY - 1096, TODAY), AGE_5_YEARS);
	assert_int_equal(age_of(TODAY - 1825, TODAY), AGE_5_YEARS);
	assert_int_equal(age_of(TODAY - 1826, TODAY), AGE_OLDER);
	assert_int_equal(age_of(INT32_MIN, TODAY), AGE_OLDER);
}

static void the_ending_says_the_kind(void **state)
{
	static const struct {
		const char *name;
		enum report_kind kind;
	} names[] = {
		{ "a.3gp", KIND_MEDIA },
		{ "a.zst", KIND_ZIP },
		{ "a.b.XLSX", KIND_SHEET },
		{ "r\xc3\xa9union.odp", KIND_SLIDES },
		{ "x.pst", KIND_MAIL },
		{ "x.accdb", KIND_DATABASE },
		{ "x.JPEG", KIND_IMAGE },
		{ ".pdf", KIND_OTHER },
		{ "pdf", KIND_OTHER },
		{ "a.", KIND_OTHER },
		{ "", KIND_OTHER },
		{ "a.pdf.bak", KIND_OTHER },
		{ "a.qqqqqqqqqqqqqqqqqqqqqqqqqqqqq", KIND_OTHER },
		{ "a.docx", KIND_TEXT },
		{ "a.aac", KIND_MEDIA },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(kind_of(names[i].name), names[i].kind);
}

static void what_could_be_done_is_told_once(void **state)
{
	struct report_survey *s = take();
	uint64_t found = 0;

	(void)state;
	/* The note is young, the others are of several. */
	for (int i = 0; i < REPORT_ACTIONS; i++)
		found += s->city.action[i].files;
	assert_int_equal(found, 0);
	survey_free(s);
	more = true;
	s = take();
	assert_int_equal(s->city.action[ACTION_TEMPORARY].gain_bytes, 11);
	assert_int_equal(s->city.action[ACTION_UNUSED].gain_bytes, 100);
	assert_int_equal(s->city.action[ACTION_MEDIA].gain_bytes, 7000);
	assert_int_equal(s->city.action[ACTION_ZIP].files, 0);
	assert_int_equal(s->department[3].action[ACTION_UNUSED].files, 1);
	assert_int_equal(s->department[1].action[ACTION_UNUSED].files, 0);
	/* Packing takes a quarter: three quarters of 80 MB. */
	assert_in_range(s->city.action[ACTION_PACK].gain_bytes, 59000000,
			60000000);
	assert_int_equal(s->city.action[ACTION_PACK].files, 1);
	survey_free(s);
	more = false;
}

static void programs_leave_files_of_these_names(void **state)
{
	static const char *const left[] = { "~$note.docx", ".~lock.a.odt#",
					    "a.TMP",	   "a.docx.bak",
					    "a.txt~",	   "thumbs.db" };
	static const char *const kept[] = { "a.docx", ".tmp", "~", "old",
					    "a.bak.docx" };

	(void)state;
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++)
		assert_true(name_is_temporary(left[i]));
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		assert_false(name_is_temporary(kept[i]));
}

static void an_error_of_the_ledger_comes_back(void **state)
{
	struct report_survey *survey = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	answer = -EAGAIN;
	assert_int_equal(survey_take(NULL, NOW_S, &survey, &err), -EAGAIN);
	answer = 0;
	assert_null(survey);
}

static void a_month_long_over_is_not_surveyed(void **state)
{
	struct report_month m = { .known = true, .end_s = 1000 };

	(void)state;
	assert_true(survey_is_of(&m, 1000 + 30 * 86400));
	assert_false(survey_is_of(&m, 1000 + 31 * 86400));
	m.version = 1;
	assert_false(survey_is_of(&m, 1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_shared_file_counts_in_each_and_its_bytes_once),
		cmocka_unit_test(ages_have_these_bounds),
		cmocka_unit_test(the_ending_says_the_kind),
		cmocka_unit_test(what_could_be_done_is_told_once),
		cmocka_unit_test(programs_leave_files_of_these_names),
		cmocka_unit_test(an_error_of_the_ledger_comes_back),
		cmocka_unit_test(a_month_long_over_is_not_surveyed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
