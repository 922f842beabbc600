/* SPDX-License-Identifier: EUPL-1.2 */
/* What kind of file a name's ending says it is. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tools/figures/internal.h"

#define ENDING_BYTES 12

struct ending {
	const char *text;
	enum report_kind kind;
};

/* By `text`, as strcmp() has it. */
static const struct ending endings[] = {
	{ "3gp", KIND_MEDIA },	  { "7z", KIND_ZIP },
	{ "aac", KIND_MEDIA },	  { "accdb", KIND_DATABASE },
	{ "ai", KIND_IMAGE },	  { "aif", KIND_MEDIA },
	{ "aiff", KIND_MEDIA },	  { "arw", KIND_IMAGE },
	{ "avi", KIND_MEDIA },	  { "bmp", KIND_IMAGE },
	{ "bz2", KIND_ZIP },	  { "cab", KIND_ZIP },
	{ "cr2", KIND_IMAGE },	  { "csv", KIND_SHEET },
	{ "db", KIND_DATABASE },  { "dbf", KIND_DATABASE },
	{ "dbx", KIND_MAIL },	  { "dng", KIND_IMAGE },
	{ "doc", KIND_TEXT },	  { "docm", KIND_TEXT },
	{ "docx", KIND_TEXT },	  { "dot", KIND_TEXT },
	{ "dotx", KIND_TEXT },	  { "dwg", KIND_IMAGE },
	{ "dxf", KIND_IMAGE },	  { "eml", KIND_MAIL },
	{ "eps", KIND_IMAGE },	  { "flac", KIND_MEDIA },
	{ "flv", KIND_MEDIA },	  { "fodt", KIND_TEXT },
	{ "gif", KIND_IMAGE },	  { "gz", KIND_ZIP },
	{ "heic", KIND_IMAGE },	  { "heif", KIND_IMAGE },
	{ "img", KIND_ZIP },	  { "indd", KIND_IMAGE },
	{ "iso", KIND_ZIP },	  { "jpeg", KIND_IMAGE },
	{ "jpg", KIND_IMAGE },	  { "m2ts", KIND_MEDIA },
	{ "m4a", KIND_MEDIA },	  { "m4v", KIND_MEDIA },
	{ "mbox", KIND_MAIL },	  { "md", KIND_TEXT },
	{ "mdb", KIND_DATABASE }, { "mdf", KIND_DATABASE },
	{ "mkv", KIND_MEDIA },	  { "mov", KIND_MEDIA },
	{ "mp3", KIND_MEDIA },	  { "mp4", KIND_MEDIA },
	{ "mpeg", KIND_MEDIA },	  { "mpg", KIND_MEDIA },
	{ "msg", KIND_MAIL },	  { "mts", KIND_MEDIA },
	{ "nef", KIND_IMAGE },	  { "nsf", KIND_MAIL },
	{ "odb", KIND_DATABASE }, { "odg", KIND_IMAGE },
	{ "odp", KIND_SLIDES },	  { "ods", KIND_SHEET },
	{ "odt", KIND_TEXT },	  { "ogg", KIND_MEDIA },
	{ "opus", KIND_MEDIA },	  { "ost", KIND_MAIL },
	{ "otp", KIND_SLIDES },	  { "ots", KIND_SHEET },
	{ "ott", KIND_TEXT },	  { "ova", KIND_ZIP },
	{ "pdf", KIND_PDF },	  { "png", KIND_IMAGE },
	{ "pot", KIND_SLIDES },	  { "potx", KIND_SLIDES },
	{ "pps", KIND_SLIDES },	  { "ppsx", KIND_SLIDES },
	{ "ppt", KIND_SLIDES },	  { "pptm", KIND_SLIDES },
	{ "pptx", KIND_SLIDES },  { "psd", KIND_IMAGE },
	{ "pst", KIND_MAIL },	  { "rar", KIND_ZIP },
	{ "raw", KIND_IMAGE },	  { "rtf", KIND_TEXT },
	{ "sql", KIND_DATABASE }, { "sqlite", KIND_DATABASE },
	{ "svg", KIND_IMAGE },	  { "tar", KIND_ZIP },
	{ "tex", KIND_TEXT },	  { "tgz", KIND_ZIP },
	{ "tif", KIND_IMAGE },	  { "tiff", KIND_IMAGE },
	{ "tsv", KIND_SHEET },	  { "txt", KIND_TEXT },
	{ "vhd", KIND_ZIP },	  { "vhdx", KIND_ZIP },
	{ "vmdk", KIND_ZIP },	  { "vob", KIND_MEDIA },
	{ "wav", KIND_MEDIA },	  { "webm", KIND_MEDIA },
	{ "webp", KIND_IMAGE },	  { "wim", KIND_ZIP },
	{ "wma", KIND_MEDIA },	  { "wmv", KIND_MEDIA },
	{ "wpd", KIND_TEXT },	  { "wps", KIND_TEXT },
	{ "xls", KIND_SHEET },	  { "xlsb", KIND_SHEET },
	{ "xlsm", KIND_SHEET },	  { "xlsx", KIND_SHEET },
	{ "xlt", KIND_SHEET },	  { "xltx", KIND_SHEET },
	{ "xps", KIND_PDF },	  { "xz", KIND_ZIP },
	{ "zip", KIND_ZIP },	  { "zst", KIND_ZIP },
};

static int compare(const void *a, const void *b)
{
	return strcasecmp(a, ((const struct ending *)b)->text);
}

enum report_kind kind_of(const char *name)
{
	const char *dot = strrchr(name, '.');
	const struct ending *found = NULL;

	if (dot && dot != name && strlen(dot + 1) < ENDING_BYTES)
		found = bsearch(dot + 1, endings,
				sizeof(endings) / sizeof(endings[0]),
				sizeof(endings[0]), compare);
	return found ? found->kind : KIND_OTHER;
}

bool name_is_temporary(const char *name)
{
	static const char *const ends[] = { ".tmp",  ".temp", ".bak",
					    ".old",  ".wbk",  ".asd",
					    ".part", "~",     ".crdownload" };
	static const char *const whole[] = { "Thumbs.db", ".DS_Store" };
	const size_t len = strlen(name);

	if (!strncmp(name, "~$", 2) || !strncmp(name, ".~lock.", 7))
		return true;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		const size_t n = strlen(ends[i]);

		if (len > n && !strcasecmp(name + len - n, ends[i]))
			return true;
	}
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		if (!strcasecmp(name, whole[i]))
			return true;
	return false;
}
