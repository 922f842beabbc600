/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/sobre/internal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct parsed {
	bool now;
	const char *state;
	char *argv[16];
	int n;
	struct error err;
};

/* `line`: words between single spaces. */
static struct parsed parse(char *line)
{
	struct parsed p = { .now = false };
	const struct arg_option options[] = {
		{ "--now", &p.now, NULL },
		{ "--state", NULL, &p.state },
	};
	int n = 0;

	while (line && n < 15)
		p.argv[n++] = strsep(&line, " ");
	p.n = args_parse(p.argv, options, 2, &p.err);
	return p;
}

static void operands_and_options_mix(void **state)
{
	char line[] = "a --now b --state dir c";
	struct parsed p = parse(line);

	(void)state;
	assert_int_equal(p.n, 3);
	assert_string_equal(p.argv[0], "a");
	assert_string_equal(p.argv[1], "b");
	assert_string_equal(p.argv[2], "c");
	assert_true(p.now);
	assert_string_equal(p.state, "dir");
}

static void a_value_may_stand_behind_an_equals_sign(void **state)
{
	char line[] = "--state=a=b x";
	struct parsed p = parse(line);

	(void)state;
	assert_int_equal(p.n, 1);
	assert_string_equal(p.state, "a=b");
	assert_false(p.now);
}

static void two_dashes_end_the_options(void **state)
{
	char line[] = "-- --now - --nonsense";
	struct parsed p = parse(line);

	(void)state;
	assert_int_equal(p.n, 3);
	assert_string_equal(p.argv[0], "--now");
	assert_string_equal(p.argv[1], "-");
	assert_string_equal(p.argv[2], "--nonsense");
	assert_false(p.now);
}

static void refuse(const char *text, const char *said)
{
	char line[64];
	struct parsed p;

	(void)snprintf(line, sizeof(line), "%s", text);
	p = parse(line);
	assert_int_equal(p.n, -EINVAL);
	assert_string_equal(p.err.text, said);
}

static void wrong_options_are_refused_by_name(void **state)
{
	(void)state;
	refuse("a --later", "unknown option '--later'");
	refuse("-n", "unknown option '-n'");
	refuse("--no", "unknown option '--no'");
	refuse("--now=yes", "'--now' takes no value");
	refuse("--state", "'--state' needs a value");
	refuse("--state --now", "'--state' needs a value");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operands_and_options_mix),
		cmocka_unit_test(a_value_may_stand_behind_an_equals_sign),
		cmocka_unit_test(two_dashes_end_the_options),
		cmocka_unit_test(wrong_options_are_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
