/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The worked example of docs/design/footprint.md, to the last digit: a month
 * of 720 hours, three departments, five objects.
 *
 * A 3 GB hot {URB} 0-720 h; B 6 GB hot {URB, DEJ, COM} 0-240 h, then {URB,
 * DEJ}; C 1.2 GB hot {DEJ} 0-360 h, then packed, 0.3 GB; D 10 GB archived
 * {COM}; E 4 GB hot {COM} 480-720 h.
 */
#include "tests/unit/energy/support.h"

enum {
	OTHER,
	URB,
	DEJ,
	COM,
	N
};

#define GBH(gb10, hours) (GB / 10 * (uint128)(gb10)*HOUR * (uint128)(hours))

/* Two rows of what is one set, as two days would give. */
static const struct tier_time *example(unsigned int *ret_n)
{
	static struct tier_time row[14];
	unsigned int n = 0;

	row[n++] = row_of(TIER_HOT, GBH(30, 700), 1, URB, 0, 0);
	row[n++] = row_of(TIER_HOT, GBH(30, 20), 1, URB, 0, 0);
	row[n++] = row_of(TIER_HOT, GBH(60, 240), 3, URB, DEJ, COM);
	row[n++] = row_of(TIER_HOT, GBH(60, 480), 2, URB, DEJ, 0);
	row[n++] = row_of(TIER_HOT, GBH(12, 360), 1, DEJ, 0, 0);
	row[n++] = row_of(TIER_PACKED, GBH(3, 360), 1, DEJ, 0, 0);
	row[n++] = row_of(TIER_ARCHIVE, GBH(100, 720), 1, COM, 0, 0);
	row[n++] = row_of(TIER_HOT, GBH(40, 240), 1, COM, 0, 0);
	/* each has its own file of B; D is not of the array */
	row[n++] = row_of(TIER_LOGICAL, GBH(90, 720), 1, URB, 0, 0);
	row[n++] = row_of(TIER_LOGICAL, GBH(72, 720), 1, DEJ, 0, 0);
	row[n++] = row_of(TIER_LOGICAL, GBH(60, 240), 1, COM, 0, 0);
	row[n++] = row_of(TIER_LOGICAL, GBH(40, 240), 1, COM, 0, 0);
	/* the state directory: the pack and the vault, nothing more */
	row[n++] = row_of(TIER_STATE, GBH(3, 360), 0, 0, 0, 0);
	row[n++] = row_of(TIER_STATE, GBH(100, 720), 0, 0, 0, 0);
	*ret_n = n;
	return row;
}

static struct energy_input example_input(void)
{
	struct energy_input in = { .seconds = MONTH_S,
				   .departments = N,
				   .archive_apart = true };

	in.row = example(&in.rows);
	return in;
}

static const uint64_t activity[N] = { 0, 2 * UINT64_C(12345678901),
				      UINT64_C(12345678901),
				      UINT64_C(12345678901) };

/* 100 Wh measured on an array of 16 GB. */
static struct energy_input measured_input(void)
{
	struct energy_input in = example_input();

	in.measured_mwh = 100000;
	in.usable_bytes = (uint64_t)(16 * GB);
	in.activity_bytes = activity;
	in.fabrication_kg = 730000;
	in.life_s = INT64_C(43800) * 3600;
	return in;
}

/* The table's own devices: the vault is another's. */
static struct energy_input without_archive(struct tier_time row[14])
{
	struct energy_input in = measured_input();
	unsigned int n = 0;

	for (unsigned int i = 0; i < in.rows; i++)
		if (in.row[i].tier != TIER_ARCHIVE)
			row[n++] = in.row[i];
	row[n - 1].byte_seconds = 0;
	in.row = row;
	in.rows = n;
	return in;
}

