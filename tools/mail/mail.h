/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_MAIL_MAIL_H
#define SOBREFS_MAIL_MAIL_H

/*
 * A message as RFC 5322 and MIME have it, for `sendmail -t -i`: a text, the
 * same as an HTML page, and files. Every part is base64 (RFC 2045), so that no
 * line is too long and no content looks like a boundary or a header; headers
 * are ASCII (RFC 2047). Lines end in LF, as sendmail takes them. Pure; any
 * thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "fs/base/buf.h"
#include "fs/base/error.h"

struct mail_file {
	const char *name; /* ASCII letters, digits, ".", "_" and "-" */
	const char *type; /* "text/csv; charset=utf-8" */
	const void *data;
	size_t len;
};
struct mail {
	const char *from;
	char *const *to;     /* addresses; NULL ends, one at least */
	const char *id;	     /* of the Message-ID, before "@" */
	const char *lang;    /* "fr" */
	const char *subject; /* UTF-8 */
	int64_t date_s;
	const char *text; /* UTF-8 */
	const void *html;
	size_t html_len;
	const struct mail_file *file;
	unsigned int files;
};

/* -EINVAL: an address, a file's name or the id that could end its header. */
int mail_write(const struct mail *mail, struct buf *out, struct error *err);

#endif
