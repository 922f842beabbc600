/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/po/po.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/base/cleanup.h"

#define MO_MAGIC     0x950412deu
#define MO_MAX_BYTES (4u << 20)

/* The one language of the process, set before there are threads. */
/* NOLINTBEGIN(cppcoreguidelines-avoid-non-const-global-variables) */
static struct {
	enum po_lang lang;
	struct po_catalog catalog;
} chosen;
/* NOLINTEND(cppcoreguidelines-avoid-non-const-global-variables) */

static bool mo_u32(const struct po_catalog *c, size_t at, uint32_t *ret)
{
	if (at > c->len || c->len - at < 4)
		return false;
	*ret = (uint32_t)c->data[at] | (uint32_t)c->data[at + 1] << 8 |
	       (uint32_t)c->data[at + 2] << 16 |
	       (uint32_t)c->data[at + 3] << 24;
	return true;
}

/* String `i` of the table at `table`, with its NUL inside the file. */
static const char *mo_string(const struct po_catalog *c, uint32_t table,
			     uint32_t i, uint32_t *ret_len)
{
	size_t entry = table + (size_t)i * 8;
	uint32_t len;
	uint32_t at;

	if (!mo_u32(c, entry, &len) || !mo_u32(c, entry + 4, &at) ||
	    at >= c->len || len >= c->len - at || c->data[at + len] != 0)
		return NULL;
	*ret_len = len;
	return (const char *)c->data + at;
}

/* Plural forms lie one after the other, each with its NUL. */
static const char *nth_form(const char *text, uint32_t len, unsigned int form)
{
	const char *end = text + len;

	for (; form > 0; form--) {
		text += strlen(text) + 1;
		if (text > end)
			return NULL;
	}
	return text;
}

const char *po_catalog_find(const struct po_catalog *c, const char *msgid,
			    unsigned int form)
{
	uint32_t magic;
	uint32_t n;
	uint32_t originals;
	uint32_t translations;
	uint32_t low = 0;
	uint32_t len;

	if (!mo_u32(c, 0, &magic) || magic != MO_MAGIC || !mo_u32(c, 8, &n) ||
	    !mo_u32(c, 12, &originals) || !mo_u32(c, 16, &translations))
		return NULL;
	while (low < n) { /* originals are sorted */
		uint32_t middle = low + (n - low) / 2;
		const char *text = mo_string(c, originals, middle, &len);
		int order = text ? strcmp(msgid, text) : 0;

		if (!text)
			return NULL;
		if (order > 0) {
			low = middle + 1;
		} else if (order < 0) {
			n = middle;
		} else {
			text = mo_string(c, translations, middle, &len);
			return text ? nth_form(text, len, form) : NULL;
		}
	}
	return NULL;
}

/* share/locale beside bin: so in the build as where it is installed. */
static int catalog_path(char *path, size_t size)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;
	int len;

	if (n <= 0)
		return -ENOENT;
	exe[n] = '\0';
	slash = strrchr(exe, '/');
	if (!slash)
		return -ENOENT;
	*slash = '\0';
	len = snprintf(path, size, "%s/../share/locale/fr/LC_MESSAGES/sobre.mo",
		       exe);
	return len > 0 && (size_t)len < size ? 0 : -ENAMETOOLONG;
}

static void load_catalog(struct po_catalog *ret_catalog)
{
	char path[PATH_MAX + 64];
	cleanup_fd int fd = -1;
	struct stat st;
	void *data;

	if (catalog_path(path, sizeof(path)) < 0)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size <= 0 ||
	    st.st_size > (off_t)MO_MAX_BYTES)
		return;
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return;
	ret_catalog->data = data;
	ret_catalog->len = (size_t)st.st_size;
}

/* The first variable that is set decides, in gettext's order. */
static const char *environment_lang(void)
{
	static const char *const names[] = { "LANGUAGE", "LC_ALL",
					     "LC_MESSAGES", "LANG" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		/* NOLINTNEXTLINE(concurrency-mt-unsafe): no thread yet */
		const char *value = getenv(names[i]);

		if (value && *value)
			return value;
	}
	return "";
}

static bool is_french(const char *locale)
{
	return !strncmp(locale, "fr", 2) &&
	       (locale[2] == '\0' || strchr("_.@:", locale[2]));
}

int po_init(const char *lang, struct error *err)
{
	if (lang && strcmp(lang, "fr") != 0 && strcmp(lang, "en") != 0)
		return error_set(err, -EINVAL,
				 "unknown language '%s': en or fr", lang);
	if (!lang)
		lang = environment_lang();
	if (!chosen.catalog.data)
		load_catalog(&chosen.catalog);
	chosen.lang = is_french(lang) && po_has(PO_FR) ? PO_FR : PO_EN;
	return 0;
}

bool po_has(enum po_lang lang)
{
	return lang == PO_EN || chosen.catalog.data;
}

enum po_lang po_lang(void)
{
	return chosen.lang;
}

const char *po_text_in(enum po_lang lang, const char *msgid)
{
	const char *text = NULL;

	if (lang == PO_FR)
		text = po_catalog_find(&chosen.catalog, msgid, 0);
	return text && *text ? text : msgid;
}

const char *po_plural_in(enum po_lang lang, const char *one, const char *many,
			 unsigned long n)
{
	const char *text = NULL;

	if (lang == PO_FR) /* French: 0 and 1 are singular */
		text = po_catalog_find(&chosen.catalog, one, n > 1);
	if (text && *text)
		return text;
	return n == 1 ? one : many;
}

const char *po_text(const char *msgid)
{
	/* The text of "" is the catalog's header. */
	return *msgid ? po_text_in(chosen.lang, msgid) : msgid;
}

const char *po_plural(const char *one, const char *many, unsigned long n)
{
	return po_plural_in(chosen.lang, one, many, n);
}
