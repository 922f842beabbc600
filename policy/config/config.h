/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_CONFIG_CONFIG_H
#define SOBREFS_CONFIG_CONFIG_H

/*
 * drive.yaml: what an administrator says of a drive (docs/man/drive.yaml.5).
 * Errors as of the rule files: file:line:column, the line, a caret, a
 * suggestion; an unknown or repeated key is one. Any thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "fs/base/error.h"
#include "fs/energy/energy.h"
#include "policy/yaml/yaml.h"

struct config_department {
	char *id;	   /* [a-z0-9-]+, not "other" */
	char *name;	   /* as people read it */
	char *entity;	   /* NULL: the city itself */
	char **paths;	   /* "/Ville/Urbanisme": absolute, no "." or "..", no
			      trailing slash; NULL ends */
	char **groups;	   /* names; NULL ends */
	char **mail;	   /* addresses its report goes to; NULL ends */
	unsigned int line; /* of `id`, for messages */
};

/* Which tiers lie on an array. */
#define CONFIG_HOLDS_HOT     1u
#define CONFIG_HOLDS_PACKED  2u
#define CONFIG_HOLDS_ARCHIVE 4u
#define CONFIG_HOLDS_ALL     7u

struct config_array {
	char *id;
	uint64_t usable_bytes;
	unsigned int holds; /* HOT and PACKED lie on one at least */
	char *meter;	    /* path of a CSV; NULL */
	/* Or the program that says what it reads; NULL: none. */
	char **meter_command; /* argv, of an absolute path; NULL ends */
	bool meter_kwh;	      /* a register of kWh; else W */
	int64_t meter_every_s;
	char *meter_after;   /* the number is the first after this text; NULL */
	char *meter_times;   /* and times so many; NULL */
	int32_t bought;	     /* 12 * year + month - 1; -1: not said */
	uint32_t life_years; /* 0: not said */
	int64_t fabrication_mg; /* CO2e of making it; 0: not said */
	uint32_t disks;		/* 0: not said */
	uint64_t disk_bytes;	/* of each; 0: not said, never when `flash` */
	bool flash;
};

/* What a whole year should not exceed; 0: not said. */
struct config_target {
	int32_t year;
	uint64_t mwh;
	uint64_t ueur;
	uint64_t ug;	/* of CO2e, of use and of making */
	uint64_t bytes; /* of files kept, in the mean */
};

/* Who publishes the figures. */
struct config_organisation {
	char *name; /* NULL: nothing is said of it */
	char *siren;
	char *service;	   /* what the files' storage is called */
	char *denom_insee; /* the level of its area, as INSEE's: "COM" */
	char *code_insee;
};

/* What the city wants of an indicator of the charter's page. */
#define CONFIG_CHARTER_MAX 32
struct config_charter {
	const char *name; /* "sci_g"; static */
	micro value;	  /* 10^-6 of its unit */
};

/* 0 or NULL: not said, the default holds. Decimal numbers keep their text, so
 * that nothing is lost on the way: "0.16". */
struct config {
	char *file;
	char *lower; /* NULL */
	struct config_organisation organisation;
	struct config_department *department;
	unsigned int departments;
	char **service_accounts; /* patterns of user names; NULL ends */
	uint32_t burst_files; /* opened per `burst_s` by one user: a program */
	uint32_t burst_s;
	int64_t pack_min_age_s; /* -1 */
	char **pack_exclude;	/* patterns; NULL ends */
	uint16_t pack_from_min; /* minutes since midnight, local; equal: any */
	uint16_t pack_until_min;
	char *price_eur_kwh;
	char *carbon_g_kwh;
	char *pue;
	char *coefficient[COEFS]; /* decimals; but price, carbon and pue */
	char *renewable_percent;  /* of the electricity bought */
	char *residual_g_kwh;	  /* of the rest; no default */
	char *supplier_g_kwh;	  /* of that part */
	struct config_array *array;
	unsigned int arrays;
	struct config_charter charter[CONFIG_CHARTER_MAX];
	unsigned int charters;
	char *mail_from;    /* an address; NULL: nothing is sent */
	char **mail_to;	    /* addresses of the city's report; NULL ends */
	char *mail_program; /* NULL: the usual one */
	struct config_target *target; /* each year once, in any order */
	unsigned int targets;
	char **roles_admin; /* group names; NULL ends */
	char **roles_archivist;
	char **roles_dpo;
};

/* Of the `i`th that may have a target; NULL: there are fewer. */
const char *config_charter_name(unsigned int i);

/* No file: all defaults. */
void config_init(struct config *config);
/* -ENOENT and so on when it can't be read; -SOBRE_ECONFIG when it is wrong:
 * each message (at most 100) went to `messages`.
 * `root_fd`: of the drive's lower root, to check that the departments' paths
 * exist; -1: not checked. */
int config_load(const char *path, int root_fd,
		const struct yaml_messages *messages, struct config *ret_config,
		struct error *err);
void config_release(struct config *config);

#endif
