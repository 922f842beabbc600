/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/store/users.h"
#include "tests/unit/store/holders.h"

#define SETS 200

static void charges_of_one_set_are_told_as_one(void **state)
{
	struct world *w = *state;
	CLEANUP(charges_release) struct charges charges = { .n = 0 };
	struct holders h = { .charges = 0 };

	store_on_charge(w->store, take_charge, &h);
	for (int round = 0; round < 3; round++)
		for (uint32_t i = 0; i <= SETS; i++) {
			const struct dept_set set = set_of(i);

			must(w, charges_add(&charges, &set, i, &w->err));
		}
	assert_int_equal(charges.n, SETS); /* the empty set is none */
	must(w, catalog_begin(w->cat, &w->err));
	must(w, charges_tell(w->store, &charges, &w->err));
	must(w, catalog_commit(w->cat, &w->err));
	assert_int_equal(charges.n, 0);
	assert_int_equal(h.charges, SETS);
	for (uint32_t i = 1; i <= SETS; i++) {
		const struct dept_set set = set_of(i);

		assert_int_equal(*charged(&h, &set), 3 * i);
	}
}

static void what_adds_up_to_nothing_is_not_told(void **state)
{
	struct world *w = *state;
	CLEANUP(charges_release) struct charges charges = { .n = 0 };
	struct holders h = { .charges = 0 };
	const struct dept_set set = set_of(5);

	store_on_charge(w->store, take_charge, &h);
	must(w, charges_add(&charges, &set, 7, &w->err));
	must(w, charges_add(&charges, &set, -7, &w->err));
	must(w, catalog_begin(w->cat, &w->err));
	must(w, charges_tell(w->store, &charges, &w->err));
	must(w, catalog_commit(w->cat, &w->err));
	assert_int_equal(h.charges, 0);
}

static int refuse(void *ctx, const struct dept_set *set, int64_t delta_bytes,
		  bool moved, struct error *err)
{
	(void)ctx;
	(void)set;
	(void)delta_bytes;
	(void)moved;
	return error_set(err, -ENOSPC, "no more");
}

static void a_charge_that_fails_fails_the_use(void **state)
{
	struct world *w = *state;
	const struct dept_set set = set_of(5);
	struct store_put_result r = put_data(w, "data", 4, 1);

	store_on_charge(w->store, refuse, NULL);
	must(w, catalog_begin(w->cat, &w->err));
	assert_int_equal(store_use(w->store, &r.content, &set, NULL, &w->err),
			 -ENOSPC);
	catalog_rollback(w->cat);
	assert_int_equal(query(w, "SELECT count(users) FROM chunk"), 0);
}

static void users_that_cannot_be_read_are_nobody(void **state)
{
	struct world *w = *state;
	CLEANUP(charges_release) struct charges charges = { .n = 0 };

	assert_int_equal(charges_add_users(&charges, "bad", 3, 5, &w->err), 1);
	assert_int_equal(charges_add_users(&charges, NULL, 0, 5, &w->err), 0);
	assert_int_equal(charges.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(charges_of_one_set_are_told_as_one),
		world_test(what_adds_up_to_nothing_is_not_told),
		world_test(a_charge_that_fails_fails_the_use),
		world_test(users_that_cannot_be_read_are_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
