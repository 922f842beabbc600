/* SPDX-License-Identifier: EUPL-1.2 */
/* A translation catalog (.mo), looked up in whatever state it is. */
#include <stdint.h>

#include "tools/po/po.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct po_catalog catalog = { .data = data, .len = size };

	(void)po_catalog_find(&catalog, "drive", 0);
	(void)po_catalog_find(&catalog, "", 0);
	(void)po_catalog_find(&catalog, "one file", 1);
	return 0;
}
