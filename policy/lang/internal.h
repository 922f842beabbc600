/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_LANG_INTERNAL_H
#define SOBREFS_LANG_INTERNAL_H

#include "policy/lang/lang.h"

#define RULES_MAX 1000

/* A directory being read. */
struct reading {
	struct policy *policy;
	const struct strings *departments; /* NULL: any */
	unsigned int room;		   /* for rules */
};

/* A rule being read: which of its values could be. */
struct taking {
	const struct reading *reading;
	struct rule *rule;
	bool has_then, has_keep, has_keep_active, has_visa, has_start;
};

/* --- period.c ----------------------------------------------------------- */

void period_take(struct yaml_doc *doc, const struct yaml_node *node,
		 struct period *ret_period, bool *ret_read);

/* --- size.c ------------------------------------------------------------- */

/* ">= 10 MB", ">= 10 MB and < 1 GB" */
void size_take(struct yaml_doc *doc, const struct yaml_node *node,
	       struct rule *rule);

/* --- pattern.c ---------------------------------------------------------- */

/* For yaml_each, into struct strings. */
bool pattern_add(struct yaml_doc *doc, const struct yaml_node *node,
		 const char *text, void *into);
bool name_add(struct yaml_doc *doc, const struct yaml_node *node,
	      const char *text, void *into);
bool example_add(struct yaml_doc *doc, const struct yaml_node *node,
		 const char *text, void *into);
bool strings_add(struct yaml_doc *doc, struct strings *strings,
		 const char *text);
void strings_free(struct strings *strings);
/* Is it all of the drive, or of a directory at its root: "/Ville" and all
 * below? */
bool pattern_is_at_root(const char *pattern);
/* Is it all of each directory that the rest of it fits? */
bool pattern_is_of_directories(const char *pattern);

/* --- rule.c, check.c, file.c -------------------------------------------- */

/* Adds a rule to the policy, as far as it could be read. */
void rule_take(struct yaml_doc *doc, const struct yaml_node *node,
	       const char *file, struct reading *reading);
void rule_release(struct rule *rule);
/* What is missing, and what contradicts itself. */
void rule_check(struct yaml_doc *doc, const struct yaml_node *node,
		const struct taking *taking);
/* Fails for want of memory only. `shown`: its name in messages. */
int file_take(struct reading *reading, const char *name, const char *shown,
	      const char *data, size_t len, struct yaml_diag *diag,
	      struct error *err);

#endif
