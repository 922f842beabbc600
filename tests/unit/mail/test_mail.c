/* SPDX-License-Identifier: EUPL-1.2 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "tools/mail/mail.h"

#define DATE_S INT64_C(1790820000) /* 2026-10-01T02:00:00Z */

static char to_one[] = "a@ville.example";
static char to_two[] = "b@ville.example";

static struct mail mail_of(char *const *to, const char *subject)
{
	return (struct mail){
		.from = "empreinte@ville.example",
		.to = to,
		.id = "sobre.x",
		.lang = "fr",
		.subject = subject,
		.date_s = DATE_S,
		.text = "x",
		.html = "<p>",
		.html_len = 3,
	};
}

/* A text; the caller's buf. */
static const char *written(const struct mail *mail, struct buf *out)
{
	struct error err = ERROR_INIT;

	buf_init(out, 1u << 20);
	if (mail_write(mail, out, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(buf_put_u8(out, 0), 0);
	return (const char *)out->data;
}

static int refused(const struct mail *mail)
{
	struct error err = ERROR_INIT;
	cleanup_buf struct buf out;
	int rc;

	buf_init(&out, 1u << 20);
	rc = mail_write(mail, &out, &err);
	assert_int_equal(out.len, 0);
	return rc;
}

static void headers_are_as_they_should_be(void **state)
{
	char *const to[] = { to_one, to_two, NULL };
	const struct mail mail = mail_of(to, "Bilan");
	cleanup_buf struct buf out;
	const char *text = written(&mail, &out);

	(void)state;
	assert_ptr_equal(strstr(text, "From: empreinte@ville.example\n"), text);
	assert_non_null(
		strstr(text, "\nTo: a@ville.example,\n b@ville.example\n"));
	assert_non_null(strstr(text, "\nSubject: =?UTF-8?B?QmlsYW4=?=\n"));
	assert_non_null(
		strstr(text, "\nDate: Thu, 1 Oct 2026 02:00:00 +0000\n"));
	assert_non_null(
		strstr(text, "\nMessage-ID: <sobre.x@ville.example>\n"));
}

static void base64_has_its_three_endings(void **state)
{
	static const char *const expected[] = { "\n\neA==\n", "\n\neHk=\n",
						"\n\neHl6\n" };
	static const char *const text[] = { "x", "xy", "xyz" };
	char *const to[] = { to_one, NULL };

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct mail mail = mail_of(to, "a");
		cleanup_buf struct buf out;

		mail.text = text[i];
		assert_non_null(strstr(written(&mail, &out), expected[i]));
	}
}

/* 38 letters, then one of two bytes: it begins the next word. */
static void a_subject_is_cut_between_letters(void **state)
{
	char *const to[] = { to_one, NULL };
	const struct mail mail =
		mail_of(to, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xc3\xa9"
			    "b");
	cleanup_buf struct buf out;
	const char *text = written(&mail, &out);

	(void)state;
	assert_non_null(strstr(text, "YWE=?=\n =?UTF-8?B?w6li?=\n"));
}

static void what_could_end_a_header_is_refused(void **state)
{
	static char injected[] = "a@ville.example\nBcc: all@ville.example";
	char *const bad[] = { injected, NULL };
	char *const none[] = { NULL };
	char *const good[] = { to_one, NULL };
	struct mail mail = mail_of(bad, "a");
	struct mail_file file = { .name = "a\"\n.csv", .type = "text/csv" };

	(void)state;
	assert_int_equal(refused(&mail), -EINVAL);
	mail = mail_of(none, "a");
	assert_int_equal(refused(&mail), -EINVAL);
	mail = mail_of(good, "a");
	mail.from = injected;
	assert_int_equal(refused(&mail), -EINVAL);
	mail = mail_of(good, "a");
	mail.file = &file;
	mail.files = 1;
	assert_int_equal(refused(&mail), -EINVAL);
	mail.files = 0;
	mail.subject = "a\nBcc: all@ville.example";
	{
		cleanup_buf struct buf out;

		assert_null(strstr(written(&mail, &out), "Bcc"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_as_they_should_be),
		cmocka_unit_test(base64_has_its_three_endings),
		cmocka_unit_test(a_subject_is_cut_between_letters),
		cmocka_unit_test(what_could_end_a_header_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
