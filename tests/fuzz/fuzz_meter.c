/* SPDX-License-Identifier: EUPL-1.2 */
/* The readings of an array's meter: written by other people's programs. */
#include <stdint.h>
#include <stdlib.h>

#include "tools/figures/figures.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct meter meter;
	struct error err = ERROR_INIT;
	uint64_t mwh = 0;
	int64_t covered_s = 0;

	if (meter_parse("x", (const char *)data, size, &meter, &err) < 0)
		return 0;
	if (meter_measure(&meter, INT64_MIN, INT64_MAX, &mwh, &covered_s,
			  &err) == 0 &&
	    covered_s < 0)
		abort();
	(void)meter_measure(&meter, 1788220800, 1790812800, &mwh, &covered_s,
			    &err);
	meter_release(&meter);
	return 0;
}
