/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_ENERGY_ENERGY_H
#define SOBREFS_ENERGY_ENERGY_H

/*
 * Bytes over time become energy, money and carbon: formulas and coefficients
 * with their sources, docs/design/footprint.md. Pure; any thread.
 *
 * Exact: rationals inside, on integers wide enough (512 bits) for whatever
 * the structs below can hold, so no size of drive, number of departments or
 * coefficient overflows; only a sum of byte-seconds past 2^128 (an exabyte
 * for 10^13 years) and a result past 2^64 do, and are -EOVERFLOW.
 * Rounded once, by largest remainder (ties: the lower department first, then
 * overhead, then reserve), so that departments + overhead + reserve = total
 * to the last byte-second, milliwatt-hour, microeuro and microgram.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/base/error.h"
#include "fs/base/tier.h"

/* --- coefficients -------------------------------------------------------- */

enum coef_id {
	COEF_W_HDD, /* W per TB raw */
	COEF_W_SSD, /* W per TB raw */
	COEF_KAPPA, /* enclosure and controllers: times the drives' watts */
	COEF_RHO,   /* raw per stored byte: parity x copies */
	COEF_W_ARCHIVE,
	COEF_RHO_ARCHIVE,
	COEF_KAPPA_ARCHIVE,
	COEF_PUE,
	COEF_CARBON,	 /* gCO2e per kWh, location based */
	COEF_PRICE,	 /* EUR per kWh, without VAT */
	COEF_TE_HDD,	 /* kgCO2e per drive */
	COEF_DRIVE_TB,	 /* TB per drive */
	COEF_TE_SSD,	 /* kgCO2e per TB raw */
	COEF_TE_CHASSIS, /* kgCO2e per array */
	COEF_LIFE,	 /* years of 365 days */
	COEF_ALPHA,	 /* share of energy that follows activity */
	COEF_METER,	 /* 1: what a meter says, with its doubt in high */
	COEFS
};

/* A decimal number, value x 10^-6: 0.65 is 650,000. */
typedef int64_t micro;
#define MICRO INT64_C(1000000)
/* "12", "0.16" or "0,16", nothing around it. -EINVAL: no number; -ERANGE: more
 * than 6 decimals, or too big. */
int micro_parse(const char *text, micro *ret_value);

struct coef {
	const char *id;	   /* "w_hdd" */
	const char *label; /* English, a msgid */
	micro low, value, high;
	const char *unit;   /* "W/TB" */
	char quality;	    /* A measured or official, B supplier or contract,
			       C literature, E expert judgement: no source */
	const char *source; /* "": none (quality E) */
	const char *url;    /* "": none */
	uint16_t source_year;
	bool configured; /* by drive.yaml */
};

struct coef_set {
	struct coef coef[COEFS];
};
void coef_set_default(struct coef_set *ret_set);
/* What drive.yaml says instead: a decimal text, "0.16" or "0,16". low and
 * high become value. -EINVAL: no number; -ERANGE: more than 6 decimals, or a
 * value that can't be (a PUE below 1). The set is then as before. */
int coef_set_put(struct coef_set *set, enum coef_id id, const char *decimal,
		 struct error *err);
/* What a value can be at all. */
void coef_bounds(enum coef_id id, micro *ret_least, micro *ret_most);
/* 16 hexadecimal digits: the same values give the same version, on any
 * machine. */
#define COEF_VERSION_BYTES 17
void coef_set_version(const struct coef_set *set,
		      char ret_text[COEF_VERSION_BYTES]);

/* --- a month ------------------------------------------------------------- */

#define ENERGY_ARRAYS_MAX 64
#define ENERGY_ID_BYTES	  65

/* How good a meter's readings were: told on, not read. */
struct energy_meter {
	bool there;	   /* the array is said to have one */
	int64_t covered_s; /* of the month's seconds */
	unsigned int readings;
	unsigned int gaps; /* times that aren't covered */
	int64_t longest_gap_s;
	unsigned int falls; /* of a register */
};

/* Disks with a meter of their own, and a life. 0 or NULL: not known. */
struct energy_array {
	const char *id; /* shorter than ENERGY_ID_BYTES */
	/* 1u << TIER_HOT, TIER_PACKED, TIER_ARCHIVE: what lies on it; the
	 * drive's own (TIER_STATE) is where PACKED is. What lies on several is
	 * on each in proportion to its usable size. Disks with nothing but the
	 * archive sleep: coefficients of their own, when not measured. */
	unsigned int tiers;
	uint64_t usable_bytes; /* 0: no reserve */
	uint64_t measured_mwh; /* IT energy in the month's seconds; 0: by
				  coefficients */
	struct energy_meter meter;
	micro fabrication_kg; /* 0: by `disks`, else by coefficients */
	uint32_t disks;
	uint64_t disk_bytes; /* of each: asked for when `flash` */
	int32_t bought;	     /* 12 * year + month - 1; told on, not read */
	int64_t life_s;	     /* 0: the coefficient's */
	bool outlived;	     /* past its life: fabrication is all told, 0 */
	bool flash;	     /* SSDs, not hard disks */
};

