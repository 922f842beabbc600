-- SPDX-License-Identifier: EUPL-1.2
-- Schema 3: what each folder holds, so that `du` asks few rows. What each
-- column means: docs/format/catalog.md.

-- Of fs/ledger.
ALTER TABLE charge ADD COLUMN parent INTEGER NOT NULL DEFAULT 0;
ALTER TABLE charge ADD COLUMN regular INTEGER NOT NULL DEFAULT 0;
ALTER TABLE charge ADD COLUMN own_high INTEGER NOT NULL DEFAULT 0;
ALTER TABLE charge ADD COLUMN own_low INTEGER NOT NULL DEFAULT 0;
ALTER TABLE charge ADD COLUMN exclusive_bytes INTEGER NOT NULL DEFAULT 0;
-- What is in no folder's sums: inodes of several names, or none. (An index of
-- charge would make every charge that is written dearer.)
CREATE TABLE apart(
	ino INTEGER PRIMARY KEY
) STRICT;

-- Sizes and shares are kept in two halves each, so that their sums can't
-- overflow.
CREATE TABLE folder(
	ino INTEGER PRIMARY KEY,
	parent INTEGER NOT NULL,
	files INTEGER NOT NULL,
	packed INTEGER NOT NULL,
	blocks INTEGER NOT NULL,
	logical_high INTEGER NOT NULL,
	logical_low INTEGER NOT NULL,
	own_high INTEGER NOT NULL,
	own_low INTEGER NOT NULL,
	exclusive_bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX folder_parent ON folder(parent);

-- What was charged before knows of no folder: all is charged again.
INSERT INTO meta(key, value) SELECT 'ledger_recharge', 1
	WHERE EXISTS (SELECT 1 FROM inode)
	ON CONFLICT(key) DO UPDATE SET value = 1;
