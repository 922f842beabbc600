/* SPDX-License-Identifier: EUPL-1.2 */
/* Several arrays, each with its meter, its life and its reserve. */
#include "tests/unit/energy/support.h"

#define HOT	(1u << TIER_HOT)
#define PACKED	(1u << TIER_PACKED)
#define ARCHIVE (1u << TIER_ARCHIVE)
#define ALL	(HOT | PACKED | ARCHIVE)
#define YEARS_5 (INT64_C(43800) * 3600)
#define GBH(n)	((uint128)(n)*GB * HOUR)

enum {
	OTHER,
	URB,
	DEJ,
	N
};

static const struct energy_line *line_of(const struct energy_month *m,
					 unsigned int i)
{
	return i < m->departments ? &m->department[i] : &m->reserve;
}

/* URB 600 GB.h hot, DEJ 200 packed, URB and DEJ 400 archived. */
static struct energy_input two_arrays(struct tier_time row[3],
				      struct energy_array array[2])
{
	row[0] = row_of(TIER_HOT, GBH(600), 1, URB, 0, 0);
	row[1] = row_of(TIER_PACKED, GBH(200), 1, DEJ, 0, 0);
	row[2] = row_of(TIER_ARCHIVE, GBH(400), 2, URB, DEJ, 0);
	array[0] = (struct energy_array){ .id = "san",
					  .tiers = HOT | PACKED,
					  .usable_bytes = (uint64_t)(2 * GB),
					  .measured_mwh = 144000,
					  .fabrication_kg = 730000,
					  .life_s = YEARS_5,
					  .bought = 24280 };
	array[1] = (struct energy_array){ .id = "vault",
					  .tiers = ARCHIVE,
					  .usable_bytes = (uint64_t)(4 * GB),
					  .measured_mwh = 28800,
					  .fabrication_kg = 365000,
					  .life_s = YEARS_5 };
	return (struct energy_input){ .row = row,
				      .rows = 3,
				      .seconds = MONTH_S,
				      .departments = N,
				      .array = array,
				      .arrays = 2 };
}

/* 252 Wh for 1,440 GB.h on the first, 50.4 Wh for 2,880 on the second: 0.175
 * and 0.0175 Wh a GB.h. */
static void each_array_has_its_own_meter_and_reserve(void **state)
{
	struct tier_time row[3];
	struct energy_array array[2];
	struct energy_input in = two_arrays(row, array);
	struct energy_month m = default_month(&in);

	(void)state;
	assert_int_equal(m.department[URB].mwh.all, 105000 + 3500);
	assert_int_equal(m.department[URB].mwh.own, 105000);
	assert_int_equal(m.department[URB].mwh.shared, 3500);
	assert_int_equal(m.department[DEJ].mwh.all, 35000 + 3500);
	assert_int_equal(m.reserve.mwh.all, 112000 + 43400);
	assert_int_equal(m.total.mwh.all, 302400);
	assert_int_equal(m.arrays, 2);
	assert_string_equal(m.array[0].id, "san");
	assert_int_equal(m.array[0].all.mwh, 252000);
	assert_int_equal(m.array[0].reserve.mwh, 112000);
	assert_int_equal(m.array[1].all.mwh, 50400);
	assert_int_equal(m.array[1].reserve.mwh, 43400);
	assert_wide(m.array[0].stored_byte_s, GBH(800));
	assert_wide(m.array[0].reserve_byte_s, GBH(640));
	assert_wide(m.array[1].stored_byte_s, GBH(400));
	assert_wide(m.array[1].reserve_byte_s, GBH(2480));
	/* 730 g and 365 g in 43,800 h; 720 h are 12 and 6 g */
	assert_int_equal(m.array[0].all.build_ug, 12000000);
	assert_int_equal(m.array[1].all.build_ug, 6000000);
	assert_int_equal(m.array[0].te_ug, 730000000);
	assert_int_equal(m.array[0].bought, 24280);
	assert_int_equal(m.measured_mwh, 172800);
	assert_true(m.measured);
	energy_month_release(&m);
}

/* One of three GB is on the first, whatever its meter says. */
static void a_tier_on_two_arrays_is_spread_by_their_size(void **state)
{
	struct tier_time row = row_of(TIER_HOT, GBH(720), 1, URB, 0, 0);
	const struct energy_array array[] = {
		{ .id = "a",
		  .tiers = ALL,
		  .usable_bytes = (uint64_t)GB,
		  .measured_mwh = 72000 },
		{ .id = "b",
		  .tiers = ALL,
		  .usable_bytes = (uint64_t)(2 * GB),
		  .measured_mwh = 14400 },
	};
	const struct energy_input in = { .row = &row,
					 .rows = 1,
					 .seconds = MONTH_S,
					 .departments = N,
					 .array = array,
					 .arrays = 2 };
	struct energy_month m = default_month(&in);

	(void)state;
	assert_wide(m.array[0].stored_byte_s, GBH(240));
	assert_wide(m.array[1].stored_byte_s, GBH(480));
	/* each a third full: 126 and 25.2 Wh */
	assert_int_equal(m.department[URB].mwh.all, 42000 + 8400);
	assert_int_equal(m.reserve.mwh.all, 84000 + 16800);
	energy_month_release(&m);
}

