/* SPDX-License-Identifier: EUPL-1.2 */
/* The daemon's requests: any bytes. What is taken must survive a round. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/daemon/daemon.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same(const struct request *a, const struct request *b)
{
	if (a->command != b->command || a->n_paths != b->n_paths ||
	    a->now != b->now || a->rebuild != b->rebuild ||
	    a->grace_s != b->grace_s || a->month != b->month ||
	    a->as_of_day != b->as_of_day || a->formats != b->formats ||
	    a->french != b->french)
		return false;
	for (size_t i = 0; i < a->n_paths; i++)
		if (strcmp(a->paths[i], b->paths[i]) != 0)
			return false;
	return same_text(a->way, b->way) &&
	       same_text(a->policies, b->policies) &&
	       same_text(a->rule, b->rule) &&
	       same_text(a->department, b->department) &&
	       same_text(a->out, b->out);
}

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
	if (request_decode(value, &again, &err) < 0 || !same(&request, &again))
		abort();
	return 0;
}
