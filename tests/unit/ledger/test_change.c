/* SPDX-License-Identifier: EUPL-1.2 */
/* Departments by the dozen, one inside another, and those that move, merge or
 * end while a month goes on: to the byte-second. */
#include "tests/unit/ledger/support.h"

#define MONTH (2026 * 12 + 8)
#define DAY   (24 * HOUR)
#define MANY  80

static const bool go_on;

static void others(struct world *w, const struct ledger_department *departments,
		   unsigned int n)
{
	world_shut(w);
	w->departments = departments;
	w->n = n;
	world_open(w);
	assert_true(ledger_needs_recharge(w->ledger));
	must(ledger_recharge(w->ledger, &go_on, &w->err));
	assert_balanced(w);
}

static void month_has(struct world *w, enum tier tier, struct dept_set set,
		      uint64_t bytes, int64_t seconds)
{
	uint128 want = (uint128)bytes * (uint64_t)seconds;
	char a[WIDE_TEXT_MAX];
	char b[WIDE_TEXT_MAX];

	assert_string_equal(wide_text(in_month(w, MONTH, tier, set), a),
			    wide_text(want, b));
}

/* Of all sets: whatever departments do, no byte-second comes or goes. */
static void month_sums_to(struct world *w, enum tier tier, uint128 want)
{
	struct ledger_month m = { .n = 0 };
	uint128 sum = 0;
	char a[WIDE_TEXT_MAX];
	char b[WIDE_TEXT_MAX];

	must(ledger_month_get(w->cat, MONTH, atomic_load(&w->now_s), &m,
			      &w->err));
	for (unsigned int i = 0; i < m.n; i++)
		sum += m.row[i].tier == tier ? m.row[i].byte_seconds : 0;
	ledger_month_release(&m);
	assert_string_equal(wide_text(sum, a), wide_text(want, b));
}

/* --- 80 of them ------------------------------------------------------------
 */

struct many {
	struct ledger_department department[MANY];
	char id[MANY][8];
	char path[MANY][8];
	const char *paths[MANY];
};

/* Numbers 1 to 80; directories /d0, inode 200, to /d79. */
static struct many *eighty(struct world *w)
{
	struct many *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	for (unsigned int i = 0; i < MANY; i++) {
		(void)snprintf(m->id[i], sizeof(m->id[i]), "d%u", i);
		(void)snprintf(m->path[i], sizeof(m->path[i]), "/d%u", i);
		m->paths[i] = m->path[i];
		m->department[i] =
			(struct ledger_department){ .id = m->id[i],
						    .name = m->id[i],
						    .paths = &m->paths[i],
						    .n_paths = 1 };
	}
	w->departments = m->department;
	w->n = MANY;
	world_open(w);
	make_dir(w, 0, NULL, ROOT_INO);
	for (unsigned int i = 0; i < MANY; i++)
		make_dir(w, ROOT_INO, m->id[i], 200 + i);
	flush(w);
	return m;
}

static struct dept_set lowest_and_other(void)
{
	struct dept_set set = { .n = SET_MEMBERS_MAX };

	for (uint16_t i = 0; i < SET_MEMBERS_MAX; i++)
		set.member[i] = i;
	return set;
}

static void eighty_departments_have_each_their_own(void **state)
{
	struct world *w = *state;
	struct many *m = eighty(w);

	for (unsigned int i = 0; i < MANY; i++)
		make_file(w, 200 + i, "f", 400 + i, 512 * (i + 1));
	flush(w);
	pass(w, DAY);
	flush(w);
	for (unsigned int i = 0; i < MANY; i++) {
		assert_int_equal(held(w, TIER_HOT, SET((int)i + 1)),
				 512 * (i + 1));
		month_has(w, TIER_HOT, SET((int)i + 1), 512 * (i + 1), DAY);
	}
	month_sums_to(w, TIER_HOT, (uint128)512 * MANY * (MANY + 1) / 2 * DAY);
	assert_balanced(w);
	free(m);
}

