/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The biggest folders of each department, none within another: beginning with
 * the department's own, the biggest is taken apart into those in it, until
 * there are enough.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/ledger/ledger.h"
#include "tools/figures/internal.h"

#define NONE UINT32_MAX

struct node {
	uint64_t ino;
	uint64_t parent_ino;
	struct folder_size own; /* directly in it */
	struct folder_size all;
	uint32_t parent;  /* of the same department; or NONE */
	uint32_t child;	  /* the first */
	uint32_t next;	  /* of its parent's */
	uint32_t waiting; /* children whose sums aren't known */
	uint16_t number;
};

struct tree {
	struct node *node; /* owned; by ino, as a signed number */
	uint32_t n;
	uint32_t cap;
};

static int add_node(void *ctx, const struct ledger_folder *folder,
		    struct error *err)
{
	struct tree *t = ctx;

	if (folder->set.n == 0 || t->n == NONE)
		return 0;
	if (t->n == t->cap) {
		uint32_t cap = t->cap ? t->cap + t->cap / 2 : 1024;
		struct node *more =
			reallocarray(t->node, cap, sizeof(*t->node));

		if (!more)
			return error_set(err, -ENOMEM, "no memory for folders");
		t->node = more;
		t->cap = cap;
	}
	t->node[t->n++] = (struct node){
		.ino = folder->ino,
		.parent_ino = folder->parent,
		.own = { folder->files, folder->stored_bytes,
			 folder->exclusive_bytes },
		.parent = NONE,
		.child = NONE,
		.next = NONE,
		.number = folder->set.member[0],
	};
	return 0;
}

static int by_ino(const void *a, const void *b)
{
	const int64_t x = (int64_t)((const struct node *)a)->ino;
	const int64_t y = (int64_t)((const struct node *)b)->ino;

	return x < y ? -1 : x > y;
}

static void add_size(struct folder_size *to, const struct folder_size *more)
{
	to->files += more->files;
	to->stored_bytes += more->stored_bytes;
	to->exclusive_bytes += more->exclusive_bytes;
}

static void link_nodes(struct tree *t)
{
	for (uint32_t i = 0; i < t->n; i++) {
		struct node *node = &t->node[i];
		const struct node key = { .ino = node->parent_ino };
		struct node *parent =
			node->parent_ino == 0 || node->parent_ino == node->ino
				? NULL
				: bsearch(&key, t->node, t->n, sizeof(key),
					  by_ino);

		if (!parent || parent->number != node->number)
			continue;
		node->parent = (uint32_t)(parent - t->node);
		node->next = parent->child;
		parent->child = i;
		parent->waiting++;
	}
}

/* From the leaves up. Those below themselves, which damaged rows may say, wait
 * for ever, and count for nobody. */
static void sum_nodes(struct tree *t)
{
	for (uint32_t i = 0; i < t->n; i++) {
		uint32_t at = i;

		if (t->node[i].child != NONE)
			continue;
		for (;;) {
			struct node *node = &t->node[at];
			struct node *up;

			add_size(&node->all, &node->own);
			if (node->parent == NONE)
				break;
			up = &t->node[node->parent];
			add_size(&up->all, &node->all);
			if (--up->waiting > 0)
				break;
			at = node->parent;
		}
	}
}

/* --- which -----------------------------------------------------------------
 */

struct pick {
	uint32_t node;
	bool direct; /* what lies directly in it */
	struct folder_size size;
};

struct picks {
	struct pick *pick; /* owned */
	size_t n, cap;
};

static int put(struct picks *to, const struct pick *pick, struct error *err)
{
	if (to->n == to->cap) {
		size_t cap = to->cap ? 2 * to->cap : 64;
		struct pick *more =
			reallocarray(to->pick, cap, sizeof(*to->pick));

		if (!more)
			return error_set(err, -ENOMEM, "no memory for folders");
		to->pick = more;
		to->cap = cap;
	}
	to->pick[to->n++] = *pick;
	return 0;
}

static int by_size(const void *a, const void *b)
{
	const struct pick *x = a;
	const struct pick *y = b;

	if (x->size.stored_bytes != y->size.stored_bytes)
		return x->size.stored_bytes > y->size.stored_bytes ? -1 : 1;
	if (x->node != y->node)
		return x->node < y->node ? -1 : 1;
	return (int)x->direct - (int)y->direct;
}

