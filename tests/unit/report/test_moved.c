/* SPDX-License-Identifier: EUPL-1.2 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/report/sample.h"
#include "tools/report/internal.h"

static struct page page_of(const struct sample *s, unsigned int department)
{
	return (struct page){
		.in = &s->in,
		.month = &s->month[s->in.months - 1],
		.lang = PO_EN,
		.department = department ? &s->department[department] : NULL,
	};
}

static void rows_lead_from_one_month_to_the_next_exactly(void **state)
{
	struct sample *s = sample_new("town");

	(void)state;
	assert_non_null(s);
	for (unsigned int d = 0; d < s->in.departments; d++) {
		const struct page p = page_of(s, d);
		struct moved m;
		int64_t bytes = 0;
		int64_t mwh = 0;

		assert_true(moved_of(&p, &m));
		for (unsigned int i = 0; i < m.n; i++) {
			bytes += m.row[i].bytes;
			mwh += m.row[i].mwh;
		}
		assert_true(m.after > 0);
		assert_int_equal(m.before + bytes, m.after);
		assert_int_equal(m.before_mwh + mwh, m.after_mwh);
	}
	sample_free(s);
}

static void a_cause_has_what_it_changed_of_the_mean(void **state)
{
	struct sample *s = sample_new("town");
	const struct page p = page_of(s, 1);
	const struct report_month *now = p.month;
	const struct report_month *then = now - 1;
	struct moved before;
	struct moved m;
	struct report_flow *flow =
		&s->flows[1].department[1].cause[REPORT_GONE];

	(void)state;
	assert_true(moved_of(&p, &before));
	flow->went_byte_s += (uint128)1000000 * 30 * 86400;
	assert_int_equal(now->end_s - now->start_s, 30 * 86400);
	assert_int_equal(then->end_s - then->start_s, 31 * 86400);
	assert_true(moved_of(&p, &m));
	assert_int_equal(m.row[1].bytes, before.row[1].bytes - 1000000);
	/* Nothing says why that much more is there: it is told so. */
	assert_int_equal(m.n, before.n + 1);
	assert_in_range(m.row[m.n - 2].bytes, 999900, 1000100);
	sample_free(s);
}

static void months_that_do_not_compare_say_nothing(void **state)
{
	struct sample *s = sample_new("town");
	const struct page p = page_of(s, 1);
	struct moved m;

	(void)state;
	s->flows[0].since_s = s->month[s->in.months - 2].start_s;
	assert_true(moved_of(&p, &m));
	s->flows[0].since_s++;
	assert_false(moved_of(&p, &m));
	s->flows[0].since_s--;
	s->month[s->in.months - 2].flows = NULL;
	assert_false(moved_of(&p, &m));
	sample_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_lead_from_one_month_to_the_next_exactly),
		cmocka_unit_test(a_cause_has_what_it_changed_of_the_mean),
		cmocka_unit_test(months_that_do_not_compare_say_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
