/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/base/error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void set_fills_code_and_text(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(error_set(&err, -ENOENT, "cannot open '%s'", "a"),
			 -ENOENT);
	assert_int_equal(err.code, -ENOENT);
	assert_string_equal(err.text, "cannot open 'a'");
}

static void set_replaces_what_was_there(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	(void)error_set(&err, -ENOENT, "a longer text than the next");
	assert_int_equal(error_set(&err, -EIO, "short"), -EIO);
	assert_string_equal(err.text, "short");
}

static void prefix_puts_context_in_front(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	(void)error_set(&err, -EIO, "read failed");
	assert_int_equal(error_prefix(&err, "extent %d", 3), -EIO);
	assert_int_equal(error_prefix(&err, "pack '%s'", "7"), -EIO);
	assert_string_equal(err.text, "pack '7': extent 3: read failed");
}

static void a_text_too_long_is_cut(void **state)
{
	char text[2 * ERROR_TEXT_MAX];
	struct error err = ERROR_INIT;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(error_set(&err, -EIO, "%s", text), -EIO);
	assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
}

/* Every length of prefix, around where no room is left for the old text. */
static void a_prefix_of_any_length_stays_inside(void **state)
{
	char prefix[ERROR_TEXT_MAX + 20];

	(void)state;
	for (size_t len = 1; len < sizeof(prefix); len++) {
		struct error err = ERROR_INIT;

		memset(prefix, 'p', len);
		prefix[len] = '\0';
		(void)error_set(&err, -EIO, "old text");
		assert_int_equal(error_prefix(&err, "%s", prefix), -EIO);
		assert_true(strlen(err.text) < ERROR_TEXT_MAX);
		assert_int_equal(err.text[0], 'p');
		if (len < ERROR_TEXT_MAX - sizeof("old text: "))
			assert_string_equal(err.text + len, ": old text");
	}
}

static void an_errno_stays_itself(void **state)
{
	(void)state;
	assert_int_equal(error_to_errno(-ENOSPC), ENOSPC);
	assert_int_equal(error_to_errno(-EPERM), EPERM);
}

static void our_codes_have_the_errno_the_table_says(void **state)
{
	(void)state;
#define X(name, errno_value, text) \
	assert_int_equal(error_to_errno(-SOBRE_##name), errno_value);
#include "fs/base/errcode.def"
#undef X
}

static void a_code_nobody_defined_is_eio(void **state)
{
	(void)state;
	assert_int_equal(error_to_errno(-SOBRE_ERRCODE_START), EIO);
	assert_int_equal(error_to_errno(-SOBRE_ERRCODE_END), EIO);
	assert_int_equal(error_to_errno(-100000), EIO);
}

static void every_code_has_words(void **state)
{
	(void)state;
#define X(name, errno_value, text) \
	assert_string_equal(error_words(-SOBRE_##name), text);
#include "fs/base/errcode.def"
#undef X
	assert_string_equal(error_words(-ENOENT), "No such file or directory");
	assert_string_equal(error_words(-SOBRE_ERRCODE_START), "unknown error");
	assert_string_equal(error_words(-100000), "unknown error");
	assert_string_equal(error_words(1), "unknown error");
}

static const char *upside_down(const char *english)
	__attribute__((format_arg(1)));
static const char *upside_down(const char *english)
{
	static const char *const said[][2] = {
		{ "cannot open '%s': %s", "« %s » : %s" },
		{ "pack '%s'", "paquet « %s »" },
		{ "No such file or directory", "introuvable" },
		{ "somebody has the file open", "ouvert" },
		{ ": ", " : " },
	};

	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		if (!strcmp(english, said[i][0]))
			return said[i][1];
	return english;
}

static void a_thread_speaks_its_language(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	error_speak(upside_down);
	(void)error_set(&err, -ENOENT, "cannot open '%s': %s", "a",
			strerrordesc_np(ENOENT));
	(void)error_prefix(&err, "pack '%s'", "7");
	assert_string_equal(error_words(-SOBRE_EINUSE), "ouvert");
	(void)error_prefix(&err, "unknown %d", 1);
	error_speak(NULL);
	assert_string_equal(err.text,
			    "unknown 1 : paquet « 7 » : « a » : introuvable");
	assert_string_equal(error_words(-SOBRE_EINUSE),
			    "somebody has the file open");
}

/* Whoever writes them; a text longer than there is room for. */
static void words_that_get_longer_stay_inside(void **state)
{
	char text[2 * ERROR_TEXT_MAX];
	struct error err = ERROR_INIT;

	(void)state;
	error_speak(upside_down);
	for (size_t len = ERROR_TEXT_MAX - 40; len < ERROR_TEXT_MAX; len++) {
		memset(text, 'x', len);
		(void)snprintf(text + len, sizeof(text) - len, "%s",
			       "somebody has the file open");
		(void)error_set(&err, -SOBRE_EINUSE, "%s", text);
		assert_true(strlen(err.text) < ERROR_TEXT_MAX);
		(void)error_prefix(&err, "pack '%s'", text);
		assert_true(strlen(err.text) < ERROR_TEXT_MAX);
	}
	error_speak(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_fills_code_and_text),
		cmocka_unit_test(set_replaces_what_was_there),
		cmocka_unit_test(prefix_puts_context_in_front),
		cmocka_unit_test(a_text_too_long_is_cut),
		cmocka_unit_test(a_prefix_of_any_length_stays_inside),
		cmocka_unit_test(an_errno_stays_itself),
		cmocka_unit_test(our_codes_have_the_errno_the_table_says),
		cmocka_unit_test(a_code_nobody_defined_is_eio),
		cmocka_unit_test(every_code_has_words),
		cmocka_unit_test(a_thread_speaks_its_language),
		cmocka_unit_test(words_that_get_longer_stay_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