static void check_tier(const struct energy_month *m, enum tier tier,
		       const unsigned int gbh10[N + 1])
{
	assert_wide(m->department[OTHER].tier_byte_s[tier], 0);
	for (unsigned int i = URB; i < N; i++)
		assert_wide(m->department[i].tier_byte_s[tier],
			    GBH(gbh10[i], 1));
	assert_wide(m->total.tier_byte_s[tier], GBH(gbh10[N], 1));
}

static void byte_hours_of_the_worked_example(void **state)
{
	static const unsigned int hot[] = { 0, 40800, 23520, 14400, 78720 };
	static const unsigned int packed[] = { 0, 0, 1080, 0, 1080 };
	static const unsigned int archive[] = { 0, 0, 0, 72000, 72000 };
	struct energy_input in = example_input();
	struct energy_month m = default_month(&in);

	(void)state;
	check_tier(&m, TIER_HOT, hot);
	check_tier(&m, TIER_PACKED, packed);
	check_tier(&m, TIER_ARCHIVE, archive);
	assert_wide(m.department[URB].own_byte_s,
		    (uint128)UINT64_C(7776000000000000));
	assert_wide(m.department[URB].shared_byte_s, GBH(480 * 10 + 14400, 1));
	assert_wide(m.overhead.own_byte_s, 0);
	assert_wide(m.reserve.own_byte_s, 0);
	energy_month_release(&m);
}

static void check_mwh(const struct energy_month *m, const uint64_t mwh[N],
		      uint64_t total)
{
	for (unsigned int i = 0; i < N; i++)
		assert_int_equal(m->department[i].mwh.all, mwh[i]);
	assert_int_equal(m->total.mwh.all, total);
}

/* 27.846, 16.7895, 12.348 and in all 56.9835 Wh. */
static void energy_by_coefficients_of_the_worked_example(void **state)
{
	static const uint64_t mwh[N] = { 0, 27846, 16790, 12348 };
	static const uint64_t uwh[N] = { 0, 27846000, 16789500, 12348000 };
	struct energy_input in = example_input();
	struct energy_month m = default_month(&in);
	struct coef_set coefs;

	(void)state;
	check_mwh(&m, mwh, 56984);
	assert_false(m.measured);
	assert_int_equal(m.modelled_mwh, 56984);
	energy_month_release(&m);
	/* A thousand times the PUE, to see three decimals more. */
	coef_set_default(&coefs);
	coefs.coef[COEF_W_HDD].value *= 1000;
	coefs.coef[COEF_W_ARCHIVE].value *= 1000;
	m = month_of(&coefs, &in);
	check_mwh(&m, uwh, 56983500);
	energy_month_release(&m);
}

static void check_amounts(const struct energy_month *m, size_t at,
			  const uint64_t want[5])
{
	const struct energy_line *line[5] = { &m->department[URB],
					      &m->department[DEJ],
					      &m->department[COM], &m->reserve,
					      &m->total };

	for (unsigned int i = 0; i < 5; i++) {
		const struct energy_amount *a =
			(const void *)((const char *)line[i] + at);

		assert_int_equal(a->all, want[i]);
		assert_int_equal(a->own + a->shared + a->activity, want[i]);
	}
}

#define CHECK_AMOUNTS(m, member, ...)                            \
	check_amounts((m), offsetof(struct energy_line, member), \
		      (const uint64_t[]){ __VA_ARGS__ })

static void measured_energy_of_the_worked_example(void **state)
{
	struct tier_time row[14];
	struct energy_input in = without_archive(row);
	struct energy_month m = default_month(&in);

	(void)state;
	assert_true(m.measured);
	assert_true(m.build_known);
	assert_wide(m.reserve.own_byte_s, GBH(35400, 1));
	assert_wide(m.total.own_byte_s + m.total.shared_byte_s, GBH(115200, 1));
	CHECK_AMOUNTS(&m, mwh, 63255, 37689, 22969, 51087, 175000);
	CHECK_AMOUNTS(&m, use_ug, 2916065, 1737454, 1058859, 2355122, 8067500);
	CHECK_AMOUNTS(&m, ueur, 10121, 6030, 3675, 8174, 28000);
	CHECK_AMOUNTS(&m, build_ug, 4250000, 2562500, 1500000, 3687500,
		      12000000);
	energy_month_release(&m);
	in.life_s = INT64_C(70080) * 3600;
	m = default_month(&in);
	CHECK_AMOUNTS(&m, build_ug, 2656250, 1601563, 937500, 2304687, 7500000);
	energy_month_release(&m);
}

