/* SPDX-License-Identifier: EUPL-1.2 */
/* Mount points and sources hold what users chose. */
#include <stdint.h>

#include "tools/daemon/daemon.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_mounts struct mount_table table = MOUNT_TABLE_INIT;
	cleanup_ways struct way_list list = { .ways = NULL };
	const struct ways_place place = { .lower = "/srv/part",
					  .lower_root = "/part",
					  .mountpoint = "/srv/part",
					  .run_dir = "/run/sobre/x",
					  .source = "sobre#x" };
	struct error err = ERROR_INIT;

	if (size > 65536 ||
	    mount_table_parse((const char *)data, size, &table, &err) < 0)
		return 0;
	for (size_t i = 0; i < table.n; i++) {
		(void)mount_sobre_uuid(&table.mounts[i]);
		(void)mount_table_at(&table, table.mounts[i].point);
	}
	(void)mount_table_serving(&table, "/srv/part/a");
	(void)mount_table_by_source(&table, "sobre#x");
	(void)ways_in_mounts(&place, &table, "", "", &list, &err);
	return 0;
}
