/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_REPORT_REPORT_H
#define SOBREFS_REPORT_REPORT_H

/*
 * The month's report: one HTML page for each department and one for the city,
 * CSV and JSON beside them, in French or English. Pages need no script, no
 * network and no font of their own. docs/design/report.md.
 *
 * The input is plain data: who makes it (the daemon, `assess`, a test) needs
 * no drive that runs. Everything in it is borrowed. Names and paths are any
 * bytes: written as UTF-8, with U+FFFD for what isn't, and escaped.
 *
 * Any thread, after po_init(); no state.
 */

#include <stdbool.h>
#include <stdint.h>

#include "fs/base/error.h"
#include "fs/energy/energy.h"
#include "tools/po/po.h"

#define REPORT_MONTHS	  13
#define REPORT_REASON_MAX 240 /* bytes, NUL included */
#define REPORT_CHECKS	  8
#define REPORT_CHECK_NAME 24

struct report_department {
	uint16_t number;
	const char *id;
	const char *name;
	const char *entity; /* the public body it is of; NULL: the city */
};

/* A check that failed when a month was closed: docs/design/footprint.md. */
struct report_check {
	char name[REPORT_CHECK_NAME]; /* "disk" */
	char text[REPORT_REASON_MAX]; /* English */
	bool has_numbers;
	uint64_t counted; /* what the books say, */
	uint64_t found;	  /* and what there is */
};
struct report_checks {
	struct report_check check[REPORT_CHECKS]; /* the first */
	unsigned int n;				  /* how many failed in all */
};

/* --- what files there are, at one moment --------------------------------- */

/* Since a person's last use, or the last change when that is later. */
enum report_age {
	AGE_3_MONTHS, /* less */
	AGE_12_MONTHS,
	AGE_3_YEARS,
	AGE_5_YEARS,
	AGE_OLDER,
	REPORT_AGES
};
/* By the name's ending. */
enum report_kind {
	KIND_TEXT,
	KIND_SHEET,
	KIND_SLIDES,
	KIND_PDF,
	KIND_IMAGE,
	KIND_MEDIA,
	KIND_ZIP,
	KIND_MAIL,
	KIND_DATABASE,
	KIND_OTHER,
	REPORT_KINDS
};
/* "over_5_years", "spreadsheet": in JSON. */
const char *report_age_id(enum report_age age);
const char *report_kind_id(enum report_kind kind);

struct report_sum {
	uint64_t files;
	uint64_t plain_bytes;  /* on the share; several departments' in equal
				  parts */
	uint64_t packed_bytes; /* shares of packs, as counted last */
};
/* What could be done; no file is in two of them. */
enum report_action {
	ACTION_TEMPORARY, /* left by programs, by its name */
	ACTION_UNUSED,	  /* for 5 years */
	ACTION_MEDIA,	  /* video and sound, unused for a year */
	ACTION_ZIP,	  /* compressed files and images, likewise */
	ACTION_PACK,	  /* plain, not changed for a month */
	REPORT_ACTIONS
};
const char *report_action_id(enum report_action action); /* "temporary" */
struct report_gain {
	uint64_t files;
	/* Exclusive bytes; of those to pack what packing would take less, if
	 * it goes as with those that are packed. */
	uint64_t gain_bytes;
};

/* Regular files, once by age and once by kind. */
struct report_stock {
	struct report_gain action[REPORT_ACTIONS];
	struct report_sum age[REPORT_AGES];
	struct report_sum kind[REPORT_KINDS];
};
struct report_survey {
	int64_t taken_s;
	struct report_stock city;	 /* of the whole drive */
	struct report_stock *department; /* [departments], owned; a file of
					    several counts in each */
	uint16_t departments;
};

#define REPORT_FOLDERS 20 /* of a department, at most */

struct report_folder {
	uint16_t department;
	char *path;  /* from the drive's root; owned */
	bool direct; /* what lies directly in it: those in it are told apart */
	uint64_t files;
	uint64_t stored_bytes;
	uint64_t exclusive_bytes; /* deleting it frees that much at least */
};
struct report_folders {
	int64_t taken_s;
	struct report_folder *folder; /* owned; of each department the biggest
					 first */
	unsigned int n;
};

/* --- why what is stored changed ------------------------------------------- */

/* enum ledger_cause says what each is. */
enum report_cause {
	REPORT_NEW,
	REPORT_GONE,
	REPORT_PACKED,
	REPORT_MOVED,
	REPORT_SHARED,
	REPORT_CAUSES
};
const char *report_cause_id(enum report_cause cause); /* "new" */

