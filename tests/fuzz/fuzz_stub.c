/* SPDX-License-Identifier: EUPL-1.2 */
/* The stub's and the sealed root's xattrs, as found and with their checksum
 * made right, so that what is behind it is reached too. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fs/file/internal.h"

#define SUM_AT	4
#define BODY_AT 8
#define MAX	4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_both(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;
	uint8_t again[MAX];
	struct stub stub;
	struct root_record record;
	size_t len;

	if (stub_decode(data, size, &stub, &err) == 0) {
		stub_encode(&stub, again);
		if (memcmp(again, data, size) != 0)
			abort();
	}
	if (root_record_decode(data, size, &record, &err) == 0 &&
	    (root_record_encode(&record, again, sizeof(again), &len) < 0 ||
	     len != size))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *right;
	uint32_t sum;

	if (size > MAX)
		return 0;
	try_both(data, size);
	if (size < BODY_AT)
		return 0;
	right = malloc(size);
	if (!right)
		return 0;
	memcpy(right, data, size);
	sum = hash32(right + BODY_AT, size - BODY_AT);
	for (size_t i = 0; i < 4; i++)
		right[SUM_AT + i] = (uint8_t)(sum >> (8 * i));
	try_both(right, size);
	free(right);
	return 0;
}
