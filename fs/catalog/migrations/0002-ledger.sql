-- SPDX-License-Identifier: EUPL-1.2
-- Schema 2: who keeps how many bytes, for how long. What each column means:
-- docs/format/catalog.md.

-- Of fs/ledger.
CREATE TABLE charge(
	ino INTEGER PRIMARY KEY,
	btime_ns INTEGER NOT NULL,
	place INTEGER NOT NULL,
	members BLOB NOT NULL,
	blocks INTEGER NOT NULL,
	size_bytes INTEGER NOT NULL,
	content BLOB
) STRICT;
CREATE TABLE holding(
	members BLOB NOT NULL,
	tier INTEGER NOT NULL,
	bytes INTEGER NOT NULL,
	at_s INTEGER NOT NULL,
	PRIMARY KEY(members, tier)
) STRICT, WITHOUT ROWID;
CREATE TABLE ledger(
	month INTEGER NOT NULL,
	members BLOB NOT NULL,
	tier INTEGER NOT NULL,
	high INTEGER NOT NULL,
	low INTEGER NOT NULL,
	PRIMARY KEY(month, members, tier)
) STRICT, WITHOUT ROWID;
CREATE TABLE observed(
	month INTEGER PRIMARY KEY,
	seconds INTEGER NOT NULL
) STRICT;
CREATE TABLE department(
	number INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	name TEXT NOT NULL,
	since_day INTEGER NOT NULL,
	until_day INTEGER
) STRICT;

-- The departments as configured last, in order: seq 0 is the department
-- itself, the others each a path or a group of it.
CREATE TABLE claim(
	rank INTEGER NOT NULL,
	seq INTEGER NOT NULL,
	id TEXT NOT NULL,
	name TEXT NOT NULL,
	path TEXT,
	gid INTEGER,
	PRIMARY KEY(rank, seq)
) STRICT, WITHOUT ROWID;

-- Of fs/store: the part of its extent's span in the pack, and how many uses
-- by files of which department.
ALTER TABLE chunk ADD COLUMN stored_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE chunk ADD COLUMN users BLOB;
