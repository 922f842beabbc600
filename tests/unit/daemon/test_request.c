/* SPDX-License-Identifier: EUPL-1.2 */
/* The requests of reports and rules; test_protocol.c has the others. */
#include "tools/daemon/protocol.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int parse(const char *more, struct request *r)
{
	struct error err = ERROR_INIT;
	char text[16384];

	(void)snprintf(text, sizeof(text), "{\"schema\":1,\"command\":%s}",
		       more);
	return request_parse(text, strlen(text), r, &err);
}

static void refuse(const char *more)
{
	struct request r = { .now = true };

	if (parse(more, &r) != -EPROTO)
		fail_msg("taken: %s", more);
	assert_true(r.now); /* untouched */
}

#define REPORT "\"report\",\"out\":\"/o\",\"month\":24320,\"formats\":7"

static void a_report_needs_place_month_and_format(void **state)
{
	cleanup_request struct request r = { .now = false };

	(void)state;
	assert_int_equal(
		parse(REPORT ",\"lang\":1,\"department\":[117,255]", &r), 0);
	assert_int_equal(r.month, 24320);
	assert_int_equal(r.formats, 7);
	assert_true(r.french);
	assert_string_equal(r.out, "/o");
	assert_string_equal(r.department, "u\xff");
	refuse("\"report\",\"month\":24320,\"formats\":7");
	refuse("\"report\",\"out\":\"o\",\"month\":24320,\"formats\":7");
	refuse("\"report\",\"out\":\"/o\",\"formats\":7");
	refuse("\"report\",\"out\":\"/o\",\"month\":24320");
	refuse("\"report\",\"out\":\"\",\"month\":24320,\"formats\":7");
}

static void numbers_out_of_range_are_refused(void **state)
{
	(void)state;
	refuse("\"status\",\"month\":-1");
	refuse("\"status\",\"month\":120000");
	refuse("\"status\",\"month\":4294967297");
	refuse("\"status\",\"month\":1.5");
	refuse("\"status\",\"month\":\"1\"");
	refuse("\"status\",\"month\":null");
	refuse("\"status\",\"formats\":256");
	refuse("\"status\",\"lang\":2");
	refuse("\"status\",\"lang\":true");
	refuse("\"plan\",\"as_of_day\":2932897");
	refuse("\"plan\",\"as_of_day\":-719163");
	refuse("\"plan\",\"as_of_day\":-2147483648");
	refuse("\"plan\",\"as_of_day\":9223372036854775808");
}

static void texts_that_are_none_are_refused(void **state)
{
	(void)state;
	refuse("\"plan\",\"rule\":7");
	refuse("\"plan\",\"rule\":{}");
	refuse("\"plan\",\"rule\":[0]");
	refuse("\"plan\",\"rule\":[256]");
	refuse("\"plan\",\"rule\":\"a\\u0000b\"");
	refuse("\"plan\",\"policies\":\"rules\"");
	refuse("\"plan\",\"policies\":\"\"");
	refuse(REPORT ",\"policies\":\"../rules\"");
}

static void a_text_too_long_is_refused(void **state)
{
	char more[12000] = "\"plan\",\"rule\":\"";
	size_t len = strlen(more);

	(void)state;
	memset(more + len, 'a', 10000);
	memcpy(more + len + 10000, "\"", 2);
	refuse(more);
}

static void a_plan_without_a_day_is_of_today(void **state)
{
	cleanup_request struct request r = { .now = false };
	cleanup_request struct request first = { .now = false };

	(void)state;
	assert_int_equal(parse("\"plan\",\"rule\":null", &r), 0);
	assert_int_equal(r.as_of_day, INT32_MIN);
	assert_null(r.rule);
	assert_int_equal(parse("\"plan\",\"as_of_day\":0", &first), 0);
	assert_int_equal(first.as_of_day, 0);
}

static void du_needs_a_path(void **state)
{
	cleanup_request struct request r = { .now = false };

	(void)state;
	refuse("\"du\"");
	refuse("\"du\",\"paths\":[]");
	refuse("\"du\",\"paths\":[\"/a\"]");
	assert_int_equal(parse("\"du\",\"paths\":[\"\"]", &r), 0);
}

static void all_fields_come_back(void **state)
{
	cleanup_request struct request r = { .now = false };
	cleanup_request struct request back = { .now = false };
	cleanup_json json_t *value = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(parse(REPORT ",\"policies\":\"/p\",\"rule\":[255],"
				      "\"as_of_day\":-719162,\"lang\":1,"
				      "\"apart\":true,\"umask\":23",
			       &r),
			 0);
	value = request_encode(&r);
	assert_int_equal(request_decode(value, &back, &err), 0);
	assert_int_equal(back.command, REQUEST_REPORT);
	assert_string_equal(back.policies, "/p");
	assert_string_equal(back.rule, "\xff");
	assert_string_equal(back.out, "/o");
	assert_int_equal(back.as_of_day, -719162);
	assert_int_equal(back.month, 24320);
	assert_int_equal(back.formats, 7);
	assert_true(back.french);
	assert_true(back.apart);
	assert_true(back.masked);
	assert_int_equal(back.mask, 027);
}

static void a_charter_is_of_a_year_and_no_month(void **state)
{
	cleanup_request struct request r = { .now = false };
	cleanup_request struct request back = { .now = false };
	cleanup_json json_t *value = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(parse("\"report\",\"out\":\"/o\",\"formats\":5,"
			       "\"charter\":2026",
			       &r),
			 0);
	value = request_encode(&r);
	assert_int_equal(request_decode(value, &back, &err), 0);
	assert_int_equal(back.charter, 2026);
	assert_int_equal(back.month, 0);
	assert_int_equal(parse(REPORT ",\"charter\":2026", &r), -EPROTO);
	assert_int_equal(parse(REPORT ",\"charter\":10000", &r), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_needs_place_month_and_format),
		cmocka_unit_test(numbers_out_of_range_are_refused),
		cmocka_unit_test(texts_that_are_none_are_refused),
		cmocka_unit_test(a_text_too_long_is_refused),
		cmocka_unit_test(a_plan_without_a_day_is_of_today),
		cmocka_unit_test(du_needs_a_path),
		cmocka_unit_test(all_fields_come_back),
		cmocka_unit_test(a_charter_is_of_a_year_and_no_month),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