/* 12145/192, 28945/768, 735/32 and 39235/768 Wh: times 768, whole numbers. */
static void measured_energy_is_the_exact_fraction(void **state)
{
	struct tier_time row[14];
	struct energy_input in = without_archive(row);
	struct energy_month m;

	(void)state;
	in.measured_mwh = UINT64_C(100000) * 768;
	m = default_month(&in);
	CHECK_AMOUNTS(&m, mwh, UINT64_C(12145) * 4 * 1000,
		      UINT64_C(28945) * 1000, UINT64_C(735) * 24 * 1000,
		      UINT64_C(39235) * 1000, UINT64_C(175) * 768 * 1000);
	energy_month_release(&m);
}

static void the_vault_apart_is_not_on_the_meter(void **state)
{
	struct energy_input in = measured_input();
	struct energy_month m = default_month(&in);

	(void)state;
	CHECK_AMOUNTS(&m, mwh, 63255, 37689, 22969 + 2520, 51087,
		      175000 + 2520);
	energy_month_release(&m);
	in.archive_apart = false;
	m = default_month(&in);
	assert_int_equal(m.total.mwh.all, 175000);
	/* 15,180 GB.h on 11,520: no reserve, and no more than there is. */
	assert_int_equal(m.reserve.mwh.all, 0);
	energy_month_release(&m);
}

static uint64_t sci(const struct energy_line *line)
{
	return energy_sci_ug(line->use_ug.all, line->build_ug.all,
			     line->logical_byte_s);
}

/* 796.2295, 597.2158, 767.6578 and with the reserve 1027.3464 g. */
static void sci_of_the_worked_example(void **state)
{
	struct tier_time row[14];
	struct energy_input in = without_archive(row);
	struct energy_month m = default_month(&in);

	(void)state;
	assert_wide(m.department[URB].logical_byte_s, GBH(90, 720));
	assert_wide(m.department[DEJ].logical_byte_s, GBH(72, 720));
	assert_wide(m.department[COM].logical_byte_s, GBH(100, 240));
	/* 7,166,065 / 0.009 and so on, to the microgram. */
	assert_int_equal(sci(&m.department[URB]), 796229444);
	assert_int_equal(sci(&m.department[DEJ]), 597215833);
	assert_int_equal(sci(&m.department[COM]), 767657700);
	assert_int_equal(sci(&m.total), 1027346416);
	assert_int_equal(energy_sci_ug(1, 1, 0), 0);
	energy_month_release(&m);
}

static void set_high(struct coef_set *coefs, enum coef_id id, double by)
{
	struct coef *c = &coefs->coef[id];

	c->high = (micro)((double)c->value * by + 0.5);
}

/* Measured 1.203315, of 5 %, 2.0/1.75 and 51.9/46.1; by coefficients 2.538. */
static void uncertainty_of_the_worked_example(void **state)
{
	struct tier_time row[14];
	struct energy_input in = without_archive(row);
	struct coef_set coefs;
	struct energy_month m;

	(void)state;
	coef_set_default(&coefs);
	coefs.coef[COEF_PUE].high = 2000000;
	m = month_of(&coefs, &in);
	assert_int_equal(m.uncertainty, 1203315);
	/* 2.916 g is between 2.42 and 3.51 */
	assert_int_equal(m.department[URB].use_ug.all * 1000 / 1203315, 2423);
	assert_int_equal(
		m.department[URB].use_ug.all * 1203315 / 1000000 / 1000, 3508);
	assert_int_equal(m.uncertainty_build, 1000000);
	energy_month_release(&m);
	coefs.coef[COEF_PUE].high = 2500000;
	set_high(&coefs, COEF_KAPPA, 2);
	set_high(&coefs, COEF_RHO, 1.2);
	set_high(&coefs, COEF_CARBON, 1.13);
	in.measured_mwh = 0;
	m = month_of(&coefs, &in);
	assert_in_range(m.uncertainty, 2537500, 2538500);
	energy_month_release(&m);
}

