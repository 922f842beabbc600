# SPDX-License-Identifier: EUPL-1.2
"""Power cuts: the lower ext4 lies in an image on XFS; while a drive on it is
at work the image is cloned at random instants. Each clone is mounted as after
the cut, then by sobre, and compared with what was written and synced.

	powercut.py [--cuts N] [--seed S]

Why a clone is what a power cut leaves. ext4 writes to a loop device, which
writes to the image file. What ext4 and agents have only in memory (page
cache, running journal transaction) is not in the image, and so not in the
clone: it is lost, as its fsync never came. FICLONE holds the image's inode
lock exclusively: every write that the loop device has completed is in the
clone, none is half in it, and those in flight come after. So a clone is the
content of a disk whose completed writes are all kept and whose others are
lost: the disk without a volatile cache. It shows a missing fsync, or one in
the wrong order, of ours; it doesn't show a missing FLUSH of ext4's own, which
isn't under test. ext4 commits every second (commit=1), so that cuts fall
between commits and write-back of every kind.

A file's versions are made so that ext4 itself leaves each old or new: one
4 KiB block at a block boundary, a truncation at a block boundary, a new file
renamed over after its fsync. Whatever else is then found is of our making.
"""
import argparse
import fcntl
import hashlib
import os
import random
import sys
import threading
import time

import drive
import env
import sample
import tree
import upkeep
import verify

FICLONE = 0x40049409
BLOCK = 4096
FILES = 24


def digest(data):
    return hashlib.sha256(data).digest()


class Versions:
    """Of one file: every version that was ever begun, in order, and the
    oldest that a cut may leave. Written by the file's one writer; the cutter
    reads the two numbers."""

    def __init__(self, data):
        self.digests = [digest(data)]
        self.data = data
        self.synced = 0

    def begin(self, data):
        self.data = data
        self.digests.append(digest(data))

    def sync(self):
        self.synced = len(self.digests) - 1


