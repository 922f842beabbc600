#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Whatever agents and the packer do, each department's byte-seconds are those
that the inodes and packs give, looked at from outside after every step; so is
what du says of each folder."""
import os
import random
import shutil

import env
import holdings
from ledgercase import DEPARTMENTS, END, HOUR, LedgerCase, seeded

STEPS = int(os.environ.get("SOBRE_STEPS", "120"))
PAUSE = 720 * HOUR // STEPS  # all of it within the month
SEED = int(os.environ.get("SOBRE_SEED", "0")) or random.randrange(1, 2**31)


class Conservation(LedgerCase):
    def setUp(self):
        super().setUp()
        self.rnd = random.Random(SEED)
        self.number = 0
        self.dirs = [path[1:] for _, path in DEPARTMENTS] + [""]

    def fresh(self):
        self.number += 1
        return os.path.join(self.rnd.choice(self.dirs), "n%d" % self.number)

    def path(self, name):
        return os.path.join(self.drive.dir, name)

    def files(self):
        found = []
        for top, _, names in os.walk(self.drive.dir):
            found += [os.path.relpath(os.path.join(top, n), self.drive.dir)
                      for n in names]
        return sorted(found)

    def some(self):
        files = self.files()
        return self.rnd.choice(files) if files else None

    # --- what may happen

    def create(self):
        self.write(self.fresh(), seeded(self.rnd.randrange(6),
                                        self.rnd.randrange(1, 400_000)))

    def append(self):
        name = self.some()
        if name:
            with open(self.path(name), "ab") as f:
                f.write(seeded(self.number, self.rnd.randrange(1, 50_000)))

    def truncate(self):
        name = self.some()
        if name:
            os.truncate(self.path(name), self.rnd.randrange(0, 100_000))

    def unlink(self):
        name = self.some()
        if name:
            os.unlink(self.path(name))

    def link(self):
        name = self.some()
        if name:
            os.link(self.path(name), self.path(self.fresh()))

    def move(self):
        name = self.some()
        if name:
            self.rename(name, self.fresh())

    def replace(self):
        one, other = self.some(), self.some()
        if one:
            self.rename(one, other)

    def dossier(self):
        name = self.fresh()
        os.mkdir(self.path(name))
        for i in range(3):
            self.write("%s/f%d" % (name, i), seeded(i, 30_000))
        self.dossiers = getattr(self, "dossiers", []) + [name]

    def move_dossier(self):
        if getattr(self, "dossiers", None):
            i = self.rnd.randrange(len(self.dossiers))
            new = self.fresh()
            self.rename(self.dossiers[i], new)
            self.dossiers[i] = new

    def remove_dossier(self):
        if getattr(self, "dossiers", None):
            shutil.rmtree(self.path(self.dossiers.pop()))

    def pack_some(self):
        name = self.some()
        if name:
            self.drive.pack(name)

    def pack_all(self):
        self.drive.pack()

    def unpack(self):
        name = self.some()
        if name:
            self.drive.unpack(name)

    def remount(self):
        self.drive.stop()
        self.drive = self.mount()

    # --- what du says

    FIGURES = ("files", "packed_files", "logical_bytes", "hot_bytes",
               "packed_bytes", "exclusive_bytes")
    SHARED = ("packed_bytes", "exclusive_bytes")

    def du(self, folders):
        said = self.drive.json("du", *[self.path(f) for f in folders])
        return said["paths"]

    def du_agrees(self, must_be_current, **more):
        """Shares as counted are exact when it says that they are current."""
        lower = holdings.Lower(self.drive.below(), DEPARTMENTS)
        folders = [""] + [os.path.relpath(os.path.join(top, d), lower.top)
                          for top, dirs, _ in os.walk(lower.top)
                          for d in dirs]
        folders = [f for f in folders if not f.startswith(".sobre")]
        shares = lower.shares()
        for name, one in zip(folders, self.du(folders)):
            with self.subTest(folder=name, seed=SEED, **more):
                want = lower.below("/" + name if name else "", shares)
                current = one["shares_current"]
                self.assertTrue(current or not must_be_current)
                for key in self.FIGURES:
                    if current or key not in self.SHARED:
                        self.assertEqual(want.get(key, 0), one[key], key)

    def shares_add_up(self):
        """Of the root: all that is held in packs."""
        lower = holdings.Lower(self.drive.below(), DEPARTMENTS)
        held = sum(n for (_, tier), n in lower.held().items()
                   if tier == "packed")
        self.assertEqual(held, self.du([""])[0]["packed_bytes"])

    OFTEN = ("create", "append", "truncate", "unlink", "link", "move",
             "replace", "dossier", "move_dossier", "pack_some", "unpack")
    SELDOM = ("remove_dossier", "pack_all", "remount")

    def test_each_department_keeps_what_its_inodes_and_packs_say(self):
        print("seed %d" % SEED, flush=True)
        done = []
        for step in range(STEPS):
            names = self.SELDOM if step % 12 == 11 else self.OFTEN
            done.append(self.rnd.choice(names))
            getattr(self, done[-1])()
            self.seen()
            if step % 4 == 0:
                counted = done[-1] in ("pack_all", "pack_some", "unpack")
                self.du_agrees(counted and step > 0 and bool(self.files()),
                               done=done)
            self.at(self.now + self.rnd.randrange(1, PAUSE))
        self.pack_all()
        self.seen()
        self.du_agrees(True, done=done)
        self.shares_add_up()
        self.integral.until(END)
        self.at(END + HOUR)
        lines = self.lines(self.report())
        for name in ("urb", "dej", "com", "other"):
            with self.subTest(department=name, seed=SEED, done=done):
                self.same(lines[name], name)


if __name__ == "__main__":
    env.main()
