/* SPDX-License-Identifier: EUPL-1.2 */
/* The facts of one file. */
#include <errno.h>
#include <sys/stat.h>

#include "policy/plan/internal.h"

#if CATALOG_DAY_UNKNOWN != DAY_UNKNOWN
#error "days that are not known are not the same"
#endif

#define NS_PER_DAY (86400 * NS_PER_S)
/* Counting more of one content would take the longer the more there are. */
#define COPIES_MAX 1000

static int32_t day_of_ns(int64_t ns)
{
	int64_t day = ns / NS_PER_DAY;

	return (int32_t)(ns % NS_PER_DAY < 0 ? day - 1 : day);
}

/* --- departments
 * -------------------------------------------------------------- */

const char *department_id(const struct plan *plan, uint32_t number)
{
	if (number >= plan->departments.n)
		return NULL;
	return plan->departments.row[number].id;
}

/* False: not charged yet, or it failed. */
static bool set_of(struct source *source, uint64_t ino,
		   struct dept_set *ret_set)
{
	struct error err = ERROR_INIT;
	int rc = ledger_set(source->plan->cat, ino, ret_set, &err);

	if (rc < 0 && rc != -ENOENT)
		*source->err = err;
	return rc == 0 && ret_set->n > 0;
}

static bool has(const struct dept_set *set, uint16_t number)
{
	for (unsigned int i = 0; i < set->n; i++) {
		if (set->member[i] == number)
			return true;
	}
	return false;
}

/* A file with names in several departments: here that of this name counts. */
static uint32_t find_department(struct source *source)
{
	struct dept_set set;
	struct dept_set above;

	if (!set_of(source, source->inode->ino, &set))
		return NO_DEPARTMENT;
	if (set.n > 1 && source->parent != 0 &&
	    set_of(source, source->parent, &above) &&
	    has(&set, above.member[0]))
		return above.member[0];
	return set.member[0];
}

uint32_t source_department(struct source *source)
{
	if (!source->asked)
		source->department = find_department(source);
	source->asked = true;
	return source->department;
}

static const char *ask_department(void *ctx)
{
	struct source *source = ctx;

	return department_id(source->plan, source_department(source));
}

/* --- copies
 * --------------------------------------------------------------------- */

static int64_t ask_copies(void *ctx)
{
	struct source *source = ctx;
	const struct catalog_inode *inode = source->inode;
	CLEANUP(stmt_done) struct catalog_stmt *s = NULL;

	if (!inode->packed)
		return -1;
	s = catalog_read_stmt(
		source->plan->cat,
		"SELECT count(*) FROM (SELECT 1 FROM inode"
		" INDEXED BY inode_content WHERE content = ?1 AND ino <> ?2"
		" LIMIT ?3)",
		source->err);
	if (s == NULL)
		return -1;
	stmt_bind_blob(s, 1, inode->content.bytes,
		       sizeof(inode->content.bytes));
	stmt_bind_i64(s, 2, (int64_t)inode->ino);
	stmt_bind_i64(s, 3, COPIES_MAX);
	return stmt_step(s, source->err) == 1 ? stmt_i64(s, 0) : -1;
}

void source_facts(struct source *source, const struct plan_when *when,
		  const char *path, struct facts *ret_facts)
{
	const struct catalog_inode *inode = source->inode;

	*ret_facts = (struct facts){
		.path = path,
		.size_bytes = inode->size_bytes,
		.changed_day = day_of_ns(inode->mtime_ns),
		.created_day = inode->btime_ns == 0
				       ? DAY_UNKNOWN
				       : day_of_ns(inode->btime_ns),
		.used_day = inode->last_used_day,
		.watched_day = when->watched_day,
		.copies = -1,
		.ask_department = ask_department,
		.ask_copies = when->copies_hidden ? NULL : ask_copies,
		.ctx = source,
	};
}