/* COM keeps its copy of B all month: the others have less, no byte moves. */
static void a_sharer_who_leaves_moves_its_part_to_the_others(void **state)
{
	struct tier_time row[14];
	struct energy_input in = without_archive(row);
	struct energy_month m;

	(void)state;
	for (unsigned int i = 0; i < in.rows; i++)
		if (row[i].set.n == 2)
			row[i].set = (struct dept_set){
				.n = 3, .member = { URB, DEJ, COM }
			};
	m = default_month(&in);
	assert_wide(m.department[URB].tier_byte_s[TIER_HOT], GBH(36000, 1));
	assert_wide(m.department[DEJ].own_byte_s +
			    m.department[DEJ].shared_byte_s,
		    GBH(19800, 1));
	assert_wide(m.department[COM].tier_byte_s[TIER_HOT], GBH(24000, 1));
	assert_wide(m.total.tier_byte_s[TIER_HOT] +
			    m.total.tier_byte_s[TIER_PACKED],
		    GBH(79800, 1));
	assert_wide(m.reserve.own_byte_s, GBH(35400, 1));
	energy_month_release(&m);
}

/* 24 disks of 16 TB, 320 TB usable, 200 TB used, 480 W. */
static void a_whole_array_is_what_its_arithmetic_says(void **state)
{
	struct tier_time row =
		row_of(TIER_HOT, 200000 * GB * (uint128)MONTH_S, 1, URB, 0, 0);
	struct energy_input in = { .row = &row,
				   .rows = 1,
				   .seconds = MONTH_S,
				   .departments = N,
				   .usable_bytes = (uint64_t)(320000 * GB),
				   .measured_mwh = 345600000,
				   .fabrication_kg = 1746640000,
				   .life_s = INT64_C(43800) * 3600 };
	struct energy_month m = default_month(&in);

	(void)state;
	assert_int_equal(m.total.mwh.all, 604800000);
	assert_int_equal(m.department[URB].mwh.all, 378000000);
	assert_int_equal(m.total.ueur.all, 96768000);
	assert_int_equal(m.total.use_ug.all, UINT64_C(27881280000));
	assert_int_equal(m.total.build_ug.all, UINT64_C(28711890411));
	/* 1.89 and 3.024 kWh for a TB provisioned, used */
	assert_int_equal(m.total.mwh.all / 320, 1890000);
	assert_int_equal(m.total.mwh.all / 200, 3024000);
	energy_month_release(&m);
	in.life_s = INT64_C(70080) * 3600;
	m = default_month(&in);
	assert_int_equal(m.total.build_ug.all, UINT64_C(17944931507));
	energy_month_release(&m);
}

/* Drives alone in a hyperscaler's hall, as Cloud Carbon Footprint has it: of
 * the same bytes 106 kWh, 5.7 times less. */
