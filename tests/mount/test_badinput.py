# SPDX-License-Identifier: EUPL-1.2
"""What can't work says so, names the thing, and loses nothing."""
import errno
import glob
import os
import sqlite3
import unittest

import drive
import env
import sample
import sys_calls
import tree


class Refused(unittest.TestCase):
    """Things that `sobre mount` turns down."""

    def refused(self, lower, *words, **kw):
        d = drive.Drive(lower, **kw)
        with self.assertRaises(drive.MountFailed) as caught:
            d.start()
        e = caught.exception
        self.assertEqual(1, e.status, e.text)
        for word in words:
            self.assertIn(word, e.text)
        self.assertFalse(d.mounted())
        return e.text

    def image(self, *args, **kw):
        image = env.Image(*args, **kw)
        self.addCleanup(image.umount)
        return image

    def test_not_a_directory(self):
        path = os.path.join(env.tmp("d"), "fichier")
        sample.put(path, b"x")
        self.refused(path, path)

    def test_nothing_there(self):
        path = os.path.join(env.tmp("d"), "absent")
        self.refused(path, path)
        self.assertFalse(os.path.exists(path))

    def test_no_xattrs(self):
        at = env.tmp("ramfs")
        env.run("mount", "-t", "ramfs", "none", at)
        self.addCleanup(env.run, "umount", "-l", at)
        self.refused(at, at)
        self.assertEqual([], os.listdir(at))

    def test_no_hole_punching(self):
        """No file system here lacks it: the call itself is refused."""
        lower = env.tmp("drive")
        trace = os.path.join(env.tmp("trace"), "calls")
        with drive.Drive(lower, sobre=env.SOBRE_FAULT,
                         environ={"SOBRE_IO_TRACE": trace}) as d:
            d.settled()
        with open(trace, encoding="ascii") as f:
            calls = [line.split()[:2] for line in f]
        first = next(n for n, name in calls if name == "io_fallocate")
        other = env.tmp("other")
        text = self.refused(other, other, sobre=env.SOBRE_FAULT, environ={
            "SOBRE_FAIL_AT": first, "SOBRE_FAIL_ERRNO": str(errno.EOPNOTSUPP)})
        self.assertRegex(text, "hole|trou")
        self.assertEqual([], os.listdir(other))

    def test_without_extents_or_journal_it_works(self):
        """ext2 can't reserve room: it shows at the write."""
        image = self.image("ext2", 64)
        lower = image.mkdir("drive")
        data = sample.text(1, 500000)
        sample.put(os.path.join(lower, "a"), data)
        with drive.Drive(lower) as d:
            d.pack()
            self.assertTrue(d.is_packed("a"))
            with open(os.path.join(lower, "a"), "r+b") as f:
                self.assertEqual(data, f.read())
                f.write(b"x")
            self.assertEqual(data + b"x",
                             tree.read_all(os.path.join(lower, "a")))
            d.run("fsck", lower)

    def test_read_only_lower(self):
        image = self.image("ext4", 64)
        lower = image.mkdir("drive")
        sample.put(os.path.join(lower, "a"), b"x" * 50000)
        image.remount("ro")
        text = self.refused(lower, lower)
        self.assertRegex(text.lower(), "read-only|lecture seule")

    def test_no_space(self):
        image = self.image("ext4", 64, mkfs=("-m", "0"))
        lower = image.mkdir("drive")
        fill(image)
        self.refused(lower)
        self.assertEqual([], [n for n in os.listdir(lower)
                              if n != ".sobre"])
        os.unlink(image.path("plein"))
        with drive.Drive(lower) as d:  # room again: it works
            d.settled()

    def test_newer_catalog(self):
        lower = self.packed_drive()
        db = sqlite3.connect(os.path.join(lower, ".sobre", "catalog.db"))
        db.execute("pragma user_version = 999")
        db.commit()
        db.close()
        before = tree.snapshot(lower, skip=())
        self.refused(lower, "999", "catalog.db")
        tree.assert_same(self, before, tree.snapshot(lower, skip=()),
                         ("ctime", "mtime"))

    def test_unreadable_catalog(self):
        lower = self.packed_drive()
        for path in glob.glob(os.path.join(lower, ".sobre", "catalog.db-*")):
            os.unlink(path)
        sample.put(os.path.join(lower, ".sobre", "catalog.db"),
                   sample.noise("garbage", 100000))
        self.refused(lower, "catalog.db")
        env.run(env.SOBRE, "fsck", "--rebuild", lower)
        with drive.Drive(lower) as d:
            d.settled()
            self.assertEqual(sample.text("csv", 3 << 20),
                             tree.read_all(os.path.join(lower, "gros.csv")))

    def test_unreadable_drive_file(self):
        lower = self.packed_drive()
        path = os.path.join(lower, ".sobre", "drive")
        good = tree.read_all(path)
        for bad in (b"", b"\0" * 500, good[:len(good) // 2],
                    sample.noise(1, 5000)):
            sample.put(path, bad)
            self.refused(lower, ".sobre/drive")
        sample.put(path, good)
        with drive.Drive(lower):
            self.assertEqual(sample.text("csv", 3 << 20),
                             tree.read_all(os.path.join(lower, "gros.csv")))

    def test_no_such_mountpoint(self):
        image = self.image("ext4", 64)
        lower = image.mkdir("drive")
        at = os.path.join(env.tmp("d"), "absent")
        self.refused(lower, at, mountpoint=at)

    def packed_drive(self):
        image = self.image("ext4", 256)
        lower = image.mkdir("drive")
        sample.files(lower)
        with drive.Drive(lower) as d:
            d.pack()
        return lower


def fill(image, leave=0):
    """Until nothing fits but `leave` bytes."""
    free = os.statvfs(image.dir)
    room = free.f_bavail * free.f_bsize - leave
    fd = os.open(image.path("plein"), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        while room > 0:
            step = min(room, 1 << 20)
            try:
                sys_calls.fallocate(fd, 0, os.fstat(fd).st_size, step)
            except OSError:
                if step <= 4096:
                    break
                room = step // 2
                continue
            room -= step
    finally:
        os.close(fd)
    image.sync()


class Language(unittest.TestCase):
    """Who asks is answered in their language, whatever the daemon's."""

    def answer(self, d, lang):
        absent = os.path.join(d.dir, "absent")
        done = d.run("pack", "--lang", lang, absent, check=False)
        self.assertEqual(1, done.returncode, done)
        self.assertIn(absent, done.stderr)
        return done.stderr

    def test_who_asks_chooses(self):
        for environ in ("C", "fr_FR.UTF-8"):
            with drive.Drive(env.tmp("drive"),
                             environ={"LANGUAGE": environ}) as d:
                d.settled()
                self.assertIn("aucun fichier", self.answer(d, "fr"))
                self.assertIn("No such file", self.answer(d, "en"))

    def test_of_what_the_daemon_finds_wrong(self):
        """Its own words, not those of the program that asks."""
        lower = env.tmp("drive")
        with drive.Drive(lower) as d:
            d.settled()
        for lang, words in (("fr", "lecture seule"), ("en", "read-only")):
            with drive.Drive(lower, options=["--read-only"],
                             environ={"LANGUAGE": "fr"}) as d:
                done = d.run("pack", "--lang", lang, d.dir, check=False)
                self.assertIn(words, done.stderr)


class NoSpace(unittest.TestCase):
    def setUp(self):
        self.image = env.Image("ext4", 96, mkfs=("-m", "0"))
        self.addCleanup(self.image.umount)
        self.lower = self.image.mkdir("drive")
        sample.files(self.lower)
        self.noise = sample.noise("big", 12 << 20)
        sample.put(os.path.join(self.lower, "bruit"), self.noise)
        self.drive = drive.Drive(self.lower).start()
        self.addCleanup(self.drive.clean)
        self.drive.settled()
        self.image.sync()  # blocks are counted once they are allocated

    def path(self, name):
        return os.path.join(self.lower, name)

    def test_while_packing_leaves_the_file_plain(self):
        before = tree.snapshot(self.lower)
        fill(self.image, 2 << 20)
        said = self.drive.pack("bruit", check=False)
        self.assertNotEqual(0, said.returncode)
        self.assertNotEqual("", said.stderr + said.stdout)
        self.assertFalse(self.drive.is_packed("bruit"))
        tree.assert_same(self, before, tree.snapshot(self.lower))
        os.unlink(self.image.path("plein"))
        self.drive.pack("bruit")
        self.assertTrue(self.drive.is_packed("bruit"))
        tree.assert_same(self, before, tree.snapshot(self.lower))
        self.drive.run("fsck", self.lower)
        self.drive.stop()

    def test_on_copy_up_fails_that_write_only(self):
        self.drive.pack()
        before = tree.snapshot(self.lower)
        fill(self.image, 3 << 20)
        fd = os.open(self.path("bruit"), os.O_RDWR)
        for attempt in (lambda: os.pwrite(fd, b"x", 100),
                        lambda: os.ftruncate(fd, 1000),
                        lambda: os.close(os.open(self.path("bruit"),
                                                 os.O_WRONLY)),
                        lambda: os.truncate(self.path("bruit"), 5000)):
            self.assertEqual("ENOSPC", sys_calls.error_of(attempt))
        os.close(fd)
        self.assertTrue(self.drive.is_packed("bruit"))
        tree.assert_same(self, before, tree.snapshot(self.lower),
                         ("ctime",))
        said = self.drive.run("unpack", "--all", self.lower, check=False)
        self.assertEqual(1, said.returncode)
        self.assertTrue(self.drive.is_packed("bruit"))
        os.unlink(self.image.path("plein"))
        with open(self.path("bruit"), "r+b") as f:
            f.write(b"x")
        self.assertEqual(b"x" + self.noise[1:],
                         tree.read_all(self.path("bruit")))
        self.drive.run("fsck", self.lower)
        self.drive.stop()


class Damaged(unittest.TestCase):
    """A pack with flipped bytes."""

    def setUp(self):
        self.image = env.Image("ext4", 256)
        self.addCleanup(self.image.umount)
        self.lower = self.image.mkdir("drive")
        self.names = sample.files(self.lower)
        self.want = {n: tree.read_all(os.path.join(self.lower, n))
                     for n in self.names}
        self.originals = env.tmp("originals")
        env.run("cp", "-a", self.lower + "/.", self.originals)
        with drive.Drive(self.lower) as d:
            d.pack()

    def packs(self):
        return sorted(glob.glob(os.path.join(self.lower, ".sobre", "packs",
                                             "*", "*.pack")))

    def read(self):
        """(names that can't be read); fails on wrong bytes."""
        failed = []
        for name in self.names:
            try:
                got = tree.read_all(os.path.join(self.lower, name))
            except OSError as e:
                self.assertEqual("EIO", sys_calls.errno.errorcode[e.errno])
                failed.append(name)
                continue
            self.assertEqual(self.want[name], got, name)
        return failed

    def flip(self, where, count=1):
        path = self.packs()[0]
        size = os.stat(path).st_size
        with open(path, "r+b") as f:
            f.seek(int(size * where))
            byte = f.read(count)
            f.seek(int(size * where))
            f.write(bytes(b ^ 0x55 for b in byte))

    def test_is_eio_never_wrong_bytes(self):
        self.flip(0.6, 16)
        with drive.Drive(self.lower) as d:
            failed = self.read()
            self.assertTrue(failed)
            self.assertLess(len(failed), len(self.names) / 2)
            said = d.run("scrub", self.lower, check=False)
            self.assertEqual(1, said.returncode)
            for name in failed:
                self.assertIn(name, said.stdout + said.stderr)
            # Equal new data heals it.
            for name in failed:
                env.run("cp", "-a", os.path.join(self.originals, name),
                        os.path.join(self.lower, "guérison"))
                d.pack("guérison")
                os.unlink(os.path.join(self.lower, "guérison"))
            self.assertEqual([], self.read())

    def test_writing_to_a_damaged_file_fails_and_keeps_it(self):
        self.flip(0.6, 16)
        with drive.Drive(self.lower) as d:
            for name in self.read():
                path = os.path.join(self.lower, name)
                self.assertEqual("EIO", sys_calls.error_of(open, path,
                                                           "r+b")
                                 or sys_calls.error_of(append, path))
                self.assertTrue(d.is_packed(name))
                os.truncate(path, 0)  # restores nothing, so it can
                self.assertEqual(b"", tree.read_all(path))
                self.want[name] = b""
            self.assertEqual([], self.read())

    def test_anywhere_never_wrong_bytes(self):
        good = tree.read_all(self.packs()[0])
        for i in range(25):
            with open(self.packs()[0], "r+b") as f:
                f.write(good)
            self.flip(i / 25)
            d = drive.Drive(self.lower)
            try:
                d.start()
            except drive.MountFailed as e:
                self.assertIn(".pack", e.text)
                continue
            self.read()
            d.stop()

    def test_a_catalog_whose_schema_rotted_is_made_anew(self):
        """SQLite's quick_check doesn't read the text of triggers."""
        path = os.path.join(self.lower, ".sobre", "catalog.db")
        with open(path, "r+b") as f:
            data = f.read()
            at = data.index(b"new.", data.index(b"CREATE TRIGGER"))
            f.seek(at)
            f.write(b"nev.")
        drive.Drive(self.lower).run("fsck", "--rebuild", self.lower)
        self.assertTrue(glob.glob(path + ".damaged-*"))
        with drive.Drive(self.lower) as d:
            self.assertEqual([], self.read())
            d.run("fsck", self.lower)

    def test_a_lost_pack_is_eio(self):
        os.rename(self.packs()[0], os.path.join(self.image.dir, "caché"))
        d = drive.Drive(self.lower)
        try:
            d.start()
        except drive.MountFailed as e:
            self.assertIn("pack", e.text)
            return
        self.addCleanup(d.clean)
        self.assertTrue(self.read())
        said = d.run("fsck", self.lower, check=False)
        self.assertEqual(1, said.returncode)
        d.stop()

    def test_a_damaged_stub_is_eio(self):
        path = os.path.join(self.lower, "gros.csv")
        attr = os.getxattr(path, "trusted.sobre.content")
        os.setxattr(path, "trusted.sobre.content",
                    attr[:20] + b"\xff" + attr[21:])
        with drive.Drive(self.lower) as d:
            self.assertEqual(["gros.csv"], self.read())
            d.run("fsck", self.lower, check=False)
            self.assertTrue(d.is_packed("gros.csv"))


def append(path):
    with open(path, "ab", buffering=0) as f:
        f.write(b"x")


if __name__ == "__main__":
    env.main()
