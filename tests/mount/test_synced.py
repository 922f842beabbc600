# SPDX-License-Identifier: EUPL-1.2
"""What was synced is there after a power cut: also where the daemon came to the
file by its number and not by its name, of which btrfs makes a difference."""
import os
import unittest

import drive
import env
import sys_calls

MANY = 3700  # more than the daemon keeps descriptors of


def drop_names():
    """But for those of what is held open: the drive's, not the lower's."""
    with open("/proc/sys/vm/drop_caches", "w") as f:
        f.write("2")


class Btrfs(unittest.TestCase):
    fs = "btrfs"
    options = "commit=300"  # nothing but what is synced

    @classmethod
    def setUpClass(cls):
        cls.outer = env.Image("xfs", 2048, mkfs=("-m", "reflink=1"))

    @classmethod
    def tearDownClass(cls):
        cls.outer.umount()

    def setUp(self):
        self.image = env.Image(self.fs, 320, options=self.options,
                               root=self.outer.mkdir(self._testMethodName),
                               direct=True)
        self.addCleanup(self.image.umount)
        self.lower = self.image.mkdir("drive")
        self.drive = drive.Drive(self.lower).start()
        self.addCleanup(self.drive.clean)
        os.mkdir(self.path("autres"))
        for i in range(MANY):
            os.mknod(self.path("autres", str(i)))
        self.image.sync()

    def path(self, *names):
        return os.path.join(self.drive.dir, *names)

    def forget_descriptors(self):
        drop_names()
        for i in range(MANY):
            os.stat(self.path("autres", str(i)))
            os.listxattr(self.path("autres", str(i)))
        drop_names()

    def after_the_cut(self):
        """The disk as it is at this moment, mounted. A clone, as of one
        instant: a copy would hold some blocks older than others."""
        file = self.outer.path(self._testMethodName + ".cut")
        sys_calls.clone(self.image.file, file)
        # The same file system can't be mounted twice beside itself.
        self.drive.stop()
        self.image.umount()
        cut = env.Image(self.fs, file=file)
        self.addCleanup(cut.umount)
        return cut.path("drive")

    def check(self, place, content):
        with open(os.path.join(self.after_the_cut(), *place), "rb") as f:
            self.assertEqual(content, f.read())

    def write(self, path, flags, sync):
        fd = os.open(path, os.O_WRONLY | flags)
        os.write(fd, b"synchronis\xc3\xa9")
        if sync:
            os.fsync(fd)
        os.close(fd)

    def made(self, flags, sync):
        os.mkdir(self.path("nouveau"))
        os.mknod(self.path("nouveau", "f"))
        known = os.open(self.path("nouveau", "f"), os.O_PATH)
        self.forget_descriptors()
        self.write(self.path("nouveau", "f"), flags, sync)
        os.close(known)
        self.check(("nouveau", "f"), b"synchronis\xc3\xa9")

    def test_synced_by_fsync(self):
        self.made(0, True)

    def test_synced_by_each_write(self):
        self.made(os.O_SYNC, False)

    def linked(self, flags, sync):
        """The name it was known by goes, another has come."""
        os.mkdir(self.path("vieux"))
        with open(self.path("vieux", "f"), "wb") as f:
            f.write(b"avant")
        self.image.sync()
        os.mkdir(self.path("nouveau"))
        os.link(self.path("vieux", "f"), self.path("nouveau", "f"))
        os.unlink(self.path("vieux", "f"))
        self.write(self.path("nouveau", "f"), flags, sync)
        self.check(("nouveau", "f"), b"synchronis\xc3\xa9")

    def test_by_another_name_by_fsync(self):
        self.linked(0, True)

    def test_by_another_name_by_each_write(self):
        self.linked(os.O_SYNC, False)


class Ext4(Btrfs):
    fs = "ext4"


class Xfs(Btrfs):
    fs = "xfs"
    options = ""


if __name__ == "__main__":
    env.main(programs=("mkfs.btrfs", "mkfs.xfs"))
