# SPDX-License-Identifier: EUPL-1.2
"""Power cuts: the lower ext4 lies in an image on XFS; while a drive on it is
at work the image is cloned at random instants. Each clone is mounted as after
the cut, then by sobre, and compared with what was written and synced.

	powercut.py [--cuts N] [--seed S] [--bare]

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
renamed over after its fsync. The one exception is an append not yet synced,
in whose place ext4 may leave a block of zeros. Whatever else is then found is
of our making; or the test has a wrong idea of ext4: --bare does the same
without sobre, and what fails there too is ext4's.
"""
import argparse
import os
import random
import sys
import time

import agents
import drive
import env
import sys_calls
import tree
import upkeep
import verify

BLOCK = agents.BLOCK
FILES = 24


class Bare:
    """In the place of a drive: ext4 alone, to tell its doings from ours."""

    def __init__(self, directory):
        self.lower = directory
        self.dir = directory

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def is_packed(self, _name):
        return False


class Cutter:
    """Clones the image, with what may be found in the clone."""

    def __init__(self, image, outer, loads, seed):
        self.image = image
        self.outer = outer
        self.loads = loads
        self.rnd = random.Random(seed)
        self.clones = []

    def cut(self):
        files = {n: v for load in self.loads for n, v in load.files.items()}
        lowest = {n: v.synced for n, v in files.items()}
        path = self.outer.path("cut%d.img" % len(self.clones))
        sys_calls.clone(self.image.file, path)
        may = {n: (v.since(lowest[n]), v.story(lowest[n])) for n, v in files.items()}
        self.clones.append((path, may))

    def run(self, count):
        for _ in range(count):
            time.sleep(self.rnd.random() ** 2 * 1.5)
            self.cut()
            for load in self.loads:
                if load.failure:
                    raise load.failure


def zero_blocks(data):
    return [i // BLOCK for i in range(0, len(data), BLOCK)
            if not data[i:i + BLOCK].strip(b"\0")]


def look_below(directory, names):
    """What ext4 kept of each file, before anybody of ours sees it."""
    below = {}
    for name in names:
        path = os.path.join(directory, name)
        data = tree.read_all(path)
        stub = "trusted.sobre.content" in os.listxattr(path)
        below[name] = "%s of %d bytes, %d blocks, zeros in %s" % (
            "a stub" if stub else "plain", len(data),
            os.stat(path).st_blocks, zero_blocks(data))
        if zero_blocks(data) and "unwritten" in env.run(
                "filefrag", "-v", path).stdout:
            below[name] += ", some unwritten"
    return below


def check(outer, path, may, bare):
    """What is wrong with the clone; raises AssertionError."""
    image = env.Image("ext4", file=path, root=env.tmp("cut"))
    packed = 0
    try:
        top = image.path("drive")
        below = look_below(top, may)
        with Bare(top) if bare else drive.Drive(top) as d:
            found = compare(d, may, below)
            if not bare:
                packed = sum(map(d.is_packed, may))
                go_on(d, found)
    finally:
        image.umount()
        os.unlink(path)
    env.run("rm", "-rf", image.root)
    return packed


def go_on(d, found):
    names = list(found)
    d.settled()
    assert digests(d, names) == found, "changed by the scan"
    verify.fsck(d)
    d.pack()
    d.gc()
    assert digests(d, names) == found, "changed by pack and gc"
    d.run("fsck", d.dir)


def digests(d, names):
    return {name: agents.digest(tree.read_all(os.path.join(d.dir, name)))
            for name in names}


def compare(d, may, below):
    found = digests(d, may)
    for name, (allowed, story) in may.items():
        if found[name] in allowed:
            continue
        data = tree.read_all(os.path.join(d.dir, name))
        raise AssertionError(
            "'%s': %d bytes, zeros in blocks %s, are none of its %d "
            "versions; on the disk: %s; %s" % (
                name, len(data), zero_blocks(data), len(allowed),
                below[name], story))
    return found


def parse():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--cuts", type=int,
                   default=int(os.environ.get("SOBRE_CUTS") or 25))
    p.add_argument("--bare", action="store_true",
                   help="the same load on ext4 alone, without sobre")
    p.add_argument("--seed", type=int,
                   default=int(os.environ.get("SOBRE_SEED") or
                               time.time_ns() % 100000))
    return p.parse_args()


def work(args, outer, image):
    top = image.mkdir("drive")
    d = Bare(top) if args.bare else drive.Drive(top)
    loads = [agents.Agent(d, ["%d-%d" % (i, j) for j in range(FILES // 2)],
                  args.seed * 10 + i) for i in range(2)]
    image.sync()
    threads = list(loads)
    if not args.bare:
        d.start()
        d.settled()
        threads.append(upkeep.Upkeep(d, args.seed))
    cutter = Cutter(image, outer, loads, args.seed)
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
    print("%d edits" % sum(l.edits for l in loads), flush=True)
    if not args.bare:
        beside = threads[-1]
        print("%d rounds of upkeep, %d times a file was packed" % (
            beside.rounds, beside.packed), flush=True)
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
    env.run("mkfs.ext4", "-q", "-F", "-b", str(BLOCK), inner)
    image = env.Image("ext4", file=inner, root=env.tmp("disk"),
                      options="commit=1")
    failed = 0
    clones = work(args, outer, image)
    for i, (path, may) in enumerate(clones):
        try:
            packed = check(outer, path, may, args.bare)
            print("ok   cut %d, %d files packed" % (i, packed), flush=True)
        except (AssertionError, OSError, drive.MountFailed) as e:
            failed += 1
            print("FAIL cut %d: %s" % (i, e), flush=True)
    print("%d cuts, %d failed" % (len(clones), failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