/* Running sums since since_s, over the month. */
struct report_flow {
	uint128 came_byte_s;
	uint128 went_byte_s;
};
struct report_flow_line {
	struct report_flow cause[REPORT_CAUSES];
};
struct report_flows {
	int64_t since_s;
	struct report_flow_line city;
	struct report_flow_line *department; /* [departments], owned; of what
						several hold equal parts */
	uint16_t departments;
};

/* --- the input ------------------------------------------------------------ */

/* Where the drive's bytes were when the month was closed. files + packed +
 * archive + pack_rest + catalog + other is what the ledger counts, found what
 * `du` would say. */
struct report_disk {
	bool known;
	uint64_t files_bytes;  /* HOT */
	uint64_t packed_bytes; /* of chunks in use */
	uint64_t archive_bytes;
	uint64_t pack_rest_bytes; /* dead space, until gc, and recipes */
	uint64_t catalog_bytes;
	uint64_t other_bytes; /* of the state: journal, months */
	uint64_t found_bytes;
};

/* Where the electricity is bought from: in millionths, as drive.yaml said it.
 * For a line of its own: figures are location based. */
struct report_supply {
	bool renewable_known;
	micro renewable; /* the part covered by guarantees of origin, 0 to 1 */
	bool residual_known;
	micro residual; /* gCO2e/kWh of the rest */
	micro supplier; /* gCO2e/kWh of that part */
};

struct report_month {
	int32_t month;	    /* 12 * year + month - 1 */
	bool known;	    /* the ledger knows anything of it */
	int64_t start_s;    /* of the month */
	int64_t end_s;	    /* of what is counted; of the month when over */
	int64_t first_s;    /* the first second known of; > start_s when the
			       drive started within it */
	int64_t observed_s; /* that a daemon watched */
	bool over;	    /* the month has ended */
	struct energy_month energy; /* unset unless known */
	/* Closed: worked out then, for good, with the coefficients of then. */
	unsigned int version; /* 0: not closed; above 1: corrected */
	int64_t closed_s;
	char reason[REPORT_REASON_MAX]; /* of the correction */
	struct report_checks failed;
	struct report_supply supply;
	struct report_disk disk;
	/* Of a correction: the totals of the version before. */
	uint64_t before_mwh, before_ueur, before_use_ug, before_build_ug;
	/* Taken when it was closed, or now when it isn't; NULL: not. */
	struct report_survey *survey;
	struct report_flows *flows; /* NULL: were not counted */
};

struct report_flagged {
	const char *path; /* from the drive's root */
	uint64_t size_bytes;
	uint16_t department;
	const char *reason; /* a sentence, in the report's language */
};
struct report_rule {
	const char *id;
	const char *label;
	const char *source; /* the text the rule rests on; "": none */
	uint64_t files;	    /* of all departments */
	uint64_t bytes;
	/* [numbers], by department number; NULL when numbers is 0. */
	const uint64_t *files_of;
	const uint64_t *bytes_of;
	/* The biggest of each department; in any order. */
	const struct report_flagged *flagged;
	unsigned int n_flagged;
};

/* Bytes, as struct savings of fs/file. */
struct report_savings {
	uint64_t copies;
	uint64_t parts;
	uint64_t compression;
	uint64_t blocks;
	uint64_t overhead;
};

/* Who publishes the figures; NULL in it: not said. */
struct report_organisation {
	const char *name; /* never NULL */
	const char *siren;
	const char *service; /* never NULL: what the storage is called */
	const char *denom_insee, *code_insee;
};

/* What a year should not exceed; 0: not said. */
struct report_target {
	uint64_t mwh;
	uint64_t ueur;
	uint64_t ug;	/* CO2e, of use and of making */
	uint64_t bytes; /* of files kept, in the mean */
};
struct report_input {
	const char *drive; /* its name, or its path */
	/* NULL: not said, and no file of open data */
	const struct report_organisation *organisation;
	/* In the order of the configuration; "other" (number 0) may be left
	 * out, it then has a line when it kept anything, but no page. */
	const struct report_department *department;
	unsigned int departments;
	const struct report_month *month; /* ascending, each once; the last is
					     the reported one */
	unsigned int months;		  /* 1 to REPORT_MONTHS */
	const struct coef_set *coefs;
	const struct report_rule *rule;
	unsigned int rules;
	unsigned int numbers; /* department numbers are below, in arrays _of */
	bool assessed; /* by `sobre assess`: a directory without a drive; one
			  month that is today's bytes kept for 30 days */
	uint64_t unmatched_files; /* matched by no rule: never touched */
	uint64_t unmatched_bytes;
	const uint64_t *unmatched_files_of; /* [numbers]; or NULL */
	const uint64_t *unmatched_bytes_of;
	int64_t made_s; /* when */
	/* Of the drive, at that moment; NULL: not known, or it has no packs. */
	const struct report_savings *savings;
	/* As they are; NULL: not known. Shown in the annex of their department,
	 * nowhere else. */
	const struct report_folders *folders;
	const struct report_target *target; /* of the month's year, the city's;
					       NULL: none */
};

