/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/po/po.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A catalog of three entries, as msgfmt lays it out: header, table of
 * originals, table of translations, strings. */
#define ORIGINALS    28
#define TRANSLATIONS (ORIGINALS + 3 * 8)
#define STRINGS	     (TRANSLATIONS + 3 * 8)

struct mo {
	unsigned char data[256];
	size_t len;
};

static void put(struct mo *mo, size_t at, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		mo->data[at + (size_t)i] = (unsigned char)(v >> (8 * i));
}

static void put_string(struct mo *mo, size_t entry, const char *text,
		       size_t len)
{
	put(mo, entry, (uint32_t)len);
	put(mo, entry + 4, (uint32_t)mo->len);
	memcpy(mo->data + mo->len, text, len);
	mo->len += len;
	mo->data[mo->len++] = '\0';
}

static struct mo make(void)
{
	struct mo mo = { .len = STRINGS };

	put(&mo, 0, 0x950412de);
	put(&mo, 8, 3);
	put(&mo, 12, ORIGINALS);
	put(&mo, 16, TRANSLATIONS);
	put_string(&mo, ORIGINALS, "", 0);
	put_string(&mo, ORIGINALS + 8, "a file\0files", 12);
	put_string(&mo, ORIGINALS + 16, "no", 2);
	put_string(&mo, TRANSLATIONS, "header", 6);
	put_string(&mo, TRANSLATIONS + 8, "un fichier\0fichiers", 19);
	put_string(&mo, TRANSLATIONS + 16, "non", 3);
	return mo;
}

static void texts_and_plurals_are_found(void **state)
{
	struct mo mo = make();
	const struct po_catalog c = { .data = mo.data, .len = mo.len };

	(void)state;
	assert_string_equal(po_catalog_find(&c, "no", 0), "non");
	assert_string_equal(po_catalog_find(&c, "a file", 0), "un fichier");
	assert_string_equal(po_catalog_find(&c, "a file", 1), "fichiers");
	assert_null(po_catalog_find(&c, "a file", 2));
	assert_null(po_catalog_find(&c, "yes", 0));
	assert_null(po_catalog_find(&c, "a", 0));
}

/* Whatever byte is damaged or missing, nothing is read out of bounds: each
 * copy is on the heap at its exact size, for the sanitizer to see. */
static void a_damaged_catalog_is_harmless(void **state)
{
	struct mo mo = make();

	(void)state;
	for (size_t len = 0; len <= mo.len; len++) {
		unsigned char *copy = malloc(len + 1);
		struct po_catalog c = { .data = copy, .len = len };

		assert_non_null(copy);
		memcpy(copy, mo.data, len);
		(void)po_catalog_find(&c, "a file", 1);
		for (size_t at = 0; at < len; at++) {
			copy[at] ^= 0xff;
			(void)po_catalog_find(&c, "a file", 1);
			(void)po_catalog_find(&c, "no", 0);
			copy[at] ^= 0xff;
		}
		free(copy);
	}
}

static void an_unknown_language_is_refused(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(po_init("de", &err), -EINVAL);
	assert_int_equal(po_init("en", &err), 0);
	assert_int_equal(po_lang(), PO_EN);
	assert_string_equal(T("no catalog, no translation"),
			    "no catalog, no translation");
	assert_string_equal(TN("one", "many", 1), "one");
	assert_string_equal(TN("one", "many", 0), "many");
}

static void a_report_may_be_in_another_language_than_the_process(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(po_init("en", &err), 0);
	assert_true(po_has(PO_EN));
	assert_string_equal(TL(PO_EN, "January"), "January");
	if (!po_has(PO_FR))
		skip(); /* built without msgfmt */
	assert_int_equal(po_lang(), PO_EN);
	assert_string_equal(T("January"), "January");
	assert_string_equal(TL(PO_FR, "January"), "janvier");
	assert_string_equal(TLN(PO_FR, "%llu file", "%llu files", 0),
			    "%llu fichier");
	assert_string_equal(TLN(PO_FR, "%llu file", "%llu files", 2),
			    "%llu fichiers");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_and_plurals_are_found),
		cmocka_unit_test(a_damaged_catalog_is_harmless),
		cmocka_unit_test(an_unknown_language_is_refused),
		cmocka_unit_test(
			a_report_may_be_in_another_language_than_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
