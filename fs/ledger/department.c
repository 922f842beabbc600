/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/ledger/internal.h"

static const char other[] = "other";

/* 1 and its number, 0: no such id was ever seen. */
static int find(struct catalog *cat, const char *id, uint16_t *ret_number,
		struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		cat, "SELECT number FROM department WHERE id = ?1", err);
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_text(s, 1, id);
	rc = stmt_step(s, err);
	if (rc == 1 &&
	    (stmt_i64(s, 0) < 0 || stmt_i64(s, 0) >= DEPARTMENTS_MAX))
		return error_set(err, -SOBRE_ECORRUPT,
				 "the number of department '%s' is bad", id);
	if (rc == 1)
		*ret_number = (uint16_t)stmt_i64(s, 0);
	return rc;
}

static int next_number(struct catalog *cat, uint16_t *ret_number,
		       struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		cat, "SELECT coalesce(max(number), -1) + 1 FROM department",
		err);
	int rc = s == NULL ? err->code : stmt_step(s, err);

	if (rc < 0)
		return rc;
	if (stmt_i64(s, 0) < 0 || stmt_i64(s, 0) >= DEPARTMENTS_MAX)
		return error_set(err, -SOBRE_ECONFIG,
				 "there were more than %d departments",
				 DEPARTMENTS_MAX - 1);
	*ret_number = (uint16_t)stmt_i64(s, 0);
	return 0;
}

static int put(struct catalog *cat, const char *id, const char *name,
	       int32_t today, uint16_t *ret_number, struct error *err)
{
	CLEANUP(stmt_done) struct catalog_stmt *s = NULL;
	int64_t n = find(cat, id, ret_number, err);

	if (n == 0)
		n = next_number(cat, ret_number, err);
	if (n < 0)
		return (int)n;
	s = catalog_write_stmt(
		cat,
		"INSERT INTO department(number, id, name, since_day)"
		" VALUES(?1, ?2, ?3, ?4) ON CONFLICT(number) DO UPDATE"
		" SET name = excluded.name, until_day = NULL"
		" WHERE name <> excluded.name OR until_day IS NOT NULL",
		err);
	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, *ret_number);
	stmt_bind_text(s, 2, id);
	stmt_bind_text(s, 3, name);
	stmt_bind_i64(s, 4, today);
	n = stmt_run(s, err);
	return n < 0 ? (int)n : 0;
}

static int end(struct catalog *cat, uint16_t number, int32_t today,
	       struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		cat, "UPDATE department SET until_day = ?2 WHERE number = ?1",
		err);
	int64_t n = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, number);
	stmt_bind_i64(s, 2, today);
	n = stmt_run(s, err);
	return n < 0 ? (int)n : 0;
}

/* Those there are, less those that are given now. */
static int end_others(struct catalog *cat, const uint16_t *number,
		      unsigned int n, int32_t today, struct error *err)
{
	cleanup_free bool *gone = calloc(DEPARTMENTS_MAX, sizeof(*gone));
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		cat,
		"SELECT number FROM department WHERE until_day IS NULL"
		" AND number BETWEEN 1 AND ?1",
		err);
	int rc = 0;

	if (gone == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, DEPARTMENTS_MAX - 1);
	while ((rc = stmt_step(s, err)) == 1)
		gone[stmt_i64(s, 0)] = true;
	for (unsigned int i = 0; i < n; i++)
		gone[number[i]] = false;
	for (uint16_t i = 1; rc == 0 && i < DEPARTMENTS_MAX; i++) {
		if (gone[i])
			rc = end(cat, i, today, err);
	}
	return rc;
}

static int may_be(const struct ledger_department *departments, unsigned int i,
		  struct error *err)
{
	const char *id = departments[i].id;

	if (*id == '\0' || strcmp(id, other) == 0)
		return error_set(err, -SOBRE_ECONFIG,
				 "'%s' cannot be a department", id);
	for (unsigned int j = 0; j < i; j++) {
		if (strcmp(id, departments[j].id) == 0)
			return error_set(err, -SOBRE_ECONFIG,
					 "department '%s' is there twice", id);
	}
	return 0;
}

int departments_record(struct catalog *cat,
		       const struct ledger_department *departments,
		       unsigned int n, int32_t today, uint16_t *ret_number,
		       struct error *err)
{
	uint16_t none = 0;
	int rc = put(cat, other, "", today, &none, err);

	for (unsigned int i = 0; rc == 0 && i < n; i++) {
		rc = may_be(departments, i, err);
		if (rc == 0)
			rc = put(cat, departments[i].id, departments[i].name,
				 today, &ret_number[i], err);
	}
	return rc < 0 ? rc : end_others(cat, ret_number, n, today, err);
}

/* --- reading ------------------------------------------------------------- */

static char *text(struct catalog_stmt *s, int col)
{
	size_t len = 0;
	const char *v = stmt_blob(s, col, &len);

	return strndup(v == NULL ? "" : v, len);
}

/* Numbers are given one after the other: a gap is a damaged table. */
static int add_row(struct ledger_departments *list, struct catalog_stmt *s,
		   struct error *err)
{
	struct ledger_department_row *row = NULL;

	if (list->n >= DEPARTMENTS_MAX || stmt_i64(s, 0) != list->n)
		return error_set(err, -SOBRE_ECORRUPT,
				 "department %u is missing", list->n);
	row = reallocarray(list->row, list->n + 1, sizeof(*row));
	if (row == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	list->row = row;
	row += list->n++;
	*row = (struct ledger_department_row){
		.number = (uint16_t)stmt_i64(s, 0),
		.id = text(s, 1),
		.name = text(s, 2),
		.since_day = (int32_t)stmt_i64(s, 3),
		.until_day = stmt_is_null(s, 4) ? INT32_MAX
						: (int32_t)stmt_i64(s, 4),
	};
	if (row->id == NULL || row->name == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	return 0;
}

int ledger_departments(struct catalog *cat,
		       struct ledger_departments *ret_departments,
		       struct error *err)
{
	struct ledger_departments list = { .n = 0 };
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_read_stmt(
		cat,
		"SELECT number, id, name, since_day, until_day FROM department"
		" UNION ALL SELECT 0, 'other', '', 0, NULL"
		" WHERE NOT EXISTS (SELECT 1 FROM department)"
		" ORDER BY number",
		err);
	int rc = 0;

	if (s == NULL)
		return err->code;
	while (rc == 0 && (rc = stmt_step(s, err)) == 1)
		rc = add_row(&list, s, err);
	if (rc < 0)
		ledger_departments_release(&list);
	else
		*ret_departments = list;
	return rc;
}

void ledger_departments_release(struct ledger_departments *departments)
{
	for (unsigned int i = 0; i < departments->n; i++) {
		free(departments->row[i].id);
		free(departments->row[i].name);
	}
	free(departments->row);
	*departments = (struct ledger_departments){ .n = 0 };
}
