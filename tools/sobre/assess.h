/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_SOBRE_ASSESS_H
#define SOBREFS_SOBRE_ASSESS_H

/*
 * A directory looked at as it is: no drive, no mount, no root, nothing
 * written. The walk notes every file, the estimate really cuts and compresses
 * those of the sample, and departments, ages, duplicates and rules follow.
 */

#include <stdbool.h>
#include <stdint.h>

#include "fs/base/hash.h"
#include "fs/store/store.h"
#include "tools/sobre/internal.h"

struct assess_file {
	char *path; /* from the directory: "/a/b"; owned */
	uint64_t size_bytes;
	uint64_t disk_bytes; /* st_blocks x 512 */
	int32_t changed_day;
	int32_t used_day; /* the later of last change and last read */
	int32_t created_day;
	uint16_t department; /* index into totals; the last is "other" */
	bool again;	     /* another name of an inode that came before */
	bool excluded;	     /* from packing, by this name */
	bool read;	     /* `content` is set */
	struct hash128 content;
	uint32_t copies; /* other files read with this content */
};

#define ASSESS_AGES 5
struct assess_sum {
	uint64_t files;
	uint64_t logical_bytes;
	uint64_t disk_bytes;
};
struct assess_rule {
	const struct rule *rule; /* borrowed */
	uint64_t files;
	uint64_t bytes;
	uint64_t *files_of; /* [departments], owned */
	uint64_t *bytes_of;
};

struct assess {
	const struct setup *setup;
	unsigned int sample_ppm; /* of files, by their path */
	int32_t today;

	struct assess_file *file; /* owned */
	size_t files;
	size_t cap;
	uint64_t unreadable;	/* directories and files */
	uint64_t other_mounts;	/* left out */
	char *first_unreadable; /* owned; NULL */

	struct assess_sum all;
	struct assess_sum sampled;	    /* of them those read */
	struct assess_sum age[ASSESS_AGES]; /* since the last change: up to 3
					       months, 1, 3, 5 years, more */
	struct assess_sum *department; /* [departments], owned; last: other */
	unsigned int departments;
	struct assess_sum duplicate; /* beyond the first of each content */
	struct store_estimate_totals stored;
	uint64_t scatter_ppm;
	struct assess_rule *rule; /* [rules], owned */
	unsigned int rules;
	struct assess_sum unmatched;
};

void assess_release(struct assess *assess);
static inline void assess_release_at(struct assess *assess)
{
	assess_release(assess);
}
/* Fills `file` and the sums of files; what can't be read is counted. */
int assess_walk(struct assess *assess, const char *dir_path, struct error *err);
/* Reads the sample. Progress goes to `bar`. */
int assess_store(struct assess *assess, const char *dir_path, struct bar *bar,
		 struct error *err);
/* Departments, ages, duplicates, rules. */
int assess_sum_up(struct assess *assess, struct error *err);
/* The verdict that decides: 1, or 0 when no rule matches. */
unsigned int assess_verdicts(const struct assess *assess,
			     const struct assess_file *f,
			     struct verdict *ret_verdict);
/* On disk now, and what it would be; of all files, scaled from the sample. */
void assess_savings(const struct assess *assess, uint64_t *ret_before,
		    uint64_t *ret_after);
/* Pages as those of a month: today's bytes, kept for 30 days. `ret_page`: the
 * city's; owned; NULL: none. */
int assess_report(const struct assess *assess, const char *dir_path,
		  const char *out_path, char **ret_page, struct error *err);
/* NULL without memory. */
json_t *assess_json(const struct assess *assess, const char *dir_path);
void assess_print(const struct assess *assess, const char *dir_path);

const char *assess_department_id(const struct assess *assess, unsigned int n);
const char *assess_department_name(const struct assess *assess, unsigned int n);

#endif
