/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_PO_PO_H
#define SOBREFS_PO_PO_H

/*
 * The language of what people read. Texts are English in the source, marked
 * with T() or TN(); translations are gettext catalogs (tools/po/fr.po,
 * compiled by msgfmt). They are looked up here and not by libintl, which
 * translates nothing unless the system has a locale of that language
 * generated: a minimal server has none, and --lang must work there.
 *
 * po_init() once, before any thread; the rest from any thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "fs/base/error.h"

enum po_lang {
	PO_EN,
	PO_FR
};

/* `lang`: "fr", "en", or NULL: what LANGUAGE, LC_ALL, LC_MESSAGES and LANG
 * say. A missing catalog means English. -EINVAL for another language. */
int po_init(const char *lang, struct error *err);
enum po_lang po_lang(void);

const char *po_text(const char *msgid) __attribute__((format_arg(1)));
const char *po_plural(const char *one, const char *many, unsigned long n)
	__attribute__((format_arg(1), format_arg(2)));

/* The same in a language of its own, whatever the process speaks: what is
 * written for somebody else. English when the catalog is missing. */
const char *po_text_in(enum po_lang lang, const char *msgid)
	__attribute__((format_arg(2)));
const char *po_plural_in(enum po_lang lang, const char *one, const char *many,
			 unsigned long n)
	__attribute__((format_arg(2), format_arg(3)));
/* Is there a catalog for it? */
bool po_has(enum po_lang lang);

#define T(msgid)		po_text(msgid)
#define TN(one, many, n)	po_plural(one, many, n)
#define TL(lang, msgid)		po_text_in(lang, msgid)
#define TLN(lang, one, many, n) po_plural_in(lang, one, many, n)
#define N_(msgid)		msgid /* translated later, where it is printed */

/* --- a catalog, for po.c and its tests --------------------------------- */

struct po_catalog {
	const unsigned char *data; /* a .mo file: any bytes are safe */
	size_t len;
};

/* The translation's plural form `form`, borrowed from the catalog; NULL. */
const char *po_catalog_find(const struct po_catalog *catalog, const char *msgid,
			    unsigned int form);

#endif
