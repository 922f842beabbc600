/* SPDX-License-Identifier: EUPL-1.2 */
/* Durations and sizes as people write them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fs/base/units.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(1, size + 1);
	struct error err = ERROR_INIT;
	uint64_t bytes;
	int64_t s;

	if (!text)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	(void)units_parse_duration(text, &s, &err);
	(void)units_parse_size(text, &bytes, &err);
	free(text);
	return 0;
}
