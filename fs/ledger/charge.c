/* SPDX-License-Identifier: EUPL-1.2 */
/* What each inode was charged with last. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/ledger/internal.h"

static bool read_charge(struct catalog_stmt *s, struct charge *charge)
{
	size_t len = 0;
	const void *content = stmt_blob(s, 5, &len);

	charge->btime_ns = stmt_i64(s, 0);
	charge->place = stmt_i64(s, 1);
	charge->blocks = stmt_i64(s, 3);
	charge->size_bytes = stmt_i64(s, 4);
	charge->packed = content != NULL;
	if (charge->packed && len == sizeof(charge->content.bytes))
		memcpy(charge->content.bytes, content, len);
	return dept_set_read(s, 2, &charge->set) && charge->blocks >= 0 &&
	       charge->size_bytes >= 0 &&
	       charge->blocks <= CHARGE_BYTES_MAX / 512 &&
	       charge->size_bytes <= CHARGE_BYTES_MAX &&
	       charge->place >= PLACE_UNKNOWN && charge->place <= UINT32_MAX &&
	       (!charge->packed || len == sizeof(charge->content.bytes));
}

int charge_get(struct catalog *cat, uint64_t ino, struct charge *ret_charge,
	       struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_stmt(
		cat,
		"SELECT btime_ns, place, members, blocks, size_bytes, content"
		" FROM charge WHERE ino = ?1",
		err);
	int rc = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, (int64_t)ino);
	rc = stmt_step(s, err);
	if (rc == 1 && !read_charge(s, ret_charge))
		return error_set(err, -SOBRE_ECORRUPT,
				 "the charge of inode %llu is bad",
				 (unsigned long long)ino);
	return rc;
}

int charge_put(struct ledger *ledger, uint64_t ino, const struct charge *charge,
	       struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		ledger->cat,
		"INSERT OR REPLACE INTO charge(ino, btime_ns, place, members,"
		" blocks, size_bytes, content)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		err);
	int64_t n = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, (int64_t)ino);
	stmt_bind_i64(s, 2, charge->btime_ns);
	stmt_bind_i64(s, 3, charge->place);
	dept_set_bind(s, 4, &charge->set);
	stmt_bind_i64(s, 5, charge->blocks);
	stmt_bind_i64(s, 6, charge->size_bytes);
	if (charge->packed)
		stmt_bind_blob(s, 7, charge->content.bytes,
			       sizeof(charge->content.bytes));
	n = stmt_run(s, err);
	return n < 0 ? (int)n : 0;
}

int charge_delete(struct ledger *ledger, uint64_t ino, struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		ledger->cat, "DELETE FROM charge WHERE ino = ?1", err);
	int64_t n = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, (int64_t)ino);
	n = stmt_run(s, err);
	return n < 0 ? (int)n : 0;
}