struct energy_input {
	const struct tier_time *row; /* in any order; a (set, tier) may come
					several times */
	unsigned int rows;
	int64_t seconds;      /* of the month so far */
	uint16_t departments; /* numbers are below this */
	/* [departments], read and written in these seconds; NULL, or all 0:
	 * not counted, and alpha is 0. */
	const uint64_t *activity_bytes;
	/* Each of hot and packed lies on one at least; an archive that lies on
	 * none is on disks that sleep, of which nothing is known. */
	const struct energy_array *array;
	unsigned int arrays;   /* 0: one, of which the members below tell all */
	uint64_t usable_bytes; /* of the array; 0: unknown, no reserve */
	uint64_t measured_mwh; /* IT energy of the array in these seconds; 0:
				  not measured: by coefficients */
	micro fabrication_kg;  /* of the array; 0: not known: by coefficients */
	int64_t life_s;	       /* 0: the coefficient's */
	bool outlived;	       /* past its life: fabrication is all told, 0 */
	bool flash;	       /* of SSDs, not hard disks */
	bool archive_apart;    /* the vault is on disks of its own, that sleep:
				  by coefficients of its own, never by the
				  meter. Else it is on the array. */
};

/* all = own + shared + activity, exactly. */
struct energy_amount {
	uint64_t own;	   /* for what this department alone keeps */
	uint64_t shared;   /* its parts of what several keep */
	uint64_t activity; /* for reading and writing */
	uint64_t all;
};

/* All of one department, or of a line of its own. */
struct energy_line {
	/* Stored, in all tiers but LOGICAL. The parts of shared sets are
	 * rounded by largest remainder too. */
	uint128 own_byte_s;
	uint128 shared_byte_s;
	uint128 logical_byte_s;
	/* The same by tier: own + shared = HOT + PACKED + ARCHIVE + STATE
	 * (STATE: the overhead's only) and LOGICAL. The reserve has none. */
	uint128 tier_byte_s[TIERS];
	struct energy_amount mwh;
	struct energy_amount ueur;     /* microeuro */
	struct energy_amount use_ug;   /* microgram CO2e, of the electricity */
	struct energy_amount build_ug; /* of making the hardware */
};

/* What an array costs, or a part of it. */
struct energy_sum {
	uint64_t mwh;
	uint64_t ueur;
	uint64_t use_ug;
	uint64_t build_ug;
};

/* A month of one array. */
struct energy_array_month {
	char id[ENERGY_ID_BYTES]; /* "": the only one, or an archive that lies
				     on none */
	/* As it was given, `life_s` never 0. */
	unsigned int tiers;
	uint64_t usable_bytes;
	int32_t bought;
	int64_t life_s;
	bool outlived;
	struct energy_meter meter;
	int64_t seconds; /* of the month, which the meter may cover */
	bool measured;
	uint64_t measured_mwh;
	uint64_t modelled_mwh; /* by coefficients, measured or not */
	bool build_known;      /* not by coefficients */
	/* Making it, all its life: 0 when its size isn't known. */
	uint64_t te_ug;
	uint128 stored_byte_s;
	uint128 reserve_byte_s;
	struct energy_sum all;
	struct energy_sum reserve; /* of it */
	micro uncertainty_energy, uncertainty, uncertainty_build;
};

struct energy_month {
	/* Sums of these are the total, exactly. [arrays], owned. */
	struct energy_array_month *array;
	unsigned int arrays;
	struct energy_line *department; /* [departments], owned */
	uint16_t departments;
	struct energy_line overhead; /* the drive's own: STATE - PACKED -
					ARCHIVE, not below 0, and rows of the
					empty set */
	struct energy_line reserve;  /* provisioned, not used; 0 when the
					usable size is not known, unless
					nothing is stored at all */
	struct energy_line total;    /* the sum of all lines, exactly */
	bool measured;	       /* all arrays that have anything on them, or
				  are known, but disks that sleep */
	uint64_t measured_mwh; /* as it was given, of all arrays */
	bool build_known;      /* not by coefficients, of all arrays likewise */
	uint64_t modelled_mwh; /* the total by coefficients, measured or not:
				  measured / modelled is lambda */
	/* Factors u: [mid / u, mid x u]. Of several arrays the mean, weighed
	 * by what each has of it: as if all were wrong at once. */
	micro uncertainty_energy; /* of mwh */
	micro uncertainty;	  /* of use_ug */
	micro uncertainty_build;  /* of build_ug */
};
/* -EINVAL: a row no ledger writes (a department too high, a set not in
 * order), a negative number, a tier that lies on no array, or on several of
 * which one has no size; -EOVERFLOW, -ENOMEM. */
int energy_month(const struct coef_set *coefs, const struct energy_input *input,
		 struct energy_month *ret_month, struct error *err);
/* Of a zeroed struct, too. */
void energy_month_release(struct energy_month *month);

/* A year (365 days) of bytes kept as they are now: for du and explain. */
struct energy_year {
	uint64_t mwh;
	uint64_t ueur;
	uint64_t use_ug;
	uint64_t build_ug;
};
/*
 * `in`: its arrays, or what it says of one, and seconds; rows and departments
 * are not read. NULL: nothing known. Measured only when usable_bytes is known
 * too. Rounded to the nearest; what doesn't fit is UINT64_MAX.
 * `bytes`: by tier; of HOT, PACKED and ARCHIVE alone.
 */
void energy_year(const struct coef_set *coefs, const struct energy_input *in,
		 const uint128 bytes[TIERS], struct energy_year *ret_year);

/* SCI, microgram CO2e per logical TB.month of 720 h, to the nearest; 0
 * without logical bytes. */
uint64_t energy_sci_ug(uint64_t use_ug, uint64_t build_ug,
		       uint128 logical_byte_s);

#endif
