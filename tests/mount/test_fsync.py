# SPDX-License-Identifier: EUPL-1.2
"""fsync on the mount means what it means on ext4, with a disk that really
fails: the image lies on a tmpfs, and when that is full its writes are errors.
"""
import mmap
import os
import re
import unittest

import drive
import env
from sys_calls import error_of

MIB = 1 << 20
BLOCK = 4096
DISK_MIB = 48
ROOM_MIB = 64  # of the tmpfs


def fill_metadata(file):
    """Writes what isn't free to where it is, so that it has room."""
    text = env.run("dumpe2fs", file).stdout
    free = set()
    for runs in re.findall(r"^  Free blocks: (.*)$", text, re.M):
        for first, last in re.findall(r"(\d+)(?:-(\d+))?", runs):
            free.update(range(int(first), int(last or first) + 1))
    with open(file, "r+b", buffering=0) as f:
        for block in range(DISK_MIB * MIB // BLOCK):
            if block not in free:
                data = os.pread(f.fileno(), BLOCK, block * BLOCK)
                os.pwrite(f.fileno(), data, block * BLOCK)


class Disk:
    """An ext4 whose free blocks are holes of the image."""

    def __init__(self):
        self.root = env.tmp("disk")
        env.run("mount", "-t", "tmpfs", "-o", "size=%dm" % ROOM_MIB, "none",
                self.root)
        env.on_end(lambda: env.run("umount", "-l", self.root))
        file = os.path.join(self.root, "disk.img")
        with open(file, "wb") as f:
            f.truncate(DISK_MIB * MIB)
        env.run("mkfs.ext4", "-q", "-b", str(BLOCK), "-J", "size=4", "-N", "64",
                "-E", "lazy_itable_init=0,lazy_journal_init=0", file)
        fill_metadata(file)
        self.image = env.Image(root=self.root, file=file)
        self.filler = os.path.join(self.root, "filler")

    def sync(self):
        """Has errors met; no open file is told by that."""
        error_of(self.image.sync)

    def break_it(self):
        self.sync()
        with open(self.filler, "wb", buffering=0) as f:
            try:
                while True:
                    f.write(bytes(64 << 10))
            except OSError:
                pass

    def mend(self):
        os.unlink(self.filler)


class Place:
    def __init__(self, disk, path, below):
        self.disk = disk
        self.dir = path
        self.below = below  # where the lower file is

    def opened(self, name, flags):
        return os.open(os.path.join(self.dir, name), flags)


def asked(*fds):
    """What two fsyncs of each answer."""
    return [(error_of(os.fsync, fd), error_of(os.fdatasync, fd))
            for fd in fds]


def close(*fds):
    """close(2) tells nothing."""
    return [error_of(os.close, fd) for fd in fds]


def each_open_is_told_once(p):
    a = p.opened("each", os.O_CREAT | os.O_RDWR)
    b = p.opened("each", os.O_WRONLY)
    r = p.opened("each", os.O_RDONLY)
    os.fsync(a)
    p.disk.break_it()
    os.pwrite(a, os.urandom(MIB), 0)
    out = asked(a, b, r)
    p.disk.mend()
    os.pwrite(b, os.urandom(MIB), 0)
    return out, asked(b, a, r), close(a, b, r)


def an_error_seen_by_others_is_told(p):
    """Before our first fsync of the file, as the packer may."""
    a = p.opened("seen", os.O_CREAT | os.O_WRONLY)
    other = os.open(os.path.join(p.below, "seen"), os.O_RDONLY)
    p.disk.break_it()
    os.pwrite(a, os.urandom(MIB), 0)
    out = asked(other, a)
    p.disk.mend()
    return out, asked(a), close(a, other)


def an_open_that_comes_later(p):
    a = p.opened("later", os.O_CREAT | os.O_WRONLY)
    p.disk.break_it()
    os.pwrite(a, os.urandom(MIB), 0)
    p.disk.sync()
    b = p.opened("later", os.O_WRONLY)
    out = asked(b, a)
    c = p.opened("later", os.O_WRONLY)
    out += asked(c)
    p.disk.mend()
    return out, close(a, b, c)


def who_closes_without_asking(p):
    a = p.opened("closes", os.O_CREAT | os.O_WRONLY)
    p.disk.break_it()
    os.pwrite(a, os.urandom(MIB), 0)
    p.disk.sync()
    out = close(a)
    b = p.opened("closes", os.O_RDWR)
    out += asked(b)
    p.disk.mend()
    return out, close(b)


def mapped(p):
    a = p.opened("mapped", os.O_CREAT | os.O_RDWR)
    os.ftruncate(a, MIB)
    os.fsync(a)
    m = mmap.mmap(a, MIB)
    p.disk.break_it()
    m[:] = os.urandom(MIB)
    out = [error_of(m.flush), error_of(m.flush)]
    # In passthrough the map has an open file of its own: told twice.
    error_of(os.fsync, a)
    out += asked(a)
    m.close()
    p.disk.mend()
    return out, close(a)


def synchronous(p):
    a = p.opened("sync", os.O_CREAT | os.O_WRONLY | os.O_SYNC)
    p.disk.break_it()
    out = error_of(os.pwrite, a, os.urandom(MIB), 0)
    p.disk.mend()
    return out, error_of(os.pwrite, a, os.urandom(MIB), 0), close(a)


SCENARIOS = (each_open_is_told_once, an_error_seen_by_others_is_told,
             an_open_that_comes_later, who_closes_without_asking, mapped,
             synchronous)


class Fsync(unittest.TestCase):
    """In passthrough where there is any."""

    options = ()

    def test_errors_are_those_of_the_lower(self):
        disk = Disk()
        native = disk.image.mkdir("native")
        lower = disk.image.mkdir("drive")
        state = os.path.join(env.tmp("state"), "state")
        with drive.Drive(lower, options=self.options + ("--state", state)
                         ) as d:
            for scenario in SCENARIOS:
                with self.subTest(scenario.__name__):
                    want = scenario(Place(disk, native, native))
                    self.assertIn("ENOSPC", str(want))  # it did break
                    got = scenario(Place(disk, d.dir, d.below()))
                    self.assertEqual(want, got)
        disk.image.umount()


class FsyncThroughTheDaemon(Fsync):
    options = ("--no-passthrough",)


if __name__ == "__main__":
    env.main()
