/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_LANG_LANG_H
#define SOBREFS_LANG_LANG_H

/*
 * The rule files of an administrator, policies.d/NN-name.yaml: read, checked,
 * typed. The form is in docs/man/sobre-policy.5; anything else in a file is an
 * error that names the file, line and column, shows the line with a caret and,
 * where one is near, suggests the word that was meant. A directory is loaded
 * whole or not at all.
 *
 * Pure but for reading the files; any thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/base/cleanup.h"
#include "fs/base/error.h"
#include "policy/yaml/yaml.h"

/* A length of time as people count it: months and years are the calendar's. */
enum period_unit {
	PERIOD_DAYS,
	PERIOD_MONTHS,
	PERIOD_YEARS
};
struct period {
	uint32_t count; /* 0: none given */
	enum period_unit unit;
};
/* "6 months", "2 ans", "30 days", "1 semaine". -EINVAL; -ERANGE: nothing, or
 * more than 500 years. */
int period_parse(const char *text, struct period *ret_period,
		 struct error *err);
/* The day (since 1970) that lies `period` before `day`; the end of the month
 * where the month is shorter. */
int32_t period_before(int32_t day, struct period period);

enum rule_personal {
	RULE_PERSONAL_NO,
	RULE_PERSONAL_YES,
	RULE_SENSITIVE
};
enum rule_unit {
	RULE_FILE,
	RULE_DOSSIER
};
enum rule_start {
	RULE_START_CHANGED, /* default */
	RULE_START_CREATED,
	RULE_START_USED,
	RULE_START_YEAR_IN_PATH,
	RULE_START_CLOSED,
	RULE_START_OWNER_LEFT
};
enum rule_then {
	RULE_FLAG,
	RULE_KEEP,
	RULE_SORT,
	RULE_ELIMINATE
};
enum rule_visa {
	RULE_VISA_NOT_GIVEN,
	RULE_VISA_SLIP,
	RULE_VISA_STANDING,
	RULE_VISA_NONE
};
enum rule_mode {
	RULE_SIMULATION,
	RULE_ACTIVE
};

struct strings {
	char **item; /* owned */
	unsigned int n;
};

struct rule {
	char *file; /* where it is, for messages */
	unsigned int line;
	char *id;
	char *label;
	char *source;
	char *record; /* NULL: none */
	enum rule_personal personal;
	struct strings paths;	    /* patterns; any of them */
	struct strings names;	    /* patterns of the last component */
	struct strings except;	    /* patterns; none of them */
	struct strings departments; /* ids; any of them */
	bool case_exact;
	uint64_t size_min_bytes; /* size: ">= 10 MB"; 0: none */
	uint64_t size_max_bytes; /* UINT64_MAX: none */
	struct period not_changed_for;
	struct period not_used_for;
	bool duplicate; /* "duplicate: yes": the same bytes are elsewhere */
	enum rule_unit unit;
	enum rule_start start;
	struct period keep_active;
	struct period keep;
	enum rule_then then;
	enum rule_visa visa;
	char *visa_ref; /* NULL: none */
	enum rule_mode mode;
	struct strings match; /* examples */
	struct strings not_match;
};

struct policy {
	struct rule *rule;
	unsigned int n;
	uint8_t sha256[32]; /* of the names and bytes of all files */
};

/*
 * Reads *.yaml of `dir_path`, in the order of their names; no symbolic links.
 * -SOBRE_EPOLICY: at least one of them is wrong; every message found (at most
 * 100) went to `messages`. `departments`: ids that exist (NULL: don't check).
 * A directory without rules is 0 rules. What is no *.yaml is not read; of a
 * *.yml that is said, and no failure.
 */
int policy_load(const char *dir_path, const struct strings *departments,
		const struct yaml_messages *messages, struct policy *ret_policy,
		struct error *err);
void policy_release(struct policy *policy);

#endif
