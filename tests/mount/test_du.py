#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""What du says, against what the lower directory and the packs give."""
import json
import os

import case
import drive
import env
import holdings
import sample

FOOTPRINT = "user.sobre.footprint"
DEPARTMENTS = (("urb", "/Ville/Urbanisme"), ("com", "/Ville"))
CONFIG = """\
departments:
  - { id: urb, name: Urbanisme, paths: ["/Ville/Urbanisme"] }
  - { id: com, name: Commune, paths: ["/Ville"] }
"""
FOLDERS = ("", "Ville", "Ville/Urbanisme", "Ville/Culture", "Divers")
FIGURES = ("files", "packed_files", "logical_bytes", "hot_bytes",
           "packed_bytes", "exclusive_bytes")


class Du(case.DriveCase):
    def setUp(self):
        super().setUp()
        config = os.path.join(env.tmp("du"), "drive.yaml")
        sample.put(config, CONFIG.encode())
        for folder in FOLDERS[1:]:
            os.makedirs(self.path(folder), exist_ok=True)
        self.one, self.other = os.urandom(300_000), os.urandom(200_000)
        self.file("Ville/Urbanisme/a", self.one)
        self.file("Ville/Culture/copie de a", self.one)
        self.file("Divers/a et plus", self.one + self.other)
        self.file("Divers/plus", self.other)
        self.file("Ville/seul", os.urandom(100_000))
        os.link(self.path("Ville/seul"), self.path("Divers/lien"))
        os.symlink("x", self.path("Ville/lien mort"))
        self.d = drive.Drive(self.lower, options=("--config", config)).start()
        self.addCleanup(self.d.clean)
        self.d.settled()

    def file(self, name, data):
        sample.put(self.path(name), data)

    def du(self, *names):
        return self.d.json("du", *[self.path(n) for n in names])["paths"]

    def agrees(self):
        lower = holdings.Lower(self.d.below(), DEPARTMENTS)
        shares = lower.shares()
        for name, one in zip(FOLDERS, self.du(*FOLDERS)):
            with self.subTest(folder=name):
                want = lower.below("/" + name if name else "", shares)
                self.assertTrue(one["shares_current"])
                self.assertEqual({k: want.get(k, 0) for k in FIGURES},
                                 {k: one[k] for k in FIGURES})

    def test_each_folder_has_its_share_as_soon_as_it_is_packed(self):
        self.agrees()
        self.d.pack()
        self.agrees()
        root = self.du("")[0]
        self.assertLessEqual(5, root["packed_files"])
        self.assertRegex(root["shares_counted"], r"^\d{4}-\d\d-\d\dT.*Z$")
        self.d.unpack("Ville/Culture/copie de a")
        self.agrees()

    def test_a_folder_that_moves_takes_what_it_holds_with_it(self):
        self.d.pack()
        os.rename(self.path("Divers"), self.path("Ville/Culture/Divers"))
        os.mkdir(self.path("Divers"))
        os.rename(self.path("Ville/Urbanisme/a"), self.path("Divers/a"))
        self.d.run("du", self.lower)
        self.d.pack()
        self.agrees()

    def test_shares_that_others_changed_are_said_to_be_as_counted(self):
        self.d.pack()
        before = self.du("Ville/Urbanisme")[0]
        os.unlink(self.path("Ville/Culture/copie de a"))
        after = self.du("Ville/Urbanisme")[0]
        self.assertFalse(after["shares_current"])
        self.assertEqual(before["packed_bytes"], after["packed_bytes"])
        self.assertIn("  packs as counted 2",
                      self.d.run("du", self.path("Ville/Urbanisme")).stdout)
        self.assertIn("  paquets tels que comptés le 2",
                      self.d.run("--lang", "fr", "du",
                                 self.path("Ville/Urbanisme")).stdout)
        # a file is looked at afresh; nothing is packed in Culture any more
        self.assertTrue(self.du("Ville/Urbanisme/a")[0]["shares_current"])
        self.assertTrue(self.du("Ville/Culture")[0]["shares_current"])
        self.d.pack()
        self.agrees()
        self.assertNotIn("counted", self.d.run("du", self.lower).stdout)

    def test_it_says_that_a_scan_has_not_ended(self):
        self.assertTrue(self.du("")[0]["scanned"])
        self.assertNotIn("scan", self.d.run("du", self.lower).stdout)
        self.d.kill()  # what came after is known once it has been scanned
        self.assertFalse(self.du("")[0]["scanned"])
        self.assertIn("  not all of it yet: the scan",
                      self.d.run("du", self.lower).stdout)
        self.assertIn("  pas encore tout",
                      self.d.run("--lang", "fr", "du", self.lower).stdout)

    def test_the_attribute_says_the_same(self):
        self.d.pack()
        for name, one in zip(FOLDERS, self.du(*FOLDERS)):
            said = json.loads(os.getxattr(self.path(name), FOOTPRINT))
            del one["path"]
            self.assertEqual(one, said)

    def test_fsck_finds_nothing_to_say(self):
        self.d.pack()
        os.rename(self.path("Ville/Culture"), self.path("Divers/Culture"))
        self.d.unpack("Divers/plus")
        os.unlink(self.path("Divers/lien"))
        self.d.run("du", self.lower)
        self.assertEqual(0, self.d.run("fsck", self.lower).returncode)


if __name__ == "__main__":
    env.main()
