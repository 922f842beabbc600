/* SPDX-License-Identifier: EUPL-1.2 */
/* All files of a drive. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/base/buf.h"
#include "policy/plan/internal.h"

/* --- totals
 * --------------------------------------------------------------------- */

static void count(struct plan_count *c, uint64_t bytes)
{
	c->files++;
	c->bytes =
		bytes > UINT64_MAX - c->bytes ? UINT64_MAX : c->bytes + bytes;
}

static uint64_t minus(uint64_t a, uint64_t b)
{
	/* What is counted moves while it is counted. */
	return a > b ? a - b : 0;
}

void plan_totals_release(struct plan_totals *totals)
{
	for (unsigned int i = 0;
	     totals->department != NULL && i < totals->departments; i++)
		free(totals->department[i].id);
	free(totals->department);
	free(totals->rule);
	*totals = (struct plan_totals){ .rules = 0 };
}

static int totals_init(struct plan_totals *totals, const struct plan *plan,
		       struct error *err)
{
	struct catalog_totals all;
	int rc = catalog_totals(plan->cat, &all, err);

	if (rc < 0)
		return rc;
	*totals = (struct plan_totals){
		.all = { all.files, all.logical_bytes },
		.rules = eval_policy(plan->eval)->n,
		.departments = plan->departments.n + 1,
	};
	totals->rule = calloc(totals->rules + 1UL, sizeof(*totals->rule));
	totals->department =
		calloc(totals->departments, sizeof(*totals->department));
	if (totals->rule == NULL || totals->department == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	for (unsigned int i = 0; i < plan->departments.n; i++) {
		totals->department[i].id = strdup(department_id(plan, i));
		if (totals->department[i].id == NULL)
			return error_set(err, -ENOMEM, "out of memory");
	}
	return 0;
}

/* --- files with several names, that one of has been counted
 * -------------------- */

struct linked {
	uint64_t *slot; /* inode numbers, hashed; 0 is empty */
	size_t cap;	/* a power of two */
	size_t n;
};

static size_t slot_of(const struct linked *l, uint64_t ino)
{
	size_t at = (size_t)(ino * UINT64_C(0x9e3779b97f4a7c15) >> 20);

	while (l->slot[at & (l->cap - 1)] != 0 &&
	       l->slot[at & (l->cap - 1)] != ino)
		at++;
	return at & (l->cap - 1);
}

static int linked_grow(struct linked *l, struct error *err)
{
	struct linked more = { .cap = l->cap == 0 ? 64 : l->cap * 2,
			       .n = l->n };

	more.slot = calloc(more.cap, sizeof(*more.slot));
	if (more.slot == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < l->cap; i++) {
		if (l->slot[i] != 0)
			more.slot[slot_of(&more, l->slot[i])] = l->slot[i];
	}
	free(l->slot);
	*l = more;
	return 0;
}

/* 1: it is new. */
static int linked_add(struct linked *l, uint64_t ino, struct error *err)
{
	size_t at = 0;
	int rc = 2 * (l->n + 1) > l->cap ? linked_grow(l, err) : 0;

	if (rc < 0)
		return rc;
	at = slot_of(l, ino);
	if (l->slot[at] == ino)
		return 0;
	l->slot[at] = ino;
	l->n++;
	return 1;
}

/* --- the run
 * -------------------------------------------------------------------- */

struct run {
	const struct plan *plan;
	const struct plan_options *options;
	plan_each_fn *each;
	void *ctx;
	struct plan_totals *totals;
	struct eval_walk *walk;
	unsigned int depth; /* of the walk */
	bool somewhere;	    /* `parent` is where the walk is */
	uint64_t parent;
	struct buf dir;		 /* its path, ends with a slash: "/a/b/" */
	struct buf path;	 /* of the entry, with its NUL */
	struct verdict *verdict; /* room for all rules */
	struct linked linked;
};

static int go_down(struct run *run, const char *path, size_t len,
		   struct error *err)
{
	while (len > 0) {
		const char *slash = memchr(path, '/', len);
		size_t part = (size_t)(slash - path);
		char name[256];
		int rc = 0;

		if (part >= sizeof(name))
			return error_set(err, -SOBRE_ECORRUPT,
					 "the catalog has a name of %zu bytes",
					 part);
		memcpy(name, path, part);
		name[part] = '\0';
		rc = eval_walk_enter(run->walk, name, err);
		if (rc < 0)
			return rc;
		/* It could be entered when it was met. */
		if (rc == 0)
			return error_set(err, -EIO, "'%s' can't be entered",
					 name);
		run->depth++;
		path = slash + 1;
		len -= part + 1;
	}
	return 0;
}

/* Where the two paths part, after a slash. */
static size_t common(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t same = 0;

	for (size_t i = 0; i < a_len && i < b_len && a[i] == b[i]; i++) {
		if (a[i] == '/')
			same = i + 1;
	}
	return same;
}

/* Goes to the directory of `path`, which the walk of the catalog is in. */
static int go_to(struct run *run, const char *path, size_t len,
		 struct error *err)
{
	const char *old = (const char *)run->dir.data;
	size_t same = common(old, run->dir.len, path, len);
	int rc = 0;

	for (size_t i = same; i < run->dir.len; i++) {
		if (old[i] == '/') {
			eval_walk_leave(run->walk);
			run->depth--;
		}
	}
	rc = go_down(run, path + same, len - same, err);
	buf_clear(&run->dir);
	if (rc == 0)
		rc = buf_put(&run->dir, path, len);
	return rc < 0 && err->code == 0
		       ? error_set(err, rc, "%s", error_words(rc))
		       : rc;
}

static int sync_dir(struct run *run, const struct catalog_walk_entry *entry,
		    struct error *err)
{
	size_t len = strlen(entry->path) - strlen(entry->name);
	int rc = 0;

