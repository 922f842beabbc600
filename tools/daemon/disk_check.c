/* SPDX-License-Identifier: EUPL-1.2 */
/* What the ledger counts against what is on disk: docs/design/footprint.md,
 * "Closing a month". */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/daemon/internal.h"
#include "tools/figures/figures.h"

/* What the ledger says is held now. */
static int held_bytes(struct catalog *cat, uint64_t ret_bytes[TIERS],
		      struct error *err)
{
	struct tier_time *row = NULL;
	unsigned int n = 0;
	uint128 sum[TIERS] = { 0 };
	int rc = catalog_flush(cat, err);

	if (rc == 0)
		rc = ledger_now(cat, &row, &n, err);
	for (unsigned int i = 0; rc == 0 && i < n; i++)
		sum[row[i].tier] += row[i].byte_seconds;
	free(row);
	for (unsigned int i = 0; i < TIERS; i++)
		ret_bytes[i] = (uint64_t)sum[i];
	return rc;
}

struct look {
	uint64_t before[TIERS];
	uint64_t after[TIERS];
	uint64_t lower_bytes;
	struct state_use state;
	uint64_t state_again; /* bytes, a little later */
	struct store_totals store;
};

/* The state directory last: it is quick. */
static int look_at(const struct command_env *env, struct look *look,
		   struct error *err)
{
	struct drive *drive = env->drive;
	struct catalog *cat = drive_catalog(drive);
	int rc = held_bytes(cat, look->before, err);

	if (rc == 0)
		rc = drive_lower_bytes(drive, env->stop, &look->lower_bytes,
				       err);
	if (rc == 0)
		rc = store_totals(drive_store(drive), &look->store, err);
	if (rc < 0)
		return rc;
	drive_state_use(drive, &look->state);
	rc = ledger_tick(drive_ledger(drive), look->state.all_bytes, err);
	if (rc == 0)
		rc = held_bytes(cat, look->after, err);
	look->state_again = drive_state_bytes(drive);
	return rc;
}

/* "`held` FOUND `says` COUNTED" */
static void differ(struct report_checks *checks, const char *name,
		   const char *held, uint64_t found, const char *says,
		   uint64_t counted)
{
	char text[160];

	if (counted == found)
		return;
	(void)snprintf(text, sizeof(text), "%s %" PRIu64 " %s %" PRIu64, held,
		       found, says, counted);
	checks_add_numbers(checks, name, text, counted, found);
}

static void compare(const struct look *look, struct report_checks *checks)
{
	const uint64_t *held = look->after;
	const uint64_t kept = look->store.pack_bytes;
	const uint64_t live = held[TIER_PACKED];

	if (look->before[TIER_HOT] == held[TIER_HOT])
		differ(checks, CHECK_DISK, "the disk holds", look->lower_bytes,
		       "bytes of files, the ledger says", held[TIER_HOT]);
	differ(checks, CHECK_PACKS, "the packs hold", look->state.pack_sizes,
	       "bytes, the catalog says", kept);
	if (live > kept)
		differ(checks, CHECK_PACKS, "the packs hold", kept,
		       "bytes, their chunks in use", live);
	if (look->state.all_bytes == look->state_again)
		differ(checks, CHECK_STATE, "the state directory holds",
		       look->state.all_bytes, "bytes, the ledger says",
		       held[TIER_STATE]);
}

/* Parts that were looked at one after the other never make more than all. */
static uint64_t take(uint64_t *left, uint64_t bytes)
{
	uint64_t n = bytes < *left ? bytes : *left;

	*left -= n;
	return n;
}

static struct report_disk account(const struct look *look)
{
	const uint64_t *held = look->after;
	uint64_t left = held[TIER_STATE];
	struct report_disk disk = { .known = true,
				    .files_bytes = held[TIER_HOT] };

	disk.packed_bytes = take(&left, held[TIER_PACKED]);
	disk.archive_bytes = take(&left, held[TIER_ARCHIVE]);
	if (look->state.pack_bytes > disk.packed_bytes)
		disk.pack_rest_bytes =
			take(&left, look->state.pack_bytes - disk.packed_bytes);
	disk.catalog_bytes = take(&left, look->state.catalog_bytes);
	disk.other_bytes = left;
	disk.found_bytes = look->lower_bytes + look->state.all_bytes;
	return disk;
}

int disk_check(const struct command_env *env, struct report_checks *checks,
	       struct report_disk *ret_disk, struct error *err)
{
	struct look look = { .lower_bytes = 0 };
	int rc = look_at(env, &look, err);

	if (rc < 0)
		return rc;
	compare(&look, checks);
	*ret_disk = account(&look);
	return 0;
}
