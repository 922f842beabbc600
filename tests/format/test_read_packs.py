#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Packs give every content back with nothing of ours: read_packs.py, which is
written from docs/format/pack.md, against what was written to the drive."""
import os
import pathlib
import struct
import subprocess
import sys
import unittest

import case
import env
import read_packs
import sample

READER = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "read_packs.py")
STUB = struct.Struct("<BBHIQ16sqII")  # docs/format/stub.md
KINDS = ("un octet", "note 0.txt", "copie de note 3.txt", "gros.csv",
         "photo.jpg", "Rapport.docx", "Rapport v2.docx", "creux")
NOTHING = ("vide", "trou")  # no data, so no stub


def held(path):
    with open(path, "rb") as f:
        return f.read()


def stub(path):
    """(size, content id); None of a plain file"""
    try:
        value = os.getxattr(path, "trusted.sobre.content",
                            follow_symlinks=False)
    except OSError:
        return None
    fields = STUB.unpack(value)
    return fields[4], fields[5].hex()


class ReadPacks(case.DriveCase):
    def setUp(self):
        super().setUp()
        self.packs = pathlib.Path(self.lower, ".sobre", "packs")
        self.out = env.tmp("out")
        self.written = self.files()

    def files(self):
        """name: what it holds, of the regular files; before the drive is
        mounted"""
        return {os.path.relpath(path, self.lower): held(path)
                for path in (os.path.join(where, name)
                             for where, _dirs, names in os.walk(self.lower)
                             for name in names)
                if os.path.isfile(path) and not os.path.islink(path)}

    def pack(self):
        d = self.mounted()
        d.pack()
        d.stop()
        for name in KINDS:
            self.assertIsNotNone(stub(self.path(name)), name)

    def read(self, status=0):
        done = env.run(sys.executable, READER, self.packs, self.out,
                       check=False)
        self.assertEqual(status, done.returncode, done.stdout + done.stderr)
        return done

    def ids(self, names=None):
        """name: its content id, of the packed ones"""
        found = {name: stub(self.path(name)) for name in names or self.written}
        return {name: s[1] for name, s in found.items() if s}

    def given_but(self, lost):
        """Each packed file, by its stub, is what was written, except lost
        contents, which aren't given at all."""
        ids = self.ids()
        self.assertLess(lost, set(ids.values()))
        for name, content in ids.items():
            path = os.path.join(self.out, content)
            self.assertEqual(content not in lost, os.path.exists(path), name)
            if content not in lost:
                self.assertEqual(stub(self.path(name))[0],
                                 len(self.written[name]), name)
                self.assertTrue(self.written[name] == held(path), name)

    def all_given(self):
        self.given_but(set())

    def newest_pack(self):
        return max(self.packs.glob("??/*.pack"), key=lambda p: int(p.stem))

    def change(self, at, data):
        with open(self.newest_pack(), "r+b") as f:
            f.seek(at)
            f.write(data)

    def records(self):
        return list(read_packs.records(self.newest_pack().read_bytes(), None))

    # --- all there

    def test_each_stub_names_the_bytes_of_its_file(self):
        self.pack()
        done = self.read()
        self.assertNotIn("not verified", done.stderr)
        self.all_given()
        self.assertEqual(set(self.ids().values()), set(os.listdir(self.out)))

    def test_what_is_not_packed_is_there_as_it_was(self):
        self.pack()
        plain = set(self.written) - set(self.ids())
        self.assertLessEqual(set(NOTHING), plain)
        for name in plain:
            self.assertEqual(self.written[name], held(self.path(name)), name)

    def test_holes_are_holes_again(self):
        self.pack()
        self.read()
        content = self.ids(("creux",))["creux"]
        st = os.stat(os.path.join(self.out, content))
        self.assertLess(st.st_blocks * 512, st.st_size // 4)

    def test_same_bytes_with_other_holes_are_another_content(self):
        sample.put(self.path("plein"), self.written["creux"])
        self.written = self.files()
        self.pack()
        self.read()
        ids = self.ids(("creux", "plein"))
        self.assertNotEqual(ids["creux"], ids["plein"])
        self.all_given()

    def test_contents_of_several_batches_and_moved_by_gc(self):
        self.pack()
        d = self.mounted()
        for name in ("photo.jpg", "note 1.txt"):
            with open(self.path(name), "r+b") as f:
                f.write(b"autrement")
        for name in ("photo.jpg", "note 1.txt", "Ville/lien dur"):
            self.written[name] = b"autrement" + self.written[name][9:]
        os.unlink(self.path("gros.csv"))
        del self.written["gros.csv"]
        d.pack()
        moved = d.json("gc", d.dir, "--grace", "0s")
        d.stop()
        self.assertLess(0, moved["bytes_rewritten"])
        self.read()
        self.all_given()

    # --- damage

    def test_a_torn_record_at_the_end_is_nothing(self):
        self.pack()
        record = self.newest_pack().read_bytes()[256:256 + 48]
        for torn in (b"SBR1", record, bytes(5)):
            with open(self.newest_pack(), "ab") as f:
                f.truncate((f.tell() + 7) & ~7)
                f.seek(0, os.SEEK_END)
                f.write(torn)
            self.read()
            self.all_given()

    def test_a_pack_without_its_header_gives_all(self):
        self.pack()
        self.change(0, bytes(256))
        self.assertIn("not verified", self.read().stderr)
        self.all_given()

    def test_one_byte_costs_what_uses_it_and_nothing_else(self):
        self.pack()
        at, record = self.first(read_packs.EXTENT)
        lost = self.users(record)
        self.assertTrue(lost)
        where = at + read_packs.RECORD.size + len(record.body) - 1
        self.change(where, bytes([record.body[-1] ^ 1]))
        self.read(status=1)
        self.given_but(lost)

    def test_a_damaged_stretch_is_passed(self):
        self.pack()
        at, record = self.first(read_packs.EXTENT)
        lost = self.users(record)
        self.assertTrue(lost)
        self.change(at, sample.noise("damage", read_packs.RECORD.size + 64))
        self.read(status=1)
        self.given_but(lost)

    def test_a_damaged_recipe_costs_its_content(self):
        self.pack()
        at, record = self.first(read_packs.RECIPE)
        self.change(at, b"?")
        self.read()
        self.given_but({record.body[:16].hex()})

    def first(self, kind):
        return next((at, r) for at, r in self.records() if r.kind == kind)

    def users(self, extent):
        """Ids of the contents that have a chunk there."""
        chunks = {c for c, _ in read_packs.table(extent.body, extent.n)}
        return {r.body[:16].hex() for _at, r in self.records()
                if r.kind == read_packs.RECIPE and
                chunks & {c for _length, c in read_packs.entries(r.body)}}

    # --- with less

    def test_without_libxxhash_all_is_given(self):
        self.pack()
        packs = read_packs.Packs(self.packs, None)
        for content in packs.recipes:
            packs.extract(content,
                          pathlib.Path(self.out, content.hex()))
        self.all_given()


if __name__ == "__main__":
    env.main(("zstd",))
