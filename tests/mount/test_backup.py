# SPDX-License-Identifier: EUPL-1.2
"""Backup programs: what is mounted over, packed, or mounted again has not
changed for them, and what they restore is the same tree."""
import json
import os
import shutil
import time
import unittest

import drive
import env
import sample
import tree

# What each program is to bring back; none keeps the blocks a file takes.
ALL = ("type", "mode", "uid", "gid", "size", "mtime", "link", "rdev",
       "xattrs", "data")


class Backup:
    """One program and its repository. `changed` names the files that a run
    read anew, with b"" for what it cannot name."""

    programs = ()
    attributes = ALL

    def __init__(self, source):
        self.source = source
        self.dir = env.tmp("repository")
        self.n = 0

    def path(self, name):
        return os.path.join(self.dir, name)

    def run(self, *argv, **kw):
        kw.setdefault("cwd", self.source)
        return env.run(*argv, env=self.environ(), **kw)

    def environ(self):
        # PATH without a cwd in it; caches in the repository's directory.
        return {"PATH": os.environ["PATH"], "HOME": self.dir,
                "LC_ALL": "C.UTF-8", "RESTIC_PASSWORD": "x"}


class Borg(Backup):
    programs = ("borg",)

    def __init__(self, source):
        super().__init__(source)
        self.run("borg", "init", "-e", "none", self.path("r"))

    def save(self):
        self.n += 1
        done = self.run("borg", "create", "--list", "--filter=AMCE",
                        "%s::%d" % (self.path("r"), self.n), ".",
                        "--exclude", "./.sobre")
        # The newest file of all it reads again each time.
        return {line for line in done.stderr.splitlines()
                if line[1:2] == " " and line[2:] != "nouveau"}

    def restore(self, to):
        self.run("borg", "extract", "--numeric-ids",
                 "%s::%d" % (self.path("r"), self.n), cwd=to)


class Restic(Backup):
    programs = ("restic",)

    def __init__(self, source):
        super().__init__(source)
        self.run("restic", "init", "-r", self.path("r"))

    def save(self):
        # Directories are "modified" on another device: a mount's number.
        done = self.run("restic", "backup", "-r", self.path("r"), "--json",
                        "--verbose=2", "--exclude", ".sobre", "--exclude",
                        "nouveau", ".")
        said = [json.loads(line) for line in done.stdout.splitlines()]
        return {"%s %s" % (x["action"], x["item"]) for x in said
                if x["message_type"] == "verbose_status" and
                x["action"] in ("new", "changed", "modified") and
                not x["item"].endswith("/")}

    def restore(self, to):
        self.run("restic", "restore", "latest", "-r", self.path("r"),
                 "--target", to)
        # It restores the whole path that it was given.
        below = os.path.join(to, self.source.lstrip("/"))
        if os.path.isdir(below):
            for name in os.listdir(below):
                shutil.move(os.path.join(below, name), to)
            shutil.rmtree(os.path.join(to, self.source.split("/")[1]))


class Tar(Backup):
    programs = ("tar",)

    def save(self):
        self.n += 1
        archive = self.path("%d.tar" % self.n)
        # A device number is given anew at each mount, of any file system
        # without a device.
        self.run("tar", "--no-check-device", "-g", self.path("snar"),
                 "--xattrs", "--acls", "--exclude=./.sobre",
                 "--exclude=./nouveau", "-cf", archive, ".")
        names = self.run("tar", "-tf", archive).stdout.splitlines()
        return {n for n in names if not n.endswith("/")}

    def restore(self, to):
        for i in range(1, self.n + 1):
            self.run("tar", "-C", to, "--xattrs", "--xattrs-include=*",
                     "--acls", "-g", "/dev/null", "-xpf",
                     self.path("%d.tar" % i))


class Rsync(Backup):
    programs = ("rsync",)

    def save(self):
        done = self.run("rsync", "-aAXHS", "--delete", "--out-format=%i %n",
                        "--exclude=/.sobre", "--exclude=/nouveau", "./",
                        self.path("copy"))
        return {line for line in done.stdout.splitlines()
                if not line.startswith(".d") and
                not line.startswith("cd")}

    def restore(self, to):
        self.run("rsync", "-aAXHS", self.path("copy") + "/", to)


class BackupCase(unittest.TestCase):
    def setUp(self):
        self.image = env.Image("ext4", 512)
        self.addCleanup(self.image.umount)
        self.lower = self.image.mkdir("drive")
        sample.everything(self.lower)
        # Borg and tar trust no file that changed in the very second (or
        # clock tick) of the run before.
        os.utime(self.lower)
        time.sleep(1.1)
        sample.put(os.path.join(self.lower, "nouveau"), b"x")

    def mounted(self):
        d = drive.Drive(self.lower).start()
        self.addCleanup(d.clean)
        d.settled()
        return d

    def check_restores(self, backup, want):
        to = env.tmp("restored")
        backup.restore(to)
        got = tree.snapshot(to, backup.attributes)
        for top in (want, got):
            top.pop(b"nouveau", None)
            top[b""] = {}  # made by hand, or the drive's own
        tree.assert_same(self, want, got)
        self.assertEqual({g for g in tree.linked(self.lower)
                          if b".sobre" not in g[0]}, tree.linked(to))
        env.run("rm", "-rf", to)

    def check(self, kind):
        lack = [p for p in kind.programs if not shutil.which(p)]
        if lack:
            self.skipTest("no " + ", ".join(lack))
        want = tree.snapshot(self.lower, kind.attributes)
        b = kind(self.lower)
        self.assertTrue(b.save(), "takes all the first time")
        self.assertEqual(set(), b.save(), "on ext4 itself")
        d = self.mounted()
        self.assertEqual(set(), b.save(), "mounted over")
        d.pack()
        self.assertTrue(d.is_packed("gros.csv"))
        self.assertTrue(d.is_packed("Ville/Urbanisme/été/plan.txt"))
        self.assertEqual(set(), b.save(), "packed")
        d.restart()
        d.settled()
        self.assertEqual(set(), b.save(), "mounted again")
        self.assertTrue(d.is_packed("gros.csv"))
        self.check_restores(b, dict(want))
        # From the packed files alone, every byte read through the mount.
        fresh = kind(self.lower)
        self.assertTrue(fresh.save())
        self.check_restores(fresh, dict(want))
        # (What is unpacked has changed for them: the lower's ctime has.)
        # And what did change is seen.
        d.pack("note 1.txt")
        with open(os.path.join(self.lower, "note 1.txt"), "ab") as f:
            f.write(b"de plus")
        seen = b.save()
        self.assertTrue(seen)
        for line in seen:  # and its hard link
            self.assertRegex(line, "note 1.txt|lien dur")
        d.stop()

    def test_borg(self):
        self.check(Borg)

    def test_restic(self):
        self.check(Restic)

    def test_tar_incremental(self):
        self.check(Tar)

    def test_rsync(self):
        self.check(Rsync)


if __name__ == "__main__":
    env.main()
