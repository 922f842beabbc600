/* SPDX-License-Identifier: EUPL-1.2 */
/* With flows of the test's own: linked in the place of the ledger's. */
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

static const struct ledger_flow rows[] = {
	{ .set = { 1, { 1 } }, .cause = CAUSE_NEW, .byte_seconds = 1000 },
	{ .set = { 3, { 0, 1, 2 } }, .cause = CAUSE_NEW, .byte_seconds = 11 },
	{ .set = { 1, { 1 } },
	  .cause = CAUSE_SHARED,
	  .less = true,
	  .byte_seconds = 7 },
};
static int64_t since_s;
static int answer;

int ledger_flows_get(struct catalog *cat, int32_t month, int64_t now_s,
		     struct ledger_flows *ret_flows, struct error *err)
{
	(void)cat;
	(void)month;
	(void)now_s;
	if (answer < 0)
		return error_set(err, answer, "broken");
	*ret_flows = (struct ledger_flows){ .since_s = since_s,
					    .row = calloc(3, sizeof(rows[0])),
					    .n = 3 };
	assert_non_null(ret_flows->row);
	(void)memcpy(ret_flows->row, rows, sizeof(rows));
	return 0;
}

void ledger_flows_release(struct ledger_flows *flows)
{
	free(flows->row);
}

static int take(struct report_month *m)
{
	const struct figures_source from = { .state_fd = -1 };
	struct error err = ERROR_INIT;

	*m = (struct report_month){ .end_s = 1000,
				    .energy = { .departments = 3 } };
	return flows_take(&from, m, &err);
}

static void sets_are_parted_and_parts_add_up(void **state)
{
	struct report_month m;
	uint128 sum = 0;

	(void)state;
	since_s = 5;
	assert_int_equal(take(&m), 0);
	assert_int_equal(m.flows->since_s, 5);
	for (int i = 0; i < 3; i++)
		sum += m.flows->department[i].cause[REPORT_NEW].came_byte_s;
	assert_int_equal(sum, 1011);
	assert_int_equal(m.flows->city.cause[REPORT_NEW].came_byte_s, 1011);
	assert_int_equal(m.flows->department[1].cause[REPORT_NEW].came_byte_s,
			 1004);
	assert_int_equal(m.flows->department[2].cause[REPORT_NEW].came_byte_s,
			 3);
	assert_int_equal(m.flows->city.cause[REPORT_SHARED].went_byte_s, 7);
	assert_int_equal(m.flows->city.cause[REPORT_SHARED].came_byte_s, 0);
	flows_free(m.flows);
}

static void a_month_before_they_were_counted_has_none(void **state)
{
	struct report_month m;

	(void)state;
	since_s = 1000;
	assert_int_equal(take(&m), 0);
	assert_null(m.flows);
	answer = -EIO;
	assert_int_equal(take(&m), -EIO);
	answer = 0;
}

static void they_come_back_from_json(void **state)
{
	struct report_flows *was = flows_new(2);
	struct report_flows *now;
	json_t *json;

	(void)state;
	assert_non_null(was);
	was->since_s = 1788220800;
	was->city.cause[REPORT_GONE].went_byte_s = ~(uint128)0;
	was->department[1].cause[REPORT_MOVED].came_byte_s = 3;
	json = flows_out(was);
	now = flows_in(json);
	assert_non_null(now);
	assert_int_equal(now->since_s, was->since_s);
	assert_memory_equal(&now->city, &was->city, sizeof(now->city));
	assert_memory_equal(now->department, was->department,
			    2 * sizeof(*now->department));
	flows_free(now);
	json_string_set(
		json_object_get(
			json_object_get(json_object_get(json, "city"), "gone"),
			"went_byte_s"),
		"12x");
	assert_null(flows_in(json));
	json_decref(json);
	flows_free(was);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_are_parted_and_parts_add_up),
		cmocka_unit_test(a_month_before_they_were_counted_has_none),
		cmocka_unit_test(they_come_back_from_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
