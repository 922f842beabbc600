#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""`sobre assess` on a tree of its own: what it counts, and that it leaves
everything as it was. It mounts nothing; a file system in an image gives it
times of last use that move."""
import errno
import json
import os
import random
import time
import unittest

import env
import sample

AGENT = 12345
MIB = 1 << 20
YEAR = 365 * 86400


def noise(seed, size):
    return random.Random(seed).randbytes(size)


class Assess(unittest.TestCase):
    def setUp(self):
        # strictatime: each read that isn't O_NOATIME shows.
        self.image = env.Image("ext4", 256, options="strictatime")
        self.addCleanup(self.image.umount)
        self.top = self.image.mkdir("partage")

    def path(self, *names):
        return os.path.join(self.top, *names)

    def put(self, name, data, age_s=0):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        sample.put(self.path(name), data)
        at = time.time() - age_s
        os.utime(self.path(name), (at, at))

    def assess(self, *options, check=True, **kw):
        said = env.run(env.SOBRE, "assess", self.top, "--json", *options,
                       check=check, **kw)
        return json.loads(said.stdout)

    def everything(self):
        return sorted(os.path.join(top, name)
                      for top, dirs, names in os.walk(self.top)
                      for name in [".", *dirs, *names])

    def config(self, text, rules=None):
        work = env.tmp("assess")
        sample.put(work + "/drive.yaml", text.encode())
        options = ["--config", work + "/drive.yaml"]
        if rules:
            os.mkdir(work + "/rules")
            sample.put(work + "/rules/10-a.yaml", rules.encode())
            options += ["--policies", work + "/rules"]
        return options

    def test_counts_files_once_and_finds_duplicates(self):
        self.put("a/un", noise(1, MIB))
        self.put("b/copie", noise(1, MIB))
        self.put("c/copie", noise(1, MIB))
        self.put("seul", noise(2, MIB))
        self.put("vide", b"")
        os.link(self.path("seul"), self.path("a/lien"))
        os.symlink("seul", self.path("sym"))
        os.mkfifo(self.path("fifo"))
        found = self.assess()
        self.assertEqual(5, found["all"]["files"])
        self.assertEqual(4 * MIB, found["all"]["logical_bytes"])
        self.assertEqual(4, found["sampled"]["files"])
        self.assertEqual(2, found["duplicates"]["files"])
        self.assertEqual(2 * MIB, found["duplicates"]["logical_bytes"])
        # Noise doesn't compress: two contents of four stay, and little more.
        self.assertLess(abs(found["after_bytes"] - 2 * MIB), MIB // 10)
        self.assertEqual(0, found["unreadable"])

    def test_changes_nothing(self):
        for i in range(40):
            self.put("d%d/e/f%d" % (i % 4, i), noise(i, 5000 + i), i * YEAR)
        old = time.time() - 1000
        paths = self.everything()  # moves times itself
        for path in paths:
            os.utime(path, (old, old))
        before = {path: os.lstat(path) for path in paths}
        self.assess("--report", env.tmp("out") + "/r")
        after = {path: os.lstat(path) for path in paths}
        self.assertEqual(paths, self.everything())
        for path, was in before.items():
            for field in ("st_atime_ns", "st_mtime_ns", "st_ctime_ns",
                          "st_ino", "st_mode", "st_nlink", "st_size",
                          "st_blocks"):
                self.assertEqual(getattr(was, field),
                                 getattr(after[path], field), (path, field))

    def test_what_may_not_be_read_is_counted_and_left(self):
        self.put("ouvert/a", noise(1, MIB))
        self.put("secret/b", noise(2, MIB))
        self.put("ouvert/c", noise(3, MIB))
        os.chmod(self.path("secret"), 0o700)
        os.chmod(self.path("ouvert/c"), 0o600)
        found = self.assess(user=AGENT, group=AGENT, extra_groups=[])
        self.assertEqual(2, found["unreadable"])
        self.assertEqual(2, found["all"]["files"])  # c has its size still
        self.assertEqual(1, found["sampled"]["files"])
        text = env.run(env.SOBRE, "assess", self.top, user=AGENT, group=AGENT,
                       extra_groups=[])
        self.assertIn("could not be read: 2", text.stderr)
        self.assertEqual(0, self.assess()["unreadable"])

    def test_a_sample_is_of_files_and_scaled_up(self):
        for i in range(400):
            self.put("d%d/f%d" % (i % 7, i), noise(i, 20000))
        whole = self.assess()
        part = self.assess("--sample", "25%")
        self.assertEqual(400, whole["sampled"]["files"])
        self.assertEqual(400, part["all"]["files"])
        self.assertTrue(50 <= part["sampled"]["files"] <= 150, part["sampled"])
        self.assertEqual(part, self.assess("--sample", "25%"))
        self.assertLess(abs(part["after_bytes"] - whole["after_bytes"]),
                        whole["after_bytes"] // 10)

    def test_other_file_systems_and_the_state_are_left_out(self):
        self.put("a", noise(1, MIB))
        self.put(".sobre/packs/x", noise(2, MIB))
        self.put("b/.sobre", noise(3, MIB))
        os.mkdir(self.path("m"))
        env.run("mount", "-t", "tmpfs", "none", self.path("m"))
        self.addCleanup(env.run, "umount", self.path("m"))
        sample.put(self.path("m/c"), noise(4, MIB))
        found = self.assess()
        self.assertEqual(2, found["all"]["files"])
        self.assertEqual(1, found["other_mounts"])

    def test_departments_ages_and_rules(self):
        self.put("Ville/Urb/a.tmp", noise(1, MIB), 2 * YEAR)
        self.put("Ville/b.tmp", noise(2, MIB))
        self.put("c", noise(3, MIB), 6 * YEAR)
        options = self.config(
            'departments:\n'
            '  - { id: urb, name: U, paths: ["/Ville/Urb"] }\n'
            '  - { id: com, name: C, paths: ["/Ville"] }\n',
            'rules:\n'
            '  - { id: tmp, label: L, source: S, personal: no,\n'
            '      names: ["*.tmp"], not_changed_for: 1 year,\n'
            '      then: flag, mode: simulation }\n')
        found = self.assess(*options)
        self.assertEqual({"urb": 1, "com": 1, "other": 1},
                         {d["id"]: d["files"] for d in found["departments"]})
        self.assertEqual(1, found["ages"]["1_to_3_years"]["files"])
        self.assertEqual(1, found["ages"]["over_5_years"]["files"])
        self.assertEqual(1, found["rules"][0]["files"])
        self.assertEqual(2, found["unmatched"]["files"])

    def test_what_is_excluded_from_packing_saves_nothing(self):
        self.put("a.pst", b"x" * MIB)
        self.put("b", b"y" * MIB)
        found = self.assess(*self.config('pack: { exclude: ["*.PST"] }\n'))
        self.assertEqual(1, found["sampled"]["files"])
        self.assertGreaterEqual(found["after_bytes"], MIB)
        self.assertLess(found["after_bytes"], MIB + MIB // 10)

    def test_deep_and_odd_names_are_taken(self):
        deep = "/".join(["d" * 200] * 30)  # beyond PATH_MAX in all
        at = os.open(self.top, os.O_RDONLY)
        for name in deep.split("/"):
            os.mkdir(name, dir_fd=at)
            below = os.open(name, os.O_RDONLY, dir_fd=at)
            os.close(at)
            at = below
        fd = os.open("f", os.O_CREAT | os.O_WRONLY, dir_fd=at)
        os.write(fd, b"z" * 10000)
        os.close(fd)
        os.close(at)
        sample.put(os.path.join(os.fsencode(self.top), b"lat\xe9n\n"), b"x")
        found = self.assess()
        self.assertEqual(2, found["all"]["files"])
        self.assertEqual(1, found["unreadable"])  # by its path, too long

    def test_no_directory_is_an_error(self):
        for path in (self.path("absent"), os.devnull):
            said = env.run(env.SOBRE, "assess", path, check=False)
            self.assertEqual(1, said.returncode)
            self.assertIn(path, said.stderr)


if __name__ == "__main__":
    env.main()
