/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_DAEMON_REASON_H
#define SOBREFS_DAEMON_REASON_H

/* Why a rule matches a file, as people read it. Pure. */

#include <stddef.h>

#include "policy/eval/eval.h"
#include "tools/po/po.h"

#define REASONS_TEXT_MAX 1024 /* bytes, NUL included */

/* A sentence of all reasons: "path …; not changed since 2021-03-04". */
void reasons_text(const struct verdict *verdict, enum po_lang lang,
		  char ret_text[REASONS_TEXT_MAX]);
/* "2021-03-04", "04/03/2021". */
void day_text(int32_t day, enum po_lang lang, char ret_text[16]);
/* "path", "not_used", …: of JSON. */
const char *reason_name(enum reason_kind kind);

#endif
