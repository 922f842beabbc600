-- SPDX-License-Identifier: EUPL-1.2
-- Schema 1. What each column means: docs/format/catalog.md.

CREATE TABLE meta(
	key TEXT PRIMARY KEY,
	value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE inode(
	ino INTEGER PRIMARY KEY,
	btime_ns INTEGER NOT NULL,
	mode INTEGER NOT NULL,
	uid INTEGER NOT NULL,
	gid INTEGER NOT NULL,
	nlink INTEGER NOT NULL,
	size_bytes INTEGER NOT NULL,
	blocks INTEGER NOT NULL,
	mtime_ns INTEGER NOT NULL,
	ctime_ns INTEGER NOT NULL,
	content BLOB,
	shown_ctime_ns INTEGER NOT NULL,
	packed_ctime_ns INTEGER NOT NULL,
	handle_type INTEGER,
	handle BLOB,
	last_used_day INTEGER,
	seen INTEGER NOT NULL,
	-- Of plain regular files with blocks: the later of their two times.
	changed_ns INTEGER GENERATED ALWAYS AS (iif(
		content IS NULL AND blocks > 0 AND (mode & 61440) = 32768,
		max(mtime_ns, ctime_ns), NULL)) VIRTUAL
) STRICT;
CREATE INDEX inode_content ON inode(content) WHERE content IS NOT NULL;
-- Cold files are one range of it, however many young ones there are.
CREATE INDEX inode_changed ON inode(changed_ns) WHERE changed_ns IS NOT NULL;

CREATE TABLE name(
	parent INTEGER NOT NULL,
	name BLOB NOT NULL,
	ino INTEGER NOT NULL,
	seen INTEGER NOT NULL,
	PRIMARY KEY(parent, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX name_ino ON name(ino);

CREATE TABLE tie(
	content BLOB NOT NULL,
	ino INTEGER NOT NULL,
	btime_ns INTEGER NOT NULL,
	handle_type INTEGER,
	handle BLOB,
	PRIMARY KEY(content, ino, btime_ns)
) STRICT, WITHOUT ROWID;

-- Of fs/store.
CREATE TABLE pack(
	id INTEGER PRIMARY KEY,
	state INTEGER NOT NULL,
	size_bytes INTEGER NOT NULL,
	condemned_s INTEGER
) STRICT;
CREATE TABLE chunk(
	id BLOB PRIMARY KEY,
	pack INTEGER NOT NULL,
	extent_off INTEGER NOT NULL,
	skip INTEGER NOT NULL,
	len INTEGER NOT NULL,
	refs INTEGER NOT NULL,
	bad INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX chunk_pack ON chunk(pack);
CREATE TABLE content(
	id BLOB PRIMARY KEY,
	size_bytes INTEGER NOT NULL,
	pack INTEGER NOT NULL,
	off INTEGER NOT NULL,
	orphan INTEGER NOT NULL DEFAULT 0,
	bad INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX content_pack ON content(pack);

-- Running sums over inode, kept by the triggers below, so that `status` asks
-- one row. Sizes are kept as two halves (>> 32 and & 0xffffffff): sparse
-- files of 8 EiB each must not overflow a sum.
CREATE TABLE total(
	id INTEGER PRIMARY KEY CHECK (id = 1),
	files INTEGER NOT NULL,
	packed INTEGER NOT NULL,
	logical_high INTEGER NOT NULL,
	logical_low INTEGER NOT NULL,
	packed_high INTEGER NOT NULL,
	packed_low INTEGER NOT NULL,
	blocks INTEGER NOT NULL
) STRICT;
INSERT INTO total VALUES(1, 0, 0, 0, 0, 0, 0, 0);

CREATE TRIGGER inode_inserted AFTER INSERT ON inode BEGIN
	UPDATE total SET blocks = blocks + new.blocks;
	UPDATE total SET
		files = files + 1,
		logical_high = logical_high + (new.size_bytes >> 32),
		logical_low = logical_low + (new.size_bytes & 4294967295)
		WHERE (new.mode & 61440) = 32768;
	UPDATE total SET
		packed = packed + 1,
		packed_high = packed_high + (new.size_bytes >> 32),
		packed_low = packed_low + (new.size_bytes & 4294967295)
		WHERE (new.mode & 61440) = 32768 AND new.content IS NOT NULL;
END;

CREATE TRIGGER inode_deleted AFTER DELETE ON inode BEGIN
	UPDATE total SET blocks = blocks - old.blocks;
	UPDATE total SET
		files = files - 1,
		logical_high = logical_high - (old.size_bytes >> 32),
		logical_low = logical_low - (old.size_bytes & 4294967295)
		WHERE (old.mode & 61440) = 32768;
	UPDATE total SET
		packed = packed - 1,
		packed_high = packed_high - (old.size_bytes >> 32),
		packed_low = packed_low - (old.size_bytes & 4294967295)
		WHERE (old.mode & 61440) = 32768 AND old.content IS NOT NULL;
END;

CREATE TRIGGER inode_changed
AFTER UPDATE OF mode, size_bytes, blocks, content ON inode
WHEN (old.mode & 61440, old.size_bytes, old.blocks, old.content IS NULL)
	IS NOT
	(new.mode & 61440, new.size_bytes, new.blocks, new.content IS NULL)
BEGIN
	UPDATE total SET
		blocks = blocks - old.blocks + new.blocks,
		files = files - ((old.mode & 61440) = 32768)
			+ ((new.mode & 61440) = 32768),
		logical_high = logical_high
			- iif((old.mode & 61440) = 32768,
				old.size_bytes >> 32, 0)
			+ iif((new.mode & 61440) = 32768,
				new.size_bytes >> 32, 0),
		logical_low = logical_low
			- iif((old.mode & 61440) = 32768,
				old.size_bytes & 4294967295, 0)
			+ iif((new.mode & 61440) = 32768,
				new.size_bytes & 4294967295, 0),
		packed = packed
			- ((old.mode & 61440) = 32768
				AND old.content IS NOT NULL)
			+ ((new.mode & 61440) = 32768
				AND new.content IS NOT NULL),
		packed_high = packed_high
			- iif((old.mode & 61440) = 32768
				AND old.content IS NOT NULL,
				old.size_bytes >> 32, 0)
			+ iif((new.mode & 61440) = 32768
				AND new.content IS NOT NULL,
				new.size_bytes >> 32, 0),
		packed_low = packed_low
			- iif((old.mode & 61440) = 32768
				AND old.content IS NOT NULL,
				old.size_bytes & 4294967295, 0)
			+ iif((new.mode & 61440) = 32768
				AND new.content IS NOT NULL,
				new.size_bytes & 4294967295, 0);
END;