/* --- what is wrong with a meter --------------------------------------------
 */

enum report_meter {
	METER_FINE,	/* or there is none */
	METER_SILENT,	/* no reading */
	METER_PART,	/* covers less than 9 seconds in 10 */
	METER_ZERO,	/* says that nothing was drawn */
	METER_UNLIKELY, /* 100 times more, or less, than coefficients say */
	METER_FELL,	/* a register went backwards */
	METER_GAPS	/* of an hour or more */
};
#define REPORT_METER_MAX 512
/* The worst of it. Of the first three the array is not measured. */
enum report_meter report_meter_of(const struct energy_array_month *array);
const char *report_meter_name(enum report_meter what); /* "silent" */
/* A sentence; false: nothing is wrong. */
bool report_meter_say(const struct energy_array_month *array, enum po_lang lang,
		      char ret_text[REPORT_METER_MAX]);

/* --- what the city's page says beside its lines --------------------------- */

#define REPORT_GROWTH_MONTHS 3 /* whole months it takes to tell growth */
#define REPORT_AHEAD	     3 /* in 12, 24 and 36 months */

/* The straight line nearest to what whole months held. */
struct report_growth {
	bool known;
	int64_t bytes_month; /* below 0: shrinks */
	uint64_t held_bytes; /* at the month's end, on that line */
	uint64_t ahead_bytes[REPORT_AHEAD];
};

struct report_array {
	const struct energy_array_month *month; /* borrowed from the input */
	micro fill;	     /* stored / usable, of the month; -1: not known */
	micro lambda;	     /* measured / modelled; -1: not measured */
	int32_t age_months;  /* at the month's end; -1: not known */
	int32_t life_months; /* of its amortisation */
	uint64_t build_year_ug; /* fabrication told a year; 0 past its life */
	/* Kept 3 years longer, so many in all: fabrication saved a year. Past
	 * its life: what each further year saves. */
	unsigned int longer_years;
	uint64_t longer_gain_ug;
	struct report_growth growth;
	int32_t full_month; /* 12 * year + month - 1; -1: not foreseen */
};

struct report_city {
	bool sci_known;				  /* people have files */
	uint64_t sci_ug, sci_low_ug, sci_high_ug; /* per logical TB.month */
	micro pue;
	micro ref; /* renewable share; -1: not said */
	bool market_known;
	uint64_t market_ug; /* use_ug, market based */
	micro fill;	    /* of all arrays whose size is known; -1 */
	micro lambda;	    /* of all that are measured; -1 */
	uint64_t usable_bytes;
	unsigned int arrays;
	struct report_array array[ENERGY_ARRAYS_MAX];
	uint64_t build_year_ug, longer_gain_ug; /* of all arrays */
	struct report_growth growth;
	int32_t full_month; /* the first array's; -1: none is foreseen */
	/* What packing saves, at this growth: months of purchase put off, in
	 * millionths, and fabrication not told in them, if the next array is
	 * as these are. -1: not known. */
	uint64_t freed_bytes;
	micro deferred_months;
	uint64_t deferred_ug;
};
/* False: nothing is known of the month. */
bool report_city_of(const struct report_input *in,
		    struct report_city *ret_city);

enum report_format {
	REPORT_HTML = 1,
	REPORT_CSV = 2, /* two: for programs (.csv), for people in a French
			   spreadsheet (-tableur.csv) */
	REPORT_JSON = 4,
	REPORT_PROM = 8 /* OpenMetrics, of the whole drive: sobrefs-DRIVE.prom
			   in the directory itself, where a collector looks */
};
/* All but REPORT_PROM: files of the month. */
#define REPORT_MONTHLY (REPORT_HTML | REPORT_CSV | REPORT_JSON)
/* Who may read what is written, whatever the process's umask. */
struct report_access {
	bool restricted;   /* the owner, and these groups alone */
	unsigned int mask; /* else: the umask of who asked */
	const uint32_t *gid;
	unsigned int n_gids; /* 0: the owner alone; above 1: by access lists */
};
struct report_options {
	enum po_lang lang;	/* English when its catalog is missing */
	unsigned int formats;	/* of enum report_format */
	const char *department; /* id: its files alone; NULL: all, and the
				   city's */
	bool city;		/* the city's alone */
	const struct report_access *access; /* NULL: by the process's umask.
					       Metrics are readable by all. */
};

