/* SPDX-License-Identifier: EUPL-1.2 */
/* What must hold whatever the bytes: docs/design/footprint.md, "What holds". */
#include "tests/unit/energy/support.h"

#include <time.h>

#define ROWS_MAX 40
#define N_MAX	 90

/* SOBRE_SEED makes the same again. */
static struct dice some_dice(const char *test)
{
	const char *given = getenv("SOBRE_SEED");
	uint64_t seed =
		given ? strtoull(given, NULL, 10)
		      : (uint64_t)time(NULL) * 1000003 + (uint64_t)clock();

	print_message("%s: SOBRE_SEED=%llu\n", test, (unsigned long long)seed);
	return (struct dice){ .state = seed ? seed : 1 };
}

struct sample {
	struct tier_time row[ROWS_MAX];
	uint64_t activity[N_MAX];
	struct energy_array array[4];
	struct energy_input in;
};

/* `n` different departments of `of`, ascending. */
static void roll_set(struct dice *dice, unsigned int n, unsigned int of,
		     struct dept_set *set)
{
	set->n = 0;
	for (unsigned int d = 0; d < of && n > 0; d++)
		if (roll(dice, of - d) < n) {
			set->member[set->n++] = (uint16_t)d;
			n--;
		}
}

static unsigned int least(uint64_t a, uint64_t b)
{
	return (unsigned int)(a < b ? a : b);
}

/* Of 840 byte-seconds, one to eight have whole numbers: compared exactly. */
#define EXACT	  ((uint128)840000000000)
#define EXACT_SET 7u /* and one more */

static void roll_rows(struct dice *dice, struct sample *s, uint128 unit)
{
	struct energy_input *in = &s->in;

	in->rows = (unsigned int)roll(dice, ROWS_MAX + 1);
	in->row = s->row;
	for (unsigned int i = 0; i < in->rows; i++) {
		struct tier_time *row = &s->row[i];
		unsigned int most = unit == EXACT || roll(dice, 5)
					    ? EXACT_SET
					    : SET_MEMBERS_MAX;
		unsigned int n = least(roll(dice, in->departments + 1u), most);

		*row = (struct tier_time){ .tier = (enum tier)roll(dice,
								   TIERS) };
		row->byte_seconds = unit * roll(dice, UINT32_MAX);
		if (row->tier != TIER_STATE)
			roll_set(dice, n, in->departments, &row->set);
	}
}

/* Some of them with a meter, each tier on one or on several. */
static void roll_arrays(struct dice *dice, struct sample *s)
{
	const unsigned int hot = 1u << TIER_HOT;
	const unsigned int packed = 1u << TIER_PACKED;
	const unsigned int archive = 1u << TIER_ARCHIVE;

	s->in.array = s->array;
	s->in.arrays = 1 + (unsigned int)roll(dice, 4);
	for (unsigned int i = 0; i < s->in.arrays; i++)
		s->array[i] = (struct energy_array){
			.tiers = i == 0 ? hot | packed
					: 1 + (unsigned int)roll(
						      dice,
						      hot | packed | archive),
			.usable_bytes = 1 + roll(dice, UINT64_C(1) << 50),
			.measured_mwh =
				roll(dice, 2) ? roll(dice, 1000000000) : 0,
			.fabrication_kg = (micro)roll(dice, 4000000000),
			.disks = (uint32_t)roll(dice, 3),
			.outlived = roll(dice, 5) == 0,
		};
}

static void roll_sample(struct dice *dice, struct sample *s, uint128 unit)
{
	*s = (struct sample){ .in = { .seconds = 2592000 } };
	s->in.departments =
		(uint16_t)(1 + roll(dice, roll(dice, 4) ? 6 : N_MAX));
	roll_rows(dice, s, unit);
	s->in.archive_apart = roll(dice, 2);
	s->in.flash = roll(dice, 2);
	if (roll(dice, 2))
		s->in.measured_mwh = 1 + roll(dice, 1000000000);
	if (roll(dice, 2))
		s->in.usable_bytes = roll(dice, UINT64_C(1) << 50);
	if (roll(dice, 2))
		s->in.fabrication_kg = (micro)roll(dice, 4000000000);
	if (roll(dice, 2))
		s->in.activity_bytes = s->activity;
	for (unsigned int i = 0; i < s->in.departments; i++)
		s->activity[i] = roll(dice, 3) ? roll(dice, UINT32_MAX) : 0;
	if (roll(dice, 2))
		roll_arrays(dice, s);
}

