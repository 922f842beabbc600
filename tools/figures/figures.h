/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_FIGURES_FIGURES_H
#define SOBREFS_FIGURES_FIGURES_H

/*
 * The months of a report: what the ledger kept, weighed by the energy model,
 * with the array's meter when it has one. docs/design/footprint.md. No state;
 * any thread.
 */

#include <jansson.h>

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

/* `name` is for messages, "name:line:column: what". -SOBRE_ECONFIG; -EFBIG.
 * Refused is what isn't written so, what isn't later than the reading before
 * (a clock that was set, a reading twice), and what no array draws. */
int meter_parse(const char *name, const char *text, size_t len,
		struct meter *ret_meter, struct error *err);
/* More than 1 MW: by itself, or from the reading before (NULL: none) on. */
bool meter_is_absurd(enum meter_kind kind, const struct meter_reading *before,
		     const struct meter_reading *reading);
/* -SOBRE_ECONFIG, or why it can't be read. */
int meter_load_at(int dir_fd, const char *path, struct meter *ret_meter,
		  struct error *err);
int meter_load(const char *path, struct meter *ret_meter, struct error *err);
/* Of a zeroed struct, too. */
void meter_release(struct meter *meter);

/* What it says of a time. */
struct meter_measured {
	uint64_t mwh;
	int64_t covered_s; /* seconds that lie between two readings */
	unsigned int readings;
	unsigned int gaps; /* times that aren't covered, */
	int64_t longest_gap_s;
	unsigned int falls; /* and a register that fell */
};
/* From `from_s` to before `to_s`. -EOVERFLOW: no 64 bits of mWh. */
int meter_measure(const struct meter *meter, int64_t from_s, int64_t to_s,
		  struct meter_measured *ret_measured, struct error *err);

/* --- a meter that a program reads ------------------------------------------
 */

/* The first number in what it said, after the text `after` (NULL: from its
 * start), times `times`. -SOBRE_ECONFIG: there is none, or not one of a
 * meter. */
int meter_output(const char *text, const char *after, micro times,
		 micro *ret_value, struct error *err);
/*
 * Its readings are kept in STATE/meters/ID.W.csv or ID.kWh.csv, as above.
 * Durable when it returns. -ESTALE: not later than the last one, as the clock
 * was set back; -ERANGE: no array draws as much. One thread at a time.
 */
int meter_append(int state_fd, const char *id, enum meter_kind kind,
		 const struct meter_reading *reading, struct error *err);
/* -ENOENT: nothing was read yet. */
int meter_load_own(int state_fd, const char *id, enum meter_kind kind,
		   struct meter *ret_meter, struct error *err);

/* --- closed months -------------------------------------------------------- */

/*
 * A closed month: its figures as they were worked out, and the coefficients
 * they were worked out with, in STATE/months/YYYY-MM.N.json. It never changes:
 * a correction is the next version, N + 1, and reports show the highest.
 * docs/format/month.md. Files, not rows: they outlive a lost catalog.
 *
 * Any thread reads; those that store take turns (the daemon's, or the lock of a
 * drive that isn't mounted).
 */

#include <jansson.h>

#include "fs/energy/energy.h"
#include "tools/report/report.h"

struct closing {
	unsigned int version; /* from 1 */
	int64_t closed_s;
	char reason[REPORT_REASON_MAX]; /* of a correction; else "" */
	struct report_month month;	/* known, and over; owned; with the
					   checks that failed */
	struct coef_set coefs;		/* its texts are of `root` */
	json_t *root;			/* owned; NULL: not loaded */
};
void closing_release(struct closing *closing);

/* The highest version of the month: 1; 0 when it isn't closed; or negative:
 * -SOBRE_ECORRUPT when the file is not as it was written, or doesn't add up. */
int closing_load(int state_fd, int32_t month, struct closing *ret_closing,
		 struct error *err);
/* The last month that was closed: as closing_load(), but for the error when it
 * can't be read: it names the file. */
int closing_load_last(int state_fd, struct closing *ret_closing,
		      struct error *err);
/* How many there are; 0 too when they can't be looked at. */
unsigned int closing_versions(int state_fd, int32_t month);
/* Of that version. */
int closing_load_version(int state_fd, int32_t month, unsigned int version,
			 struct closing *ret_closing, struct error *err);
/* Durable when it returns. `month`, `coefs`, `version`, `closed_s` and
 * `reason` are read. -EEXIST: there is that version. */
int closing_store(int state_fd, const struct closing *closing,
		  struct error *err);

