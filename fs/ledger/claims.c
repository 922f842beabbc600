/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The departments as they were configured last, for who opens the drive
 * without a configuration: `sobre gc` of a drive that isn't mounted must not
 * make all of it nobody's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/ledger/internal.h"

static int no_memory(struct error *err)
{
	return error_set(err, -ENOMEM, "out of memory");
}

/* --- writing ------------------------------------------------------------- */

struct writing {
	struct catalog *cat;
	const struct ledger_department *of;
	int64_t rank;
	int64_t seq;
};

static int put(struct writing *w, const char *path, const uint32_t *gid,
	       struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		w->cat,
		"INSERT INTO claim(rank, seq, id, name, path, gid)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
		err);
	int64_t n = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, w->rank);
	stmt_bind_i64(s, 2, w->seq++);
	stmt_bind_text(s, 3, w->of->id);
	stmt_bind_text(s, 4, w->of->name);
	if (path != NULL)
		stmt_bind_text(s, 5, path);
	else
		stmt_bind_null(s, 5);
	if (gid != NULL)
		stmt_bind_i64(s, 6, *gid);
	else
		stmt_bind_null(s, 6);
	n = stmt_run(s, err);
	return n < 0 ? (int)n : 0;
}

static int forget(struct catalog *cat, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s =
		catalog_write_stmt(cat, "DELETE FROM claim", err);
	int64_t n = s == NULL ? err->code : stmt_run(s, err);

	return n < 0 ? (int)n : 0;
}

int claims_save(struct catalog *cat,
		const struct ledger_department *departments, unsigned int n,
		struct error *err)
{
	int rc = forget(cat, err);

	for (unsigned int i = 0; rc == 0 && i < n; i++) {
		const struct ledger_department *d = &departments[i];
		struct writing w = { .cat = cat, .of = d, .rank = i };

		rc = put(&w, NULL, NULL, err);
		for (unsigned int j = 0; rc == 0 && j < d->n_paths; j++)
			rc = put(&w, d->paths[j], NULL, err);
		for (unsigned int j = 0; rc == 0 && j < d->n_gids; j++)
			rc = put(&w, NULL, &d->gids[j], err);
	}
	return rc;
}

/* --- reading ------------------------------------------------------------- */

static char *text_of(struct catalog_stmt *s, int col)
{
	size_t len = 0;
	const void *text = stmt_blob(s, col, &len);

	return strndup(text != NULL ? text : "", len);
}

static int start(struct claims *claims, struct catalog_stmt *s,
		 struct error *err)
{
	struct claim *c = NULL;

	if (claims->n == DEPARTMENTS_MAX)
		return error_set(err, -SOBRE_ECORRUPT,
				 "the catalog holds too many departments");
	c = &claims->claim[claims->n++];
	c->id = text_of(s, 1);
	c->name = text_of(s, 2);
	return c->id == NULL || c->name == NULL ? no_memory(err) : 0;
}

static int add(struct claim *c, struct catalog_stmt *s, struct error *err)
{
	char **paths = realloc(c->path, (c->paths + 1UL) * sizeof(*paths));
	uint32_t *gids = NULL;

	if (paths != NULL)
		c->path = paths;
	gids = realloc(c->gid, (c->gids + 1UL) * sizeof(*gids));
	if (gids != NULL)
		c->gid = gids;
	if (paths == NULL || gids == NULL)
		return no_memory(err);
	if (stmt_is_null(s, 3)) {
		gids[c->gids++] = (uint32_t)stmt_i64(s, 4);
		return 0;
	}
	paths[c->paths] = text_of(s, 3);
	return paths[c->paths++] == NULL ? no_memory(err) : 0;
}

static int read_rows(struct claims *claims, struct catalog_stmt *s,
		     struct error *err)
{
	int rc = 0;

	while ((rc = stmt_step(s, err)) == 1) {
		if (stmt_i64(s, 0) == 0)
			rc = start(claims, s, err);
		else if (claims->n == 0)
			rc = error_set(err, -SOBRE_ECORRUPT,
				       "the catalog's departments are damaged");
		else
			rc = add(&claims->claim[claims->n - 1], s, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

static void show(struct claims *claims)
{
	for (unsigned int i = 0; i < claims->n; i++) {
		const struct claim *c = &claims->claim[i];

		claims->department[i] = (struct ledger_department){
			.id = c->id,
			.name = c->name,
			.paths = (const char *const *)c->path,
			.n_paths = c->paths,
			.gids = c->gid,
			.n_gids = c->gids,
		};
	}
}

int claims_load(struct catalog *cat, struct claims *ret_claims,
		struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s =
		catalog_write_stmt(cat,
				   "SELECT seq, id, name, path, gid FROM claim"
				   " ORDER BY rank, seq",
				   err);
	struct claims claims = { .n = 0 };
	int rc = 0;

	if (s == NULL)
		return err->code;
	claims.claim = calloc(DEPARTMENTS_MAX, sizeof(*claims.claim));
	claims.department = calloc(DEPARTMENTS_MAX, sizeof(*claims.department));
	if (claims.claim == NULL || claims.department == NULL)
		rc = no_memory(err);
	if (rc == 0)
		rc = read_rows(&claims, s, err);
	if (rc < 0) {
		claims_release(&claims);
		return rc;
	}
	show(&claims);
	*ret_claims = claims;
	return 0;
}

void claims_release(struct claims *claims)
{
	for (unsigned int i = 0; i < claims->n; i++) {
		struct claim *c = &claims->claim[i];

		for (unsigned int j = 0; j < c->paths; j++)
			free(c->path[j]);
		free(c->path);
		free(c->gid);
		free(c->id);
		free(c->name);
	}
	free(claims->claim);
	free(claims->department);
	*claims = (struct claims){ .n = 0 };
}
