#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""What packing copies costs, by the size of the files.

	PYTHONPATH=tests/support SOBRE=build/release/bin/sobre \\
		tests/bench/copies.py [-n ROUNDS] [-d WORKDIR] [-m MIB] [KIB ...]

For each size, files of bytes that don't repeat are packed; then a copy of them,
which the store knows: each is hashed, compared with what the disk holds, and
frozen. Nothing is in the page cache before. CPU seconds are the daemon's, in
user mode and in the kernel; printed are medians. Root."""
import argparse
import os
import statistics
import sys

import drive
import env
import measure
import packed

MIB = 1 << 20


def fill(top, kib, mib):
    os.mkdir(top)
    for i in range(mib * 1024 // kib):
        with open(os.path.join(top, str(i)), "wb") as f:
            f.write(os.urandom(kib << 10))


def round_of(kib, mib):
    """The daemon's cost of the copy."""
    image = env.Image(size_mib=3 * mib + 512)
    d = drive.Drive(image.mkdir("drive")).start()
    first = os.path.join(d.dir, "first")
    fill(first, kib, mib)
    env.run(env.SOBRE, "pack", "--now", first, timeout=3600)
    second = os.path.join(d.dir, "second")
    env.run("cp", "-a", first, second, timeout=3600)
    packed.cold()
    cost, _said = measure.daemon(d.status()["pid"], lambda: env.run(
        env.SOBRE, "pack", "--now", second, timeout=3600))
    if not d.is_packed("second/0"):
        sys.exit("copies.py: the copy was not packed")
    d.stop()
    image.umount()
    os.unlink(image.file)
    return cost


def line(kib, mib, costs):
    user = statistics.median(c.user for c in costs)
    kernel = statistics.median(c.sys for c in costs)
    gb = mib * MIB / 1e9
    print("| %d KiB | %.2f | %.2f | %.2f | %.2f |" % (
        kib, user, kernel, gb / user, gb / (user + kernel)), flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("-n", type=int, default=3, metavar="ROUNDS")
    p.add_argument("-d", default="/var/tmp", metavar="WORKDIR")
    p.add_argument("-m", type=int, default=512, metavar="MIB")
    p.add_argument("kib", type=int, nargs="*", default=[64, 1024, 16384])
    options = p.parse_args()
    if min([options.n, options.m, *options.kib]) < 1:
        p.error("nothing to do")
    os.environ["TMPDIR"] = os.path.realpath(options.d)
    env.start()
    print("| files of | user s | kernel s | GB/s a core, user | both |")
    print("|---|---|---|---|---|")
    for kib in options.kib:
        line(kib, options.m, [round_of(kib, options.m)
                              for _ in range(options.n)])


if __name__ == "__main__":
    main()
