/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/daemon/reason.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fs/base/units.h"

void day_text(int32_t day, enum po_lang lang, char ret_text[16])
{
	time_t at = (time_t)day * 86400;
	struct tm tm;

	ret_text[0] = '\0';
	if (gmtime_r(&at, &tm))
		(void)strftime(ret_text, 16,
			       lang == PO_FR ? "%d/%m/%Y" : "%Y-%m-%d", &tm);
}

const char *reason_name(enum reason_kind kind)
{
	switch (kind) {
	case REASON_PATH:
		return "path";
	case REASON_NAME:
		return "name";
	case REASON_DEPARTMENT:
		return "department";
	case REASON_SIZE:
		return "size";
	case REASON_NOT_CHANGED:
		return "not_changed";
	case REASON_NOT_USED:
		return "not_used";
	case REASON_NEVER_USED:
		return "never_used";
	case REASON_KEPT_LONG:
		return "kept_long";
	case REASON_DUPLICATE:
		return "duplicate";
	case REASON_START_UNKNOWN:
		return "start_unknown";
	case REASON_KEPT_UNTIL:
		return "kept_until";
	case REASON_HELD_BY:
		return "held_by";
	}
	return "";
}

/* What `%s` in the sentence stands for. */
static void value_text(const struct reason *r, enum po_lang lang,
		       char ret_text[UNITS_TEXT_MAX])
{
	ret_text[0] = '\0';
	switch (r->kind) {
	case REASON_SIZE:
		units_format_size((uint64_t)r->value,
				  lang == PO_FR ? UNITS_FR : UNITS_EN,
				  ret_text);
		break;
	case REASON_NOT_CHANGED:
	case REASON_NOT_USED:
	case REASON_NEVER_USED:
	case REASON_KEPT_LONG:
	case REASON_KEPT_UNTIL:
		day_text((int32_t)r->value, lang, ret_text);
		break;
	case REASON_DUPLICATE:
		(void)snprintf(ret_text, UNITS_TEXT_MAX, "%lld",
			       (long long)r->value);
		break;
	case REASON_PATH:
	case REASON_NAME:
	case REASON_DEPARTMENT:
	case REASON_START_UNKNOWN:
	case REASON_HELD_BY:
		break;
	}
}

static const char *sentence(enum reason_kind kind)
{
	switch (kind) {
	case REASON_PATH:
		return N_("path '%s'");
	case REASON_NAME:
		return N_("name '%s'");
	case REASON_DEPARTMENT:
		return N_("department '%s'");
	case REASON_SIZE:
		return N_("size %s");
	case REASON_NOT_CHANGED:
		return N_("not changed since %s");
	case REASON_NOT_USED:
		return N_("not used since %s");
	case REASON_NEVER_USED:
		return N_("no use seen, watched since %s");
	case REASON_KEPT_LONG:
		return N_("its term ended on %s");
	case REASON_DUPLICATE:
		return N_("the same bytes are in other packed files: %s");
	case REASON_START_UNKNOWN:
		return N_("when its term began is not known");
	case REASON_KEPT_UNTIL:
		return N_("its term ends on %s");
	case REASON_HELD_BY:
		return N_("held by the rule '%s'");
	}
	return "%s";
}

/* Cut where a character ends. */
static void cut(char *text, size_t len)
{
	while (len > 0 && ((unsigned char)text[len - 1] & 0xc0) == 0x80)
		len--;
	if (len > 0 && (unsigned char)text[len - 1] >= 0xc0)
		len--;
	text[len] = '\0';
}

void reasons_text(const struct verdict *verdict, enum po_lang lang,
		  char ret_text[REASONS_TEXT_MAX])
{
	size_t used = 0;

	/* French sets a no-break space before it. */
	const char *between = lang == PO_FR ? "\xc2\xa0; " : "; ";
	const size_t between_len = strlen(between);

	ret_text[0] = '\0';
	for (unsigned int i = 0; i < verdict->n; i++) {
		const struct reason *r = &verdict->reason[i];
		char value[UNITS_TEXT_MAX];
		const char *format = po_text_in(lang, sentence(r->kind));
		int n;

		value_text(r, lang, value);
		if (used > 0 && used + between_len < REASONS_TEXT_MAX) {
			memcpy(ret_text + used, between, between_len + 1);
			used += between_len;
		}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		/* One %s at most; lint_po checks the translations. */
		n = snprintf(ret_text + used, REASONS_TEXT_MAX - used, format,
			     value[0] || !r->text ? value : r->text);
#pragma GCC diagnostic pop
		if (n < 0)
			return;
		if (used + (size_t)n >= REASONS_TEXT_MAX) {
			cut(ret_text, strlen(ret_text));
			return;
		}
		used += (size_t)n;
	}
}
