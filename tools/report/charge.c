/* SPDX-License-Identifier: EUPL-1.2 */
#include "tools/report/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The lines of both CSVs: each department's own and shared part, and what is
 * of none. Their sums are the report's totals, exactly. */

static void put(struct charges *c, const struct line *line,
		enum charge_kind kind, const uint64_t amount[4], uint128 bytes)
{
	c->charge[c->n++] = (struct charge){
		.line = line,
		.kind = kind,
		.byte_s = bytes,
		.mwh = amount[0],
		.ueur = amount[1],
		.use_ug = amount[2],
		.build_ug = amount[3],
	};
}

static void put_department(struct charges *c, const struct line *line)
{
	const struct energy_line *e = &line->energy;

	put(c, line, CHARGE_OWN,
	    (uint64_t[4]){ e->mwh.own, e->ueur.own, e->use_ug.own,
			   e->build_ug.own },
	    e->own_byte_s);
	/* What people see of their files is said once. */
	c->charge[c->n - 1].has_logical = true;
	c->charge[c->n - 1].logical_byte_s = e->logical_byte_s;
	put(c, line, CHARGE_SHARED,
	    (uint64_t[4]){ e->mwh.shared, e->ueur.shared, e->use_ug.shared,
			   e->build_ug.shared },
	    e->shared_byte_s);
	if (e->mwh.activity || e->build_ug.activity)
		put(c, line, CHARGE_IO,
		    (uint64_t[4]){ e->mwh.activity, e->ueur.activity,
				   e->use_ug.activity, e->build_ug.activity },
		    0);
}

static void put_other(struct charges *c, const struct line *line)
{
	const struct energy_line *e = &line->energy;

	put(c, line,
	    line->kind == LINE_RESERVE ? CHARGE_RESERVE : CHARGE_OVERHEAD,
	    (uint64_t[4]){ e->mwh.all, e->ueur.all, e->use_ug.all,
			   e->build_ug.all },
	    e->own_byte_s + e->shared_byte_s);
	c->charge[c->n - 1].has_logical = e->logical_byte_s > 0;
	c->charge[c->n - 1].logical_byte_s = e->logical_byte_s;
}

static bool is_wanted(const struct page *p, const struct line *line)
{
	return !p->department || (line->kind == LINE_DEPARTMENT &&
				  line->department == p->department);
}

/* TB.months to nine decimals, so that they add up too. */
static int months(struct charges *c)
{
	cleanup_free uint128 *part = calloc((size_t)c->n + 1, sizeof(*part));
	cleanup_free uint64_t *shown = calloc((size_t)c->n + 1, sizeof(*shown));

	if (!part || !shown)
		return -ENOMEM;
	for (unsigned int i = 0; i < c->n; i++)
		part[i] = c->charge[i].byte_s;
	c->stored = num_apportion(part, c->n, KEPT_UNIT * 1000, shown);
	for (unsigned int i = 0; i < c->n; i++) {
		c->charge[i].stored = shown[i];
		part[i] = c->charge[i].logical_byte_s;
	}
	c->logical = num_apportion(part, c->n, KEPT_UNIT * 1000, shown);
	for (unsigned int i = 0; i < c->n; i++)
		c->charge[i].logical = shown[i];
	return 0;
}

int charges_init(struct charges *ret_charges, const struct page *p)
{
	unsigned int lines = p->lines ? p->lines->n : 0;
	struct charges c = { .n = 0 };
	int rc;

	c.charge = calloc((size_t)lines * 3 + 1, sizeof(*c.charge));
	if (!c.charge)
		return -ENOMEM;
	for (unsigned int i = 0; i < lines; i++) {
		const struct line *line = &p->lines->line[i];

		if (!is_wanted(p, line))
			continue;
		if (line->kind == LINE_DEPARTMENT || line->kind == LINE_FORMER)
			put_department(&c, line);
		else
			put_other(&c, line);
	}
	rc = months(&c);
	if (rc < 0)
		charge_list_release(&c);
	else
		*ret_charges = c;
	return rc;
}

void charge_list_release(struct charges *charges)
{
	free(charges->charge);
	*charges = (struct charges){ .n = 0 };
}

const char *charge_id(const struct charge *c)
{
	return line_id(c->line);
}

const char *charge_kind_name(enum charge_kind kind)
{
	static const char *const names[] = {
		[CHARGE_OWN] = "own",	      [CHARGE_SHARED] = "shared",
		[CHARGE_IO] = "io",	      [CHARGE_OVERHEAD] = "overhead",
		[CHARGE_RESERVE] = "reserve",
	};

	return names[kind];
}
