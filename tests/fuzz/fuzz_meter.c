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
	struct meter_measured m;

	if (meter_parse("x", (const char *)data, size, &meter, &err) < 0)
		return 0;
	if (meter_measure(&meter, 0, INT64_MAX, &m, &err) == 0 &&
	    (m.covered_s < 0 || m.longest_gap_s < 0))
		abort();
	if (meter_measure(&meter, 1788220800, 1790812800, &m, &err) == 0 &&
	    m.covered_s > 1790812800 - 1788220800)
		abort();
	meter_release(&meter);
	return 0;
}