	if (run->somewhere && run->parent == entry->parent)
		return 0;
	rc = go_to(run, entry->path, len, err);
	run->somewhere = rc == 0;
	run->parent = entry->parent;
	return rc;
}

static void count_item(struct run *run, const struct plan_item *item,
		       uint32_t department)
{
	const struct rule *first = eval_policy(run->plan->eval)->rule;
	struct plan_totals *t = run->totals;
	uint64_t bytes = item->inode->size_bytes;

	count(&t->matched, bytes);
	count(&t->rule[item->verdict->rule - first].decides, bytes);
	for (unsigned int i = 0; i < item->n; i++)
		count(&t->rule[item->verdict[i].rule - first].matches, bytes);
	if (department >= t->departments - 1)
		department = t->departments - 1;
	count(&t->department[department].matched, bytes);
}

static int emit(struct run *run, struct source *source, unsigned int n,
		struct error *err)
{
	uint32_t department = source_department(source);
	struct plan_item item = {
		.path = (const char *)run->path.data,
		.inode = source->inode,
		.department = department_id(run->plan, department),
		.verdict = run->verdict,
		.n = n,
		.counted = true,
	};
	int rc = 0;

	if (err->code < 0) /* asking for the department failed */
		return err->code;
	if (source->inode->nlink > 1) {
		rc = linked_add(&run->linked, source->inode->ino, err);
		item.counted = rc == 1;
	}
	if (rc < 0)
		return rc;
	if (item.counted)
		count_item(run, &item, department);
	return run->each == NULL ? 0 : run->each(run->ctx, &item, err);
}

static int visit_file(struct run *run, const struct catalog_walk_entry *entry,
		      struct error *err)
{
	struct source source = { .plan = run->plan,
				 .inode = &entry->inode,
				 .parent = entry->parent,
				 .err = err };
	struct facts facts;
	unsigned int n = 0;

	buf_clear(&run->path);
	(void)buf_put_u8(&run->path, '/');
	(void)buf_put(&run->path, entry->path, strlen(entry->path) + 1);
	if (buf_error(&run->path) < 0)
		return error_set(err, buf_error(&run->path), "'%s': %s",
				 entry->path,
				 error_words(buf_error(&run->path)));
	source_facts(&source, &run->options->when, (const char *)run->path.data,
		     &facts);
	n = eval_walk_file(run->walk, &facts, run->verdict, run->totals->rules);
	if (err->code < 0)
		return err->code;
	return n == 0 ? 0 : emit(run, &source, n, err);
}

static int visit(void *ctx, const struct catalog_walk_entry *entry,
		 struct error *err)
{
	struct run *run = ctx;
	int rc = 0;

	if (run->options->stop != NULL &&
	    __atomic_load_n(run->options->stop, __ATOMIC_RELAXED))
		return error_set(err, -ECANCELED, "stopped");
	if (!S_ISREG(entry->inode.mode) && !S_ISDIR(entry->inode.mode))
		return 0;
	rc = sync_dir(run, entry, err);
	if (rc < 0)
		return rc;
	if (S_ISREG(entry->inode.mode))
		return visit_file(run, entry, err);
	rc = eval_walk_enter(run->walk, entry->name, err);
	if (rc == 1)
		eval_walk_leave(run->walk);
	else if (rc == 0)
		return CATALOG_WALK_PRUNE;
	return rc < 0 ? rc : 0;
}

static void run_release_at(struct run *run)
{
	eval_walk_free(run->walk);
	buf_release(&run->dir);
	buf_release(&run->path);
	free(run->verdict);
	free(run->linked.slot);
}

static int run_all(struct run *run, struct error *err)
{
	const struct plan *plan = run->plan;
	int rc = eval_walk_new(plan->eval, run->options->when.today, &run->walk,
			       err);

	if (rc < 0)
		return rc;
	run->verdict = calloc(run->totals->rules + 1UL, sizeof(*run->verdict));
	if (run->verdict == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	rc = run->totals->rules == 0
		     ? 0
		     : catalog_walk(plan->cat, run->options->root_ino, visit,
				    run, err);
	if (rc == 0)
		run->totals->unmatched = (struct plan_count){
			minus(run->totals->all.files,
			      run->totals->matched.files),
			minus(run->totals->all.bytes,
			      run->totals->matched.bytes),
		};
	return rc;
}

#define PATH_BYTES_MAX (128U << 10) /* the catalog's are at most 64 KiB */

int plan_run(const struct plan *plan, const struct plan_options *options,
	     plan_each_fn *each, void *ctx, struct plan_totals *ret_totals,
	     struct error *err)
{
	struct plan_totals totals = { .rules = 0 };
	__attribute__((cleanup(run_release_at))) struct run run = {
		.plan = plan,
		.options = options,
		.each = each,
		.ctx = ctx,
		.totals = &totals,
	};
	int rc = totals_init(&totals, plan, err);

	buf_init(&run.dir, PATH_BYTES_MAX);
	buf_init(&run.path, PATH_BYTES_MAX);
	if (rc == 0)
		rc = run_all(&run, err);
	if (rc != 0) {
		plan_totals_release(&totals);
		return rc;
	}
	*ret_totals = totals;
	return 0;
}