static void one_array_by_name_is_as_one_without(void **state)
{
	struct tier_time row[3];
	struct energy_array array[2];
	struct energy_input in = two_arrays(row, array);
	struct energy_month a;
	struct energy_month b;

	(void)state;
	array[0].tiers = ALL;
	in.arrays = 1;
	a = default_month(&in);
	in.arrays = 0;
	in.usable_bytes = array[0].usable_bytes;
	in.measured_mwh = array[0].measured_mwh;
	in.fabrication_kg = array[0].fabrication_kg;
	in.life_s = array[0].life_s;
	b = default_month(&in);
	for (unsigned int i = 0; i <= N; i++)
		assert_memory_equal(line_of(&a, i), line_of(&b, i),
				    sizeof(struct energy_line));
	assert_int_equal(a.uncertainty, b.uncertainty);
	assert_int_equal(b.arrays, 1);
	assert_string_equal(b.array[0].id, "");
	energy_month_release(&a);
	energy_month_release(&b);
}

/* 0.1 x 2 x 1 x 1.75 W a TB, whether the disks have a name or not. */
static void disks_with_nothing_but_the_archive_sleep(void **state)
{
	struct tier_time row[3];
	struct energy_array array[2];
	struct energy_input in = two_arrays(row, array);
	struct energy_month m;

	(void)state;
	array[1].measured_mwh = 0;
	array[1].usable_bytes = 0;
	m = default_month(&in);
	assert_int_equal(m.array[1].all.mwh, 140); /* 0.4 TB.h */
	assert_true(m.measured);
	assert_true(m.array[0].uncertainty_energy <
		    m.array[1].uncertainty_energy);
	assert_in_range(m.uncertainty_energy, m.array[0].uncertainty_energy,
			m.array[1].uncertainty_energy);
	energy_month_release(&m);
	in.arrays = 1;
	m = default_month(&in);
	assert_int_equal(m.arrays, 2);
	assert_string_equal(m.array[1].id, "");
	assert_int_equal(m.array[1].all.mwh, 140);
	energy_month_release(&m);
}

/* 1,000 + 24 x 31.11 kg; 1,000 + 12 x 7.68 x 46. */
static void fabrication_follows_the_disks(void **state)
{
	struct tier_time row[3];
	struct energy_array array[2];
	struct energy_input in = two_arrays(row, array);
	struct energy_month m;

	(void)state;
	in.arrays = 1;
	array[0].fabrication_kg = 0;
	array[0].disks = 24;
	m = default_month(&in);
	assert_int_equal(m.array[0].te_ug, UINT64_C(1746640000000));
	assert_int_equal(m.array[0].all.build_ug, UINT64_C(28711890411));
	assert_false(m.build_known);
	assert_in_range(m.array[0].uncertainty_build, 2057200, 2057250);
	energy_month_release(&m);
	array[0].flash = true;
	array[0].disks = 12;
	array[0].disk_bytes = (uint64_t)(7680 * GB);
	m = default_month(&in);
	assert_int_equal(m.array[0].te_ug, UINT64_C(5239360000000));
	energy_month_release(&m);
	array[0].outlived = true;
	m = default_month(&in);
	assert_int_equal(m.array[0].all.build_ug, 0);
	assert_int_equal(m.array[0].te_ug, UINT64_C(5239360000000));
	energy_month_release(&m);
}

static void refused(const struct energy_input *in, const char *what)
{
	struct error err = ERROR_INIT;
	struct energy_month m;
	struct coef_set coefs;

	coef_set_default(&coefs);
	assert_int_equal(energy_month(&coefs, in, &m, &err), -EINVAL);
	if (!strstr(err.text, what))
		fail_msg("%s", err.text);
}

static void arrays_that_cannot_be_are_refused(void **state)
{
	struct tier_time row[3];
	struct energy_array array[2];
	struct energy_input in = two_arrays(row, array);

	(void)state;
	array[0].tiers = HOT;
	refused(&in, "no array holds what is packed");
	array[0].tiers = 0;
	refused(&in, "'san' holds nothing");
	array[0].tiers = 1u << TIER_LOGICAL | ALL;
	refused(&in, "'san' holds nothing");
	array[0].tiers = ALL;
	array[1].usable_bytes = 0;
	refused(&in, "'vault' shares what it holds and has no usable size");
	array[0].tiers = HOT | PACKED;
	array[1].fabrication_kg = -1;
	refused(&in, "fabrication of array 'vault'");
	array[1].fabrication_kg = 0;
	array[1].flash = true;
	array[1].disks = 3;
	refused(&in, "SSDs of array 'vault' without their size");
	in.arrays = ENERGY_ARRAYS_MAX + 1;
	refused(&in, "65 arrays");
}

/* A TB hot and a TB archived for a year, of the first example's arrays: 8,760
 * GB.h times 1,000, 0.175 and 0.0175 Wh. */
static void a_year_asks_the_array_that_holds_it(void **state)
{
	struct tier_time row[3];
	struct energy_array array[2];
	struct energy_input in = two_arrays(row, array);
	struct coef_set coefs;
	struct energy_year hot;
	struct energy_year archived;

	(void)state;
	coef_set_default(&coefs);
	energy_year(&coefs, &in,
		    (const uint128[TIERS]){ [TIER_HOT] = 1000 * GB }, &hot);
	energy_year(&coefs, &in,
		    (const uint128[TIERS]){ [TIER_ARCHIVE] = 1000 * GB },
		    &archived);
	assert_int_equal(hot.mwh, UINT64_C(1533000000));
	assert_int_equal(archived.mwh, UINT64_C(153300000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_array_has_its_own_meter_and_reserve),
		cmocka_unit_test(a_tier_on_two_arrays_is_spread_by_their_size),
		cmocka_unit_test(one_array_by_name_is_as_one_without),
		cmocka_unit_test(disks_with_nothing_but_the_archive_sleep),
		cmocka_unit_test(fabrication_follows_the_disks),
		cmocka_unit_test(arrays_that_cannot_be_are_refused),
		cmocka_unit_test(a_year_asks_the_array_that_holds_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