static void drives_alone_are_a_small_part_of_an_array(void **state)
{
	struct tier_time row =
		row_of(TIER_HOT, 200000 * GB * (uint128)MONTH_S, 1, URB, 0, 0);
	struct energy_input in = {
		.row = &row, .rows = 1, .seconds = MONTH_S, .departments = N
	};
	struct error err = ERROR_INIT;
	struct coef_set coefs;
	struct energy_month m;

	(void)state;
	coef_set_default(&coefs);
	assert_int_equal(coef_set_put(&coefs, COEF_RHO, "1", &err), 0);
	assert_int_equal(coef_set_put(&coefs, COEF_KAPPA, "1", &err), 0);
	assert_int_equal(coef_set_put(&coefs, COEF_PUE, "1.135", &err), 0);
	m = month_of(&coefs, &in);
	assert_int_equal(m.total.mwh.all, 106236000);
	assert_int_equal(604800000 * UINT64_C(10) / m.total.mwh.all, 56);
	energy_month_release(&m);
}

static void the_drives_own_is_what_packs_leave_of_the_state(void **state)
{
	const struct tier_time row[] = {
		row_of(TIER_PACKED, 700, 2, URB, DEJ, 0),
		row_of(TIER_PACKED, 30, 0, 0, 0, 0),
		row_of(TIER_ARCHIVE, 200, 1, COM, 0, 0),
		row_of(TIER_STATE, 1000, 0, 0, 0, 0),
		row_of(TIER_HOT, 5, 0, 0, 0, 0),
	};
	struct energy_input in = {
		.row = row, .rows = 4, .seconds = 1, .departments = N
	};
	struct energy_month m = default_month(&in);

	(void)state;
	assert_wide(m.overhead.tier_byte_s[TIER_STATE], 70);
	assert_wide(m.overhead.own_byte_s, 100);
	assert_wide(m.total.own_byte_s + m.total.shared_byte_s, 1000);
	energy_month_release(&m);
	in.rows = 3; /* never measured */
	m = default_month(&in);
	assert_wide(m.overhead.own_byte_s, 30);
	energy_month_release(&m);
	in.rows = 5;
	m = default_month(&in);
	assert_wide(m.overhead.tier_byte_s[TIER_HOT], 5);
	assert_wide(m.overhead.own_byte_s, 105);
	energy_month_release(&m);
}

static void an_array_past_its_life_has_no_fabrication(void **state)
{
	struct energy_input in = measured_input();
	struct energy_month m;

	(void)state;
	in.archive_apart = false;
	in.outlived = true;
	m = default_month(&in);
	assert_int_equal(m.total.build_ug.all, 0);
	assert_true(m.total.use_ug.all > 0);
	energy_month_release(&m);
}

/* 320 TB x 2.5 / 15 TB = 53.33 disks of 31.11 kg, and 1,000 kg: 2,659.2 kg
 * in 5 years; a TB alone, on disks: 31.11 x 2.5 / 15 = 5.185 kg. */
static void fabrication_not_known_is_by_coefficients(void **state)
{
	struct tier_time row =
		row_of(TIER_HOT, 1000 * GB * (uint128)MONTH_S, 1, URB, 0, 0);
	struct energy_input in = { .row = &row,
				   .rows = 1,
				   .seconds = INT64_C(365) * 24 * 3600,
				   .departments = N };
	struct energy_month m;

	(void)state;
	row.byte_seconds = 1000 * GB * (uint128)in.seconds;
	m = default_month(&in);
	assert_false(m.build_known);
	assert_int_equal(m.total.build_ug.all, UINT64_C(1037000000));
	energy_month_release(&m);
	in.flash = true;
	m = default_month(&in);
	/* 1.2 x 2.5 x 2.4 x 1.75 = 12.6 W */
	assert_int_equal(m.total.mwh.all, 12600 * 8760);
	assert_int_equal(m.total.build_ug.all, UINT64_C(46000000000) / 2);
	energy_month_release(&m);
	in.flash = false;
	in.usable_bytes = (uint64_t)(320000 * GB);
	m = default_month(&in);
	assert_int_equal(m.total.build_ug.all, UINT64_C(531840000000));
	assert_int_equal(m.department[URB].build_ug.all, 1662000000);
	energy_month_release(&m);
}

