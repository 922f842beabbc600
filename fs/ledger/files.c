/* SPDX-License-Identifier: EUPL-1.2 */
/* All files as they were charged, in one pass. */
#include <string.h>

#include "fs/ledger/internal.h"

#define DAY_NS (86400 * NS_PER_S)

/* One statement, and so of one moment: three tables and an index in the order
 * of inode numbers. */
static const char all_files[] =
	"SELECT c.ino, c.members, c.parent, c.blocks, c.own_high,"
	" c.exclusive_bytes, c.size_bytes, c.content IS NOT NULL, i.mtime_ns,"
	" i.ctime_ns, i.last_used_day, (SELECT n.name FROM name n"
	" INDEXED BY name_ino WHERE n.ino = c.ino LIMIT 1)"
	" FROM charge c CROSS JOIN inode i ON i.ino = c.ino"
	" WHERE c.regular != 0 ORDER BY c.ino";

static int32_t day_of(int64_t at_ns)
{
	int64_t day = at_ns / DAY_NS - (at_ns % DAY_NS < 0);

	return day > INT32_MAX ? INT32_MAX : (int32_t)day;
}

/* A day that is no day was never one. */
static int32_t used_day(struct catalog_stmt *s, int32_t changed_day)
{
	int64_t day = stmt_i64(s, 10);

	if (stmt_is_null(s, 10) || day < changed_day || day > INT32_MAX)
		return changed_day;
	return (int32_t)day;
}

static uint64_t bounded(int64_t v)
{
	if (v < 0)
		return 0;
	return v > CHARGE_BYTES_MAX ? (uint64_t)CHARGE_BYTES_MAX : (uint64_t)v;
}

static void read_bytes(struct catalog_stmt *s, struct ledger_file *file)
{
	uint64_t blocks = bounded(stmt_i64(s, 3));

	if (blocks > CHARGE_BYTES_MAX / 512)
		blocks = CHARGE_BYTES_MAX / 512;
	file->hot_bytes = 512 * blocks;
	file->packed = stmt_i64(s, 7) != 0;
	file->packed_bytes = file->packed ? bounded(stmt_i64(s, 4)) : 0;
	file->exclusive_bytes =
		file->hot_bytes + (file->packed ? bounded(stmt_i64(s, 5)) : 0);
	file->size_bytes = bounded(stmt_i64(s, 6));
}

static int read_file(struct catalog_stmt *s, char name[LEDGER_NAME_BYTES],
		     struct ledger_file *file, struct error *err)
{
	size_t len = 0;
	const void *at = NULL;

	file->ino = (uint64_t)stmt_i64(s, 0);
	file->parent = (uint64_t)stmt_i64(s, 2);
	if (!dept_set_read(s, 1, &file->set))
		return error_set(err, -SOBRE_ECORRUPT,
				 "the charge of inode %llu is bad",
				 (unsigned long long)file->ino);
	read_bytes(s, file);
	file->changed_day =
		day_of(stmt_i64(s, 8) > stmt_i64(s, 9) ? stmt_i64(s, 8)
						       : stmt_i64(s, 9));
	file->used_day = used_day(s, day_of(stmt_i64(s, 8)));
	at = stmt_blob(s, 11, &len);
	if (len >= LEDGER_NAME_BYTES)
		len = LEDGER_NAME_BYTES - 1;
	if (len > 0)
		memcpy(name, at, len);
	name[len] = '\0';
	file->name = name;
	return 0;
}

int ledger_files(struct catalog *cat, ledger_file_fn *each, void *ctx,
		 struct error *err)
{
	CLEANUP(stmt_done) struct catalog_stmt *s = NULL;
	char name[LEDGER_NAME_BYTES];
	struct ledger_file file;
	int rc = 0;

	if (catalog_meta_get(cat, META_RECHARGE, RECHARGE_NONE) !=
	    RECHARGE_NONE)
		return error_set(err, -EAGAIN,
				 "the drive is being counted: try again later");
	s = catalog_stmt(cat, all_files, err);
	if (s == NULL)
		return err->code;
	while ((rc = stmt_step(s, err)) == 1) {
		rc = read_file(s, name, &file, err);
		if (rc == 0)
			rc = each(ctx, &file, err);
		if (rc != 0)
			break;
	}
	return rc;
}
