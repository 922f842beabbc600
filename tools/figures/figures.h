/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_FIGURES_FIGURES_H
#define SOBREFS_FIGURES_FIGURES_H

/*
 * The months of a report: what the ledger kept, weighed by the energy model,
 * with the array's meter when it has one. docs/design/footprint.md. No state;
 * any thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "fs/base/error.h"
#include "fs/catalog/catalog.h"
#include "fs/energy/energy.h"
#include "tools/report/report.h"

/* --- an array's meter ---------------------------------------------------- */

/*
 * A CSV: the line "time,kWh" (a register, as on an electricity meter: it
 * rises; when it falls it was replaced, and what lies between is not known)
 * or "time,W" (power, taken as straight between two readings a day apart at
 * most). Then a line a reading: 2026-09-01T00:00:00Z,1234.5 — UTC, in order,
 * up to 6 decimals. Empty lines and those starting with # are skipped; a last
 * line without its newline is being written, and is skipped too.
 */
#define METER_MAX_BYTES	   (64u << 20)
#define METER_MAX_READINGS 2000000u

enum meter_kind {
	METER_KWH,
	METER_W
};
struct meter_reading {
	int64_t at_s;
	micro value; /* kWh or W */
};
struct meter {
	enum meter_kind kind;
	struct meter_reading *reading; /* owned; ascending */
	size_t n;
};

/* `name` is for messages, "name:line: what". -SOBRE_ECONFIG; -EFBIG. */
int meter_parse(const char *name, const char *text, size_t len,
		struct meter *ret_meter, struct error *err);
/* -SOBRE_ECONFIG, or why it can't be read. */
int meter_load(const char *path, struct meter *ret_meter, struct error *err);
/* Of a zeroed struct, too. */
void meter_release(struct meter *meter);

/* Energy from `from_s` to before `to_s`, and how many of these seconds lie
 * between two readings. -EOVERFLOW: no 64 bits of mWh. */
int meter_measure(const struct meter *meter, int64_t from_s, int64_t to_s,
		  uint64_t *ret_mwh, int64_t *ret_covered_s, struct error *err);

/* --- months -------------------------------------------------------------- */

/* As drive.yaml says it; 0 or NULL: not said. */
struct figures_array {
	uint64_t usable_bytes;
	const struct meter *meter; /* borrowed */
	int32_t bought;		   /* 12 * year + month - 1; -1: not said */
	uint32_t life_years;
	micro fabrication_kg;
	bool flash;
	bool archive_apart;
};

/*
 * `month` and the twelve before it, the oldest first. A month the ledger
 * knows nothing of is there, not known. A meter counts for a month when it
 * covers 9 seconds in 10 of what is counted of it, and is then stretched to
 * all of that; else the month is by coefficients (energy.measured says which).
 * `array`: NULL when nothing is known. -EINVAL when `month` lies after
 * `now_s`. Release the months by figures_release(), also when none is known.
 */
int figures_months(struct catalog *cat, const struct coef_set *coefs,
		   const struct figures_array *array, int32_t month,
		   int64_t now_s, struct report_month ret_months[REPORT_MONTHS],
		   struct error *err);
void figures_release(struct report_month months[REPORT_MONTHS]);

/* What energy_year() takes of an array (NULL: nothing known). The measured
 * rate is that of the last of the `n` months that was measured. */
struct energy_input figures_rate(const struct figures_array *array,
				 const struct report_month *months,
				 unsigned int n);

#endif
