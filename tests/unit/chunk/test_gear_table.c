/* SPDX-License-Identifier: EUPL-1.2 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fs/chunk/internal.h"

/* docs/format/pack.md: the table is this sequence, for ever. */
static void the_table_is_splitmix64_of_its_seed(void **state)
{
	uint64_t x = UINT64_C(0x736f627265667331);

	(void)state;
	for (int i = 0; i < 256; i++) {
		uint64_t z = x += UINT64_C(0x9e3779b97f4a7c15);

		z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
		assert_int_equal(chunk_gear[i], z ^ (z >> 31));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_splitmix64_of_its_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
