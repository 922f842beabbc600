/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define GOT_BYTES 4096

/* What one log_info("%s", text) wrote to standard error. */
static void logged(const char *text, char ret_got[GOT_BYTES])
{
	int pipe_fds[2], saved = dup(STDERR_FILENO);
	ssize_t n;

	assert_true(saved >= 0);
	assert_int_equal(pipe(pipe_fds), 0);
	assert_true(dup2(pipe_fds[1], STDERR_FILENO) >= 0);
	log_info("%s", text);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	n = read(pipe_fds[0], ret_got, GOT_BYTES - 1);
	assert_true(n >= 0);
	ret_got[n] = '\0';
	(void)close(saved);
	(void)close(pipe_fds[0]);
	(void)close(pipe_fds[1]);
}

static void a_line_has_its_level_in_front(void **state)
{
	char got[GOT_BYTES];

	(void)state;
	logged("mounted", got);
	assert_string_equal(got, "<6>sobre: mounted\n");
}

static void a_long_line_is_cut_and_ends(void **state)
{
	char text[3000], got[GOT_BYTES];

	(void)state;
	for (size_t len = 990; len < 1040; len++) {
		memset(text, 'x', len);
		text[len] = '\0';
		logged(text, got);
		assert_in_range(strlen(got), 900, 1024);
		assert_ptr_equal(strchr(got, '\n'), got + strlen(got) - 1);
	}
}

/* A file's name may hold anything: it must not pass for a line of ours. */
static void a_newline_in_a_name_makes_no_second_line(void **state)
{
	char got[GOT_BYTES];

	(void)state;
	logged("cannot read 'a\n<0>sobre: \033[2Jb\x7f\xc3\xa9'", got);
	assert_string_equal(
		got, "<6>sobre: cannot read 'a?<0>sobre: ?[2Jb?\xc3\xa9'\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_its_level_in_front),
		cmocka_unit_test(a_long_line_is_cut_and_ends),
		cmocka_unit_test(a_newline_in_a_name_makes_no_second_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
