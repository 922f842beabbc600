/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/store/holders.h"

#define URB    1u
#define DEJ    2u
#define COM    3u
#define BIT(d) (UINT32_C(1) << (d))
/* Six thousand bytes where the worked example has 6 GB. */
#define B_BYTES 6000

static struct store_share share_of(struct world *w, struct holders *h,
				   uint64_t ino)
{
	const struct holder *file = &h->file[ino];
	struct store_share share;

	must(w, store_share(w->store, &file->content, &file->set, &share,
			    &w->err));
	return share;
}

static uint64_t own(struct world *w, struct holders *h, uint64_t ino)
{
	struct store_share share = share_of(w, h, ino);

	assert_true(share.complete);
	return store_share_bytes(share.own_q64);
}

static int64_t charge_of(struct holders *h, uint32_t bits)
{
	const struct dept_set set = set_of(bits);

	return *charged(h, &set);
}

/* docs/design/footprint.md, the worked example: B is of URB, DEJ and COM,
 * then COM drops it; when URB holds it twice, its two files share. */
static void shares_are_those_of_the_worked_example(void **state)
{
	struct world *w = *state;
	struct holders h = { .charges = 0 };
	uint8_t *b = some_noise(1, B_BYTES);

	store_on_charge(w->store, take_charge, &h);
	(void)hold(w, &h, 1, set_of(BIT(URB)), b, B_BYTES);
	assert_int_equal(share_of(w, &h, 1).exclusive_bytes,
			 share_of(w, &h, 1).stored_bytes);
	(void)hold(w, &h, 2, set_of(BIT(URB)), b, B_BYTES);
	(void)hold(w, &h, 3, set_of(BIT(DEJ)), b, B_BYTES);
	(void)hold(w, &h, 4, set_of(BIT(COM)), b, B_BYTES);
	change(w, "UPDATE chunk SET stored_bytes = 6000");
	assert_int_equal(own(w, &h, 1), 1000);
	assert_int_equal(own(w, &h, 2), 1000);
	assert_int_equal(own(w, &h, 3), 2000);
	assert_int_equal(own(w, &h, 4), 2000);
	assert_int_equal(share_of(w, &h, 1).exclusive_bytes, 0);
	assert_int_equal(share_of(w, &h, 3).exclusive_bytes, 0);

	let_go(w, &h, 4);
	assert_int_equal(own(w, &h, 1), 1500);
	assert_int_equal(own(w, &h, 2), 1500);
	assert_int_equal(own(w, &h, 3), 3000);
	assert_int_equal(charge_of(&h, BIT(URB) | BIT(DEJ)), 6000);

	let_go(w, &h, 1);
	let_go(w, &h, 3);
	assert_int_equal(own(w, &h, 2), 6000);
	assert_int_equal(share_of(w, &h, 2).exclusive_bytes, 6000);
	assert_int_equal(charge_of(&h, BIT(URB)), 6000);
	free(b);
}

/* A file with names in two departments pays as both do, and is all that holds
 * it. */
static void a_file_of_two_departments_pays_for_both(void **state)
{
	struct world *w = *state;
	struct holders h = { .charges = 0 };
	uint8_t *b = some_noise(1, B_BYTES);

	store_on_charge(w->store, take_charge, &h);
	(void)hold(w, &h, 1, set_of(BIT(URB) | BIT(DEJ)), b, B_BYTES);
	change(w, "UPDATE chunk SET stored_bytes = 6000");
	assert_int_equal(own(w, &h, 1), 6000);
	assert_int_equal(share_of(w, &h, 1).exclusive_bytes, 6000);
	(void)hold(w, &h, 2, set_of(BIT(DEJ)), b, B_BYTES);
	assert_int_equal(own(w, &h, 1), 4500);
	assert_int_equal(own(w, &h, 2), 1500);
	assert_int_equal(share_of(w, &h, 1).exclusive_bytes, 0);
	assert_int_equal(share_of(w, &h, 2).exclusive_bytes, 0);
	free(b);
}

