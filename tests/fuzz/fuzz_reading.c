/* SPDX-License-Identifier: EUPL-1.2 */
/* What a program says that reads a meter: other people's. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/figures/figures.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_it(const char *text, const char *after, micro times)
{
	struct error err = ERROR_INIT;
	micro value = -1;
	int rc = meter_output(text, after, times, &value, &err);

	if (rc == 0 ? value < 0 : value != -1 || err.code != rc)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	read_it(text, NULL, MICRO);
	read_it(text, "reading:", MICRO / 1000);
	read_it(text, NULL, 1000000 * MICRO);
	free(text);
	return 0;
}