/* Bytes for a month and its energy in whole numbers: a GB, a TB. */
#define SOME_GB ((uint128)UINT64_C(700001))

static const struct energy_line *line_of(const struct energy_month *m,
					 unsigned int i)
{
	if (i == m->departments)
		return &m->overhead;
	return i < m->departments ? &m->department[i] : &m->reserve;
}

static unsigned int lines_of(const struct energy_month *m)
{
	return m->departments + 2u;
}

static const size_t amounts[] = {
	offsetof(struct energy_line, mwh),
	offsetof(struct energy_line, ueur),
	offsetof(struct energy_line, use_ug),
	offsetof(struct energy_line, build_ug),
};

static struct energy_amount amount(const struct energy_line *line, size_t at)
{
	struct energy_amount a;

	memcpy(&a, (const char *)line + at, sizeof(a));
	return a;
}

static void check_sum_of(const struct energy_month *m, size_t at)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < lines_of(m); i++) {
		struct energy_amount a = amount(line_of(m, i), at);

		sum += a.all;
		assert_int_equal(a.own + a.shared + a.activity, a.all);
	}
	assert_int_equal(sum, amount(&m->total, at).all);
}

static void check_arrays(const struct energy_month *m)
{
	struct energy_array_month sum = { .stored_byte_s = 0 };

	for (unsigned int i = 0; i < m->arrays; i++) {
		const struct energy_array_month *a = &m->array[i];

		sum.stored_byte_s += a->stored_byte_s;
		sum.reserve_byte_s += a->reserve_byte_s;
		sum.all.mwh += a->all.mwh;
		sum.all.ueur += a->all.ueur;
		sum.all.use_ug += a->all.use_ug;
		sum.all.build_ug += a->all.build_ug;
		sum.reserve.mwh += a->reserve.mwh;
		sum.reserve.build_ug += a->reserve.build_ug;
		/* 1.75 x measured, to the nearest */
		if (a->measured)
			assert_int_equal(a->all.mwh,
					 (a->measured_mwh * 175 + 50) / 100);
		else
			assert_int_equal(a->all.mwh, a->modelled_mwh);
	}
	assert_wide(sum.reserve_byte_s, m->reserve.own_byte_s);
	assert_wide(sum.stored_byte_s + sum.reserve_byte_s,
		    m->total.own_byte_s + m->total.shared_byte_s);
	assert_int_equal(sum.all.mwh, m->total.mwh.all);
	assert_int_equal(sum.all.ueur, m->total.ueur.all);
	assert_int_equal(sum.all.use_ug, m->total.use_ug.all);
	assert_int_equal(sum.all.build_ug, m->total.build_ug.all);
	assert_int_equal(sum.reserve.mwh, m->reserve.mwh.all);
	assert_int_equal(sum.reserve.build_ug, m->reserve.build_ug.all);
}

/* What went in, and comes out again. */
static void check_bytes(const struct sample *s, const struct energy_month *m)
{
	uint128 in[TIERS] = { 0 };
	uint128 stored = 0;
	uint128 out = 0;

	for (unsigned int i = 0; i < s->in.rows; i++)
		in[s->row[i].tier] += s->row[i].byte_seconds;
	for (unsigned int i = 0; i < lines_of(m); i++)
		out += line_of(m, i)->own_byte_s + line_of(m, i)->shared_byte_s;
	for (unsigned int i = 0; i < TIERS; i++) {
		if (i != TIER_STATE)
			assert_wide(m->total.tier_byte_s[i], in[i]);
		if (i != TIER_LOGICAL)
			stored += m->total.tier_byte_s[i];
	}
	if (in[TIER_STATE] >= in[TIER_PACKED] + in[TIER_ARCHIVE])
		assert_wide(stored, in[TIER_HOT] + in[TIER_STATE]);
	assert_wide(m->total.logical_byte_s, in[TIER_LOGICAL]);
	assert_wide(out, stored + m->reserve.own_byte_s);
}

