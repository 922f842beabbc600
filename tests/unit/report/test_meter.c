/* SPDX-License-Identifier: EUPL-1.2 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tools/report/report.h"

#define DAY INT64_C(86400)

/* 30 days, all of them measured. */
static struct energy_array_month fine(void)
{
	return (struct energy_array_month){
		.id = "san",
		.seconds = 30 * DAY,
		.measured = true,
		.modelled_mwh = 500,
		.all = { .mwh = 700 },
		.meter = { .there = true,
			   .covered_s = 30 * DAY,
			   .readings = 100 },
	};
}

static void is(const struct energy_array_month *a, enum report_meter what,
	       const char *name, const char *says)
{
	char text[REPORT_METER_MAX] = "";

	assert_int_equal(report_meter_of(a), what);
	assert_string_equal(report_meter_name(what), name);
	assert_int_equal(report_meter_say(a, PO_EN, text), *says != '\0');
	if (!strstr(text, says))
		fail_msg("%s", text);
}

static void a_whole_month_of_readings_is_fine(void **state)
{
	struct energy_array_month a = fine();

	(void)state;
	is(&a, METER_FINE, "fine", "");
	a.meter.there = false;
	a.meter.covered_s = 0;
	a.measured = false;
	is(&a, METER_FINE, "fine", "");
	a = fine();
	a.seconds = 0; /* its first second */
	a.meter.covered_s = 0;
	is(&a, METER_FINE, "fine", "");
}

static void what_a_meter_lacks_has_a_name_and_a_sentence(void **state)
{
	struct energy_array_month a = fine();

	(void)state;
	a.meter.covered_s = 29 * DAY;
	a.meter.gaps = 2;
	a.meter.longest_gap_s = 3599;
	is(&a, METER_FINE, "fine", "");
	a.meter.longest_gap_s = DAY / 2;
	is(&a, METER_GAPS, "gaps",
	   "array san has no reading for 1 day in all, 12 h at the longest");
	a.meter.falls = 1;
	is(&a, METER_FELL, "fell", "array san went backwards");
	a.all.mwh = 50500;
	is(&a, METER_UNLIKELY, "unlikely", "says 101 times what the coef");
	a.all.mwh = 4;
	is(&a, METER_UNLIKELY, "unlikely", "says 125 times less than the");
	a.measured = false;
	is(&a, METER_ZERO, "zero", "says that nothing was drawn");
	a.meter.covered_s = 26 * DAY;
	is(&a, METER_PART, "part", "covers 26 days of the month only");
	a.meter.covered_s = 0;
	is(&a, METER_SILENT, "silent", "measured nothing of this month");
}

static void the_longest_id_has_room(void **state)
{
	struct energy_array_month a = fine();
	char text[REPORT_METER_MAX];

	(void)state;
	memset(a.id, 'x', sizeof(a.id) - 1);
	a.meter.falls = 1;
	assert_true(report_meter_say(&a, PO_EN, text));
	assert_non_null(strstr(text, "like the rest."));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_month_of_readings_is_fine),
		cmocka_unit_test(what_a_meter_lacks_has_a_name_and_a_sentence),
		cmocka_unit_test(the_longest_id_has_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
