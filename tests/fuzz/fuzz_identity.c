/* SPDX-License-Identifier: EUPL-1.2 */
/* The file `drive`. */
#include <stdint.h>

#include "fs/file/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;
	struct identity id;

	(void)identity_decode((const char *)data, size, &id, &err);
	return 0;
}
