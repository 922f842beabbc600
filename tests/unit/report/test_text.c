/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BAD "\xef\xbf\xbd"

typedef void text_fn(struct buf *b, const char *s);

static void clean(struct buf *b, const char *s)
{
	text_clean(b, s, TEXT_ALL);
}

static void clean_10(struct buf *b, const char *s)
{
	text_clean(b, s, 10);
}

static void html(struct buf *b, const char *s)
{
	text_html(b, s, TEXT_ALL);
}

static void assert_text(text_fn *fn, const char *s, const char *want)
{
	cleanup_buf struct buf b;

	buf_init(&b, 1 << 20);
	fn(&b, s);
	(void)buf_put_u8(&b, 0);
	assert_int_equal(buf_error(&b), 0);
	assert_string_equal((const char *)b.data, want);
}

static void what_is_not_utf8_is_replaced(void **state)
{
	(void)state;
	assert_text(clean, "\xc3\xa9t\xc3\xa9 \xf0\x9f\x8d\x80",
		    "\xc3\xa9t\xc3\xa9 \xf0\x9f\x8d\x80");
	assert_text(clean, "\xe9t\xe9", BAD "t" BAD);
	assert_text(clean, "caf\xc3", "caf" BAD);	 /* cut off */
	assert_text(clean, "\xc0\xaf", BAD BAD);	 /* overlong */
	assert_text(clean, "\xed\xa0\x80", BAD BAD BAD); /* surrogate */
	assert_text(clean, "\xf4\x90\x80\x80", BAD BAD BAD BAD);
	assert_text(text_utf8, "\xff\n\x1b", BAD "\n\x1b");
}

static void what_acts_on_the_text_around_is_replaced(void **state)
{
	(void)state;
	assert_text(clean, "a\x1b[2Jb\n\x7f", "a" BAD "[2Jb" BAD BAD);
	assert_text(clean, "\xc2\x85", BAD);
	assert_text(clean,
		    "\xe2\x80\xae"
		    "fdp.exe",
		    BAD "fdp.exe");
	assert_text(clean, "\xe2\x81\xa6x\xe2\x80\x8b", BAD "x" BAD);
	assert_text(clean, "\xef\xbb\xbf\xf3\xa0\x81\x81", BAD BAD);
	/* Arabic is not an attack. */
	assert_text(clean, "\xd9\x85\xd9\x84\xd9\x81",
		    "\xd9\x85\xd9\x84"
		    "\xd9\x81");
}

static void long_names_lose_their_middle(void **state)
{
	(void)state;
	assert_text(clean_10, "0123456789", "0123456789");
	assert_text(clean_10, "0123456789ab",
		    "012\xe2\x80\xa6"
		    "6789ab");
	assert_text(clean_10,
		    "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
		    "3456789ab",
		    "\xc3\xa9\xc3\xa9\xc3\xa9\xe2\x80\xa6"
		    "6789ab");
}

static void html_is_escaped(void **state)
{
	(void)state;
	assert_text(html, "<b class='x' a=\"y\">&amp;",
		    "&lt;b class=&#39;x&#39; a=&quot;y&quot;&gt;&amp;amp;");
}

static void no_cell_is_a_formula(void **state)
{
	(void)state;
	assert_text(text_csv, "plain; \"x\", y", "\"plain; \"\"x\"\", y\"");
	assert_text(text_csv, "=1+1", "\"'=1+1\"");
	assert_text(text_csv, "+1", "\"'+1\"");
	assert_text(text_csv, "-1", "\"'-1\"");
	assert_text(text_csv, "@SUM(A1)", "\"'@SUM(A1)\"");
	assert_text(text_csv, "  =1", "\"'  =1\"");
	assert_text(text_csv, "\t=1", "\"'" BAD "=1\"");
	assert_text(text_csv,
		    "\xef\xbc\x9d"
		    "1",
		    "\"'\xef\xbc\x9d"
		    "1\"");
	assert_text(text_csv, "\n=1\r\n", "\"" BAD "=1" BAD BAD "\"");
	assert_text(text_csv, "", "\"\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_utf8_is_replaced),
		cmocka_unit_test(what_acts_on_the_text_around_is_replaced),
		cmocka_unit_test(long_names_lose_their_middle),
		cmocka_unit_test(html_is_escaped),
		cmocka_unit_test(no_cell_is_a_formula),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