/* The lowest 63 and "other", which stands for those beyond: once, whole. */
static void what_eighty_share_is_counted_once(void **state)
{
	struct world *w = *state;
	struct many *m = eighty(w);
	const struct dept_set set = lowest_and_other();
	uint64_t one = 0;

	make_file(w, 200, "l", 500, 4096);
	for (unsigned int i = 1; i < MANY; i++)
		post_name(w, 200 + i, "l", 500);
	for (unsigned int i = 0; i < MANY; i++)
		make_file(w, 200 + i, "p", 600 + i, 0);
	flush(w);
	assert_int_equal(held(w, TIER_HOT, set), 4096);
	(void)pack(w, 600, "x");
	one = held(w, TIER_PACKED, SET(1));
	assert_true(one >= 300000);
	for (unsigned int i = 1; i < MANY; i++)
		(void)pack(w, 600 + i, "x");
	assert_int_equal(held(w, TIER_PACKED, set), one);
	assert_int_equal(held(w, TIER_PACKED, SET(1)), 0);
	pass(w, DAY);
	flush(w);
	month_sums_to(w, TIER_HOT, (uint128)4096 * DAY);
	month_sums_to(w, TIER_PACKED, (uint128)one * DAY);
	assert_balanced(w);
	/* As they leave, the rest have it, to the last one. */
	for (unsigned int i = 0; i + 1 < MANY; i++) {
		unpack(w, 600 + i);
		post_unname(w, 200 + i, "l");
	}
	flush(w);
	assert_int_equal(held(w, TIER_PACKED, SET(MANY)), one);
	assert_int_equal(held(w, TIER_HOT, SET(MANY)), 4096);
	assert_balanced(w);
	free(m);
}

/* --- one inside another ----------------------------------------------------
 */

static const char *const plu_paths[] = { "/Ville/Urbanisme/PLU" };
static const char *const urb_paths[] = { "/Ville/Urbanisme" };
static const char *const ville_paths[] = { "/Ville" };
static const struct ledger_department nested[] = {
	{ .id = "plu", .name = "PLU", .paths = plu_paths, .n_paths = 1 },
	{ .id = "urb", .name = "Urb", .paths = urb_paths, .n_paths = 1 },
	{ .id = "ville", .name = "Ville", .paths = ville_paths, .n_paths = 1 },
};
enum {
	PLU = 1,
	IN_URB,
	IN_VILLE
};

static void each_level_of_nested_paths_is_its_own(void **state)
{
	struct world *w = *state;

	w->departments = nested;
	w->n = 3;
	world_open(w);
	make_tree(w);
	make_dir(w, URBANISME, "PLU", 50);
	make_dir(w, 50, "2019", 51);
	make_file(w, VILLE, "a", 100, 512);
	make_file(w, URBANISME, "b", 101, 1024);
	make_file(w, 51, "c", 102, 2048);
	flush(w);
	assert_int_equal(held(w, TIER_HOT, SET(IN_VILLE)), 512);
	assert_int_equal(held(w, TIER_HOT, SET(IN_URB)), 1024);
	assert_int_equal(held(w, TIER_HOT, SET(PLU)), 2048);
	pass(w, DAY);
	post_move(w, 50, "2019", URBANISME, "2019"); /* out of the innermost */
	flush(w);
	pass(w, DAY);
	post_move(w, ROOT_INO, "Ville", COMDIR, "Ville"); /* and out of all */
	flush(w);
	pass(w, DAY);
	month_has(w, TIER_HOT, SET(PLU), 2048, DAY);
	month_has(w, TIER_HOT, SET(IN_URB), 1024 + 1024 + 2048, DAY);
	month_has(w, TIER_HOT, SET(IN_VILLE), 512, 2 * DAY);
	month_has(w, TIER_HOT, SET(0), 3584, DAY);
	month_sums_to(w, TIER_HOT, (uint128)3584 * 3 * DAY);
	assert_balanced(w);
}

/* --- in mid-month ----------------------------------------------------------
 */

/* 4096 bytes in /Ville/Urbanisme, 1024 in /Ville, 2048 in /Com. */
static void some_files(struct world *w)
{
	make_dir(w, URBANISME, "dossier", 60);
	make_file(w, 60, "a", 100, 4096);
	make_file(w, VILLE, "b", 101, 1024);
	make_file(w, COMDIR, "c", 102, 2048);
	flush(w);
}

static void a_rename_across_departments_splits_the_month(void **state)
{
	struct world *w = *state;

	some_files(w);
	pass(w, 10 * DAY + 7);
	post_move(w, URBANISME, "dossier", COMDIR, "dossier");
	flush(w);
	pass(w, 5 * DAY);
	month_has(w, TIER_HOT, SET(URB), 4096, 10 * DAY + 7);
	month_has(w, TIER_LOGICAL, SET(URB), 4096, 10 * DAY + 7);
	assert_true(in_month(w, MONTH, TIER_HOT, SET(COM)) ==
		    (uint128)2048 * (15 * DAY + 7) + (uint128)4096 * 5 * DAY);
	month_sums_to(w, TIER_HOT, (uint128)7168 * (15 * DAY + 7));
	assert_balanced(w);
}