/* Names of checks. */
#define CHECK_MONTH  "month"  /* the lines add up to the total */
#define CHECK_LEDGER "ledger" /* the ledger's sums agree */
#define CHECK_DISK   "disk"   /* what it counts is on disk */
#define CHECK_PACKS  "packs"  /* packs are as big as the catalog says */
#define CHECK_STATE                                              \
	"state" /* so is the state directory, as the ledger says \
		 */
/* Notes one that failed. */
void checks_add(struct report_checks *checks, const char *name,
		const char *text);
void checks_add_numbers(struct report_checks *checks, const char *name,
			const char *text, uint64_t counted, uint64_t found);
/* [{"name", "text", and for some "counted", "found": decimal texts}]; NULL
 * without memory. */
json_t *checks_json(const struct report_checks *checks);
/* --- what files there are ------------------------------------------------- */

/* One pass over the catalog's files, as they are; `now_s` says what is old.
 * -EAGAIN while the ledger is being charged anew. */
int survey_take(struct catalog *cat, int64_t now_s,
		struct report_survey **ret_survey, struct error *err);
void survey_free(struct report_survey *survey); /* or NULL */
/* The biggest folders of each department. Memory: some 100 bytes a folder of
 * the drive, while it runs. */
int figures_folders(struct catalog *cat, int64_t now_s,
		    struct report_folders *ret_folders, struct error *err);
/* Of a zeroed struct, too. */
void figures_folders_release(struct report_folders *folders);
/* Of a month that ended so long ago, how files are now says nothing. */
bool survey_is_of(const struct report_month *month, int64_t now_s);
/* The same of a month that may be closed. */
bool now_is_of(const struct report_month *month, int64_t now_s);
/* Releases what figures_month() and figures_months() made of one month. */
void figures_month_release(struct report_month *month);

/* --- months -------------------------------------------------------------- */

/* As drive.yaml says it; 0 or NULL: not said. */
struct figures_array {
	const char *id;
	unsigned int tiers; /* 1u << enum tier; 0: all */
	uint64_t usable_bytes;
	const struct meter *meter; /* borrowed */
	int32_t bought;		   /* 12 * year + month - 1; -1: not said */
	uint32_t life_years;
	micro fabrication_kg;
	uint32_t disks;
	uint64_t disk_bytes;
	bool flash;
};

/* What months are worked out from; all borrowed. */
struct figures_source {
	struct catalog *cat;
	int state_fd; /* where closed months are; -1: none is */
	const struct coef_set *coefs;
	const struct figures_array *array;
	unsigned int arrays; /* 0: nothing is known */
	struct report_supply supply;
	int64_t now_s;
};
/* One month as it would be worked out now, closed or not. -ENOENT: the ledger
 * knows nothing of it; -EINVAL: it lies after `now_s`. */
int figures_month(const struct figures_source *from, int32_t month,
		  struct report_month *ret_month, struct error *err);
/* As it was closed: 1; 0: it isn't. Release it by figures_month_release(). */
int figures_closed(int state_fd, int32_t month, struct report_month *ret_month,
		   struct error *err);
/* Do the lines add up to the total, in every unit? */
bool figures_balance(const struct energy_month *energy);
/* Notes each unit in which they don't. */
void figures_check(const struct energy_month *energy,
		   struct report_checks *checks);

/*
 * `month` and the twelve before it, the oldest first. A closed one is as it was
 * closed; `ret_closed` (of version 0 when `month` is open) has its
 * coefficients: closing_release(). A month the ledger knows nothing of is
 * there, not known. A meter counts for a month when it covers 9 seconds in 10
 * of what is counted of it, and is then stretched to all of that; else the
 * month is by coefficients (energy.measured says which). -EINVAL when `month`
 * lies after `now_s`. Release the months by figures_release(), also when none
 * is known.
 */
int figures_months(const struct figures_source *from, int32_t month,
		   struct report_month ret_months[REPORT_MONTHS],
		   struct closing *ret_closed, struct error *err);
void figures_release(struct report_month months[REPORT_MONTHS]);
/* `n` months from `first` on, likewise; those that have not begun are there,
 * not known. figures_release_span() */
int figures_span(const struct figures_source *from, int32_t first,
		 unsigned int n, struct report_month *ret_months,
		 struct error *err);
void figures_release_span(struct report_month *months, unsigned int n);

/* What energy_year() takes of the arrays; none: nothing known. `ret_arrays`
 * must live as long as it. Each one's measured rate is that of the last of the
 * `n` months in which it was measured. */
struct energy_input
figures_rate(const struct figures_source *from,
	     const struct report_month *months, unsigned int n,
	     struct energy_array ret_arrays[ENERGY_ARRAYS_MAX]);

#endif