/*
 * Writes YYYY-MM/index.html and the like for the city, YYYY-MM/ID.html for a
 * department, into `dir_path` (made when missing, its parent isn't), each
 * whole or not at all: a temporary file, fsync, rename. Files of an earlier
 * run are replaced. `each` gets the path of each file written; may be NULL.
 * -ENOENT: no such department. -EINVAL: no month, or too many.
 */
int report_write(const struct report_input *input,
		 const struct report_options *options, const char *dir_path,
		 void (*each)(void *ctx, const char *path), void *ctx,
		 struct error *err);

/* --- a year ----------------------------------------------------------------
 */

#define REPORT_YEAR_MONTHS 24

struct report_year {
	int32_t year;
	const struct report_input *in; /* drive, organisation, departments,
					  coefs, made_s; nothing else */
	/* [REPORT_YEAR_MONTHS]: from January of the year before */
	const struct report_month *month;
	struct report_target target;
};
/*
 * The city's balance of a year, as article 35 of the law REEN asks: DIR/YYYY/
 * index.html, index.csv, index-tableur.csv, index.json, as report_write()
 * writes. Of the options `lang`, `formats` and `access` are read.
 */
int report_write_year(const struct report_year *year,
		      const struct report_options *options,
		      const char *dir_path,
		      void (*each)(void *ctx, const char *path), void *ctx,
		      struct error *err);

/*
 * What a message says of the month, beside the page: one line, and a text. Of
 * one department, or the city for NULL. The caller's.
 */
int report_letter(const struct report_input *input,
		  const struct report_department *department, enum po_lang lang,
		  char **ret_subject, char **ret_text, struct error *err);
/* The name of its directory and files, as report_write_apart() has them. */
#define REPORT_NAME_BYTES 96
void report_file_name(const struct report_department *department,
		      char ret_name[REPORT_NAME_BYTES]);

#define REPORT_CITY_FOLDER "_city" /* no id starts so */
/*
 * A directory for each: DIR/ID/YYYY-MM/ID.html and the like, which its readers
 * alone may enter, and DIR/_city. `access` has one for each department, in
 * their order, and the city's last; `options` has the languages and formats,
 * and the access to `dir_path` itself.
 */
int report_write_apart(const struct report_input *input,
		       const struct report_options *options,
		       const struct report_access *access, const char *dir_path,
		       void (*each)(void *ctx, const char *path), void *ctx,
		       struct error *err);
/* That directory itself, for who puts more in it. */
int report_make_place(const char *dir_path, const struct report_access *access,
		      struct error *err);

/* --- the charter: once a year, for the city ------------------------------ */

#define REPORT_CHARTER_ROWS   18
#define REPORT_CHARTER_MONTHS 24
/* As tools/report/charter.def has them. */
enum report_charter_indicator {
#define COMMITMENT(title, does)
#define INDICATOR(id, row, name, unit, source, label) REPORT_CHARTER_##id,
#include "tools/report/charter.def"
#undef COMMITMENT
#undef INDICATOR
	REPORT_CHARTER_INDICATORS
};

/* What the year's figures are made of; all borrowed. */
struct report_charter {
	const char *drive;
	int32_t year;
	int64_t made_s;
	/* Closed ones, of the year and of the one before; in any order, each
	 * once. */
	const struct report_month *month;
	unsigned int months; /* at most REPORT_CHARTER_MONTHS */
	const struct coef_set *coefs;
	/* Of the drive as it is: */
	const struct report_savings *savings; /* NULL: not known */
	bool rules_known; /* there are rules, and they were asked: */
	uint64_t flagged_files;
	uint64_t unmatched_files;
	/* What the city set itself, 10^-6 of the indicator's unit; negative:
	 * nothing. NULL: no target at all. */
	const micro *target; /* [REPORT_CHARTER_INDICATORS] */
};

/*
 * Writes charter-YYYY.html and charter-YYYY.json into `dir_path`, as
 * report_write() does; of the reports that lie there in YYYY-MM/ it tells how
 * heavy and how many they are. `options`: their language and formats (HTML,
 * JSON). -EINVAL: too many months.
 */
int report_charter_write(const struct report_charter *charter,
			 const struct report_options *options,
			 const char *dir_path,
			 void (*each)(void *ctx, const char *path), void *ctx,
			 struct error *err);
/* "sci_g"; the name of an indicator in JSON, and in drive.yaml. */
const char *report_charter_name(enum report_charter_indicator indicator);

#endif
