/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "policy/plan/internal.h"

#define DAY_S 86400

int plan_new(struct catalog *cat, const struct eval *eval,
	     struct plan **ret_plan, struct error *err)
{
	CLEANUP(plan_free) struct plan *plan = calloc(1, sizeof(*plan));
	int rc = 0;

	if (plan == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	plan->cat = cat;
	plan->eval = eval;
	rc = ledger_departments(cat, &plan->departments, err);
	if (rc < 0)
		return rc;
	*ret_plan = take_ptr(&plan);
	return 0;
}

void plan_free(struct plan *plan)
{
	if (plan == NULL)
		return;
	ledger_departments_release(&plan->departments);
	free(plan);
}

int plan_when(struct catalog *cat, int64_t now_s, struct plan_when *ret_when,
	      struct error *err)
{
	struct plan_when when = { .watched_day = DAY_UNKNOWN };
	struct ledger_month month;
	struct error why = ERROR_INIT;
	time_t now = (time_t)now_s;
	struct tm tm;
	int rc = 0;

	if (now_s < 0 || now_s / DAY_S > INT32_MAX ||
	    gmtime_r(&now, &tm) == NULL)
		return error_set(err, -EINVAL, "the clock says %lld s",
				 (long long)now_s);
	when.today = (int32_t)(now_s / DAY_S);
	rc = ledger_month_get(cat, 12 * (tm.tm_year + 1900) + tm.tm_mon, now_s,
			      &month, &why);
	if (rc == 0) {
		when.watched_day = (int32_t)(month.first_s / DAY_S);
		ledger_month_release(&month);
	} else if (rc != -ENOENT) {
		return error_set(err, rc, "%s", why.text);
	}
	*ret_when = when;
	return 0;
}

/* --- one file
 * --------------------------------------------------------------------- */

struct first_path {
	char *path;
};

static void keep_path(void *ctx, const char *path)
{
	struct first_path *first = ctx;

	if (first->path == NULL)
		first->path = strdup(path);
}

struct first_parent {
	const char *name; /* the last of the path */
	uint64_t parent;
};

static int keep_parent(void *ctx, uint64_t parent, const char *name,
		       uint64_t ino, struct error *err)
{
	struct first_parent *first = ctx;

	(void)ino;
	(void)err;
	if (strcmp(name, first->name) != 0)
		return 0;
	first->parent = parent;
	return 1;
}

static int look(const struct plan *plan, const struct plan_when *when,
		struct source *source, const char *path, bool all,
		struct plan_flags *ret_flags)
{
	struct facts facts;
	const struct eval *eval = plan->eval;

	source_facts(source, when, path, &facts);
	ret_flags->n = all ? eval_explain(eval, &facts, when->today,
					  ret_flags->verdict, PLAN_FLAGS_MAX)
			   : eval_file(eval, &facts, when->today,
				       ret_flags->verdict, PLAN_FLAGS_MAX);
	return source->err->code;
}

static int path_of(const struct plan *plan, uint64_t ino, char **ret_path,
		   struct error *err)
{
	struct first_path first = { .path = NULL };
	int rc = catalog_paths(plan->cat, ino, 1, keep_path, &first, err);

	if (rc == 0 && first.path == NULL)
		return error_set(err, -ENOENT,
				 "the catalog knows no path of inode %llu",
				 (unsigned long long)ino);
	*ret_path = first.path;
	return rc;
}

int plan_file(const struct plan *plan, const struct plan_when *when,
	      uint64_t ino, const char *path, bool all,
	      struct plan_flags *ret_flags, struct error *err)
{
	cleanup_free char *found = NULL;
	struct catalog_inode inode;
	struct first_parent above = { .parent = 0 };
	struct error why = ERROR_INIT;
	struct source source = { .plan = plan, .inode = &inode, .err = &why };
	int rc = catalog_inode_get(plan->cat, ino, 0, &inode, err);

	if (rc < 0)
		return rc;
	ret_flags->n = 0;
	if (!S_ISREG(inode.mode))
		return 0;
	if (path == NULL) {
		rc = path_of(plan, ino, &found, err);
		path = found;
	}
	if (rc < 0)
		return rc;
	above.name = strrchr(path, '/') == NULL ? path : strrchr(path, '/') + 1;
	rc = catalog_names(plan->cat, ino, keep_parent, &above, err);
	if (rc < 0)
		return rc;
	source.parent = above.parent;
	rc = look(plan, when, &source, path, all, ret_flags);
	return rc < 0 ? error_set(err, rc, "%s", why.text) : 0;
}
