#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Packed files against the same files on plain ext4, and what the daemon needs.

	PYTHONPATH=tests/support SOBRE=build/release/bin/sobre \\
		tests/bench/packed.py [-n ROUNDS] [-d WORKDIR] [-f INODES] SHARE

Both sides are directories of one journaled ext4 image. A round measures native
and packed in turn; printed are medians, and packed as a part of native (1.00 is
as fast). SHARE gives the bytes: a big file is made of its documents. First
writes are compared with a cp of the same file, both cold. Root."""
import argparse
import os
import random
import statistics
import subprocess
import threading
import time

import drive
import env

BLOCK = 1 << 20


def cold():
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w") as f:
        f.write("3")


def timed(call, *args):
    start = time.monotonic()
    call(*args)
    return time.monotonic() - start


def read(path):
    buf = bytearray(BLOCK)
    with open(path, "rb", buffering=0) as f:
        while f.readinto(buf):
            pass


def read_tree(top):
    for where, dirs, files in os.walk(top):
        dirs.sort()
        for name in sorted(files):
            read(os.path.join(where, name))


def write_one(path, durable):
    fd = os.open(path, os.O_WRONLY)
    os.pwrite(fd, b"x", 0)
    if durable:
        os.fsync(fd)
    os.close(fd)


def copy(path, durable):
    env.run("cp", path, path + ".copy")
    if durable:
        fd = os.open(path + ".copy", os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)
    os.unlink(path + ".copy")


def documents(share):
    return sorted(os.path.join(where, name)
                  for where, _dirs, files in os.walk(share) for name in files)


def make_big(share, path, size, seed):
    """Documents in another order each time round, so that not all is a copy."""
    rng = random.Random(seed)
    names = documents(share)
    done = 0
    with open(path, "wb") as out:
        while done < size:
            rng.shuffle(names)
            for name in names:
                with open(name, "rb") as f:
                    data = f.read(size - done)
                done += out.write(data)
                done += out.write(rng.randbytes(min(64, size - done)))
                if done >= size:
                    break


class Bench:
    def __init__(self, options):
        self.options = options
        self.rows = {}
        self.image = env.Image(size_mib=16384,
                               root=os.path.join(env.tmp("image")))
        self.native = self.image.mkdir("native")
        self.drive = drive.Drive(self.image.mkdir("packed"))

    def sides(self):
        return (("native", self.native), ("packed", self.drive.dir))

    def note(self, row, side, seconds):
        self.rows.setdefault(row, {}).setdefault(side, []).append(seconds)

    def fill(self):
        share = self.options.share
        for _side, top in self.sides():
            make_big(share, os.path.join(top, "big"), 1 << 30, 1)
            for n in range(2 * self.options.n):
                make_big(share, os.path.join(top, "small%d" % n), 1 << 20, n)
            env.run("cp", "-a", share, os.path.join(top, "tree"))

    def reads(self):
        for side, top in self.sides():
            big, tree = os.path.join(top, "big"), os.path.join(top, "tree")
            cold()
            self.note("1 GiB, sequential, cold", side, timed(read, big))
            read(big)
            self.note("1 GiB, sequential, warm", side, timed(read, big))
            cold()
            self.note("the share, cold", side, timed(read_tree, tree))
            read_tree(tree)
            self.note("the share, warm", side, timed(read_tree, tree))

    def first_writes(self, round_):
        for durable in (False, True):
            after = ", fsync" if durable else ""
            small = "small%d" % (2 * round_ + durable)
            for size, name in (("1 MiB", small), ("1 GiB", "big")):
                cold()
                self.note("first write, %s%s" % (size, after), "native",
                          timed(copy, os.path.join(self.native, name), durable))
                cold()
                self.note("first write, %s%s" % (size, after), "packed",
                          timed(write_one, os.path.join(self.drive.dir, name),
                                durable))
            self.drive.pack("big")

    def saves(self, top, seconds):
        """Temporary file, rename over, read back: how many in the time."""
        data = os.urandom(200 << 10)
        path = os.path.join(top, "save")
        end = time.monotonic() + seconds
        count = 0
        while time.monotonic() < end:
            with open(path + ".tmp", "wb") as f:
                f.write(data)
            os.rename(path + ".tmp", path)
            read(path)
            count += 1
        return count / seconds

    def beside(self):
        """The same work with nothing else, and while the tree is packed."""
        self.note("saves beside the packer", "native",
                  1 / self.saves(self.drive.dir, 10))
        self.drive.unpack("tree")
        packing = threading.Thread(target=self.drive.pack, args=("tree",))
        packing.start()
        rates = []
        while packing.is_alive():
            rates.append(self.saves(self.drive.dir, 1))
        packing.join()
        self.note("saves beside the packer", "packed",
                  1 / statistics.mean(rates))

    def table(self):
        print("| | native | packed | ratio |\n|---|---|---|---|")
        for row, sides in self.rows.items():
            native = statistics.median(sides["native"])
            packed = statistics.median(sides["packed"])
            print("| %s | %.3f s | %.3f s | %.2f |" % (
                row, native, packed, native / packed))


def status(pid, key):
    with open("/proc/%d/status" % pid) as f:
        for line in f:
            if line.startswith(key + ":"):
                return int(line.split()[1])
    return 0


def known_inodes(count):
    """Resident memory and descriptors once the kernel knows so many."""
    image = env.Image(size_mib=4096, mkfs=("-N", str(count + count // 8)))
    lower = image.mkdir("lower")
    for n in range(count):
        if n % 1000 == 0:
            os.mkdir(os.path.join(lower, "d%d" % n))
        os.close(os.open(os.path.join(lower, "d%d" % (n // 1000 * 1000),
                                      "f%d" % n), os.O_CREAT | os.O_WRONLY))
    d = drive.Drive(lower).start()
    d.settled(600)
    pid = d.status()["pid"]
    idle = status(pid, "VmRSS")
    subprocess.run(["find", d.dir, "-printf", "%s"], stdout=subprocess.DEVNULL,
                   check=True)
    print("%d inodes: %d KiB resident after the import, %d KiB with all known "
          "to the kernel, %d descriptors" % (
              count, idle, status(pid, "VmRSS"),
              len(os.listdir("/proc/%d/fd" % pid))))
    d.stop()
    image.umount()


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("-n", type=int, default=4, metavar="ROUNDS")
    p.add_argument("-d", default="/var/tmp", metavar="WORKDIR")
    p.add_argument("-f", type=int, default=100000, metavar="INODES",
                   help="0: don't look at memory")
    p.add_argument("share")
    options = p.parse_args()
    options.share = os.path.realpath(options.share)
    os.environ["TMPDIR"] = os.path.realpath(options.d)
    env.start()
    b = Bench(options)
    b.fill()
    b.drive.start()
    b.drive.settled()
    b.drive.pack()
    for round_ in range(options.n):
        b.reads()
        b.first_writes(round_)
        b.beside()
    b.table()
    b.drive.stop()
    b.image.umount()
    if options.f:
        known_inodes(options.f)


if __name__ == "__main__":
    main()
