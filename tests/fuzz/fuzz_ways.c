/* SPDX-License-Identifier: EUPL-1.2 */
/* exports(5), and the journal of what was accepted. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/daemon/daemon.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct ways_place place = { .lower = "/srv/part",
					  .lower_root = "/srv/part",
					  .mountpoint = "/srv/part",
					  .run_dir = "/run/sobre/x",
					  .source = "sobre#x" };
	struct way_list list = { .n = 0 };
	struct error err = ERROR_INIT;
	char *text = calloc(1, size + 1);

	if (!text)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	(void)ways_in_exports(&place, text, &list, &err);
	(void)way_list_add(&list, "pid 1 (smbd) cwd /srv/part", "7", &err);
	ways_mark_accepted(&list, text);
	way_list_release(&list);
	free(text);
	return 0;
}
