/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void days_are_written_as_people_write_them(void **state)
{
	char text[16];

	(void)state;
	day_text(0, PO_EN, text);
	assert_string_equal(text, "1970-01-01");
	day_text(20700, PO_FR, text);
	assert_string_equal(text, "04/09/2026");
	day_text(-1, PO_EN, text);
	assert_string_equal(text, "1969-12-31");
}

static void a_day_out_of_reach_fits(void **state)
{
	char text[16];

	(void)state;
	day_text(INT32_MIN, PO_EN, text);
	assert_true(strlen(text) < sizeof(text));
	day_text(INT32_MAX, PO_FR, text);
	assert_true(strlen(text) < sizeof(text));
}

static void every_kind_has_a_name_and_a_sentence(void **state)
{
	(void)state;
	for (int kind = REASON_PATH; kind <= REASON_HELD_BY; kind++) {
		struct verdict v = { .n = 1 };
		char text[REASONS_TEXT_MAX];

		v.reason[0] = (struct reason){ .kind = (enum reason_kind)kind,
					       .text = "X",
					       .value = 12 };
		reasons_text(&v, PO_EN, text);
		assert_true(strlen(reason_name((enum reason_kind)kind)) > 0);
		assert_true(strlen(text) > 5);
		assert_null(strchr(text, '%'));
	}
}

static void reasons_are_one_sentence(void **state)
{
	struct verdict v = {
		.n = 3,
		.reason = { { .kind = REASON_PATH, .text = "/a/%s/**" },
			    { .kind = REASON_NOT_CHANGED, .value = 0 },
			    { .kind = REASON_DUPLICATE, .value = 3 } },
	};
	char text[REASONS_TEXT_MAX];

	(void)state;
	reasons_text(&v, PO_EN, text);
	assert_string_equal(text,
			    "path '/a/%s/**'; not changed since 1970-01-01; "
			    "the same bytes are in other packed files: 3");
}

/* Each byte of the text, or a part of it, is a whole character. */
static bool is_utf8(const char *text)
{
	for (const unsigned char *at = (const unsigned char *)text; *at;) {
		size_t more = *at < 0x80 ? 0 : *at < 0xe0 ? 1 : 2;

		if (*at >= 0x80 && *at < 0xc0)
			return false;
		for (at++; more > 0; more--, at++)
			if ((*at & 0xc0) != 0x80)
				return false;
	}
	return true;
}

static void a_sentence_too_long_ends_at_a_character(void **state)
{
	char pattern[2 * REASONS_TEXT_MAX];
	struct verdict v = { .n = 2 };

	(void)state;
	for (size_t shift = 0; shift < 3; shift++) {
		char text[REASONS_TEXT_MAX];
		size_t len = shift;

		memset(pattern, 'a', shift);
		while (len + 3 < sizeof(pattern)) {
			memcpy(pattern + len, "\xe2\x82\xac", 3);
			len += 3;
		}
		pattern[len] = '\0';
		v.reason[0] =
			(struct reason){ .kind = REASON_PATH, .text = pattern };
		v.reason[1] = v.reason[0];
		reasons_text(&v, PO_EN, text);
		assert_true(strlen(text) > REASONS_TEXT_MAX - 8);
		assert_true(is_utf8(text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(days_are_written_as_people_write_them),
		cmocka_unit_test(a_day_out_of_reach_fits),
		cmocka_unit_test(every_kind_has_a_name_and_a_sentence),
		cmocka_unit_test(reasons_are_one_sentence),
		cmocka_unit_test(a_sentence_too_long_ends_at_a_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
