/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/front/fixture.h"

static void ours_are_those_named_sobre_in_any_namespace(void **state)
{
	(void)state;
	assert_true(xattr_is_ours("trusted.sobre.content"));
	assert_true(xattr_is_ours("trusted.sobre.root"));
	assert_true(xattr_is_ours("user.sobre.footprint"));
	assert_true(xattr_is_ours("security.sobre."));
	assert_false(xattr_is_ours("user.sobre"));
	assert_false(xattr_is_ours("user.sobrex.y"));
	assert_false(xattr_is_ours("user.a.sobre.b"));
	assert_false(xattr_is_ours("sobre"));
	assert_false(xattr_is_ours(""));
}

static void a_list_is_freed_of_ours(void **state)
{
	char list[] = "user.a\0trusted.sobre.content\0user.sobre.x\0user.b";
	const char want[] = "user.a\0user.b";

	(void)state;
	assert_int_equal(xattr_filter(list, sizeof(list)), sizeof(want));
	assert_memory_equal(list, want, sizeof(want));
}

static void a_list_of_ours_alone_is_empty(void **state)
{
	char list[] = "trusted.sobre.content";

	(void)state;
	assert_int_equal(xattr_filter(list, sizeof(list)), 0);
	assert_int_equal(xattr_filter(list, 0), 0);
}

static void a_list_without_ours_stays_whole(void **state)
{
	char list[] = "user.a\0security.capability\0system.posix_acl_access";
	const char want[] =
		"user.a\0security.capability\0system.posix_acl_access";

	(void)state;
	assert_int_equal(xattr_filter(list, sizeof(list)), sizeof(want));
	assert_memory_equal(list, want, sizeof(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ours_are_those_named_sobre_in_any_namespace),
		cmocka_unit_test(a_list_is_freed_of_ours),
		cmocka_unit_test(a_list_of_ours_alone_is_empty),
		cmocka_unit_test(a_list_without_ours_stays_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
