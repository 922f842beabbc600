/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/store/idset.h"
#include "tests/unit/store/support.h"

#define IDS 20000

static struct hash128 id_of(uint32_t i)
{
	static const struct hash_key key = { .secret = { 1 } };
	struct hash128 id;

	hash128(&key, &i, sizeof(i), &id);
	return id;
}

static void each_id_is_new_once(void **state)
{
	CLEANUP(idset_free) struct idset *set = idset_new();

	(void)state;
	assert_non_null(set);
	for (uint32_t i = 0; i < IDS; i++) {
		struct hash128 id = id_of(i);

		assert_false(idset_has(set, &id));
		assert_int_equal(idset_add(set, &id), 1);
		assert_true(idset_has(set, &id));
	}
	for (uint32_t i = 0; i < IDS; i++) {
		struct hash128 id = id_of(i);

		assert_int_equal(idset_add(set, &id), 0);
	}
}

/* Zero marks a free slot; an id may begin with it. */
static void an_id_of_zeros_is_one_too(void **state)
{
	CLEANUP(idset_free) struct idset *set = idset_new();
	const struct hash128 zeros = { .bytes = { 0 } };

	(void)state;
	assert_non_null(set);
	assert_false(idset_has(set, &zeros));
	assert_int_equal(idset_add(set, &zeros), 1);
	assert_int_equal(idset_add(set, &zeros), 0);
	assert_true(idset_has(set, &zeros));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_id_is_new_once),
		cmocka_unit_test(an_id_of_zeros_is_one_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