static void all_lines_add_up_to_the_total(void **state)
{
	struct dice dice = some_dice(__func__);

	(void)state;
	for (int i = 0; i < 400; i++) {
		struct sample s;
		struct energy_month m;

		roll_sample(&dice, &s, SOME_GB * 1000);
		m = default_month(&s.in);
		check_bytes(&s, &m);
		for (unsigned int k = 0; k < 4; k++)
			check_sum_of(&m, amounts[k]);
		check_arrays(&m);
		energy_month_release(&m);
	}
}

static void check_same(const struct energy_month *a,
		       const struct energy_month *b)
{
	assert_int_equal(lines_of(a), lines_of(b));
	for (unsigned int i = 0; i < lines_of(a); i++)
		assert_memory_equal(line_of(a, i), line_of(b, i),
				    sizeof(struct energy_line));
	assert_memory_equal(&a->total, &b->total, sizeof(a->total));
}

/* Rows in another order, some of them in two: a file cut in two. */
static void order_and_splitting_change_nothing(void **state)
{
	struct dice dice = some_dice(__func__);

	(void)state;
	for (int i = 0; i < 200; i++) {
		struct tier_time row[2 * ROWS_MAX];
		unsigned int n = 0;
		struct sample s;
		struct energy_month a;
		struct energy_month b;

		roll_sample(&dice, &s, SOME_GB);
		a = default_month(&s.in);
		for (unsigned int k = 0; k < s.in.rows; k++) {
			unsigned int at = (unsigned int)roll(&dice, n + 1u);

			memmove(row + at + 1, row + at,
				(n++ - at) * sizeof(row[0]));
			row[at] = s.row[k];
			if (row[at].byte_seconds == 0 || roll(&dice, 2))
				continue;
			row[n] = row[at];
			row[n].byte_seconds =
				roll(&dice, (uint64_t)row[at].byte_seconds);
			row[at].byte_seconds -= row[n].byte_seconds;
			n++;
		}
		s.in.row = row;
		s.in.rows = n;
		b = default_month(&s.in);
		check_same(&a, &b);
		energy_month_release(&a);
		energy_month_release(&b);
	}
}

/* Days are whole byte-seconds; energy is rounded in each of them. */
static void a_month_is_the_sum_of_its_days(void **state)
{
	struct dice dice = some_dice(__func__);

	(void)state;
	for (int i = 0; i < 50; i++) {
		uint128 stored[N_MAX + 2] = { 0 };
		uint64_t mwh[N_MAX + 2] = { 0 };
		struct sample s;
		struct energy_month m;

		roll_sample(&dice, &s, EXACT);
		s.in.measured_mwh = 0;
		s.in.usable_bytes = 0;
		s.in.arrays = 0;
		for (unsigned int k = 0; k < s.in.rows; k++)
			if (s.row[k].tier == TIER_STATE)
				s.row[k].byte_seconds = 0;
		for (unsigned int day = 0; day < 30; day++) {
			m = default_month(&s.in);
			for (unsigned int k = 0; k < lines_of(&m); k++) {
				const struct energy_line *l = line_of(&m, k);

				stored[k] += l->own_byte_s + l->shared_byte_s;
				mwh[k] += l->mwh.all;
			}
			energy_month_release(&m);
		}
		for (unsigned int k = 0; k < s.in.rows; k++)
			s.row[k].byte_seconds *= 30;
		m = default_month(&s.in);
		for (unsigned int k = 0; k < lines_of(&m); k++) {
			const struct energy_line *l = line_of(&m, k);

			assert_wide(stored[k],
				    l->own_byte_s + l->shared_byte_s);
			assert_in_range(l->mwh.all + 60, mwh[k], mwh[k] + 120);
		}
		energy_month_release(&m);
	}
}