static void one_that_ends_leaves_what_it_kept_until_then(void **state)
{
	struct world *w = *state;
	struct ledger_departments list;

	some_files(w);
	pass(w, 10 * DAY);
	others(w, w->departments + 1, 2); /* without URB */
	pass(w, 20 * DAY);
	month_has(w, TIER_HOT, SET(URB), 4096, 10 * DAY);
	/* its files are below /Ville, DEJ's */
	assert_true(in_month(w, MONTH, TIER_HOT, SET(DEJ)) ==
		    (uint128)1024 * 30 * DAY + (uint128)4096 * 20 * DAY);
	month_sums_to(w, TIER_HOT, (uint128)7168 * 30 * DAY);
	must(ledger_departments(w->cat, &list, &w->err));
	assert_string_equal(list.row[URB].id, "urb");
	assert_int_equal(list.row[URB].until_day,
			 (int32_t)(SEPTEMBER / 86400) + 10);
	ledger_departments_release(&list);
	pass(w, DAY); /* October knows no more of it */
	assert_true(in_month(w, MONTH + 1, TIER_HOT, SET(URB)) == 0);
}

static void those_that_merge_are_one_from_then_on(void **state)
{
	static const char *const both[] = { "/Ville/Urbanisme", "/Com" };
	static const char *const ville[] = { "/Ville" };
	static const struct ledger_department merged[] = {
		{ .id = "urbcom", .name = "U+C", .paths = both, .n_paths = 2 },
		{ .id = "dej", .name = "Dej", .paths = ville, .n_paths = 1 },
	};
	struct world *w = *state;
	const int one = 4; /* the next number */

	some_files(w);
	post_name(w, COMDIR, "shared", 100); /* URB's and COM's */
	flush(w);
	pass(w, 10 * DAY);
	others(w, merged, 2);
	pass(w, 20 * DAY);
	month_has(w, TIER_HOT, SET(URB, COM), 4096, 10 * DAY);
	month_has(w, TIER_HOT, SET(COM), 2048, 10 * DAY);
	/* their own and what they shared */
	month_has(w, TIER_HOT, SET(one), 4096 + 2048, 20 * DAY);
	month_has(w, TIER_HOT, SET(DEJ), 1024, 30 * DAY);
	month_sums_to(w, TIER_HOT, (uint128)7168 * 30 * DAY);
	assert_balanced(w);
}

/* Its directory goes elsewhere, and drive.yaml says so: it stays itself. */
static void one_that_moves_stays_itself(void **state)
{
	static const char *const there[] = { "/Metropole/Urbanisme" };
	static const char *const ville[] = { "/Ville" };
	static const char *const com[] = { "/Com" };
	static const struct ledger_department moved[] = {
		{ .id = "urb", .name = "Urb", .paths = there, .n_paths = 1 },
		{ .id = "dej", .name = "Dej", .paths = ville, .n_paths = 1 },
		{ .id = "com", .name = "Com", .paths = com, .n_paths = 1 },
	};
	struct world *w = *state;

	some_files(w);
	pass(w, 10 * DAY);
	make_dir(w, ROOT_INO, "Metropole", 70);
	post_move(w, VILLE, "Urbanisme", 70, "Urbanisme");
	flush(w);
	assert_int_equal(held(w, TIER_HOT, SET(0)), 4096); /* for an hour */
	pass(w, HOUR);
	others(w, moved, 3);
	pass(w, 20 * DAY - HOUR);
	month_has(w, TIER_HOT, SET(URB), 4096, 30 * DAY - HOUR);
	month_has(w, TIER_HOT, SET(0), 4096, HOUR);
	month_sums_to(w, TIER_HOT, (uint128)7168 * 30 * DAY);
	assert_balanced(w);
}

/* UTC has no 25th hour: the night of the change is a day like any other. */
static void the_night_the_clocks_change_is_a_day(void **state)
{
	struct world *w = *state;
	const int64_t october_25 = SEPTEMBER + 54 * (int64_t)DAY;
	uint128 before;

	assert_int_equal(setenv("TZ", "Europe/Paris", 1), 0);
	tzset();
	some_files(w);
	atomic_store(&w->now_s, october_25);
	must(ledger_tick(w->ledger, 0, &w->err));
	before = in_month(w, MONTH + 1, TIER_HOT, SET(COM));
	for (int i = 0; i < 24; i++) {
		pass(w, HOUR);
		must(ledger_tick(w->ledger, 0, &w->err));
	}
	assert_true(in_month(w, MONTH + 1, TIER_HOT, SET(COM)) - before ==
		    (uint128)2048 * DAY);
	assert_int_equal(unsetenv("TZ"), 0);
	tzset();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_SHUT(eighty_departments_have_each_their_own),
		WORLD_SHUT(what_eighty_share_is_counted_once),
		WORLD_SHUT(each_level_of_nested_paths_is_its_own),
		WORLD(a_rename_across_departments_splits_the_month),
		WORLD(one_that_ends_leaves_what_it_kept_until_then),
		WORLD(those_that_merge_are_one_from_then_on),
		WORLD(one_that_moves_stays_itself),
		WORLD(the_night_the_clocks_change_is_a_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
