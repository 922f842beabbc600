/* SPDX-License-Identifier: EUPL-1.2 */
/* The daemon's requests: any bytes. What is taken must survive a round. */
#include <stdint.h>
#include <stdlib.h>

#include "tools/daemon/daemon.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_request struct request request = { .command = REQUEST_STATUS };
	cleanup_request struct request again = { .command = REQUEST_STATUS };
	cleanup_json json_t *value = NULL;
	struct error err = ERROR_INIT;

	if (size > FRAME_MAX_BYTES ||
	    request_parse(data, size, &request, &err) < 0)
		return 0;
	value = request_encode(&request);
	if (!value)
		return 0;
	if (request_decode(value, &again, &err) < 0 ||
	    again.n_paths != request.n_paths ||
	    again.command != request.command)
		abort();
	return 0;
}
