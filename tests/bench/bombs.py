#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""What files that somebody made to harm cost: in the store, in time, in memory.

	PYTHONPATH=tests/support SOBRE=build/release/bin/sobre \\
		tests/bench/bombs.py [-m MIB] [NAME...]

Each is packed alone on a drive of its own, by hand. Printed: its data (blocks),
what packs and catalog take more or less than that, seconds a GiB of data to pack
it, the daemon's peak memory after packing and after reading at random places
for 2 s, reads a second. Root; MIB (256) each, and as much again on TMPDIR."""
import argparse
import os
import random
import struct
import time

import drive
import env

MASK = (1 << 64) - 1
WINDOW = 64  # docs/format/pack.md, "Where contents are cut"
FEWEST = 8193
COMMENT = 65000  # of an entry; all of them within 4 GiB


def gear_table():
    state, table = 0x736f627265667331, []
    for _ in range(256):
        state = (state + 0x9e3779b97f4a7c15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xbf58476d1ce4e5b9) & MASK
        z = ((z ^ (z >> 27)) * 0x94d049bb133111eb) & MASK
        table.append(z ^ (z >> 31))
    return table


def cutting_window():
    """Bytes after which a chunk ends, as soon as it may."""
    table, rng = gear_table(), random.Random(3)
    while True:
        window = rng.randbytes(WINDOW + 1)
        h = 0
        for byte in window:
            h = ((h << 1) + table[byte]) & MASK
        if h >> 47 == 0:
            return window


def local_header(name, size, checksum=0):
    return struct.pack("<IHHHHHIIIHH", 0x04034b50, 20, 0, 0, 0, 0, checksum,
                       size, size, len(name), 0) + name


def directory_entry(name, size, at, comment=0):
    return struct.pack("<IHHHHHHIIIHHHHHII", 0x02014b50, 20, 20, 0, 0, 0, 0, 0,
                       size, size, len(name), 0, comment, 0, 0, 0, at) + name


def directory_end(entries, size, at):
    return struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, entries, entries, size,
                       at, 0)


def plain(f, size):
    """Pictures: nothing compresses them, nobody has them."""
    for _ in range(size >> 20):
        f.write(os.urandom(1 << 20))


def smallest_chunks(f, size):
    window = cutting_window()
    for _ in range(size // FEWEST):
        f.write(os.urandom(FEWEST - len(window)) + window)


def zip_members(f, size):
    """As many members as there may be, each cut out, and what is between."""
    n = min(65535, size // 4127)
    at = []
    for i in range(n):
        at.append(f.tell())
        f.write(local_header(b"a", 4096, i) + os.urandom(4096))
    start = f.tell()
    for off in at:
        f.write(directory_entry(b"a", 4096, off))
    f.write(directory_end(n, f.tell() - start, start))


def zip_lies(f, size):
    """All entries are of one member, far apart in a directory of holes."""
    n = min(65535, size // 4096)
    f.write(local_header(b"a", 1 << 20) + os.urandom(1 << 20))
    start = f.tell()
    for i in range(n):
        f.seek(start + i * (47 + COMMENT))
        f.write(directory_entry(b"a", 1 << 20, 0, COMMENT))
    f.seek(start + n * (47 + COMMENT))
    f.write(directory_end(n, f.tell() - start, start))


def holes(f, size):
    for i in range(size // 4096):
        f.seek(i * 8192)
        f.write(os.urandom(4096))


def equal_holes(f, size):
    """One chunk, and as many entries of the recipe as can be."""
    for i in range(size // 4096):
        f.seek(i * 8192)
        f.write(b"x" * 4096)


def zeros(f, size):
    for _ in range(size >> 20):
        f.write(bytes(1 << 20))


def huge_sparse(f, _size):
    """16 TB, which ext4 holds at most, of which a block is data."""
    f.seek((1 << 44) - 8192)
    f.write(b"end")


BOMBS = (plain, smallest_chunks, zip_members, zip_lies, holes, equal_holes,
         zeros, huge_sparse)


def memory_mib(pid):
    with open("/proc/%d/status" % pid) as f:
        for line in f:
            if line.startswith("VmHWM"):
                return int(line.split()[1]) >> 10
    raise AssertionError("no VmHWM")


def read_at_random(path, seconds):
    n, size = 0, os.stat(path).st_size
    end = time.monotonic() + seconds
    with open(path, "rb", buffering=0) as f:
        while time.monotonic() < end:
            os.pread(f.fileno(), 1, random.randrange(size) & ~4095)
            n += 1
    return n / seconds


def stored(lower):
    return sum(os.lstat(os.path.join(where, name)).st_size
               for where, _dirs, files in os.walk(os.path.join(lower, ".sobre"))
               for name in files if not name.endswith("-shm"))


def measure(bomb, size):
    image = env.Image("ext4", 6 * (size >> 20) + 512, mkfs=("-b", "4096"))
    lower = image.mkdir("drive")
    path = os.path.join(lower, "bomb")
    with open(path, "wb") as f:
        bomb(f, size)
    image.sync()
    data = os.stat(path).st_blocks * 512
    with drive.Drive(lower) as d:
        d.settled()
        start = time.monotonic()
        packed = d.pack()["packed"]
        took = time.monotonic() - start
        after_packing = memory_mib(d.process.pid)
        reads = read_at_random(path, 2)
        after_reading = memory_mib(d.process.pid)
    more = stored(lower) - data if packed else 0
    image.umount()
    os.unlink(image.file)
    print("| %s | %s | %.1f | %+.2f %% | %.1f | %d, %d | %d |" % (
        bomb.__name__.replace("_", " "), "yes" if packed else "no",
        data / 2**20, 100 * more / data, took * 2**30 / data, after_packing,
        after_reading, reads), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-m", dest="mib", type=int, default=256)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    env.start()
    print("| file | packed | data MiB | stored against data | pack, s a GiB |"
          " peak MiB: packed, read | reads a second |\n"
          "|---|---|---|---|---|---|---|")
    for bomb in BOMBS:
        if not options.names or bomb.__name__ in options.names:
            measure(bomb, options.mib << 20)


if __name__ == "__main__":
    main()