/* Thirds are rounded when they are summed, not before. */
static void thirds_add_up(void **state)
{
	struct world *w = *state;
	struct holders h = { .charges = 0 };
	uint8_t *b = some_noise(1, B_BYTES);
	uint128 sum = 0;

	store_on_charge(w->store, take_charge, &h);
	for (uint64_t ino = 1; ino <= 3; ino++)
		(void)hold(w, &h, ino, set_of(BIT(ino)), b, B_BYTES);
	change(w, "UPDATE chunk SET stored_bytes = 100");
	for (uint64_t ino = 1; ino <= 3; ino++) {
		assert_int_equal(own(w, &h, ino), 33);
		sum += share_of(w, &h, ino).own_q64;
	}
	assert_int_equal(store_share_bytes(sum), 100);
	free(b);
}

static void a_half_is_rounded_up(void **state)
{
	(void)state;
	assert_int_equal(store_share_bytes((uint128)1 << 63), 1);
	assert_int_equal(store_share_bytes(((uint128)1 << 63) - 1000), 1);
	assert_int_equal(
		store_share_bytes(((uint128)1 << 63) - ((uint128)1 << 41)), 0);
}

static void a_file_nobody_counted_is_not_complete(void **state)
{
	struct world *w = *state;
	struct holders h = { .charges = 0 };
	uint8_t *b = some_noise(1, B_BYTES);
	struct store_share share;

	store_on_charge(w->store, take_charge, &h);
	(void)hold(w, &h, 1, set_of(BIT(URB)), b, B_BYTES);
	h.file[1].set = set_of(BIT(COM));
	share = share_of(w, &h, 1);
	assert_false(share.complete);
	assert_int_equal(share.stored_bytes, 0);
	free(b);
}

static void the_share_of_what_is_not_there_is_an_error(void **state)
{
	struct world *w = *state;
	const struct hash128 id = { .bytes = { 1 } };
	const struct dept_set set = set_of(1);
	struct store_share share;

	assert_int_equal(store_share(w->store, &id, &set, &share, &w->err),
			 -SOBRE_ENOCHUNK);
}

/* What a use tells at once is what is asked for later. */
static void a_use_tells_the_share_that_it_makes(void **state)
{
	const struct dept_set urb = set_of(BIT(URB));
	const struct dept_set both = set_of(BIT(URB) | BIT(DEJ));
	const struct dept_set nobody = set_of(0);
	const struct dept_set dej = set_of(BIT(DEJ));
	struct world *w = *state;
	struct holders h = { .charges = 0 };
	uint8_t *b = some_noise(1, B_BYTES);
	const struct hash128 *id = &h.file[1].content;
	struct store_share told;

	store_on_charge(w->store, take_charge, &h);
	(void)hold(w, &h, 1, urb, b, B_BYTES);
	must(w, catalog_begin(w->cat, &w->err));
	must(w,
	     store_use_share(w->store, id, &dej, NULL, &both, &told, &w->err));
	must(w, catalog_commit(w->cat, &w->err));
	h.file[1].set = both;
	assert_true(told.own_q64 == share_of(w, &h, 1).own_q64);
	assert_true(told.alone);
	assert_int_equal(told.exclusive_bytes, told.stored_bytes);

	(void)hold(w, &h, 2, dej, b, B_BYTES);
	assert_false(share_of(w, &h, 1).alone);
	must(w, catalog_begin(w->cat, &w->err));
	must(w, store_use_share(w->store, id, NULL, &both, &nobody, &told,
				&w->err));
	must(w, catalog_commit(w->cat, &w->err));
	assert_false(told.alone);
	assert_true(told.own_q64 == 0);
	must(w, catalog_begin(w->cat, &w->err));
	must(w, store_use_share(w->store, id, NULL, &dej, &nobody, &told,
				&w->err));
	must(w, catalog_commit(w->cat, &w->err));
	assert_true(told.alone);
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(shares_are_those_of_the_worked_example),
		world_test(a_file_of_two_departments_pays_for_both),
		world_test(thirds_add_up),
		cmocka_unit_test(a_half_is_rounded_up),
		world_test(a_file_nobody_counted_is_not_complete),
		world_test(the_share_of_what_is_not_there_is_an_error),
		world_test(a_use_tells_the_share_that_it_makes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