class Load(threading.Thread):
    """An agent at work on files of its own."""

    def __init__(self, d, names, seed):
        super().__init__(daemon=True)
        self.d = d
        self.rnd = random.Random(seed)
        self.files = {}
        self.stopping = threading.Event()
        self.failure = None
        self.edits = 0
        for name in names:
            data = self.body()
            sample.put(os.path.join(d.lower, name), data)
            self.files[name] = Versions(data)

    def body(self):
        size = self.rnd.randrange(1, 60) * BLOCK
        # From few seeds, so that contents are shared.
        return sample.text(self.rnd.randrange(6), size)

    def run(self):
        try:
            while not self.stopping.is_set():
                name = self.rnd.choice(sorted(self.files))
                edit = self.rnd.choices(
                    (self.block, self.block_later, self.cut, self.empty,
                     self.save, self.append), (5, 2, 2, 1, 4, 3))[0]
                edit(os.path.join(self.d.dir, name), self.files[name])
                self.edits += 1
                time.sleep(self.rnd.random() * 0.02)
        except BaseException as e:
            self.failure = e

    def sync(self, fd, versions):
        self.rnd.choice((os.fsync, os.fdatasync))(fd)
        versions.sync()

    def change(self, path, versions, data, call, synced=True):
        fd = os.open(path, self.rnd.choice((os.O_RDWR, os.O_WRONLY)))
        try:
            versions.begin(data)
            call(fd)
            if synced:
                self.sync(fd, versions)
        finally:
            os.close(fd)

    def block(self, path, versions, synced=True):
        was = versions.data
        if not was:
            return self.save(path, versions)
        at = self.rnd.randrange((len(was) + BLOCK - 1) // BLOCK) * BLOCK
        part = sample.text(self.rnd.random(), BLOCK)
        data = was[:at] + part + was[at + BLOCK:]
        return self.change(path, versions, data,
                           lambda fd: os.pwrite(fd, part, at), synced)

    def block_later(self, path, versions):
        """Not synced: any cut may lose it. Then made sure of, since two
        unsynced blocks may come to the disk in any order."""
        self.block(path, versions, synced=False)
        time.sleep(self.rnd.random() * 0.05)
        fd = os.open(path, os.O_RDONLY)
        try:
            os.fsync(fd)
            versions.sync()
        finally:
            os.close(fd)

    def append(self, path, versions):
        part = sample.text(self.rnd.random(), BLOCK)
        at = len(versions.data)
        self.change(path, versions, versions.data + part,
                    lambda fd: os.pwrite(fd, part, at))

    def cut(self, path, versions):
        size = self.rnd.randrange(len(versions.data) // BLOCK + 1) * BLOCK
        self.change(path, versions, versions.data[:size],
                    lambda fd: os.ftruncate(fd, size))

    def empty(self, path, versions):
        versions.begin(b"")
        fd = os.open(path, os.O_WRONLY | os.O_TRUNC)
        try:
            self.sync(fd, versions)
        finally:
            os.close(fd)

    def save(self, path, versions):
        data = self.body()
        temp = path + ".tmp"
        sample.put(temp, data)
        fd = os.open(temp, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)
        versions.begin(data)
        os.rename(temp, path)
        if self.rnd.random() < 0.7:
            fd = os.open(os.path.dirname(path), os.O_RDONLY)
            os.fsync(fd)
            os.close(fd)
        else:
            fd = os.open(path, os.O_RDONLY)
            os.fsync(fd)
            os.close(fd)
        versions.sync()


class Cutter:
    """Clones the image, with what may be found in the clone."""

    def __init__(self, image, outer, loads, seed):
        self.image = image
        self.outer = outer
        self.loads = loads
        self.rnd = random.Random(seed)
        self.clones = []

    def cut(self):
        lowest = {n: v.synced for load in self.loads
                  for n, v in load.files.items()}
        path = self.outer.path("cut%d.img" % len(self.clones))
        with open(self.image.file, "rb") as a, open(path, "wb") as b:
            fcntl.ioctl(b.fileno(), FICLONE, a.fileno())
        allowed = {n: set(v.digests[lowest[n]:]) for load in self.loads
                   for n, v in load.files.items()}
        self.clones.append((path, allowed))

    def run(self, count):
        for _ in range(count):
            time.sleep(self.rnd.random() ** 2 * 1.5)
            self.cut()
            for load in self.loads:
                if load.failure:
                    raise load.failure


def check(outer, path, allowed):
    """What is wrong with the clone; raises AssertionError."""
    image = env.Image("ext4", file=path, root=env.tmp("cut"))
    packed = 0
    try:
        with drive.Drive(image.path("drive")) as d:
            found = compare(d, allowed)
            packed = sum(map(d.is_packed, allowed))
            d.settled()
            assert compare(d, allowed) == found, "changed by the scan"
            verify.fsck(d)
            d.pack()
            d.gc()
            assert compare(d, allowed) == found, "changed by pack and gc"
            d.run("fsck", d.dir)
    finally:
        image.umount()
        os.unlink(path)
    env.run("rm", "-rf", image.root)
    return packed


def compare(d, allowed):
    found = {}
    for name, digests in allowed.items():
        data = tree.read_all(os.path.join(d.dir, name))
        found[name] = digest(data)
        if found[name] not in digests:
            zeros = data.count(0)
            raise AssertionError(
                "'%s': %d bytes, %d of them zeros, are none of its %d "
                "versions" % (name, len(data), zeros, len(digests)))
    return found


def parse():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--cuts", type=int,
                   default=int(os.environ.get("SOBRE_CUTS") or 25))
    p.add_argument("--seed", type=int,
                   default=int(os.environ.get("SOBRE_SEED") or
                               time.time_ns() % 100000))
    return p.parse_args()


def work(args, outer, image):
    d = drive.Drive(image.mkdir("drive"))
    loads = [Load(d, ["%d-%d" % (i, j) for j in range(FILES // 2)],
                  args.seed * 10 + i) for i in range(2)]
    image.sync()
    d.start()
    d.settled()
    beside = upkeep.Upkeep(d, args.seed)
    cutter = Cutter(image, outer, loads, args.seed)
    threads = loads + [beside]
    try:
        for t in threads:
            t.start()
        cutter.run(args.cuts)
    finally:
        for t in threads:
            t.stopping.set()
        for t in threads:
            if t.is_alive():
                t.join(120)
    for t in threads:
        if t.failure:
            raise t.failure
    print("%d edits, %d rounds of upkeep, %d times a file was packed" % (
        sum(l.edits for l in loads), beside.rounds, beside.packed),
        flush=True)
    d.stop()
    image.umount()
    return cutter.clones


def main():
    args = parse()
    env.start(("mkfs.xfs",))
    print("seed", args.seed, flush=True)
    # The clones share all that didn't change between them.
    outer = env.Image("xfs", 512 + 40 * args.cuts, mkfs=("-m", "reflink=1"))
    inner = outer.path("disk.img")
    with open(inner, "wb") as f:
        f.truncate(256 << 20)
    env.run("mkfs.ext4", "-q", "-F", inner)
    image = env.Image("ext4", file=inner, root=env.tmp("disk"),
                      options="commit=1")
    failed = 0
    clones = work(args, outer, image)
    for i, (path, allowed) in enumerate(clones):
        try:
            packed = check(outer, path, allowed)
            print("ok   cut %d, %d files packed" % (i, packed), flush=True)
        except (AssertionError, OSError, drive.MountFailed) as e:
            failed += 1
            print("FAIL cut %d: %s" % (i, e), flush=True)
    print("%d cuts, %d failed" % (len(clones), failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
