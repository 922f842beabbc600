/* SPDX-License-Identifier: EUPL-1.2 */
/* What each inode was charged with last. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/ledger/internal.h"

void charge_share(struct charge *charge, const struct store_share *share)
{
	uint128 max = (uint128)CHARGE_BYTES_MAX << 64;
	uint128 own = share->own_q64 < max ? share->own_q64 : max;

	charge->own_high = (int64_t)(own >> 64);
	charge->own_low = (int64_t)((uint64_t)own >> 32);
	charge->exclusive_bytes = share->exclusive_bytes < CHARGE_BYTES_MAX
					  ? (int64_t)share->exclusive_bytes
					  : CHARGE_BYTES_MAX;
}

static bool read_share(struct catalog_stmt *s, struct charge *charge)
{
	charge->own_high = stmt_i64(s, 8);
	charge->own_low = stmt_i64(s, 9);
	charge->exclusive_bytes = stmt_i64(s, 10);
	return charge->own_high >= 0 && charge->own_high <= CHARGE_BYTES_MAX &&
	       charge->own_low >= 0 && charge->own_low <= UINT32_MAX &&
	       charge->exclusive_bytes >= 0 &&
	       charge->exclusive_bytes <= CHARGE_BYTES_MAX;
}

static bool read_charge(struct catalog_stmt *s, struct charge *charge)
{
	size_t len = 0;
	const void *content = stmt_blob(s, 5, &len);

	charge->btime_ns = stmt_i64(s, 0);
	charge->place = stmt_i64(s, 1);
	charge->blocks = stmt_i64(s, 3);
	charge->size_bytes = stmt_i64(s, 4);
	charge->parent = (uint64_t)stmt_i64(s, 6);
	charge->regular = stmt_i64(s, 7) != 0;
	charge->packed = content != NULL;
	if (charge->packed && len == sizeof(charge->content.bytes))
		memcpy(charge->content.bytes, content, len);
	return dept_set_read(s, 2, &charge->set) && read_share(s, charge) &&
	       charge->blocks >= 0 && charge->size_bytes >= 0 &&
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
		"SELECT btime_ns, place, members, blocks, size_bytes, content,"
		" parent, regular, own_high, own_low, exclusive_bytes"
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

static void bind_packed(struct catalog_stmt *s, const struct charge *charge)
{
	stmt_bind_blob(s, 9, charge->content.bytes,
		       sizeof(charge->content.bytes));
	stmt_bind_i64(s, 10, charge->own_high);
	stmt_bind_i64(s, 11, charge->own_low);
	stmt_bind_i64(s, 12, charge->exclusive_bytes);
}

int charge_put(struct ledger *ledger, uint64_t ino, const struct charge *charge,
	       struct error *err)
{
	static const char plain[] =
		"INSERT OR REPLACE INTO charge(ino, btime_ns, place, members,"
		" blocks, size_bytes, parent, regular)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
	static const char packed[] =
		"INSERT OR REPLACE INTO charge(ino, btime_ns, place, members,"
		" blocks, size_bytes, parent, regular, content, own_high,"
		" own_low, exclusive_bytes)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(
		ledger->cat, charge->packed ? packed : plain, err);
	int64_t n = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, (int64_t)ino);
	stmt_bind_i64(s, 2, charge->btime_ns);
	stmt_bind_i64(s, 3, charge->place);
	dept_set_bind(s, 4, &charge->set);
	stmt_bind_i64(s, 5, charge->blocks);
	stmt_bind_i64(s, 6, charge->size_bytes);
	stmt_bind_i64(s, 7, (int64_t)charge->parent);
	stmt_bind_i64(s, 8, charge->regular);
	if (charge->packed)
		bind_packed(s, charge);
	n = stmt_run(s, err);
	return n < 0 ? (int)n : 0;
}

int write_ino(struct catalog *cat, const char *sql, uint64_t ino,
	      struct error *err)
{
	CLEANUP(stmt_done)
	struct catalog_stmt *s = catalog_write_stmt(cat, sql, err);
	int64_t n = 0;

	if (s == NULL)
		return err->code;
	stmt_bind_i64(s, 1, (int64_t)ino);
	n = stmt_run(s, err);
	return n < 0 ? (int)n : 0;
}

int charge_delete(struct ledger *ledger, uint64_t ino, struct error *err)
{
	return write_ino(ledger->cat, "DELETE FROM charge WHERE ino = ?1", ino,
			 err);
}
