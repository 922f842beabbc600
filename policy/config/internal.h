/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_CONFIG_INTERNAL_H
#define SOBREFS_CONFIG_INTERNAL_H

#include "policy/config/config.h"

/* A path or a group that a department has, and where it says so. */
struct claim {
	const char *text; /* borrowed from the document */
	const struct yaml_node *node;
	unsigned int department;
	bool group;
};
#define CLAIMS_MAX 4096

struct reading {
	struct config *config;
	int root_fd;
	struct claim *claim;
	unsigned int claims;
};

/* --- text.c ------------------------------------------------------------- */

/* For yaml_each: a copy at the end of a list that NULL ends. */
struct texts {
	char ***list;
	unsigned int n;
};
bool texts_add(struct yaml_doc *doc, const struct yaml_node *node,
	       const char *text, void *into);
/* A text or a list of them. */
void texts_take(struct yaml_doc *doc, const struct yaml_node *node,
		char ***ret_list);
/* The same, of groups' names. */
void groups_take(struct yaml_doc *doc, const struct yaml_node *node,
		 char ***ret_list);
/* An absolute path, without ".." */
void path_take(struct yaml_doc *doc, const struct yaml_node *node,
	       char **ret_path);
void texts_free(char **list);
/* Digits at `*at`, then past them and blanks; false: none, or over `max`. */
bool read_count(const char **at, uint32_t max, uint32_t *ret_count);

/* --- number.c ------------------------------------------------------------ */

struct quantity {
	const struct yaml_word *units; /* NULL: a mere number */
	const char *example;
	unsigned int least, most; /* thousandths */
	const char *range;	  /* in words */
};
bool is_unit(const char *text, const struct yaml_word *units);
/* "0.16 EUR/kWh" or "0,16 EUR/kWh": its digits with a point, and millionths,
 * cut; either may be NULL. */
bool take_quantity(struct yaml_doc *doc, const struct yaml_node *node,
		   const struct quantity *q, char **ret_text,
		   uint64_t *ret_millionths);

/* --- values of drive.yaml's keys ----------------------------------------- */

void take_mail(struct yaml_doc *doc, const struct yaml_node *node, void *into);
/* One or a list. */
void addresses_take(struct yaml_doc *doc, const struct yaml_node *node,
		    char ***ret_list);
void take_targets(struct yaml_doc *doc, const struct yaml_node *node,
		  void *into);
void take_organisation(struct yaml_doc *doc, const struct yaml_node *node,
		       void *into);

void take_departments(struct yaml_doc *doc, const struct yaml_node *node,
		      void *into);
void take_arrays(struct yaml_doc *doc, const struct yaml_node *node,
		 void *into);
void take_coefficients(struct yaml_doc *doc, const struct yaml_node *node,
		       void *into);
/* meter.c; `into` is a struct config_array. */
void meter_take(struct yaml_doc *doc, const struct yaml_node *node, void *into);
void take_energy(struct yaml_doc *doc, const struct yaml_node *node,
		 void *into);
void take_people(struct yaml_doc *doc, const struct yaml_node *node,
		 void *into);
void take_pack(struct yaml_doc *doc, const struct yaml_node *node, void *into);
void take_charter(struct yaml_doc *doc, const struct yaml_node *node,
		  void *into);
void take_roles(struct yaml_doc *doc, const struct yaml_node *node, void *into);

#endif
