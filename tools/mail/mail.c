/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/mail/mail.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#define LINE_BYTES 57 /* 76 letters */
#define WORD_BYTES 39 /* of an encoded word: with its header below 76 */
#define MIXED	   "=_sobre-mixed" /* "=_" is in no base64 */
#define OTHER	   "=_sobre-alternative"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			      "abcdefghijklmnopqrstuvwxyz0123456789+/";

static void put(struct buf *out, const char *s)
{
	(void)buf_put_str(out, s);
}

/* --- base64 ----------------------------------------------------------------
 */

static void put_group(struct buf *out, const uint8_t *at, size_t n)
{
	uint32_t v = (uint32_t)at[0] << 16 |
		     (n > 1 ? (uint32_t)at[1] << 8 : 0) | (n > 2 ? at[2] : 0u);

	(void)buf_put_u8(out, (uint8_t)letters[v >> 18]);
	(void)buf_put_u8(out, (uint8_t)letters[v >> 12 & 63]);
	(void)buf_put_u8(out, n > 1 ? (uint8_t)letters[v >> 6 & 63] : '=');
	(void)buf_put_u8(out, n > 2 ? (uint8_t)letters[v & 63] : '=');
}

static void put_base64(struct buf *out, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i += 3)
		put_group(out, data + i, len - i < 3 ? len - i : 3);
}

static void put_body(struct buf *out, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i += LINE_BYTES) {
		put_base64(out, data + i,
			   len - i < LINE_BYTES ? len - i : LINE_BYTES);
		put(out, "\n");
	}
}

/* --- headers ---------------------------------------------------------------
 */

static bool is_plain(const char *s)
{
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			return false;
	return true;
}

/* As many bytes as fit in a word without cutting a letter in two. */
static size_t word_len(const char *s)
{
	size_t n = strnlen(s, WORD_BYTES);

	while (n > 1 && s[n] && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	return n;
}

static void put_subject(struct buf *out, const char *s)
{
	put(out, "Subject:");
	do {
		size_t n = word_len(s);

		put(out, " =?UTF-8?B?");
		put_base64(out, (const uint8_t *)s, n);
		put(out, "?=\n");
		s += n;
	} while (*s);
}

static void put_date(struct buf *out, int64_t at_s)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed",
					    "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr",
					      "May", "Jun", "Jul", "Aug",
					      "Sep", "Oct", "Nov", "Dec" };
	time_t at = (time_t)at_s;
	struct tm tm = { .tm_mday = 1 };

	(void)gmtime_r(&at, &tm);
	(void)buf_printf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\n",
			 days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
			 tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void put_headers(struct buf *out, const struct mail *mail)
{
	const char *domain = strchr(mail->from, '@');

	(void)buf_printf(out, "From: %s\nTo: ", mail->from);
	for (char *const *to = mail->to; *to; to++) {
		put(out, to == mail->to ? "" : ",\n ");
		put(out, *to);
	}
	put(out, "\n");
	put_subject(out, mail->subject);
	put_date(out, mail->date_s);
	(void)buf_printf(out, "Message-ID: <%s%s>\n", mail->id,
			 domain ? domain : "@localhost");
	/* No answers by machines: RFC 3834. */
	put(out, "Auto-Submitted: auto-generated\nMIME-Version: 1.0\n");
	(void)buf_printf(out,
			 "Content-Language: %s\n"
			 "Content-Type: multipart/mixed; boundary=\"" MIXED
			 "\"\n\n",
			 mail->lang);
}

/* --- parts -----------------------------------------------------------------
 */

static void put_part(struct buf *out, const char *boundary, const char *type,
		     const void *data, size_t len)
{
	(void)buf_printf(out, "--%s\nContent-Type: %s\n", boundary, type);
	put(out, "Content-Transfer-Encoding: base64\n\n");
	put_body(out, data, len);
}

static void put_file(struct buf *out, const struct mail_file *f)
{
	(void)buf_printf(out,
			 "--" MIXED "\nContent-Type: %s\n"
			 "Content-Disposition: attachment; filename=\"%s\"\n"
			 "Content-Transfer-Encoding: base64\n\n",
			 f->type, f->name);
	put_body(out, f->data, f->len);
}

static bool is_file_name(const char *name)
{
	return *name && name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					  "abcdefghijklmnopqrstuvwxyz"
					  "0123456789._-")] == '\0';
}

static int check(const struct mail *mail, struct error *err)
{
	if (!is_plain(mail->from) || !is_plain(mail->id) || !mail->to[0])
		return error_set(err, -EINVAL, "'%s' cannot send a message",
				 mail->from);
	for (char *const *to = mail->to; *to; to++)
		if (!is_plain(*to))
			return error_set(err, -EINVAL,
					 "'%s' is no address for a message",
					 *to);
	for (unsigned int i = 0; i < mail->files; i++)
		if (!is_file_name(mail->file[i].name))
			return error_set(err, -EINVAL,
					 "'%s' is no name of a file in a "
					 "message",
					 mail->file[i].name);
	return 0;
}

int mail_write(const struct mail *mail, struct buf *out, struct error *err)
{
	int rc = check(mail, err);

	if (rc < 0)
		return rc;
	put_headers(out, mail);
	put(out, "--" MIXED "\nContent-Type: multipart/alternative; "
		 "boundary=\"" OTHER "\"\n\n");
	put_part(out, OTHER, "text/plain; charset=utf-8", mail->text,
		 strlen(mail->text));
	put_part(out, OTHER, "text/html; charset=utf-8", mail->html,
		 mail->html_len);
	put(out, "--" OTHER "--\n");
	for (unsigned int i = 0; i < mail->files; i++)
		put_file(out, &mail->file[i]);
	put(out, "--" MIXED "--\n");
	rc = buf_error(out);
	return rc < 0 ? error_set(err, rc, "cannot make the message: %s",
				  error_words(rc))
		      : 0;
}