/* The biggest that has others in it; NULL: none. Sorted. */
static struct pick *to_split(const struct tree *t, struct picks *picks)
{
	for (size_t i = 0; i < picks->n && i < REPORT_FOLDERS; i++)
		if (!picks->pick[i].direct &&
		    t->node[picks->pick[i].node].child != NONE)
			return &picks->pick[i];
	return NULL;
}

static int split(const struct tree *t, struct picks *picks, struct pick *pick,
		 struct error *err)
{
	const struct node *node = &t->node[pick->node];
	int rc = 0;

	pick->direct = true;
	pick->size = node->own;
	for (uint32_t i = node->child; rc == 0 && i != NONE;
	     i = t->node[i].next)
		rc = put(picks,
			 &(struct pick){ .node = i, .size = t->node[i].all },
			 err);
	return rc;
}

static void sort(struct picks *picks)
{
	if (picks->n > 0)
		qsort(picks->pick, picks->n, sizeof(*picks->pick), by_size);
	while (picks->n > 0 && picks->pick[picks->n - 1].size.stored_bytes == 0)
		picks->n--;
}

static int pick_biggest(const struct tree *t, struct picks *picks,
			struct error *err)
{
	struct pick *pick;
	int rc = 0;

	sort(picks);
	while (rc == 0 && picks->n < REPORT_FOLDERS &&
	       (pick = to_split(t, picks))) {
		rc = split(t, picks, pick, err);
		sort(picks);
	}
	if (picks->n > REPORT_FOLDERS)
		picks->n = REPORT_FOLDERS;
	return rc;
}

/* --- told ------------------------------------------------------------------
 */

static void keep_path(void *ctx, const char *path)
{
	char **to = ctx;

	if (!*to)
		*to = strdup(path);
}

static int tell(struct catalog *cat, const struct tree *t,
		const struct picks *picks, struct report_folders *to,
		struct error *err)
{
	for (size_t i = 0; i < picks->n; i++) {
		const struct pick *pick = &picks->pick[i];
		const struct node *node = &t->node[pick->node];
		struct report_folder *f = &to->folder[to->n];
		int rc;

		*f = (struct report_folder){
			.department = node->number,
			.direct = pick->direct && node->child != NONE,
			.files = pick->size.files,
			.stored_bytes = pick->size.stored_bytes,
			.exclusive_bytes = pick->size.exclusive_bytes,
		};
		rc = catalog_paths(cat, node->ino, 1, keep_path, &f->path, err);
		if (rc < 0)
			return rc;
		to->n += f->path != NULL;
	}
	return 0;
}

static int of_department(struct catalog *cat, const struct tree *t,
			 uint16_t number, struct report_folders *to,
			 struct error *err)
{
	struct picks picks = { .n = 0 };
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < t->n; i++)
		if (t->node[i].number == number && t->node[i].parent == NONE)
			rc = put(&picks,
				 &(struct pick){ .node = i,
						 .size = t->node[i].all },
				 err);
	if (rc == 0)
		rc = pick_biggest(t, &picks, err);
	if (rc == 0)
		rc = tell(cat, t, &picks, to, err);
	free(picks.pick);
	return rc;
}

static int of_all(struct catalog *cat, const struct tree *t,
		  struct report_folders *to, struct error *err)
{
	uint16_t most = 0;
	int rc = 0;

	for (uint32_t i = 0; i < t->n; i++)
		most = t->node[i].number > most ? t->node[i].number : most;
	to->folder = calloc((size_t)(most + 1U) * REPORT_FOLDERS,
			    sizeof(*to->folder));
	if (!to->folder)
		return error_set(err, -ENOMEM, "no memory for folders");
	for (unsigned int i = 0; rc == 0 && i <= most; i++)
		rc = of_department(cat, t, (uint16_t)i, to, err);
	return rc;
}

int figures_folders(struct catalog *cat, int64_t now_s,
		    struct report_folders *ret_folders, struct error *err)
{
	struct report_folders folders = { .taken_s = now_s };
	struct tree tree = { .n = 0 };
	int rc = ledger_folders(cat, add_node, &tree, err);

	if (rc == 0) {
		link_nodes(&tree);
		sum_nodes(&tree);
		rc = of_all(cat, &tree, &folders, err);
	}
	free(tree.node);
	if (rc < 0) {
		figures_folders_release(&folders);
		return rc;
	}
	*ret_folders = folders;
	return 0;
}

void figures_folders_release(struct report_folders *folders)
{
	for (unsigned int i = 0; i < folders->n; i++)
		free(folders->folder[i].path);
	free(folders->folder);
	*folders = (struct report_folders){ .n = 0 };
}
