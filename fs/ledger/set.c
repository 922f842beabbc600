/* SPDX-License-Identifier: EUPL-1.2 */
#include <string.h>

#include "fs/ledger/internal.h"

static void insert(struct dept_set *set, uint16_t department)
{
	unsigned int at = set->n;

	while (at > 0 && set->member[at - 1] > department) {
		set->member[at] = set->member[at - 1];
		at--;
	}
	set->member[at] = department;
	set->n++;
}

static bool has(const struct dept_set *set, uint16_t department)
{
	for (unsigned int i = 0; i < set->n; i++) {
		if (set->member[i] == department)
			return true;
	}
	return false;
}

/* A set that is full keeps its lowest, and "other", which is lower still. */
void dept_set_add(struct dept_set *set, uint16_t department)
{
	if (has(set, department))
		return;
	if (set->n == SET_MEMBERS_MAX && set->member[0] != DEPARTMENT_OTHER) {
		set->n--;
		insert(set, DEPARTMENT_OTHER);
		dept_set_add(set, department);
		return;
	}
	if (set->n == SET_MEMBERS_MAX) {
		if (set->member[SET_MEMBERS_MAX - 1] < department)
			return;
		set->n--;
	}
	insert(set, department);
}

bool dept_set_same(const struct dept_set *a, const struct dept_set *b)
{
	return a->n == b->n &&
	       memcmp(a->member, b->member, a->n * sizeof(a->member[0])) == 0;
}

int dept_set_compare(const struct dept_set *a, const struct dept_set *b)
{
	for (unsigned int i = 0; i < a->n && i < b->n; i++) {
		if (a->member[i] != b->member[i])
			return a->member[i] < b->member[i] ? -1 : 1;
	}
	return (a->n > b->n) - (a->n < b->n);
}

void dept_set_minus(const struct dept_set *a, const struct dept_set *b,
		    struct dept_set *ret_set)
{
	ret_set->n = 0;
	for (unsigned int i = 0; i < a->n; i++) {
		if (!has(b, a->member[i]))
			ret_set->member[ret_set->n++] = a->member[i];
	}
}

void dept_set_bind(struct catalog_stmt *s, int at, const struct dept_set *set)
{
	uint8_t members[MEMBERS_BYTES_MAX];

	for (size_t i = 0; i < set->n; i++) {
		members[2 * i] = (uint8_t)(set->member[i] & 0xff);
		members[2 * i + 1] = (uint8_t)(set->member[i] >> 8);
	}
	stmt_bind_blob(s, at, members, (size_t)set->n * 2);
}

bool dept_set_read(struct catalog_stmt *s, int col, struct dept_set *ret_set)
{
	size_t len = 0;
	const uint8_t *members = stmt_blob(s, col, &len);
	uint16_t n = 0;

	if (len > MEMBERS_BYTES_MAX || len % 2 != 0)
		return false;
	for (size_t i = 0; i < len; i += 2) {
		unsigned int v = members[i] | (unsigned int)members[i + 1] << 8;

		if (v >= DEPARTMENTS_MAX ||
		    (n > 0 && ret_set->member[n - 1] >= v))
			return false;
		ret_set->member[n++] = (uint16_t)v;
	}
	ret_set->n = n;
	return true;
}