static bool set_has(const struct dept_set *set, unsigned int d)
{
	for (unsigned int i = 0; i < set->n; i++)
		if (set->member[i] == d)
			return true;
	return false;
}

static void set_drop(struct dept_set *set, unsigned int d)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < set->n; i++)
		if (set->member[i] != d)
			set->member[n++] = set->member[i];
	set->n = (uint16_t)n;
}

static void set_put(struct dept_set *set, unsigned int d)
{
	unsigned int i = set->n++;

	for (; i > 0 && set->member[i - 1] > d; i--)
		set->member[i] = set->member[i - 1];
	set->member[i] = (uint16_t)d;
}

static uint128 stored_of(const struct energy_month *m, unsigned int d)
{
	return m->department[d].own_byte_s + m->department[d].shared_byte_s;
}

/* Two departments become one: its own is theirs, and what only they shared;
 * nobody else pays less, and the whole stays. */
static void merging_departments_keeps_their_own_and_the_whole(void **state)
{
	struct dice dice = some_dice(__func__);

	(void)state;
	for (int i = 0; i < 200; i++) {
		uint128 own = 0;
		struct sample s;
		struct energy_month a;
		struct energy_month b;

		roll_sample(&dice, &s, EXACT);
		if (s.in.departments < 2)
			continue;
		a = default_month(&s.in);
		for (unsigned int k = 0; k < s.in.rows; k++) {
			struct tier_time *row = &s.row[k];
			bool both =
				set_has(&row->set, 0) && set_has(&row->set, 1);

			if (both)
				set_drop(&row->set, 1);
			else if (set_has(&row->set, 1))
				row->set.member[0] = 0;
			if (both && row->set.n == 1 &&
			    row->tier != TIER_LOGICAL)
				own += row->byte_seconds;
		}
		b = default_month(&s.in);
		assert_wide(b.department[0].own_byte_s,
			    own + a.department[0].own_byte_s +
				    a.department[1].own_byte_s);
		assert_wide(stored_of(&b, 1), 0);
		assert_true(stored_of(&b, 0) <=
			    stored_of(&a, 0) + stored_of(&a, 1));
		for (unsigned int d = 2; d < s.in.departments; d++)
			assert_true(stored_of(&b, d) >= stored_of(&a, d));
		assert_int_equal(a.total.mwh.all, b.total.mwh.all);
		energy_month_release(&a);
		energy_month_release(&b);
	}
}

static void another_sharer_never_raises_anyone_else(void **state)
{
	struct dice dice = some_dice(__func__);

	(void)state;
	for (int i = 0; i < 300; i++) {
		struct sample s;
		struct energy_month a;
		struct energy_month b;
		struct dept_set *set;
		unsigned int who;

		roll_sample(&dice, &s, EXACT);
		if (s.in.rows == 0)
			continue;
		set = &s.row[roll(&dice, s.in.rows)].set;
		who = (unsigned int)roll(&dice, s.in.departments);
		if (set->n == 0 || set_has(set, who))
			continue;
		a = default_month(&s.in);
		set_put(set, who);
		b = default_month(&s.in);
		for (unsigned int d = 0; d < s.in.departments; d++) {
			if (d == who)
				continue;
			assert_true(stored_of(&b, d) <= stored_of(&a, d));
			/* one of each array for the rounding */
			assert_true(b.department[d].mwh.all <=
				    a.department[d].mwh.all + a.arrays);
		}
		assert_true(stored_of(&b, who) >= stored_of(&a, who));
		energy_month_release(&a);
		energy_month_release(&b);
	}
}

