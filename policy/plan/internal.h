/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_PLAN_INTERNAL_H
#define SOBREFS_PLAN_INTERNAL_H

#include "fs/ledger/ledger.h"
#include "policy/plan/plan.h"

struct plan {
	struct catalog *cat;
	const struct eval *eval;
	struct ledger_departments departments;
};

#define NO_DEPARTMENT UINT32_MAX

/* What the catalog says of a file; what costs something, when it is asked. */
struct source {
	const struct plan *plan;
	const struct catalog_inode *inode;
	uint64_t parent;     /* of the name; 0: not known */
	bool asked;	     /* then `department` is known */
	uint32_t department; /* its number, or NO_DEPARTMENT */
	struct error *err;   /* why a question failed, when its code isn't 0 */
};
/* `facts` borrows both of the others. */
void source_facts(struct source *source, const struct plan_when *when,
		  const char *path, struct facts *ret_facts);
/* The number of its department, or NO_DEPARTMENT. */
uint32_t source_department(struct source *source);
const char *department_id(const struct plan *plan, uint32_t number);

#endif