static void rows_no_ledger_writes_are_refused(void **state)
{
	struct tier_time row = row_of(TIER_HOT, 1, 1, N, 0, 0);
	struct energy_input in = {
		.row = &row, .rows = 1, .seconds = 1, .departments = N
	};
	struct energy_month m;
	struct coef_set coefs;
	struct error err = ERROR_INIT;

	(void)state;
	coef_set_default(&coefs);
	assert_int_equal(energy_month(&coefs, &in, &m, &err), -EINVAL);
	row = row_of(TIER_HOT, 1, 2, COM, URB, 0);
	assert_int_equal(energy_month(&coefs, &in, &m, &err), -EINVAL);
	row = row_of(TIER_HOT, 1, 2, URB, URB, 0);
	assert_int_equal(energy_month(&coefs, &in, &m, &err), -EINVAL);
	row = row_of(TIER_HOT, 1, SET_MEMBERS_MAX + 1, 0, 1, 2);
	assert_int_equal(energy_month(&coefs, &in, &m, &err), -EINVAL);
	row = row_of(TIERS, 1, 1, URB, 0, 0);
	assert_int_equal(energy_month(&coefs, &in, &m, &err), -EINVAL);
	row = row_of(TIER_HOT, 1, 1, URB, 0, 0);
	in.seconds = -1;
	assert_int_equal(energy_month(&coefs, &in, &m, &err), -EINVAL);
	in.seconds = 1;
	coefs.coef[COEF_LIFE].value = 0;
	assert_int_equal(energy_month(&coefs, &in, &m, &err), -EINVAL);
}

/* Nothing wraps: the biggest there is, in every place. */
static void what_does_not_fit_is_said(void **state)
{
	struct tier_time row[2] = { row_of(TIER_HOT, ~(uint128)0, 1, URB, 0, 0),
				    row_of(TIER_HOT, 1, 1, DEJ, 0, 0) };
	uint64_t bytes[N] = { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX };
	struct energy_input in = { .row = row,
				   .rows = 2,
				   .seconds = INT64_MAX,
				   .departments = N,
				   .activity_bytes = bytes,
				   .usable_bytes = UINT64_MAX,
				   .measured_mwh = UINT64_MAX,
				   .fabrication_kg = INT64_MAX,
				   .life_s = INT64_MAX };
	struct coef_set coefs;
	struct energy_month m;
	struct error err = ERROR_INIT;

	(void)state;
	coef_set_default(&coefs);
	assert_int_equal(energy_month(&coefs, &in, &m, &err), -EOVERFLOW);
	in.rows = 1;
	assert_int_equal(energy_month(&coefs, &in, &m, &err), -EOVERFLOW);
	coefs.coef[COEF_CARBON].value = 1000000 * MICRO;
	coefs.coef[COEF_PRICE].value = 1000000 * MICRO;
	assert_int_equal(energy_month(&coefs, &in, &m, &err), -EOVERFLOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(byte_hours_of_the_worked_example),
		cmocka_unit_test(energy_by_coefficients_of_the_worked_example),
		cmocka_unit_test(measured_energy_of_the_worked_example),
		cmocka_unit_test(measured_energy_is_the_exact_fraction),
		cmocka_unit_test(the_vault_apart_is_not_on_the_meter),
		cmocka_unit_test(sci_of_the_worked_example),
		cmocka_unit_test(uncertainty_of_the_worked_example),
		cmocka_unit_test(
			a_sharer_who_leaves_moves_its_part_to_the_others),
		cmocka_unit_test(a_whole_array_is_what_its_arithmetic_says),
		cmocka_unit_test(drives_alone_are_a_small_part_of_an_array),
		cmocka_unit_test(
			the_drives_own_is_what_packs_leave_of_the_state),
		cmocka_unit_test(an_array_past_its_life_has_no_fabrication),
		cmocka_unit_test(fabrication_not_known_is_by_coefficients),
		cmocka_unit_test(rows_no_ledger_writes_are_refused),
		cmocka_unit_test(what_does_not_fit_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
