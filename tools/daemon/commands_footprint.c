/* SPDX-License-Identifier: EUPL-1.2 */
/* du: what a file, or a directory and all below it, costs. */
#include <errno.h>
#include <time.h>

#include "fs/base/log.h"
#include "tools/daemon/internal.h"
#include "tools/daemon/rate.h"

/* A second of work. */
#define COUNTED_AT_ONCE 50000

static json_int_t i(uint64_t n)
{
	return (json_int_t)n;
}

static json_t *departments_json(struct catalog *cat, const struct dept_set *set)
{
	struct ledger_departments all = { .n = 0 };
	struct error ignored = ERROR_INIT;
	json_t *ids = json_array();

	if (ledger_departments(cat, &all, &ignored) < 0)
		return ids;
	for (unsigned int n = 0; ids && n < set->n; n++)
		for (unsigned int d = 0; d < all.n; d++)
			if (all.row[d].number == set->member[n])
				(void)json_array_append_new(
					ids, json_from_name(all.row[d].id));
	ledger_departments_release(&all);
	return ids;
}

/* Integers, and beside them what people use. */
static json_t *year_json(const struct energy_year *year)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:f, s:f, s:f}", "mwh",
			 i(year->mwh), "ueur", i(year->ueur), "use_ugco2e",
			 i(year->use_ug), "build_ugco2e", i(year->build_ug),
			 "kwh", (double)year->mwh / 1e6, "eur",
			 (double)year->ueur / 1e6, "gco2e",
			 (double)(year->use_ug + year->build_ug) / 1e6);
}

/* A failure is no failure of what went before: the next tick tries again. */
json_t *shares_counted(const struct command_env *env, json_t *result)
{
	struct ledger *ledger = drive_ledger(env->drive);
	struct error err = ERROR_INIT;

	if (!result || !ledger)
		return result;
	/* What was unpacked is told by events. */
	if (catalog_flush(drive_catalog(env->drive), &err) < 0 ||
	    !ledger_shares_due(ledger))
		return result;
	if (ledger_count_shares(ledger, COUNTED_AT_ONCE, env->stop, &err) < 0 &&
	    err.code != -ECANCELED)
		log_error("%s", err.text);
	return result;
}

/* Null: never. */
static json_t *counted_json(const struct ledger_shares *shares)
{
	time_t at = (time_t)shares->counted_s;
	char text[32];
	struct tm tm;

	if (!shares->counted || !gmtime_r(&at, &tm) ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return json_null();
	return json_string(text);
}

json_t *footprint_json(const struct command_env *env, uint64_t ino,
		       uint64_t max_directories, struct error *err)
{
	struct catalog *cat = drive_catalog(env->drive);
	struct ledger_footprint f = { .files = 0 };
	struct energy_year year = { .mwh = 0 };
	struct ledger_shares shares;

	if (ledger_footprint_within(cat, drive_store(env->drive), ino,
				    max_directories, &f, err) < 0)
		return NULL;
	ledger_shares(cat, &shares);
	rate_year(env,
		  (const uint128[TIERS]){ [TIER_HOT] = f.hot_bytes,
					  [TIER_PACKED] = f.packed_bytes },
		  &year);
	return json_or_nomem(
		json_pack("{s:i, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b,"
			  " s:o, s:o, s:o}",
			  "schema", PROTOCOL_SCHEMA, "scanned",
			  !catalog_needs_scan(cat), "files", i(f.files),
			  "packed_files", i(f.packed_files), "logical_bytes",
			  i(f.logical_bytes), "share_bytes",
			  i(f.hot_bytes + f.packed_bytes), "hot_bytes",
			  i(f.hot_bytes), "packed_bytes", i(f.packed_bytes),
			  "exclusive_bytes", i(f.exclusive_bytes),
			  "shares_current", f.shares_current, "shares_counted",
			  counted_json(&shares), "departments",
			  departments_json(cat, &f.set), "year",
			  year_json(&year)),
		err);
}

json_t *footprint_alone_json(const struct command_env *env, uint64_t ino,
			     struct error *err)
{
	struct catalog *cat = drive_catalog(env->drive);
	struct ledger_footprint f = { .files = 0 };
	struct energy_year year = { .mwh = 0 };

	if (ledger_footprint_within(cat, drive_store(env->drive), ino, 0, &f,
				    err) < 0)
		return NULL;
	rate_year(env, (const uint128[TIERS]){ [TIER_HOT] = f.logical_bytes },
		  &year);
	return json_or_nomem(
		json_pack("{s:i, s:b, s:I, s:I, s:b, s:I, s:o, s:o}", "schema",
			  PROTOCOL_SCHEMA, "scanned", !catalog_needs_scan(cat),
			  "files", i(f.files), "logical_bytes",
			  i(f.logical_bytes), "at_most", true, "share_bytes",
			  i(f.logical_bytes), "departments",
			  departments_json(cat, &f.set), "year",
			  year_json(&year)),
		err);
}

static json_t *du_one(const struct command_env *env, const char *path,
		      struct error *err)
{
	struct stat st;
	json_t *one;

	if (drive_stat(env->drive, path, &st, err) < 0)
		return NULL;
	one = footprint_json(env, st.st_ino, UINT64_MAX, err);
	if (one)
		(void)json_object_set_new(one, "path", json_from_name(path));
	else if (err->code == -ENOENT)
		(void)error_set(err, -ENOENT,
				"'/%s' is not in the catalog yet: try again "
				"once the scan has ended",
				path);
	return one;
}

json_t *command_du(const struct command_env *env, const struct request *request,
		   struct error *err)
{
	cleanup_json json_t *list = json_array();
	struct command_progress p = { .total = request->n_paths };

	/* Sizes as they are now, not as of a second ago. */
	if (catalog_flush(drive_catalog(env->drive), err) < 0)
		return NULL;
	for (size_t n = 0; n < request->n_paths; n++) {
		json_t *one;

		p.done = n;
		if (!command_tell(env, &p) ||
		    (env->stop &&
		     __atomic_load_n(env->stop, __ATOMIC_ACQUIRE))) {
			(void)error_set(err, -ECANCELED, "interrupted");
			return NULL;
		}
		one = du_one(env, request->paths[n], err);
		if (!one)
			return NULL;
		(void)json_array_append_new(list, one);
	}
	return json_or_nomem(json_pack("{s:i, s:O}", "schema", PROTOCOL_SCHEMA,
				       "paths", list),
			     err);
}
