/* SPDX-License-Identifier: EUPL-1.2 */
#include "tests/unit/energy/support.h"

static void the_defaults_are_those_of_the_model(void **state)
{
	struct coef_set set;
	struct error err = ERROR_INIT;

	(void)state;
	coef_set_default(&set);
	assert_int_equal(coef_set_check(&set, &err), 0);
	assert_int_equal(set.coef[COEF_W_HDD].value, 650000);
	assert_int_equal(set.coef[COEF_RHO].value, 2500000);
	assert_int_equal(set.coef[COEF_KAPPA].value, 2400000);
	assert_int_equal(set.coef[COEF_PUE].value, 1750000);
	assert_int_equal(set.coef[COEF_CARBON].value, 46100000);
	assert_int_equal(set.coef[COEF_PRICE].value, 160000);
	assert_int_equal(set.coef[COEF_TE_HDD].value, 31110000);
	assert_int_equal(set.coef[COEF_LIFE].value, 5000000);
}

/* What has no source says so: quality E. */
static void every_coefficient_says_where_it_comes_from(void **state)
{
	struct coef_set set;

	(void)state;
	coef_set_default(&set);
	for (unsigned int i = 0; i < COEFS; i++) {
		const struct coef *c = &set.coef[i];

		assert_true(strchr("ABCE", c->quality) && c->quality);
		assert_true(c->id[0] && c->label[0] && !c->configured);
		assert_true(c->low <= c->value && c->value <= c->high);
		assert_int_equal(c->quality == 'E', c->source[0] == '\0');
		assert_int_equal(c->quality == 'E', c->url[0] == '\0');
		assert_int_equal(c->quality == 'E', c->source_year == 0);
	}
}

static micro put(struct coef_set *set, enum coef_id id, const char *text)
{
	struct error err = ERROR_INIT;
	int rc = coef_set_put(set, id, text, &err);

	return rc < 0 ? rc : set->coef[id].value;
}

static void decimals_read_with_a_point_or_a_comma(void **state)
{
	struct coef_set set;

	(void)state;
	coef_set_default(&set);
	assert_int_equal(put(&set, COEF_PRICE, "0.16"), 160000);
	assert_int_equal(put(&set, COEF_PRICE, "0,123456"), 123456);
	assert_int_equal(put(&set, COEF_CARBON, "46.1"), 46100000);
	assert_int_equal(put(&set, COEF_PUE, "2"), 2000000);
	assert_int_equal(put(&set, COEF_CARBON, "1000000"), MICRO * MICRO);
	assert_true(set.coef[COEF_PUE].configured);
	assert_int_equal(set.coef[COEF_PUE].low, 2000000);
	assert_int_equal(set.coef[COEF_PUE].high, 2000000);
}

static void what_is_no_coefficient_is_refused(void **state)
{
	static const char *const bad[] = { "",	    "-1",  "+1",   " 1",  "1 ",
					   "1.",    ".5",  "1.5x", "1e3", "0x1",
					   "1.2.3", "nan", "1,2,3" };
	static const char *const far[] = { "0.1234567", "1000000.000001",
					   "99999999999999999999999999" };
	struct coef_set set;
	struct coef_set before;

	(void)state;
	coef_set_default(&set);
	before = set;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(put(&set, COEF_PRICE, bad[i]), -EINVAL);
	for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++)
		assert_int_equal(put(&set, COEF_PRICE, far[i]), -ERANGE);
	assert_int_equal(put(&set, COEF_PUE, "0.99"), -ERANGE);
	assert_int_equal(put(&set, COEF_ALPHA, "1.01"), -ERANGE);
	assert_int_equal(put(&set, COEF_LIFE, "0"), -ERANGE);
	assert_memory_equal(&set, &before, sizeof(set));
}

/* A change of this line is a change of every report's footnote. */
static void the_version_follows_the_values_alone(void **state)
{
	struct coef_set set;
	char first[COEF_VERSION_BYTES];
	char text[COEF_VERSION_BYTES];

	(void)state;
	coef_set_default(&set);
	coef_set_version(&set, first);
	assert_int_equal(strlen(first), 16);
	assert_int_equal(strspn(first, "0123456789abcdef"), 16);
	set.coef[COEF_PUE].configured = true;
	coef_set_version(&set, text);
	assert_string_equal(text, first);
	for (unsigned int i = 0; i < COEFS; i++) {
		coef_set_default(&set);
		set.coef[i].high++;
		coef_set_version(&set, text);
		assert_string_not_equal(text, first);
		set.coef[i].high--;
		set.coef[i].value++;
		coef_set_version(&set, text);
		assert_string_not_equal(text, first);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_defaults_are_those_of_the_model),
		cmocka_unit_test(every_coefficient_says_where_it_comes_from),
		cmocka_unit_test(decimals_read_with_a_point_or_a_comma),
		cmocka_unit_test(what_is_no_coefficient_is_refused),
		cmocka_unit_test(the_version_follows_the_values_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
