/* SPDX-License-Identifier: EUPL-1.2 */
#include "fs/base/wide.h"

#include <string.h>

const char *wide_text(uint128 v, char buf[WIDE_TEXT_MAX])
{
	char digits[WIDE_TEXT_MAX];
	char *at = digits + sizeof(digits) - 1;

	*at = '\0';
	do {
		*--at = (char)('0' + (int)(v % 10));
		v /= 10;
	} while (v != 0);
	return memcpy(buf, at, (size_t)(digits + sizeof(digits) - at));
}
