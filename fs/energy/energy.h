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
/* 16 hexadecimal digits: the same values give the same version, on any
 * machine. */
#define COEF_VERSION_BYTES 17
void coef_set_version(const struct coef_set *set,
		      char ret_text[COEF_VERSION_BYTES]);

/* --- a month ------------------------------------------------------------- */

struct energy_input {
	const struct tier_time *row; /* in any order; a (set, tier) may come
					several times */
	unsigned int rows;
	int64_t seconds;      /* of the month so far */
	uint16_t departments; /* numbers are below this */
	/* [departments], read and written in these seconds; NULL, or all 0:
	 * not counted, and alpha is 0. */
	const uint64_t *activity_bytes;
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

struct energy_month {
	struct energy_line *department; /* [departments], owned */
	uint16_t departments;
	struct energy_line overhead; /* the drive's own: STATE - PACKED -
					ARCHIVE, not below 0, and rows of the
					empty set */
	struct energy_line reserve;  /* provisioned, not used; 0 when the
					usable size is not known, unless
					nothing is stored at all */
	struct energy_line total;    /* the sum of all lines, exactly */
	bool measured;
	uint64_t measured_mwh; /* as it was given */
	bool build_known;      /* not by coefficients */
	uint64_t modelled_mwh; /* the total by coefficients, measured or not:
				  measured / modelled is lambda */
	/* Factors u: [mid / u, mid x u]. */
	micro uncertainty_energy; /* of mwh */
	micro uncertainty;	  /* of use_ug */
	micro uncertainty_build;  /* of build_ug */
};
/* -EINVAL: a row no ledger writes (a department too high, a set not in
 * order), a negative number; -EOVERFLOW, -ENOMEM. */
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
 * `array`: its usable_bytes, measured_mwh with seconds, fabrication_kg,
 * life_s, outlived, flash, archive_apart; rows and departments are not read.
 * NULL: nothing known. Measured only when usable_bytes is known too. Rounded
 * to the nearest; what doesn't fit is UINT64_MAX.
 */
void energy_year(const struct coef_set *coefs, const struct energy_input *array,
		 uint128 hot_bytes, uint128 archive_bytes,
		 struct energy_year *ret_year);

/* SCI, microgram CO2e per logical TB.month of 720 h, to the nearest; 0
 * without logical bytes. */
uint64_t energy_sci_ug(uint64_t use_ug, uint64_t build_ug,
		       uint128 logical_byte_s);

#endif
