#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""What small files cost packed, and whether packing them frees anything.

	PYTHONPATH=tests/support SOBRE=build/release/bin/sobre \\
		tests/bench/small.py [-f FILES] [-s BYTES] [--copies N]

On each file system, with and without what Samba or an ACL puts into an inode:
bytes a file, of the lower's blocks (st_blocks) and of all (blocks of the file
system that are used, catalog and packs among them), unmounted before and after
`sobre pack --now`. --copies: each content N times. Root."""
import argparse
import os
import random

import drive
import env
import sample

SYSTEMS = (
    ("ext4, inodes of 256", "ext4", ("-I", "256", "-N", "400000")),
    ("ext4, inodes of 512", "ext4", ("-I", "512", "-N", "400000")),
    ("ext4, inline data", "ext4", ("-I", "256", "-N", "400000", "-O",
                                   "inline_data")),
    ("xfs", "xfs", ()),
    ("btrfs", "btrfs", ()),
)
# As Samba writes it, with the time of creation.
DOSATTRIB = b"\0\0\x05\0\x05\0\0\0\x11\0\0\0\x20\0\0\0" + bytes(36)
EXTRAS = ("nothing", "ACL", "DOSATTRIB", "both")


def text(rng, size):
    """Words, as of a note or a mail: zstd takes it to some two thirds."""
    words = []
    while sum(map(len, words)) + len(words) < size:
        words.append("%x" % int(rng.expovariate(1 / 40000)))
    return " ".join(words).encode()[:size]


def fill(top, options, extra):
    rng = random.Random(1)
    for n in range(options.files):
        folder = os.path.join(top, "%03d" % (n // 500))
        os.makedirs(folder, exist_ok=True)
        if n % options.copies == 0:
            data = text(rng, options.size)
        path = os.path.join(folder, "note %d.txt" % n)
        sample.put(path, data)
        if extra not in ("nothing", "ACL"):
            os.setxattr(path, "user.DOSATTRIB",
                        DOSATTRIB + n.to_bytes(4, "little"))
    if extra not in ("nothing", "DOSATTRIB"):
        env.run("setfacl", "-R", "-m", "g:100:rX,g:27:rwX", top)


def blocks(top):
    return sum(os.lstat(os.path.join(where, name)).st_blocks * 512
               for where, _dirs, files in os.walk(top) for name in files
               if ".sobre" not in where)


def used(image):
    image.sync()
    if image.fs == "btrfs":  # statvfs tells of whole chunks of metadata
        done = env.run("btrfs", "filesystem", "df", "--raw", image.dir)
        return sum(int(line.rpartition("used=")[2])
                   for line in done.stdout.splitlines()
                   if line.startswith(("Data", "Metadata")))
    st = os.statvfs(image.dir)
    return (st.f_blocks - st.f_bfree) * st.f_frsize


def measure(fs, mkfs, options, extra):
    image = env.Image(fs, 2048, mkfs=mkfs)
    lower = image.mkdir("drive")
    fill(lower, options, extra)
    with drive.Drive(lower) as d:
        d.settled(600)
    before = blocks(lower), used(image)
    with drive.Drive(lower) as d:
        d.settled(600)
        packed = d.pack()
    after = blocks(lower), used(image)
    image.umount()
    return packed, before, after


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-f", dest="files", type=int, default=10000)
    parser.add_argument("-s", dest="size", type=int, default=500)
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    env.start(("mkfs.xfs", "mkfs.btrfs", "setfacl"))
    print("| file system | inode holds | packed | blocks before, after |"
          " saved of all |\n|---|---|---|---|---|")
    for name, fs, mkfs in SYSTEMS:
        for extra in EXTRAS:
            if options.only not in name:
                continue
            packed, before, after = measure(fs, mkfs, options, extra)
            n = options.files
            print("| %s | %s | %d %% | %d, %d | %d |" % (
                name, extra, 100 * packed["packed"] // n, before[0] // n,
                after[0] // n, (before[1] - after[1]) // n), flush=True)


if __name__ == "__main__":
    main()
