#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""`sobre scrub` beside reading the same pack files and doing nothing with them.

	PYTHONPATH=tests/support SOBRE=build/release/bin/sobre \\
		tests/bench/scrub.py [-n ROUNDS] [-g GIB] [-d WORKDIR] SHARE

A drive on an ext4 image holds GIB of files, packed; SHARE's documents give the
bytes. In turn, nothing in the page cache before each: dd of the packs with
iflag=direct, dd of them through the page cache, scrub; all at the highest priority,
lest other work on the machine be measured. Printed are MiB/s of packs, and scrub as
a part of the faster of the two in its round. Root."""
import argparse
import os
import statistics
import subprocess
import time

import documents
import drive
import env
import measure

WAYS = ("dd, direct", "dd", "scrub")


def cold():
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w") as f:
        f.write("3")


def packs_of(lower):
    found = []
    for where, _dirs, files in os.walk(os.path.join(lower, ".sobre", "packs")):
        found += [os.path.join(where, f) for f in files]
    return sorted(found, key=os.path.basename)


def read(packs, flags):
    for pack in packs:
        subprocess.run(["dd", "if=" + pack, "of=/dev/null", "bs=1M", *flags],
                       stderr=subprocess.DEVNULL, check=True)


def seconds(way, packs, lower):
    cold()
    start = time.monotonic()
    if way == "scrub":
        cost = measure.run([env.SOBRE, "scrub", lower])
        print("scrub: %.2f s, CPU %.2f + %.2f, %.1f MiB at most" % (
            cost.wall, cost.user, cost.sys, cost.peak / 2 ** 20), flush=True)
        return cost.wall
    read(packs, ["iflag=direct"] if "direct" in way else [])
    return time.monotonic() - start


def rounds(n, lower):
    packs = packs_of(lower)
    mib = sum(map(os.path.getsize, packs)) / 2 ** 20
    print("%d packs, %.0f MiB" % (len(packs), mib))
    rates = {way: [] for way in WAYS}
    for _ in range(n):
        for way in WAYS:
            rates[way].append(mib / seconds(way, packs, lower))
    parts = [s / max(a, b) for a, b, s in zip(*(rates[w] for w in WAYS))]
    print("| | " + " | ".join(WAYS) + " | scrub, part of the faster |")
    print("|---|---|---|---|---|")
    for name, pick in (("median", statistics.median), ("least", min),
                       ("most", max)):
        print("| %s | %s | %.2f |" % (name, " | ".join(
            "%.0f" % pick(rates[w]) for w in WAYS), pick(parts)))


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("-n", type=int, default=7, metavar="ROUNDS")
    p.add_argument("-g", type=int, default=6, metavar="GIB")
    p.add_argument("-d", default="/var/tmp", metavar="WORKDIR")
    p.add_argument("share")
    o = p.parse_args()
    share = os.path.realpath(o.share)
    os.environ["TMPDIR"] = os.path.realpath(o.d)
    env.start()
    image = env.Image(size_mib=(2 * o.g + 8) << 10, direct=True)
    d = drive.Drive(image.mkdir("drive"))
    documents.fill(d.lower, documents.read_pool(share, 256 << 20), o.g << 30)
    d.start()
    d.settled()
    subprocess.run([env.SOBRE, "pack", "--now", d.dir], check=True,
                   stdout=subprocess.DEVNULL)
    d.stop()
    os.setpriority(os.PRIO_PROCESS, 0, -20)
    rounds(o.n, d.lower)
    image.umount()


if __name__ == "__main__":
    main()