static void the_total_does_not_depend_on_the_sharing(void **state)
{
	struct dice dice = some_dice(__func__);

	(void)state;
	for (int i = 0; i < 200; i++) {
		struct sample s;
		struct energy_month a;
		struct energy_month b;

		roll_sample(&dice, &s, SOME_GB * 1000);
		a = default_month(&s.in);
		for (unsigned int k = 0; k < s.in.rows; k++)
			if (s.row[k].tier != TIER_STATE)
				roll_set(
					&dice,
					least(1 + roll(&dice, s.in.departments),
					      SET_MEMBERS_MAX),
					s.in.departments, &s.row[k].set);
		b = default_month(&s.in);
		for (unsigned int k = 0; k < 4; k++)
			assert_int_equal(amount(&a.total, amounts[k]).all,
					 amount(&b.total, amounts[k]).all);
		assert_wide(a.total.own_byte_s + a.total.shared_byte_s,
			    b.total.own_byte_s + b.total.shared_byte_s);
		assert_wide(a.reserve.own_byte_s, b.reserve.own_byte_s);
		energy_month_release(&a);
		energy_month_release(&b);
	}
}

/* Whatever the arrays, and whatever is known of them. */
static void arrays_without_a_byte_are_all_reserve(void **state)
{
	struct dice dice = some_dice(__func__);

	(void)state;
	for (int i = 0; i < 200; i++) {
		struct sample s;
		struct energy_month m;

		roll_sample(&dice, &s, EXACT);
		s.in.rows = 0;
		s.in.activity_bytes = NULL;
		m = default_month(&s.in);
		check_arrays(&m);
		for (unsigned int k = 0; k < 4; k++)
			assert_int_equal(amount(&m.reserve, amounts[k]).all,
					 amount(&m.total, amounts[k]).all);
		for (unsigned int d = 0; d < s.in.departments; d++)
			assert_int_equal(m.department[d].mwh.all, 0);
		energy_month_release(&m);
	}
}

/* Nothing read, or nobody who counts: the same month. */
static void a_month_without_activity_is_one_that_is_not_counted(void **state)
{
	struct dice dice = some_dice(__func__);

	(void)state;
	for (int i = 0; i < 200; i++) {
		struct sample s;
		struct energy_month a;
		struct energy_month b;

		roll_sample(&dice, &s, SOME_GB);
		memset(s.activity, 0, sizeof(s.activity));
		s.in.activity_bytes = s.activity;
		a = default_month(&s.in);
		s.in.activity_bytes = NULL;
		b = default_month(&s.in);
		check_same(&a, &b);
		energy_month_release(&a);
		energy_month_release(&b);
	}
}

/* A department more that keeps nothing, with the highest number. */
static void who_keeps_nothing_changes_nothing(void **state)
{
	struct dice dice = some_dice(__func__);

	(void)state;
	for (int i = 0; i < 200; i++) {
		static const struct energy_line nothing;
		struct sample s;
		struct energy_month a;
		struct energy_month b;

		roll_sample(&dice, &s, SOME_GB);
		s.in.activity_bytes = NULL;
		a = default_month(&s.in);
		s.in.departments++;
		b = default_month(&s.in);
		for (unsigned int d = 0; d < a.departments; d++)
			assert_memory_equal(&a.department[d], &b.department[d],
					    sizeof(struct energy_line));
		assert_memory_equal(&b.department[a.departments], &nothing,
				    sizeof(nothing));
		assert_memory_equal(&a.total, &b.total, sizeof(a.total));
		energy_month_release(&a);
		energy_month_release(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_lines_add_up_to_the_total),
		cmocka_unit_test(order_and_splitting_change_nothing),
		cmocka_unit_test(a_month_is_the_sum_of_its_days),
		cmocka_unit_test(
			merging_departments_keeps_their_own_and_the_whole),
		cmocka_unit_test(another_sharer_never_raises_anyone_else),
		cmocka_unit_test(the_total_does_not_depend_on_the_sharing),
		cmocka_unit_test(arrays_without_a_byte_are_all_reserve),
		cmocka_unit_test(
			a_month_without_activity_is_one_that_is_not_counted),
		cmocka_unit_test(who_keeps_nothing_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
