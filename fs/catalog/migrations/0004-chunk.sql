-- SPDX-License-Identifier: EUPL-1.2
-- Schema 4: a third of what a chunk takes on disk was an index of the packs.
-- What is in a pack, the pack itself says (fs/store/here.c); these find the
-- few rows that no sound pack tells of.
DROP INDEX chunk_pack;
CREATE INDEX chunk_bad ON chunk(pack) WHERE bad != 0;
CREATE INDEX chunk_missing ON chunk(pack) WHERE pack = 0;
